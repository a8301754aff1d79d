package main

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"keyturn/bot/setup"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
)

// newSecret makes a client secret in the portal, as an admin does. Its value stays
// with them.
func (h *house) newSecret(app, name string) (id, end, value string) {
	h.Helper()
	var made struct {
		ID    string `json:"keyId"`
		End   string `json:"endDateTime"`
		Value string `json:"secretText"`
	}
	h.graph("POST", "/graph/v1.0/applications(appId='"+app+"')/addPassword", map[string]any{"passwordCredential": map[string]string{"displayName": name}}, &made)
	return made.ID, made.End[:len("2006-01-02")], made.Value
}

// described is the description that a card asks a secret to have.
func described(c play.Card) string {
	return regexp.MustCompile(`keyturn-run-[a-z0-9]+`).FindString(c.Text)
}

// secretsOf are the IDs of a registration's secrets.
func (h *house) secretsOf(app string) (ids []string) {
	h.Helper()
	var has struct {
		Secrets []struct {
			ID string `json:"keyId"`
		} `json:"passwordCredentials"`
	}
	h.graph("GET", "/graph/v1.0/applications(appId='"+app+"')?$select=passwordCredentials", nil, &has)
	for _, s := range has.Secrets {
		ids = append(ids, s.ID)
	}
	return ids
}

// cancels has the newest run end, and what it made stay.
func (h *house) cancels(who play.Person) {
	h.Helper()
	h.idle()
	h.types(who, "/keyturn cancel")
	h.clicks(who, "Cancel the run", "")
	h.idle()
}

// Nothing is called at either system: the admins make the new secret, type it over
// the old one, and delete the old one, each at their own screen.
func TestWhereNothingIsCalledAClientSecretIsReplacedByHand(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl to run the script with")
	}
	h := open(t, withoutCalls("entra", "servicenow"))
	made, err := h.world.Microsoft.Register(microsoft.App{Name: "ServiceNow M365 support integration (" + play.Instance + ")"})
	if err != nil {
		t.Fatal(err)
	}
	app := made.AppID
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "I did it by hand", "preflight")
	h.clicks(play.Sam, "I did it by hand", "preflight")
	h.submits(play.Sam, map[string]any{"app.version": "2"})
	h.everybodyUntilStep(play.Erin, "I did it by hand", "entra-app")
	h.clicks(play.Erin, "I did it by hand", "entra-app")
	h.submits(play.Erin, map[string]any{"entra.client_id": app})
	h.expectCard(play.Erin, "Client secret for ServiceNow", "New client secret", "Bring back its Secret ID")
	old, until, first := h.newSecret(app, "by hand")
	h.clicks(play.Erin, "I did it by hand", "entra-secret")
	h.submits(play.Erin, map[string]any{"entra.secret.key_id": old, "entra.secret.until": until})
	h.expectCard(play.Sam, "OAuth provider in Application Registry", "New > Connect to a third party OAuth Provider", "the Entra admin types the value of the secret below", "The secret's description: keyturn-run-")
	h.cancels(play.Rita)

	h.fromNow()
	h.types(play.Omar, "/keyturn inventory replace "+old)
	h.submits(play.Omar, nil)
	h.expectCard(play.Erin, "What is replaced", "open “ServiceNow M365 support integration")
	h.clicks(play.Erin, "I did it by hand", "rotate-look")
	h.submits(play.Erin, map[string]any{"entra.client_id": app})
	h.expectCard(play.Erin, "Replace a secret or a key", "Client secret for ServiceNow", "New client secret", "Do NOT paste the value into a chat")
	fresh, later, second := h.newSecret(app, "by hand, the second")
	h.clicks(play.Erin, "I did it by hand", "entra-secret")
	h.submitsInVain(play.Erin, map[string]any{"entra.secret.key_id": strings.ToUpper(old), "entra.secret.until": later}, "entra.secret.key_id", "That is the secret that is replaced")
	h.submits(play.Erin, map[string]any{"entra.secret.key_id": fresh, "entra.secret.until": later})
	card := h.expectCard(play.Sam, "Replace a secret or a key", "OAuth provider in Application Registry", "Open the entry “Microsoft 365 support integration (outbound)”. Do not make another one", "the old secret stays valid until the new one is proved")
	if strings.Contains(card.Text, "further secret") || strings.Contains(card.Text, "New > Connect") {
		t.Errorf("the card asks for another entry, or for another secret:\n%s", card.Text)
	}
	h.clicks(play.Sam, "I did it by hand", "sn-oauth") // no form: the entry and its profile stay
	h.expectCard(play.Sam, "ServiceNow signs in with the new secret", "Get OAuth Token")
	h.clicks(play.Sam, "I did it by hand", "rotate-use")
	h.expectCard(play.Erin, "Remove the old one", "What is to be removed, where it is still there", "removePassword")
	h.clicks(play.Erin, "Give me the script", "rotate-remove")
	h.runs(h.expectPrivate(play.Erin, "The same calls as a script", old))
	h.clicks(play.Erin, "I did it by hand", "rotate-remove")
	h.expectCard(play.Omar, "✅ finished")

	for _, step := range []string{"rotate-look", "entra-secret", "sn-oauth", "rotate-use", "rotate-remove"} {
		if s := h.steps()[step]; s != setup.Confirmed { // nothing was read back, and nothing is called proved
			t.Errorf("the step %s ended as %v", step, s)
		}
	}
	if left := h.secretsOf(app); len(left) != 1 || left[0] != fresh {
		t.Errorf("the registration has the secrets %v, want %s alone", left, fresh)
	}
	if now := h.inventory("secret"); len(now) != 1 || now[0].ID != fresh || now[0].Expires.IsZero() {
		t.Errorf("the inventory has %+v", now)
	}
	h.halt()
	for _, value := range []string{first, second} {
		if strings.Contains(h.log.String()+h.story.String(), value) {
			t.Error("a value of a secret was said or logged")
		}
	}
	h.start()
}

// Only ServiceNow is closed. A secret that was made and sealed here could go
// nowhere, so the Entra admin makes it, and Entra says that it is there.
func TestWhereServiceNowIsNotCalledAClientSecretIsReplacedByHand(t *testing.T) {
	h := open(t, withoutCalls("servicenow"))
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "I did it by hand", "preflight")
	h.clicks(play.Sam, "I did it by hand", "preflight")
	h.submits(play.Sam, map[string]any{"app.version": "2"})
	h.everybodyUntilStep(play.Erin, "I did it, check", "entra-secret")
	name := described(h.expectCard(play.Erin, "Client secret for ServiceNow", "New client secret, with the description below", "I read from Entra when it ends"))
	app := h.oneRegistration().AppID
	if left := h.secretsOf(app); len(left) != 0 {
		t.Fatalf("secrets were made that can go nowhere: %v", left)
	}
	h.clicks(play.Erin, "I did it, check", "entra-secret")
	h.expectCard(play.Erin, "The registration has no secret called keyturn-", "Make one with exactly this description")
	old, _, _ := h.newSecret(app, name)
	h.clicks(play.Erin, "I fixed it, check", "entra-secret")
	h.expectThread(play.Ops, "✅", "Client secret for ServiceNow", "made by hand: its value is not with me")
	h.cancels(play.Rita)

	h.fromNow()
	h.types(play.Omar, "/keyturn inventory replace "+old)
	h.submits(play.Omar, nil)
	name = described(h.expectCard(play.Erin, "Replace a secret or a key", "Client secret for ServiceNow", "New client secret, with the description below"))
	fresh, _, _ := h.newSecret(app, name)
	h.clicks(play.Erin, "I did it, check", "entra-secret")
	h.expectCard(play.Sam, "Replace a secret or a key", "OAuth provider in Application Registry", "Do not make another one")
	h.clicks(play.Sam, "I did it by hand", "sn-oauth")
	h.expectCard(play.Sam, "ServiceNow signs in with the new secret")
	h.clicks(play.Sam, "I did it by hand", "rotate-use")
	h.expectCard(play.Erin, "Remove the old one", "Approve and run")
	h.clicks(play.Erin, "Approve and run", "rotate-remove")
	h.expectCard(play.Omar, "✅ finished")
	h.idle()
	if left := h.secretsOf(app); len(left) != 1 || left[0] != fresh {
		t.Errorf("the registration has the secrets %v, want %s alone", left, fresh)
	}
	if now := h.inventory("secret"); len(now) != 1 || now[0].ID != fresh || now[0].Expires.IsZero() {
		t.Errorf("the inventory has %+v", now)
	}
	if s := h.steps(); s["entra-secret"] != setup.Done || s["sn-oauth"] != setup.Confirmed || s["rotate-remove"] != setup.Done {
		t.Errorf("the steps ended as %v", s)
	}
}

// The secret of Keyturn's own sign-in at ServiceNow was made here and is shown to
// nobody: where nothing is called there it cannot be replaced, and that is said.
func TestWhereServiceNowIsNotCalledItsOwnEntryStays(t *testing.T) {
	h := open(t)
	h.finishes("direct")
	h.idle()
	own := h.inventory("oauth_entity")
	if len(own) != 1 {
		t.Fatalf("the inventory has %+v", own)
	}
	h.halt()
	h.conf = strings.Replace(h.conf, "  sign_in: {", "  sign_in: {servicenow: none, ", 1)
	h.start()
	h.types(play.Omar, "/keyturn inventory")
	if card := h.expectPrivate(play.Omar, own[0].Name, "its secret does not end by itself"); strings.Contains(card.Text, "[Replace "+own[0].Name) {
		t.Errorf("a button offers what cannot be done:\n%s", card.Text)
	}
	h.types(play.Omar, "/keyturn inventory replace "+own[0].ID)
	h.expectPrivate(play.Omar, "I call nothing at ServiceNow here, so I cannot put a new secret there", "While an operator sets sign_in to delegated for ServiceNow, I can", "delete the entry there")
}
