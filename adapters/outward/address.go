package outward

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// address is a URL that is a key: whoever knows it can post to it.
type address struct {
	host  string // with port; this much may be shown
	whole bot.Secret
}

// newAddress reads a URL from the configuration. what names it in errors,
// which never repeat it.
func newAddress(what string, whole bot.Secret) (address, error) {
	if whole.IsZero() {
		return address{}, fmt.Errorf("%s has no address: write it as https://host.example.com/path", what)
	}
	u, err := url.Parse(whole.Reveal())
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return address{}, fmt.Errorf("the address of %s is not a URL with a host: write it as https://host.example.com/path", what)
	}
	switch {
	case u.Scheme == "http" && !httpx.Loopback(whole.Reveal()):
		return address{}, fmt.Errorf("the address of %s at %s is not encrypted: it has to begin with https://", what, u.Host)
	case u.User != nil:
		return address{}, fmt.Errorf("the address of %s at %s holds a user name: leave it out and use the secret of the configuration", what, u.Host)
	case u.Fragment != "":
		return address{}, fmt.Errorf("the address of %s at %s has a part after \"#\", which would not be sent: leave it out", what, u.Host)
	case strings.HasPrefix(u.EscapedPath(), "//"):
		return address{}, fmt.Errorf("the address of %s has two slashes after the host %s: write one", what, u.Host)
	}
	return address{host: u.Host, whole: whole}, nil
}

// below is the address with a suffix of its path: "/fail".
func (a address) below(suffix string) (address, error) {
	u, err := url.Parse(a.whole.Reveal())
	if err != nil {
		return address{}, errors.New("the address cannot be read")
	}
	a.whole = bot.NewSecret(u.JoinPath(suffix).String())
	return a, nil
}

// target is the URL for a request. The path stands in Opaque, from where it is
// sent as it is, because Path is what the HTTP policy writes into its log.
func (a address) target() *url.URL {
	u, err := url.Parse(a.whole.Reveal())
	if err != nil {
		return &url.URL{} // newAddress read it, and http.Client refuses this
	}
	t := &url.URL{Scheme: u.Scheme, Host: u.Host, Opaque: u.EscapedPath(), RawQuery: u.RawQuery}
	if t.Opaque == "" {
		t.Opaque = "/"
	}
	return t
}

// shortest is the length from which a part of an address counts as a secret:
// shorter ones are words such as "hooks" and numbers.
const shortest = 6

// secrets are the parts of the address that nobody may read.
func (a address) secrets() []bot.Secret {
	u, err := url.Parse(a.whole.Reveal())
	if err != nil {
		return []bot.Secret{a.whole}
	}
	parts := append(strings.Split(u.Path, "/"), u.Path, u.RawQuery)
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	out := []bot.Secret{a.whole}
	for _, p := range parts {
		if len(p) >= shortest {
			out = append(out, bot.NewSecret(p))
		}
	}
	return out
}
