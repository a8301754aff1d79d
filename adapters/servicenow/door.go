package servicenow

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// SignIn is Keyturn's own sign-in client in an instance's Application Registry.
type SignIn struct {
	Credential
	Redirect string // Keyturn's address as the entry has it
}

func (c *Client) door(id bot.TenantID) (instance, *bot.Failure) {
	in, f := c.instance(id)
	if f == nil && (in.SignIn.ClientID == "" || in.SignIn.Redirect == "") {
		f = mine("Keyturn's configuration names no sign-in client for the instance of "+string(id)+".", "An operator has to complete sign_in; `keyturn check` says what is missing.")
	}
	return in, f
}

// Address is the instance's page where a person allows Keyturn to act for them.
func (c *Client) Address(id bot.TenantID, r bot.SignInRequest) (string, error) {
	in, f := c.door(id)
	if f != nil {
		return "", f
	}
	u, err := httpx.Target(in.base, "/oauth_auth.do")
	if err != nil {
		return "", mine("Nobody can sign in: "+err.Error()+".", ourFault)
	}
	u.RawQuery = url.Values{"client_id": {in.SignIn.ClientID}, "response_type": {"code"}, "redirect_uri": {in.SignIn.Redirect},
		"state": {r.State}, "code_challenge": {r.Challenge}, "code_challenge_method": {"S256"}}.Encode()
	return u.String(), nil
}

// Issuer is nothing: an instance's page does not say who it is. Keyturn's
// address at each instance has the tenant's name in it instead, so that an
// answer of one instance cannot be taken for that of another.
func (c *Client) Issuer(bot.TenantID) string { return "" }

// Explain says what the error means that the instance sent a browser back with.
func (c *Client) Explain(code, description string) *bot.Failure {
	f := &bot.Failure{Kind: bot.KindSignIn, System: bot.ServiceNow, Code: httpx.Plain(code, 60), Says: "ServiceNow did not let you in.", Fix: "Sign in again; if it stays, ask a ServiceNow admin to look at Keyturn's entry in Application Registry."}
	if code == "access_denied" {
		f.Says, f.Fix = "You chose Deny, or the instance did not allow it.", "Sign in again and choose Allow, if that was a mistake."
	}
	if d := httpx.Plain(description, 160); d != "" && !strings.EqualFold(d, code) {
		f.Says += " It says: " + d + "."
	}
	return f
}

// whoAmI asks for the row of the account that the token belongs to.
const whoAmI = "/api/now/table/sys_user?sysparm_query=sys_id%3Djavascript%3Ags.getUserID()&sysparm_fields=sys_id,user_name&sysparm_limit=2"

// Redeem exchanges the code of a sign-in for a token, and asks the instance
// with that token whose it is.
func (c *Client) Redeem(ctx context.Context, id bot.TenantID, code bot.SignInCode) (bot.SignedIn, error) {
	in, f := c.door(id)
	if f != nil {
		return bot.SignedIn{}, f
	}
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {in.SignIn.ClientID}, "code": {code.Code.Reveal()},
		"redirect_uri": {in.SignIn.Redirect}, "code_verifier": {code.Verifier.Reveal()}}
	if !in.SignIn.Secret.IsZero() {
		form.Set("client_secret", in.SignIn.Secret.Reveal())
	}
	reply, f := c.askToken(ctx, in, form)
	if f != nil {
		httpx.ScrubFailure(f, code.Code, code.Verifier)
		return bot.SignedIn{}, f
	}
	token, err := httpx.ParseToken(reply.Body, c.cfg.Now())
	if err != nil {
		return bot.SignedIn{}, oddToken(reply)
	}
	me, f := c.me(ctx, in, token.Value)
	if f != nil {
		return bot.SignedIn{}, f
	}
	me.Token, me.Until = token.Value, token.Expires
	return me, nil
}

// me is the one account that a token belongs to. An instance may ignore a part
// of a query, so more rows than one prove nothing.
func (c *Client) me(ctx context.Context, in instance, token bot.Secret) (bot.SignedIn, *bot.Failure) {
	target, err := httpx.Target(in.base, whoAmI)
	if err != nil {
		return bot.SignedIn{}, mine("The sign-in could not be finished: "+err.Error()+".", ourFault)
	}
	call := bot.Call{System: bot.ServiceNow, Method: http.MethodGet, Path: whoAmI, What: "Reads whose sign-in it is"}
	out := outgoing{call: call, url: target, header: http.Header{"Accept": {"application/json"}}}
	src := source{token: func(context.Context) (bot.Secret, error) { return token, nil }, drop: func(bot.Secret) {}}
	reply, f := c.exchange(ctx, src, out)
	if f != nil {
		return bot.SignedIn{}, f
	}
	var w struct {
		Result []struct {
			ID   string `json:"sys_id"`
			Name string `json:"user_name"`
		} `json:"result"`
	}
	if json.Unmarshal(reply.Body, &w) != nil || len(w.Result) != 1 || w.Result[0].ID == "" || w.Result[0].Name == "" {
		return bot.SignedIn{}, &bot.Failure{Kind: bot.KindSignIn, System: bot.ServiceNow, Says: "ServiceNow did not say whose sign-in it was, so it was dropped.",
			Fix: "A ServiceNow admin has to let the account read its own row of sys_user, and scripts in queries be evaluated."}
	}
	return bot.SignedIn{Account: httpx.Plain(w.Result[0].Name, 100), Object: w.Result[0].ID}, nil
}
