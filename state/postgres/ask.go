package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// asked is what the open transaction says of what a change is about to touch.
type asked struct {
	owners  map[string]bot.TenantID // of the runs that are there, or were
	heads   map[bot.TenantID]state.Head
	again   map[bot.JobID][]byte
	waiting map[string][]waiting // by the name that collapses
	ids     []int64              // for the jobs that are added
}

// waiting is a job that a newer one of its name may replace.
type waiting struct {
	ID    int64
	Tries int
	Dead  bool
}

// ask reads all that encoding a change needs, in one exchange with the server,
// and gives an error where the change's claim is over. The lock is held: what is
// read stays true until the transaction ends.
func (e *encoder) ask(c engine.Changes) error {
	e.known = asked{owners: map[string]bot.TenantID{}, heads: map[bot.TenantID]state.Head{}, again: map[bot.JobID][]byte{}, waiting: map[string][]waiting{}}
	var b pgx.Batch
	if c.Under != (bot.Claim{}) {
		b.Queue("SELECT held_until > clock_timestamp() FROM jobs WHERE id = $1 AND claim = $2", int64(c.Under.Job), int64(c.Under.Number)).Query(func(rows pgx.Rows) error {
			good, err := pgx.CollectRows(rows, pgx.RowTo[bool])
			if err == nil && !slices.Contains(good, true) {
				err = bot.ErrTakenOver
			}
			return err
		})
	}
	e.askOwners(&b, c)
	for _, entry := range c.Audit {
		tenant := entry.Tenant
		if _, twice := e.known.heads[tenant]; twice {
			continue
		}
		e.known.heads[tenant] = state.Head{Tenant: tenant}
		values(&b, "SELECT value FROM audit_heads WHERE tenant = $1", []byte(tenant), func(value []byte) (err error) {
			e.known.heads[tenant], err = decodeHead(tenant, value)
			return err
		})
	}
	e.askJobs(&b, c)
	if b.Len() == 0 {
		return nil
	}
	return e.tx.SendBatch(e.ctx, &b).Close()
}

func (e *encoder) askOwners(b *pgx.Batch, c engine.Changes) {
	var runs []string
	for _, r := range c.Runs {
		runs = append(runs, r.ID)
	}
	for _, o := range slices.Concat(c.Objects, c.Unlisted) {
		runs = append(runs, o.Run)
	}
	slices.Sort(runs)
	for _, run := range slices.Compact(runs) {
		values(b, "SELECT tenant FROM runs WHERE id = $1", []byte(run), func(tenant []byte) error {
			e.known.owners[run] = bot.TenantID(tenant)
			return nil
		})
	}
}

func (e *encoder) askJobs(b *pgx.Batch, c engine.Changes) {
	for _, j := range c.Again {
		values(b, "SELECT value FROM jobs WHERE id = $1", int64(j.ID), func(value []byte) error {
			e.known.again[j.ID] = value
			return nil
		})
	}
	if len(c.Jobs) == 0 {
		return
	}
	// Under the lock they are in the order of the commits, of all replicas.
	b.Queue("SELECT nextval('job_ids') FROM generate_series(1, $1)", len(c.Jobs)).Query(func(rows pgx.Rows) (err error) {
		e.known.ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		slices.Sort(e.known.ids)
		return err
	})
	for _, j := range c.Jobs {
		name := j.Collapse
		if _, twice := e.known.waiting[name]; name == "" || twice {
			continue
		}
		e.known.waiting[name] = nil
		b.Queue("SELECT id, tries, dead FROM jobs WHERE collapse = $1 AND NOT begun AND claim IS NULL ORDER BY id", []byte(name)).Query(func(rows pgx.Rows) (err error) {
			e.known.waiting[name], err = pgx.CollectRows(rows, pgx.RowToStructByPos[waiting])
			return err
		})
	}
}

// values queues a question for a value, and has what is there kept.
func values(b *pgx.Batch, sql string, name any, keep func(value []byte) error) {
	b.Queue(sql, name).Query(func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err == nil && len(list) > 0 {
			err = keep(list[0])
		}
		return err
	})
}
