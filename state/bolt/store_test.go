package bolt

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
	"keyturn/state/statetest"
)

// keys of all tests.
var testKey = must(state.NewKey())

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func config(path string) Config {
	return Config{
		Path: path, Sealer: must(state.OpenSealer(testKey)), Auditor: must(state.OpenAuditor(testKey)),
		Now: func() time.Time { return statetest.Start }, NoSync: true, Wait: 60 * time.Millisecond,
	}
}

func open(t testing.TB, c Config) *Store {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatalf("the store does not open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("the store does not close: %v", err)
		}
	})
	return s
}

// lapse ends every claim, as no store of one process ever does by itself.
func (l *lanes) lapse() {
	l.mu.Lock()
	var all []bot.Claim
	for _, ln := range l.byName {
		if ln.claimed != 0 {
			all = append(all, bot.Claim{Job: ln.claimed, Number: ln.number})
		}
	}
	l.mu.Unlock()
	for _, c := range all {
		l.release(c, true)
	}
}

func TestStore(t *testing.T) {
	reopen := func(t *testing.T, path string, now func() time.Time) engine.Store {
		c := config(path)
		c.Now = now
		return open(t, c)
	}
	statetest.Exercise(t, statetest.Subject{
		Open: func(t *testing.T, now func() time.Time) engine.Store {
			return reopen(t, filepath.Join(t.TempDir(), "keyturn.db"), now)
		},
		Reopen: func(t *testing.T, s engine.Store, now func() time.Time) engine.Store {
			if err := s.(*Store).Check(t.Context()); err != nil {
				t.Errorf("the check before closing: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return reopen(t, s.(*Store).path, now)
		},
		Disk: func(t *testing.T, s engine.Store) []byte {
			b, err := os.ReadFile(s.(*Store).path)
			if err != nil {
				t.Fatal(err)
			}
			return b
		},
		Auditor: must(state.OpenAuditor(testKey)),
		Replica: func(_ *testing.T, s engine.Store, _ func() time.Time) engine.Store { return s },
		Lapse:   func(_ *testing.T, s engine.Store) { s.(*Store).lanes.lapse() },
		Alone:   true,
	})
}
