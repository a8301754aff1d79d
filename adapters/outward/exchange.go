package outward

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// Patience is how long one exchange over HTTP may take, unless the context
// ends earlier.
const Patience = 10 * time.Second

// maxWords is how much of an answer is read to be quoted, in bytes.
const maxWords = 4 << 10

var errHidden = errors.New("the cause is not shown, because it repeats a secret")

// peer is whom an exchange is with.
type peer struct {
	system  bot.System
	name    string // as in a sentence: "the webhook at alerts.example.com"
	http    *http.Client
	now     func() time.Time
	write   bool         // a second try could be noticed
	secrets []bot.Secret // besides the address
}

// never follows no redirect: the configuration says where a secret goes.
func never(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// clientOf is the caller's client, or one of the default policy, that stays
// where it is sent.
func clientOf(c *http.Client) (*http.Client, error) {
	if c == nil {
		var err error
		if c, err = httpx.New(httpx.Config{}); err != nil {
			return nil, err
		}
	}
	own := *c
	own.CheckRedirect = never
	return &own, nil
}

// send makes one exchange and says what its end means.
func (p peer) send(ctx context.Context, method string, to address, header http.Header, body string) *bot.Failure {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://"+to.host, content)
	if err != nil {
		return &bot.Failure{Kind: bot.KindBadRequest, System: p.system, Says: "The request to " + p.name + " could not be made.",
			Fix: "Check its address and method in Keyturn's configuration."}
	}
	req.URL, req.Header = to.target(), header
	secrets := append(to.secrets(), p.secrets...)
	resp, err := p.http.Do(req)
	if err != nil {
		return p.lost(method, to, secrets, err)
	}
	defer resp.Body.Close()
	// With the status the outcome is known; a body that breaks off changes
	// nothing about it.
	words, _ := io.ReadAll(io.LimitReader(resp.Body, maxWords+1))
	f := p.judge(httpx.Reply{Status: resp.StatusCode, Header: resp.Header, Body: words}, secrets)
	if f == nil {
		return nil
	}
	f.System, f.Status = p.system, resp.StatusCode
	if id := httpx.RequestID(resp.Header); !repeats(id, secrets...) {
		f.RequestID = id
	}
	if d, ok := httpx.RetryAfter(resp.Header, p.now()); ok {
		f.RetryAfter = d
	}
	return f
}

// lost says what an exchange without an answer means.
func (p peer) lost(method string, to address, secrets []bot.Secret, err error) *bot.Failure {
	err = httpx.Clean(err)
	bare := &httpx.Error{Outcome: httpx.OutcomeOf(err), Method: method, URL: "https://" + to.host, Err: err}
	var e *httpx.Error
	if errors.As(err, &e) {
		bare.Err = e.Err
	}
	f := httpx.Lost(bot.System(p.name), p.write, "", bare)
	f.System, f.Says = p.system, capital(f.Says)
	if repeats(bare.Err.Error(), secrets...) {
		f.Err = &httpx.Error{Outcome: bare.Outcome, Method: method, URL: bare.URL, Err: errHidden}
	}
	if f.Kind == bot.KindAmbiguous {
		f.Fix = again
	}
	return f
}

// again is what can be done where a note may have arrived.
const again = "Look there before you count on it. A repeat carries the same ID, by which the receiver can tell it."

// judge says what an answer means, and nil for a success.
func (p peer) judge(r httpx.Reply, secrets []bot.Secret) *bot.Failure {
	said := ""
	if len(r.Body) <= maxWords && !r.HTML() {
		said = quoted(string(r.Body), secrets...)
	}
	name := capital(p.name)
	if r.OK() {
		// By its first bytes only: many receivers call their "ok" text/html.
		if (httpx.Reply{Body: r.Body}).HTML() {
			return &bot.Failure{Kind: bot.KindRefused, Says: name + " answered with a web page, as a proxy or a sign-in page does.",
				Fix: "Check the address in Keyturn's configuration, and what stands in between."}
		}
		return nil
	}
	if host := r.Moved(); host != "" {
		if host = httpx.Plain(host, 80); repeats(host, secrets...) {
			host = "another page"
		}
		return &bot.Failure{Kind: bot.KindRefused, Says: name + " did not take it but pointed to " + host + ".",
			Fix: "Enter the address that it points to in Keyturn's configuration, if it is the right one: Keyturn follows none by itself."}
	}
	switch r.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return &bot.Failure{Kind: bot.KindRefused, Says: name + " did not accept the secret, or the address." + said,
			Fix: "Make a new one there and enter it in Keyturn's configuration."}
	case http.StatusNotFound, http.StatusGone:
		return &bot.Failure{Kind: bot.KindRefused, Says: name + " does not know the address any more." + said,
			Fix: "Make a new one there and enter it in Keyturn's configuration."}
	case http.StatusTooManyRequests:
		return &bot.Failure{Kind: bot.KindThrottled, Says: name + " asks to slow down." + said, Fix: "It is tried again by itself."}
	case http.StatusServiceUnavailable, http.StatusRequestTimeout:
		return &bot.Failure{Kind: bot.KindUnreachable, Says: name + " takes nothing at the moment." + said, Fix: "It is tried again by itself."}
	}
	switch {
	case r.Status >= 500 && p.write:
		return &bot.Failure{Kind: bot.KindAmbiguous, Says: name + " failed while it took this, so it may or may not have been passed on." + said, Fix: again}
	case r.Status >= 500:
		return &bot.Failure{Kind: bot.KindUnreachable, Says: name + " has a fault at the moment." + said, Fix: "It is tried again by itself."}
	}
	return &bot.Failure{Kind: bot.KindRefused, Says: name + " refused what Keyturn sent." + said,
		Fix: "Check that the address is one that takes this, and what it expects."}
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
