package servicenow

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// tokenPath is the OAuth token endpoint of every instance.
const tokenPath = "/oauth_token.do"

const ourFault = "This is a fault in Keyturn or its configuration; report it."

// Call makes one call to the tenant's instance. It is a [bot.Caller]: its
// errors are *bot.Failure.
func (c *Client) Call(ctx context.Context, id bot.TenantID, call bot.Call, by bot.CallIdentity) (bot.Answer, error) {
	a, f := c.call(ctx, id, call, by)
	if f == nil {
		return a, nil
	}
	// That no token was given says nothing about what the call was to do.
	settled := f.Kind != bot.KindAmbiguous && (f.Kind != bot.KindSignIn || asksToken(call))
	if settled && slices.Contains(call.Fine, f.Status) {
		return bot.Answer{Status: f.Status, Body: json.RawMessage("null"), RequestID: f.RequestID}, nil
	}
	return bot.Answer{}, f
}

func (c *Client) call(ctx context.Context, id bot.TenantID, call bot.Call, by bot.CallIdentity) (bot.Answer, *bot.Failure) {
	if call.System != bot.ServiceNow {
		return bot.Answer{}, mine("A call to "+call.System.Name()+" was given to the connection to ServiceNow.", ourFault)
	}
	in, f := c.instance(id)
	if f != nil {
		return bot.Answer{}, f
	}
	target, err := httpx.Target(in.base, call.Path)
	if err != nil {
		return bot.Answer{}, mine("The call to ServiceNow was not made: "+err.Error()+".", ourFault)
	}
	if asksToken(call) {
		return c.proof(ctx, in, call, by)
	}
	if f := c.mayWrite(in, call, target); f != nil {
		return bot.Answer{}, f
	}
	out, f := compose(call, target, by)
	if f != nil {
		return bot.Answer{}, f
	}
	reply, f := c.exchange(ctx, c.source(in, call.As, by), out)
	if f != nil {
		return bot.Answer{}, f
	}
	body, f := bodyOf(call, reply)
	if f != nil {
		return bot.Answer{}, f
	}
	return bot.Answer{Status: reply.Status, Body: body, RequestID: requestID(reply, by.RequestID)}, nil
}

func asksToken(call bot.Call) bool {
	route, _, _ := strings.Cut(call.Path, "?")
	return strings.EqualFold(route, tokenPath)
}

// unattendedIncident reports whether a call makes or updates an incident as the
// dedicated user: the one thing that Keyturn writes with standing rights.
func unattendedIncident(call bot.Call, target *url.URL) bool {
	if call.As != "unattended" {
		return false
	}
	const table = "/api/now/table/incident"
	record, one := strings.CutPrefix(target.Path, table+"/")
	return call.Method == http.MethodPost && target.Path == table ||
		call.Method == http.MethodPatch && one && record != "" && !strings.Contains(record, "/")
}

// mayWrite holds the rule that nobody's instance is changed without the
// approver's own sign-in, or a credential that the organisation gave for it.
// Identities that a run made read, and write nowhere but in simulators, except
// for incidents of the dedicated user.
func (c *Client) mayWrite(in instance, call bot.Call, target *url.URL) *bot.Failure {
	if unattendedIncident(call, target) {
		return nil
	}
	if !call.Write() || httpx.Loopback(target.String()) || (call.As == "" && (in.Standing || c.signsIn(in))) {
		return nil
	}
	f := &bot.Failure{Kind: bot.KindForeign, System: bot.ServiceNow,
		Says: "Nothing was called: changing " + target.Host + " requires that the approver signs in, and that is not available here.",
		Fix:  "Do this step by hand, or with the script that Keyturn gives, and let Keyturn check it."}
	if call.As != "" {
		f.Says = "Nothing was called: the identity \"" + httpx.Plain(call.As, 40) + "\" may read at " + target.Host + ", but not change anything there."
	}
	return f
}

// outgoing is one request that may be sent several times.
type outgoing struct {
	call      bot.Call
	url       *url.URL
	header    http.Header
	body      []byte
	secrets   []bot.Secret
	requestID string
}

func compose(call bot.Call, target *url.URL, by bot.CallIdentity) (outgoing, *bot.Failure) {
	out := outgoing{call: call, url: target, header: http.Header{}, requestID: by.RequestID, secrets: httpx.SecretsIn(call.Body, nil)}
	for k, v := range call.Header {
		if !mayCarry(k) {
			return outgoing{}, mine("The call to ServiceNow was not made: its plan may not set the header "+httpx.Plain(k, 40)+".", ourFault)
		}
		out.header.Set(k, v)
	}
	if len(call.Form) > 0 || (len(call.Body) > 0 && !json.Valid(call.Body)) {
		return outgoing{}, mine("The call to ServiceNow was not made: its body is not JSON.", ourFault)
	}
	if len(call.Body) > 0 && string(call.Body) != "null" {
		out.body = call.Body
		out.header.Set("Content-Type", "application/json")
	}
	out.header.Set("Accept", "application/json")
	return out, nil
}

// mayCarry reports whether a plan may set a header. Authentication and what
// directs the request are Keyturn's.
func mayCarry(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Proxy-Authorization", "Cookie", "Host", "Content-Length", "Transfer-Encoding",
		"Connection", "Upgrade", "X-Usertoken", "X-Http-Method-Override":
		return false
	}
	return !strings.ContainsAny(name, "\r\n: ")
}

// exchange sends a request with a token, as often as is safe and useful.
func (c *Client) exchange(ctx context.Context, src source, out outgoing) (httpx.Reply, *bot.Failure) {
	retry := httpx.Retry{Wait: c.cfg.Wait, Rand: c.cfg.Rand}
	var refused *bot.Failure
	for {
		reply, token, f := c.attempt(ctx, src, out)
		if f == nil {
			return reply, nil
		}
		if src.visit && refused != nil && token.IsZero() && f.Kind == bot.KindSignIn {
			return reply, refused
		}
		if refused == nil && f.Status == http.StatusUnauthorized && !token.IsZero() {
			refused = f
			src.drop(token)
			continue
		}
		lag := out.call.Lag && f.Status == http.StatusNotFound && !slices.Contains(out.call.Fine, f.Status)
		if !retry.Again(ctx, f, lag) {
			return reply, f
		}
	}
}

func (c *Client) attempt(ctx context.Context, src source, out outgoing) (httpx.Reply, bot.Secret, *bot.Failure) {
	token, err := src.token(ctx)
	if err != nil {
		return httpx.Reply{}, bot.Secret{}, asFailure(err)
	}
	var body io.Reader
	if out.body != nil {
		body = bytes.NewReader(out.body)
	}
	req, err := http.NewRequestWithContext(ctx, out.call.Method, out.url.String(), body)
	if err != nil {
		return httpx.Reply{}, bot.Secret{}, mine("The call to ServiceNow was not made: its method or address is not valid.", ourFault)
	}
	req.Header = out.header.Clone()
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	reply, err := httpx.Send(c.cfg.HTTP, req)
	if err != nil {
		f := httpx.Lost(bot.ServiceNow, out.call.Write(), out.requestID, err)
		f.Status = reply.Status
		return reply, token, f
	}
	f := explain(operationOf(out.call), reply, c.cfg.Now())
	if f != nil {
		f.RequestID = requestID(reply, out.requestID)
		httpx.ScrubFailure(f, append(out.secrets, token)...)
	}
	return reply, token, f
}

// bodyOf takes the JSON of a success.
func bodyOf(call bot.Call, reply httpx.Reply) (json.RawMessage, *bot.Failure) {
	awaited := call.Method == http.MethodGet || len(call.Save)+len(call.Seal) > 0
	body, ok := reply.JSON()
	if ok && !(reply.Empty() && awaited && reply.Status != http.StatusNoContent) {
		return body, nil
	}
	f := &bot.Failure{Kind: bot.KindMalformed, System: bot.ServiceNow, Status: reply.Status,
		Says: "ServiceNow answered with something that cannot be read.",
		Fix:  "Try again in a few minutes; if it stays, a proxy may be changing the answers."}
	if call.Write() {
		f.Kind = bot.KindAmbiguous
		f.Says = "ServiceNow accepted the call, but its answer cannot be read."
		f.Fix = "Keyturn looks what is there before it repeats anything."
	}
	return nil, f
}

// requestID is the instance's own transaction ID where it sends one, and
// otherwise Keyturn's.
func requestID(reply httpx.Reply, ours string) string {
	if id := httpx.RequestID(reply.Header); id != "" {
		return id
	}
	return ours
}
