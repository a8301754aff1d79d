package graph

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// source gives the token of one call's identity.
type source struct {
	name  string // what call budgets are counted under
	token func(context.Context) (httpx.Token, error)
	drop  func(refused bot.Secret)
	visit bool // the token is of a person's sign-in: what refuses it says more than that there is no other
}

// source finds who a call is made as: a run's own identity, the approver, or
// the writer of the configuration where the tenant is so configured or nobody can
// sign in.
func (c *Client) source(t tenant, as string, by bot.CallIdentity) source {
	switch {
	case as != "":
		return c.app(t, Credential{ClientID: by.ClientID, Secret: by.Secret, Key: by.Key, Cert: by.Cert})
	case c.signsIn(t):
		return source{
			visit: true,
			name:  "approver " + string(by.Person),
			token: func(ctx context.Context) (httpx.Token, error) {
				v, err := c.cfg.Tokens.Token(ctx, t.id, bot.Graph, by)
				return httpx.Token{Value: v}, err
			},
			drop: func(refused bot.Secret) {
				if v, ok := c.cfg.Tokens.(Voider); ok {
					v.Void(t.id, bot.Graph, by, refused)
				}
			},
		}
	}
	return c.app(t, t.Writer)
}

// signsIn reports whether a tenant's calls are made as those who sign in.
func (c *Client) signsIn(t tenant) bool { return c.cfg.Tokens != nil && !t.AsApp }

// app is the source for an application's own tokens.
func (c *Client) app(t tenant, cred Credential) source {
	key := httpx.TokenKey(t.Directory, cred.ClientID, cred.Secret.Reveal(), cred.Key.Reveal(), cred.Cert)
	return source{
		name: cred.ClientID,
		token: func(ctx context.Context) (httpx.Token, error) {
			return c.cache.Get(ctx, key, func(ctx context.Context) (httpx.Token, error) {
				return c.fetch(ctx, t, cred)
			})
		},
		drop: func(refused bot.Secret) { c.cache.Drop(key, refused) },
	}
}

// fetch runs the client credentials grant of the Microsoft identity platform,
// v2.0.
func (c *Client) fetch(ctx context.Context, t tenant, cred Credential) (httpx.Token, error) {
	if cred.ClientID == "" || (cred.Secret.IsZero() && cred.Key.IsZero()) {
		return httpx.Token{}, &bot.Failure{Kind: bot.KindSignIn, System: bot.Login,
			Says: "There is no credential for this call, so nothing was called.",
			Fix:  "The step that makes the credential has to be done first, or an operator has to enter one in Keyturn's configuration."}
	}
	path := "/" + t.Directory + "/oauth2/v2.0/token"
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {cred.ClientID}, "scope": {c.cfg.Scope}}
	if cred.Key.IsZero() {
		form.Set("client_secret", cred.Secret.Reveal())
	} else {
		assertion, err := c.assert(path, cred)
		if err != nil {
			return httpx.Token{}, err
		}
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", assertion)
	}
	reply, f := c.signIn(ctx, http.MethodPost, path, form, "")
	if f != nil {
		return httpx.Token{}, f
	}
	token, err := httpx.ParseToken(reply.Body, c.cfg.Now())
	if err != nil {
		return httpx.Token{}, oddToken(reply)
	}
	return token, nil
}

// signIn makes one request to the sign-in service. It changes nothing there,
// so whoever called repeats it like a read.
func (c *Client) signIn(ctx context.Context, method, path string, form url.Values, requestID string) (httpx.Reply, *bot.Failure) {
	target, err := httpx.Target(c.cfg.LoginURL, path)
	if err != nil {
		return httpx.Reply{}, mine(bot.Login, "The call to Microsoft sign-in was not made: "+err.Error()+".", "This is a fault in Keyturn or its configuration; report it.")
	}
	if requestID == "" {
		requestID = c.cfg.NewID()
	}
	var body *strings.Reader
	req, err := http.NewRequestWithContext(ctx, method, target.String(), nil)
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
		req, err = http.NewRequestWithContext(ctx, method, target.String(), body)
	}
	if err != nil {
		return httpx.Reply{}, mine(bot.Login, "The call to Microsoft sign-in was not made: its method or address is not valid.", "This is a fault in Keyturn; report it.")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("client-request-id", httpx.Plain(requestID, 80))
	req.Header.Set("return-client-request-id", "true")
	reply, err := httpx.Send(c.cfg.HTTP, req)
	if err != nil {
		return reply, httpx.Lost(bot.Login, false, requestID, err)
	}
	f := explainSignIn(reply, c.cfg.Now())
	if f == nil {
		return reply, nil
	}
	if f.RequestID == "" {
		f.RequestID = requestID
	}
	httpx.ScrubFailure(f, httpx.SecretsInForm(form)...)
	return reply, f
}

func oddToken(reply httpx.Reply) *bot.Failure {
	return &bot.Failure{Kind: bot.KindMalformed, System: bot.Login, Status: reply.Status, RequestID: httpx.RequestID(reply.Header),
		Says: "Microsoft sign-in said yes but sent no token.",
		Fix:  "Check the sign-in address in Keyturn's configuration, and whether a proxy changes the answers."}
}

// asFailure keeps a failure and wraps any other error of a token source.
func asFailure(system bot.System, err error) *bot.Failure {
	var f *bot.Failure
	if errors.As(err, &f) {
		return f
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return httpx.Lost(system, false, "", err)
	}
	return &bot.Failure{Kind: bot.KindSignIn, System: system, Err: err,
		Says: "There is no valid sign-in for this call, so nothing was called.", Fix: "Sign in again, then repeat it."}
}
