package servicenow_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"keyturn/adapters/servicenow"
	"keyturn/bot"
)

// door is a client whose instance has Keyturn's sign-in entry.
func door(in *instance, secret string) *servicenow.Client {
	return in.client(func(c *servicenow.Config) {
		signIn := servicenow.SignIn{Credential: servicenow.Credential{ClientID: "entry"}, Redirect: "https://keyturn.example.com/signin/servicenow/contoso"}
		if secret != "" {
			signIn.Secret = bot.NewSecret(secret)
		}
		c.Tenants = map[bot.TenantID]servicenow.TenantConfig{"contoso": {Host: "contoso.service-now.com", BaseURL: in.URL, SignIn: signIn}, "bare": {Host: "bare.service-now.com"}}
	})
}

var aCode = bot.SignInCode{Code: bot.NewSecret(canary + "-code"), Verifier: bot.NewSecret(canary + "-verifier"), Nonce: "n-1"}

const sam = `{"result":[{"sys_id":"5137153cc611227c000bbd1bd8cd2005","user_name":"sam.duarte"}]}`

func TestThePageOfAnInstanceIsAskedWithPKCE(t *testing.T) {
	in := newInstance(t, answers(says(200, sam)))
	address, err := door(in, canary).Address("contoso", bot.SignInRequest{State: "s t&te", Nonce: "n", Challenge: "ch", Account: "sam.duarte"})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if !strings.HasPrefix(address, in.URL+"/oauth_auth.do?") || q.Get("state") != "s t&te" || q.Get("code_challenge") != "ch" || q.Get("code_challenge_method") != "S256" ||
		q.Get("response_type") != "code" || q.Get("client_id") != "entry" || q.Get("redirect_uri") != "https://keyturn.example.com/signin/servicenow/contoso" || strings.Contains(address, canary) {
		t.Errorf("the page is %s", address)
	}
	if in.calls() != 0 || in.asks() != 0 {
		t.Error("the instance was asked for it")
	}
	for _, id := range []bot.TenantID{"bare", "fabrikam"} {
		if a, err := door(in, "").Address(id, bot.SignInRequest{State: "s"}); err == nil {
			t.Errorf("%s has the page %s", id, a)
		}
	}
}

func TestASignInAtAnInstanceSaysWhoItIs(t *testing.T) {
	for _, secret := range []string{"", canary + "-entry"} {
		in := newInstance(t, answers(says(200, sam)))
		got, err := door(in, secret).Redeem(t.Context(), "contoso", aCode)
		if err != nil {
			t.Fatal(err)
		}
		if got.Account != "sam.duarte" || got.Object != "5137153cc611227c000bbd1bd8cd2005" || got.Token.Reveal() != canary+"-token-1" || !got.Until.After(in.clock()) {
			t.Errorf("signed in: %+v", got)
		}
		f := in.form(0)
		if f.Get("grant_type") != "authorization_code" || f.Get("code") != canary+"-code" || f.Get("code_verifier") != canary+"-verifier" || f.Get("client_secret") != secret ||
			f.Get("redirect_uri") != "https://keyturn.example.com/signin/servicenow/contoso" {
			t.Errorf("it was redeemed with %v", f)
		}
		if r := in.request(0); r.Header.Get("Authorization") != "Bearer "+canary+"-token-1" || r.URL.Path != "/api/now/table/sys_user" || !strings.Contains(r.URL.RawQuery, "gs.getUserID()") {
			t.Errorf("whose it is was asked with %v at %s", r.Header, r.URL)
		}
	}
}

// Whose sign-in it is counts only where one row says so: an instance that
// cannot evaluate the script gives every row.
func TestASignInOfNobodyIsDropped(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"no row":         says(200, `{"result":[]}`),
		"two rows":       says(200, `{"result":[{"sys_id":"a","user_name":"admin"},{"sys_id":"b","user_name":"sam"}]}`),
		"no ID":          says(200, `{"result":[{"sys_id":"","user_name":"sam"}]}`),
		"no name":        says(200, `{"result":[{"sys_id":"a"}]}`),
		"another shape":  says(200, `{"result":{"sys_id":"a","user_name":"sam"}}`),
		"no JSON":        says(200, `<html>`),
		"may not read":   tableError(403, "Insufficient rights to query records", ""),
		"token refused":  tableError(401, "User Not Authenticated", ""),
		"an error at OK": tableError(200, "Transaction cancelled: maximum execution time exceeded", ""),
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstance(t, answers(answer))
			got, err := door(in, canary).Redeem(t.Context(), "contoso", aCode)
			if err == nil || !got.Token.IsZero() {
				t.Errorf("it was taken: %+v", got)
			}
			failure(t, err)
		})
	}
}

func TestACodeThatAnInstanceRefuses(t *testing.T) {
	for name, x := range map[string]struct {
		answer func(http.ResponseWriter)
		kind   bot.Kind
	}{
		"used or too old":   {says(401, `{"error":"access_denied","error_description":"`+canary+`-code is not valid"}`), bot.KindSignIn},
		"another verifier":  {says(401, `{"error":"invalid_grant","error_description":"`+canary+`-verifier"}`), bot.KindSignIn},
		"no token":          {says(200, `{"token_type":"Bearer"}`), bot.KindMalformed},
		"no JSON":           {says(200, `nothing`), bot.KindMalformed},
		"a sign-in page":    {says(302, "", "Location", "https://sso.contoso.example/login"), bot.KindUnreachable},
		"a connection lost": {hangsUp, bot.KindUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstance(t, answers(says(200, sam)))
			in.script(func() { in.token = answers(x.answer) })
			got, err := door(in, canary).Redeem(t.Context(), "contoso", aCode)
			if f := failure(t, err); f.Kind != x.kind || !got.Token.IsZero() {
				t.Errorf("%+v, %s: %v", got, f.Kind, f)
			}
			if in.calls() != 0 {
				t.Error("a table was read without a token")
			}
		})
	}
}

func TestWhatAnInstancesPageSaysIsExplained(t *testing.T) {
	c := door(newInstance(t, answers(says(200, sam))), "")
	for _, x := range []struct{ code, description, says, fix string }{
		{"access_denied", "", "You chose Deny, or the instance did not allow it.", "choose Allow"},
		{"invalid_request", "code_challenge is required", `It says: code_challenge is required.`, "ask a ServiceNow admin to look at Keyturn's entry"},
		{"server_error", "server_error", "ServiceNow did not let you in.", "Sign in again"},
	} {
		f := failure(t, c.Explain(x.code, x.description))
		if f.Code != x.code || !strings.Contains(f.Says, x.says) || !strings.Contains(f.Fix, x.fix) {
			t.Errorf("%s: %v", x.code, f)
		}
	}
	if f := c.Explain(strings.Repeat("x", 500), "<b>\n@channel"+strings.Repeat("y", 5000)); len(f.Code) > 70 || len(f.Says) > 300 || strings.Contains(f.Says, "\n") {
		t.Errorf("an endless error: %v", f)
	}
}
