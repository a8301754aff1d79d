package servicenow

import (
	"net/http"
	"strings"
	"testing"
)

func TestAHumanMakesTheEntryByHand(t *testing.T) {
	b := open(t, nil)
	p := b.browse("olga")
	if a := p.open("/oauth_entity.do?sys_id=-1"); !strings.Contains(a.Text, `value="oauth_provider" selected`) {
		t.Errorf("a new entry is not proposed as a provider: %s", a.Text)
	}
	a := p.post("/oauth_entity.do?sys_id=-1", "name", "By hand", "client_id", entraApp, "client_secret", entraSecret, "default_grant_type", "client_credentials",
		"token_url", "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/token", "active", "false", "active", "true", "sys_action", "sysverb_insert")
	if a.text("notice") != "Record saved" || strings.Contains(a.Text, entraSecret) {
		t.Fatalf("saved as %d %s", a.Status, a.Text)
	}
	s := b.as("olga")
	row := s.one("oauth_entity", "name=By hand")
	if row["type"] != "oauth_provider" || row["active"] != "true" || b.storedSecret(row["sys_id"].(string)) != entraSecret {
		t.Errorf("stored %v", row)
	}
	if s.one("oauth_entity_profile", "oauth_entity.name=By hand")["grant_type"] != "client_credentials" {
		t.Error("no default profile with the entry's grant type")
	}
	if list := p.open("/oauth_entity_list.do?sysparm_query=nameLIKEhand"); !strings.Contains(list.Text, ">By hand</a>") || strings.Contains(list.Text, "Keyturn service") {
		t.Errorf("the list: %s", list.Text)
	}
	p.post("/oauth_entity.do?sys_id="+row["sys_id"].(string), "sys_action", "sysverb_delete")
	if rows := s.find("oauth_entity", "name=By hand"); len(rows) != 0 {
		t.Error("Delete left the entry")
	}
}

func TestThePagesRefuseThoseWithoutTheRight(t *testing.T) {
	b := open(t, nil)
	s := b.as("sana")
	obj := s.one("sys_db_object", "name=oauth_entity")["sys_id"].(string)
	for _, c := range []struct{ who, path string }{
		{"ian", "/oauth_entity_list.do"}, {"ian", "/syslog_list.do"}, {"ian", "/application_picker.do"},
		{"ian", "/sys_store_app_list.do"}, {"nina", "/incident_list.do"}, {"olga", "/sys_properties_list.do"}, {"olga", setupPath},
	} {
		if a := b.browse(c.who).open(c.path); a.Status != http.StatusForbidden || a.text("error") != "Security constraints prevent access to requested page" {
			t.Errorf("%s at %s: %d", c.who, c.path, a.Status)
		}
	}
	a := b.browse("olga").post("/sys_db_object.do?sys_id="+obj, "read_access", "true", "sys_action", "sysverb_update")
	if a.text("error") != "ACL Exception Update Failed due to security constraints" {
		t.Errorf("a form without the right to write: %d %q", a.Status, a.text("error"))
	}
	if s.one("sys_db_object", "name=oauth_entity")["read_access"] != "false" {
		t.Error("it was written all the same")
	}
	if a := (browser{b, &http.Client{}}).open("/oauth_entity_list.do"); !strings.Contains(a.Text, `id="login"`) {
		t.Errorf("nobody signed in: %d %s", a.Status, a.Text)
	}
	if a := b.browse("keyturn").open("/incident_list.do"); !strings.Contains(a.Text, `id="login"`) {
		t.Error("a web-service-only user is let into the pages")
	}
}

func TestSigningInToThePages(t *testing.T) {
	b := open(t, nil)
	p := b.browse("nobody-at-all")
	a := p.post("/login.do", "user_name", "sana", "user_password", "nope", "to", "/syslog_list.do")
	if a.text("error") != "User name or password invalid" {
		t.Errorf("a wrong password: %q", a.text("error"))
	}
	a = p.post("/login.do", "user_name", "sana", "user_password", "open sesame", "to", "/syslog_list.do")
	if a.Status != 200 || !strings.Contains(a.Text, "Log Entry list") {
		t.Errorf("signed in to %d %s", a.Status, a.Text)
	}
	for _, to := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`} {
		if got := localPath(to); got != "/" {
			t.Errorf("a sign-in leads away to %q", got)
		}
	}
}

func TestTableSettingsByHand(t *testing.T) {
	b := open(t, nil)
	p := b.browse("sana")
	page := p.open("/sys_db_object.do?sysparm_query=name=oauth_entity")
	if !strings.Contains(page.Text, "All application scopes") || !strings.Contains(page.Text, "Can read") {
		t.Fatalf("the page: %s", page.Text)
	}
	id := b.as("sana").one("sys_db_object", "name=oauth_entity")["sys_id"].(string)
	p.post("/sys_db_object.do?sys_id="+id, "access", "public", "read_access", "false", "read_access", "true", "sys_action", "sysverb_update")
	if got := b.as("sana").one("sys_db_object", "name=oauth_entity"); got["read_access"] != "true" || got["sys_updated_by"] != "sana" {
		t.Errorf("stored %v by %v", got["read_access"], got["sys_updated_by"])
	}
}

func TestRolesByHand(t *testing.T) {
	b := open(t, nil)
	p := b.browse("ursula")
	s := b.as("ursula")
	nina := s.one("sys_user", "user_name=nina")["sys_id"].(string)
	role := s.one("sys_user_role", "name="+roleView)["sys_id"].(string)
	next := "/sys_user.do?sys_id=" + nina
	a := p.post("/sys_user_has_role.do?sys_id=-1", "user", nina, "role", role, "next", next, "sys_action", "sysverb_insert")
	if !strings.Contains(a.Text, `<td class="role">`+roleView) {
		t.Errorf("her page does not show the role: %d", a.Status)
	}
	row := s.one("sys_user_has_role", "user.user_name=nina")["sys_id"].(string)
	p.post("/sys_user_has_role.do?sys_id="+row, "next", next, "sys_action", "sysverb_delete")
	if rows := s.find("sys_user_has_role", "user.user_name=nina"); len(rows) != 0 {
		t.Errorf("still %v", rows)
	}
}

func TestAnIncidentByHand(t *testing.T) {
	b := open(t, nil)
	p := b.browse("ian")
	a := p.post("/incident.do?sys_id=-1", "short_description", "<b>printer</b>", "impact", "1", "urgency", "1", "work_notes", "on it", "sys_action", "sysverb_insert")
	if a.text("number") != "INC0010001" || a.text("priority") != "1 - Critical" || strings.Contains(a.Text, "<b>printer") || !strings.Contains(a.text("journal"), "on it") {
		t.Errorf("shown as %s", a.Text)
	}
	id := b.as("ian").one("incident", "")["sys_id"].(string)
	a = p.post("/incident.do?sys_id="+id, "state", "6", "sys_action", "sysverb_update")
	if !strings.HasPrefix(a.text("error"), "Data Policy Exception: The following fields are mandatory") {
		t.Errorf("resolving without a code: %q", a.text("error"))
	}
}

func TestLogsAreReadByPeopleEvenWhenProtected(t *testing.T) {
	b := open(t, func(c *Config) { c.ProtectedLogs = true })
	r, _ := http.NewRequest(http.MethodGet, b.url+"/api/now/table/incident", nil)
	r.SetBasicAuth("sana", "x")
	b.do(r, http.DefaultClient)
	r.SetBasicAuth("sana", "open sesame")
	b.do(r, http.DefaultClient)
	a := b.browse("sana").open("/syslog_list.do?sysparm_query=sourceLIKEBasicAuth")
	if !strings.Contains(a.Text, "denied basic-auth API call for interactive-login user [sana]") {
		t.Errorf("the log page: %s", a.Text)
	}
}

func TestTheAppIsRemovedAndInstalledByHand(t *testing.T) {
	b := open(t, nil)
	before := b.Inventory()
	p := b.browse("sana")
	p.post("/application_picker.do", "scope", appSysID)
	a := p.post("/sys_store_app.do", "scope", appScope, "action", "uninstall")
	if !strings.Contains(a.Text, "No applications installed") || a.text("current_application") != "Global" {
		t.Fatalf("after removing it: %s", a.Text)
	}
	s := b.as("sana")
	if left := append(s.find("sys_user_role", "nameSTARTSWITHx_mioms"), s.find("sys_scope", "scope="+appScope)...); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if rows := s.find("sys_user_has_role", "role.nameSTARTSWITHx_mioms"); len(rows) != 0 {
		t.Errorf("still handed out: %v", rows)
	}
	if a := p.open(setupPath); a.Status != http.StatusNotFound {
		t.Errorf("its wizard answers %d", a.Status)
	}
	p.post("/sys_store_app.do", "action", "install")
	after := b.Inventory()
	if after["app"][0] != before["app"][0] || len(after["privileges"]) != 2 {
		t.Errorf("installed again as %v, %v", after["app"], after["privileges"])
	}
	if err := b.SetWorld(ShutDown); err != nil {
		t.Fatal(err)
	}
	p.post("/sys_store_app.do", "scope", appScope, "action", "uninstall")
	if a := p.open("/sys_store_app_list.do"); strings.Contains(a.Text, `id="store"`) {
		t.Error("the Store still offers the app after the shutdown")
	}
}
