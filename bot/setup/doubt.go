package setup

import (
	"fmt"
	"slices"
	"time"

	"keyturn/bot"
)

// Doubt has a settled step looked at again, one call of which may have taken
// effect twice. A run that is done is open again until that is known; one that
// somebody ended is not touched.
func (r *Run) Doubt(id StepID, d bot.Doubt, now time.Time) error {
	s := r.Step(id)
	if r.State != RunOpen && r.State != RunDone || len(s.Doubts) == 0 && !s.State.Settled() {
		return bot.ErrStale
	}
	if slices.ContainsFunc(s.Doubts, func(x bot.Doubt) bool { return x.Call.ID == d.Call.ID && x.Made == d.Made }) {
		return nil
	}
	s.Doubts = append(s.Doubts, d)
	if len(s.Doubts) == 1 {
		s.Stood, s.State, s.Since, s.At = s.State, Checking, now, time.Time{}
	}
	if r.State == RunDone {
		r.State, r.Ended = RunOpen, time.Time{}
	}
	return nil
}

// Undoubt says that the calls of a step that may have taken effect twice were
// looked up, and how many effects were taken away.
func (r *Run) Undoubt(id StepID, removed int, now time.Time) {
	says := "looked whether a call took effect twice: it did not"
	if removed > 0 {
		says = fmt.Sprintf("looked whether a call took effect twice: removed %d that stood beside what is kept", removed)
	}
	r.Step(id).undoubt(says, now)
}

// undoubt settles a step again as it was settled before.
func (s *Step) undoubt(says string, now time.Time) {
	s.State, s.At, s.Problem, s.SignIn = s.Stood, now, nil, nil
	s.Proof = append(slices.Clone(s.Proof), says)
	s.Doubts, s.Stood = nil, ""
}

// DoubtWords say what a call is that may have taken effect twice.
func DoubtWords(d bot.Doubt) string {
	return "A replica of mine stood still while a call of this step was made (“" + d.Call.What + "”), so it may have taken effect twice. I have to look, and to take the second one away."
}
