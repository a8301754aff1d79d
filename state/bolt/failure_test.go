package bolt

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
	"keyturn/state/statetest"
)

var errDisk = syscall.ENOSPC

func fresh(t testing.TB) *Store {
	t.Helper()
	return open(t, config(filepath.Join(t.TempDir(), "keyturn.db")))
}

func commit(s *Store, c engine.Changes) error {
	return s.Commit(context.Background(), func(engine.View) (engine.Changes, error) { return c, nil })
}

func sent(key string) engine.Changes { return engine.Changes{Sent: []bot.Sent{{Key: key}}} }

func job(lane, collapse string) engine.Changes {
	return engine.Changes{Jobs: []bot.Job{{Lane: lane, Kind: lane, Due: statetest.Start, Collapse: collapse}}}
}

// keys lists the ledger.
func keys(t *testing.T, s *Store) (list []string) {
	t.Helper()
	err := s.Read(context.Background(), func(v engine.View) error {
		all, err := v.SentUnder("")
		for _, e := range all {
			list = append(list, e.Key)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func claim(t *testing.T, s *Store) (lanes []string) {
	t.Helper()
	list, err := s.Claim(context.Background(), statetest.Start, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range list {
		lanes = append(lanes, j.Lane)
	}
	return lanes
}

// together has the decisions commit in one group, in this order.
func together(s *Store, decide ...func(engine.View) (engine.Changes, error)) []error {
	group := make([]*member, len(decide))
	for i, d := range decide {
		group[i] = &member{ctx: context.Background(), decide: d, done: make(chan error, 1)}
	}
	_ = s.chore(context.Background(), func() error { s.write(group); return nil })
	errs := make([]error, len(group))
	for i, m := range group {
		errs[i] = <-m.done
	}
	return errs
}

func gives(c engine.Changes) func(engine.View) (engine.Changes, error) {
	return func(engine.View) (engine.Changes, error) { return c, nil }
}

func TestAFullDiskRefusesTheWholeGroupAndTheStoreLivesOn(t *testing.T) {
	s := fresh(t)
	if err := errors.Join(commit(s, job("waiting", "c")), commit(s, sent("old"))); err != nil {
		t.Fatal(err)
	}
	s.commit = func(*bbolt.Tx) error { return errDisk }
	stale := errors.New("decided meanwhile")
	errs := together(s,
		gives(sent("new")),
		gives(job("replacing", "c")),
		gives(engine.Changes{}),
		func(engine.View) (engine.Changes, error) { return engine.Changes{}, stale },
	)
	for i, err := range errs {
		if !errors.Is(err, bot.ErrNoCommit) || !errors.Is(err, errDisk) {
			t.Errorf("member %d was told %v: even one that only read rests on what was not written", i, err)
		}
	}
	s.commit = (*bbolt.Tx).Commit
	if got := keys(t, s); !slices.Equal(got, []string{"old"}) {
		t.Errorf("the ledger has %v", got)
	}
	if got := claim(t, s); !slices.Equal(got, []string{"waiting"}) {
		t.Errorf("the lanes have %v: the job that was to be replaced must be free again", got)
	}
	if err := commit(s, sent("new")); err != nil {
		t.Errorf("with room again the store says %v", err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAChangeThatCannotBeAppliedCostsOnlyItself(t *testing.T) {
	s := fresh(t)
	s.put = func(b *bbolt.Bucket, key, value []byte) error {
		if strings.HasPrefix(string(key), "bad") {
			return errDisk
		}
		return put(b, key, value)
	}
	runs := 0
	bad := engine.Changes{Sent: []bot.Sent{{Key: "applied first"}, {Key: "bad"}}, Jobs: job("bad", "").Jobs}
	errs := together(s, func(engine.View) (engine.Changes, error) { runs++; return sent("a"), nil }, gives(bad), gives(sent("b")))
	if errs[0] != nil || errs[2] != nil || !errors.Is(errs[1], bot.ErrNoCommit) {
		t.Errorf("the members were told %v", errs)
	}
	if got := keys(t, s); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the ledger has %v", got)
	}
	if got := claim(t, s); len(got) > 0 {
		t.Errorf("the lanes have %v", got)
	}
	if runs != 2 {
		t.Errorf("the first member decided %d times: once in the group and once alone", runs)
	}
}

func TestAPanicWhileWritingIsAnError(t *testing.T) {
	s := fresh(t)
	s.put = func(*bbolt.Bucket, []byte, []byte) error { panic("page 7 already freed") }
	if err := commit(s, sent("a")); !errors.Is(err, bot.ErrNoCommit) {
		t.Errorf("the commit says %v", err)
	}
	s.put = put
	if err := commit(s, sent("b")); err != nil {
		t.Error(err)
	}
	if got := keys(t, s); !slices.Equal(got, []string{"b"}) {
		t.Errorf("the ledger has %v", got)
	}
}

func TestALastFlushThatFailsIsMadeGoodOrTold(t *testing.T) {
	s := fresh(t)
	flushes := 0
	flush := func(failing int) {
		flushes = 0
		s.commit = func(tx *bbolt.Tx) error {
			flushes++
			if err := tx.Commit(); err != nil {
				return err
			}
			if flushes <= failing {
				return errDisk
			}
			return nil
		}
	}
	flush(1)
	if err := commit(s, engine.Changes{Sent: sent("made good").Sent, Jobs: job("l", "").Jobs}); err != nil || flushes != 2 {
		t.Errorf("a commit whose next flush worked says %v after %d flushes", err, flushes)
	}
	if got := claim(t, s); !slices.Equal(got, []string{"l"}) {
		t.Errorf("the lanes have %v", got)
	}
	flush(2)
	if err := commit(s, sent("told")); !errors.Is(err, bot.ErrNoCommit) {
		t.Errorf("a commit that was never flushed says %v", err)
	}
	flush(0)
	if err := commit(s, sent("after")); err != nil {
		t.Error(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestClosingTellsWhoWaits(t *testing.T) {
	s := fresh(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(entered); <-leave })
	var wg sync.WaitGroup
	var running error
	wg.Go(func() {
		running = s.Commit(context.Background(), func(engine.View) (engine.Changes, error) { first(); return sent("running"), nil })
	})
	<-entered
	waiting := make([]error, 4)
	for i := range waiting {
		wg.Go(func() { waiting[i] = commit(s, sent("waiting")) })
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	<-s.stop
	close(leave)
	wg.Wait()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if running != nil {
		t.Errorf("the commit under way was told %v", running)
	}
	told := 0
	for _, err := range waiting {
		if err == nil {
			told++
		} else if !errors.Is(err, state.ErrClosed) || !errors.Is(err, bot.ErrNoCommit) {
			t.Errorf("one that waited was told %v", err)
		}
	}
	again := open(t, config(s.path))
	want := 1 + min(told, 1)
	if got := keys(t, again); len(got) != want {
		t.Errorf("the ledger has %v, and %d that waited were told that they are in it", got, told)
	}
}

func TestADueHeadMayHaveBeenBegunBeforeTheRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyturn.db")
	s := open(t, config(path))
	later := job("poll", "poll")
	later.Jobs[0].Due = statetest.Start.Add(1)
	if err := errors.Join(commit(s, job("l", "c")), commit(s, job("l", "d")), commit(s, later)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, config(path))
	if err := errors.Join(commit(s, job("l", "c")), commit(s, job("l", "d")), commit(s, later)); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	if err := s.Read(t.Context(), func(v engine.View) error {
		list, err := v.Jobs("")
		for _, j := range list {
			count[j.Collapse]++
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if count["c"] != 2 {
		t.Errorf("%d jobs c: the old head may have been under way and must stay", count["c"])
	}
	if count["d"] != 1 || count["poll"] != 1 {
		t.Errorf("%d jobs d and %d polls: what cannot have been begun is replaced", count["d"], count["poll"])
	}
}

func TestAGroupMayAddAJobChangeItAndFinishIt(t *testing.T) {
	s := fresh(t)
	put := func(change func(bot.Job) engine.Changes) func(engine.View) (engine.Changes, error) {
		return func(v engine.View) (engine.Changes, error) {
			list, err := v.Jobs("l")
			if err != nil || len(list) == 0 {
				return engine.Changes{}, errors.Join(err, errors.New("the job that the group added is not there"))
			}
			return change(list[0]), nil
		}
	}
	again := func(j bot.Job) engine.Changes { j.Last = "sooner"; return engine.Changes{Again: []bot.Job{j}} }
	done := func(j bot.Job) engine.Changes { return engine.Changes{Done: []bot.JobID{j.ID}} }
	errs := together(s, gives(job("l", "")), put(again), gives(job("l", "")), put(done), put(again))
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := claim(t, s); !slices.Equal(got, []string{"l"}) {
		t.Errorf("the lanes have %v", got)
	}
}
