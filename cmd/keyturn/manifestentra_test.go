package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyturn/sim/play"
)

// The registration that is printed is one that Graph takes, once however often it
// is sent, and one that Keyturn can prove itself with.
func TestThePrintedRegistrationLetsPeopleSignIn(t *testing.T) {
	h := open(t)
	dir := t.TempDir()
	key, err := keyMaker{}.Make("sign-in", "test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert := file("entra.pem", key.Facts["sign-in.cert"])
	conf := "public_url: https://keyturn.contoso.com\n" + publicURL.ReplaceAllString(h.conf, "")
	manifest := func(args ...string) string {
		var out, complaint strings.Builder
		if code := run(t.Context(), append([]string{"manifest", "entra", "--config", file("keyturn.yaml", conf)}, args...), &out, &complaint); code != 0 {
			t.Fatalf("it ends with %d: %s", code, complaint.String())
		}
		return out.String()
	}
	page := manifest("--certificate", cert)
	body := manifest("--certificate", cert, "--body")
	for _, want := range []string{strings.TrimSpace(body), "https://keyturn.contoso.com/signin/entra", "Application.ReadWrite.All", play.Directory + "/adminconsent?client_id=", "platform **Web**", "Upload certificate", "create-if-missing"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if strings.Contains(page+body, "PRIVATE KEY") {
		t.Error("the private key is printed")
	}

	reply, err := http.PostForm(h.world.MicrosoftURL+"/login/"+play.Directory+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {play.GraphClient},
		"client_secret": {play.GraphSecret}, "scope": {"https://graph.microsoft.com/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(reply.Body).Decode(&token); err != nil || token.Access == "" {
		t.Fatalf("no token: %v", err)
	}
	reply.Body.Close()
	call := func(method, path, body string) (int, map[string]any) {
		req, err := http.NewRequest(method, h.world.MicrosoftURL+"/graph/v1.0"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token.Access)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Prefer", "create-if-missing")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		out := map[string]any{}
		_ = json.NewDecoder(resp.Body).Decode(&out) // a 204 has none
		return resp.StatusCode, out
	}
	const app = "/applications(uniqueName='" + signInUnique + "')"
	if status, out := call("PATCH", app, body); status != http.StatusCreated {
		t.Fatalf("Graph answers %d: %v", status, out)
	}
	if status, out := call("PATCH", app, body); status != http.StatusNoContent {
		t.Fatalf("the second time Graph answers %d: %v", status, out)
	}
	_, made := call("GET", app, "")
	id := fmt.Sprint(made["appId"])
	if status, out := call("PATCH", "/servicePrincipals(appId='"+id+"')", `{"displayName": "Keyturn sign-in"}`); status != http.StatusCreated {
		t.Fatalf("Graph answers %d: %v", status, out)
	}
	indented := strings.ReplaceAll(strings.TrimSpace(key.Facts["sign-in.cert"]), "\n", "\n        ")
	d := h.doctor(0, func(conf string) string {
		return strings.Replace("public_url: http://127.0.0.1:1\n"+conf, "  sign_in: {entra_client_id: \""+play.SignInClient+"\", entra_redirect: \""+play.SignInRedirect+"\",",
			"  sign_in:\n      entra: delegated\n      entra_client_id: \""+id+"\"\n      entra_private_key: file:"+file("entra.key", key.Secret.Reveal())+"\n      entra_certificate: |\n        "+indented+"\n  #", 1)
	})
	if !strings.Contains(d.told(fine), "the sign-in registration "+id+": It is in the tenant, and its credential is accepted") {
		t.Errorf("the doctor says:\n%s\n%s", d.told(broken), d.told(fine))
	}
}
