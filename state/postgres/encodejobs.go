package postgres

import (
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// jobs encodes the jobs that are done, put back and added, in this order.
func (e *encoder) jobs(c engine.Changes) {
	gone := make(map[bot.JobID]bool)
	for _, id := range c.Done {
		gone[id] = true
		e.drop(id)
	}
	again := make(map[bot.JobID]bot.Job)
	for _, j := range c.Again {
		if !gone[j.ID] {
			again[j.ID] = e.again(j)
		}
	}
	e.add(c.Jobs, gone, again)
}

func (e *encoder) drop(id bot.JobID) {
	e.moved = true
	e.out.Queue("DELETE FROM jobs WHERE id = $1", int64(id))
}

// again puts a job back, which ends its claim, and gives it as it is then
// stored. One that is not there has no ID.
func (e *encoder) again(j bot.Job) bot.Job {
	value, ok := e.known.again[j.ID]
	if !ok {
		return bot.Job{}
	}
	old, err := state.DecodeJobShut(j.ID, value)
	if err != nil {
		e.fail(err)
		return bot.Job{}
	}
	old.Due, old.Tries, old.Last, old.Dead, old.Payload = j.Due, j.Tries, j.Last, j.Dead, j.Payload
	e.moved = true
	v, err := state.EncodeJob(e.s.sealer, old)
	e.put(v, err, `UPDATE jobs SET due = $2, tries = $3, dead = $4, claim = NULL, owner = NULL, held_until = NULL, begun = false, value = $5
		WHERE id = $1`, int64(old.ID), ceil(old.Due), old.Tries, old.Dead)
	return old
}

// ceil is a time as the server keeps it, to the microsecond, and not before it:
// nothing is claimed early.
func ceil(t time.Time) time.Time {
	if whole := t.Truncate(time.Microsecond); whole.Before(t) {
		return whole.Add(time.Microsecond)
	}
	return t
}

func (e *encoder) add(jobs []bot.Job, gone map[bot.JobID]bool, again map[bot.JobID]bot.Job) {
	if len(jobs) == 0 || e.err != nil {
		return
	}
	last := make(map[string]int) // the newest job of a name replaces the others right here
	for i, j := range jobs {
		last[j.Collapse] = i
	}
	now := e.s.now()
	for i, j := range jobs {
		if j.Collapse != "" && last[j.Collapse] != i {
			continue
		}
		j.ID = bot.JobID(e.known.ids[i])
		if j.Made.IsZero() {
			j.Made = now
		}
		var collapse []byte
		if j.Collapse != "" {
			collapse = []byte(j.Collapse)
			e.collapse(j.Collapse, gone, again)
		}
		e.moved = true
		v, err := state.EncodeJob(e.s.sealer, j)
		e.put(v, err, "INSERT INTO jobs (id, lane, class, due, tries, dead, collapse, value) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			int64(j.ID), []byte(j.Lane), int(j.Class), ceil(j.Due), j.Tries, j.Dead, collapse)
	}
}

// collapse drops the jobs of a name that nobody has begun. A claim that ran out
// still says that somebody has.
func (e *encoder) collapse(name string, gone map[bot.JobID]bool, again map[bot.JobID]bot.Job) {
	for _, w := range e.known.waiting[name] {
		id := bot.JobID(w.ID)
		if j, ok := again[id]; ok {
			w.Tries, w.Dead = j.Tries, j.Dead
		}
		if !gone[id] && w.Tries == 0 && !w.Dead {
			e.drop(id)
		}
	}
}
