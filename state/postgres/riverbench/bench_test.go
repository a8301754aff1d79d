package riverbench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/state"
	"keyturn/state/bolt"
	"keyturn/state/postgres"
)

// connections is how many each may have to the server, besides one that listens.
const connections = 4

// took is how long the parts of one step took.
type took struct{ all, claim time.Duration }

// subject does steps, one after another.
type subject interface {
	// step gives the time from the beginning of the commit that puts the job until
	// its result is committed, and that from when the job was claimed.
	step(n int) (took, error)
}

// BenchmarkStep has each subject do one step, in turn.
func BenchmarkStep(b *testing.B) {
	url := os.Getenv("KEYTURN_TEST_POSTGRES")
	if url == "" {
		b.Skip("KEYTURN_TEST_POSTGRES names no database: set it to a postgres:// address where schemas may be made")
	}
	names := []string{"river", "postgres", "file"}
	subjects := map[string]subject{"river": newRiver(b, url), "postgres": newStore(b, inPostgres(b, url)), "file": newStore(b, inFile(b))}
	list := map[string][]took{}
	const warm = 20
	n := 0
	for b.Loop() {
		for _, name := range names {
			t, err := subjects[name].step(n)
			if err != nil {
				b.Fatalf("%s: %v", name, err)
			}
			if n >= warm {
				list[name] = append(list[name], t)
			}
		}
		n++
	}
	if n <= warm {
		return
	}
	for _, name := range names {
		b.ReportMetric(median(list[name], func(t took) time.Duration { return t.all }), name+"-µs")
		b.ReportMetric(median(list[name], func(t took) time.Duration { return t.claim }), name+"-claim-µs")
	}
}

// median is in microseconds.
func median(list []took, of func(took) time.Duration) float64 {
	var all []time.Duration
	for _, t := range list {
		all = append(all, of(t))
	}
	slices.Sort(all)
	return float64(all[len(all)/2].Nanoseconds()) / 1000
}

func schema(b *testing.B, url string) string {
	b.Helper()
	name := fmt.Sprintf("keyturn_bench_%016x", rand.Uint64())
	b.Cleanup(func() {
		if err := postgres.Drop(context.Background(), bot.NewSecret(url), name); err != nil {
			b.Error(err)
		}
	})
	return name
}

func pool(b *testing.B, url string) *pgxpool.Pool {
	b.Helper()
	c := must[*pgxpool.Config](b)(pgxpool.ParseConfig(url))
	c.MaxConns = connections + 1
	p := must[*pgxpool.Pool](b)(pgxpool.NewWithConfig(b.Context(), c))
	b.Cleanup(p.Close)
	return p
}

func must[T any](b *testing.B) func(T, error) T {
	b.Helper()
	return func(v T, err error) T {
		if err != nil {
			b.Fatal(err)
		}
		return v
	}
}

func keys(b *testing.B) (state.Sealer, *state.Auditor) {
	b.Helper()
	key := must[string](b)(state.NewKey())
	return must[state.Sealer](b)(state.OpenSealer(key)), must[*state.Auditor](b)(state.OpenAuditor(key))
}

func inPostgres(b *testing.B, url string) engine.Store {
	b.Helper()
	sealer, auditor := keys(b)
	s := must[*postgres.Store](b)(postgres.Open(b.Context(), postgres.Config{URL: bot.NewSecret(url), Schema: schema(b, url), Sealer: sealer, Auditor: auditor, Connections: connections}))
	b.Cleanup(func() { s.Close() })
	return s
}

func inFile(b *testing.B) engine.Store {
	b.Helper()
	sealer, auditor := keys(b)
	s := must[*bolt.Store](b)(bolt.Open(bolt.Config{Path: filepath.Join(b.TempDir(), "keyturn.db"), Sealer: sealer, Auditor: auditor}))
	b.Cleanup(func() { s.Close() })
	return s
}

// words make a run as large as one of a guide is.
var words = strings.Repeat("what a run knows ", 60)

// store does steps in one of Keyturn's stores, with a worker that waits for jobs
// as the engine's does.
type store struct {
	engine.Store
	over chan worked
}

type worked struct {
	claim time.Time
	err   error
}

func newStore(b *testing.B, s engine.Store) *store {
	b.Helper()
	w := &store{s, make(chan worked)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.work(ctx) }()
	b.Cleanup(func() { cancel(); <-done })
	return w
}

func (s *store) step(n int) (took, error) {
	id := fmt.Sprint("r", n)
	begun := time.Now()
	err := s.Commit(context.Background(), func(engine.View) (engine.Changes, error) {
		return engine.Changes{Runs: []setup.Run{{ID: id, Tenant: "contoso", State: setup.RunOpen, Started: begun, Change: words}},
			Jobs: []bot.Job{{Lane: "step/" + id, Kind: "step", Due: begun, Payload: []byte(`"` + id + `"`)}}}, nil
	})
	if err != nil {
		return took{}, err
	}
	w := <-s.over
	return took{time.Since(begun), time.Since(w.claim)}, w.err
}

func (s *store) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.Wake():
		}
		for {
			claim := time.Now()
			jobs, err := s.Claim(ctx, claim, 1)
			if ctx.Err() != nil || err == nil && len(jobs) == 0 {
				break
			}
			if err == nil {
				err = s.finish(ctx, jobs[0])
			}
			select {
			case s.over <- worked{claim, err}:
			case <-ctx.Done():
			}
		}
	}
}

func (s *store) finish(ctx context.Context, j bot.Job) error {
	id := strings.TrimPrefix(j.Lane, "step/")
	return s.Commit(ctx, func(v engine.View) (engine.Changes, error) {
		r, err := v.Run(id)
		r.State, r.Ended = setup.RunDone, time.Now()
		return engine.Changes{Under: j.Claim(), Done: []bot.JobID{j.ID}, Runs: []setup.Run{r},
			Audit: []bot.AuditEntry{{Tenant: "contoso", At: r.Ended, Person: "ada", Act: "result", Run: id, Status: 200}}}, err
	})
}
