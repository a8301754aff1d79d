package main

import (
	"fmt"
	htmltemplate "html/template"
	"io"
	"slices"
	"strings"
	"text/template"
	"time"

	_ "embed"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// report is what an auditor reads about one run: drawn from the verified trail,
// with names from the configuration and their own table, and what exists from the
// inventory.
type report struct {
	ID        string
	Tenant    *bot.Tenant
	Made      time.Time
	Head      string // of the trail that it was drawn from
	Guide     string
	Requester string
	Change    string
	Began     string
	State     string
	Approvals []reportedApproval
	Steps     []reportedStep
	Objects   []reportedObject
	Lines     []reportedLine // every entry

	entries []bot.AuditEntry
	names   engine.Names
	base    func(bot.System) string
}

type reportedApproval struct{ At, Who, Account, Via, Step, Plan, Change string }

type reportedStep struct {
	Title    string
	Exists   []string // as the approver was shown
	Approved []string // the exact calls
	Calls    []reportedCall
	Outcomes []string
}

type reportedCall struct{ At, What, Call, Account, Request, Result string }

type reportedObject struct{ What, Name, ID, Link, By, At, Expires, Removed string }

type reportedLine struct {
	Seq                           uint64
	At, Act, Who, Account, Step   string
	Status, Request, Change, Note string
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// who names a person with the ID that Entra's own log has.
func (r *report) who(p bot.PersonID) string {
	if p == "" {
		return "Keyturn"
	}
	if person, ok := r.Tenant.Person(p); ok && person.Name != "" {
		return person.Name + " (" + string(p) + ")"
	}
	if name := r.names[string(p)]; strings.HasSuffix(name, string(p)) { // an erased person
		return name
	} else if name != "" {
		return name + " (" + string(p) + ")"
	}
	return string(p)
}

func (r *report) fill(k keptRun) {
	r.Began, r.State = stamp(r.entries[0].At), string(k.Run.State)
	guide, known := setup.GuideFor(k.Run.Guide)
	r.Requester = r.who(k.Run.Requester)
	if k.Run.ID == "" { // removed after its time: the trail says the rest
		r.State = "over; its state is no longer kept"
		r.Requester = r.who(r.entries[0].Person)
		guide, known = setup.GuideFor(setup.GuideID(r.entries[0].Note))
	}
	title := func(id string) string { return id }
	if known {
		r.Guide = guide.Title
		title = func(id string) string {
			if s, ok := guide.Step(setup.StepID(id)); ok {
				return s.Title
			}
			return id
		}
	}
	var order []string
	steps := map[string]*reportedStep{}
	for _, e := range r.entries {
		r.Lines = append(r.Lines, r.line(e))
		if e.Change != "" {
			r.Change = e.Change
		}
		if e.Step == "" {
			continue
		}
		if steps[e.Step] == nil {
			steps[e.Step] = &reportedStep{Title: title(e.Step)}
			order = append(order, e.Step)
		}
		if e.Act == "approve" {
			r.Approvals = append(r.Approvals, reportedApproval{At: stamp(e.At), Who: r.who(e.Person), Account: e.Account, Via: e.Via, Step: title(e.Step), Plan: e.Plan, Change: e.Change})
		}
		r.step(steps[e.Step], e)
	}
	for _, id := range order {
		r.Steps = append(r.Steps, *steps[id])
	}
	for _, o := range k.Objects {
		r.Objects = append(r.Objects, reportedObject{What: o.System.Name() + ", " + o.Kind, Name: o.Name, ID: o.ID, Link: o.Link,
			By: r.who(o.By), At: stamp(o.At), Expires: stamp(o.Expires), Removed: stamp(o.Removed)})
	}
}

// step adds what one entry says about its step.
func (r *report) step(s *reportedStep, e bot.AuditEntry) {
	switch e.Act {
	case "approve":
		s.Exists, s.Approved = e.Exists, nil
		for _, c := range e.Calls {
			s.Approved = append(s.Approved, c.What+"\n"+setup.Shown(c, r.base))
		}
	case "call":
		c := reportedCall{At: stamp(e.At), Account: e.Account, Request: e.Request, Result: "no result is recorded"}
		if e.Call != nil {
			c.What, c.Call = e.Call.What, e.Call.Method+" "+r.base(e.Call.System)+setup.Redact(e.Call.Path)
		}
		s.Calls = append(s.Calls, c)
	case "result", "failed":
		n := slices.IndexFunc(s.Calls, func(c reportedCall) bool { return c.Request == e.Request })
		if n < 0 {
			s.Outcomes = append(s.Outcomes, stamp(e.At)+": "+e.Act+": "+e.Note)
			return
		}
		s.Calls[n].Result = fmt.Sprintf("%s %s", e.Act, number(e.Status))
		if e.Act == "failed" || strings.HasPrefix(e.Note, "found") {
			s.Calls[n].Result += ": " + e.Note
		}
	default:
		s.Outcomes = append(s.Outcomes, fmt.Sprintf("%s: %s · %s · %s", stamp(e.At), orSelf(acts[e.Act], e.Act), r.who(e.Person), e.Note))
	}
}

// acts are the acts whose names say too little.
var acts = map[string]string{
	"proved":  "PROVED, read back",
	"confirm": "CONFIRMED, a person's word",
	"check":   "done by hand, to be read back",
	"void":    "the approval became void, nothing was called",
}

func orSelf(words, self string) string {
	if words == "" {
		return self
	}
	return words
}

func (r *report) line(e bot.AuditEntry) reportedLine {
	note := e.Note
	if e.Call != nil {
		note = strings.TrimSpace(e.Call.Method + " " + r.base(e.Call.System) + setup.Redact(e.Call.Path) + " " + note)
	}
	return reportedLine{Seq: e.Seq, At: stamp(e.At), Act: e.Act, Who: r.who(e.Person), Account: e.Account, Step: e.Step,
		Status: number(e.Status), Request: e.Request, Change: e.Change, Note: note}
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

//go:embed report.md.tmpl
var reportMarkdown string

//go:embed report.html.tmpl
var reportHTML string

// inert is text that Markdown leaves as it is, in one line of a table.
func inert(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`).Replace(s)
}

// fenced is text in a fence that it cannot close.
func fenced(s string) string {
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + "\n" + strings.TrimRight(s, "\n") + "\n" + fence
}

func (r *report) markdown(w io.Writer) error {
	t := template.Must(template.New("report").Funcs(template.FuncMap{"t": inert, "code": fenced, "at": stamp}).Parse(reportMarkdown))
	return t.Execute(w, r)
}

func (r *report) html(w io.Writer) error {
	t := htmltemplate.Must(htmltemplate.New("report").Funcs(htmltemplate.FuncMap{"at": stamp}).Parse(reportHTML))
	return t.Execute(w, r)
}
