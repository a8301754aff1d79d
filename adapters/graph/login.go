package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// Assertion in a form's client_assertion is replaced by a fresh assertion of
// the call's identity.
const Assertion = "{{assertion}}"

// login makes a token proof, or reads a public document of the sign-in
// service. A token never leaves this function.
func (c *Client) login(ctx context.Context, t tenant, call bot.Call, by bot.CallIdentity) (bot.Answer, *bot.Failure) {
	retry := httpx.Retry{Wait: c.cfg.Wait, Rand: c.cfg.Rand}
	for {
		a, f := c.loginOnce(ctx, call, by)
		if f == nil || !retry.Again(ctx, f, call.Lag && replicating(f)) {
			return a, f
		}
	}
}

func (c *Client) loginOnce(ctx context.Context, call bot.Call, by bot.CallIdentity) (bot.Answer, *bot.Failure) {
	form := url.Values{}
	for k, v := range call.Form {
		form.Set(k, v)
	}
	switch call.Method {
	case http.MethodGet:
		if len(form) > 0 {
			return bot.Answer{}, mine(bot.Login, "The call to Microsoft sign-in was not made: a read has no form.", "This is a fault in Keyturn; report it.")
		}
	case http.MethodPost:
		if f := c.fillAssertion(call, form, by); f != nil {
			return bot.Answer{}, f
		}
	default:
		return bot.Answer{}, mine(bot.Login, "The call to Microsoft sign-in was not made: it is neither a read nor a form.", "This is a fault in Keyturn; report it.")
	}
	reply, f := c.signIn(ctx, call.Method, call.Path, form, by.RequestID)
	if f != nil {
		return bot.Answer{}, f
	}
	a := bot.Answer{Status: reply.Status, RequestID: httpx.RequestID(reply.Header)}
	route, _, _ := strings.Cut(call.Path, "?")
	if call.Method == http.MethodPost && strings.HasSuffix(route, "/token") {
		if a.Body = proof(reply, c); a.Body == nil {
			return bot.Answer{}, oddToken(reply)
		}
		return a, nil
	}
	body, ok := reply.JSON()
	if !ok || reply.Empty() {
		return bot.Answer{}, oddPage(reply)
	}
	a.Body = body
	return a, nil
}

func (c *Client) fillAssertion(call bot.Call, form url.Values, by bot.CallIdentity) *bot.Failure {
	if form.Get("client_assertion") != Assertion {
		return nil
	}
	cred := Credential{ClientID: form.Get("client_id"), Key: by.Key, Cert: by.Cert}
	if cred.ClientID == "" {
		cred.ClientID = by.ClientID
		form.Set("client_id", cred.ClientID)
	}
	if form.Get("client_assertion_type") == "" {
		form.Set("client_assertion_type", assertionType)
	}
	signed, err := c.assert(call.Path, cred)
	if err != nil {
		return asFailure(bot.Login, err)
	}
	form.Set("client_assertion", signed)
	return nil
}

// proof is what is said of a token that was issued: its type and life time.
// It is nil where the answer holds no token.
func proof(reply httpx.Reply, c *Client) json.RawMessage {
	now := c.cfg.Now()
	token, err := httpx.ParseToken(reply.Body, now)
	if err != nil {
		return nil
	}
	b, err := json.Marshal(struct {
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
	}{token.Type, int(token.Expires.Sub(now).Seconds())})
	if err != nil {
		return nil
	}
	return b
}

func oddPage(reply httpx.Reply) *bot.Failure {
	return &bot.Failure{Kind: bot.KindMalformed, System: bot.Login, Status: reply.Status, RequestID: httpx.RequestID(reply.Header),
		Says: "Microsoft sign-in answered with something that cannot be read.",
		Fix:  "Check the sign-in address in Keyturn's configuration, and whether a proxy changes the answers."}
}

// lookup answers a DNS probe: which addresses a name has.
func (c *Client) lookup(ctx context.Context, call bot.Call) (bot.Answer, *bot.Failure) {
	name := strings.TrimPrefix(call.Path, "/")
	if c.cfg.Resolver == nil || !httpx.HostName(strings.TrimSuffix(name, ".")) {
		return bot.Answer{}, mine(bot.DNS, "The look-up was not made: "+httpx.Plain(name, 80)+" is no host name, or no resolver is configured.", "This is a fault in Keyturn; report it.")
	}
	retry := httpx.Retry{Wait: c.cfg.Wait, Rand: c.cfg.Rand}
	for {
		addrs, err := c.cfg.Resolver.LookupHost(ctx, name)
		if err == nil {
			body, err := json.Marshal(struct {
				Addresses []string `json:"addresses"`
			}{addrs})
			if err != nil {
				return bot.Answer{}, mine(bot.DNS, "The addresses cannot be written down.", "Report this to whoever maintains Keyturn.")
			}
			return bot.Answer{Status: http.StatusOK, Body: body}, nil
		}
		f := lookupFailure(name, err)
		if !retry.Again(ctx, f, false) {
			return bot.Answer{}, f
		}
	}
}

func lookupFailure(name string, err error) *bot.Failure {
	var d *net.DNSError
	if errors.As(err, &d) && d.IsNotFound {
		return &bot.Failure{Kind: bot.KindNotFound, System: bot.DNS, Status: http.StatusNotFound, Code: "NXDOMAIN", Err: err,
			Says: "The host name " + name + " does not exist.", Fix: "If it used to, the service behind it has been shut down."}
	}
	return &bot.Failure{Kind: bot.KindUnreachable, System: bot.DNS, Err: err,
		Says: "The DNS server did not answer, so nothing is known about " + name + ".",
		Fix:  "It is tried again; if it stays, check the DNS of Keyturn's server."}
}
