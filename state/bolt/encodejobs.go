package bolt

import (
	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// jobs encodes the jobs that are done, put back and added, in this order.
func (e *encoder) jobs(c engine.Changes) {
	gone := make(map[bot.JobID]bool)
	for _, id := range c.Done {
		if !gone[id] {
			gone[id] = true
			e.done(id)
		}
	}
	again := make(map[bot.JobID]bot.Job)
	for _, j := range c.Again {
		if !gone[j.ID] {
			again[j.ID] = e.again(j)
		}
	}
	e.add(c.Jobs, gone, again)
}

// stored reads a job, with its payload sealed. A job that is not there has no ID.
func (e *encoder) stored(id bot.JobID) bot.Job {
	b := e.tx.Bucket(bJobs).Get(jobKey(id))
	if b == nil {
		return bot.Job{}
	}
	j, err := state.DecodeJobShut(id, b)
	if err != nil {
		e.fail(err)
		return bot.Job{}
	}
	return j
}

func (e *encoder) done(id bot.JobID) {
	j := e.stored(id)
	if j.ID == 0 {
		return
	}
	e.hold(id)
	e.drop(j)
}

// hold keeps workers from taking a job that is about to change.
func (e *encoder) hold(id bot.JobID) {
	if e.s.lanes.hold(id) {
		*e.held = append(*e.held, id)
	}
}

// holdUntouched is hold for a job that nobody has begun; it reports whether
// that is so.
func (e *encoder) holdUntouched(id bot.JobID) bool {
	held, untouched := e.s.lanes.holdUntouched(id)
	if held {
		*e.held = append(*e.held, id)
	}
	return untouched
}

func (e *encoder) drop(j bot.Job) {
	e.out.delete(bJobs, jobKey(j.ID))
	e.out.delete(bLanes, numbered(j.Lane, uint64(j.ID)))
	if j.Collapse != "" {
		e.out.delete(bCollapse, numbered(j.Collapse, uint64(j.ID)))
	}
	e.out.changes = append(e.out.changes, change{remove: j.ID})
}

// again puts a job back, and gives it as it is then stored.
func (e *encoder) again(j bot.Job) bot.Job {
	old := e.stored(j.ID)
	if old.ID == 0 {
		return bot.Job{}
	}
	e.hold(j.ID)
	old.Due, old.Tries, old.Last, old.Dead, old.Payload = j.Due, j.Tries, j.Last, j.Dead, j.Payload
	e.keep(old, true)
	return old
}

func (e *encoder) keep(j bot.Job, free bool) {
	v, err := state.EncodeJob(e.s.sealer, j)
	e.record(bJobs, jobKey(j.ID), v, err)
	e.out.put(bLanes, numbered(j.Lane, uint64(j.ID)), laneMark(j))
	if j.Collapse != "" {
		e.out.put(bCollapse, numbered(j.Collapse, uint64(j.ID)), here)
	}
	e.out.changes = append(e.out.changes, change{put: entryOf(j), free: free})
}

func (e *encoder) add(jobs []bot.Job, gone map[bot.JobID]bool, again map[bot.JobID]bot.Job) {
	if len(jobs) == 0 {
		return
	}
	last := make(map[string]int) // the newest job of a name replaces the others right here
	for i, j := range jobs {
		last[j.Collapse] = i
	}
	now := e.s.now()
	seq := e.tx.Bucket(bJobs).Sequence()
	for i, j := range jobs {
		seq++
		if j.Collapse != "" && last[j.Collapse] != i {
			continue
		}
		j.ID = bot.JobID(seq)
		if j.Made.IsZero() {
			j.Made = now
		}
		if j.Collapse != "" {
			e.collapse(j.Collapse, gone, again)
		}
		e.keep(j, false)
	}
	e.out.sequence = seq
}

// collapse drops the jobs of a name that nobody has begun.
func (e *encoder) collapse(name string, gone map[bot.JobID]bool, again map[bot.JobID]bot.Job) {
	err := each(e.tx.Bucket(bCollapse), append([]byte(name), 0), func(k, _ []byte) error {
		_, n, err := splitNumbered(k)
		id := bot.JobID(n)
		if err != nil || gone[id] {
			return err
		}
		j, ok := again[id]
		if !ok {
			j = e.stored(id)
		}
		if j.ID != 0 && j.Tries == 0 && !j.Dead && e.holdUntouched(id) {
			e.drop(j)
		}
		return nil
	})
	if err != nil {
		e.fail(err)
	}
}
