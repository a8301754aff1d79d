package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// Call makes one call to Microsoft Graph, the sign-in service or the DNS. It
// is a [bot.Caller]: its errors are *bot.Failure.
func (c *Client) Call(ctx context.Context, id bot.TenantID, call bot.Call, by bot.CallIdentity) (bot.Answer, error) {
	t, f := c.tenant(id, call.System)
	if f != nil {
		return bot.Answer{}, f
	}
	var a bot.Answer
	switch call.System {
	case bot.Graph:
		a, f = c.graph(ctx, t, call, by)
	case bot.Login:
		a, f = c.login(ctx, t, call, by)
	case bot.DNS:
		a, f = c.lookup(ctx, call)
	default:
		f = mine(call.System, "A call to "+call.System.Name()+" was given to the connection to Microsoft.", "This is a fault in Keyturn; report it.")
	}
	if f == nil {
		return a, nil
	}
	if f.System == call.System && f.Kind != bot.KindAmbiguous && slices.Contains(call.Fine, f.Status) {
		return bot.Answer{Status: f.Status, Body: json.RawMessage("null"), RequestID: f.RequestID}, nil
	}
	return bot.Answer{}, f
}

func (c *Client) graph(ctx context.Context, t tenant, call bot.Call, by bot.CallIdentity) (bot.Answer, *bot.Failure) {
	target, err := httpx.Target(c.cfg.GraphURL, call.Path)
	if err != nil {
		return bot.Answer{}, mine(bot.Graph, "The call to Microsoft Graph was not made: "+err.Error()+".", "This is a fault in Keyturn or its configuration; report it.")
	}
	if f := c.mayWrite(t, call, target); f != nil {
		return bot.Answer{}, f
	}
	out := outgoing{method: call.Method, url: target, path: call.Path, write: call.Write(), lag: call.Lag, fine: call.Fine,
		header: http.Header{}, secrets: httpx.SecretsIn(call.Body, call.Form), requestID: by.RequestID}
	for k, v := range call.Header {
		if !mayCarry(k) {
			return bot.Answer{}, mine(bot.Graph, "The call to Microsoft Graph was not made: its plan may not set the header "+httpx.Plain(k, 40)+".", "This is a fault in Keyturn; report it.")
		}
		out.header.Set(k, v)
	}
	if len(call.Form) > 0 || (len(call.Body) > 0 && !json.Valid(call.Body)) {
		return bot.Answer{}, mine(bot.Graph, "The call to Microsoft Graph was not made: its body is not JSON.", "This is a fault in Keyturn; report it.")
	}
	if len(call.Body) > 0 && string(call.Body) != "null" {
		out.body = call.Body
		out.header.Set("Content-Type", "application/json")
	}
	reply, f := c.exchange(ctx, t, c.source(t, call.As, by), out)
	if f != nil {
		return bot.Answer{}, f
	}
	body, f := c.bodyOf(call, reply)
	if f != nil {
		return bot.Answer{}, f
	}
	return bot.Answer{Status: reply.Status, Body: body, RequestID: httpx.RequestID(reply.Header)}, nil
}

// bodyOf takes the JSON of a success. A read without a body says nothing that
// can be trusted; a write without one may still have done its work.
func (c *Client) bodyOf(call bot.Call, reply httpx.Reply) (json.RawMessage, *bot.Failure) {
	awaited := call.Method == http.MethodGet || len(call.Save)+len(call.Seal) > 0
	body, ok := reply.JSON()
	if ok && !(reply.Empty() && awaited && reply.Status != http.StatusNoContent) {
		return body, nil
	}
	f := &bot.Failure{Kind: bot.KindMalformed, System: bot.Graph, Status: reply.Status, RequestID: httpx.RequestID(reply.Header),
		Says: "Microsoft Graph answered with something that cannot be read.",
		Fix:  "Try again in a few minutes; if it stays, a proxy may be changing the answers."}
	if call.Write() {
		f.Kind = bot.KindAmbiguous
		f.Says = "Microsoft Graph accepted the call, but its answer cannot be read."
		f.Fix = "Keyturn looks what is there before it repeats anything."
	}
	return nil, f
}

// mayWrite holds the rule that nobody's directory is changed without the
// approver's own sign-in, or a credential that the organisation gave for it.
// Identities that a run made read, and write nowhere but in simulators.
func (c *Client) mayWrite(t tenant, call bot.Call, target *url.URL) *bot.Failure {
	if !call.Write() || httpx.Loopback(target.String()) || (call.As == "" && (t.Standing || c.signsIn(t))) {
		return nil
	}
	f := &bot.Failure{Kind: bot.KindForeign, System: call.System,
		Says: "Nothing was called: changing " + target.Host + " requires that the approver signs in, and that is not available here.",
		Fix:  "Do this step by hand, or with the script that Keyturn gives, and let Keyturn check it."}
	if call.As != "" {
		f.Says = "Nothing was called: the identity \"" + httpx.Plain(call.As, 40) + "\" may read at " + target.Host + ", but not change anything there."
	}
	return f
}

// mayCarry reports whether a plan may set a header. Authentication and what
// directs the request are Keyturn's.
func mayCarry(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Proxy-Authorization", "Cookie", "Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade":
		return false
	}
	return !strings.ContainsAny(name, "\r\n: ")
}

// outgoing is one request that may be sent several times.
type outgoing struct {
	method    string
	url       *url.URL
	path      string // as planned, for sentences
	header    http.Header
	body      []byte
	write     bool
	lag       bool
	fine      []int // statuses that are not waited out as lag
	secrets   []bot.Secret
	requestID string
}

// exchange sends a request with a token, as often as is safe and useful.
func (c *Client) exchange(ctx context.Context, t tenant, src source, out outgoing) (httpx.Reply, *bot.Failure) {
	if out.requestID == "" {
		out.requestID = c.cfg.NewID()
	}
	retry := httpx.Retry{Wait: c.cfg.Wait, Rand: c.cfg.Rand}
	begun := c.cfg.Now()
	var refused *bot.Failure
	for {
		reply, token, f := c.attempt(ctx, t, src, out)
		if f == nil {
			return reply, nil
		}
		if src.visit && refused != nil && token.Value.IsZero() && f.Kind == bot.KindSignIn {
			return reply, refused
		}
		if refused == nil && stale(token, f, begun) {
			refused = f
			src.drop(token.Value)
			continue
		}
		lag := out.lag && replicating(f) && !slices.Contains(out.fine, f.Status)
		if !retry.Again(ctx, f, lag) {
			return reply, f
		}
	}
}

func (c *Client) attempt(ctx context.Context, t tenant, src source, out outgoing) (httpx.Reply, httpx.Token, *bot.Failure) {
	token, err := src.token(ctx)
	if err != nil {
		return httpx.Reply{}, httpx.Token{}, asFailure(bot.Login, err)
	}
	var spent *budget
	if announcement(out.path) {
		spent = c.budget(t.id, src.name)
		if f := spent.take(ctx, c.cfg.Now, c.cfg.Wait); f != nil {
			return httpx.Reply{}, httpx.Token{}, f
		}
	}
	var body io.Reader
	if out.body != nil {
		body = bytes.NewReader(out.body)
	}
	req, err := http.NewRequestWithContext(ctx, out.method, out.url.String(), body)
	if err != nil {
		return httpx.Reply{}, httpx.Token{}, mine(bot.Graph, "The call to Microsoft Graph was not made: its method or address is not valid.", "This is a fault in Keyturn; report it.")
	}
	req.Header = out.header.Clone()
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+token.Value.Reveal())
	req.Header.Set("client-request-id", httpx.Plain(out.requestID, 80))
	req.Header.Set("return-client-request-id", "true")
	req.Header.Set("x-ms-throttle-priority", "high")
	reply, err := httpx.Send(c.cfg.HTTP, req)
	if err != nil {
		f := httpx.Lost(bot.Graph, out.write, out.requestID, err)
		f.Status = reply.Status
		return reply, token, f
	}
	if f := explain(out.operation(), reply, c.cfg.Now()); f != nil {
		if f.RequestID == "" {
			f.RequestID = out.requestID
		}
		httpx.ScrubFailure(f, append(out.secrets, token.Value)...)
		if spent != nil && f.Kind == bot.KindThrottled {
			spent.close(c.cfg.Now().Add(f.RetryAfter))
		}
		return reply, token, f
	}
	return reply, token, nil
}

// stale reports whether a refusal may be due to the token: it is not accepted,
// or it was there before the call began and is older than a right that was
// granted since. Rights appear in new tokens only, and who saw them granted may
// have been another process.
func stale(token httpx.Token, f *bot.Failure, begun time.Time) bool {
	if token.Value.IsZero() {
		return false
	}
	switch f.Status {
	case http.StatusUnauthorized:
		return true
	case http.StatusForbidden:
		return !token.Fetched.IsZero() && token.Fetched.Before(begun)
	}
	return false
}
