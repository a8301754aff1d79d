package graph

import (
	"context"
	"net/http"
	"net/url"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// ProveTenant reads Microsoft's sign-in metadata of a tenant, which proves that
// the directory exists and is the one that the configuration names.
func (c *Client) ProveTenant(ctx context.Context, id bot.TenantID) error {
	t, f := c.tenant(id, bot.Login)
	if f != nil {
		return f
	}
	reply, f := c.signIn(ctx, http.MethodGet, "/"+t.Directory+"/v2.0/.well-known/openid-configuration", nil, "")
	if f != nil {
		return f
	}
	if _, ok := reply.JSON(); !ok || reply.Empty() {
		return oddPage(reply)
	}
	if _, f = c.provider(ctx, t); f != nil {
		return f
	}
	return nil
}

// ProveSignIn gets a token as Keyturn's own sign-in registration, without
// anybody's sign-in. That proves its client ID, its credential and that it is
// in the tenant. Of its redirect address see [Client.ProveRedirect], of its
// permissions [Client.Registered].
func (c *Client) ProveSignIn(ctx context.Context, id bot.TenantID) error {
	t, f := c.tenant(id, bot.Login)
	if f != nil {
		return f
	}
	if t.SignIn.ClientID == "" {
		return noDoor(id)
	}
	_, err := c.itself(ctx, t)
	return err
}

// itself gets a token as the sign-in registration, which is nobody's sign-in.
func (c *Client) itself(ctx context.Context, t tenant) (httpx.Token, error) {
	path := "/" + t.Directory + "/oauth2/v2.0/token"
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {t.SignIn.ClientID}, "scope": {c.cfg.Scope}}
	if err := c.prove(ctx, t, path, form); err != nil {
		return httpx.Token{}, asFailure(bot.Login, err)
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

// ProveWriter gets a token as the application that makes a tenant's calls where
// nobody signs in.
func (c *Client) ProveWriter(ctx context.Context, id bot.TenantID) error {
	t, f := c.tenant(id, bot.Login)
	if f != nil {
		return f
	}
	if _, err := c.app(t, t.Writer).token(ctx); err != nil {
		return asFailure(bot.Login, err)
	}
	return nil
}
