package main

import (
	"slices"
	"strings"
	"testing"

	"keyturn/bot/setup"
	"keyturn/sim"
	"keyturn/sim/play"
)

// permission is the least delegated permission that a call to Graph takes, as
// Microsoft's reference has it; "" is a call that is made with the health reader's.
func permission(t *testing.T, c sim.Call) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(c.Path, "/graph/v1.0"), "?")
	switch {
	case strings.HasPrefix(path, "/admin/serviceAnnouncement/"):
		return ""
	case strings.HasPrefix(path, "/policies/"):
		return "Policy.Read.All"
	case strings.HasPrefix(path, "/applications"), strings.HasPrefix(path, "/servicePrincipals"):
		if c.Write {
			return "Application.ReadWrite.All"
		}
		return "Application.Read.All"
	}
	t.Errorf("nothing says which permission %s %s takes: is it asked for?", c.Method, path)
	return ""
}

// The registration that people sign in with asks for what the guides call, and for
// nothing besides: the simulated Entra gives tokens for exactly these permissions,
// and refuses what they do not cover.
func TestEveryPermissionThatIsAskedForIsUsed(t *testing.T) {
	h := open(t, withSignIn)
	h.finishes("connector")
	used := map[string]string{}
	for _, c := range h.served() {
		if strings.HasPrefix(c.Path, "/graph/") && c.Status < 400 {
			used[permission(t, c)] = c.Method + " " + c.Path
		}
	}
	var asked []string
	for _, p := range setup.SignInPermissions() {
		asked = append(asked, p.Name)
		if used[p.Name] == "" && p.Name != "User.Read" { // with which Microsoft lets people sign in at all
			t.Errorf("%s is asked for (%s), and no call takes it", p.Name, p.Why)
		}
	}
	delete(used, "")
	if slices.Contains(asked, "Application.ReadWrite.All") {
		delete(used, "Application.Read.All") // is in it
	}
	for p, call := range used {
		if !slices.Contains(asked, p) {
			t.Errorf("%s takes %s, which the registration does not ask for", call, p)
		}
	}
	if want := play.SignInScopes(); !slices.Equal(want, asked) {
		t.Errorf("the simulated registration has %v, and the manifest asks for %v", want, asked)
	}
}
