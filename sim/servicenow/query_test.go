package servicenow

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEncodedQueries(t *testing.T) {
	b := open(t, nil)
	s := b.as("sana")
	for _, in := range []object{
		{"short_description": "Mail is slow", "urgency": "1", "impact": "1", "correlation_id": "EX100"},
		{"short_description": "Teams drops calls", "urgency": "2", "impact": "2", "correlation_id": "TM200"},
		{"short_description": "mail bounces", "urgency": "3", "impact": "3"},
	} {
		if a := s.call("POST", "/api/now/table/incident", in); a.Status != 201 {
			t.Fatal(a.Text)
		}
	}
	sana := s.one("sys_user", "user_name=sana")["sys_id"].(string)
	for query, want := range map[string]string{
		"":                                   "Mail is slow|Teams drops calls|mail bounces",
		"short_descriptionLIKEMAIL":          "Mail is slow|mail bounces",
		"short_descriptionNOT LIKEmail":      "Teams drops calls",
		"short_descriptionSTARTSWITHTeams":   "Teams drops calls",
		"short_descriptionENDSWITHbounces":   "mail bounces",
		"correlation_id=ex100":               "Mail is slow",
		"correlation_id!=EX100":              "Teams drops calls|mail bounces",
		"correlation_idINEX100,TM200":        "Mail is slow|Teams drops calls",
		"correlation_idNOT INEX100,TM200":    "mail bounces",
		"correlation_idISEMPTY":              "mail bounces",
		"correlation_idISNOTEMPTY^urgency>1": "Teams drops calls",
		"urgency<=2":                         "Mail is slow|Teams drops calls",
		"correlation_id=EX100^ORcorrelation_id=TM200^urgency=2":                        "Teams drops calls",
		"correlation_id=EX100^urgency=1^NQcorrelation_idISEMPTY":                       "Mail is slow|mail bounces",
		"opened_by.user_name=sana^urgency=3":                                           "mail bounces",
		"opened_by=" + sana + "^urgency=3^EQ":                                          "mail bounces",
		"opened_bySTARTSWITHSana^urgency=3":                                            "mail bounces",
		"ORDERBYDESCurgency":                                                           "mail bounces|Teams drops calls|Mail is slow",
		"urgencyIN1,2^ORDERBYshort_description":                                        "Mail is slow|Teams drops calls",
		"sys_created_on>javascript:gs.dateGenerate('2026-03-01','00:00:00')^urgency=1": "Mail is slow",
		"sys_created_on>javascript:gs.dateGenerate('2026-03-03','00:00:00')":           "",
		// A part that cannot be read is left out; the rest decides.
		"short_description~~~^urgency=1": "Mail is slow",
		"urgency=1^ORurgencyNONSENSE3":   "Mail is slow",
		"what is this":                   "Mail is slow|Teams drops calls|mail bounces",
	} {
		var got []string
		for _, r := range s.find("incident", query) {
			got = append(got, r["short_description"].(string))
		}
		if diff := cmp.Diff(want, strings.Join(got, "|")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

func TestWhatAQueryNamesThatDoesNotExist(t *testing.T) {
	b := open(t, nil)
	s := b.as("sana")
	s.call("POST", "/api/now/table/incident", object{"short_description": "one"})
	s.call("POST", "/api/now/table/incident", object{"short_description": "two"})
	ask := func() answer {
		return s.get("/api/now/table/incident?sysparm_query=" + url.QueryEscape("u_no_such=5^short_description=one"))
	}
	wantRefused(t, ask(), 403, "Insufficient rights to query records", "Field(s) present in the query do not have permission to be read")

	m := b.Modes()
	m.UnknownColumnsIgnored = true
	if err := b.SetModes(m); err != nil {
		t.Fatal(err)
	}
	if rows := ask().rows(t); len(rows) != 1 {
		t.Errorf("with the unknown column ignored: %d rows, want the one that the rest matches", len(rows))
	}
	if rows := s.get("/api/now/table/incident?sysparm_query=u_no_such=5").rows(t); len(rows) != 2 {
		t.Errorf("a query of nothing known matched %d rows, want all of them: the platform's trap", len(rows))
	}
	s.call("POST", "/api/now/table/sys_properties", object{"name": "glide.invalid_query.returns_no_rows", "value": "true"})
	if rows := ask().rows(t); len(rows) != 0 {
		t.Errorf("with the property set: %d rows, want none", len(rows))
	}
}

func TestASecretCannotBeQueriedFor(t *testing.T) {
	s := open(t, nil).as("sana")
	for _, query := range []string{"client_secretSTARTSWITHb", "client_id=bot^ORDERBYclient_secret"} {
		wantRefused(t, s.get("/api/now/table/oauth_entity?sysparm_query="+url.QueryEscape(query)), 403,
			"Insufficient rights to query records", "Field(s) present in the query do not have permission to be read")
	}
	wantRefused(t, s.get("/api/now/table/sys_user_has_role?sysparm_query="+url.QueryEscape("user.user_passwordISNOTEMPTY")), 403,
		"Insufficient rights to query records", "Field(s) present in the query do not have permission to be read")
}

// FuzzParseQuery holds that no text is a reason to panic, and that what was
// read can be written down and read again with the same meaning.
func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a=b^ORc=d^NQe!=f^ORDERBYDESCg", "a.b.cISEMPTY", "x=1^^2", "^^^", "ORa=1", "ORDERBY", "nameNOT LIKEx^EQ", "aISEMPTYb", "é=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q := parseQuery(text)
		again := parseQuery(q.encode())
		q.Invalid = nil
		if diff := cmp.Diff(q, again); diff != "" {
			t.Fatalf("%q was read as\n%+v\nwritten as %q and read differently:\n%s", text, q, q.encode(), diff)
		}
		for _, path := range q.paths() {
			walk(schema["incident"], path)
		}
	})
}

// encode writes a query in the platform's notation.
func (q encodedQuery) encode() string {
	var parts []string
	for i, alternative := range q.Alternatives {
		for j, clause := range alternative {
			for k, c := range clause {
				part := c.Path + c.Op + strings.ReplaceAll(c.Value, "^", "^^")
				switch {
				case k > 0:
					part = "OR" + part
				case j == 0 && i > 0:
					part = "NQ" + part
				}
				parts = append(parts, part)
			}
		}
	}
	for _, o := range q.Order {
		if o.Desc {
			parts = append(parts, "ORDERBYDESC"+o.Path)
		} else {
			parts = append(parts, "ORDERBY"+o.Path)
		}
	}
	return strings.Join(parts, "^")
}
