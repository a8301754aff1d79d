package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
	"keyturn/state"
)

// free is true of a job j that is the head of its lane and that nobody holds,
// nor another of the lane: a revived job comes before one that is being run.
const free = `NOT j.dead
	AND (j.held_until IS NULL OR j.held_until <= clock_timestamp())
	AND NOT EXISTS (SELECT 1 FROM jobs o WHERE o.lane = j.lane AND o.id < j.id AND NOT o.dead)
	AND NOT EXISTS (SELECT 1 FROM jobs o WHERE o.lane = j.lane AND o.id > j.id AND o.held_until > clock_timestamp())`

// claimed is a job as the server hands it out.
type claimed struct {
	ID    int64
	Class int
	Due   time.Time
	Value []byte
	Claim int64
	Begun bool
}

// Claim implements [engine.Store]: the most urgent class first, within a class
// the earliest due time, then the smallest ID. Where nothing is due it takes no
// lock.
func (s *Store) Claim(ctx context.Context, now time.Time, max int) ([]bot.Job, error) {
	if max <= 0 {
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var any bool
	if err := s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM jobs j WHERE j.due <= $1 AND "+free+")", now).Scan(&any); err != nil || !any {
		return nil, s.told("claiming", err)
	}
	var list []claimed
	err := s.atOnce(ctx, exclusive, func(b *pgx.Batch) {
		b.Queue(`WITH heads AS (
			SELECT j.id FROM jobs j WHERE j.due <= $1 AND `+free+`
			ORDER BY j.class, j.due, j.id LIMIT $2 FOR UPDATE OF j SKIP LOCKED)
		UPDATE jobs j SET begun = j.begun OR j.claim IS NOT NULL, claim = nextval('claim_numbers'), owner = $3,
			held_until = clock_timestamp() + make_interval(secs => $4)
		FROM heads WHERE j.id = heads.id
		RETURNING j.id, j.class, j.due, j.value, j.claim, j.begun`, now, max, s.id, s.term.Seconds()).Query(func(rows pgx.Rows) (err error) {
			list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[claimed])
			return err
		})
	})
	if err != nil {
		return nil, s.told("claiming", err)
	}
	s.held.add(list)
	return s.open(list), nil
}

// held are the claims that this replica knows it has: those whose number it heard,
// and did not mean to give back. No other is prolonged, or a job that nobody works
// on would be kept from everybody.
type held struct {
	mu      sync.Mutex
	numbers map[int64]bool
}

func (h *held) add(list []claimed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.numbers == nil {
		h.numbers = map[int64]bool{}
	}
	for _, c := range list {
		h.numbers[c.Claim] = true
	}
}

func (h *held) drop(numbers ...int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range numbers {
		delete(h.numbers, n)
	}
}

func (h *held) all() []int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.numbers))
}

// open decodes claimed jobs in the order in which they are to be run.
func (s *Store) open(list []claimed) []bot.Job {
	slices.SortFunc(list, func(a, b claimed) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID))
	})
	jobs := make([]bot.Job, 0, len(list))
	for _, c := range list {
		j, err := state.DecodeJob(s.sealer, bot.JobID(c.ID), c.Value)
		if err != nil {
			// The lane stays taken: going on behind this job would break the
			// order, giving it back would try it for ever.
			s.log.Error("a job cannot be read; its lane stands still until it is repaired", "job", c.ID, "error", err)
			continue
		}
		j.Held, j.Begun = uint64(c.Claim), c.Begun
		jobs = append(jobs, j)
	}
	return jobs
}

// Renew implements [engine.Store].
func (s *Store) Renew(ctx context.Context, c bot.Claim) error {
	kept, err := s.prolong(ctx, "id = $2 AND claim = $3", int64(c.Job), int64(c.Number))
	if err == nil && len(kept) == 0 {
		return bot.ErrTakenOver
	}
	return s.told("renewing a claim", err)
}

// keepClaims begins the term of this replica's claims anew, and gives those that are
// still good. The others are over, or their jobs are.
func (s *Store) keepClaims(ctx context.Context) (kept []int64, err error) {
	numbers := s.held.all()
	if len(numbers) == 0 {
		return nil, nil
	}
	if kept, err = s.prolong(ctx, "owner = $2 AND claim = ANY($3)", s.id, numbers); err == nil {
		s.held.drop(slices.DeleteFunc(numbers, func(n int64) bool { return slices.Contains(kept, n) })...)
	}
	return kept, err
}

// prolong begins the term of claims anew that are still good, and gives their
// numbers. What takes longer than the term is of no use to them.
func (s *Store) prolong(ctx context.Context, which string, args ...any) (kept []int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.term)
	defer cancel()
	err = s.atOnce(ctx, shared, func(b *pgx.Batch) {
		b.Queue("UPDATE jobs SET held_until = clock_timestamp() + make_interval(secs => $1) WHERE held_until > clock_timestamp() AND "+which+" RETURNING claim",
			append([]any{s.term.Seconds()}, args...)...).Query(func(rows pgx.Rows) (err error) {
			kept, err = pgx.CollectRows(rows, pgx.RowTo[int64])
			return err
		})
	})
	return kept, err
}

// atOnce makes statements under the lock, in a transaction that is one exchange
// with the server.
func (s *Store) atOnce(ctx context.Context, how string, queue func(*pgx.Batch)) error {
	if s.closed() {
		return state.ErrClosed
	}
	var b pgx.Batch
	b.Queue("SELECT "+how+"($1)", s.number)
	queue(&b)
	return s.pool.SendBatch(ctx, &b).Close() // without BEGIN a batch is a transaction
}

// Term implements [engine.Store].
func (s *Store) Term() time.Duration { return s.term }

// Release implements [engine.Store].
func (s *Store) Release(ctx context.Context, c bot.Claim) error {
	if s.closed() {
		return state.ErrClosed
	}
	s.held.drop(int64(c.Number)) // also where the server does not hear of it: then it runs out
	ctx, cancel := context.WithTimeout(ctx, s.term)
	defer cancel()
	_, err := s.pool.Exec(ctx, `WITH given AS (
			UPDATE jobs SET begun = true, claim = NULL, owner = NULL, held_until = NULL WHERE id = $1 AND claim = $2 RETURNING id)
		SELECT pg_notify($3, '') FROM given`, int64(c.Job), int64(c.Number), s.channel())
	if err != nil {
		return s.told("giving a job back", err)
	}
	s.wakeUp()
	return nil
}

// Next implements [engine.Store].
func (s *Store) Next(ctx context.Context) (time.Time, bool, error) {
	if s.closed() {
		return time.Time{}, false, state.ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var due *time.Time
	err := s.pool.QueryRow(ctx, "SELECT min(j.due) FROM jobs j WHERE "+free).Scan(&due)
	if err != nil || due == nil {
		return time.Time{}, false, s.told("looking for the next job", err)
	}
	return due.UTC(), true, nil
}

// told is an error with what was being done.
func (s *Store) told(what string, err error) error {
	if err == nil || errors.Is(err, state.ErrClosed) {
		return err
	}
	if s.closed() {
		return state.ErrClosed
	}
	return fmt.Errorf("%s in the database failed: %w", what, err)
}

// Wake implements [engine.Store]. It also reports jobs that became free.
func (s *Store) Wake() <-chan struct{} { return s.wake }

// wakeUp tells the workers that there may be something to claim.
func (s *Store) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
