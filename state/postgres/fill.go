package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
)

// tables are where each kind of item is.
var tables = map[string]string{
	state.ItemDelivery: "deliveries", state.ItemRun: "runs", state.ItemObject: "objects", state.ItemIncident: "incidents",
	state.ItemSubscription: "subscriptions", state.ItemWatch: "watches", state.ItemBinding: "bindings", state.ItemSent: "sent",
	state.ItemSecret: "secrets", state.ItemRecord: "records", state.ItemJob: "jobs", state.ItemAudit: "audit", state.ItemHead: "audit_heads",
}

// Fill takes over all that another store hands out, whole or not at all, into a
// schema in which nothing is and that no replica runs on. It gives how many there
// are of each kind then, counted by the server.
func (s *Store) Fill(ctx context.Context, everything func(func(state.Item) error) error) (map[string]int, error) {
	tx, err := s.begin(ctx, exclusive)
	if err != nil {
		return nil, s.told("filling", err)
	}
	defer rollback(tx)
	if err := s.vacant(ctx, tx); err != nil {
		return nil, err
	}
	f := filler{s: s, ctx: ctx, tx: tx}
	if err := everything(f.take); err != nil {
		return nil, err
	}
	f.out.Queue("SELECT setval('job_ids', greatest(1, (SELECT coalesce(max(id), 0) FROM jobs)))")
	// Whether the head of a lane was being run when the last process ended
	// nobody knows.
	f.out.Queue(`UPDATE jobs j SET begun = true WHERE NOT dead AND due <= $1
		AND NOT EXISTS (SELECT 1 FROM jobs o WHERE o.lane = j.lane AND o.id < j.id AND NOT o.dead)`, s.now())
	if err := f.send(); err != nil {
		return nil, err
	}
	counts, err := count(ctx, tx)
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", bot.ErrNoCommit, err)
	}
	return counts, nil
}

// vacant gives an error where something would be mixed with what comes.
func (s *Store) vacant(ctx context.Context, tx pgx.Tx) error {
	var replicas int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM replicas WHERE seen > clock_timestamp() - make_interval(secs => $1)", s.term.Seconds()).Scan(&replicas); err != nil {
		return err
	}
	if replicas > 0 {
		return fmt.Errorf("%d replica(s) run on the schema %s: stop them first", replicas, s.schema)
	}
	counts, err := count(ctx, tx)
	if err != nil {
		return err
	}
	for kind, n := range counts {
		if n > 0 {
			return fmt.Errorf("the schema %s is not empty (it has %d %s): name another one (?search_path=...), or drop it", s.schema, n, kind)
		}
	}
	return nil
}

func count(ctx context.Context, tx pgx.Tx) (map[string]int, error) {
	counts := make(map[string]int)
	for kind, table := range tables {
		var n int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			return nil, err
		}
		counts[kind] = n
	}
	return counts, nil
}

// filler inserts items, many at a time.
type filler struct {
	s   *Store
	ctx context.Context
	tx  pgx.Tx
	out pgx.Batch
}

func (f *filler) send() error {
	err := f.tx.SendBatch(f.ctx, &f.out).Close()
	f.out = pgx.Batch{}
	if err != nil {
		return refused(err)
	}
	return nil
}

// take queues one item. What it is found by in columns is read from its value.
func (f *filler) take(i state.Item) error {
	name := func(n int) []byte { return []byte(i.Names[n]) }
	value := append([]byte(nil), i.Value...)
	if want, ok := parts[i.Kind]; !ok || len(i.Names) != want {
		return fmt.Errorf("an item of kind %q with the names %q cannot be kept", i.Kind, i.Names)
	}
	switch i.Kind {
	case state.ItemDelivery:
		d, err := state.DecodeDelivery(i.Names[0], value)
		if err != nil {
			return err
		}
		f.out.Queue("INSERT INTO deliveries (key, at, value) VALUES ($1, $2, $3)", name(0), d.At, value)
	case state.ItemRun:
		return f.run(i, value)
	case state.ItemObject:
		o, err := state.Decode[bot.Object]("object "+i.Names[1], value)
		if err != nil {
			return err
		}
		f.out.Queue("INSERT INTO objects (tenant, key, run, value) VALUES ($1, $2, $3, $4)", name(0), name(1), []byte(o.Run), value)
	case state.ItemIncident:
		k, err := state.Decode[incident.Known]("incident "+i.Names[1], value)
		if err != nil {
			return err
		}
		f.out.Queue("INSERT INTO incidents (tenant, id, resolved, value) VALUES ($1, $2, $3, $4)", name(0), name(1), f.s.resolved(k), value)
	case state.ItemSubscription:
		f.out.Queue("INSERT INTO subscriptions (tenant, id, value) VALUES ($1, $2, $3)", name(0), name(1), value)
	case state.ItemWatch:
		f.out.Queue("INSERT INTO watches (tenant, value) VALUES ($1, $2)", name(0), value)
	case state.ItemBinding:
		f.out.Queue("INSERT INTO bindings (platform, team, channel, person, tenant) VALUES ($1, $2, $3, $4, $5)", name(0), name(1), name(2), name(3), value)
	case state.ItemSent:
		f.out.Queue("INSERT INTO sent (key, value) VALUES ($1, $2)", name(0), value)
	case state.ItemSecret:
		f.out.Queue("INSERT INTO secrets (name, value) VALUES ($1, $2)", name(0), value)
	case state.ItemRecord:
		r, err := state.DecodeRecord(i.Names[0], bot.TenantID(i.Names[1]), i.Names[2], value)
		if err != nil {
			return err
		}
		f.out.Queue("INSERT INTO records (kind, tenant, key, until, value) VALUES ($1, $2, $3, $4, $5)", name(0), name(1), name(2), optional(r.Until), value)
	case state.ItemJob:
		return f.job(i, value)
	case state.ItemAudit:
		f.out.Queue("INSERT INTO audit (tenant, seq, value) VALUES ($1, $2, $3)", name(0), int64(i.N), value)
	case state.ItemHead:
		f.out.Queue("INSERT INTO audit_heads (tenant, value) VALUES ($1, $2)", name(0), value)
	}
	return f.some()
}

// parts is how many names each kind has.
var parts = map[string]int{
	state.ItemDelivery: 1, state.ItemRun: 2, state.ItemObject: 2, state.ItemIncident: 2, state.ItemSubscription: 2, state.ItemWatch: 1,
	state.ItemBinding: 4, state.ItemSent: 1, state.ItemSecret: 1, state.ItemRecord: 3, state.ItemJob: 0, state.ItemAudit: 1, state.ItemHead: 1,
}

// some sends what is queued once there is enough.
func (f *filler) some() error {
	if f.out.Len() < 500 {
		return nil
	}
	return f.send()
}

func (f *filler) run(i state.Item, value []byte) error {
	var ended *time.Time
	if i.Value == nil {
		value = nil
	} else {
		r, err := state.Decode[setup.Run]("run "+i.Names[0], value)
		if err != nil {
			return err
		}
		if r.State != setup.RunOpen {
			ended = optional(r.Ended)
		}
	}
	f.out.Queue("INSERT INTO runs (id, tenant, ended, value) VALUES ($1, $2, $3, $4)", []byte(i.Names[0]), []byte(i.Names[1]), ended, value)
	return f.some()
}

func (f *filler) job(i state.Item, value []byte) error {
	if i.N == 0 || i.N > 1<<62 {
		return errors.New("a job has no number")
	}
	j, err := state.DecodeJobShut(bot.JobID(i.N), value)
	if err != nil {
		return err
	}
	var collapse []byte
	if j.Collapse != "" {
		collapse = []byte(j.Collapse)
	}
	f.out.Queue("INSERT INTO jobs (id, lane, class, due, tries, dead, collapse, value) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		int64(i.N), []byte(j.Lane), int(j.Class), ceil(j.Due), j.Tries, j.Dead, collapse, value)
	return f.some()
}
