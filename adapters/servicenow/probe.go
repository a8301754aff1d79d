package servicenow

import (
	"context"
	"net/http"
	"net/url"

	"keyturn/bot"
)

// ProveSignIn has Keyturn's sign-in client of an instance refused: it redeems a
// code that nobody was given. An instance that knows the client refuses the
// code, and one that does not refuses the client. It reports false where the
// instance does not say which, as some do; the first sign-in then tells.
func (c *Client) ProveSignIn(ctx context.Context, id bot.TenantID) (bool, error) {
	in, f := c.door(id)
	if f != nil {
		return false, f
	}
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {in.SignIn.ClientID}, "code": {"doctor"}, "redirect_uri": {in.SignIn.Redirect}}
	if !in.SignIn.Secret.IsZero() {
		form.Set("client_secret", in.SignIn.Secret.Reveal())
	}
	_, f = c.askToken(ctx, in, form)
	switch {
	case f == nil:
		return true, nil
	case f.Code == "invalid_client":
		f.Says = "The instance does not know Keyturn's sign-in client, or its secret is another."
		f.Fix = "Compare sign_in.servicenow_client_id and servicenow_secret with the entry in Application Registry, and see that the entry is active."
		return false, f
	case f.Code == "invalid_grant":
		return true, nil
	case f.Kind == bot.KindSignIn && f.Code != "":
		return false, nil
	}
	return false, f
}

// ProveReading gets a token and reads one incident's number with it: as the
// application that makes a tenant's calls, or as the dedicated user where by
// names one.
func (c *Client) ProveReading(ctx context.Context, id bot.TenantID, by bot.CallIdentity) error {
	call := bot.Call{System: bot.ServiceNow, Method: http.MethodGet, Path: "/api/now/table/incident?sysparm_limit=1&sysparm_fields=number", What: "Reads the number of one incident"}
	if by.ClientID != "" {
		call.As = "unattended"
	}
	_, err := c.Call(ctx, id, call, by)
	return err
}
