package setup

import (
	"slices"
	"time"

	"keyturn/bot"
)

// visit puts newly opened steps on their people's cards: on the card that is
// still open, or on a new one.
func (r *Run) visit(g *Guide, opened []StepID, now time.Time) {
	for _, id := range opened {
		spec, ok := g.Step(id)
		if !ok || (spec.API != nil && spec.API.Auto) {
			continue
		}
		for _, p := range r.HoldersOf(spec.Role) {
			r.PutOnCard(p, id, now)
		}
	}
}

// showFailed puts steps that run by themselves on their people's cards once
// they need somebody: they failed, or nobody has signed in for them.
func (r *Run) showFailed(g *Guide, now time.Time) {
	for i := range g.Steps {
		spec := &g.Steps[i]
		s := r.Step(spec.ID)
		if s == nil || (s.State != Failed && s.State != Unsigned && s.State != Open) || spec.API == nil || !spec.API.Auto {
			continue
		}
		for _, p := range r.HoldersOf(spec.Role) {
			r.PutOnCard(p, spec.ID, now)
		}
	}
}

// PutOnCard adds a step to a person's open card, or begins a new one.
func (r *Run) PutOnCard(p bot.PersonID, id StepID, now time.Time) {
	visits := r.Visits[p]
	if slices.ContainsFunc(visits, func(v Visit) bool { return slices.Contains(v.Steps, id) }) {
		return
	}
	if n := len(visits); n > 0 {
		last := &visits[n-1]
		if !r.settled(last.Steps) {
			last.Steps = append(last.Steps, id)
			return
		}
	}
	r.Visits[p] = append(visits, Visit{Steps: []StepID{id}, At: now})
}
