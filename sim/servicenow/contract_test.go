package servicenow

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"keyturn/test/beside"
)

func decode(t *testing.T, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

type contractColumn struct {
	Type       string
	ColumnType string `json:"column_type"`
	Label      string
	Reference  string
	Default    any
	Mandatory  bool
	Max        int `json:"max_length"`
}

var contractKinds = map[string]kind{
	"boolean": kindBoolean, "integer": kindInteger, "reference": kindRef, "list": kindList, "dateTime": kindDateTime, "date": kindDate,
	"dueDate": kindDue, "duration": kindDuration, "guid": kindGUID, "domainId": kindDomain, "systemClassName": kindClass,
}

func TestColumnsAreThoseOfThePlatform(t *testing.T) {
	var contract struct {
		Tables map[string]struct {
			Extends *string
			Columns map[string]contractColumn
		}
		Observed map[string]struct{ Columns []string } `json:"_observed"`
	}
	decode(t, beside.Contract(t, "servicenow-tables.json"), &contract)
	if len(contract.Tables) == 0 || len(contract.Observed) == 0 {
		t.Fatal("the contract names no tables")
	}
	for name, want := range contract.Tables {
		got := schema[name]
		if got == nil {
			t.Errorf("there is no table %s", name)
			continue
		}
		if want.Extends != nil && (got.Parent == nil || got.Parent.Name != *want.Extends) {
			t.Errorf("%s does not extend %s", name, *want.Extends)
		}
		for col, c := range want.Columns {
			compareColumn(t, name, col, c, got.column(col))
		}
	}
	for name, want := range contract.Observed {
		got := schema[name]
		if got == nil {
			t.Errorf("there is no table %s", name)
			continue
		}
		for _, col := range want.Columns {
			if got.column(col) == nil {
				t.Errorf("%s has no column %s", name, col)
			}
		}
	}
}

// Text columns that a capture shows to hold more than plain text.
var knownBetter = map[string]kind{
	"sys_scope_privilege.source_scope": kindRef, "sys_scope_privilege.target_scope": kindRef,
}

func compareColumn(t *testing.T, table, name string, want contractColumn, got *column) {
	t.Helper()
	if got == nil {
		t.Errorf("%s has no column %s", table, name)
		return
	}
	at := table + "." + name
	kindWanted, listed := contractKinds[want.Type]
	switch {
	case knownBetter[at] != "":
		kindWanted, listed = knownBetter[at], true
		want.Reference = got.Ref
	case want.ColumnType == "GUID":
		kindWanted, listed = kindGUID, true
	case want.ColumnType == "glide_date_time":
		kindWanted, listed = kindDateTime, true
	case !listed && want.Type != "generic":
		kindWanted, listed = kindString, true
	}
	if listed && got.Kind != kindWanted {
		t.Errorf("%s is a %s, want %s", at, got.Kind, kindWanted)
	}
	if got.Ref != want.Reference {
		t.Errorf("%s refers to %q, want %q", at, got.Ref, want.Reference)
	}
	text, _ := asText(want.Default)
	if want.Default == nil {
		text = ""
	}
	if got.Default != text {
		t.Errorf("%s defaults to %q, want %q", at, got.Default, text)
	}
	if want.Mandatory && !got.Mandatory {
		t.Errorf("%s is not mandatory", at)
	}
	if want.Label != "" && got.Label != want.Label && !strings.HasPrefix(name, "sys_") {
		t.Errorf("%s is labelled %q, want %q", at, got.Label, want.Label)
	}
	if got.Max != 0 && want.Max != 0 && got.Max != want.Max {
		t.Errorf("%s takes %d characters, want %d", at, got.Max, want.Max)
	}
}

func TestEntriesHaveTheColumnsOfARealExport(t *testing.T) {
	var export struct {
		Records []struct {
			Table  string
			Record map[string]any
		}
	}
	decode(t, beside.Data(t, "servicenow/exported-records.json"), &export)
	compared := 0
	for _, r := range export.Records {
		table := schema[r.Table]
		if table == nil {
			continue
		}
		compared++
		for name, value := range r.Record {
			col := table.column(name)
			if col == nil {
				if !slices.Contains([]string{"guided_setup_guid", "license"}, name) {
					t.Errorf("%s has no column %s", r.Table, name)
				}
				continue
			}
			if v, reference := value.(map[string]any); reference && col.Kind != kindRef {
				t.Errorf("%s.%s is a reference there: %v", r.Table, name, v)
			}
		}
	}
	if compared < 5 {
		t.Errorf("only %d records were of tables known here", compared)
	}
}

func TestErrorsAreThoseOfThePlatform(t *testing.T) {
	var file struct {
		Bodies []struct {
			HTTP     int
			Endpoint string
			Body     map[string]any
		}
	}
	decode(t, beside.Data(t, "servicenow/error-bodies.json"), &file)
	b := open(t, nil)
	ian := b.as("ian")
	id := b.as("sana").one("sys_db_object", "name=oauth_entity")["sys_id"].(string)
	if err := b.SetModes(Modes{ProtectedLogs: true}); err != nil {
		t.Fatal(err)
	}
	given := map[string]answer{
		"User Not Authenticated/Required to provide Auth information":                                          (session{b, ""}).get("/api/now/table/incident"),
		"No Record found/Record doesn't exist or ACL restricts the record retrieval":                           ian.get("/api/now/table/oauth_entity/" + id),
		"Insufficient rights to query records/Field(s) present in the query do not have permission to be read": ian.get("/api/now/table/incident?sysparm_query=no_such=1"),
		"Insufficient rights to query records/":                                                                ian.get("/api/now/table/syslog"),
		"Operation Failed/ACL Exception Insert Failed due to security constraints":                             ian.call("POST", "/api/now/table/oauth_entity", object{}),
		"result":        ian.get("/api/now/table/oauth_entity"),
		"access_denied": b.tokenFor(map[string][]string{"grant_type": {"client_credentials"}, "client_id": {"signin"}, "client_secret": {"signin-secret"}}),
		"access_token":  b.tokenFor(map[string][]string{"grant_type": {"client_credentials"}, "client_id": {"bot"}, "client_secret": {botSecret}}),
	}
	for _, want := range file.Bodies {
		key := "result"
		switch e := want.Body["error"].(type) {
		case string:
			key = e
		case map[string]any:
			detail, _ := e["detail"].(string)
			key = e["message"].(string) + "/" + detail
		default:
			if want.Body["access_token"] != nil {
				key = "access_token"
			}
		}
		got, ok := given[key]
		if !ok {
			t.Errorf("nothing here provokes %q", key)
			continue
		}
		if got.Status != want.HTTP {
			t.Errorf("%s: status %d, want %d", key, got.Status, want.HTTP)
		}
		sameShape(t, key, want.Body, got.json(t))
	}
}

// sameShape holds that b has every key of a, with the same kind of value, and
// the same fixed texts.
func sameShape(t *testing.T, at string, a, b any) {
	t.Helper()
	switch a := a.(type) {
	case map[string]any:
		m, ok := b.(map[string]any)
		if !ok {
			t.Errorf("%s is %T, want an object", at, b)
			return
		}
		for k, v := range a {
			other, there := m[k]
			if !there {
				t.Errorf("%s has no %q", at, k)
				continue
			}
			sameShape(t, at+"."+k, v, other)
		}
	case nil:
		if b != nil {
			t.Errorf("%s is %v, want null", at, b)
		}
	case string:
		if _, ok := b.(string); !ok {
			t.Errorf("%s is %T, want text", at, b)
		}
	case float64:
		if b != a {
			t.Errorf("%s is %v, want %v", at, b, a)
		}
	}
}

func TestAnIncidentHasTheShapeOfADocumentedOne(t *testing.T) {
	var file struct {
		Docs struct{ Bodies []struct{ Result any } }
	}
	decode(t, beside.Data(t, "servicenow/table-api-responses.json"), &file)
	b := open(t, nil)
	s := b.as("ian")
	group := s.one("sys_user_group", "name=Service Desk")["sys_id"]
	got := s.call("POST", "/api/now/table/incident", object{"short_description": "Unable to connect to office wifi", "assignment_group": group}).row(t)
	compared := 0
	for _, body := range file.Docs.Bodies {
		want, ok := body.Result.(map[string]any)
		if !ok || want["sys_class_name"] != "incident" {
			continue
		}
		compared++
		for k, v := range want {
			mine, there := got[k]
			if !there {
				t.Errorf("an incident here has no %s", k)
				continue
			}
			ref, isRef := v.(map[string]any)
			if !isRef {
				continue
			}
			// The same column is a reference here: {link, value}, or empty.
			if m, ok := mine.(map[string]any); ok {
				for part := range ref {
					if _, ok := m[part].(string); !ok || len(m) != len(ref) {
						t.Errorf("%s is %v, want the parts of %v", k, m, ref)
					}
				}
			} else if mine != "" || schema["incident"].column(k).Ref == "" {
				t.Errorf("%s is %v and no reference", k, mine)
			}
		}
		for k, v := range got {
			if _, text := v.(string); !text {
				if _, ref := v.(map[string]any); !ref {
					t.Errorf("%s is %T; every scalar is a string", k, v)
				}
			}
		}
	}
	if compared == 0 {
		t.Fatal("the data has no incident")
	}
}
