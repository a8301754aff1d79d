package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// SignIn is Keyturn's own sign-in registration at a tenant.
type SignIn struct {
	Credential        // its client ID, with a key pair or by choice a secret
	Redirect   string // Keyturn's address as the registration has it
	// Assertion gives the assertion of a workload identity, in place of a key.
	Assertion func(context.Context) (bot.Secret, error)
}

// visit is how long a sign-in counts at most, which is about what Microsoft's
// tokens last by themselves.
const visit = 90 * time.Minute

// doors keep what Microsoft's metadata said of each tenant.
type doors struct {
	mu        sync.Mutex
	providers map[string]*oidc.Provider
}

// Address is Microsoft's sign-in page for one sign-in. The account is always
// chosen by the person: nobody is signed in without noticing.
func (c *Client) Address(id bot.TenantID, r bot.SignInRequest) (string, error) {
	t, f := c.tenant(id, bot.Login)
	if f != nil {
		return "", f
	}
	if t.SignIn.ClientID == "" || t.SignIn.Redirect == "" {
		return "", noDoor(id)
	}
	u, err := httpx.Target(c.cfg.LoginURL, "/"+t.Directory+"/oauth2/v2.0/authorize")
	if err != nil {
		return "", mine(bot.Login, "Nobody can sign in: "+err.Error()+".", "This is a fault in Keyturn's configuration; an operator has to mend it.")
	}
	q := url.Values{"client_id": {t.SignIn.ClientID}, "response_type": {"code"}, "response_mode": {"query"}, "redirect_uri": {t.SignIn.Redirect},
		"scope": {c.signInScope()}, "state": {r.State}, "nonce": {r.Nonce}, "code_challenge": {r.Challenge}, "code_challenge_method": {"S256"}, "prompt": {"select_account"}, "claims": {capable(r.Claims)}}
	if r.Account != "" {
		q.Set("login_hint", r.Account)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// signInScope asks for what the registration lists and the tenant agreed to,
// and for no token that outlives the visit.
func (c *Client) signInScope() string { return "openid profile " + c.cfg.Scope }

func noDoor(id bot.TenantID) *bot.Failure {
	return mine(bot.Login, "Keyturn's configuration names no sign-in registration for the tenant "+string(id)+".", "An operator has to complete sign_in; `keyturn check` says what is missing.")
}

// Issuer is what Microsoft calls itself for a tenant.
func (c *Client) Issuer(id bot.TenantID) string {
	return strings.TrimRight(c.cfg.LoginURL, "/") + "/" + c.cfg.Tenants[id].Directory + "/v2.0"
}

// Explain says what the error means that Microsoft's page sent a browser back
// with.
func (c *Client) Explain(code, description string) *bot.Failure {
	e := signInError{Error: code, Description: description}
	f := judgeSignIn(e, http.StatusBadRequest)
	if n := e.number(); code == "access_denied" && (n == 0 || n == declined) {
		f.Says = "You chose Cancel, or did not accept what Microsoft's page asked for."
		f.Fix = "Sign in again and accept, if that was a mistake. Where you may not accept, an Entra admin has to consent for the organisation, once."
	}
	f.System, f.Code = bot.Login, httpx.Plain(code, 60)
	if m := aadsts.FindString(description); m != "" {
		f.Code = m
	}
	f.Says, f.Fix = httpx.Plain(f.Says, 400), httpx.Plain(f.Fix, 300)
	return &f
}

// Redeem exchanges the code of a sign-in for a token, and reads from the ID
// token that came with it who signed in: it is signed by the tenant that was
// asked, for this registration and this one sign-in.
func (c *Client) Redeem(ctx context.Context, id bot.TenantID, code bot.SignInCode) (bot.SignedIn, error) {
	t, f := c.tenant(id, bot.Login)
	if f != nil {
		return bot.SignedIn{}, f
	}
	path := "/" + t.Directory + "/oauth2/v2.0/token"
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {t.SignIn.ClientID}, "code": {code.Code.Reveal()},
		"redirect_uri": {t.SignIn.Redirect}, "code_verifier": {code.Verifier.Reveal()}, "scope": {c.signInScope()}, "claims": {capable(code.Claims)}}
	if err := c.prove(ctx, t, path, form); err != nil {
		return bot.SignedIn{}, asFailure(bot.Login, err)
	}
	reply, f := c.signIn(ctx, http.MethodPost, path, form, "")
	if f != nil {
		httpx.ScrubFailure(f, code.Code, code.Verifier)
		return bot.SignedIn{}, f
	}
	token, err := httpx.ParseToken(reply.Body, c.cfg.Now())
	if err != nil {
		return bot.SignedIn{}, oddToken(reply)
	}
	in, f := c.who(ctx, t, reply, code.Nonce)
	if f != nil {
		return bot.SignedIn{}, f
	}
	in.Token, in.Until = token.Value, token.Expires
	// Microsoft gives clients that can answer a challenge tokens for up to 28 hours.
	if most := c.cfg.Now().Add(visit); in.Until.After(most) {
		in.Until = most
	}
	return in, nil
}

// prove adds the registration's own credential.
func (c *Client) prove(ctx context.Context, t tenant, path string, form url.Values) error {
	switch cred := t.SignIn.Credential; {
	case t.SignIn.Assertion != nil:
		a, err := t.SignIn.Assertion(ctx)
		if err != nil {
			return err
		}
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", a.Reveal())
	case !cred.Key.IsZero():
		a, err := c.assert(path, cred)
		if err != nil {
			return err
		}
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", a)
	case !cred.Secret.IsZero():
		form.Set("client_secret", cred.Secret.Reveal())
	default:
		return noDoor(t.id)
	}
	return nil
}

// idClaims is what an ID token says of a person.
type idClaims struct {
	Tenant  string   `json:"tid"`
	Object  string   `json:"oid"`
	Account string   `json:"preferred_username"`
	Roles   []string `json:"wids"`
}

// everyone is in the wids of every member of a tenant: with it a token tells
// roles, without it it may not.
const everyone = "b79fbf4d-3ef9-4689-8143-76b194e85509"

func (c *Client) who(ctx context.Context, t tenant, reply httpx.Reply, nonce string) (bot.SignedIn, *bot.Failure) {
	refused := func(why string) *bot.Failure {
		return &bot.Failure{Kind: bot.KindSignIn, System: bot.Login, Says: "The sign-in was not accepted: " + why + ".",
			Fix: "Sign in again; if it stays, an owner of Keyturn has to look at the sign-in registration."}
	}
	var answer struct {
		ID string `json:"id_token"`
	}
	if json.Unmarshal(reply.Body, &answer) != nil || answer.ID == "" {
		return bot.SignedIn{}, refused("Microsoft did not say who signed in")
	}
	provider, f := c.provider(ctx, t)
	if f != nil {
		return bot.SignedIn{}, f
	}
	ctx = oidc.ClientContext(ctx, c.cfg.HTTP)
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: t.SignIn.ClientID, Now: c.cfg.Now}).Verify(ctx, answer.ID)
	if err != nil {
		return bot.SignedIn{}, refused("its proof of who signed in does not hold")
	}
	var claims idClaims
	if id.Claims(&claims) != nil || claims.Object == "" || claims.Account == "" {
		return bot.SignedIn{}, refused("Microsoft did not say who signed in")
	}
	switch {
	case nonce == "" || id.Nonce != nonce:
		return bot.SignedIn{}, refused("it belongs to another sign-in")
	case !strings.EqualFold(claims.Tenant, t.Directory):
		return bot.SignedIn{}, refused("the account is of another organisation")
	}
	in := bot.SignedIn{Account: httpx.Plain(claims.Account, 200), Object: claims.Object}
	for _, r := range claims.Roles {
		if in.Known = true; r != everyone {
			in.Roles = append(in.Roles, r)
		}
	}
	return in, nil
}

// provider is Microsoft's metadata for a tenant, read once. Its keys are
// fetched again when a token names one that is not known.
func (c *Client) provider(ctx context.Context, t tenant) (*oidc.Provider, *bot.Failure) {
	issuer := c.Issuer(t.id)
	c.doors.mu.Lock()
	defer c.doors.mu.Unlock()
	if p := c.doors.providers[issuer]; p != nil {
		return p, nil
	}
	if _, err := httpx.Target(c.cfg.LoginURL, "/"); err != nil {
		return nil, mine(bot.Login, "Nobody can sign in: "+err.Error()+".", "An operator has to mend the address in Keyturn's configuration.")
	}
	// The client outlives this call: the provider uses it for its keys.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), c.cfg.HTTP), issuer)
	if err != nil {
		return nil, &bot.Failure{Kind: bot.KindUnreachable, System: bot.Login, Err: err, Says: "Microsoft's sign-in metadata cannot be read at the moment.",
			Fix: "Sign in again in a minute; if it stays, check the network of Keyturn's server."}
	}
	if c.doors.providers == nil {
		c.doors.providers = map[string]*oidc.Provider{}
	}
	c.doors.providers[issuer] = p
	return p, nil
}
