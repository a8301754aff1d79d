package setup

import (
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// How far the reminders of a step have come. Each comes once, after the
// tenant's working time has passed again.
const (
	remindedHolders   = 1 // those whom it waits for
	remindedBackup    = 2 // the backups of the role, who are asked from then on
	remindedRequester = 3 // the requester; nobody after
)

// reminds gives when a step's next reminder is due. Waiting for a role to be
// activated, or until a time that the person chose, stops the clock.
func (r *Run) reminds(spec *Spec, s *Step, t *bot.Tenant) (at time.Time, ok bool) {
	if t.RemindAfter <= 0 || r.State != RunOpen || s.Since.IsZero() || !WaitsForPerson(spec, s) || s.Inactive() {
		return time.Time{}, false
	}
	if last := remindedRequester; s.Reminded >= last || ((spec.Role == bot.Requester || s.Gone()) && s.Reminded >= remindedHolders) {
		return time.Time{}, false
	}
	from := s.Since
	for _, later := range []time.Time{s.RemindedAt, s.Quiet} {
		if later.After(from) {
			from = later
		}
	}
	if _, opens := r.Held(t.Changes, s.Plan, from); opens.After(from) { // nobody can act before
		from = opens
	}
	return t.Hours.Add(from, t.RemindAfter, t.Zone), true
}

// Inactive reports whether a step waits for its person to activate a role.
func (s *Step) Inactive() bool {
	return s.State == Failed && s.Problem != nil && s.Problem.Kind == bot.KindInactive
}

// NextReminder gives when the next reminder of a run is due.
func (r *Run) NextReminder(g *Guide, t *bot.Tenant) (at time.Time, ok bool) {
	for i := range g.Steps {
		s := r.Step(g.Steps[i].ID)
		if s == nil {
			continue
		}
		if due, does := r.reminds(&g.Steps[i], s, t); does && (!ok || due.Before(at)) {
			at, ok = due, true
		}
	}
	return at, ok
}

// Reminder is one that is due now, and whom it is for.
type Reminder struct {
	Step   StepID
	To     []bot.PersonID
	Backup bool           // they are asked now because others let it wait
	About  bool           // it tells the requester who is waited for
	Slow   []bot.PersonID // who let it wait
}

// Remind takes the reminders that are due: first those whom a step waits for,
// then the backups of its role, who may act from then on even where somebody
// had taken the step, then the requester.
func (r *Run) Remind(g *Guide, t *bot.Tenant, now time.Time) []Reminder {
	var out []Reminder
	for i := range g.Steps {
		spec := &g.Steps[i]
		s := r.Step(spec.ID)
		if s == nil {
			continue
		}
		if due, ok := r.reminds(spec, s, t); !ok || due.After(now) {
			continue
		}
		waiting := r.Waiting(spec, s)
		s.RemindedAt = now
		switch s.Reminded++; s.Reminded {
		case remindedHolders:
			out = append(out, Reminder{Step: spec.ID, To: waiting})
			continue
		case remindedBackup:
			if b := r.backups(spec, t, waiting); len(b) > 0 {
				r.relieve(spec, s, b, now)
				out = append(out, Reminder{Step: spec.ID, To: b, Backup: true, Slow: waiting})
				continue
			}
			s.Reminded = remindedRequester
		}
		out = append(out, Reminder{Step: spec.ID, To: []bot.PersonID{r.Requester}, About: true, Slow: waiting})
	}
	return out
}

// backups gives the people who can act for those who let a step wait: backups
// of the role, and holders whom somebody kept the step from by taking it.
func (r *Run) backups(spec *Spec, t *bot.Tenant, slow []bot.PersonID) []bot.PersonID {
	var out []bot.PersonID
	for _, p := range slices.Concat(r.HoldersOf(spec.Role), t.Backups[spec.Role]) {
		if t.Active(p) && t.Holds(p, spec.Role) && !slices.Contains(slow, p) && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// relieve asks the backups besides whoever let the step wait.
func (r *Run) relieve(spec *Spec, s *Step, backups []bot.PersonID, now time.Time) {
	s.Holder = ""
	for _, p := range backups {
		if !r.Asks(p, spec.Role) {
			r.Holders[spec.Role] = append(r.Holders[spec.Role], p)
		}
		r.PutOnCard(p, spec.ID, now)
	}
}

// Says is a reminder in words.
func (s Scene) Says(rem Reminder) bot.Message {
	spec, ok := s.Guide.Step(rem.Step)
	st := s.Run.Step(rem.Step)
	if !ok || st == nil {
		return bot.Message{}
	}
	since := bot.When(st.Since, bot.DateTime)
	var m bot.Message
	mine := bot.Buttons{Items: []bot.Button{{Label: "Show my steps", Action: ActMine, Value: s.Run.ID}}}
	switch {
	case rem.About:
		m = bot.Say(bot.T("Waiting for "+s.slow(spec, rem)+" since "), since, bot.T(": "), bot.B(spec.Title), bot.T(sentences(".", spec.IfItWaits(), s.others(spec))))
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Nudge", Action: ActNudge, Value: s.Run.ID, Says: "Nudge whoever the run waits for"}, {Label: "Status", Action: ActStatus, Value: s.Run.ID}}})
	case rem.Backup:
		m = bot.Say(bot.T("You are asked as backup: "), bot.B(spec.Title), bot.T(" waits for "+s.slow(spec, rem)+" since "), since, bot.T(sentences(" ("+s.title()+").", "Whoever acts first does it.", spec.IfItWaits())))
		m.Add(mine)
	default:
		m = bot.Say(bot.T("A reminder: "), bot.B(spec.Title), bot.T(" waits for you since "), since, bot.T(sentences(" ("+s.title()+").", spec.IfItWaits(), "I do not remind you of it again.")))
		m.Add(mine)
	}
	return m
}

// sentences puts those that say something after one another.
func sentences(list ...string) string {
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), " ")
}

// IfItWaits says what happens if the step waits, in the words of its card: what
// has not happened yet must not read as if it had.
func (s *Spec) IfItWaits() string {
	if s.IfWaits == "" {
		return ""
	}
	return "If it waits: " + s.IfWaits
}

// slow names who let a step wait: in messages to others the team, unless one
// person had taken it.
func (s Scene) slow(spec *Spec, rem Reminder) string {
	if len(rem.Slow) == 1 && spec.Role != bot.Requester {
		return spec.Role.Crew() + " (" + s.name(rem.Slow[0]) + ")"
	}
	return spec.Role.Crew()
}

// others says that the rest of the run goes on, where it does.
func (s Scene) others(than *Spec) string {
	n := 0
	for i := range s.Guide.Steps {
		st := s.Run.Step(s.Guide.Steps[i].ID)
		if st != nil && s.Guide.Steps[i].ID != than.ID && !st.State.Settled() && st.State != Pending {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return plural(n, "other step goes on.", "other steps go on.")
}
