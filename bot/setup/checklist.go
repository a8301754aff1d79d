package setup

import (
	"fmt"
	"slices"
	"time"

	"keyturn/bot"
)

// The verbs of the buttons of a run.
const (
	ActStatus = "run-status"
	ActNudge  = "run-nudge"
	ActCancel = "run-cancel"
	ActMine   = "run-mine" // show me my card
	ActClean  = "run-clean"
	ActGuide  = "guide" // open the start form of a guide
	// ActReplace begins the guide rotate for a credential of the inventory.
	ActReplace = "replace"

	ActApprove = "step-approve"
	ActCalls   = "step-calls"
	ActScript  = "step-script"
	ActCheck   = "step-check"
	ActNotMe   = "step-not-me"
	ActReject  = "step-reject"
	ActTake    = "step-take"
	ActRemind  = "step-remind"
	ActRetry   = "step-retry"
	ActSkip    = "step-skip"
	ActUndo    = "step-undo"
	ActAnswer  = "step-answer"
	ActDid     = "step-answer-did" // a word alone, which opens no form
	ActBring   = "step-bring"      // done by hand where nothing is read back: a form for what later steps need
	ActGoOn    = "run-go-on"
	ActEnd     = "run-end"

	ActActivated = "step-activated" // the role that was missing is active now
	ActGlass     = "step-glass"     // break glass: run it although our own rules say no
	ActSignIn    = "step-sign-in"
	ActLink      = "account-link"     // this account is mine
	ActLinkYes   = "account-link-yes" // an owner agrees
	ActLinkNo    = "account-link-no"
	ActReveal    = "step-reveal" // a secret is shown once, on Keyturn's own page
)

// Checklist is the run's one message in its channel.
func (s Scene) Checklist() bot.Message {
	m := bot.Message{Key: ChecklistKey(s.Run.ID)}
	m.Add(bot.Heading{Text: s.Guide.Title})
	m.Add(bot.Paragraph{Text: bot.Join(bot.B(s.Tenant.Name), bot.T(s.instance()), bot.T(" · asked for by "+s.name(s.Run.Requester)), s.changes())})
	if s.Guide.Warning != "" {
		m.Add(bot.Paragraph{Text: bot.T(s.Guide.Warning)})
	}
	m.Add(bot.Paragraph{Text: s.progress()})
	m.Add(bot.Paragraph{Text: bot.Lines(s.lines()...)})
	if s.Run.State != RunOpen {
		s.record(&m)
		m.Add(bot.Note{Text: bot.T("Run " + s.Run.ID)})
		return m
	}
	if lines := s.unreached(); len(lines) > 0 {
		m.Add(bot.Paragraph{Text: bot.Lines(lines...)})
	}
	v := s.Run.ID
	m.Add(bot.Buttons{Items: []bot.Button{
		{Label: "Status", Action: ActStatus, Value: v},
		{Label: "My steps", Action: ActMine, Value: v},
		{Label: "Nudge", Action: ActNudge, Value: v, Says: "Nudge whoever the run waits for"},
		{Label: "Cancel", Action: ActCancel, Value: v, Says: "Cancel this run"},
	}}, bot.Note{Text: bot.T("Run " + v + ". The same by command: /keyturn status, /keyturn nudge, /keyturn cancel")})
	return m
}

// lines is a line for each step: its mark, what it is, whose, and since when.
func (s Scene) lines() []bot.Text {
	var lines []bot.Text
	for i := range s.Guide.Steps {
		spec := &s.Guide.Steps[i]
		st := s.Run.Step(spec.ID)
		if st == nil || (st.State == NotNeeded && s.Run.State != RunOpen) {
			continue
		}
		line := bot.Join(s.mark(spec, st), bot.T(" · "), bot.B(spec.Title), bot.T(" · "+spec.Role.Title()))
		switch {
		case !st.At.IsZero() && st.State != NotNeeded:
			line = bot.Join(line, bot.T(" · "), bot.When(st.At, s.style(st.At)))
		case !st.Since.IsZero() && !st.State.Settled():
			line = bot.Join(line, bot.T(" · since "), bot.When(st.Since, s.style(st.Since)))
		}
		lines = append(lines, line)
	}
	return lines
}

// unreached is a line for each person whose card could not be delivered, with
// the way to mend that.
func (s Scene) unreached() []bot.Text {
	var lines []bot.Text
	for _, p := range s.Tenant.People {
		if why, ok := s.Run.Unreached[p.ID]; ok {
			lines = append(lines, bot.Join(bot.T("⛔ I cannot reach "), bot.B(p.Name), bot.T(". "+why)))
		}
	}
	return lines
}

// ChecklistKey is the ledger's key of a run's checklist.
func ChecklistKey(run string) string { return "run/" + run + "/checklist" }

func (s Scene) instance() string {
	if s.Run.Instance == "" {
		return ""
	}
	return " · " + s.Run.Instance
}

// progress is the line that says how far the run is and who it waits for.
func (s Scene) progress() bot.Text {
	settled, all := s.Run.Count()
	head := bot.B(fmt.Sprintf("%d of %d done", settled, all))
	switch s.Run.State {
	case RunDone:
		return bot.Join(bot.T("✅ "), bot.B("finished "), bot.When(s.Run.Ended, bot.DateTime))
	case RunCancelled:
		return bot.Join(bot.T("⏭ "), bot.B("cancelled "), bot.When(s.Run.Ended, bot.DateTime), bot.T(". "+s.Run.Why))
	case RunEnded:
		return bot.Join(bot.T("⏭ "), bot.B("ended: the service is gone. "), bot.T(s.Run.Why))
	}
	for _, w := range s.waits() {
		head = bot.Join(head, bot.T(" · "), w)
	}
	return head
}

// waits names each team that is waited for, the longest wait first.
func (s Scene) waits() []bot.Text {
	since := map[string]time.Time{}
	var crews []string
	for i := range s.Guide.Steps {
		spec := &s.Guide.Steps[i]
		st := s.Run.Step(spec.ID)
		if st == nil || !WaitsForPerson(spec, st) {
			continue
		}
		crew := s.crew(spec, st)
		first, ok := since[crew]
		if !ok {
			crews = append(crews, crew)
		}
		if !ok || st.Since.Before(first) {
			since[crew] = st.Since
		}
	}
	slices.SortStableFunc(crews, func(a, b string) int { return since[a].Compare(since[b]) })
	var out []bot.Text
	for _, crew := range crews {
		out = append(out, bot.Join(bot.T("waiting for "+crew+" since "), bot.When(since[crew], s.style(since[crew]))))
	}
	return out
}

// WaitsForPerson reports whether nothing goes on for a step before somebody
// acts.
func WaitsForPerson(spec *Spec, st *Step) bool {
	switch st.State {
	case Open, Planned, Failed, Unsigned:
		return true
	case Checking:
		return spec.API != nil && spec.API.Poll
	}
	return false
}

func (s Scene) style(t time.Time) bot.TimeStyle {
	if s.Now.Sub(t) > 18*time.Hour {
		return bot.DateTime
	}
	return bot.Clock
}

// Status is the private answer to "who is waited for, for what, since when".
func (s Scene) Status() bot.Message {
	var m bot.Message
	m.Add(bot.Paragraph{Text: bot.Join(bot.B(s.title()), bot.T("\n"), s.progress())})
	var lines []bot.Text
	for i := range s.Guide.Steps {
		spec := &s.Guide.Steps[i]
		st := s.Run.Step(spec.ID)
		if st == nil || !WaitsForPerson(spec, st) {
			continue
		}
		var names []string
		for _, p := range s.Run.Waiting(spec, st) {
			names = append(names, s.name(p))
		}
		line := bot.Join(bot.T("🔵 waiting for "+list(names)+": "), bot.B(spec.Title), bot.T(", since "), bot.When(st.Since, bot.DateTime))
		if st.Problem != nil {
			line = bot.Join(line, bot.T(". "+s.says(st)))
		}
		lines = append(lines, line)
	}
	if len(lines) > 0 {
		m.Add(bot.Paragraph{Text: bot.Lines(lines...)})
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Nudge", Action: ActNudge, Value: s.Run.ID, Says: "Nudge whoever the run waits for"}}})
	}
	m.Add(bot.Note{Text: bot.T("Run " + s.Run.ID)})
	return m
}

// record adds what the run made that exists now, where, approved by whom, and
// what expires; and what was removed while it went on, whoever had made it.
func (s Scene) record(m *bot.Message) {
	here := []bot.Text{bot.B("What exists now")}
	gone := []bot.Text{bot.B("What was removed")}
	for _, o := range s.Objects {
		switch {
		case o.Run == s.Run.ID && o.Removed.IsZero():
			here = append(here, s.object(o))
		case !o.Removed.IsZero() && (o.Run == s.Run.ID || (!o.Removed.Before(s.Run.Started) && !o.Removed.After(s.Run.Ended))):
			gone = append(gone, s.object(o))
		}
	}
	if len(gone) > 1 {
		m.Add(bot.Paragraph{Text: bot.Lines(gone...)})
	}
	var buttons []bot.Button
	if s.Run.Shown > 0 {
		m.Add(bot.Paragraph{Text: bot.T(fmt.Sprintf("Secrets shown to a person: %d. What was on a screen is better replaced.", s.Run.Shown))})
		if o, ok := Exposed(s.Context()); ok && o.Removed.IsZero() {
			buttons = append(buttons, ReplaceButton(s.Tenant.ID, o))
		}
	}
	if len(here) == 1 {
		m.Add(bot.Paragraph{Text: bot.T("Nothing that this run made exists now.")})
	} else {
		m.Add(bot.Paragraph{Text: bot.Lines(here...)})
	}
	switch {
	case s.Run.State == RunEnded:
		buttons = append(buttons, s.waysOn()...)
	case len(here) > 1 && s.Run.Guide != Cleanup:
		buttons = append(buttons, s.cleanUp())
	}
	if len(buttons) > 0 {
		m.Add(bot.Buttons{Items: buttons})
	}
}

// cleanUp begins the guide that removes what exists.
func (s Scene) cleanUp() bot.Button {
	return bot.Button{Label: "Clean up", Action: ActClean, Value: s.Run.ID, Says: "Clean up: start the cleanup guide for " + s.Tenant.Name}
}

// waysOn are the guides that work where the service of this one is gone. What an
// earlier setup left is there also where this run made nothing.
func (s Scene) waysOn() []bot.Button {
	return []bot.Button{{Label: "Set up direct", Action: ActGuide, Value: string(Direct), Style: bot.Primary, Says: "Set up direct: service health without the connector"}, s.cleanUp()}
}

func (s Scene) object(o bot.Object) bot.Text {
	name := bot.B(o.Name)
	if o.Link != "" {
		name = bot.Link(o.Name, o.Link)
	}
	line := bot.Join(bot.T("• "+o.System.Name()+", "+KindWords(o.Kind)+": "), name)
	if o.ID != "" && o.ID != o.Name {
		line = bot.Join(line, bot.T(" "), bot.C(o.ID))
	}
	if !o.Removed.IsZero() {
		return bot.Join(line, bot.T(" · removed "), bot.When(o.Removed, bot.DateTime))
	}
	if o.By != "" {
		line = bot.Join(line, bot.T(" · approved by "+s.name(o.By)))
	}
	if !o.Expires.IsZero() {
		line = bot.Join(line, bot.T(" · expires "), bot.When(o.Expires, bot.DateOnly))
	}
	return line
}

// Left is what a cancelled run leaves behind, said before and after cancelling.
func (s Scene) Left() bot.Message {
	var lines []bot.Text
	for _, o := range s.Objects {
		if o.Run == s.Run.ID && o.Removed.IsZero() {
			lines = append(lines, s.object(o))
		}
	}
	m := bot.Say(bot.T("This run has made nothing, so it leaves nothing to clean up."))
	if len(lines) > 0 {
		m = bot.Say(bot.Lines(append([]bot.Text{bot.B("This run has made, and it stays until you clean it up:")}, lines...)...))
	}
	switch {
	case s.Run.State == RunEnded:
		m.Add(bot.Buttons{Items: s.waysOn()})
	case len(lines) > 0:
		m.Add(bot.Buttons{Items: []bot.Button{s.cleanUp()}})
	}
	return m
}
