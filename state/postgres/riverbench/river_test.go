package riverbench

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// stepArgs is a step as a job of River.
type stepArgs struct {
	Run string `json:"run"`
}

// Kind implements [river.JobArgs].
func (stepArgs) Kind() string { return "step" }

// runRow is the run as the worker reads and writes it.
type runRow struct {
	ID, State, Change string
	Ended             time.Time
}

// riverQueue does steps as jobs of River.
type riverQueue struct {
	river.WorkerDefaults[stepArgs]
	pool   *pgxpool.Pool
	schema string
	client *river.Client[pgx.Tx]
	over   chan worked
}

func newRiver(b *testing.B, url string) *riverQueue {
	b.Helper()
	q := &riverQueue{pool: pool(b, url), schema: schema(b, url), over: make(chan worked)}
	ctx := context.Background()
	for _, sql := range []string{"CREATE SCHEMA %s", "CREATE TABLE %s.runs (id text PRIMARY KEY, value jsonb NOT NULL)",
		"CREATE TABLE %s.audit (seq bigserial PRIMARY KEY, value jsonb NOT NULL)"} {
		if _, err := q.pool.Exec(ctx, fmt.Sprintf(sql, q.schema)); err != nil {
			b.Fatal(err)
		}
	}
	driver := riverpgxv5.New(q.pool)
	log := slog.New(slog.DiscardHandler)
	migrate := must[*rivermigrate.Migrator[pgx.Tx]](b)(rivermigrate.New(driver, &rivermigrate.Config{Schema: q.schema, Logger: log}))
	if _, err := migrate.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		b.Fatal(err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, q)
	// By default River waits 100 ms between two fetches: one step at a time would
	// measure that.
	q.client = must[*river.Client[pgx.Tx]](b)(river.NewClient(driver, &river.Config{Schema: q.schema, Logger: log, Workers: workers,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1}}, FetchCooldown: river.FetchCooldownMin}))
	if err := q.client.Start(ctx); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := q.client.Stop(ctx); err != nil {
			b.Error(err)
		}
	})
	return q
}

func (q *riverQueue) step(n int) (took, error) {
	ctx := context.Background()
	r := runRow{ID: fmt.Sprint("r", n), State: "open", Change: words}
	begun := time.Now()
	err := pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
		value, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO "+q.schema+".runs VALUES ($1, $2)", r.ID, value); err != nil {
			return err
		}
		_, err = q.client.InsertTx(ctx, tx, stepArgs{r.ID}, nil)
		return err
	})
	if err != nil {
		return took{}, err
	}
	w := <-q.over
	return took{time.Since(begun), time.Since(w.claim)}, w.err
}

// Work implements [river.Worker]. River says when it claimed the job, by the
// clock of the server, which is on this machine.
func (q *riverQueue) Work(ctx context.Context, j *river.Job[stepArgs]) error {
	err := q.finish(ctx, j)
	q.over <- worked{*j.AttemptedAt, err}
	return err
}

func (q *riverQueue) finish(ctx context.Context, j *river.Job[stepArgs]) error {
	return pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
		var value []byte
		if err := tx.QueryRow(ctx, "SELECT value FROM "+q.schema+".runs WHERE id = $1 FOR UPDATE", j.Args.Run).Scan(&value); err != nil {
			return err
		}
		var r runRow
		if err := json.Unmarshal(value, &r); err != nil {
			return err
		}
		r.State, r.Ended = "finished", time.Now()
		value, err := json.Marshal(r)
		if err != nil {
			return err
		}
		entry, err := json.Marshal(map[string]any{"tenant": "contoso", "at": r.Ended, "person": "ada", "act": "result", "run": r.ID, "status": 200})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE "+q.schema+".runs SET value = $2 WHERE id = $1", r.ID, value); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO "+q.schema+".audit (value) VALUES ($1)", entry); err != nil {
			return err
		}
		_, err = river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, j)
		return err
	})
}
