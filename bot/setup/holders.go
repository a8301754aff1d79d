package setup

import (
	"slices"
	"time"

	"keyturn/bot"
)

// Reseat makes a run ask those who hold its roles now. Whoever lost a role is
// asked no more, and what they had taken is free again; a role that nobody of
// the run's people holds any more is asked of everybody who does; fresh people
// are asked besides. It returns whom that concerns.
func (r *Run) Reseat(g *Guide, t *bot.Tenant, fresh map[bot.Role][]bot.PersonID, now time.Time) []bot.PersonID {
	var touched []bot.PersonID
	for _, role := range bot.Roles {
		if role == bot.Requester || !r.needs(g, role) {
			continue
		}
		seated := slices.DeleteFunc(slices.Clone(r.Holders[role]), func(p bot.PersonID) bool { return !t.Holds(p, role) })
		for _, p := range fresh[role] {
			if t.Holds(p, role) && !slices.Contains(seated, p) {
				seated = append(seated, p)
			}
		}
		if !slices.ContainsFunc(seated, t.Active) {
			for _, p := range t.Asked(role) {
				if !slices.Contains(seated, p) {
					seated = append(seated, p)
				}
			}
		}
		for _, p := range slices.Concat(r.Holders[role], seated) {
			if slices.Contains(r.Holders[role], p) != slices.Contains(seated, p) {
				touched = append(touched, p)
			}
		}
		r.Holders[role] = seated
		touched = append(touched, r.free(g, t, role, now)...)
	}
	slices.Sort(touched)
	return slices.Compact(touched)
}

// Inherit makes somebody else answer for a run whose requester cannot act any
// more: the requester's steps wait for them.
func (r *Run) Inherit(g *Guide, to bot.PersonID, now time.Time) {
	from := r.Requester
	r.Requester = to
	for i := range g.Steps {
		spec := &g.Steps[i]
		st := r.Step(spec.ID)
		if spec.Role != bot.Requester || st == nil || st.State == Pending || st.State.Settled() {
			continue
		}
		if st.Holder == from {
			st.Holder = ""
		}
		r.PutOnCard(to, spec.ID, now)
	}
}

// needs reports whether a step of the role is not settled.
func (r *Run) needs(g *Guide, role bot.Role) bool {
	return slices.ContainsFunc(g.Steps, func(s Spec) bool {
		st := r.Step(s.ID)
		return s.Role == role && st != nil && !st.State.Settled()
	})
}

// free takes steps from people who lost their role, and puts what is handed
// out on the cards of those who are asked now.
func (r *Run) free(g *Guide, t *bot.Tenant, role bot.Role, now time.Time) (from []bot.PersonID) {
	for i := range g.Steps {
		spec := &g.Steps[i]
		st := r.Step(spec.ID)
		if spec.Role != role || st == nil || st.State.Settled() {
			continue
		}
		if st.Holder != "" && (!t.Holds(st.Holder, role) || t.Inactive[st.Holder] != "") {
			from = append(from, st.Holder)
			st.Holder = ""
		}
		if st.State == Pending || (spec.API != nil && spec.API.Auto && st.State != Failed && st.State != Open) {
			continue
		}
		for _, p := range r.Waiting(spec, st) {
			r.PutOnCard(p, spec.ID, now)
		}
	}
	return from
}

// Asks reports whether a run asks a person for the steps of a role.
func (r *Run) Asks(p bot.PersonID, role bot.Role) bool { return slices.Contains(r.HoldersOf(role), p) }

// AsksAny reports whether a person is among those whom the run asks for any of
// its steps.
func (r *Run) AsksAny(p bot.PersonID) bool {
	for _, holders := range r.Holders {
		if slices.Contains(holders, p) {
			return true
		}
	}
	return false
}
