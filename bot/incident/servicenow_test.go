package incident

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"keyturn/bot"
)

func mapped() Mapping {
	return Mapping{Group: "g1", Caller: "u1", Category: "software", CloseCode: "Closed/Resolved by Caller", PriorityCap: 2, AutoResolve: true,
		Columns: map[string]string{"contact_type": "monitoring"}, Services: map[string]ServiceRoute{"Exchange Online": {Group: "g2", CI: "c1"}, "Planner": {CI: "c3"}}}
}

func outage(posts ...Post) Known {
	i := mail(posts...)
	i.Classification, i.Status = "incident", "serviceInterruption"
	return Merge(nil, i, minutes(0))
}

func TestARecordIsFilledAsMapped(t *testing.T) {
	k := outage(wrote(1, "Current status: <b>A server</b> is down."))
	got := RecordFields(k, mapped())
	desc := got["description"]
	delete(got, "description")
	want := map[string]string{"short_description": "Mail is late (EX1)", "impact": "1", "urgency": "2", "category": "software", "assignment_group": "g2", "cmdb_ci": "c1",
		"caller_id": "u1", "correlation_id": "EX1", "correlation_display": "Keyturn", "contact_type": "monitoring"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	golden(t, "record", desc+"\n=== work note\n"+WorkNote(k, Change{Reason: NewPost, Post: &k.Issue.Posts[0]})+"\n=== resolved\n"+
		WorkNote(over(k), Change{Reason: Resolved, Aloud: true, To: "service restored"})+"\n"+fmt.Sprint(ResolveFields(over(k), mapped()))+"\n")
	k.Issue.Service, k.Issue.Title = "Microsoft Planner", strings.Repeat("Users can't open boards. ", 30)
	k.Issue.Posts[0].Content = strings.Repeat("We repair one thing after another. ", 500)
	long := RecordFields(k, mapped())
	if long["assignment_group"] != "g1" || long["cmdb_ci"] != "c3" || length(long["short_description"]) > 160 || !strings.HasSuffix(long["short_description"], "(EX1)") || length(long["description"]) > 4000 {
		t.Errorf("%q has %d and %d characters", long["short_description"], length(long["short_description"]), length(long["description"]))
	}
}

func over(k Known) Known {
	k.Issue.Resolved, k.Issue.Status, k.Issue.End = true, "serviceRestored", minutes(90)
	return k
}

func TestThePriorityNeverPassesTheCap(t *testing.T) {
	for _, class := range []string{"incident", "advisory", "new thing"} {
		for status := range statuses {
			for limit := 0; limit <= 6; limit++ {
				i := Issue{Classification: class, Status: status}
				w := weigh(&i, limit)
				if w.Priority() < limit && w.Priority() < 5 || w.Impact < 1 || w.Impact > 3 || w.Urgency < 1 || w.Urgency > 3 {
					t.Errorf("%s, %s, cap %d: %+v", class, status, limit, w)
				}
			}
		}
	}
	for _, c := range []struct {
		class, status string
		limit         int
		want          Weight
	}{{"incident", "serviceInterruption", 0, Weight{1, 1}}, {"incident", "serviceInterruption", 2, Weight{1, 2}}, {"incident", "serviceDegradation", 0, Weight{1, 2}},
		{"incident", "serviceDegradation", 4, Weight{2, 3}}, {"incident", "extendedRecovery", 0, Weight{1, 3}}, {"advisory", "serviceDegradation", 0, Weight{3, 2}}} {
		i := Issue{Classification: c.class, Status: c.status}
		if got := weigh(&i, c.limit); got != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

// instance is a ServiceNow that does what calls say.
type instance struct {
	t    interface{ Fatalf(string, ...any) }
	rows []map[string]string
}

func (n *instance) row(id string) map[string]string {
	for _, r := range n.rows {
		if r["sys_id"] == id {
			return r
		}
	}
	return nil
}

// do makes a call, or finds its earlier effect. lost is a call whose answer
// never came, after it took effect.
func (n *instance) do(c bot.Call, r *Record) {
	if c.As != Unattended || c.System != bot.ServiceNow || c.What == "" || c.Look == nil {
		n.t.Fatalf("a call that nobody can answer for: %+v", c)
	}
	var fields map[string]string
	if err := json.Unmarshal(c.Body, &fields); err != nil {
		n.t.Fatalf("%v", err)
	}
	if c.Method == "POST" {
		u, err := url.Parse(c.Look.Path)
		if err != nil || u.Query().Get("sysparm_query") != "correlation_id="+fields["correlation_id"] {
			n.t.Fatalf("the look does not look for the record: %s", c.Look.Path)
		}
		for _, row := range n.rows {
			if row["correlation_id"] == c.Look.Match["correlation_id"] {
				r.SysID, r.Number = row["sys_id"], row["number"]
				return
			}
		}
		id := fmt.Sprintf("s%d", len(n.rows))
		fields["sys_id"], fields["number"], fields["state"] = id, "INC"+id, "1"
		n.rows = append(n.rows, fields)
		r.SysID, r.Number = id, "INC"+id
		return
	}
	row := n.row(strings.TrimPrefix(c.Path, "/api/now/table/incident/"))
	if row == nil {
		n.t.Fatalf("a write to no record: %s", c.Path)
	}
	if row["correlation_display"] == c.Look.Match["result.correlation_display"] {
		return
	}
	for column, v := range fields {
		if column == "work_notes" {
			v = row[column] + v + "\n----\n"
		}
		row[column] = v
	}
}

func (n *instance) says(r *Record) (RecordState, bool) {
	if r == nil {
		return RecordState{}, false
	}
	row := n.row(r.SysID)
	if row == nil {
		return ParseRecord(404, nil, r.Issue)
	}
	b, _ := json.Marshal(map[string]any{"result": row})
	return ParseRecord(200, b, r.Issue)
}

// desk keeps an issue's record in step, as the engine would.
type serviceDesk struct {
	snow *instance
	m    Mapping
	rec  *Record
	why  []string
}

func (s *serviceDesk) take(k Known, changes []Change, lost bool) {
	for _, c := range changes {
		now, there := s.snow.says(s.rec)
		f := Follow(s.rec, now, there, k, c, s.m, minutes(0))
		s.why = append(s.why, string(c.Reason)+": "+f.Why)
		if f.Call != nil {
			s.snow.do(*f.Call, &f.Record)
			if lost { // the answer never came: the same decision is made and made again
				s.snow.do(*f.Call, &f.Record)
			}
		}
		if f.Record.Issue != "" {
			s.rec = &f.Record
		}
	}
}

func TestARecordFollowsItsIncidentUntilAPersonClosesIt(t *testing.T) {
	snow := &instance{t: t}
	d := &serviceDesk{snow: snow, m: mapped()}
	var known *Known
	read := func(i Issue, lost bool) {
		changes := Compare(known, i, minutes(0))
		k := Merge(known, i, minutes(0))
		known = &k
		d.take(k, changes, lost)
	}
	i := mail(wrote(1, "Current status: We look."))
	read(i, false)
	if d.rec != nil {
		t.Fatal("an advisory has a record")
	}
	i.Classification, i.Modified = "incident", minutes(2)
	read(i, true)
	if len(snow.rows) != 1 {
		t.Fatalf("%d records after a lost answer", len(snow.rows))
	}
	i.Posts, i.Modified = append(i.Posts, wrote(5, "Current status: A server is down.")), minutes(5)
	read(i, true)
	if n := strings.Count(snow.rows[0]["work_notes"], "----"); n != 1 || !strings.Contains(snow.rows[0]["work_notes"], "A server is down.") {
		t.Errorf("%d notes after a lost answer: %s", n, snow.rows[0]["work_notes"])
	}
	snow.rows[0]["urgency"] = "1" // a person knows better
	i.Posts, i.Modified = append(i.Posts, wrote(7, "Current status: Two servers are down.")), minutes(7)
	read(i, false)
	if snow.rows[0]["urgency"] != "1" {
		t.Error("a person's urgency was overwritten without Microsoft changing anything")
	}
	i.Status, i.Modified = "extendedRecovery", minutes(8)
	read(i, false)
	if snow.rows[0]["urgency"] != "3" {
		t.Errorf("the urgency is %s", snow.rows[0]["urgency"])
	}
	i.Resolved, i.Status, i.End, i.Modified = true, "serviceRestored", minutes(9), minutes(9)
	read(i, true)
	if r := snow.rows[0]; r["state"] != "6" || r["close_code"] != "Closed/Resolved by Caller" || !strings.Contains(r["close_notes"], "Microsoft resolved EX1 on 23 Nov 2026 09:09 UTC") {
		t.Errorf("resolved: %v", r)
	}
	notes := snow.rows[0]["work_notes"]
	i.Posts, i.Modified = append(i.Posts, wrote(2000, "A post-incident report has been published.")), minutes(2000)
	read(i, false)
	if snow.rows[0]["work_notes"] != notes {
		t.Error("a resolved record still gets notes")
	}
	i.Resolved, i.Status, i.Modified = false, "serviceDegradation", minutes(2100)
	read(i, false)
	if snow.rows[0]["state"] != "2" {
		t.Errorf("re-opened at Microsoft, state %s", snow.rows[0]["state"])
	}
	snow.rows[0]["state"] = "7"
	notes = snow.rows[0]["work_notes"]
	for n := range 3 {
		i.Posts, i.Modified = append(i.Posts, wrote(2200+n, fmt.Sprintf("Current status: more %d.", n))), minutes(2200+n)
		read(i, false)
	}
	snow.rows[0]["state"] = "2" // the person takes it up again: it is theirs now
	i.Posts, i.Modified = append(i.Posts, wrote(2300, "Current status: still more.")), minutes(2300)
	read(i, false)
	snow.rows[0]["state"] = "7"
	if snow.rows[0]["work_notes"] != notes || snow.rows[0]["state"] != "7" || !d.rec.Closed {
		t.Errorf("a record that a person closed was touched: %v", d.why)
	}
	for _, w := range d.why {
		if strings.HasSuffix(w, ": ") {
			t.Errorf("a decision without a reason: %q", w)
		}
	}
}

func TestWithoutAutoResolveAPersonResolves(t *testing.T) {
	m := mapped()
	m.AutoResolve = false
	k := outage(wrote(1, "Current status: x"))
	r := Record{Issue: "EX1", SysID: "s1", Number: "INC1", Pushed: Weight{1, 2}}
	f := Follow(&r, RecordState{State: "2", Correlation: "EX1"}, true, over(k), Change{Reason: Resolved, Aloud: true, To: "service restored", At: minutes(9)}, m, minutes(9))
	if f.Call == nil || strings.Contains(string(f.Call.Body), `"state"`) || !strings.Contains(string(f.Call.Body), "work_notes") {
		t.Errorf("%s, %s", f.Why, f.Call.Body)
	}
}

func TestARecordThatIsNotOursIsNotWrittenTo(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
	}{"gone": {404, `{"error":{"message":"No Record found"}}`}, "of another issue": {200, `{"result":{"sys_id":"s1","correlation_id":"EX2"}}`},
		"a web page": {200, `"<html>"`}, "empty": {200, `{"result":{}}`}} {
		now, ok := ParseRecord(c.status, json.RawMessage(c.body), "EX1")
		r := Record{Issue: "EX1", SysID: "s1", Number: "INC1"}
		f := Follow(&r, now, ok, outage(), Change{Reason: NewPost, Post: &Post{Content: "x"}}, mapped(), minutes(0))
		if ok || f.Call != nil || !f.Record.Closed {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// Whatever happens, with every answer lost now and then: at most one record,
// each note once, and nothing after a person has closed it.
func TestThereIsNeverASecondRecordOrASecondNote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snow := &instance{t: t}
		m := mapped()
		m.AutoResolve, m.Advisories = rapid.Bool().Draw(t, "auto"), rapid.Bool().Draw(t, "advisories")
		d := &serviceDesk{snow: snow, m: m}
		var known *Known
		i := mail(wrote(0, "Current status: word 0."))
		closed := ""
		for n := 1; n <= rapid.IntRange(1, 12).Draw(t, "readings"); n++ {
			i.Modified = minutes(n)
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1:
				i.Posts = append(slices.Clone(i.Posts), wrote(n, fmt.Sprintf("Current status: word %d.", n)))
			case 2:
				i.Resolved, i.Status = !i.Resolved, "serviceDegradation"
				if i.Resolved {
					i.Status = "serviceRestored"
				}
			case 3:
				i.Classification = rapid.SampledFrom([]string{"incident", "advisory"}).Draw(t, "class")
			case 4:
				i.Status = rapid.SampledFrom([]string{"serviceInterruption", "extendedRecovery"}).Draw(t, "status")
			case 5:
				if len(snow.rows) > 0 && closed == "" {
					snow.rows[0]["state"] = "7"
					closed = fmt.Sprint(snow.rows[0])
				}
			}
			changes := Compare(known, i, minutes(n))
			k := Merge(known, i, minutes(n))
			known = &k
			again(t, &d.rec)
			d.take(k, changes, rapid.Bool().Draw(t, "lost"))
		}
		if len(snow.rows) > 1 {
			t.Fatalf("%d records", len(snow.rows))
		}
		if closed != "" && fmt.Sprint(snow.rows[0]) != closed {
			t.Fatalf("written to after a person closed it:\n%s\n%v", closed, snow.rows[0])
		}
		if len(snow.rows) == 1 {
			for n := range 13 {
				if c := strings.Count(snow.rows[0]["work_notes"], fmt.Sprintf("word %d.", n)); c > 1 {
					t.Fatalf("word %d stands %d times:\n%s", n, c, snow.rows[0]["work_notes"])
				}
			}
		}
	})
}

// However many records are followed, each is asked for.
func TestTheStateOfEveryRecordIsRead(t *testing.T) {
	var of []Record
	for n := range 250 {
		of = append(of, Record{SysID: fmt.Sprintf("id%03d", n)})
	}
	calls := ReadStates(of)
	if len(calls) != 3 || len(ReadStates(nil)) != 0 {
		t.Fatalf("%d calls", len(calls))
	}
	asked := ""
	for _, c := range calls {
		if len(c.Path) > 6000 {
			t.Errorf("an address has %d characters", len(c.Path))
		}
		asked += c.Path
	}
	for _, r := range of {
		if strings.Count(asked, r.SysID) != 1 {
			t.Errorf("%s is asked for %d times", r.SysID, strings.Count(asked, r.SysID))
		}
	}
}
