package servicenow

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func provider() object {
	return object{
		"name": "Microsoft 365 support integration (outbound)", "type": "oauth_provider", "client_id": entraApp, "client_secret": entraSecret,
		"default_grant_type": "client_credentials", "token_url": "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/token",
		"send_client_credentials_as": "request_body_parameter", "active": "true",
	}
}

const createEntity = "/api/now/table/oauth_entity?sysparm_input_display_value=true&sysparm_exclude_reference_link=true"

func TestANewProviderGetsOneDefaultProfile(t *testing.T) {
	b := open(t, nil)
	s := b.as("olga")
	choice := s.one("sys_choice", "name=oauth_entity^element=type^label=OAuth Provider")
	if choice["value"] != "oauth_provider" {
		t.Errorf("the choice is stored as %v", choice["value"])
	}
	r := s.call("POST", createEntity, provider()).row(t)
	id := r["sys_id"].(string)
	if r["sys_scope"] != "global" || r["redirect_url"] != "https://contoso.service-now.com/oauth_redirect.do" || r["refresh_token_lifespan"] != "8640000" {
		t.Errorf("made %v", r)
	}
	profile := s.one("oauth_entity_profile", "oauth_entity="+id+"^default=true")
	if profile["grant_type"] != "client_credentials" {
		t.Errorf("the profile's grant type is %v", profile["grant_type"])
	}
	second := s.call("POST", "/api/now/table/oauth_entity_profile", object{"name": "mine", "oauth_entity": id, "default": "true", "grant_type": "client_credentials"})
	wantRefused(t, second, 403, "Operation Failed",
		"Operation against file 'oauth_entity_profile' was aborted by Business Rule 'Validate OAuth entity profile^"+ruleID(profileRule)+
			"'. Business Rule Stack:Validate OAuth entity profile. Error: Only one default profile is allowed for an OAuth provider")
	if a := s.call("POST", "/api/now/table/oauth_entity_profile", object{"name": "mine", "oauth_entity": id}); a.Status != 201 {
		t.Errorf("a second profile that is no default: %d", a.Status)
	}
	s.call("POST", "/api/now/table/oauth_entity_scope", object{"name": "Graph", "oauth_entity": id, "oauth_entity_scope": "https://graph.microsoft.com/.default"})
	if a := s.call("DELETE", "/api/now/table/oauth_entity/"+id, nil); a.Status != 204 {
		t.Fatalf("deleting: %d", a.Status)
	}
	if left := append(s.find("oauth_entity_profile", ""), s.find("oauth_entity_scope", "")...); len(left) != 0 {
		t.Errorf("deleting the entry left %v", left)
	}
}

func TestTheDefaultProfileMayComeLateAndWithAnotherGrantType(t *testing.T) {
	b := open(t, nil)
	if err := b.SetModes(Modes{ProfileDelay: 3 * time.Second, ProfileGrant: "authorization_code"}); err != nil {
		t.Fatal(err)
	}
	s := b.as("olga")
	id := s.call("POST", createEntity, provider()).row(t)["sys_id"].(string)
	if rows := s.find("oauth_entity_profile", "oauth_entity="+id); len(rows) != 0 {
		t.Fatal("the profile is there at once")
	}
	if a := s.call("POST", "/api/now/table/oauth_entity_profile", object{"name": "mine", "oauth_entity": id, "default": "true"}); a.Status != 403 {
		t.Errorf("a default profile beside the one to come: %d", a.Status)
	}
	b.clock.Pass(3 * time.Second)
	profile := s.one("oauth_entity_profile", "oauth_entity="+id)
	if profile["grant_type"] != "authorization_code" {
		t.Errorf("grant type %v", profile["grant_type"])
	}
	if r := s.call("PATCH", "/api/now/table/oauth_entity_profile/"+profile["sys_id"].(string), object{"grant_type": "client_credentials"}).row(t); r["grant_type"] != "client_credentials" {
		t.Errorf("patched to %v", r["grant_type"])
	}
}

func TestAnEntryOfTheWrongTypeIsNoProvider(t *testing.T) {
	b := open(t, func(c *Config) { c.TypeChoice = "consumer" })
	s := b.as("olga")
	id := s.call("POST", createEntity, provider()).row(t)["sys_id"].(string)
	if rows := s.find("oauth_entity_profile", "oauth_entity="+id); len(rows) != 0 {
		t.Error("an entry whose type is not this instance's OAuth Provider got a profile")
	}
	in := provider()
	in["type"] = "OAuth Provider" // the label, as sysparm_input_display_value allows
	r := s.call("POST", createEntity, in).row(t)
	if r["type"] != "consumer" || len(s.find("oauth_entity_profile", "oauth_entity="+r["sys_id"].(string))) != 1 {
		t.Errorf("made with type %v", r["type"])
	}
}

func TestASecretIsMaskedWhateverItIs(t *testing.T) {
	b := open(t, nil)
	s := b.as("olga")
	a := s.call("POST", createEntity, provider())
	if strings.Contains(a.Text, entraSecret) || a.row(t)["client_secret"] != "********" {
		t.Errorf("the answer shows the secret as %v", a.row(t)["client_secret"])
	}
	for _, params := range []string{"", "?sysparm_display_value=true", "?sysparm_display_value=all"} {
		if text := s.get("/api/now/table/oauth_entity" + params).Text; strings.Contains(text, entraSecret) || strings.Contains(text, botSecret) {
			t.Errorf("a list%s shows a secret", params)
		}
	}
}

// storedSecret is what the instance would send to the token URL.
func (b *bench) storedSecret(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.db.find(schema["oauth_entity"], id).get("client_secret")
}

func TestWhatBecomesOfASecretWrittenByAPI(t *testing.T) {
	for _, c := range []struct {
		mode   SecretWrite
		path   string
		status int
		usable bool
	}{
		{SecretStored, createEntity, 201, true},
		{SecretStored, "/api/now/table/oauth_entity", 201, false}, // the parameter is missing
		{SecretGarbled, createEntity, 201, false},
		{SecretRefused, createEntity, 403, false},
	} {
		b := open(t, func(cfg *Config) { cfg.SecretWrite = c.mode })
		a := b.as("olga").call("POST", c.path, provider())
		if a.Status != c.status {
			t.Errorf("%s %s: status %d, want %d", c.mode, c.path, a.Status, c.status)
			continue
		}
		if a.Status != 201 {
			if rows := b.as("olga").find("oauth_entity", "client_id="+entraApp); len(rows) != 0 {
				t.Errorf("%s: a refused write left a row", c.mode)
			}
			continue
		}
		if got := b.storedSecret(a.row(t)["sys_id"].(string)) == entraSecret; got != c.usable {
			t.Errorf("%s %s: secret usable %v, want %v", c.mode, c.path, got, c.usable)
		}
	}
}

func TestASecretTypedIntoTheFormIsStoredWell(t *testing.T) {
	b := open(t, func(c *Config) { c.SecretWrite = SecretGarbled })
	id := b.as("olga").call("POST", createEntity, provider()).row(t)["sys_id"].(string)
	p := b.browse("olga")
	page := p.open("/oauth_entity.do?sys_id=" + id)
	if page.Status != 200 || strings.Contains(page.Text, "malformed:") || !strings.Contains(page.Text, `id="client_secret" value="" placeholder="********"`) {
		t.Fatalf("the form: %d %s", page.Status, page.Text)
	}
	if a := p.post("/oauth_entity.do?sys_id="+id, "client_secret", entraSecret, "sys_action", "sysverb_update"); a.text("notice") != "Record saved" {
		t.Fatalf("saving: %d %s", a.Status, a.Text)
	}
	if b.storedSecret(id) != entraSecret {
		t.Error("the typed secret is not the stored one")
	}
	bad := p.post("/oauth_entity.do?sys_id=nowhere", "client_secret", entraSecret, "sys_action", "sysverb_update")
	if bad.Status != http.StatusNotFound || strings.Contains(bad.Text, entraSecret) {
		t.Errorf("a form of no record: %d", bad.Status)
	}
	p.post("/oauth_entity.do?sys_id="+id, "client_secret", "", "comments", "kept", "sys_action", "sysverb_update")
	if b.storedSecret(id) != entraSecret {
		t.Error("saving the form with an empty secret field lost the secret")
	}
}

func TestNewFilesLandWhereThePickerStands(t *testing.T) {
	b := open(t, nil)
	s := b.as("sana")
	me := s.one("sys_user", "user_name=sana")["sys_id"]
	s.call("POST", "/api/now/table/sys_user_preference", object{"user": me, "name": "apps.current_app", "value": appSysID, "type": "string"})
	in := provider()
	in["sys_scope"] = "global"
	r := s.call("POST", createEntity, in).row(t)
	if r["sys_scope"] != appSysID {
		t.Errorf("landed in %v, want the picker's scope whatever the body says", r["sys_scope"])
	}
	if a := s.call("PATCH", "/api/now/table/oauth_entity/"+r["sys_id"].(string), object{"sys_scope": "global"}); a.Status != 200 || a.row(t)["sys_scope"].(object)["value"] != appSysID {
		t.Errorf("a file moved between applications: %d %s", a.Status, a.Text)
	}
	pref := s.one("sys_user_preference", "name=apps.current_app^user.user_name=sana")
	s.call("PATCH", "/api/now/table/sys_user_preference/"+pref["sys_id"].(string), object{"value": "global"})
	if r := s.call("POST", createEntity, provider()).row(t); r["sys_scope"] != "global" {
		t.Errorf("back in Global it landed in %v", r["sys_scope"])
	}

	m := b.Modes()
	m.ExplicitScopeSticks = true
	if err := b.SetModes(m); err != nil {
		t.Fatal(err)
	}
	in["sys_scope"] = appSysID
	if r := s.call("POST", createEntity, in).row(t); r["sys_scope"] != appSysID {
		t.Errorf("with the mode set an explicit scope became %v", r["sys_scope"])
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	b := open(t, nil)
	admin := b.as("sana")
	table := admin.one("sys_db_object", "name=oauth_entity")["sys_id"].(string)
	entity := admin.one("oauth_entity", "client_id=bot")["sys_id"].(string)
	ian := admin.one("sys_user", "user_name=ian")["sys_id"]
	role := admin.one("sys_user_role", "name="+roleView)["sys_id"]
	incident := admin.call("POST", "/api/now/table/incident", object{"short_description": "x"}).row(t)["sys_id"].(string)

	const (
		insert = "ACL Exception Insert Failed due to security constraints"
		update = "ACL Exception Update Failed due to security constraints"
		gone   = "Record doesn't exist or ACL restricts the record retrieval"
	)
	for _, c := range []struct {
		who, method, path string
		body              any
		status            int
		detail            string
	}{
		{"olga", "PATCH", "/api/now/table/sys_db_object/" + table, object{"read_access": "true"}, 403, update},
		{"olga", "POST", "/api/now/table/sys_properties", object{"name": "a.b"}, 403, insert},
		{"olga", "POST", "/api/now/table/sys_scope_privilege", object{"target_name": "x"}, 403, insert},
		{"ian", "GET", "/api/now/table/oauth_entity/" + entity, nil, 404, gone},
		{"ian", "POST", "/api/now/table/oauth_entity", provider(), 403, insert},
		{"ian", "POST", "/api/now/table/sys_user", object{"user_name": "x"}, 403, insert},
		{"ian", "POST", "/api/now/table/sys_user_has_role", object{"user": ian, "role": role}, 403, insert},
		{"olga", "POST", "/api/now/table/incident", object{"short_description": "x"}, 403, insert},
		{"olga", "GET", "/api/now/table/incident/" + incident, nil, 404, gone},
		{"keyturn", "POST", "/api/now/table/incident", object{"short_description": "x"}, 201, ""},
		{"ursula", "POST", "/api/now/table/sys_user", object{"user_name": "newbie"}, 201, ""},
		{"nina", "GET", "/api/now/table/incident/" + incident, nil, 404, gone},
		{"sana", "PATCH", "/api/now/table/sys_db_object/" + table, object{"read_access": "true"}, 200, ""},
	} {
		a := b.as(c.who).call(c.method, c.path, c.body)
		if a.Status != c.status {
			t.Errorf("%s %s %s: %d %s, want %d", c.who, c.method, c.path, a.Status, a.Text, c.status)
		} else if c.detail != "" && !strings.Contains(a.Text, c.detail) {
			t.Errorf("%s %s %s: %s, want %q", c.who, c.method, c.path, a.Text, c.detail)
		}
	}
	for who, tables := range map[string][]string{
		"nina": {"incident", "oauth_entity", "sys_properties", "sys_user_has_role", "syslog", "sys_metadata"},
		"ian":  {"oauth_entity", "oauth_entity_profile", "oauth_credential", "sys_user_has_role", "sys_scope_privilege"},
		"olga": {"incident", "sys_user_has_role"},
	} {
		for _, table := range tables {
			for _, row := range b.as(who).find(table, "") {
				if class, _ := row["sys_class_name"].(string); class != "sys_choice" && class != "sys_user_role" && class != "sys_user_preference" {
					t.Errorf("%s sees a row of %s (%s)", who, table, class)
				}
			}
		}
	}
	m := b.Modes()
	m.SingleForbidden = true
	if err := b.SetModes(m); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, b.as("ian").get("/api/now/table/oauth_entity/"+entity), 403, "Insufficient rights to query records", nil)
}

func TestProtectedLogsAndTablesClosedToWebServices(t *testing.T) {
	b := open(t, func(c *Config) { c.ProtectedLogs = true })
	s := b.as("sana")
	for _, table := range []string{"syslog", "sys_outbound_http_log"} {
		wantRefused(t, s.get("/api/now/table/"+table), http.StatusForbidden, "Insufficient rights to query records", nil)
	}
	obj := s.one("sys_db_object", "name=oauth_entity")
	s.call("PATCH", "/api/now/table/sys_db_object/"+obj["sys_id"].(string), object{"ws_access": "false"})
	wantRefused(t, s.get("/api/now/table/oauth_entity"), http.StatusForbidden, "Insufficient rights to query records", nil)
}
