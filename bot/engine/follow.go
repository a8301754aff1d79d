package engine

import (
	"fmt"
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// follow adds the jobs that follow from a changed run: execution of steps,
// the checklist, cards, hand-off pings, outcomes told in the thread.
func (d *Draft) follow(before, after *setup.Run, g *setup.Guide) error {
	opened := map[bot.Role][]setup.StepID{}
	var roles []bot.Role
	people := map[bot.PersonID]bool{}
	var outcomes []*setup.Spec
	for i := range g.Steps {
		spec := &g.Steps[i]
		now, was := after.Step(spec.ID), stepBefore(before, spec.ID)
		if now == nil {
			continue
		}
		changed := was == nil || was.State != now.State || was.Holder != now.Holder || !samePlan(was.Plan, now.Plan) || was.Undoing != now.Undoing
		if !changed && sameProblem(was.Problem, now.Problem) && was.Lacks == now.Lacks {
			continue
		}
		for _, p := range after.HoldersOf(spec.Role) {
			people[p] = true
		}
		if changed && after.State == setup.RunOpen && busy(spec, now) {
			d.stepJob(after.ID, spec.ID, d.Now)
		}
		if handedOut(spec, was, now) {
			if len(opened[spec.Role]) == 0 {
				roles = append(roles, spec.Role)
			}
			opened[spec.Role] = append(opened[spec.Role], spec.ID)
		}
		if was != nil && was.State != now.State && (now.State == setup.Failed || now.State.Settled() && now.State != setup.NotNeeded && !(auto(spec) && now.State == setup.Done)) {
			outcomes = append(outcomes, spec)
		}
	}
	d.checklist(before, after)
	if before == nil || before.State != after.State {
		for p := range after.Visits {
			people[p] = true
		}
	}
	t, ok := d.env.Tenant(after.Tenant)
	if !ok {
		return fmt.Errorf("there is no tenant %q", after.Tenant)
	}
	d.cards(before, after, g, t, people)
	d.remindNext(before, after, g, t)
	d.windowNext(before, after, g, t)
	if err := d.news(after, outcomes, roles, opened); err != nil {
		return err
	}
	if err := d.keepTold(t, before, after, g); err != nil {
		return err
	}
	moved := len(people) > 0
	people[after.Requester] = true
	for _, person := range t.People {
		if people[person.ID] || moved && after.AsksAny(person.ID) { // whose page says whom the run waits for
			d.RefreshHome(t, person.ID)
		}
	}
	return nil
}

func stepBefore(r *setup.Run, id setup.StepID) *setup.Step {
	if r == nil {
		return nil
	}
	return r.Step(id)
}

func samePlan(a, b *setup.Plan) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Digest == b.Digest && a.Made.Equal(b.Made)
}

func sameProblem(a, b *setup.Problem) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Says == b.Says && a.Fix == b.Fix
}

func auto(spec *setup.Spec) bool { return spec.API != nil && spec.API.Auto }

// handedOut reports whether a step has come to wait for its people just now,
// for the first time: a plan is worth a ping, reading what exists is not.
func handedOut(spec *setup.Spec, was, now *setup.Step) bool {
	if now.State == setup.Unsigned { // the ping is for the sign-in, and the plan needs no second one
		return now.Approval == nil && (was == nil || !was.Asked)
	}
	if auto(spec) && now.State != setup.Open || now.Asked || now.Attempt > 0 || !setup.WaitsForPerson(spec, now) || now.State == setup.Failed {
		return false
	}
	return was == nil || was.State == setup.Pending || (was.State == setup.Looking && was.Plan == nil)
}

// busy reports whether the engine has something to do for a step.
func busy(spec *setup.Spec, s *setup.Step) bool {
	switch s.State {
	case setup.Looking, setup.Running, setup.Checking:
		return true
	case setup.Open:
		return spec.API != nil && spec.API.Poll
	}
	return false
}

type stepRef struct {
	Run  string       `json:"run"`
	Step setup.StepID `json:"step"`
}

func (d *Draft) stepJob(run string, step setup.StepID, due time.Time) {
	lane := "step/" + run + "/" + string(step)
	d.job(lane, kindStep, bot.ClassClick, due, stepRef{Run: run, Step: step}, lane)
}

func (d *Draft) checklist(before, after *setup.Run) {
	key := setup.ChecklistKey(after.ID)
	d.deliver(Deliver{Key: key, Place: after.Place, Draw: Draw{What: drawChecklist, Run: after.ID}}, bot.ClassChecklist, d.editDue(key, before, after))
}

// editDue is when a message that a run keeps up to date may be edited next.
func (d *Draft) editDue(key string, before, after *setup.Run) time.Time {
	due := d.Now
	if sent, ok, err := d.Sent(key); err == nil && ok {
		pace := d.env.Pace
		if before != nil && clicked(after, d.Now) {
			pace = d.env.PaceAfterClick
		}
		if next := sent.At.Add(pace); next.After(due) {
			due = next
		}
	}
	return due
}

// keepTold keeps whoever asked for a run up to date in one direct message: threads
// are easily missed, and a message for each step is too many. The end is a
// message of its own.
func (d *Draft) keepTold(t *bot.Tenant, before, after *setup.Run, g *setup.Guide) error {
	person, ok := t.Person(after.Requester)
	if !ok {
		return nil
	}
	news := slices.ContainsFunc(g.Steps, func(spec setup.Spec) bool {
		st := after.Step(spec.ID)
		return st != nil && after.Tells(&spec, st)
	})
	if news && !after.Place.Direct() { // else the checklist itself is with them
		for _, a := range person.Accounts {
			key := setup.ToldKey(after.ID) + "/" + a.String()
			d.deliver(Deliver{Key: key, Place: bot.DM(a), Draw: Draw{What: drawTold, Run: after.ID}}, bot.ClassChecklist, d.editDue(key, before, after))
		}
	}
	if before == nil || before.State != setup.RunOpen || after.State != setup.RunDone {
		return nil
	}
	sc, err := d.Scene(after, after.Place)
	if err != nil {
		return err
	}
	m := sc.Finished()
	m.Key = "run/" + after.ID + "/finished"
	d.Tell(t, after.Requester, m)
	return nil
}

// clicked reports whether somebody approved in the last half minute.
func clicked(r *setup.Run, now time.Time) bool {
	for i := range r.Steps {
		if a := r.Steps[i].Approval; a != nil && now.Sub(a.At) < 30*time.Second {
			return true
		}
		if at := r.Steps[i].At; !at.IsZero() && now.Sub(at) < 30*time.Second {
			return true
		}
	}
	return false
}

// cards redraws the cards of the people whose steps changed.
func (d *Draft) cards(before, after *setup.Run, g *setup.Guide, t *bot.Tenant, people map[bot.PersonID]bool) {
	for _, person := range t.People {
		if !people[person.ID] {
			continue
		}
		visits := after.Visits[person.ID]
		for n := range visits {
			fresh := before == nil || n >= len(before.Visits[person.ID]) || len(visits[n].Steps) != len(before.Visits[person.ID][n].Steps)
			if !fresh && n < len(visits)-1 && allSettled(before, visits[n].Steps) && allSettled(after, visits[n].Steps) && before.State == after.State {
				continue
			}
			waits := asks(g, after, visits[n].Steps)
			for _, a := range person.Accounts {
				key := setup.CardKey(after.ID, person.ID, n) + "/" + a.String()
				if !waits && !d.shows(key, bot.DM(a)) {
					continue // nothing to do yet: the card comes with the first thing to do
				}
				d.deliver(Deliver{Key: key, Place: bot.DM(a), Draw: Draw{What: drawCard, Run: after.ID, Person: person.ID, Visit: n}},
					bot.ClassHandoff, d.Now)
			}
		}
	}
}

// shows reports whether a drawn message is at a place, or on its way there
// with what was true a moment ago.
func (d *Draft) shows(key string, at bot.Place) bool {
	if _, known, err := d.Sent(key); err != nil || known {
		return true
	}
	jobs, err := d.Jobs(chatLane(at))
	return err != nil || slices.ContainsFunc(jobs, func(j bot.Job) bool { return j.Collapse == "deliver/"+key })
}

// asks reports whether one of the steps waits for a person now.
func asks(g *setup.Guide, r *setup.Run, steps []setup.StepID) bool {
	for _, id := range steps {
		spec, ok := g.Step(id)
		if s := r.Step(id); ok && s != nil && setup.WaitsForPerson(spec, s) {
			return true
		}
	}
	return false
}

func allSettled(r *setup.Run, steps []setup.StepID) bool {
	for _, id := range steps {
		if s := r.Step(id); s != nil && !s.State.Settled() {
			return false
		}
	}
	return true
}

// news tells the run's thread, in one reply, what became of steps and whose
// turn it is. In a direct message the card itself is the ping.
func (d *Draft) news(r *setup.Run, outcomes []*setup.Spec, roles []bot.Role, opened map[bot.Role][]setup.StepID) error {
	sc, err := d.Scene(r, r.Place)
	if err != nil {
		return err
	}
	m := bot.Message{Key: fmt.Sprintf("run/%s/news/%d", r.ID, r.Version)}
	for _, spec := range outcomes {
		m.Add(sc.Outcome(spec, r.Step(spec.ID)).Parts...)
	}
	for _, role := range roles {
		if !r.Place.Direct() && role != bot.Requester {
			m.Add(sc.Handoff(role, opened[role]).Parts...)
		}
	}
	if !m.Empty() {
		d.SayUnder(setup.ChecklistKey(r.ID), r.Place, m, bot.ClassHandoff)
	}
	return nil
}
