package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
	"keyturn/state/statetest"
)

func TestABackupTakenWhileCommitsGoOnIsWhole(t *testing.T) {
	s := fresh(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			c := sent(fmt.Sprint("k", i))
			c.Audit = []bot.AuditEntry{{Tenant: "contoso", Act: fmt.Sprint(i)}}
			if err := commit(s, c); err != nil {
				t.Error(err)
				return
			}
		}
	})
	if err := commit(s, sent("before")); err != nil {
		t.Error(err)
	}
	for range 5 {
		var copied bytes.Buffer
		if err := s.Backup(t.Context(), &copied); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "backup.db")
		if err := os.WriteFile(path, copied.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		restored := open(t, config(path))
		if err := restored.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if !slices.Contains(keys(t, restored), "before") {
			t.Error("the backup lacks what was committed before it")
		}
	}
	close(stop)
	wg.Wait()
}

func TestABackupThatNobodyWantsEnds(t *testing.T) {
	s := fresh(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Backup(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("the backup says %v", err)
	}
}

func TestCompactingGivesRoomBackAndLosesNothing(t *testing.T) {
	s := fresh(t)
	big := engine.Changes{Jobs: []bot.Job{{Lane: "l", Kind: "l", Due: statetest.Start}}}
	var keysOfBig []string
	for i := range 3000 {
		key := fmt.Sprintf("big%04d", i)
		big.Sent = append(big.Sent, bot.Sent{Key: key, Digest: string(bytes.Repeat([]byte("x"), 800))})
		keysOfBig = append(keysOfBig, key)
	}
	if err := errors.Join(commit(s, big), commit(s, engine.Changes{Unsent: keysOfBig, Sent: sent("kept").Sent})); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.spare(), []byte("left by a crash"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, after, err := s.Compact(t.Context())
	if err != nil || after >= before/2 {
		t.Fatalf("compacting took the file from %d to %d bytes, %v", before, after, err)
	}
	refused(t, config(s.path), "in use")
	if err := commit(s, job("m", "")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Check(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, config(s.path))
	if got := keys(t, s); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("the ledger has %v", got)
	}
	if got := claim(t, s); !slices.Equal(got, []string{"l", "m"}) {
		t.Errorf("the lanes have %v", got)
	}
}

func TestACompactionThatFailsLeavesTheFileAsItWas(t *testing.T) {
	s := fresh(t)
	if err := commit(s, sent("kept")); err != nil {
		t.Fatal(err)
	}
	// A folder in the way of the new file.
	if err := os.MkdirAll(filepath.Join(s.spare(), "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Compact(t.Context()); err == nil {
		t.Error("compacting worked")
	}
	if err := commit(s, sent("more")); err != nil {
		t.Error(err)
	}
	if got := keys(t, s); !slices.Equal(got, []string{"kept", "more"}) {
		t.Errorf("the ledger has %v", got)
	}
}

func TestFinishedThingsGoWhenTheirTimeIsOver(t *testing.T) {
	c := config(filepath.Join(t.TempDir(), "keyturn.db"))
	now := statetest.Start
	c.Now = func() time.Time { return now }
	c.Keep = state.Keep{Runs: 10 * time.Hour, Incidents: 20 * time.Hour}
	s := open(t, c)
	known := func(id string, resolved bool, seen time.Time) incident.Known {
		return incident.Known{Tenant: "contoso", Seen: seen, Issue: incident.Issue{ID: id, Resolved: resolved}}
	}
	err := errors.Join(
		commit(s, engine.Changes{
			Runs: []setup.Run{
				{ID: "done", Tenant: "contoso", State: setup.RunDone, Ended: now},
				{ID: "open", Tenant: "contoso", State: setup.RunOpen}},
			Objects:   []bot.Object{{Key: "o", Run: "done"}},
			Incidents: []incident.Known{known("old", true, now), known("updated", true, now), known("reopened", true, now), known("active", false, now)},
		}),
		commit(s, engine.Changes{Incidents: []incident.Known{known("updated", true, now.Add(5*time.Hour)), known("reopened", false, now)}}))
	if err != nil {
		t.Fatal(err)
	}
	look := func(runs, incidents int) {
		t.Helper()
		if err := commit(s, sent("anything")); err != nil {
			t.Fatal(err)
		}
		err := s.Read(t.Context(), func(v engine.View) error {
			r, err := v.Runs("contoso")
			i, err2 := v.Incidents("contoso", true)
			if len(r) != runs || len(i) != incidents {
				t.Errorf("at %v there are %d runs and %d incidents, expected %d and %d", now, len(r), len(i), runs, incidents)
			}
			return errors.Join(err, err2)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	look(2, 4)
	now = now.Add(11 * time.Hour)
	look(1, 4)
	now = statetest.Start.Add(21 * time.Hour)
	look(1, 3)
	now = statetest.Start.Add(26 * time.Hour)
	look(1, 2)
	// What a removed run made can still be removed outside, and recorded.
	if err := commit(s, engine.Changes{Objects: []bot.Object{{Key: "o", Run: "done", Removed: now}}}); err != nil {
		t.Error(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOldDeliveriesLeaveTheFileInSmallPortions(t *testing.T) {
	c := config(filepath.Join(t.TempDir(), "keyturn.db"))
	now := statetest.Start
	c.Now = func() time.Time { return now }
	s := open(t, c)
	for i := range 100 {
		if err := commit(s, engine.Changes{Delivery: &engine.Delivery{Key: fmt.Sprint(i), At: now}}); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(100 * time.Hour)
	left := func() int {
		tx, err := s.db.Begin(false)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		return tx.Bucket(bDeliveries).Stats().KeyN + tx.Bucket(bDeliveriesAt).Stats().KeyN
	}
	for last := left(); last > 0; {
		if err := commit(s, sent("x")); err != nil {
			t.Fatal(err)
		}
		n := left()
		if n >= last || last-n > 40 {
			t.Fatalf("one commit took the entries from %d to %d", last, n)
		}
		last = n
	}
}

func TestACheckWhileCommitsGoOnFindsNothing(t *testing.T) {
	s := fresh(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				c := engine.Changes{Sent: []bot.Sent{{Key: fmt.Sprint(g, "/", i%50), Digest: strings.Repeat("x", 200+i%3000)}}}
				if i%3 == 0 {
					c = engine.Changes{Unsent: []string{fmt.Sprint(g, "/", i%50)}}
				}
				if err := commit(s, c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 100 {
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	wg.Wait()
}
