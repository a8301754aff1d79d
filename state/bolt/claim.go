package bolt

import (
	"context"
	"time"

	bolt "go.etcd.io/bbolt"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// Read implements [engine.Store]. While it runs the file can change, but f
// does not see it. A long reading keeps old pages in the file: do not wait in
// it.
func (s *Store) Read(ctx context.Context, f func(engine.View) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.reading(func(tx *bolt.Tx) error {
		v := s.view(tx)
		defer v.end()
		return f(v)
	})
}

// reading runs f on a transaction that sees the last commit.
func (s *Store) reading(f func(*bolt.Tx) error) error {
	s.file.RLock()
	defer s.file.RUnlock()
	if s.db == nil {
		return state.ErrClosed
	}
	return s.db.View(f)
}

// Claim implements [engine.Store]: the most urgent class first, within a class
// the earliest due time, then the smallest ID.
func (s *Store) Claim(ctx context.Context, now time.Time, max int) ([]bot.Job, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	claimed := s.lanes.claim(now, max)
	if len(claimed) == 0 {
		return nil, nil
	}
	jobs := make([]bot.Job, 0, len(claimed))
	err := s.reading(func(tx *bolt.Tx) error {
		for _, held := range claimed {
			id := held.ID
			b := tx.Bucket(bJobs).Get(jobKey(id))
			if b == nil {
				s.log.Error("a job in memory is not on disk", "job", id)
				continue
			}
			j, err := state.DecodeJob(s.sealer, id, b)
			if err != nil {
				// The lane stays taken: going on behind this job would break
				// the order, giving it back would try it for ever.
				s.log.Error("a job cannot be read; its lane stands still until it is repaired", "job", id, "error", err)
				continue
			}
			j.Held, j.Begun = held.Held, held.Begun
			jobs = append(jobs, j)
		}
		return nil
	})
	if err != nil {
		for _, j := range claimed {
			s.lanes.release(j.Claim(), false)
		}
		return nil, err
	}
	return jobs, nil
}

// Renew implements [engine.Store]. Claims have no term here: they end with the
// process, and nobody else has the file while it lives.
func (s *Store) Renew(ctx context.Context, c bot.Claim) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !s.lanes.mine(c) {
		return bot.ErrTakenOver
	}
	return nil
}

// Term implements [engine.Store]: nobody else can have the file.
func (s *Store) Term() time.Duration { return 0 }

// Release implements [engine.Store].
func (s *Store) Release(_ context.Context, c bot.Claim) error {
	s.lanes.release(c, true)
	s.wakeUp()
	return nil
}

// Next implements [engine.Store].
func (s *Store) Next(context.Context) (time.Time, bool, error) {
	due, ok := s.lanes.next()
	return due, ok, nil
}

// Wake implements [engine.Store]. It also reports jobs that became free.
func (s *Store) Wake() <-chan struct{} { return s.wake }
