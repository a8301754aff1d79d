package servicenow

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// holders lists who holds a role, "name" directly or "name (n)" by way of n.
func (s session) holders(role string) string {
	s.t.Helper()
	var out []string
	for _, r := range s.get("/api/now/table/sys_user_has_role?sysparm_fields=user.user_name,inherited,inh_count&sysparm_query=role.name=" + role).rows(s.t) {
		name := r["user.user_name"].(string)
		if r["inherited"] == "true" {
			name += fmt.Sprintf(" (%v)", r["inh_count"])
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestGrantingAndTakingARole(t *testing.T) {
	b := open(t, nil)
	s := b.as("ursula")
	role := s.one("sys_user_role", "name="+roleView)["sys_id"]
	nina := s.one("sys_user", "user_name=nina")["sys_id"]
	a := s.call("POST", "/api/now/table/sys_user_has_role", object{"user": nina, "role": role})
	if a.Status != 201 || s.holders(roleView) != "ian, nina" {
		t.Fatalf("granted with %d, held by %s", a.Status, s.holders(roleView))
	}
	if again := s.call("POST", "/api/now/table/sys_user_has_role", object{"user": nina, "role": role}); again.Status != 403 || !strings.Contains(again.Text, "already has this role") {
		t.Errorf("granting twice: %d %s", again.Status, again.Text)
	}
	if dangling := s.call("POST", "/api/now/table/sys_user_has_role", object{"user": nina, "role": "no such role"}); dangling.Status != 403 {
		t.Errorf("a role that does not exist: %d", dangling.Status)
	}
	s.call("DELETE", "/api/now/table/sys_user_has_role/"+a.row(t)["sys_id"].(string), nil)
	if s.holders(roleView) != "ian" {
		t.Errorf("after taking it: %s", s.holders(roleView))
	}
}

func TestAdminAndElevatedRolesAreNotForEverybodyToGive(t *testing.T) {
	b := open(t, nil)
	s := b.as("ursula")
	nina := s.one("sys_user", "user_name=nina")["sys_id"]
	admin := s.one("sys_user_role", "name=admin")["sys_id"]
	if a := s.call("POST", "/api/now/table/sys_user_has_role", object{"user": nina, "role": admin}); a.Status != 403 {
		t.Errorf("a user admin gave admin: %d", a.Status)
	}
	boss := b.as("sana")
	if rows := boss.find("sys_user_role", "name=security_admin"); len(rows) != 0 {
		t.Error("a REST session sees the elevated role security_admin")
	}
	b.mu.Lock()
	elevated := b.db.first("sys_user_role", "name", "security_admin").id()
	b.mu.Unlock()
	if a := boss.call("POST", "/api/now/table/sys_user_has_role", object{"user": nina, "role": elevated}); a.Status != 403 {
		t.Errorf("an elevated role was given by REST: %d", a.Status)
	}
}

func TestRolesComeThroughGroupsAndOtherRoles(t *testing.T) {
	b := open(t, func(c *Config) {
		c.Groups = map[string][]string{"Desk": {"itil", roleView}, "Night shift": {roleView}}
	})
	s := b.as("sana")
	nina := s.one("sys_user", "user_name=nina")["sys_id"]
	if s.holders("sn_incident_read") != "ian (1), keyturn (1)" {
		t.Errorf("contained roles are held by %s", s.holders("sn_incident_read"))
	}
	join := func(group string) string {
		id := s.one("sys_user_group", "name="+group)["sys_id"]
		return s.call("POST", "/api/now/table/sys_user_grmember", object{"user": nina, "group": id}).row(t)["sys_id"].(string)
	}
	desk, night := join("Desk"), join("Night shift")
	if diff := cmp.Diff("ian, nina (2)", s.holders(roleView)); diff != "" {
		t.Error(diff)
	}
	if rows := b.as("nina").find("incident", ""); rows == nil {
		t.Error("nina cannot list incidents")
	}
	inherited := s.one("sys_user_has_role", "role.name="+roleView+"^inherited=true")
	if a := s.call("DELETE", "/api/now/table/sys_user_has_role/"+inherited["sys_id"].(string), nil); a.Status != 403 || !strings.Contains(a.Text, "inherited") {
		t.Errorf("deleting an inherited row: %d %s", a.Status, a.Text)
	}
	s.call("DELETE", "/api/now/table/sys_user_grmember/"+night, nil)
	if diff := cmp.Diff("ian, nina (1)", s.holders(roleView)); diff != "" {
		t.Error(diff)
	}
	s.call("DELETE", "/api/now/table/sys_user_grmember/"+desk, nil)
	if diff := cmp.Diff("ian", s.holders(roleView)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("ian (1), keyturn (1)", s.holders("sn_incident_read")); diff != "" {
		t.Error(diff)
	}
}

func TestWhatGoesWithADeletedGroup(t *testing.T) {
	b := open(t, func(c *Config) {
		c.Groups = map[string][]string{"Desk": {roleView}}
		c.Users[4].Groups = []string{"Desk"}
	})
	s := b.as("sana")
	if s.holders(roleView) != "ian, nina (1)" {
		t.Fatalf("held by %s", s.holders(roleView))
	}
	id := s.one("sys_user_group", "name=Desk")["sys_id"].(string)
	s.call("DELETE", "/api/now/table/sys_user_group/"+id, nil)
	if s.holders(roleView) != "ian" || len(s.find("sys_user_grmember", "")) != 0 || len(s.find("sys_group_has_role", "")) != 0 {
		t.Errorf("held by %s after the group is gone", s.holders(roleView))
	}
}

func TestApplicationsAndTablesAreNotRowsToEdit(t *testing.T) {
	s := open(t, nil).as("sana")
	app := "/api/now/table/sys_store_app/" + appSysID
	table := "/api/now/table/sys_db_object/" + s.one("sys_db_object", "name=incident")["sys_id"].(string)
	token := "/api/now/table/oauth_credential"
	for _, a := range []answer{s.call("DELETE", app, nil), s.call("PATCH", app, object{"version": "9"}), s.call("DELETE", table, nil), s.call("POST", token, object{"type": "access_token"})} {
		if a.Status != 403 || !strings.Contains(a.Text, "Protect platform records") {
			t.Errorf("answered %d %s", a.Status, a.Text)
		}
	}
}

func TestAUsersPasswordNeedsTheParameter(t *testing.T) {
	b := open(t, nil)
	s := b.as("ursula")
	machine := object{"user_name": "svc", "user_password": "pw", "web_service_access_only": "true"}
	a := s.call("POST", "/api/now/table/sys_user", machine)
	if a.Status != 201 || a.row(t)["user_password"] != "" {
		t.Fatalf("made with %d, password shown as %v", a.Status, a.row(t)["user_password"])
	}
	try := func() int {
		form := map[string][]string{"grant_type": {"password"}, "client_id": {"signin"}, "client_secret": {"signin-secret"}, "username": {"svc"}, "password": {"pw"}}
		return b.tokenFor(form).Status
	}
	if try() == 200 {
		t.Error("a password written without sysparm_input_display_value works")
	}
	s.call("PATCH", "/api/now/table/sys_user/"+a.row(t)["sys_id"].(string)+"?sysparm_input_display_value=true", object{"user_password": "pw"})
	if try() != 200 {
		t.Error("a password written with sysparm_input_display_value does not work")
	}
	wantRefused(t, s.call("POST", "/api/now/table/sys_user", object{"user_name": "svc"}), 403, "Operation Failed",
		"Error during insert of sys_user (svc). Unique Key violation detected by database (Duplicate entry 'svc' for key 'user_name')")
}
