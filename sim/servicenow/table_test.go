package servicenow

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestARecordsLife(t *testing.T) {
	b := open(t, nil)
	s := b.as("ian")
	made := s.call("POST", "/api/now/table/incident", object{"short_description": "mail is slow", "impact": 1, "urgency": "2", "knowledge": true, "no_such_column": "x"})
	r := made.row(t)
	id := r["sys_id"].(string)
	if made.Status != 201 || made.Header.Get("Location") != "https://contoso.service-now.com/api/now/table/incident/"+id {
		t.Errorf("status %d, Location %q", made.Status, made.Header.Get("Location"))
	}
	if _, there := r["no_such_column"]; there || r["impact"] != "1" || r["knowledge"] != "true" || r["sys_mod_count"] != "0" {
		t.Errorf("made %v", r)
	}
	changed := s.call("PATCH", "/api/now/v2/table/incident/"+id, object{"urgency": "1"}).row(t)
	if changed["priority"] != "1" || changed["sys_mod_count"] != "1" || changed["short_description"] != "mail is slow" {
		t.Errorf("changed to %v", changed)
	}
	same := s.call("PUT", "/api/now/table/incident/"+id, object{"urgency": "1"}).row(t)
	if same["sys_mod_count"] != "1" {
		t.Error("writing what is there already counted as an update")
	}
	wantRefused(t, s.call("DELETE", "/api/now/table/incident/"+id, nil), 403, "Operation Failed", "ACL Exception Delete Failed due to security constraints")
	admin := b.as("sana")
	if a := admin.call("DELETE", "/api/now/table/incident/"+id, nil); a.Status != 204 || a.Text != "" {
		t.Errorf("deleting answered %d %q", a.Status, a.Text)
	}
	wantRefused(t, s.get("/api/now/table/incident/"+id), 404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
}

func TestWhatTheTableAPIRefusesAtTheDoor(t *testing.T) {
	b := open(t, nil)
	s := b.as("sana")
	wantRefused(t, session{b, ""}.get("/api/now/table/incident"), 401, "User Not Authenticated", "Required to provide Auth information")
	wantRefused(t, session{b, "made-up"}.get("/api/now/table/incident"), 401, "User Not Authenticated", "Required to provide Auth information")
	wantRefused(t, s.get("/api/now/table/no_such_table"), 400, "Invalid table no_such_table", nil)
	wantRefused(t, s.call("POST", "/api/now/table/incident", `{"short`), 400, "Exception while reading request", "The payload is not valid JSON.")
	if a := s.call("PATCH", "/api/now/table/incident", object{}); a.Status != 405 {
		t.Errorf("PATCH on a list: %d, want 405", a.Status)
	}
	r, _ := http.NewRequest("POST", b.url+"/api/now/table/incident", strings.NewReader("short_description=x"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+s.token)
	if a := b.do(r, http.DefaultClient); a.Status != 415 {
		t.Errorf("a form body: %d, want 415", a.Status)
	}
	if a := s.get("/api/now/v1/table/incident"); a.Status != 404 {
		t.Errorf("v1 list without hits: %d, want 404", a.Status)
	}
	if a := s.get("/api/now/v2/table/incident"); a.Status != 200 || len(a.rows(t)) != 0 {
		t.Errorf("v2 list without hits: %d %s, want 200 and []", a.Status, a.Text)
	}
}

func TestReferencesAndDisplayValues(t *testing.T) {
	b := open(t, func(c *Config) { c.Groups = map[string][]string{"Messaging": {"itil"}} })
	s := b.as("sana")
	group := s.one("sys_user_group", "name=Messaging")["sys_id"].(string)
	id := s.call("POST", "/api/now/table/incident", object{"short_description": "x", "assignment_group": group}).row(t)["sys_id"].(string)
	fields := "number,state,assignment_group,assignment_group.name,opened_by.email,sys_created_on,sla_due,calendar_duration,u_missing"
	show := func(params string) map[string]any {
		return s.get("/api/now/table/incident/" + id + "?sysparm_fields=" + fields + params).row(t)
	}
	link := "https://contoso.service-now.com/api/now/table/sys_user_group/" + group
	for _, c := range []struct {
		name, params string
		want         map[string]any
	}{
		{"as stored", "", map[string]any{"number": "INC0010001", "state": "1", "assignment_group": map[string]any{"link": link, "value": group},
			"assignment_group.name": "Messaging", "opened_by.email": "sana@contoso.com", "sys_created_on": "2026-03-02 09:30:00", "sla_due": "", "calendar_duration": ""}},
		{"without links", "&sysparm_exclude_reference_link=true", map[string]any{"number": "INC0010001", "state": "1", "assignment_group": group,
			"assignment_group.name": "Messaging", "opened_by.email": "sana@contoso.com", "sys_created_on": "2026-03-02 09:30:00", "sla_due": "", "calendar_duration": ""}},
		{"as people see it", "&sysparm_display_value=true", map[string]any{"number": "INC0010001", "state": "New", "assignment_group": map[string]any{"display_value": "Messaging", "link": link},
			"assignment_group.name": "Messaging", "opened_by.email": "sana@contoso.com", "sys_created_on": "2026-03-02 01:30:00", "sla_due": "UNKNOWN", "calendar_duration": ""}},
	} {
		if diff := cmp.Diff(c.want, show(c.params)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	all := show("&sysparm_display_value=all")
	want := map[string]any{
		"state":             map[string]any{"display_value": "New", "value": "1"},
		"assignment_group":  map[string]any{"display_value": "Messaging", "value": group, "link": link},
		"sys_created_on":    map[string]any{"display_value": "2026-03-02 01:30:00", "value": "2026-03-02 09:30:00"},
		"calendar_duration": map[string]any{"display_value": nil, "value": ""},
	}
	for k, v := range want {
		if diff := cmp.Diff(v, all[k]); diff != "" {
			t.Errorf("all, %s (-want +got):\n%s", k, diff)
		}
	}
}

func TestInputAsPeopleSeeIt(t *testing.T) {
	b := open(t, func(c *Config) { c.Groups = map[string][]string{"Messaging": nil} })
	s := b.as("sana")
	r := s.call("POST", "/api/now/table/incident?sysparm_input_display_value=true&sysparm_exclude_reference_link=true",
		object{"short_description": "x", "assignment_group": "Messaging", "state": "In Progress", "due_date": "2026-03-02 01:30:00"}).row(t)
	group := s.one("sys_user_group", "name=Messaging")["sys_id"]
	if r["assignment_group"] != group || r["state"] != "2" || r["due_date"] != "2026-03-02 09:30:00" {
		t.Errorf("stored group %v, state %v, due %v", r["assignment_group"], r["state"], r["due_date"])
	}
}

func TestAColumnAsAParameterFiltersToo(t *testing.T) {
	s := open(t, nil).as("ian")
	s.call("POST", "/api/now/table/incident", object{"short_description": "a", "urgency": "1"})
	s.call("POST", "/api/now/table/incident", object{"short_description": "b", "urgency": "1"})
	rows := s.get("/api/now/table/incident?short_description=b&sysparm_query=urgency=1^NQurgency=2").rows(t)
	if len(rows) != 1 || rows[0]["short_description"] != "b" {
		t.Errorf("filtered to %v", rows)
	}
}

func TestPaging(t *testing.T) {
	b := open(t, nil)
	s := b.as("ian")
	for _, text := range []string{"a", "b", "c", "d", "e"} {
		s.call("POST", "/api/now/table/incident", object{"short_description": text})
	}
	var seen []string
	next := "/api/now/table/incident?sysparm_limit=2&sysparm_query=ORDERBYnumber"
	for pages := 0; next != ""; pages++ {
		if pages > 5 {
			t.Fatal("the next links never end")
		}
		a := s.get(next)
		if a.Header.Get("X-Total-Count") != "5" {
			t.Errorf("X-Total-Count %q, want 5", a.Header.Get("X-Total-Count"))
		}
		for _, r := range a.rows(t) {
			seen = append(seen, r["short_description"].(string))
		}
		next = ""
		for _, link := range strings.Split(a.Header.Get("Link"), ",") {
			if strings.HasSuffix(link, `rel="next"`) {
				u, err := url.Parse(strings.Trim(strings.Split(link, ">")[0], "<"))
				if err != nil || u.Host != "contoso.service-now.com" {
					t.Fatalf("next link %q", link)
				}
				next = u.RequestURI()
			}
		}
	}
	if diff := cmp.Diff("a b c d e", strings.Join(seen, " ")); diff != "" {
		t.Error(diff)
	}
}

func TestTheLimitComesBeforeTheRights(t *testing.T) {
	b := open(t, nil)
	admin := b.as("sana")
	// Preferences of others are hidden, but count and take up their place.
	for range 3 {
		admin.call("POST", "/api/now/table/sys_user_preference", object{"name": "colour", "value": "red", "type": "string", "user": admin.one("sys_user", "user_name=sana")["sys_id"]})
	}
	nina := b.as("nina")
	id := nina.one("sys_user", "user_name=nina")["sys_id"]
	if a := nina.call("POST", "/api/now/table/sys_user_preference", object{"name": "colour", "value": "blue", "type": "string", "user": id}); a.Status != 201 {
		t.Fatal(a.Text)
	}
	a := nina.get("/api/now/table/sys_user_preference?sysparm_limit=3&sysparm_query=name=colour")
	if len(a.rows(t)) != 0 || a.Header.Get("X-Total-Count") != "4" {
		t.Errorf("%d rows of %s, want none of 4 on the first page", len(a.rows(t)), a.Header.Get("X-Total-Count"))
	}
	if rows := nina.find("sys_user_preference", "name=colour"); len(rows) != 1 || rows[0]["value"] != "blue" {
		t.Errorf("nina sees %v", rows)
	}
}

func TestABaseTableShowsWhatExtendsIt(t *testing.T) {
	b := open(t, nil)
	s := b.as("ian")
	s.call("POST", "/api/now/table/incident", object{"short_description": "inc"})
	s.call("POST", "/api/now/table/change_request", object{"short_description": "chg"})
	rows := s.find("task", "ORDERBYnumber")
	if len(rows) != 2 || rows[0]["sys_class_name"] != "change_request" || rows[1]["sys_class_name"] != "incident" {
		t.Fatalf("task shows %v", rows)
	}
	if _, there := rows[1]["caller_id"]; there {
		t.Error("task shows a column that only incident has")
	}
	scopes := s.find("sys_scope", "scope=x_mioms_m365_assis")
	if len(scopes) != 1 || scopes[0]["sys_id"] != "6d05c93f1b7784507ddd4227cc4bcb9f" {
		t.Errorf("the app is not among the scopes: %v", scopes)
	}
}

func TestALongTextIsCutWithoutAWord(t *testing.T) {
	s := open(t, nil).as("ian")
	r := s.call("POST", "/api/now/table/incident", object{"short_description": strings.Repeat("é", 200), "correlation_id": strings.Repeat("x", 120)}).row(t)
	if got := len([]rune(r["short_description"].(string))); got != 160 {
		t.Errorf("short_description of %d characters, want 160", got)
	}
	if got := len(r["correlation_id"].(string)); got != 100 {
		t.Errorf("correlation_id of %d characters, want 100", got)
	}
}

func TestRateLimit(t *testing.T) {
	b := open(t, nil)
	s := b.as("ian")
	if a := s.get("/api/now/table/incident"); a.Header.Get("X-RateLimit-Limit") != "" {
		t.Error("there are rate limit headers without a rule")
	}
	if err := b.SetRateLimit(2); err != nil {
		t.Fatal(err)
	}
	s.get("/api/now/table/incident")
	s.get("/api/now/table/incident")
	a := s.get("/api/now/table/incident")
	wantRefused(t, a, 429, "Rate limit exceeded", "Rate limit of 2 requests per hour for Table API exceeded")
	if a.Header.Get("Retry-After") != "1801" || a.Header.Get("X-RateLimit-Limit") != "2" || a.Header.Get("X-RateLimit-Reset") != "1772445600" || len(a.Header.Get("X-RateLimit-Rule")) != 32 {
		t.Errorf("headers %v", a.Header)
	}
	if a := b.as("sana").get("/api/now/table/incident"); a.Status != 200 {
		t.Errorf("somebody else was counted in: %d", a.Status)
	}
	b.clock.Pass(31 * time.Minute)
	if a := b.as("ian").get("/api/now/table/incident"); a.Status != 200 {
		t.Errorf("the next hour answered %d", a.Status)
	}
}

func TestHibernating(t *testing.T) {
	b := open(t, nil)
	s := b.as("ian")
	m := b.Modes()
	m.Hibernating = true
	if err := b.SetModes(m); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/now/table/incident", "/oauth_token.do", "/x_mioms_m365_assis_setup.do"} {
		a := s.get(path)
		if a.Status != 200 || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") || !strings.Contains(a.Text, "hibernating") {
			t.Errorf("%s: %d %s", path, a.Status, a.Header.Get("Content-Type"))
		}
	}
	if a := s.get("/_sim/state"); a.Status != 200 || !strings.Contains(a.Header.Get("Content-Type"), "json") {
		t.Error("the control endpoint hibernates too")
	}
}
