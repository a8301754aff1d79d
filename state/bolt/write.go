package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// maxGroup bounds a commit group, so that nobody waits for a crowd.
const maxGroup = 128

// member is one Commit of a group.
type member struct {
	ctx    context.Context
	decide func(engine.View) (engine.Changes, error)
	done   chan error // buffered

	err   error
	batch *batch // what it changes, once it is applied
	over  bool   // its fate is settled without the group's
}

// Commit implements [engine.Store]. It must not be called from inside a
// decision or a reading. A context that ends before the decision was begun
// changes nothing; after that the outcome is waited for, so that it is known.
func (s *Store) Commit(ctx context.Context, decide func(engine.View) (engine.Changes, error)) error {
	m := &member{ctx: ctx, decide: decide, done: make(chan error, 1)}
	select {
	case <-s.stop:
		return errClosed
	default:
	}
	s.waiting.Add(1)
	select {
	case s.queue <- m:
		return <-m.done
	case <-s.stop:
		s.waiting.Add(-1)
		return errClosed
	case <-ctx.Done():
		s.waiting.Add(-1)
		return givenUp(ctx)
	}
}

func givenUp(ctx context.Context) error {
	return fmt.Errorf("%w: it was given up before it was begun: %w", bot.ErrNoCommit, ctx.Err())
}

var errClosed = fmt.Errorf("%w: %w", bot.ErrNoCommit, state.ErrClosed)

// run is the writer: the only goroutine that changes the file. A decision that
// ends its goroutine (as a failing test does) ends this one, and another
// takes over.
func (s *Store) run() {
	over := false
	defer func() {
		if over {
			close(s.stopped)
		} else {
			go s.run()
		}
	}()
	for {
		select {
		case <-s.stop:
			over = true
			return
		case chore := <-s.chores:
			chore()
		case m := <-s.queue:
			s.waiting.Add(-1)
			s.write(s.gather(m))
		}
	}
}

// rush is what the writer remembers of the last group, to know a crowd.
type rush struct {
	crowd int // its members, and those who came while it was written
	took  time.Duration
}

// A crowd is waited for while members come in such short intervals, or in such a
// part of what writing takes, and never longer than that.
const (
	interval = 200 * time.Microsecond
	part     = 8
	longest  = 2 * time.Millisecond
)

// gather takes whoever waits besides the first. Those who were answered
// together come back together, but not at the same instant: whoever comes first
// would have the disk to itself while all others wait for the next turn, and a
// crowd that was once in two halves would stay so. So after a crowd the writer
// waits a moment for its like, no longer than writing takes; somebody who comes
// alone never waits.
func (s *Store) gather(first *member) []*member {
	group := []*member{first}
	begun := time.Now()
	for len(group) < maxGroup {
		select {
		case m := <-s.queue:
			s.waiting.Add(-1)
			group = append(group, m)
			continue
		default:
		}
		left := min(s.last.took, longest) - time.Since(begun)
		if len(group) >= s.last.crowd || left <= 0 {
			return group
		}
		pause := time.NewTimer(min(left, max(interval, s.last.took/part)))
		select {
		case m := <-s.queue:
			s.waiting.Add(-1)
			pause.Stop()
			group = append(group, m)
		case <-pause.C:
			return group
		}
	}
	return group
}

// write commits a group and answers its members.
func (s *Store) write(group []*member) {
	finished := false
	begun := time.Now()
	defer func() {
		if !finished {
			refuse(group, fmt.Errorf("%w: a decision of the same commit group ended the writer's goroutine", bot.ErrNoCommit))
		}
		s.last = rush{len(group) + int(s.waiting.Load()), time.Since(begun)}
		for _, m := range group {
			m.done <- m.err
		}
	}()
	if err := s.transact(group); err != nil {
		s.alone(group, err)
	}
	finished = true
}

// alone runs each member in a transaction of its own, after the group's could
// not be applied: one of them may be the cause.
func (s *Store) alone(group []*member, cause error) {
	for _, m := range group {
		if m.over {
			continue
		}
		m.err, m.batch = nil, nil
		if len(group) > 1 {
			cause = s.transact([]*member{m})
		}
		if cause != nil {
			s.log.Error("a change could not be applied", "error", cause)
			m.err = fmt.Errorf("%w: %w", bot.ErrNoCommit, cause)
		}
	}
}

// transact runs the group in one transaction. Members get their errors; the
// error returned is of applying, and means that nothing of the group was
// written.
func (s *Store) transact(group []*member) (err error) {
	tx, err := s.db.Begin(true)
	if err != nil {
		refuse(group, fmt.Errorf("%w: %w", bot.ErrNoCommit, err))
		return nil
	}
	var held []bot.JobID
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("writing panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("writing the data file failed: %v", p)
		}
		// Does nothing after a commit.
		if rerr := tx.Rollback(); rerr != nil && !errors.Is(rerr, berrors.ErrTxClosed) {
			s.log.Error("a transaction could not be rolled back", "error", rerr)
		}
		s.lanes.unhold(held)
		if len(held) > 0 || moved(group) {
			s.wakeUp()
		}
	}()

	for _, m := range group {
		if !s.prepare(tx, m, &held) {
			continue
		}
		if err := s.apply(tx, m.batch); err != nil {
			return err
		}
	}
	if unchanged(group) {
		return nil
	}
	if err := s.prune(tx, 2*len(group)+8); err != nil {
		s.log.Error("old records could not be removed", "error", err)
	}
	s.finish(tx, group)
	return nil
}

// prepare runs the decision of a member and encodes its changes. It reports
// whether there is something to apply.
func (s *Store) prepare(tx *bolt.Tx, m *member, held *[]bot.JobID) bool {
	if m.over {
		return false
	}
	if m.ctx.Err() != nil {
		m.over, m.err = true, givenUp(m.ctx)
		return false
	}
	changes, err := s.decide(tx, m)
	if err == nil {
		m.batch, err = s.encode(tx, changes, held)
	}
	m.err = err
	return err == nil && !m.batch.empty()
}

// decide runs a decision; its panic is an error of its own.
func (s *Store) decide(tx *bolt.Tx, m *member) (c engine.Changes, err error) {
	v := s.view(tx)
	defer v.end()
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a decision panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("Keyturn made a mistake while deciding this; nothing was changed: %v", p)
		}
	}()
	return m.decide(v)
}

// apply writes what a member changes into the transaction.
func (s *Store) apply(tx *bolt.Tx, b *batch) error {
	for _, w := range b.writes {
		if err := s.put(tx.Bucket(w.bucket), w.key, w.value); err != nil {
			return fmt.Errorf("%s could not be written: %w", w.bucket, err)
		}
	}
	if b.sequence > 0 {
		return tx.Bucket(bJobs).SetSequence(b.sequence)
	}
	return nil
}

// put writes or, without a value, deletes.
func put(b *bolt.Bucket, key, value []byte) error {
	if value == nil {
		return b.Delete(key)
	}
	return b.Put(key, value)
}

func unchanged(group []*member) bool {
	for _, m := range group {
		if m.batch != nil && !m.batch.empty() {
			return false
		}
	}
	return true
}

// moved reports whether the group changed jobs.
func moved(group []*member) bool {
	for _, m := range group {
		if m.batch != nil && len(m.batch.changes) > 0 {
			return true
		}
	}
	return false
}

// refuse gives all of a group that was not written one error. That includes
// members that wanted no change or had an error of their own: they decided on
// what the others wrote, which is gone.
func refuse(group []*member, err error) {
	for _, m := range group {
		if !m.over {
			m.err = err
		}
	}
}

// finish commits the transaction and lets memory follow the disk.
func (s *Store) finish(tx *bolt.Tx, group []*member) {
	id := tx.ID()
	err := s.commit(tx)
	if err != nil {
		s.log.Error("the data file could not be written", "file", s.path, "error", err)
		if serr := tx.Rollback(); serr != nil && !errors.Is(serr, berrors.ErrTxClosed) {
			s.log.Error("a transaction could not be rolled back", "error", serr)
		}
	}
	if err != nil && !s.landed(id) {
		refuse(group, fmt.Errorf("%w (%w)", bot.ErrNoCommit, err))
		return
	}
	var changes []change
	for _, m := range group {
		if m.err == nil && m.batch != nil {
			changes = append(changes, m.batch.changes...)
		}
	}
	s.lanes.apply(changes)
	if err == nil {
		return
	}
	if err := s.confirm(); err != nil {
		refuse(group, fmt.Errorf("%w (%w)", bot.ErrNoCommit, err))
	}
}

// landed reports whether a transaction whose commit failed is visible all the
// same. That is so when only the last flush failed: everything it changed was
// flushed before, and bbolt then goes on from it.
func (s *Store) landed(id int) bool {
	tx, err := s.db.Begin(false)
	if err != nil {
		return false
	}
	defer tx.Rollback()
	return tx.ID() >= id
}

// confirm makes a transaction durable that landed without its last flush: one
// more commit flushes again, and on success stands on it.
func (s *Store) confirm() error {
	tx, err := s.db.Begin(true)
	if err != nil {
		return err
	}
	return errors.Join(s.commit(tx), ignoreClosed(tx.Rollback()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, berrors.ErrTxClosed) {
		return nil
	}
	return err
}

// wakeUp tells the workers that there may be something to claim.
func (s *Store) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
