package engine

import (
	"time"

	"keyturn/bot"
)

// settling is how long after a start a message may still be one whose sending
// broke off in the life before: its job has run by then.
const settling = 10 * time.Minute

// doubts is how many sends of a message may end without anybody knowing how,
// about a quarter of an hour of them. A platform may answer so to everything for
// some minutes; a message to which it always does must not hold up its lane.
const doubts = 20

// doubtful reports whether a message that the ledger does not know may have
// been posted all the same: its sending broke off, or the process did before
// the ledger was written. A drawn message is in doubt also where its job is
// new: it may have replaced the one that had been sending.
func (e *Engine) doubtful(v View, p Deliver, j bot.Job) bool {
	switch {
	case p.Ambiguous || j.Begun || j.Made.Before(e.started):
		return true
	case p.collapse() == "" || j.Made.After(e.started.Add(settling)):
		return false
	case p.Draw.Run != "":
		r, err := v.Run(p.Draw.Run)
		return err != nil || r.Started.Before(e.started)
	}
	return true
}
