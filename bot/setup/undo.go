package setup

import (
	"time"

	"keyturn/bot"
)

// Unmake plans the way back of a step that was run.
func (r *Run) Unmake(id StepID, calls []bot.Call, now time.Time) error {
	s := r.Step(id)
	if s.State != Done || s.Undoing {
		return bot.ErrStale
	}
	s.Undoing = true
	s.State, s.Approval, s.Results, s.Proof = Planned, nil, nil, nil
	s.By, s.At = "", time.Time{}
	s.Plan = &Plan{Calls: calls, Made: now, Digest: Digest(calls)}
	return nil
}

// Unmade says that the way back was gone: the step's facts are forgotten, and
// it is read again, so that it can be done anew or skipped.
func (r *Run) Unmade(id StepID) {
	s := r.Step(id)
	for name, f := range r.Facts {
		if f.Step == id {
			delete(r.Facts, name)
		}
	}
	*s = Step{ID: id, State: Looking, Since: s.Since, Holder: s.Holder, Attempt: s.Attempt}
}
