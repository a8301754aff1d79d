package bolt

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
	"keyturn/state/statetest"
)

func trailOf(t *testing.T, s *Store, tenant bot.TenantID) (list []bot.AuditEntry) {
	t.Helper()
	err := s.Read(t.Context(), func(v engine.View) (err error) {
		list, err = v.Audit(tenant, 1<<30)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTheOldestEntriesOfATrailGoAndLeaveACheckpoint(t *testing.T) {
	c := config(filepath.Join(t.TempDir(), "keyturn.db"))
	now := statetest.Start
	c.Now = func() time.Time { return now }
	c.Keep = state.Keep{Audit: 10 * 24 * time.Hour}
	s := open(t, c)
	for i := range 60 { // one a day
		err := commit(s, engine.Changes{Audit: []bot.AuditEntry{
			{Tenant: "contoso", At: now, Act: "call", Note: fmt.Sprint(i)}, {Tenant: "contoso2", At: now, Act: "call"}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, tenant := range []bot.TenantID{"contoso", "contoso2"} {
			list := trailOf(t, s, tenant)
			if err := c.Auditor.Verify(list, state.HeadOf(list[len(list)-1])); err != nil {
				t.Fatalf("day %d, %s: %v", i, tenant, err)
			}
			if n := len(list); n > 13 || list[n-1].Seq != uint64(i+1) {
				t.Fatalf("day %d, %s: %d entries, the last is %d", i, tenant, n, list[n-1].Seq)
			}
		}
		now = now.Add(24 * time.Hour)
	}
	if list := trailOf(t, s, "contoso"); list[0].Act != bot.AuditCheckpoint || list[1].Seq != list[0].Seq+1 || list[1].Note != fmt.Sprint(list[0].Seq) {
		t.Errorf("the trail begins with %+v, %+v", list[0], list[1])
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	// Silence for years leaves the newest entry, so that the chain goes on.
	now = now.Add(5000 * 24 * time.Hour)
	for range 10 {
		if err := commit(s, sent("anything")); err != nil {
			t.Fatal(err)
		}
	}
	if list := trailOf(t, s, "contoso"); len(list) != 2 || list[1].Seq != 60 {
		t.Errorf("after years there are %d entries", len(list))
	}
	if err := commit(s, engine.Changes{Audit: []bot.AuditEntry{{Tenant: "contoso", At: now, Act: "later"}}}); err != nil {
		t.Fatal(err)
	}
	list := trailOf(t, s, "contoso")
	if err := c.Auditor.Verify(list, state.HeadOf(list[len(list)-1])); err != nil || list[len(list)-1].Seq != 61 {
		t.Errorf("the chain goes on with %d: %v", list[len(list)-1].Seq, err)
	}
}

func TestATrailStaysWholeWithoutALimit(t *testing.T) {
	c := config(filepath.Join(t.TempDir(), "keyturn.db"))
	now := statetest.Start
	c.Now = func() time.Time { return now }
	s := open(t, c)
	for range 5 {
		if err := commit(s, engine.Changes{Audit: []bot.AuditEntry{{Tenant: "contoso", At: now, Act: "call"}}}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(1000 * 24 * time.Hour)
	}
	if list := trailOf(t, s, "contoso"); len(list) != 5 || list[0].Act != "call" {
		t.Errorf("%d entries, the first says %q", len(list), list[0].Act)
	}
}
