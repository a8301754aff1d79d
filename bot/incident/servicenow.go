package incident

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"keyturn/bot"
)

// Mapping says how an issue becomes a ServiceNow incident: the facts that the
// guide has looked up on the instance, all as sys_ids and stored values.
type Mapping struct {
	Group       string // assignment_group, sys_id
	Caller      string // caller_id, sys_id
	Category    string
	Subcategory string
	CloseCode   string
	// PriorityCap is the most urgent priority to use, 1 (critical) to 5; 0 is
	// no cap.
	PriorityCap int
	AutoResolve bool
	Advisories  bool                    // advisories too; otherwise incidents only
	Columns     map[string]string       // further columns of a new record
	Services    map[string]ServiceRoute // by service name, where it differs
	Resolved    string                  // value of state Resolved; "" is 6
	Progress    string                  // value of state In Progress; "" is 2
	Cancelled   string                  // value of state Canceled; "" is 8
}

// ServiceRoute is where incidents of one service go. The names of its JSON are
// those of the guide's fact.
type ServiceRoute struct {
	Group string `json:"group"`
	CI    string `json:"ci"`
}

// Unattended is the identity that ServiceNow incidents are written as
// ([bot.Call.As]).
const Unattended = "unattended"

// The lengths that the Table API cuts at without a word (task.short_description
// and the journal fields of a baseline instance).
const (
	shortDescription = 160
	longDescription  = 4000
)

// route is where an issue's record goes.
func (m Mapping) route(service string) ServiceRoute {
	to := ServiceRoute{Group: m.Group}
	for _, name := range slices.Sorted(maps.Keys(m.Services)) {
		if ServiceKey(name) != ServiceKey(service) {
			continue
		}
		r := m.Services[name]
		to.CI = r.CI
		if r.Group != "" {
			to.Group = r.Group
		}
	}
	return to
}

// Weight is impact and urgency, 1 (high) to 3 (low). The instance makes the
// priority of both; a baseline one as [Weight.Priority] says.
type Weight struct {
	Impact  int `json:"impact"`
	Urgency int `json:"urgency"`
}

// Priority is what a baseline instance makes of impact and urgency.
func (w Weight) Priority() int { return w.Impact + w.Urgency - 1 }

// weigh gives an issue's impact from its classification and its urgency from
// its status, as Microsoft's own integration does, and keeps the priority
// within the cap: urgency gives way first.
func weigh(i *Issue, limit int) Weight {
	w := Weight{Impact: 1, Urgency: 2}
	if i.Advisory() {
		w.Impact = 3
	}
	switch g := gradeOf(i.Status); {
	case g == interrupted:
		w.Urgency = 1
	case i.Resolved || g <= recovering:
		w.Urgency = 3
	}
	for w.Priority() < min(limit, 5) {
		if w.Urgency < 3 {
			w.Urgency++
		} else {
			w.Impact++
		}
	}
	return w
}

// RecordFields are the columns of a new ServiceNow incident for an issue.
// correlation_id is the issue's ID: what makes it one.
func RecordFields(k Known, m Mapping) map[string]string {
	i := &k.Issue
	w := weigh(i, m.PriorityCap)
	to := m.route(i.Service)
	fields := map[string]string{}
	maps.Copy(fields, m.Columns)
	set := func(column, value string) {
		if value != "" {
			fields[column] = value
		}
	}
	set("short_description", shortTitle(i))
	set("description", describeIssue(k))
	set("impact", strconv.Itoa(w.Impact))
	set("urgency", strconv.Itoa(w.Urgency))
	set("category", m.Category)
	set("subcategory", m.Subcategory)
	set("assignment_group", to.Group)
	set("cmdb_ci", to.CI)
	set("caller_id", m.Caller)
	set("correlation_id", i.ID)
	set("correlation_display", "Keyturn")
	return fields
}

// shortTitle is Microsoft's title with the ID, in what the column holds.
func shortTitle(i *Issue) string {
	title := oneLine(Convert(i.Title).Plain())
	if title == "" {
		title = Notice(*i, shortDescription)
	}
	tail := " (" + i.ID + ")"
	return CutAtSentence(title, shortDescription-length(tail)) + tail
}

// describeIssue is everything else that Microsoft says, in plain text.
func describeIssue(k Known) string {
	i := &k.Issue
	var b strings.Builder
	add := func(label, text string) {
		if text = strings.TrimSpace(text); text != "" {
			fmt.Fprintf(&b, "%s: %s\n", label, text)
		}
	}
	add("Service", serviceName(i))
	add("Feature", oneLine(i.Feature))
	add("Type", i.Class())
	add("Status", StatusWords(i.Status))
	if !i.Start.IsZero() {
		add("Since", i.Start.UTC().Format("2 Jan 2006 15:04 UTC"))
	}
	add("User impact", Notice(*i, 1000))
	add("Microsoft 365 admin center", AlertLink(i.ID))
	if p := i.Latest(); p != nil {
		add("\nLatest from Microsoft, "+p.Created.UTC().Format("2 Jan 2006 15:04 UTC"), "\n"+Convert(p.Content).Plain())
	}
	return CutAtSentence(strings.TrimSpace(b.String()), longDescription)
}

// noMarks takes the chat's marks away: an instance on an older database keeps
// no emoji, and the word beside each says the same.
var noMarks = strings.NewReplacer(markIncident+" ", "", markAdvisory+" ", "", markResolved+" ", "", markBlind+" ", "")

// WorkNote is what a change says in a ServiceNow incident, in plain text. It is
// empty for a change that says nothing.
func WorkNote(k Known, c Change) string {
	if !c.Replies() {
		return ""
	}
	said := Reply(k, c)
	words := strings.TrimSpace(noMarks.Replace(said.Words()))
	if !c.Aloud { // what is told aloud names the issue by itself
		words = k.Issue.ID + " · " + words
	}
	return CutAtSentence(words+"\n"+AlertLink(k.Issue.ID), longDescription)
}

// ResolveFields are the columns that resolve the ServiceNow incident of an
// issue that Microsoft has resolved.
func ResolveFields(k Known, m Mapping) map[string]string {
	end := k.Issue.End
	if end.IsZero() {
		end = k.Issue.Modified
	}
	notes := "Microsoft resolved " + k.Issue.ID
	if !end.IsZero() {
		notes += " on " + end.UTC().Format("2 Jan 2006 15:04 UTC")
	}
	notes += "."
	if outcome := face(&k.Issue); outcome.headline == "Outcome" {
		notes += " " + oneLine(outcome.status.Plain())
	}
	notes += " " + AlertLink(k.Issue.ID)
	return map[string]string{"state": m.resolved(), "close_code": m.CloseCode, "close_notes": CutAtSentence(notes, 1000)}
}

func (m Mapping) resolved() string {
	if m.Resolved == "" {
		return "6"
	}
	return m.Resolved
}

func (m Mapping) cancelled() string {
	if m.Cancelled == "" {
		return "8"
	}
	return m.Cancelled
}

func (m Mapping) progress() string {
	if m.Progress == "" {
		return "2"
	}
	return m.Progress
}

// Record is what is kept of an issue's ServiceNow incident.
type Record struct {
	Issue  string    `json:"issue"`
	SysID  string    `json:"sys_id"` // fact "sys_id" of the create call
	Number string    `json:"number"` // fact "number"
	Made   time.Time `json:"made"`
	Pushed Weight    `json:"pushed"`           // impact and urgency as last written, so that a person's own stay
	Last   string    `json:"last,omitempty"`   // the [ChangeID] written last
	Ours   bool      `json:"ours,omitempty"`   // we resolved it
	Closed bool      `json:"closed,omitempty"` // a person closed it: left alone for good
}

// RecordState is what the instance says of a record right before a write.
type RecordState struct {
	SysID       string
	Number      string
	State       string
	Correlation string
	Display     string // correlation_display: the change that was written last
}

const recordColumns = "sys_id,number,state,correlation_id,correlation_display"

func tablePath(sysID string) string {
	p := "/api/now/table/incident"
	if sysID != "" {
		p += "/" + url.PathEscape(sysID)
	}
	return p
}

// ReadRecord is the call that reads a record before it is written to:
// [ParseRecord] reads the answer.
func ReadRecord(r Record) bot.Call {
	return bot.Call{ID: "read", System: bot.ServiceNow, Method: "GET", As: Unattended, Fine: []int{404},
		Path: tablePath(r.SysID) + "?sysparm_fields=" + recordColumns + "&sysparm_exclude_reference_link=true",
		What: "Reads " + r.Number + " before it is written to"}
}

// ParseRecord reads the answer of [ReadRecord]. ok is false where the record is
// gone, or hidden from the unattended user, or is not the issue's.
func ParseRecord(status int, body json.RawMessage, issue string) (s RecordState, ok bool) {
	var a struct {
		Result struct {
			SysID       string `json:"sys_id"`
			Number      string `json:"number"`
			State       string `json:"state"`
			Correlation string `json:"correlation_id"`
			Display     string `json:"correlation_display"`
		} `json:"result"`
	}
	if status != 200 || json.Unmarshal(body, &a) != nil || a.Result.SysID == "" {
		return RecordState{}, false
	}
	s = RecordState(a.Result)
	return s, s.Correlation == issue
}
