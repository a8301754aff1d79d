package graph

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestTheClaimsOfAChallengeAreRead(t *testing.T) {
	const want = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	std := base64.StdEncoding.EncodeToString([]byte(want))
	for name, x := range map[string]struct{ challenge, want string }{
		"as Graph sends it":   {`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", claims="` + std + `"`, want},
		"without padding":     {`Bearer error="insufficient_claims",claims="` + strings.TrimRight(std, "=") + `"`, want},
		"with blanks inside":  {`Bearer claims="` + base64.StdEncoding.EncodeToString([]byte("{ \"access_token\" :\n{\"acrs\":{\"essential\":true,\"value\":\"c1\"}}}")) + `"`, want},
		"with more than that": {`Bearer claims="` + base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"acrs":{"essential":true,"value":"c1"}},"evil":"&redirect_uri=x"}`)) + `"`, want},
		"none":                {`Bearer realm="", error="invalid_token"`, ""},
		"no Base64":           {`Bearer claims="{{{"`, ""},
		"no JSON":             {`Bearer claims="` + base64.StdEncoding.EncodeToString([]byte("not json")) + `"`, ""},
		"nothing of a token":  {`Bearer claims="` + base64.StdEncoding.EncodeToString([]byte(`{"userinfo":{}}`)) + `"`, ""},
		"a list":              {`Bearer claims="` + base64.StdEncoding.EncodeToString([]byte(`[1]`)) + `"`, ""},
		"endless":             {`Bearer claims="` + base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"x":"`+strings.Repeat("y", 5000)+`"}}`)) + `"`, ""},
		"another name":        {`Bearer xclaims="` + std + `"`, ""},
	} {
		if got := challenged(x.challenge); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}

// Graph sends challenges only to clients that say that they can answer them.
func TestAChallengeIsAskedForAtEverySignIn(t *testing.T) {
	for wanted, want := range map[string]string{
		"": `{"access_token":{"xms_cc":{"values":["cp1"]}}}`,
		`{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`: `{"access_token":{"acrs":{"essential":true,"value":"c1"},"xms_cc":{"values":["cp1"]}}}`,
		`{"id_token":{"auth_time":{"essential":true}}}`:             `{"access_token":{"xms_cc":{"values":["cp1"]}},"id_token":{"auth_time":{"essential":true}}}`,
	} {
		if got := capable(wanted); got != want {
			t.Errorf("%s: %s", wanted, got)
		}
	}
}
