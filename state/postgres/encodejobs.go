package postgres

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

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
	rows, err := e.tx.Query(e.ctx, "SELECT value FROM jobs WHERE id = $1", int64(j.ID))
	if err != nil {
		e.fail(err)
		return bot.Job{}
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil || len(found) == 0 {
		if err != nil {
			e.fail(err)
		}
		return bot.Job{}
	}
	old, err := state.DecodeJobShut(j.ID, found[0])
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
	ids, err := e.ids(len(jobs))
	if err != nil {
		e.fail(err)
		return
	}
	now := e.s.now()
	for i, j := range jobs {
		if j.Collapse != "" && last[j.Collapse] != i {
			continue
		}
		j.ID = bot.JobID(ids[i])
		if j.Made.IsZero() {
			j.Made = now
		}
		var collapse []byte
		if j.Collapse != "" {
			collapse = []byte(j.Collapse)
			e.collapse(collapse, gone, again)
		}
		e.moved = true
		v, err := state.EncodeJob(e.s.sealer, j)
		e.put(v, err, "INSERT INTO jobs (id, lane, class, due, tries, dead, collapse, value) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			int64(j.ID), []byte(j.Lane), int(j.Class), ceil(j.Due), j.Tries, j.Dead, collapse)
	}
}

// ids takes the next n numbers for jobs. Under the lock they are in the order of
// the commits, of all replicas.
func (e *encoder) ids(n int) ([]int64, error) {
	rows, err := e.tx.Query(e.ctx, "SELECT nextval('job_ids') FROM generate_series(1, $1)", n)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	slices.Sort(ids)
	return ids, err
}

// collapse drops the jobs of a name that nobody has begun. A claim that ran out
// still says that somebody has.
func (e *encoder) collapse(name []byte, gone map[bot.JobID]bool, again map[bot.JobID]bot.Job) {
	rows, err := e.tx.Query(e.ctx, "SELECT id, tries, dead FROM jobs WHERE collapse = $1 AND NOT begun AND claim IS NULL ORDER BY id", name)
	if err != nil {
		e.fail(err)
		return
	}
	type waiting struct {
		ID    int64
		Tries int
		Dead  bool
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[waiting])
	if err != nil {
		e.fail(err)
		return
	}
	for _, w := range list {
		id := bot.JobID(w.ID)
		if j, ok := again[id]; ok {
			w.Tries, w.Dead = j.Tries, j.Dead
		}
		if !gone[id] && w.Tries == 0 && !w.Dead {
			e.drop(id)
		}
	}
}
