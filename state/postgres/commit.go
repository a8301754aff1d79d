package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

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

// member is one change on its way into a group.
type member struct {
	ctx    context.Context
	decide func(engine.View) (engine.Changes, error)
	begun  atomic.Bool // by whichever comes first: the writer, or a caller who gives up
	err    error
	moved  bool // jobs changed
	done   chan struct{}
}

// Commit implements [engine.Store]. It must not be called from inside a
// decision or a reading. A context that ends before the decision was begun
// changes nothing; after that the outcome is waited for, so that it is known.
func (s *Store) Commit(ctx context.Context, decide func(engine.View) (engine.Changes, error)) error {
	m := &member{ctx: ctx, decide: decide, done: make(chan struct{})}
	select {
	case s.queue <- m:
	case <-s.stop:
		return fmt.Errorf("%w: %w", bot.ErrNoCommit, state.ErrClosed)
	case <-ctx.Done():
		return givenUp(ctx)
	}
	select {
	case <-m.done:
	case <-ctx.Done():
		if m.begun.CompareAndSwap(false, true) {
			return givenUp(ctx)
		}
		<-m.done
	}
	return m.err
}

func givenUp(ctx context.Context) error {
	return fmt.Errorf("the change was given up before it was begun: %w", ctx.Err())
}

// most that one group holds.
const group = 64

// write commits groups until ctx ends. Who comes while a group waits for the
// lock joins it: they share the lock and the server's flush.
func (s *Store) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-s.queue:
			s.commit(ctx, first)
		}
	}
}

func (s *Store) commit(ctx context.Context, first *member) {
	members := []*member{first}
	defer func() {
		for _, m := range members {
			close(m.done)
		}
	}()
	lock, cancel := context.WithTimeout(ctx, patience)
	tx, err := s.begin(lock, exclusive)
	cancel()
	for more := true; more && len(members) < group; {
		select {
		case m := <-s.queue:
			members = append(members, m)
		default:
			more = false
		}
	}
	if err != nil {
		failed(members, err)
		return
	}
	defer rollback(tx)
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	var kept []*member
	moved := false
	for _, m := range members {
		if !m.begun.CompareAndSwap(false, true) {
			continue // its caller has gone
		}
		if m.err = s.partake(ctx, tx, m, len(members) == 1); m.err == nil {
			kept, moved = append(kept, m), moved || m.moved
		}
	}
	if len(kept) == 0 {
		return
	}
	if err := tx.Commit(ctx); err != nil {
		s.log.Error("a group of changes could not be committed", "changes", len(kept), "error", err)
		failed(kept, err)
		return
	}
	if moved {
		s.wakeUp()
	}
}

func failed(members []*member, err error) {
	for _, m := range members {
		m.begun.Store(true)
		m.err = fmt.Errorf("%w: %w", bot.ErrNoCommit, err)
	}
}

// partake decides one member of a group and writes its changes. What fails leaves
// nothing behind for the next one.
func (s *Store) partake(ctx context.Context, tx pgx.Tx, m *member, alone bool) error {
	if m.ctx.Err() != nil {
		return givenUp(m.ctx)
	}
	if !alone {
		part, err := tx.Begin(ctx) // a savepoint
		if err != nil {
			return fmt.Errorf("%w: %w", bot.ErrNoCommit, err)
		}
		defer rollback(part)
		tx = part
	}
	changes, err := s.decide(ctx, tx, m.decide)
	if err != nil {
		return err
	}
	if m.moved, err = s.apply(ctx, tx, changes); err != nil {
		return refused(err)
	}
	if alone {
		return nil
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("%w: %w", bot.ErrNoCommit, err)
	}
	return nil
}

// decide runs a decision, in a goroutine of its own, so that one that ends that
// costs nobody else. Its panic is an error.
func (s *Store) decide(ctx context.Context, tx pgx.Tx, decide func(engine.View) (engine.Changes, error)) (c engine.Changes, err error) {
	v := &view{s: s, ctx: ctx, tx: tx}
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer v.end()
		returned := false
		defer func() {
			if returned {
				return
			}
			p := recover()
			s.log.Error("a decision panicked", "panic", p, "stack", string(debug.Stack()))
			c, err = engine.Changes{}, fmt.Errorf("Keyturn made a mistake while deciding this; nothing was changed: %v", p)
		}()
		c, err = decide(v)
		returned = true
	}()
	<-over
	return c, err
}

// refused tells a change that can never be stored from one that could not be now.
func refused(err error) error {
	if errors.Is(err, state.ErrInvalid) || errors.Is(err, bot.ErrTakenOver) {
		return err
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
