package servicenow

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// source gives the token of one call's identity.
type source struct {
	token func(context.Context) (bot.Secret, error)
	drop  func(refused bot.Secret)
	visit bool // the token is of a person's sign-in: what refuses it says more than that there is no other
}

// source finds who a call is made as: a run's own identity, the approver, or
// the writer of the configuration where the tenant is so configured or nobody can
// sign in.
func (c *Client) source(in instance, as string, by bot.CallIdentity) source {
	switch {
	case as != "":
		return c.app(in, Credential{ClientID: by.ClientID, Secret: by.Secret})
	case c.signsIn(in):
		return source{
			visit: true,
			token: func(ctx context.Context) (bot.Secret, error) {
				return c.cfg.Tokens.Token(ctx, in.id, bot.ServiceNow, by)
			},
			drop: func(refused bot.Secret) {
				if v, ok := c.cfg.Tokens.(Voider); ok {
					v.Void(in.id, bot.ServiceNow, by, refused)
				}
			},
		}
	}
	return c.app(in, in.Writer)
}

// signsIn reports whether an instance's calls are made as those who sign in.
func (c *Client) signsIn(in instance) bool { return c.cfg.Tokens != nil && !in.AsApp }

// app is the source for an OAuth client's own tokens.
func (c *Client) app(in instance, cred Credential) source {
	key := httpx.TokenKey(in.base, cred.ClientID, cred.Secret.Reveal())
	return source{
		token: func(ctx context.Context) (bot.Secret, error) {
			t, err := c.cache.Get(ctx, key, func(ctx context.Context) (httpx.Token, error) {
				return c.fetch(ctx, in, cred)
			})
			return t.Value, err
		},
		drop: func(refused bot.Secret) { c.cache.Drop(key, refused) },
	}
}

func (c *Client) fetch(ctx context.Context, in instance, cred Credential) (httpx.Token, error) {
	if cred.ClientID == "" || cred.Secret.IsZero() {
		return httpx.Token{}, &bot.Failure{Kind: bot.KindSignIn, System: bot.ServiceNow,
			Says: "There is no credential for this call to ServiceNow, so nothing was called.",
			Fix:  "The step that makes the credential has to be done first, or an operator has to enter one in Keyturn's configuration."}
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {cred.ClientID}, "client_secret": {cred.Secret.Reveal()}}
	reply, f := c.askToken(ctx, in, form)
	if f != nil {
		return httpx.Token{}, f
	}
	token, err := httpx.ParseToken(reply.Body, c.cfg.Now())
	if err != nil {
		return httpx.Token{}, oddToken(reply)
	}
	return token, nil
}

// proof asks for a token and tells only that there was one. It changes nothing
// at the instance, so it may be asked of any instance of the configuration.
func (c *Client) proof(ctx context.Context, in instance, call bot.Call, by bot.CallIdentity) (bot.Answer, *bot.Failure) {
	if call.Method != http.MethodPost || len(call.Form) == 0 || len(call.Body) > 0 {
		return bot.Answer{}, mine("The token of ServiceNow was not asked for: its endpoint takes a form.", ourFault)
	}
	form := url.Values{}
	for k, v := range call.Form {
		form.Set(k, v)
	}
	retry := httpx.Retry{Wait: c.cfg.Wait, Rand: c.cfg.Rand}
	for {
		reply, f := c.askToken(ctx, in, form)
		if f == nil {
			return c.proved(reply, by)
		}
		if f.RequestID == "" {
			f.RequestID = by.RequestID
		}
		// A registry entry made moments ago may not be known on every node.
		if !retry.Again(ctx, f, call.Lag && f.Status == http.StatusUnauthorized) {
			return bot.Answer{}, f
		}
	}
}

func (c *Client) proved(reply httpx.Reply, by bot.CallIdentity) (bot.Answer, *bot.Failure) {
	now := c.cfg.Now()
	token, err := httpx.ParseToken(reply.Body, now)
	if err != nil {
		return bot.Answer{}, oddToken(reply)
	}
	body, err := json.Marshal(struct {
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
		Scope   string `json:"scope,omitempty"`
	}{token.Type, int(token.Expires.Sub(now).Seconds()), token.Scope})
	if err != nil {
		return bot.Answer{}, oddToken(reply)
	}
	return bot.Answer{Status: reply.Status, Body: body, RequestID: requestID(reply, by.RequestID)}, nil
}

func (c *Client) askToken(ctx context.Context, in instance, form url.Values) (httpx.Reply, *bot.Failure) {
	target, err := httpx.Target(in.base, tokenPath)
	if err != nil {
		return httpx.Reply{}, mine("The token of ServiceNow was not asked for: "+err.Error()+".", ourFault)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return httpx.Reply{}, mine("The token of ServiceNow was not asked for: its address is not valid.", ourFault)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	reply, err := httpx.Send(c.cfg.HTTP, req)
	if err != nil {
		return reply, httpx.Lost(bot.ServiceNow, false, "", err)
	}
	f := explainToken(reply, c.cfg.Now())
	if f != nil {
		f.RequestID = httpx.RequestID(reply.Header)
		httpx.ScrubFailure(f, httpx.SecretsInForm(form)...)
	}
	return reply, f
}

func oddToken(reply httpx.Reply) *bot.Failure {
	return &bot.Failure{Kind: bot.KindMalformed, System: bot.ServiceNow, Status: reply.Status, RequestID: httpx.RequestID(reply.Header),
		Says: "ServiceNow's token endpoint said yes but sent no token.",
		Fix:  "Check the instance's host in Keyturn's configuration, and whether a sign-in page stands in front of it."}
}

// asFailure keeps a failure and wraps any other error of a token source.
func asFailure(err error) *bot.Failure {
	var f *bot.Failure
	if errors.As(err, &f) {
		return f
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return httpx.Lost(bot.ServiceNow, false, "", err)
	}
	return &bot.Failure{Kind: bot.KindSignIn, System: bot.ServiceNow, Err: err,
		Says: "There is no valid sign-in to ServiceNow for this call, so nothing was called.", Fix: "Sign in again, then repeat it."}
}
