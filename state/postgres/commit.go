package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// The two ways to hold the lock of the schema.
const (
	exclusive = "pg_advisory_xact_lock"
	shared    = "pg_advisory_xact_lock_shared"
)

func (s *Store) lock(ctx context.Context, tx pgx.Tx, how string) error {
	_, err := tx.Exec(ctx, "SELECT "+how+"($1)", s.number)
	return err
}

// patience is how long a commit that was begun, and a question, wait for the
// server, so that a network that swallows everything does not hold anybody for ever.
const patience = 30 * time.Second

// begin starts a transaction that has the lock, in one exchange with the server.
func (s *Store) begin(ctx context.Context, how string) (*locked, error) {
	if s.closed() {
		return nil, state.ErrClosed
	}
	conn, err := s.pool.Acquire(ctx)
	if err == nil {
		var tx pgx.Tx
		if tx, err = conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: fmt.Sprintf("BEGIN; SELECT %s(%d)", how, s.number)}); err == nil {
			return &locked{Tx: tx, conn: conn}, nil
		}
		conn.Release() // which ends what is left of it
	}
	if s.closed() {
		return nil, state.ErrClosed
	}
	return nil, err
}

// locked is a transaction that can be committed by the last statement of a batch.
type locked struct {
	pgx.Tx
	conn      *pgxpool.Conn // nil when it was given back
	committed bool
}

// errEnded is a transaction that the server has ended by itself.
var errEnded = errors.New("the server has ended the transaction")

func (l *locked) ended() bool {
	const outside = 'I' // of any transaction
	return l.conn == nil || l.conn.Conn().PgConn().TxStatus() == outside
}

// finish has a batch commit the transaction.
func (l *locked) finish(b *pgx.Batch) {
	b.Queue("COMMIT").Exec(func(said pgconn.CommandTag) error {
		if l.committed = said.String() == "COMMIT"; !l.committed {
			return pgx.ErrTxCommitRollback
		}
		return nil
	})
}

// Commit implements [pgx.Tx].
func (l *locked) Commit(ctx context.Context) error {
	switch {
	case l.committed:
		return nil
	case l.ended(): // outside of a transaction the server takes COMMIT for a success
		return errEnded
	}
	return l.Tx.Commit(ctx)
}

// Rollback implements [pgx.Tx], and gives the connection back.
func (l *locked) Rollback(ctx context.Context) (err error) {
	if l.conn == nil {
		return nil
	}
	if !l.ended() {
		err = l.Tx.Rollback(ctx)
	}
	l.conn.Release() // a connection on which that failed is closed
	l.conn = nil
	return err
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
	return fmt.Errorf("%w: it was given up before it was begun: %w", bot.ErrNoCommit, ctx.Err())
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
	if len(members) > 1 {
		if _, err := tx.Exec(ctx, "SAVEPOINT member"); err != nil {
			failed(members, err)
			return
		}
	}
	var kept []*member
	moved := false
	for i, m := range members {
		if !m.begun.CompareAndSwap(false, true) {
			continue // its caller has gone
		}
		then := next
		if i == len(members)-1 {
			then = tx.finish
		}
		if m.err = s.partake(ctx, tx, m, then); m.err == nil {
			kept, moved = append(kept, m), moved || m.moved
		} else if len(members) > 1 {
			_, _ = tx.Exec(ctx, "ROLLBACK TO SAVEPOINT member") // where that fails the commit does
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

// next ends the part of one member and begins that of the next.
func next(b *pgx.Batch) {
	b.Queue("RELEASE SAVEPOINT member")
	b.Queue("SAVEPOINT member")
}

// partake decides one member of a group and writes its changes, and in the same
// exchange with the server what then follows. What fails leaves nothing behind once
// it is taken back.
func (s *Store) partake(ctx context.Context, tx pgx.Tx, m *member, then func(*pgx.Batch)) error {
	if m.ctx.Err() != nil {
		return givenUp(m.ctx)
	}
	changes, err := s.decide(ctx, tx, m.decide)
	if err != nil {
		return err
	}
	if m.moved, err = s.apply(ctx, tx, changes, then); err != nil {
		return refused(err)
	}
	return nil
}

// decide runs a decision, in a goroutine of its own, so that one that ends that
// costs nobody else. Its panic is an error. One that the server did not answer
// could decide nothing.
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
	if err != nil && v.lost != nil {
		err = fmt.Errorf("%w: %w", bot.ErrNoCommit, err)
	}
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
// among them. All is encoded before anything is sent, and sent at once, with
// what then follows.
func (s *Store) apply(ctx context.Context, tx pgx.Tx, c engine.Changes, then func(*pgx.Batch)) (moved bool, err error) {
	if err := state.Validate(c); err != nil {
		return false, err
	}
	e := &encoder{s: s, ctx: ctx, tx: tx}
	if err := e.ask(c); err != nil {
		return false, err
	}
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
	then(&e.out)
	return e.moved, tx.SendBatch(ctx, &e.out).Close()
}

// Read implements [engine.Store]. A long reading keeps the server from
// clearing up: do not wait in it.
func (s *Store) Read(ctx context.Context, f func(engine.View) error) error {
	if s.closed() {
		return state.ErrClosed
	}
	begin, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tx, err := s.pool.BeginTx(begin, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		if s.closed() {
			return state.ErrClosed
		}
		return fmt.Errorf("%w: %w", bot.ErrNoRead, err)
	}
	defer rollback(tx)
	v := &view{s: s, ctx: ctx, tx: tx}
	defer v.end()
	if err = f(v); err != nil && v.lost != nil {
		err = fmt.Errorf("%w: %w", bot.ErrNoRead, err)
	}
	return err
}
