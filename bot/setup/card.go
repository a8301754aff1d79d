package setup

import (
	"fmt"
	"slices"
	"strings"

	"keyturn/bot"
)

// CardKey is the ledger's key of a person's card of one visit.
func CardKey(run string, p bot.PersonID, visit int) string {
	return fmt.Sprintf("run/%s/card/%s/%d", run, p, visit)
}

// Card is everything that one visit asks of a person.
func (s Scene) Card(p bot.PersonID, visit int) bot.Message {
	m := bot.Message{Key: CardKey(s.Run.ID, p, visit)}
	visits := s.Run.Visits[p]
	if visit < 0 || visit >= len(visits) {
		return m
	}
	var specs []*Spec
	open, busy, minutes := 0, 0, 0
	for _, id := range visits[visit].Steps {
		spec, ok := s.Guide.Step(id)
		if !ok {
			continue
		}
		specs = append(specs, spec)
		switch st := s.Run.Step(id); {
		case st == nil:
		case s.waitsFor(spec, st, p):
			open++
			minutes += spec.Minutes
		case !st.State.Settled() && !WaitsForPerson(spec, st) && (st.Holder == "" || st.Holder == p):
			busy++
		}
	}
	switch {
	case s.Run.State == RunOpen && open > 0:
		m.Add(bot.Heading{Text: plural(open, "step waits for you", "steps wait for you")})
	case s.Run.State == RunOpen && busy > 0:
		m.Add(bot.Heading{Text: "At work on " + plural(busy, "step", "steps") + " of yours"})
	default:
		m.Add(bot.Heading{Text: "Nothing waits for you here"})
	}
	intro := bot.Join(bot.T(s.name(s.Run.Requester)+" asked for: "), bot.B(s.title()), s.changes())
	if minutes > 0 && s.Run.State == RunOpen {
		intro = bot.Join(intro, bot.T(fmt.Sprintf(". About %s.", plural(minutes, "minute", "minutes"))))
	}
	m.Add(bot.Paragraph{Text: intro})
	primary := true
	for _, spec := range specs {
		st := s.Run.Step(spec.ID)
		if st == nil {
			continue
		}
		m.Add(bot.Divider{})
		s.step(&m, spec, st, p, &primary)
	}
	m.Add(bot.Note{Text: bot.T("Run " + s.Run.ID + ". The same by command: /keyturn mine")})
	return m
}

// step draws one step of a card.
func (s Scene) step(m *bot.Message, spec *Spec, st *Step, p bot.PersonID, primary *bool) {
	m.Add(bot.Paragraph{Text: bot.Join(bot.B(spec.Title), bot.T("\n"), s.cardMark(spec, st, p))})
	if s.Run.State != RunOpen && !st.State.Settled() {
		m.Add(bot.Paragraph{Text: bot.T("The run was " + string(s.Run.State) + ", so nothing more is asked of you. " + s.Run.Why)})
		return
	}
	if st.Gone() {
		s.goneStep(m, spec, st, p, primary)
		return
	}
	if st.Holder != "" && st.Holder != p && !st.State.Settled() {
		m.Add(bot.Paragraph{Text: bot.T(s.name(st.Holder) + " has taken this step.")})
		return
	}
	if !st.State.Settled() && spec.Role != bot.Requester && !s.Tenant.Holds(p, spec.Role) {
		m.Add(bot.Paragraph{Text: bot.T("You do not hold " + spec.Role.Title() + " any more, so this step waits for others. " + s.Tenant.Doubts[spec.Role])})
		return
	}
	s.heldStep(m, st)
	switch st.State {
	case Done, Confirmed, Skipped, NotNeeded:
		s.settledStep(m, spec, st)
	case Pending:
		what, _, _ := spec.words(s.Context())
		m.Add(bot.Paragraph{Text: bot.T(what + " It begins when the steps before it are settled.")})
	case Looking:
		what, _, _ := spec.words(s.Context())
		m.Add(bot.Paragraph{Text: bot.T(what + " I am reading what exists, then you see the exact calls here.")})
	case Running:
		s.runningStep(m, st)
	case Checking:
		s.openStep(m, spec, st, primary)
	case Failed:
		s.failedStep(m, spec, st, primary)
	case Planned:
		s.plannedStep(m, spec, st, primary)
	case Unsigned:
		s.unsignedStep(m, spec, st, p, primary)
	default:
		s.openStep(m, spec, st, primary)
	}
}

// waitsFor reports whether nothing goes on for a step before this person acts.
func (s Scene) waitsFor(spec *Spec, st *Step, p bot.PersonID) bool {
	switch {
	case !WaitsForPerson(spec, st):
		return false
	case st.Gone():
		return p == s.Run.Requester
	case st.State == Unsigned && st.Approval != nil: // what was approved runs as nobody else
		return p == st.Approval.Person
	}
	return st.Holder == "" || st.Holder == p
}

// heldStep says that a step goes on by itself once a system lets it.
func (s Scene) heldStep(m *bot.Message, st *Step) {
	if st.Problem == nil || (st.State != Looking && st.State != Running && st.State != Checking) {
		return
	}
	m.Add(bot.Paragraph{Text: bot.Join(bot.T("⏳ "+st.Problem.Says+" I go on by myself at "), bot.When(st.Later, bot.DateTime), bot.T("; nobody has to do anything."))})
	small(m, st.Problem)
}

// cardMark is the mark of a step on its person's own card.
func (s Scene) cardMark(spec *Spec, st *Step, p bot.PersonID) bot.Text {
	if s.Run.State == RunOpen && s.waitsFor(spec, st, p) {
		if st.State == Failed {
			return bot.T("⛔ failed, waiting for you")
		}
		return bot.T("🔵 waiting for you")
	}
	return s.mark(spec, st)
}

func (s Scene) plannedStep(m *bot.Message, spec *Spec, st *Step, primary *bool) {
	if st.Undoing {
		m.Add(bot.Paragraph{Text: bot.T("This is the way back: the calls below undo what the step made.")})
	} else {
		s.about(m, spec)
	}
	if st.Problem != nil {
		m.Add(bot.Paragraph{Text: bot.T("⛔ " + st.Problem.words())})
		small(m, st.Problem)
	}
	if len(st.Plan.Exists) > 0 {
		var lines []bot.Text
		for _, e := range st.Plan.Exists {
			lines = append(lines, bot.T("• "+e))
		}
		m.Add(bot.Paragraph{Text: bot.Lines(append([]bot.Text{bot.B("What exists already")}, lines...)...)})
	}
	s.changeLines(m, spec, st)
	var calls []bot.Text
	for _, c := range st.Plan.Calls {
		if c.Write() {
			calls = append(calls, bot.Join(bot.T(c.What+" "), bot.C(c.Method+" "+Redact(c.Path))))
		}
	}
	v := s.value(spec, st)
	if system, ok := spec.ByHand(s.Context()); ok {
		s.scripted(m, spec, st, system, calls, primary)
		return
	}
	m.Add(bot.Paragraph{Text: bot.B("What will be called")}, bot.Numbered{Items: calls})
	pim := s.inactive(m, spec, st)
	buttons := []bot.Button{
		{Label: "Approve and run", Action: ActApprove, Value: v, Style: take(primary), Says: "Approve and run: " + spec.Title},
		{Label: "Show exact calls", Action: ActCalls, Value: v, Says: "Show exact calls: " + spec.Title},
		{Label: "Give me the script", Action: ActScript, Value: v, Says: "Give me the script: " + spec.Title},
		{Label: "I did it by hand, check", Action: ActCheck, Value: v, Says: "I did it by hand, check: " + spec.Title},
	}
	m.Add(bot.Buttons{Items: slices.Concat(buttons, pim, s.declining(spec, st))})
}

// declining gives the buttons for those who will not do the step now.
func (s Scene) declining(spec *Spec, st *Step) []bot.Button {
	v := s.value(spec, st)
	var out []bot.Button
	if st.Holder == "" && len(s.Run.HoldersOf(spec.Role)) > 1 {
		out = append(out, bot.Button{Label: "I take it", Action: ActTake, Value: v, Says: "I take it: " + spec.Title})
	}
	out = append(out, bot.Button{Label: "Remind me tomorrow 09:00", Action: ActRemind, Value: v, Says: "Remind me tomorrow 09:00: " + spec.Title})
	if spec.Role != bot.Requester {
		out = append(out, bot.Button{Label: "Not me", Action: ActNotMe, Value: v, Says: "Not me: " + spec.Title})
	}
	if st.State == Planned {
		out = append(out, bot.Button{Label: "Reject", Action: ActReject, Value: v, Says: "Reject: " + spec.Title})
	} else if !spec.NoSkip {
		out = append(out, bot.Button{Label: "Skip with reason", Action: ActSkip, Value: v, Says: "Skip with reason: " + spec.Title})
	}
	return out
}

func (s Scene) about(m *bot.Message, spec *Spec) {
	what, mind, back := spec.words(s.Context())
	lines := []bot.Text{bot.T(what)}
	if mind != "" {
		lines = append(lines, bot.Join(bot.B("Mind: "), bot.T(mind)))
	}
	if back != "" {
		lines = append(lines, bot.Join(bot.B("Way back: "), bot.T(back)))
	}
	if len(spec.Accepts) > 0 {
		lines = append(lines, bot.Join(bot.B("Microsoft accepts: "), bot.T(spec.accepted())))
	}
	if spec.IfWaits != "" {
		lines = append(lines, bot.Join(bot.B("If it waits: "), bot.T(spec.IfWaits)))
	}
	m.Add(bot.Paragraph{Text: bot.Lines(lines...)})
}

// openStep draws a guided step, or a step whose API cannot plan.
func (s Scene) openStep(m *bot.Message, spec *Spec, st *Step, primary *bool) {
	s.about(m, spec)
	s.changeByHand(m, spec)
	if st.Problem != nil && st.State != Checking {
		m.Add(bot.Paragraph{Text: bot.T("⛔ " + st.Problem.words())})
		small(m, st.Problem)
	}
	if st.State == Checking && !(spec.API != nil && spec.API.Poll) {
		return
	}
	g, v := spec.Guided, s.value(spec, st)
	var buttons []bot.Button
	if system, ok := spec.ByHand(s.Context()); ok && (g == nil || g.Ask == nil) {
		s.unplanned(m, spec, st, system, primary)
		return
	}
	if spec.handed(s.Context()) {
		g = spec.byHandGuide(s.Context())
	}
	if g != nil {
		s.guided(m, g)
		switch {
		case g.Ask != nil:
			buttons = append(buttons, bot.Button{Label: word(g, "Enter the values"), Action: ActAnswer, Value: v, Style: take(primary), Says: word(g, "Enter the values") + ": " + spec.Title})
		case spec.API == nil:
			buttons = append(buttons, bot.Button{Label: word(g, "I did it"), Action: ActDid, Value: v, Style: take(primary), Says: word(g, "I did it") + ": " + spec.Title})
		}
	}
	if spec.API != nil && spec.API.Verify != nil && (g == nil || g.Ask == nil) {
		buttons = append(buttons, bot.Button{Label: "I did it, check", Action: ActCheck, Value: v, Style: take(primary), Says: "I did it, check: " + spec.Title})
	}
	m.Add(bot.Buttons{Items: append(buttons, s.declining(spec, st)...)})
}

func (s Scene) guided(m *bot.Message, g *Guided) {
	c := s.Context()
	if g.Do != nil {
		m.Add(bot.Numbered{Items: g.Do(c)})
	}
	if g.Link != nil {
		if label, url := g.Link(c); url != "" {
			m.Add(bot.Paragraph{Text: bot.Link(label, url)})
		}
	}
	if g.Copy != nil {
		for _, f := range g.Copy(c) {
			m.Add(f)
		}
	}
	if g.Leave != "" {
		m.Add(bot.Paragraph{Text: bot.B(g.Leave)})
	}
}

func (s Scene) runningStep(m *bot.Message, st *Step) {
	if a := st.Approval; a != nil {
		line := bot.Join(bot.T("Approved by "+s.name(a.Person)+" "), bot.When(a.At, bot.Clock))
		if a.Account != "" {
			line = bot.Join(line, bot.T(", running as "), bot.C(a.Account))
		}
		m.Add(bot.Paragraph{Text: line})
		if a.Glass != "" {
			m.Add(bot.Paragraph{Text: bot.Join(bot.B("Break glass: "), bot.T(a.Glass))})
		}
	}
}

func (s Scene) settledStep(m *bot.Message, spec *Spec, st *Step) {
	var lines []bot.Text
	if a := st.Approval; a != nil && st.State == Done {
		line := bot.Join(bot.T("Approved by "+s.name(a.Person)+" "), bot.When(a.At, bot.Clock))
		if a.Account != "" {
			line = bot.Join(line, bot.T(", ran as "), bot.C(a.Account))
		}
		lines = append(lines, line)
	}
	switch {
	case len(st.Proof) > 0 && st.State == Confirmed: // the rest is a person's word
		lines = append(lines, bot.T("Looked up by me: "+strings.Join(st.Proof, "; ")))
	case len(st.Proof) > 0:
		lines = append(lines, bot.T("Read back: "+strings.Join(st.Proof, "; ")))
	}
	if st.State == Skipped {
		lines = append(lines, bot.T("Reason: "+st.Why))
	}
	if len(lines) > 0 {
		m.Add(bot.Paragraph{Text: bot.Lines(lines...)})
	}
	var ids []string
	for _, r := range st.Results {
		if r.RequestID != "" && !r.Found {
			ids = append(ids, r.RequestID)
		}
	}
	if len(ids) > 0 {
		m.Add(bot.Note{Text: bot.T("Requests " + list(ids))})
	}
	if s.Undoable(spec, st) {
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Undo", Action: ActUndo, Value: s.value(spec, st), Style: bot.Danger,
			Says: "Undo: " + spec.Title,
			Confirm: &bot.Confirm{Title: "Undo this step?", Text: spec.Title + ". " + spec.Undo,
				Yes: "Show what undo will call", No: "Leave it"}}}})
	}
}

// Undoable reports whether a step can be undone now: it ran here, the API has
// a way back, and nothing that was done later builds on it.
func (s Scene) Undoable(spec *Spec, st *Step) bool {
	if s.Run.State != RunOpen || spec.API == nil || spec.API.Back == nil || st.State != Done || st.Approval == nil {
		return false
	}
	for i := range s.Guide.Steps {
		later := &s.Guide.Steps[i]
		if !slices.Contains(later.Needs, spec.ID) {
			continue
		}
		if o := s.Run.Step(later.ID); o != nil && (o.State == Done || o.State == Confirmed || o.State == Running) {
			return false
		}
	}
	return true
}

func word(g *Guided, otherwise string) string {
	if g.Word != "" {
		return g.Word
	}
	return otherwise
}

// take gives the primary style to the first button that asks for it.
func take(primary *bool) bot.ButtonStyle {
	if !*primary {
		return bot.Normal
	}
	*primary = false
	return bot.Primary
}
