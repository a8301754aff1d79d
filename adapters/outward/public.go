package outward

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// maxPublic is how much of the public status page is read, in bytes; it has a
// few kilobytes.
const maxPublic = 1 << 20

// PublicStatus fetches Microsoft's public status of the admin center, such as
// https://status.cloud.microsoft/api/posts/mac, which needs no sign-in and is
// no contract. It judges nothing, also not the status: an answer may be a web
// page with status 200, and [keyturn/bot/incident.ParsePublicStatus] tells.
// client should come from httpx.New; nil is one of the default policy. The error is a [*bot.Failure].
func PublicStatus(ctx context.Context, client *http.Client, url string) (raw []byte, contentType string, status int, err error) {
	name := "Microsoft's public status page"
	wrong := func(err error) error {
		return &bot.Failure{Kind: bot.KindBadRequest, System: Public, Says: capital(err.Error()) + ".", Fix: "Check it in Keyturn's configuration.", Err: err}
	}
	if client == nil {
		if client, err = httpx.New(httpx.Config{}); err != nil {
			return nil, "", 0, wrong(err)
		}
	}
	if _, err := newAddress(name, bot.NewSecret(url)); err != nil {
		return nil, "", 0, wrong(err)
	}
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, "", 0, wrong(fmt.Errorf("the address of %s cannot be asked for", name))
	}
	req.Header.Set("Accept", "application/json, application/rss+xml;q=0.5")
	lost := func(err error) error {
		f := httpx.Lost(bot.System(name), false, "", httpx.Clean(err))
		f.System = Public
		return f
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", 0, lost(err)
	}
	defer resp.Body.Close()
	raw, err = io.ReadAll(io.LimitReader(resp.Body, maxPublic+1))
	if err == nil && len(raw) > maxPublic {
		err = httpx.ErrTooLarge
	}
	if err != nil {
		return nil, "", 0, lost(err)
	}
	return raw, resp.Header.Get("Content-Type"), resp.StatusCode, nil
}
