package teams

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/infracloudio/msbotbuilder-go/connector/client"
	"github.com/infracloudio/msbotbuilder-go/schema"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

const (
	// callTime is how long one method of the adapter may take in all.
	callTime = 15 * time.Second
	// maxAnswer is the largest answer that is read.
	maxAnswer = 1 << 20
)

// operation is one call to the Bot Connector. As the library's [client.Client]
// it takes what the library prepared, sends it to the address that was made
// with escaped IDs, and keeps the ID that comes back.
type operation struct {
	a      *Adapter
	target *url.URL
	id     string
}

var _ client.Client = (*operation)(nil)

// Post sends an activity.
func (o *operation) Post(ctx context.Context, u url.URL, v schema.Activity) error {
	return o.send(ctx, http.MethodPost, u, v)
}

// Put replaces an activity.
func (o *operation) Put(ctx context.Context, u url.URL, v schema.Activity) error {
	return o.send(ctx, http.MethodPut, u, v)
}

// Delete is not used: the bot takes back nothing that it said.
func (o *operation) Delete(context.Context, url.URL) error {
	return bad("Keyturn deletes no messages.", nil)
}

// Get reads from the operation's address.
func (o *operation) Get(ctx context.Context, u url.URL) (json.RawMessage, error) {
	if u.Host != o.target.Host {
		return nil, bad("The call leaves the Bot Connector.", nil)
	}
	return o.a.exchange(ctx, http.MethodGet, o.target, nil, false)
}

func (o *operation) send(ctx context.Context, method string, u url.URL, v schema.Activity) error {
	if u.Host != o.target.Host {
		return bad("The call leaves the Bot Connector.", nil)
	}
	body, err := prune(v)
	if err != nil {
		return bad("The message cannot be written as JSON.", err)
	}
	answer, err := o.a.exchange(ctx, method, o.target, body, method == http.MethodPost)
	if err != nil {
		return err
	}
	var r struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(answer, &r) // an answer without an ID is the caller's to judge
	o.id = r.ID
	return nil
}

// prune writes an activity without the zero times and empty objects that the
// library's types always have.
func prune(v schema.Activity) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	for name, value := range all {
		switch {
		case name == "relatesTo", name == "suggestedActions", name == "semanticAction", name == "serviceUrl",
			bytes.Equal(value, []byte("{}")), bytes.Equal(value, []byte(`"0001-01-01T00:00:00Z"`)):
			delete(all, name)
		}
	}
	if len(v.Attachments) > 0 { // the library would write < as \u003c
		all["attachments"] = encode(v.Attachments)
	}
	return encode(all), nil
}

// address is a call's address. IDs are escaped whole, so none can climb out of
// its place.
func address(service string, parts ...string) (*url.URL, error) {
	path := "/v3"
	for _, p := range parts {
		if p == "" || p == "." || p == ".." || oddID.MatchString(p) {
			return nil, bad("The place or message has an ID that no call can carry.", nil)
		}
		path += "/" + url.PathEscape(p)
	}
	u, err := url.Parse(strings.TrimRight(service, "/") + path)
	if err != nil {
		return nil, bad("The Bot Connector's address cannot be read.", err)
	}
	return u, nil
}

var oddID = regexp.MustCompile(`[\x00-\x1f\x7f]|^.{500}`)

// exchange makes one call. A token that is not taken is replaced once. effect
// says that the call does something again when it is made again.
func (a *Adapter) exchange(ctx context.Context, method string, target *url.URL, body []byte, effect bool) ([]byte, error) {
	if !a.hosts.allow(target.Scheme + "://" + target.Host + "/") {
		return nil, &bot.Failure{Kind: bot.KindForeign, System: system,
			Says: "Keyturn sends its token only to Microsoft's Bot Connector, and " + httpx.Plain(target.Host, 100) + " is none.",
			Fix:  "If it is, an operator adds the host to the configuration."}
	}
	for again := true; ; again = false {
		token, err := a.tokens.token(ctx)
		if err != nil {
			return nil, err
		}
		answer, err := a.try(ctx, method, target, body, effect, token)
		if f := (*bot.Failure)(nil); again && errors.As(err, &f) && f.Status == http.StatusUnauthorized {
			a.tokens.refused(token)
			continue
		}
		return answer, err
	}
}

func (a *Adapter) try(ctx context.Context, method string, target *url.URL, body []byte, effect bool, token bot.Secret) ([]byte, error) {
	var left atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { left.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, bad("The call to the Bot Connector cannot be made.", nil)
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return nil, lost(err, effect && left.Load())
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if resp.StatusCode/100 != 2 {
		return nil, refusal(resp, answer, a.now())
	}
	if err != nil {
		return nil, lost(err, effect)
	}
	if len(answer) > maxAnswer {
		f := lost(nil, effect)
		f.Says = "The Bot Connector's answer is larger than can be right."
		return nil, f
	}
	return answer, nil
}

// lost is a call without an answer.
func lost(err error, effect bool) *bot.Failure {
	err = httpx.Clean(err)
	f := &bot.Failure{Kind: bot.KindUnreachable, System: system, Err: err, Says: "The Bot Connector could not be reached."}
	var t interface{ Timeout() bool }
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, httpx.ErrTotal) || errors.As(err, &t) && t.Timeout() {
		f.Says = "The Bot Connector did not answer in time."
	}
	if effect {
		f.Kind = bot.KindAmbiguous
		f.Says += " Whether the message was posted is not known."
	}
	return f
}
