package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// together commits a message, an entry of the audit trail and a job for each key,
// all at once while the lock is taken, so that they are members of few groups.
func together(t *testing.T, s *Store, keys []string) []error {
	t.Helper()
	lock := must(s.begin(t.Context(), exclusive))
	errs := make([]error, len(keys))
	var come, gone sync.WaitGroup
	for i, key := range keys {
		come.Add(1)
		gone.Go(func() {
			come.Done()
			errs[i] = s.Commit(t.Context(), func(engine.View) (engine.Changes, error) {
				if strings.HasPrefix(key, "stale") {
					return engine.Changes{}, bot.ErrStale
				}
				return engine.Changes{Sent: []bot.Sent{{Key: key}}, Audit: []bot.AuditEntry{{Tenant: "contoso", Act: key}}, Jobs: []bot.Job{{Lane: key, Kind: "x"}}}, nil
			})
		})
	}
	come.Wait()
	rollback(lock)
	gone.Wait()
	return errs
}

// TestAGroupTellsEachMemberWhatBecameOfIt has members that decide nothing, that
// the server refuses while it writes them, and that it refuses when it commits:
// what each is told is what is there, whoever was the last.
func TestAGroupTellsEachMemberWhatBecameOfIt(t *testing.T) {
	for name, c := range map[string]struct {
		kinds []string
		all   bool // one that fails takes its group with it
	}{
		"one cannot be written": {kinds: []string{"good", "stale", "bad", "good"}},
		"none can be written":   {kinds: []string{"bad"}},
		"the last word is no":   {kinds: []string{"good", "good", "late", "good"}, all: true},
	} {
		t.Run(name, func(t *testing.T) {
			conf := config(t)
			s := open(t, conf)
			for _, sql := range []string{
				"ALTER TABLE %[1]s.sent ADD CHECK (key NOT LIKE 'bad%%')",
				"CREATE FUNCTION %[1]s.late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too late'; END $$",
				"CREATE CONSTRAINT TRIGGER late AFTER INSERT ON %[1]s.sent DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.key LIKE 'late%%') EXECUTE FUNCTION %[1]s.late()",
			} {
				query(t, database(t), fmt.Sprintf(sql, conf.Schema))
			}
			told := 0
			for round := range 10 {
				var keys []string
				for i := range 8 {
					keys = append(keys, fmt.Sprint(c.kinds[(i+round)%len(c.kinds)], "/", round, "/", i))
				}
				errs := together(t, s, keys)
				var there []bot.Sent
				err := s.Read(t.Context(), func(v engine.View) (err error) {
					there, err = v.SentUnder("")
					trail, err2 := v.Audit("contoso", 1000)
					jobs, err3 := v.Jobs("")
					if len(trail) != len(there) || len(jobs) != len(there) {
						t.Errorf("there are %d messages, %d entries and %d jobs", len(there), len(trail), len(jobs))
					}
					if len(trail) > 0 {
						err = errors.Join(err, s.auditor.Verify(trail, state.HeadOf(trail[len(trail)-1])))
					}
					return errors.Join(err, err2, err3)
				})
				if err != nil {
					t.Fatal(err)
				}
				for i, key := range keys {
					kept := slices.ContainsFunc(there, func(m bot.Sent) bool { return m.Key == key })
					kind, _, _ := strings.Cut(key, "/")
					switch {
					case kept != (errs[i] == nil):
						t.Errorf("%s was told %v, and is there: %v", key, errs[i], kept)
					case kind == "good" && !kept && !c.all, kind != "good" && kept:
						t.Errorf("%s is there: %v", key, kept)
					case kind == "stale" && !errors.Is(errs[i], bot.ErrStale), kind != "stale" && !kept && !errors.Is(errs[i], bot.ErrNoCommit):
						t.Errorf("%s was told %v", key, errs[i])
					}
					if kept {
						told++
					}
				}
			}
			if !c.all && slices.Contains(c.kinds, "good") && told == 0 {
				t.Error("nothing at all was committed")
			}
		})
	}
}
