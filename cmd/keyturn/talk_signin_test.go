package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/sim/play"
)

// Everybody signs in with their own admin account, and the calls run as those:
// Keyturn itself can write nothing there.
func TestASetupInWhichEverybodySignsIn(t *testing.T) {
	h := open(t, withSignIn)
	h.finishes("direct")
	signedIn := map[string]bool{}
	for _, e := range h.trail() {
		switch e.Act {
		case "sign-in":
			signedIn[e.Account] = true
		case "call":
			if e.Account != play.Erin.UPN && e.Account != play.Sam.Now {
				t.Errorf("a call of %s ran as %q", e.Person, e.Account)
			}
			if e.Call.System == bot.Graph && e.Person != bot.PersonID(play.Erin.Entra) {
				t.Errorf("a call to Graph was approved by %s", e.Person)
			}
		}
	}
	for _, account := range []string{play.Erin.UPN, play.Sam.Now, play.Priya.UPN} {
		if !signedIn[account] {
			t.Errorf("%s did not sign in; those who did: %v", account, signedIn)
		}
	}
	h.read(func(v engine.View) error {
		kept, err := v.Records("session", "contoso")
		for _, r := range kept {
			t.Errorf("the sign-in %s is still kept after the run", r.Key)
		}
		return err
	})
	for _, a := range h.world.Microsoft.Inventory().Assignments {
		if !strings.HasSuffix(a.Permission, ".Read.All") {
			t.Errorf("a registration holds %s with nobody signed in", a.Permission)
		}
	}
	if got := h.world.ServiceNow.Standing(); slices.ContainsFunc(got, func(r string) bool { return !strings.HasPrefix(r, "sn_incident_") }) {
		t.Errorf("in ServiceNow a client holds %v with nobody signed in", got)
	}
	b, err := os.ReadFile(h.data)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{"the store": b, "the log": []byte(h.log.String()), "the transcript": []byte(h.story.String())} {
		for _, secret := range []string{"eyJhbGciOi", "BEGIN PRIVATE KEY", play.SignInNowSecret} { // every token of Entra begins like that
			if bytes.Contains(in, []byte(secret)) {
				t.Errorf("%s holds %s", name, secret)
			}
		}
	}
}
