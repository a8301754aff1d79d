package setup

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"keyturn/bot"
)

// Start is what a run begins with.
type Start struct {
	ID        string
	Tenant    *bot.Tenant
	Instance  string
	Requester bot.PersonID
	Place     bot.Place
	Holders   map[bot.Role][]bot.PersonID
	Options   map[string]string
	Change    string
	Numbers   map[bot.System]string // instead of Change, where each system has its own
	At        time.Time
}

// New begins a run. Its first steps are handed out by [Run.HandOut].
func New(g *Guide, s Start) Run {
	r := Run{
		ID: s.ID, Guide: g.ID, Revision: g.Revision, Tenant: s.Tenant.ID, Instance: s.Instance,
		Requester: s.Requester, Place: s.Place, State: RunOpen, Started: s.At, Change: s.Change, Numbers: s.Numbers,
		Holders: s.Holders, Options: s.Options, Facts: map[string]Fact{}, Visits: map[bot.PersonID][]Visit{},
	}
	if r.Holders == nil {
		r.Holders = map[bot.Role][]bot.PersonID{}
	}
	for name, base := range s.Tenant.Portals {
		r.Facts["portal."+name] = Fact{Value: base, At: s.At}
	}
	for _, spec := range g.Steps {
		r.Steps = append(r.Steps, Step{ID: spec.ID, State: Pending})
	}
	return r
}

// Step gives a step of the run, or nil.
func (r *Run) Step(id StepID) *Step {
	for i := range r.Steps {
		if r.Steps[i].ID == id {
			return &r.Steps[i]
		}
	}
	return nil
}

// Clone is a deep enough copy: changing the copy's steps, facts and visits
// leaves the original as it was.
func (r *Run) Clone() Run {
	c := *r
	c.Facts = make(map[string]Fact, len(r.Facts))
	for k, v := range r.Facts {
		c.Facts[k] = v
	}
	c.Steps = slices.Clone(r.Steps)
	for i := range c.Steps {
		c.Steps[i].Results = slices.Clone(c.Steps[i].Results)
		c.Steps[i].Doubts = slices.Clone(c.Steps[i].Doubts)
	}
	c.Visits = make(map[bot.PersonID][]Visit, len(r.Visits))
	for k, v := range r.Visits {
		v = slices.Clone(v)
		for i := range v {
			v[i].Steps = slices.Clone(v[i].Steps)
		}
		c.Visits[k] = v
	}
	c.Holders = make(map[bot.Role][]bot.PersonID, len(r.Holders))
	for k, v := range r.Holders {
		c.Holders[k] = slices.Clone(v)
	}
	c.Unreached = maps.Clone(r.Unreached)
	return c
}

// HoldersOf gives the people who may do a step.
func (r *Run) HoldersOf(role bot.Role) []bot.PersonID {
	if role == bot.Requester {
		return []bot.PersonID{r.Requester}
	}
	return r.Holders[role]
}

// Waiting gives the people whom a step waits for: its holder, or everybody
// who holds its role.
func (r *Run) Waiting(spec *Spec, s *Step) []bot.PersonID {
	if s.State == Unsigned && s.Approval != nil { // calls run as the approver
		return []bot.PersonID{s.Approval.Person}
	}
	if s.Gone() {
		return []bot.PersonID{r.Requester}
	}
	if s.Holder != "" {
		return []bot.PersonID{s.Holder}
	}
	return r.HoldersOf(spec.Role)
}

// HandOut opens every pending step whose needs are settled, and ends the run
// when nothing is left. It returns the steps that were opened. Steps that do
// not apply are settled on the way.
func (r *Run) HandOut(g *Guide, c Context, now time.Time) []StepID {
	var opened []StepID
	r.withdraw(g)
	for again := true; again && r.State == RunOpen; {
		again = false
		for i := range g.Steps {
			spec := &g.Steps[i]
			s := r.Step(spec.ID)
			if s == nil || s.State != Pending || !r.settled(spec.Needs) {
				continue
			}
			if spec.When != nil && !spec.When(c) {
				s.State, s.At = NotNeeded, now
				again = true
				continue
			}
			s.Since = now
			s.State = Open
			if spec.API != nil && !spec.API.Poll && (spec.API.Plan != nil || spec.API.Auto) {
				s.State = Looking
			}
			opened = append(opened, spec.ID)
		}
	}
	r.visit(g, opened, now)
	r.showFailed(g, now)
	if r.State == RunOpen && r.allSettled() {
		r.State, r.Ended = RunDone, now
	}
	return opened
}

// withdraw takes back steps that were handed out and whose needs are settled
// no more: an earlier step is being undone, and they would build on nothing.
func (r *Run) withdraw(g *Guide) {
	if r.State != RunOpen {
		return
	}
	for i := range g.Steps {
		spec := &g.Steps[i]
		s := r.Step(spec.ID)
		if s == nil || s.State == Pending || s.atWork() || s.State.Settled() || s.Undoing || len(s.Doubts) > 0 || r.settled(spec.Needs) {
			continue
		}
		*s = Step{ID: spec.ID, State: Pending, Holder: s.Holder, Attempt: s.Attempt, Answers: s.Answers}
		for _, visits := range r.Visits {
			for n := range visits {
				visits[n].Steps = slices.DeleteFunc(visits[n].Steps, func(id StepID) bool { return id == spec.ID })
			}
		}
	}
}

// settled reports whether what steps make is there. A call that may have taken
// effect twice takes nothing away from that.
func (r *Run) settled(ids []StepID) bool {
	for _, id := range ids {
		if s := r.Step(id); s != nil && !s.State.Settled() && len(s.Doubts) == 0 {
			return false
		}
	}
	return true
}

func (r *Run) allSettled() bool {
	for i := range r.Steps {
		if !r.Steps[i].State.Settled() {
			return false
		}
	}
	return true
}

// Count gives how many of the steps that apply are settled.
func (r *Run) Count() (settled, all int) {
	for i := range r.Steps {
		switch st := r.Steps[i].State; {
		case st == NotNeeded:
		case st.Settled():
			settled++
			all++
		default:
			all++
		}
	}
	return settled, all
}

// Planned records the plan of a step that was being read. It reports whether
// the plan has something to approve; without writes the step goes on to be
// read back.
func (r *Run) Planned(id StepID, p Proposal, now time.Time) bool {
	s := r.Step(id)
	r.Keep(id, p.Facts, now)
	plan := &Plan{Calls: p.Calls, Exists: p.Exists, Made: now, Digest: Digest(p.Calls)}
	s.Plan, s.Problem, s.Approval, s.Results = plan, nil, nil, nil
	if !plan.Writes() {
		s.State = Checking
		return false
	}
	s.State = Planned
	return true
}

// Keep records facts of a step.
func (r *Run) Keep(id StepID, facts map[string]string, now time.Time) {
	for name, value := range facts {
		r.Facts[name] = Fact{Value: inert(value), Step: id, At: now}
	}
}

// Approve records a person's word on a plan. The digest is the one that the
// person was shown: another plan, or a step that was decided meanwhile, is
// bot.ErrStale.
func (r *Run) Approve(id StepID, a Approval) error {
	s := r.Step(id)
	if s == nil {
		return bot.ErrNotFound
	}
	if s.State != Planned || s.Plan == nil || s.Plan.Digest != a.Digest {
		return bot.ErrStale
	}
	s.Approval = &a
	s.State, s.By, s.Problem = Running, a.Person, nil
	s.Results = nil
	s.Attempt++
	return nil
}

// Void takes an approval back: what exists changed between the approval and
// the calls.
func (r *Run) Void(id StepID, p Proposal, why string, now time.Time) {
	s := r.Step(id)
	s.Approval, s.By = nil, ""
	r.Planned(id, p, now)
	if s.State == Planned {
		s.Problem = &Problem{Says: why, Kind: bot.KindConflict, At: now,
			Fix: "Look at the new calls and approve them, or reject them."}
	}
}

// Begin records the intent of a call; End its outcome.
func (r *Run) Begin(id StepID, call, request string, now time.Time) {
	s := r.Step(id)
	res := bot.CallResult{Call: call, At: now, RequestID: request, Begun: true}
	for i := range s.Results {
		if s.Results[i].Call == call {
			s.Results[i] = res
			return
		}
	}
	s.Results = append(s.Results, res)
}

// End records the outcome of a call that was begun.
func (r *Run) End(id StepID, res bot.CallResult) {
	s := r.Step(id)
	for i := range s.Results {
		if s.Results[i].Call == res.Call {
			s.Results[i] = res
			return
		}
	}
	s.Results = append(s.Results, res)
}

// Result gives the recorded outcome of a call of the current attempt.
func (s *Step) Result(call string) (bot.CallResult, bool) {
	for _, r := range s.Results {
		if r.Call == call {
			return r, true
		}
	}
	return bot.CallResult{}, false
}

// Check reads a step back that a person did by hand or fixed. A step whose way
// back was planned is judged as a step again: what is read says whether it
// still stands.
func (r *Run) Check(id StepID, by bot.PersonID) error {
	s := r.Step(id)
	switch s.State {
	case Open, Planned, Failed, Unsigned:
		if len(s.Doubts) == 0 { // otherwise it stays whose it is: what is looked at is what is there beside it
			s.By = by
		}
		s.State, s.Problem, s.Undoing, s.SignIn = Checking, nil, false, nil
		return nil
	}
	return bot.ErrStale
}

// Retry reads a failed step again, for a new plan: of the step, or of its way
// back where that failed.
func (r *Run) Retry(id StepID) error {
	s := r.Step(id)
	if s.State != Failed && s.State != Planned && s.State != Unsigned {
		return bot.ErrStale
	}
	if len(s.Doubts) > 0 { // it stands, and only what stands beside it is looked for
		if s.State == Unsigned {
			s.Approval = nil // by whoever starts over
		}
		s.State, s.Problem, s.SignIn = Checking, nil, nil
		return nil
	}
	s.State, s.Approval, s.Results, s.Problem, s.SignIn = Looking, nil, nil, nil, nil
	if s.Undoing { // the way back is known: it is asked for again as it was
		s.State = Planned
	}
	return nil
}

// Skip settles a step without doing it.
func (r *Run) Skip(spec *Spec, by bot.PersonID, why string, now time.Time) error {
	s := r.Step(spec.ID)
	if spec.NoSkip {
		return fmt.Errorf("%q is a proof or protects somebody, so it cannot be skipped", spec.Title)
	}
	switch s.State {
	case Open, Planned, Failed, Unsigned:
		if len(s.Doubts) > 0 {
			s.undoubt("not looked whether a call took effect twice: "+why, now)
			return nil
		}
		s.State, s.By, s.Why, s.At, s.Undoing, s.SignIn = Skipped, by, why, now, false, nil
		return nil
	}
	return bot.ErrStale
}

// Reject sends a plan back to the requester. A way back that is rejected leaves
// the step as it was: it is read back once more.
func (r *Run) Reject(id StepID, by bot.PersonID, why string, now time.Time) error {
	s := r.Step(id)
	if s.State != Planned {
		return bot.ErrStale
	}
	s.By, s.Why = by, why
	if s.Undoing {
		s.State, s.Undoing, s.Problem = Checking, false, nil
		return nil
	}
	r.Fail(id, Problem{Says: "Rejected: " + why, Kind: bot.KindRefused, At: now,
		Fix: "Whoever asked for the run talks to them. Then [Try again] on the card shows the calls anew; or the run is cancelled."})
	return nil
}

// Take gives an open step to one of its holders.
func (r *Run) Take(id StepID, p bot.PersonID) error {
	s := r.Step(id)
	if s.State.Settled() || (s.Holder != "" && s.Holder != p) {
		return bot.ErrStale
	}
	s.Holder = p
	return nil
}

// HandOver gives a step to another person.
func (r *Run) HandOver(id StepID, to bot.PersonID, now time.Time) error {
	s := r.Step(id)
	if s.State.Settled() || s.State == Running {
		return bot.ErrStale
	}
	s.Holder, s.Since = to, now
	s.Reminded, s.RemindedAt, s.Quiet = 0, time.Time{}, time.Time{}
	if to != "" {
		r.PutOnCard(to, id, now)
	}
	return nil
}

// Finish ends a run that is not done.
func (r *Run) Finish(state RunState, why string, now time.Time) error {
	if r.State != RunOpen {
		return bot.ErrStale
	}
	for i := range r.Steps {
		if r.Steps[i].State == Running {
			return fmt.Errorf("calls are being made right now: wait until they have been read back, then try again")
		}
	}
	r.State, r.Why, r.Ended = state, why, now
	return nil
}
