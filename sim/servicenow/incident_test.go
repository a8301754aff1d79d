package servicenow

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sent makes an incident as a person with itil.
func (s session) sent(in object) (string, map[string]any) {
	s.t.Helper()
	r := s.call("POST", "/api/now/table/incident?sysparm_exclude_reference_link=true", in).row(s.t)
	return "/api/now/table/incident/" + r["sys_id"].(string) + "?sysparm_exclude_reference_link=true", r
}

func TestPriorityComesFromImpactAndUrgency(t *testing.T) {
	s := open(t, nil).as("ian")
	for in, want := range map[[2]string]string{
		{"1", "1"}: "1", {"1", "2"}: "2", {"2", "2"}: "3", {"1", "3"}: "3", {"2", "3"}: "4", {"3", "3"}: "5",
	} {
		if _, r := s.sent(object{"impact": in[0], "urgency": in[1], "priority": "1"}); r["priority"] != want {
			t.Errorf("impact %s, urgency %s: priority %v, want %s", in[0], in[1], r["priority"], want)
		}
	}
}

func TestNumbersCountUp(t *testing.T) {
	s := open(t, nil).as("ian")
	_, first := s.sent(object{})
	_, second := s.sent(object{"number": "INC0000001"})
	if first["number"] != "INC0010001" || second["number"] != "INC0010002" {
		t.Errorf("numbers %v and %v", first["number"], second["number"])
	}
}

func TestTheWayOfAnIncident(t *testing.T) {
	b := open(t, nil)
	s := b.as("ian")
	ian := s.one("sys_user", "user_name=ian")["sys_id"]
	path, r := s.sent(object{"short_description": "x"})
	if r["state"] != "1" || r["incident_state"] != "1" || r["active"] != "true" || r["opened_by"] != ian {
		t.Errorf("new: %v", r)
	}
	wantRefused(t, s.call("PATCH", path, object{"state": "6"}), 403, "Operation Failed",
		"Data Policy Exception: The following fields are mandatory: Resolution code, Close notes")
	wantRefused(t, s.call("PATCH", path, object{"state": "6", "close_code": "Fixed by magic", "close_notes": "done"}), 403, "Operation Failed",
		"Data Policy Exception: The following fields are mandatory: Resolution code")
	r = s.call("PATCH", path, object{"state": "6", "close_code": "Closed/Resolved by Caller", "close_notes": "done"}).row(t)
	if r["resolved_by"] != ian || r["resolved_at"] != "2026-03-02 09:30:00" || r["active"] != "true" {
		t.Errorf("resolved: %v", r)
	}
	r = s.call("PATCH", path, object{"state": "2"}).row(t)
	if r["reopen_count"] != "1" || r["resolved_at"] != "" {
		t.Errorf("re-opened: %v", r)
	}
	r = s.call("PATCH", path, object{"incident_state": "3"}).row(t)
	if r["state"] != "3" {
		t.Errorf("the older column moved state to %v", r["state"])
	}
	r = s.call("PATCH", path, object{"state": "7"}).row(t)
	if r["active"] != "false" || r["closed_by"] != ian {
		t.Errorf("closed: %v", r)
	}
	wantRefused(t, s.call("PATCH", path, object{"short_description": "y"}), 403, "Operation Failed", "ACL Exception Update Failed due to security constraints")
	back := b.as("sana").call("PATCH", path, object{"state": "2"})
	if back.Status != 403 || !strings.Contains(back.Text, "State cannot go from Closed to In Progress") {
		t.Errorf("out of the end state: %d %s", back.Status, back.Text)
	}
}

func TestAnInstanceCanAskForMore(t *testing.T) {
	b := open(t, nil)
	err := b.SetModes(Modes{
		Mandatory: []string{"assignment_group", "category"},
		Refusals:  []Refusal{{Table: "incident", Operation: "update", Rule: "Monitoring owns impact", Why: "ask the monitoring team", Fields: []string{"impact"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := b.as("ian")
	var names []string
	for _, r := range s.find("sys_dictionary", "nameINtask,incident^mandatory=true^ORDERBYelement") {
		names = append(names, r["element"].(string))
	}
	if diff := cmp.Diff([]string{"assignment_group", "category"}, names); diff != "" {
		t.Errorf("sys_dictionary (-want +got):\n%s", diff)
	}
	wantRefused(t, s.call("POST", "/api/now/table/incident", object{"short_description": "x", "category": ""}), 403, "Operation Failed",
		"Data Policy Exception: The following fields are mandatory: Assignment group, Category")
	if len(s.find("incident", "")) != 0 {
		t.Error("a refused incident is there")
	}
	group := s.one("sys_user_group", "name=Service Desk")["sys_id"]
	path, _ := s.sent(object{"short_description": "x", "assignment_group": group})
	a := s.call("PATCH", path, object{"impact": "1"})
	if a.Status != 403 || !strings.Contains(a.Text, "Business Rule 'Monitoring owns impact^") || !strings.Contains(a.Text, "ask the monitoring team (impact)") {
		t.Errorf("the rule answered %d %s", a.Status, a.Text)
	}
	if a := s.call("PATCH", path, object{"urgency": "1"}); a.Status != 200 {
		t.Errorf("a field the rule does not look at: %d %s", a.Status, a.Text)
	}
}

func TestWorkNotesGoIntoTheJournal(t *testing.T) {
	s := open(t, nil).as("ian")
	path, r := s.sent(object{"short_description": "x", "work_notes": "first look"})
	if r["work_notes"] != "" {
		t.Errorf("work_notes read back as %q, want empty", r["work_notes"])
	}
	s.call("PATCH", path, object{"work_notes": "Microsoft says: fixed"})
	if mine := s.find("sys_journal_field", "element_id="+r["sys_id"].(string)); len(mine) != 0 {
		t.Errorf("whoever holds itil reads in the journal's own table: %v", mine)
	}
	entries := s.as("sana").find("sys_journal_field", "element=work_notes^name=incident^element_id="+r["sys_id"].(string))
	if len(entries) != 2 || entries[1]["value"] != "Microsoft says: fixed" || entries[1]["sys_created_by"] != "ian" {
		t.Errorf("journal %v", entries)
	}
	shown := s.get(path + "&sysparm_display_value=true").row(t)["work_notes"].(string)
	want := "2026-03-02 01:30:00 - Ian Itil (Work notes)\nMicrosoft says: fixed\n\n2026-03-02 01:30:00 - Ian Itil (Work notes)\nfirst look\n\n"
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("as people see it (-want +got):\n%s", diff)
	}
}

func TestAPersonClosesTheBotsIncident(t *testing.T) {
	b := open(t, nil)
	path, r := b.as("keyturn").sent(object{"short_description": "EX1 mail is slow", "correlation_id": "EX1"})
	if err := b.CloseIncident(r["number"].(string), "ian", "done here"); err != nil {
		t.Fatal(err)
	}
	got := b.as("keyturn").get(path).row(t)
	if got["state"] != "7" || got["sys_updated_by"] != "ian" || got["close_notes"] != "done here" {
		t.Errorf("closed as %v", got)
	}
	if err := b.CloseIncident(r["number"].(string), "ian", "again"); err == nil {
		t.Error("a closed incident was closed again")
	}
	if err := b.CloseIncident("INC9999999", "ian", ""); err == nil {
		t.Error("an incident that does not exist was closed")
	}
}
