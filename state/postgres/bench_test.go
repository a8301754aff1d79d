package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state/statetest"
)

// click is what a click commits: its answer, an audit entry and a job.
func click(s *Store, key string) error {
	return s.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
		_, _, err := v.Reply(key)
		return engine.Changes{
			Delivery: &engine.Delivery{Key: key, At: statetest.Start, Reply: bot.Private(bot.Say(bot.T("Approved.")))},
			Audit:    []bot.AuditEntry{{Tenant: "contoso", At: statetest.Start, Person: "p1", Act: "approve"}},
			Jobs:     []bot.Job{{Lane: key, Kind: "say", Due: statetest.Start, Payload: []byte(`{"text":"Approved."}`)}},
		}, err
	})
}

// BenchmarkCommit is committed requests a second, as that of package bolt.
func BenchmarkCommit(b *testing.B) {
	for _, committers := range []int{1, 32} {
		b.Run(fmt.Sprintf("committers=%d", committers), func(b *testing.B) {
			s := open(b, config(b))
			var n atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range committers {
				wg.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						if err := click(s, fmt.Sprint(i)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// BenchmarkLanes is jobs a second that replicas claim and finish, in 1,000 lanes
// of which each always has a next job.
func BenchmarkLanes(b *testing.B) {
	for _, replicas := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("replicas=%d", replicas), func(b *testing.B) {
			c := config(b)
			stores := []*Store{open(b, c)}
			for len(stores) < replicas {
				stores = append(stores, open(b, c))
			}
			var jobs []bot.Job
			for i := range 1000 {
				jobs = append(jobs, bot.Job{Lane: fmt.Sprint("lane ", i), Kind: "say", Due: statetest.Start, Payload: []byte(`{"text":"x"}`)})
			}
			if err := commit(stores[0], engine.Changes{Jobs: jobs}); err != nil {
				b.Fatal(err)
			}
			var done atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for _, s := range stores {
				wg.Go(func() {
					for done.Load() < int64(b.N) {
						if err := work(s, &done); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(done.Load())/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}

// work claims eight jobs and finishes them beside each other, as workers do.
func work(s *Store, done *atomic.Int64) error {
	list, err := s.Claim(context.Background(), statetest.Start, 8)
	if err != nil {
		return err
	}
	errs := make(chan error, len(list))
	for _, j := range list {
		go func() {
			errs <- commit(s, engine.Changes{Under: j.Claim(), Done: []bot.JobID{j.ID},
				Jobs: []bot.Job{{Lane: j.Lane, Kind: "say", Due: statetest.Start, Payload: j.Payload}}})
		}()
	}
	for range list {
		if e := <-errs; e != nil {
			err = e
		}
		done.Add(1)
	}
	return err
}

// TestAnIdleReplicaAsksLittle counts what a replica asks the server while there
// is nothing to do, with an engine that looks for work whenever it is woken.
func TestAnIdleReplicaAsksLittle(t *testing.T) {
	c := config(t)
	c.Term = 500 * time.Millisecond
	counted := &counter{}
	c.tracer = counted
	s := open(t, c)
	deadline := time.After(10 * c.Term / beats)
	begun := counted.n.Load()
	for {
		select {
		case <-s.Wake():
			if _, err := s.Claim(t.Context(), statetest.Start, 8); err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
			continue
		case <-deadline:
		}
		break
	}
	asked := counted.n.Load() - begun
	minute := float64(asked) / 10 * float64(time.Minute) / float64(Term/beats)
	t.Logf("idle: %d statements in 10 beats, %.0f a minute at the usual term", asked, minute)
	if minute > 200 {
		t.Errorf("an idle replica asks %.0f times a minute", minute)
	}
}

// counter counts statements.
type counter struct{ n atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *counter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	c.n.Add(int64(d.Batch.Len()))
	return ctx
}
func (c *counter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (c *counter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}
