package servicenow

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/sim"
)

func TestLeftoversAndBackToBefore(t *testing.T) {
	b := open(t, func(c *Config) {
		c.World = ShutDown
		c.Users = append(people()[:3:3], User{Name: "ian", Roles: []string{"itil"}}, User{Name: "nina"})
		c.Clients = c.Clients[1:]
	})
	before := b.Inventory()
	if err := b.Leftovers(Leftover{ClientID: entraApp, Viewers: []string{"ian", "nina"}}); err != nil {
		t.Fatal(err)
	}
	inv := b.Inventory()
	want := []string{"name=M365 Support Prod OAuth type=oauth_provider client_id=" + entraApp +
		" token_url=https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/token default_grant_type=client_credentials active=true sys_scope=Global"}
	if diff := cmp.Diff(want, missingFrom(before["registry"], inv["registry"])); diff != "" {
		t.Errorf("registry (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"name=oauth_entity access=public read_access=true ws_access=true", "name=oauth_entity_profile access=public read_access=true ws_access=true"},
		missingFrom(before["tables"], inv["tables"])); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	s := b.as("sana")
	if got := s.holders(roleView); got != "ian, nina" {
		t.Errorf("insights_user is held by %s", got)
	}
	if got := s.holders(roleManage); got != "old.manager" {
		t.Errorf("administrator is held by %s", got)
	}
	entity := s.one("oauth_entity", "client_id="+entraApp)
	if entity["sys_created_by"] != "old.admin" || entity["sys_created_on"] != "2022-03-14 09:26:53" {
		t.Errorf("made by %v on %v", entity["sys_created_by"], entity["sys_created_on"])
	}
	if s.one("oauth_entity_profile", "oauth_entity="+entity["sys_id"].(string))["default"] != "true" {
		t.Error("no default profile")
	}
	if at := b.Setup(); at.Step != "done" {
		t.Errorf("the old wizard stands at %q", at.Step)
	}
	if err := b.Leftovers(Leftover{}); err == nil {
		t.Error("the same leftovers twice")
	}

	// Cleaning up by API and by hand leads back to where it began.
	s.call("DELETE", "/api/now/table/oauth_entity/"+entity["sys_id"].(string), nil)
	for _, table := range []string{"oauth_entity", "oauth_entity_profile"} {
		id := s.one("sys_db_object", "name="+table)["sys_id"].(string)
		s.call("PATCH", "/api/now/table/sys_db_object/"+id, object{"read_access": "false"})
	}
	b.browse("sana").post("/sys_store_app.do", "action", "uninstall", "scope", appScope)
	for _, name := range []string{"old.manager", "m365.integration"} {
		id := s.one("sys_user", "user_name="+name)["sys_id"].(string)
		s.call("DELETE", "/api/now/table/sys_user/"+id, nil)
	}
	if diff := cmp.Diff(before, b.Inventory()); diff != "" {
		t.Errorf("after the cleanup (-before +after):\n%s", diff)
	}
}

// missingFrom returns the lines of b that a does not have.
func missingFrom(a, b []string) []string {
	had := map[string]bool{}
	for _, l := range a {
		had[l] = true
	}
	var out []string
	for _, l := range b {
		if !had[l] {
			out = append(out, l)
		}
	}
	return out
}

func TestTheControlsOverHTTP(t *testing.T) {
	b := open(t, nil)
	outside := session{b, ""}
	ok := func(path string, body any) {
		t.Helper()
		if a := outside.call("POST", "/_sim/"+path, body); a.Status != 200 {
			t.Errorf("%s: %d %s", path, a.Status, a.Text)
		}
	}
	ok("modes", object{"secretWrite": "garbled", "mandatory": []string{"category"}})
	ok("modes", object{"singleForbidden": true})
	if m := b.Modes(); m.SecretWrite != SecretGarbled || !m.SingleForbidden || len(m.Mandatory) != 1 {
		t.Errorf("modes %+v; what a call leaves out must stay", m)
	}
	ok("world", object{"world": "shutdown"})
	ok("app", object{"version": "2.0.0"})
	ok("outbound", object{"host": "login.microsoftonline.com", "base": "http://127.0.0.1:1/login"})
	ok("rate-limit", object{"perHour": 100})
	ok("user", User{Name: "new", Roles: []string{"itil"}})
	ok("client", Client{Name: "c", ID: "c", Secret: "control-client-secret"})
	ok("grant", object{"user": "new", "role": roleView, "held": true})
	ok("pick", object{"user": "sana", "scope": appScope})
	_, r := b.as("new").sent(object{"category": "software"})
	ok("incident", object{"number": r["number"], "user": "new", "values": object{"state": "2"}})
	ok("close", object{"number": r["number"], "user": "new", "notes": "done"})
	ok("leftovers", Leftover{Secret: "left-over-secret"})
	ok("fault", sim.Fault{Path: "/api/now/**", Status: 503, Times: 1})
	if a := b.as("new").get("/api/now/table/incident"); a.Status != 503 {
		t.Errorf("the scripted fault answered %d", a.Status)
	}
	ok("fault", sim.Fault{Path: "/api/now/**", Status: 503})
	ok("clear-faults", object{})

	for path, body := range map[string]any{
		"modes": object{"secretWrite": "lost"}, "world": object{"world": "moon"}, "grant": object{"user": "nobody", "role": "itil", "held": true},
		"user": object{"nmae": "typo"}, "pick": object{"user": "sana", "scope": "nowhere"}, "fault": object{"status": 500}, "client": object{"id": "c"},
	} {
		if a := outside.call("POST", "/_sim/"+path, body); a.Status != http.StatusBadRequest || a.json(t)["error"] == "" {
			t.Errorf("%s took %v: %d", path, body, a.Status)
		}
	}

	var st State
	a := outside.get("/_sim/state")
	if err := json.Unmarshal([]byte(a.Text), &st); err != nil {
		t.Fatal(err)
	}
	if st.World != ShutDown || st.App != "2.0.0" || st.Setup.Step != "done" || len(st.Incidents) != 1 || st.Incidents[0]["state"] != "Closed" || st.Tokens == 0 {
		t.Errorf("state %+v", st)
	}
	for _, secret := range []string{botSecret, "control-client-secret", "left-over-secret", "machine-pass"} {
		for _, path := range []string{"/_sim/state", "/_sim/inventory", "/_sim/journal"} {
			if strings.Contains(outside.get(path).Text, secret) {
				t.Errorf("%s shows a secret", path)
			}
		}
	}
}

func TestTheJournalTellsWhoDidWhatAndNoSecret(t *testing.T) {
	c := newCloud(t)
	c.know("ContosoRepo")
	b := readyFor(t, c, nil)
	p := b.browse("sana")
	walk1(t, b, p)
	p.post(setupPath, "step", "complete", "action", "next")
	token := b.as("ian").token
	p.open("/oauth_revoke_token.do?token=" + token)
	b.as("sana").get("/api/now/table/oauth_entity?sysparm_query=client_secret=" + botSecret)
	b.tokenFor(map[string][]string{"grant_type": {"client_credentials"}, "client_id": {"bot"}, "client_secret": {botSecret}})

	calls, _ := b.Journal.Since(0)
	var lines []string
	for _, call := range calls {
		lines = append(lines, call.Who+": "+call.Note)
	}
	all := strings.Join(lines, "\n")
	for _, want := range []string{
		`olga: created oauth_entity "Microsoft 365 support integration (outbound)"`,
		"sana: setup: complete -> done", "instance: outbound call to connector.rave.microsoft.com",
		"client bot: client_credentials", "sana: refused: Insufficient rights to query records",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the journal does not say %q:\n%s", want, all)
		}
	}
	raw, _ := json.Marshal(calls)
	for _, secret := range []string{entraSecret, botSecret, token, "minted"} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("the journal holds the secret %.6s...", secret)
		}
	}
}

func TestADroppedAnswerIsInTheJournal(t *testing.T) {
	b := open(t, nil)
	b.Faults.Add(sim.Fault{Method: "POST", Path: "/api/now/table/incident", Drop: true, After: true, Times: 1})
	s := b.as("ian")
	r, _ := http.NewRequest("POST", b.url+"/api/now/table/incident", strings.NewReader(`{"correlation_id":"EX1"}`))
	r.Header.Set("Authorization", "Bearer "+s.token)
	if res, err := (&http.Client{}).Do(r); err == nil {
		res.Body.Close()
		t.Fatal("the answer arrived")
	}
	if rows := s.find("incident", "correlation_id=EX1"); len(rows) != 1 {
		t.Errorf("%d incidents, want the one whose answer was dropped", len(rows))
	}
	calls, _ := b.Journal.Since(0)
	if first := calls[0]; !strings.Contains(first.Note, "created incident") || !strings.Contains(first.Note, "the answer was dropped") || first.Status != 0 {
		t.Errorf("journal %+v", first)
	}
}

func TestAnInstanceRemembersAcrossARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "servicenow.json")
	b := open(t, func(c *Config) { c.File = file })
	s := b.as("olga")
	id := s.call("POST", createEntity, provider()).row(t)["sys_id"].(string)
	got := b.tokenFor(map[string][]string{"grant_type": {"client_credentials"}, "client_id": {"bot"}, "client_secret": {botSecret}}).json(t)
	if err := b.SetModes(Modes{SingleForbidden: true}); err != nil {
		t.Fatal(err)
	}

	again := open(t, func(c *Config) { c.File = file })
	if again.storedSecret(id) != entraSecret || !again.Modes().SingleForbidden {
		t.Error("the secret or the modes are forgotten")
	}
	if a := (session{again, got["access_token"].(string)}).get("/api/now/table/incident"); a.Status != 200 {
		t.Errorf("the token answers %d after the restart", a.Status)
	}
	if diff := cmp.Diff(b.Inventory(), again.Inventory()); diff != "" {
		t.Error(diff)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{got["access_token"].(string), "open sesame", "machine-pass"} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("the snapshot holds %.6s... in clear", secret)
		}
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{File: file}); err == nil || !strings.Contains(err.Error(), "delete it to start afresh") {
		t.Errorf("a damaged snapshot gives %v", err)
	}
}
