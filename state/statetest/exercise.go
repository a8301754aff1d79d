package statetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// Subject is a store to exercise.
type Subject struct {
	// Open gives an empty store that tells the time by now, closed at the end
	// of the test.
	Open func(t *testing.T, now func() time.Time) engine.Store
	// Reopen closes a store that Open gave and opens it anew.
	Reopen func(t *testing.T, s engine.Store, now func() time.Time) engine.Store
	// Disk is every byte that the store has written so far.
	Disk func(t *testing.T, s engine.Store) []byte
	// Auditor is of the key that the store signs with.
	Auditor *state.Auditor

	// Replica opens the data of a store that Open gave once more, as another
	// process does while the first one goes on, closed at the end of the test.
	// A store whose data belong to one process gives s itself and says Alone.
	Replica func(t *testing.T, s engine.Store, now func() time.Time) engine.Store
	// Lapse makes the term of every claim that s gave run out, as when its
	// process has stood still for that long. s itself notices nothing.
	Lapse func(t *testing.T, s engine.Store)
	Alone bool
}

// Start is when the suite's clock begins.
var Start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// Exercise runs the suite.
func Exercise(t *testing.T, s Subject) {
	for _, group := range []map[string]func(*testing.T, *bench){
		commits, records, jobs, claims, replicas, trails,
	} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) {
				b := &bench{t: t, subject: s, clock: Start}
				b.store = s.Open(t, b.now)
				test(t, b)
			})
		}
	}
}

// bench is a store under test and its clock.
type bench struct {
	t       *testing.T
	subject Subject
	store   engine.Store
	clock   time.Time
}

func (b *bench) now() time.Time { return b.clock }

func (b *bench) reopen() {
	b.t.Helper()
	b.store = b.subject.Reopen(b.t, b.store, b.now)
}

// commit writes changes that must succeed.
func (b *bench) commit(c engine.Changes) {
	b.t.Helper()
	if err := b.try(c); err != nil {
		b.t.Fatalf("a plain change was refused: %v", err)
	}
}

func (b *bench) try(c engine.Changes) error {
	return b.store.Commit(context.Background(), func(engine.View) (engine.Changes, error) { return c, nil })
}

// read looks at the store. f returns what goes wrong.
func (b *bench) read(f func(engine.View) error) {
	b.t.Helper()
	if err := b.store.Read(context.Background(), f); err != nil {
		b.t.Fatalf("reading failed: %v", err)
	}
}

// job adds a job and gives its ID.
func (b *bench) job(j bot.Job) bot.JobID {
	b.t.Helper()
	if j.Due.IsZero() {
		j.Due = b.clock
	}
	b.commit(engine.Changes{Jobs: []bot.Job{j}})
	all := b.jobs("")
	return all[len(all)-1].ID
}

func (b *bench) jobs(lane string) (list []bot.Job) {
	b.t.Helper()
	b.read(func(v engine.View) (err error) {
		list, err = v.Jobs(lane)
		return err
	})
	return list
}

// claim takes up to max jobs as of the clock.
func (b *bench) claim(max int) []bot.Job {
	b.t.Helper()
	list, err := b.store.Claim(context.Background(), b.clock, max)
	if err != nil {
		b.t.Fatalf("claiming failed: %v", err)
	}
	return list
}

// claimed takes one job, which must be the one of the kind.
func (b *bench) claimed(kind string) bot.Job {
	b.t.Helper()
	list := b.claim(1)
	if len(list) != 1 || list[0].Kind != kind {
		b.t.Fatalf("claimed %v, expected the job %q", kinds(list), kind)
	}
	return list[0]
}

// idle says that there is nothing to claim.
func (b *bench) idle() {
	b.t.Helper()
	if list := b.claim(10); len(list) > 0 {
		b.t.Fatalf("claimed %v, expected nothing to be free", kinds(list))
	}
}

func (b *bench) release(c bot.Claim) {
	b.t.Helper()
	if err := b.store.Release(context.Background(), c); err != nil {
		b.t.Fatalf("releasing failed: %v", err)
	}
}

// plain is a job without what is said of its claim.
func plain(j bot.Job) bot.Job {
	j.Held, j.Begun = 0, false
	return j
}

func kinds(list []bot.Job) []string {
	out := []string{}
	for _, j := range list {
		out = append(out, j.Kind)
	}
	return out
}

// same compares what was expected with what is there.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	secrets := cmp.Comparer(func(a, b bot.Secret) bool { return a.Reveal() == b.Reveal() })
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), secrets); d != "" {
		t.Errorf("%s (-expected +found):\n%s", what, d)
	}
}

func missing(err error) error {
	if errors.Is(err, bot.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("expected that there is no such thing, got: %v", err)
}
