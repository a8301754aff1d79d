package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// ProveRedirect comes to Microsoft's sign-in page like a browser in which nobody
// is signed in, and asks to be signed in without being asked anything. Microsoft
// sends the refusal only to an address that the registration has, so being sent
// there proves it. It reports false where Microsoft shows a page that says
// neither; the first sign-in then tells.
//
// Source: OpenID Connect Core 1.0, 3.1.2.1 (prompt=none) and 3.1.2.6; RFC 6749,
// 4.1.2.1: with a redirect address that does not match, nothing is sent back.
func (c *Client) ProveRedirect(ctx context.Context, id bot.TenantID) (bool, error) {
	t, f := c.tenant(id, bot.Login)
	if f != nil {
		return false, f
	}
	if t.SignIn.ClientID == "" || t.SignIn.Redirect == "" {
		return false, noDoor(id)
	}
	target, err := httpx.Target(c.cfg.LoginURL, "/"+t.Directory+"/oauth2/v2.0/authorize")
	if err != nil {
		return false, mine(bot.Login, "Microsoft sign-in was not asked: "+err.Error()+".", "This is a fault in Keyturn's configuration; an operator has to mend it.")
	}
	target.RawQuery = url.Values{"client_id": {t.SignIn.ClientID}, "response_type": {"code"}, "response_mode": {"query"}, "redirect_uri": {t.SignIn.Redirect},
		"scope": {"openid"}, "state": {"doctor"}, "nonce": {c.cfg.NewID()}, "prompt": {"none"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return false, mine(bot.Login, "Microsoft sign-in was not asked: its address is not valid.", "This is a fault in Keyturn's configuration; an operator has to mend it.")
	}
	req.Header.Set("Accept", "text/html")
	reply, err := httpx.Send(c.cfg.HTTP, req)
	if err != nil {
		return false, httpx.Lost(bot.Login, false, "", err)
	}
	if sentBack(reply, t.SignIn.Redirect) {
		return true, nil
	}
	// Microsoft's page has the number in its words, whatever its status.
	e := signInError{Description: aadsts.FindString(string(reply.Body))}
	known, ok := numbers[e.number()]
	if !ok {
		return false, nil
	}
	known.System, known.Code, known.Status, known.RequestID = bot.Login, e.Description, reply.Status, httpx.RequestID(reply.Header)
	return false, &known
}

// sentBack reports whether an answer leads to an address, with whatever query.
func sentBack(reply httpx.Reply, address string) bool {
	if reply.Moved() == "" {
		return false
	}
	to, err := url.Parse(reply.Header.Get("Location"))
	if err != nil {
		return false
	}
	want, err := url.Parse(address)
	return err == nil && to.Scheme == want.Scheme && strings.EqualFold(to.Host, want.Host) && to.Path == want.Path
}

// Registered is what a directory has of Keyturn's sign-in registration.
type Registered struct {
	Redirects []string // of the platform Web
	Asked     []string // IDs of the delegated permissions of Microsoft Graph that it lists
	Granted   []string // names of those that were consented to for the whole organisation
	Consents  bool     // whether Granted could be read
}

// Registered reads the sign-in registration with its own credential. It reports
// false where the registration may not read itself, which is how it should be:
// nothing in Keyturn needs that right, and only who has it for another reason
// sees more.
func (c *Client) Registered(ctx context.Context, id bot.TenantID) (Registered, bool, error) {
	t, f := c.tenant(id, bot.Graph)
	if f != nil {
		return Registered{}, false, f
	}
	var app struct {
		Web struct {
			Redirects []string `json:"redirectUris"`
		} `json:"web"`
		Access []struct {
			Resource string `json:"resourceAppId"`
			Access   []struct {
				ID   string `json:"id"`
				Type string `json:"type"`
			} `json:"resourceAccess"`
		} `json:"requiredResourceAccess"`
	}
	switch f := c.readAsItself(ctx, t, "/applications(appId='"+t.SignIn.ClientID+"')?$select=web,requiredResourceAccess", &app); {
	case f != nil && f.Kind == bot.KindForbidden:
		return Registered{}, false, nil
	case f != nil:
		return Registered{}, false, f
	}
	out := Registered{Redirects: app.Web.Redirects}
	for _, of := range app.Access {
		for _, a := range of.Access {
			if of.Resource == graphAppID && a.Type == "Scope" {
				out.Asked = append(out.Asked, strings.ToLower(a.ID))
			}
		}
	}
	var sp struct {
		ID string `json:"id"`
	}
	if f := c.readAsItself(ctx, t, "/servicePrincipals(appId='"+t.SignIn.ClientID+"')?$select=id", &sp); f != nil {
		return out, true, nil
	}
	var grants struct {
		Value []struct {
			Consent string `json:"consentType"`
			Scope   string `json:"scope"`
		} `json:"value"`
	}
	if f := c.readAsItself(ctx, t, "/oauth2PermissionGrants?$filter="+url.PathEscape("clientId eq '"+sp.ID+"'"), &grants); f != nil {
		return out, true, nil
	}
	out.Consents = true
	for _, g := range grants.Value {
		if g.Consent == "AllPrincipals" {
			out.Granted = append(out.Granted, strings.Fields(g.Scope)...)
		}
	}
	return out, true, nil
}

// graphAppID is Microsoft Graph as a resource of every tenant.
const graphAppID = "00000003-0000-0000-c000-000000000000"

// readAsItself reads something of Graph as the sign-in registration.
func (c *Client) readAsItself(ctx context.Context, t tenant, path string, into any) *bot.Failure {
	target, err := httpx.Target(c.cfg.GraphURL, path)
	if err != nil {
		return mine(bot.Graph, "Microsoft Graph was not asked: "+err.Error()+".", "This is a fault in Keyturn or its configuration; report it.")
	}
	src := source{name: t.SignIn.ClientID, token: func(ctx context.Context) (httpx.Token, error) { return c.itself(ctx, t) }, drop: func(bot.Secret) {}}
	reply, _, f := c.attempt(ctx, t, src, outgoing{method: http.MethodGet, url: target, path: path, header: http.Header{}, requestID: c.cfg.NewID()})
	if f != nil {
		return f
	}
	if json.Unmarshal(reply.Body, into) != nil {
		return &bot.Failure{Kind: bot.KindMalformed, System: bot.Graph, Status: reply.Status, RequestID: httpx.RequestID(reply.Header),
			Says: "Microsoft Graph answered with something that cannot be read.", Fix: "Try again in a few minutes; if it stays, a proxy may be changing the answers."}
	}
	return nil
}
