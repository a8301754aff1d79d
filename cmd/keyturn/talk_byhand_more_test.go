package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"keyturn/bot/setup"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
)

// The address of Microsoft's service needs no sign-in: that it is gone is found
// where nothing is called as somebody too.
func TestWhereNothingIsCalledTheServicesAddressIsLookedUp(t *testing.T) {
	h := open(t, withoutCalls("entra", "servicenow"))
	if err := h.world.Microsoft.SetWorld(microsoft.ShutDown); err != nil {
		t.Fatal(err)
	}
	h.begins("connector", nil)
	h.clicks(play.Rita, "Go on", "before")
	h.expectThread(play.Ops, "connector.rave.microsoft.com has no address any more", "Nothing was written", "guide direct")
	if s := h.steps(); s["preflight"] != setup.Failed {
		t.Errorf("the steps are %v", s)
	}
}

// A person says that the app is not there: the run ends as it does when Keyturn
// reads that.
func TestWhereNothingIsCalledAPersonSaysThatTheAppIsGone(t *testing.T) {
	h := open(t, withoutCalls("entra", "servicenow"))
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "I did it by hand", "preflight")
	h.clicks(play.Sam, "Give me the script", "preflight")
	h.expectPrivate(play.Sam, "The same searches as a script, which changes nothing", "SN_TOKEN", "sys_store_app")
	h.clicks(play.Sam, "I did it by hand", "preflight")
	h.submits(play.Sam, map[string]any{"app.version": "none"})
	h.expectThread(play.Ops, "The app is not on "+play.Instance+", as you say")
}

func TestWhereNothingIsCalledTheReadersKeyIsReplacedByHand(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl to run the script with")
	}
	h := open(t, withoutCalls("entra", "servicenow"))
	app := h.reader()
	old := h.inventory("application")
	if len(old) != 1 || old[0].By == "" || old[0].Expires.IsZero() {
		t.Fatalf("the inventory has %+v", old)
	}
	h.types(play.Omar, "/keyturn inventory replace keyturn-health-reader")
	h.submits(play.Omar, nil)
	h.expectCard(play.Erin, "What is replaced", "open “Keyturn service health reader”")
	h.clicks(play.Erin, "I did it by hand", "rotate-look")
	h.submits(play.Erin, map[string]any{"reader.client_id": app})
	h.expectCard(play.Erin, "Registration for reading service health", "BEGIN CERTIFICATE", "Upload certificate", "Do NOT delete the other certificate yet")
	if strings.Contains(h.cardOf(play.Erin, "reader-app"), "Give me the script") {
		t.Error("a script would replace the whole list of keys")
	}

	// The word alone does not count: the key that was made here has to give a token.
	h.clicks(play.Erin, "I did it by hand", "reader-app")
	card := h.expectCard(play.Erin, "No token was issued for the key that was made here")
	h.uploads(app, card.Text)
	h.clicks(play.Erin, "I did it by hand", "reader-app")
	h.expectCard(play.Erin, "Looked up by me: a token was issued for the key")
	h.expectCard(play.Erin, "Remove the old one", "This one stays")
	h.clicks(play.Erin, "I did it by hand", "rotate-remove")
	h.expectCard(play.Omar, "✅ finished", "Service health is read with the new key")
	if s := h.steps(); s["reader-app"] != setup.Confirmed || s["rotate-reader"] != setup.Done || s["rotate-remove"] != setup.Confirmed {
		t.Errorf("the steps ended as %v", s)
	}
	if now := h.inventory("application"); len(now) != 1 || now[0].Run == old[0].Run || now[0].Expires.Before(old[0].Expires) { // both may end in the same second
		t.Errorf("the inventory has %+v, before %+v", now, old)
	}
}

func TestWhereNothingIsCalledCleanupIsDoneByHand(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl to run the script with")
	}
	h := open(t, withoutCalls("entra", "servicenow"), withLeftovers)
	app := h.reader()
	h.fromNow()
	h.begins("cleanup", nil)
	h.expectCard(play.Rita, "The admins search by hand at Microsoft Graph and ServiceNow")
	h.clicks(play.Rita, "Go on", "before")

	h.expectCard(play.Erin, "Find what is left at Entra", "look for “Keyturn service health reader”", "Redirect URI on "+play.Instance)
	h.clicks(play.Erin, "Give me the script", "discover-entra")
	h.expectPrivate(play.Erin, "The same searches as a script", "GRAPH_TOKEN", "Looks for the health reader by its unique name")
	h.clicks(play.Erin, "I did it by hand", "discover-entra")
	h.submitsInVain(play.Erin, map[string]any{"hand.others": "keyturn"}, "hand.others", "\"keyturn\" is no client ID")
	h.submits(play.Erin, map[string]any{"hand.reader.client_id": app, "hand.others": ""})
	h.expectCard(play.Erin, "What goes and what stays at Entra", app, "found by hand")
	h.clicks(play.Erin, "Choose", "choose-entra")
	h.submits(play.Erin, nil)

	const row = "4f0d8b2ec7a1201072b211d4d8c26010"
	h.expectCard(play.Sam, "Find what is left on the instance", "Copy sys_id")
	h.clicks(play.Sam, "I did it by hand", "discover-servicenow")
	h.submitsInVain(play.Sam, map[string]any{"hand.rows": "incident " + row, "hand.app": "no"}, "hand.rows", "is not a table and a sys_id")
	h.submits(play.Sam, map[string]any{"hand.rows": "oauth_entity " + row, "hand.app": "no"})
	h.expectCard(play.Sam, "What goes and what stays on the instance", "OAuth entry "+row)
	h.clicks(play.Sam, "Choose", "choose-servicenow")
	h.submits(play.Sam, nil)
	h.expectCard(play.Sam, "Remove the OAuth entries", "DELETE", "Give me the script", "I did it by hand")
	h.clicks(play.Sam, "Give me the script", "sn-oauth-remove")
	h.expectPrivate(play.Sam, "curl", "DELETE", "/api/now/table/oauth_entity/"+row)
	h.clicks(play.Sam, "I did it by hand", "sn-oauth-remove")
	h.expectThread(play.Ops, "☑️", "Remove the OAuth entries", "confirmed by Sam Duarte, no check exists")

	h.everybodyUntilStep(play.Erin, "I did it by hand", "entra-apps-remove")
	h.clicks(play.Erin, "Give me the script", "entra-apps-remove")
	h.runs(h.expectPrivate(play.Erin, "The same calls as a script", app))
	h.clicks(play.Erin, "I did it by hand", "entra-apps-remove")
	h.everybodyUntil("✅ finished")
	for _, a := range h.world.Microsoft.Inventory().Apps {
		if a.AppID == app {
			t.Error("the script left the registration")
		}
	}
	if now := h.inventory("application"); len(now) > 0 {
		t.Errorf("the inventory has %+v", now)
	}
	for _, c := range h.served() {
		if strings.HasPrefix(c.Path, "/api/now/") {
			t.Errorf("ServiceNow was called: %s %s", c.Method, c.Path)
		}
	}
}

// A secret that people made by hand is in the inventory, and its end watched.
func TestWhereNothingIsCalledASecretsEndIsKnownAllTheSame(t *testing.T) {
	h := open(t, withoutCalls("entra", "servicenow"))
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "I did it by hand", "preflight")
	h.clicks(play.Sam, "I did it by hand", "preflight")
	h.submits(play.Sam, map[string]any{"app.version": "2"})
	h.everybodyUntilStep(play.Erin, "I did it by hand", "entra-app")
	h.clicks(play.Erin, "I did it by hand", "entra-app")
	h.submits(play.Erin, map[string]any{"entra.client_id": "6d05c93f-1b77-4845-87dd-d4227cc4bcb9"})
	h.expectCard(play.Erin, "Client secret for ServiceNow", "I make none and see none", "What is made by hand is removed by hand", "New client secret", "Do NOT paste the value")
	h.clicks(play.Erin, "I did it by hand", "entra-secret")
	end := h.now().AddDate(0, 6, 0)
	h.submitsInVain(play.Erin, map[string]any{"entra.secret.key_id": "Ab8Q~cDeFgHiJkLmNoPqRsTuVwXyZ0123456789a", "entra.secret.until": end.Format("2006-01-02")}, "entra.secret.key_id", "That looks like a client secret. I have not kept it")
	h.submitsInVain(play.Erin, map[string]any{"entra.secret.key_id": "11111111-1b77-4845-87dd-d4227cc4bcb9", "entra.secret.until": "next spring"}, "entra.secret.until", "Write the day")
	h.submits(play.Erin, map[string]any{"entra.secret.key_id": "11111111-1b77-4845-87dd-d4227cc4bcb9", "entra.secret.until": end.Format("2006-01-02")})
	h.expectThread(play.Ops, "☑️", "Client secret for ServiceNow", "confirmed by Erin Vogel")
	h.types(play.Omar, "/keyturn inventory")
	h.expectPrivate(play.Omar, "secret", "11111111-1b77-4845-87dd-d4227cc4bcb9", "approved by Erin Vogel", "expires")
}

// Where people do it by hand, four eyes are two people all the same.
func TestWhereNothingIsCalledWhoAskedDoesNotSayThatACredentialWasMade(t *testing.T) {
	h := open(t, withoutCalls("entra", "servicenow"), holdsToo(play.Rita, "entra-admin"))
	h.begins("direct", nil)
	h.clicks(play.Rita, "Go on", "before")
	h.clicks(play.Rita, "I did it by hand", "reader-app")
	h.expectPrivate(play.Rita, "somebody else has to say that it was done: Erin Vogel or Emil Sato", "I have marked nothing")
	if s := h.steps(); s["reader-app"] != setup.Planned {
		t.Errorf("the steps are %v", s)
	}
}

// reader is the client ID of the reader, which Erin made by hand.
func (h *house) reader() string {
	h.Helper()
	h.begins("direct", nil)
	h.clicks(play.Rita, "Go on", "before")
	h.expectCard(play.Erin, "Registration for reading service health", "Give me the script")
	h.clicks(play.Erin, "Give me the script", "reader-app")
	h.runs(h.expectPrivate(play.Erin, "The same calls as a script"))
	app := h.registered("keyturn-health-reader")
	h.clicks(play.Erin, "I did it by hand", "reader-app")
	h.submits(play.Erin, map[string]any{"reader.client_id": app})
	h.everybodyUntil("✅ finished")
	return app
}

// cardOf is what a person's newest card with a step says.
func (h *house) cardOf(who play.Person, step string) string {
	h.Helper()
	c, _ := h.button(who, "I did it by hand", step)
	var labels []string
	for _, b := range c.Buttons {
		if aims(b.Value, step) {
			labels = append(labels, b.Label)
		}
	}
	return strings.Join(labels, "\n")
}

// uploads puts the certificate of a card beside the keys of a registration, as
// the portal does.
func (h *house) uploads(app, card string) {
	h.Helper()
	pem := regexp.MustCompile(`(?s)-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----`).FindStringSubmatch(card)
	if pem == nil {
		h.Fatalf("the card has no certificate:\n%s", card)
	}
	var has struct {
		Keys []any `json:"keyCredentials"`
	}
	h.graph("GET", "/graph/v1.0/applications(appId='"+app+"')?$select=keyCredentials", nil, &has)
	if len(has.Keys) != 1 {
		h.Fatalf("the registration has %d keys", len(has.Keys))
	}
	has.Keys = append(has.Keys, map[string]any{"type": "AsymmetricX509Cert", "usage": "Verify", "displayName": "by hand", "key": strings.Join(strings.Fields(pem[1]), "")})
	h.graph("PATCH", "/graph/v1.0/applications(appId='"+app+"')", has, nil)
}

// graph asks Graph as an administrator's own shell does.
func (h *house) graph(method, path string, body, into any) {
	h.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		h.Fatal(err)
	}
	req, err := http.NewRequestWithContext(h.Context(), method, h.world.MicrosoftURL+path, bytes.NewReader(raw))
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.token())
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode > 299 {
		h.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, answer, err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			h.Fatal(err)
		}
	}
}
