package setup

import (
	"slices"
	"time"

	"keyturn/bot"
)

// ToldKey is the ledger's key of the one direct message that keeps whoever asked
// for a run up to date.
func ToldKey(run string) string { return "run/" + run + "/told" }

// Tells reports whether what became of a step is news to whoever asked for the
// run: what Keyturn only read, and what they did themselves, is not.
func (r *Run) Tells(spec *Spec, st *Step) bool {
	switch {
	case st.State == Failed:
		return true
	case !st.State.Settled() || st.State == NotNeeded || st.By == r.Requester:
		return false
	}
	return st.State != Done || spec.API == nil || !spec.API.Auto
}

// Told is that message: how far the run is, who is waited for, and what became
// of each step, the newest first. It is edited, so that one visit of an admin is
// not a message for each of its steps. It is empty while there is nothing to say.
func (s Scene) Told() bot.Message {
	type outcome struct {
		at   time.Time
		says bot.Text
	}
	var list []outcome
	for i := range s.Guide.Steps {
		spec := &s.Guide.Steps[i]
		st := s.Run.Step(spec.ID)
		if st == nil || !s.Run.Tells(spec, st) {
			continue
		}
		at := st.At
		if st.State == Failed && st.Problem != nil {
			at = st.Problem.At
		}
		list = append(list, outcome{at, bot.Join(bot.When(at, s.style(at)), bot.T(" "), s.became(spec, st))})
	}
	if len(list) == 0 {
		return bot.Message{}
	}
	slices.SortStableFunc(list, func(a, b outcome) int { return b.at.Compare(a.at) })
	m := bot.Say(bot.B(s.title()), bot.T(", which you asked for\n"), s.progress())
	var lines []bot.Text
	for _, o := range list {
		lines = append(lines, o.says)
	}
	m.Add(bot.Paragraph{Text: bot.Lines(lines...)})
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Status", Action: ActStatus, Value: s.Run.ID}}})
	m.Add(bot.Note{Text: bot.T("This message is kept up to date. I write anew when something needs you, is rejected or fails, and at the end. Run " + s.Run.ID)})
	return m
}

// became is what became of a step, in a line.
func (s Scene) became(spec *Spec, st *Step) bot.Text {
	t := bot.Join(s.mark(spec, st), bot.T(" · "), bot.B(spec.Title))
	if a := st.Approval; a != nil {
		t = bot.Join(t, bot.T(", approved by "+s.name(a.Person)))
		if a.Glass != "" {
			t = bot.Join(t, bot.T(", who broke the glass: "+a.Glass))
		}
	}
	switch {
	case st.State == Skipped:
		t = bot.Join(t, bot.T(". Reason: "+st.Why))
	case st.State == Failed && st.Problem != nil:
		t = bot.Join(t, bot.T(". "+s.problem(st)))
	}
	return t
}

// Finished tells whoever asked for a run that it is over, in a message of its
// own: an edit of the others reaches nobody.
func (s Scene) Finished() bot.Message {
	m := bot.Say(s.progress(), bot.T(": "), bot.B(s.title()), bot.T(", which you asked for. The checklist is the record: what exists now, where, approved by whom, and when it ends."))
	var lines []bot.Text
	for i := range s.Guide.Steps {
		spec := &s.Guide.Steps[i]
		if st := s.Run.Step(spec.ID); st != nil && st.State == Skipped {
			lines = append(lines, s.became(spec, st))
		}
	}
	if len(lines) > 0 {
		m.Add(bot.Paragraph{Text: bot.Lines(lines...)})
	}
	m.Add(bot.Note{Text: bot.T("Run " + s.Run.ID)})
	return m
}
