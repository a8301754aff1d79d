package main

import (
	"slices"
	"strings"
	"testing"

	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// A tenant where Keyturn calls nothing as somebody: people do the steps with
// their own accounts, and their word is what counts.

func withoutCalls(systems ...string) option {
	return func(s *setting) {
		for _, system := range systems {
			reword("  sign_in: {", "  sign_in: {"+system+": none, ")(s)
		}
	}
}

// steps are the states of the newest run's steps.
func (h *house) steps() (out map[string]setup.StepState) {
	h.Helper()
	h.read(func(v engine.View) error {
		runs, err := v.Runs("contoso")
		if err != nil || len(runs) == 0 {
			return err
		}
		out = map[string]setup.StepState{}
		for _, s := range runs[len(runs)-1].Steps {
			out[string(s.ID)] = s.State
		}
		return nil
	})
	return out
}

func TestWhereNothingIsCalledTheScriptIsRunByHand(t *testing.T) {
	h := open(t, withoutCalls("entra", "servicenow"))
	h.fromNow()
	h.types(play.Rita, "/keyturn setup direct")
	h.submits(play.Rita, map[string]any{"channel": play.Incidents})
	h.clicks(play.Rita, "Go on", "before")
	byHand := func(who play.Person, step string, words ...string) {
		t.Helper()
		h.until("the step "+step+" to be done by hand", func(s *slack.State) bool {
			text, buttons := h.section(s, who, step)
			return slices.Contains(buttons, "I did it by hand") && !slices.Contains(buttons, "Approve and run") && containsAll(text, words)
		})
	}
	byHand(play.Erin, "reader-app", "Keyturn calls nothing at Microsoft Graph here, because the configuration says so", "nothing is read back", "What is to be made, where nothing of it exists yet", "Makes the registration")
	b := h.copyOf(play.Erin)
	if _, ok := b.Has("Approve and run", "reader-app"); ok {
		t.Error("the calls can be approved")
	}
	h.clicks(play.Erin, "Give me the script", "reader-app")
	h.runs(h.expectPrivate(play.Erin, "The same calls as a script"))
	h.clicks(play.Erin, "I did it by hand", "reader-app")
	h.submitsInVain(play.Erin, map[string]any{"reader.client_id": "keyturn-health-reader"}, "reader.client_id", "That is no client ID")
	app := h.registered("keyturn-health-reader")
	h.submits(play.Erin, map[string]any{"reader.client_id": app})
	h.expectThread(play.Ops, "☑️", "Registration for reading service health", "confirmed by Erin Vogel, no check exists")
	h.everybodyUntil("✅ finished")
	if s := h.steps(); s["reader-app"] != setup.Confirmed || s["reader-consent"] != setup.Done || s["sn-unattended"] != setup.NotNeeded {
		t.Errorf("the steps ended as %v", s)
	}
	if len(h.inventory("application")) != 1 {
		t.Errorf("the inventory has %+v", h.inventory("application"))
	}
	for _, c := range h.served() {
		if strings.HasPrefix(c.Path, "/api/now/") {
			t.Errorf("ServiceNow was called: %s %s", c.Method, c.Path)
		}
	}
	for _, e := range h.audit() {
		if e.Act == "call" || e.Act == "approve" || e.Act == "proved" && e.Step != "reader-consent" {
			t.Errorf("the trail has %s of %s: %s", e.Act, e.Step, e.Note)
		}
	}
}

// Only ServiceNow is closed: Entra's steps run, and ServiceNow's are done by
// hand with what they need from them.
func TestWhereServiceNowIsNotCalledItsStepsAreDoneByHand(t *testing.T) {
	h := open(t, withoutCalls("servicenow"))
	h.crew.Leave("sn-scope") // nobody has opened the tables: they only said so
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "I did it by hand", "preflight")
	h.expectCard(play.Sam, "nothing is read back but what needs nobody's rights", "Looked up by me: connector.rave.microsoft.com has an address", "tab Installed")
	h.clicks(play.Sam, "I did it by hand", "preflight")
	h.submits(play.Sam, map[string]any{"app.version": "2"})
	h.expectThread(play.Ops, "☑️", "Whether the app and its service still exist", "confirmed by Sam Duarte, no check exists")
	h.everybodyUntilStep(play.Erin, "I did it, check", "entra-secret") // sealed here it could go nowhere
	h.newSecret(h.oneRegistration().AppID, described(h.expectCard(play.Erin, "New client secret, with the description below")))
	h.clicks(play.Erin, "I did it, check", "entra-secret")
	h.everybodyUntilStep(play.Sam, "I did it by hand", "sn-crossscope")
	h.clicks(play.Sam, "I did it by hand", "sn-crossscope")
	h.everybodyUntilStep(play.Sam, "I did it by hand", "sn-oauth")
	h.expectCard(play.Sam, "OAuth provider in Application Registry", "Client ID: "+h.oneRegistration().AppID, "types the value of the secret below")
	h.clicks(play.Sam, "I did it by hand", "sn-oauth")
	h.submitsInVain(play.Sam, map[string]any{"sn.oauth_profile_name": " "}, "sn.oauth_profile_name", "needed by a later step")
	h.submits(play.Sam, map[string]any{"sn.oauth_profile_name": "M365 connector default_profile"})
	h.expectThread(play.Ops, "☑️", "OAuth provider in Application Registry", "confirmed by Sam Duarte")
	h.everybodyUntilStep(play.Sam, "Say what Setup shows", "sn-scope")
	if s := h.steps(); s["entra-app"] != setup.Done || s["entra-secret"] != setup.Done || s["sn-oauth"] != setup.Confirmed || s["sn-crossscope"] != setup.Confirmed {
		t.Errorf("the steps are %v", s)
	}
	for _, c := range h.served() {
		if strings.HasPrefix(c.Path, "/api/now/") {
			t.Errorf("ServiceNow was called: %s %s", c.Method, c.Path)
		}
	}
}
