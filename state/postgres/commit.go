package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// The two ways to hold the lock of the schema.
const (
	exclusive = "SELECT pg_advisory_xact_lock($1)"
	shared    = "SELECT pg_advisory_xact_lock_shared($1)"
)

func (s *Store) lock(ctx context.Context, tx pgx.Tx, how string) error {
	_, err := tx.Exec(ctx, how, s.number)
	return err
}

// patience is how long a commit that was begun waits for the server, so that a
// network that swallows everything does not hold a request for ever.
const patience = 30 * time.Second

// begin starts a transaction that has the lock.
func (s *Store) begin(ctx context.Context, how string) (pgx.Tx, error) {
	if s.closed() {
		return nil, state.ErrClosed
	}
	tx, err := s.pool.Begin(ctx)
	if err == nil {
		if err = s.lock(ctx, tx, how); err == nil {
			return tx, nil
		}
		rollback(tx)
	}
	if s.closed() {
		return nil, state.ErrClosed
	}
	return nil, err
}

// rollback does nothing after a commit. A connection on which it fails is not
// used again.
func rollback(tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = tx.Rollback(ctx)
}

// Commit implements [engine.Store]. It must not be called from inside a
// decision or a reading. A context that ends before the decision was begun
// changes nothing; after that the outcome is waited for, so that it is known.
func (s *Store) Commit(ctx context.Context, decide func(engine.View) (engine.Changes, error)) error {
	tx, err := s.begin(ctx, exclusive)
	if err != nil {
		if ctx.Err() != nil && !s.closed() {
			return fmt.Errorf("the change was given up before it was begun: %w", ctx.Err())
		}
		return fmt.Errorf("%w: %w", bot.ErrNoCommit, err)
	}
	defer rollback(tx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	changes, err := s.decide(ctx, tx, decide)
	if err != nil {
		return err
	}
	moved, err := s.apply(ctx, tx, changes)
	if err != nil {
		return refused(err)
	}
	if err := tx.Commit(ctx); err != nil {
		s.log.Error("a change could not be committed", "error", err)
		return fmt.Errorf("%w: %w", bot.ErrNoCommit, err)
	}
	if moved {
		s.wakeUp()
	}
	return nil
}

// decide runs a decision; its panic is an error.
func (s *Store) decide(ctx context.Context, tx pgx.Tx, decide func(engine.View) (engine.Changes, error)) (c engine.Changes, err error) {
	v := &view{s: s, ctx: ctx, tx: tx}
	defer v.end()
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a decision panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("Keyturn made a mistake while deciding this; nothing was changed: %v", p)
		}
	}()
	return decide(v)
}

// refused tells a change that can never be stored from one that could not be now.
func refused(err error) error {
	if errors.Is(err, state.ErrInvalid) || errors.Is(err, bot.ErrTakenOver) {
		return err
	}
	const programLimitExceeded = "54000"
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == programLimitExceeded {
		return fmt.Errorf("%w: a name is too long for an index of PostgreSQL: %w", state.ErrInvalid, err)
	}
	return fmt.Errorf("%w: %w", bot.ErrNoCommit, err)
}

// apply writes the changes into the transaction and reports whether jobs are
// among them. All is encoded before anything is sent, and sent at once.
func (s *Store) apply(ctx context.Context, tx pgx.Tx, c engine.Changes) (moved bool, err error) {
	if err := state.Validate(c); err != nil {
		return false, err
	}
	if c.Under != (bot.Claim{}) {
		if err := good(ctx, tx, c.Under); err != nil {
			return false, err
		}
	}
	e := &encoder{s: s, ctx: ctx, tx: tx}
	e.delivery(c.Delivery)
	e.runs(c.Runs)
	e.objects(c)
	e.incidents(c)
	e.places(c)
	e.secrets(c)
	e.records(c.Records)
	e.audit(c.Audit)
	e.jobs(c)
	if e.err != nil || e.out.Len() == 0 {
		return false, e.err
	}
	if e.moved {
		e.out.Queue("SELECT pg_notify($1, '')", s.channel())
	}
	return e.moved, tx.SendBatch(ctx, &e.out).Close()
}

// good gives an error where a claim is over. The lock is held: it stays good
// until the transaction ends.
func good(ctx context.Context, tx pgx.Tx, c bot.Claim) error {
	var ok bool
	err := tx.QueryRow(ctx, "SELECT held_until > clock_timestamp() FROM jobs WHERE id = $1 AND claim = $2", int64(c.Job), int64(c.Number)).Scan(&ok)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !ok {
		return bot.ErrTakenOver
	}
	return err
}

// Read implements [engine.Store]. A long reading keeps the server from
// clearing up: do not wait in it.
func (s *Store) Read(ctx context.Context, f func(engine.View) error) error {
	if s.closed() {
		return state.ErrClosed
	}
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		if s.closed() {
			return state.ErrClosed
		}
		return fmt.Errorf("the database cannot be read: %w", err)
	}
	defer rollback(tx)
	v := &view{s: s, ctx: ctx, tx: tx}
	defer v.end()
	return f(v)
}
