package setup

import (
	"time"

	"keyturn/bot"
)

// Prove settles a step that was read back.
func (r *Run) Prove(id StepID, f Finding, now time.Time) {
	s := r.Step(id)
	r.Keep(id, f.Facts, now)
	s.State, s.Proof, s.Problem, s.At = Done, f.Proof, nil, now
}

// Fail leaves a step for somebody to decide.
func (r *Run) Fail(id StepID, p Problem) {
	s := r.Step(id)
	s.State, s.Problem, s.SignIn = Failed, &p, nil
}

// StillWaits leaves a step that looks for an act elsewhere open, and keeps why
// the last look did not find it. It reports whether anything changed. A problem
// of kind not-found is the act itself that is missing: it is kept only where a
// person asked.
func (r *Run) StillWaits(id StepID, p Problem) bool {
	s := r.Step(id)
	asked := s.State == Checking
	if !asked && s.State != Open {
		return false
	}
	had := s.Problem
	s.State = Open
	switch {
	case asked || p.Kind != bot.KindNotFound:
		if had == nil || had.Says != p.Says || had.Fix != p.Fix {
			s.Problem = &p
		}
	case had != nil && had.Kind != bot.KindNotFound:
		s.Problem = nil // what stood in the way is gone
	}
	return asked || s.Problem != had
}

// Gone leaves a step that found that the service is gone: the requester says
// whether the run ends or goes on as a rehearsal.
func (r *Run) Gone(id StepID, why string, now time.Time) {
	r.Fail(id, Problem{Says: why, Kind: bot.KindGone, Code: ServiceGone, At: now})
	r.PutOnCard(r.Requester, id, now)
}

// Gone reports whether a step found that the service is gone, and waits for the
// requester's word on the whole run.
func (s *Step) Gone() bool {
	return s.State == Failed && s.Problem != nil && s.Problem.Code == ServiceGone
}

// Confirm settles a guided step by a person's word and answers.
func (r *Run) Confirm(id StepID, by bot.PersonID, answers, facts map[string]string, now time.Time) {
	s := r.Step(id)
	r.Keep(id, facts, now)
	s.State, s.By, s.Answers, s.Problem, s.At = Confirmed, by, answers, nil, now
}

// rejected reports whether a step failed because somebody rejected its plan.
func (s *Step) rejected() bool {
	return s.State == Failed && s.Problem != nil && s.Why != "" && s.Problem.Says == "Rejected: "+s.Why
}
