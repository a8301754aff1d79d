package main

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
	"keyturn/sim/play"
	"keyturn/sim/servicenow"
)

// shownOnce has Sam be shown the secret, from the button of a step on. It gives
// the secret.
func (h *house) shownOnce(step string) string {
	h.Helper()
	h.expectPage(h.signsIn(play.Sam, "Show me the secret once", step, play.Sam.Now), "Show the secret once", "It stands in the audit trail that you saw it", "Look that nobody reads along")
	at := h.crew.Address(play.Sam)
	said, err := h.crew.Opens(play.Emil, at) // somebody else has the address
	if err != nil {
		h.Fatal(err)
	}
	h.expectPage(said, "This sign-in cannot be used")
	secret, said, err := h.crew.Reveals(play.Sam)
	if err != nil {
		h.Fatal(err)
	}
	h.expectPage(said, "It is not shown again, here or anywhere", "have it replaced")
	if len(secret) < 16 {
		h.fail("the page shows %q", said)
	}
	said, err = h.crew.Opens(play.Sam, at)
	if err != nil || strings.Contains(said, secret) {
		h.Fatalf("the second look shows: %s (%v)", said, err)
	}
	h.expectPage(said, "This sign-in cannot be used")
	h.idle()
	return secret
}

// seenNowhereElse says that a secret was on that page alone.
func (h *house) seenNowhereElse(secret string) {
	h.Helper()
	h.idle()
	file, err := os.ReadFile(h.data)
	if err != nil {
		h.Fatal(err)
	}
	slack, err := json.Marshal(h.world.Slack.Snapshot())
	if err != nil {
		h.Fatal(err)
	}
	trail, err := json.Marshal(h.audit())
	if err != nil {
		h.Fatal(err)
	}
	for name, in := range map[string]string{"the store": string(file), "Slack": string(slack), "the trail": string(trail), "the log": h.log.String(), "the transcript": h.story.String()} {
		if strings.Contains(in, secret) {
			h.Errorf("%s holds the secret", name)
		}
	}
}

// adminHere gives the instance an admin's own client, which Keyturn does not
// know.
func (h *house) adminHere() {
	h.Helper()
	if err := errors.Join(h.world.ServiceNow.AddUser(servicenow.User{Name: "admin.client", Full: "An admin's client", Roles: []string{"admin", "oauth_admin"}, WebServiceOnly: true}),
		h.world.ServiceNow.AddClient(servicenow.Client{Name: "An admin's client", ID: play.ServiceNowClient, Secret: play.ServiceNowSecret, Grant: "client_credentials", User: "admin.client"})); err != nil {
		h.Fatal(err)
	}
}

// entryByHand is what Sam makes in the form: with what they saw.
func (h *house) entryByHand(secret string) {
	h.Helper()
	h.modes(func(m *servicenow.Modes) { m.SecretWrite = servicenow.SecretStored })
	h.adminNow("POST", "/api/now/table/oauth_entity?sysparm_input_display_value=true", map[string]string{"name": "Microsoft 365 support integration", "type": "OAuth Provider",
		"client_id": h.oneRegistration().AppID, "client_secret": secret, "default_grant_type": "Client Credentials", "active": "true", "sys_scope": "global",
		"token_url": "https://login.microsoftonline.com/" + play.Directory + "/oauth2/token", "redirect_url": "https://" + play.Instance + "/oauth_redirect.do"})
}

func TestASecretThatServiceNowRefusesIsShownOnce(t *testing.T) {
	h := open(t, withSignIn, hasty(&pauseLog{}))
	h.adminHere()
	h.modes(func(m *servicenow.Modes) { m.SecretWrite = servicenow.SecretRefused })
	h.begins("connector", nil)
	h.everybodyUntilApprovable(play.Sam, "sn-oauth")
	h.clicks(play.Sam, "Approve and run", "sn-oauth")
	h.expectRefusal(play.Sam, "sn-oauth", "Client Secret can only be set in the form")

	h.in("ten minutes", func() {
		h.expectPage(h.signsIn(play.Sam, "Show me the secret once", "sn-oauth", play.Sam.Now), "Show the secret once")
		h.later(11 * time.Minute)
		secret, said, err := h.crew.Reveals(play.Sam)
		if err != nil || secret != "" {
			h.Fatalf("after eleven minutes the page shows %q (%v)", said, err)
		}
		h.expectPage(said, "This sign-in cannot be used")
	})
	secret := h.shownOnce("sn-oauth")
	h.expectCard(play.Sam, "You saw the client secret once", "[I fixed it, check]", "Replace the secret")
	reveals := 0
	for _, e := range h.trail() {
		if e.Act == "reveal" {
			reveals++
			if e.Person != bot.PersonID(play.Sam.Entra) || e.Account != play.Sam.Now || e.Step != "sn-oauth" {
				t.Errorf("the trail says %+v", e)
			}
		}
	}
	if reveals != 1 {
		t.Errorf("the trail has %d reveals", reveals)
	}

	h.entryByHand(secret)
	h.clicks(play.Sam, "I fixed it, check", "sn-oauth")
	h.expectDone(play.Sam, "OAuth provider in Application Registry", "entry in Global, active")
	h.everybodyUntil("✅ finished")
	h.expectChecklist("Secrets shown to a person: 1", "Replace the secret")
	h.seenNowhereElse(secret)
	h.clicks(play.Omar, "Replace the secret", "")
	h.expectForm(play.Omar, "Replace a credential", setup.SecretName(""))
}

// ServiceNow takes the secret and signs in with another: its own log says so,
// and Sam types in what they are shown.
func TestASecretThatServiceNowGarblesIsShownOnce(t *testing.T) {
	h := open(t, withSignIn, hasty(&pauseLog{}))
	h.adminHere()
	c := h.garbled()
	h.submits(play.Sam, map[string]any{"result": "fine"})
	h.signsIn(play.Sam, "Sign in", "sn-finish", play.Sam.Now)
	h.expectRefusal(play.Sam, "sn-finish", "the secret that ServiceNow stored is not the one Entra issued", "[Show me the secret once] shows it to you alone")
	secret := h.shownOnce("sn-finish")
	h.modes(func(m *servicenow.Modes) { m.SecretWrite = servicenow.SecretStored })
	h.adminNow("PATCH", "/api/now/table/oauth_entity/"+h.provider()["sys_id"]+"?sysparm_input_display_value=true", map[string]any{"client_secret": secret})
	h.later(time.Minute)
	if _, err := h.crew.ByHand(h.Context(), play.Sam, "sn-finish", c); err != nil {
		t.Fatal(err)
	}
	h.clicks(play.Sam, "I fixed it, check", "sn-finish")
	h.expectDone(play.Sam, "Finish the wizard and test", "token request answered 200")
	h.everybodyUntil("✅ finished")
	h.expectChecklist("Secrets shown to a person: 1")
	h.seenNowhereElse(secret)
}
