package statetest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

var claims = map[string]func(*testing.T, *bench){
	"a change is made under a claim only while it is good":      underClaim,
	"a claim that is renewed is good":                           renewal,
	"a claim is over with the commit that finishes its job":     finished,
	"of two commits that finish a job one does":                 finishedTwice,
	"who gives a job back twice takes it from nobody":           releasedTwice,
	"a job that was given back may have been begun":             begunBefore,
	"a job that was put back is as its worker left it":          putBackUnbegun,
	"a panic under a claim leaves the claim":                    panicUnderClaim,
	"a newer job beside a claimed one leaves the claim":         replacedBeside,
	"no step of the clock ends a claim":                         clockAndClaims,
	"a claim that ran out changes nothing":                      ranOut,
	"a claim on a job that is gone changes nothing":             goneUnder,
	"whose claim ran out cannot give back what another has now": lateRelease,
	"the claims of a store that is gone run out":                orphaned,
}

// under makes a change under a claim.
func (b *bench) under(c bot.Claim, change engine.Changes) error {
	change.Under = c
	return b.try(change)
}

// refused says that a change under a claim was refused because the claim is
// over.
func (b *bench) refused(why string, c bot.Claim) {
	b.t.Helper()
	err := b.under(c, engine.Changes{Sent: []bot.Sent{{Key: why}}, Done: []bot.JobID{c.Job}})
	if !errors.Is(err, bot.ErrTakenOver) {
		b.t.Errorf("%s: a change is told %v", why, err)
	}
	b.read(func(v engine.View) error {
		_, ok, err := v.Sent(why)
		same(b.t, why+": something was written", false, ok)
		return err
	})
	if err := b.store.Renew(context.Background(), c); !errors.Is(err, bot.ErrTakenOver) {
		b.t.Errorf("%s: renewing is told %v", why, err)
	}
}

func (b *bench) good(why string, c bot.Claim) {
	b.t.Helper()
	if err := b.store.Renew(context.Background(), c); err != nil {
		b.t.Errorf("%s: renewing is told %v", why, err)
	}
	if err := b.under(c, engine.Changes{Sent: []bot.Sent{{Key: why}}}); err != nil {
		b.t.Errorf("%s: a change is told %v", why, err)
	}
}

func underClaim(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x"})
	b.job(bot.Job{Lane: "m", Kind: "y"})
	x, y := b.claimed("x"), b.claimed("y")
	b.good("the first", x.Claim())
	b.good("and again", x.Claim())
	b.release(x.Claim())
	b.refused("after it was given back", x.Claim())
	b.good("the other", y.Claim())
	again := b.claimed("x")
	if again.Claim() == x.Claim() {
		t.Errorf("two claims have the number %d", x.Held)
	}
	b.refused("while another has it", x.Claim())
	b.good("who has it now", again.Claim())
	b.refused("a claim that was never given", bot.Claim{Job: 999, Number: 1})
}

func renewal(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x"})
	j := b.claimed("x")
	for range 3 {
		b.good("renewed", j.Claim())
		b.idle()
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.store.Renew(ctx, j.Claim()); !errors.Is(err, context.Canceled) {
		t.Errorf("renewing when it is over says %v", err)
	}
}

func finished(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x"})
	j := b.claimed("x")
	j.Tries, j.Last = 1, "throttled"
	if err := b.under(j.Claim(), engine.Changes{Again: []bot.Job{j}}); err != nil {
		t.Fatal(err)
	}
	b.refused("put back", j.Claim())
	next := b.claimed("x")
	if err := b.under(next.Claim(), engine.Changes{Done: []bot.JobID{next.ID}}); err != nil {
		t.Fatal(err)
	}
	b.refused("done", next.Claim())
	same(t, "jobs", 0, len(b.jobs("")))
}

func finishedTwice(t *testing.T, b *bench) {
	for range 20 {
		b.job(bot.Job{Lane: "l", Kind: "x"})
		j := b.claimed("x")
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() {
				c := engine.Changes{Done: []bot.JobID{j.ID}, Audit: []bot.AuditEntry{{Tenant: "contoso", Act: "result"}}}
				if i%2 == 1 {
					c.Done, c.Again = nil, []bot.Job{j}
				}
				errs[i] = b.under(j.Claim(), c)
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, bot.ErrTakenOver) {
				t.Errorf("a loser is told %v", err)
			}
		}
		same(t, "winners", 1, won)
		for _, left := range b.jobs("") {
			b.commit(engine.Changes{Done: []bot.JobID{left.ID}})
		}
	}
	genuine(b, "contoso", 20)
}

func releasedTwice(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x"})
	j := b.claimed("x")
	b.release(j.Claim())
	other := b.claimed("x")
	b.release(j.Claim())
	b.idle()
	b.good("the second worker", other.Claim())
}

func begunBefore(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x", Collapse: "c"})
	j := b.claimed("x")
	same(t, "begun at the first claim", false, j.Begun)
	b.release(j.Claim())
	b.job(bot.Job{Lane: "l", Kind: "newer", Collapse: "c"})
	j = b.claimed("x")
	same(t, "begun at the second", true, j.Begun)
	b.release(j.Claim())
	b.reopen()
	same(t, "begun after reopening", true, b.claimed("x").Begun)
}

func putBackUnbegun(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x"})
	j := b.claimed("x")
	b.release(j.Claim())
	j = b.claimed("x")
	b.commit(engine.Changes{Again: []bot.Job{j}})
	same(t, "begun after it was put back", false, b.claimed("x").Begun)
}

func panicUnderClaim(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x"})
	j := b.claimed("x")
	err := b.store.Commit(context.Background(), func(engine.View) (engine.Changes, error) { panic("a bug") })
	if err == nil || errors.Is(err, bot.ErrTakenOver) {
		t.Errorf("a panic is told as %v", err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = b.store.Commit(context.Background(), func(engine.View) (engine.Changes, error) {
			runtime.Goexit()
			return engine.Changes{}, nil
		})
	}()
	<-gone
	b.idle()
	b.good("after it", j.Claim())
}

// replacedBeside has others add work that would replace the claimed job, all the
// time, while its worker goes on.
func replacedBeside(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x", Collapse: "c"})
	j := b.claimed("x")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := b.try(engine.Changes{Jobs: []bot.Job{{Lane: "l", Kind: "newer", Due: b.clock, Collapse: "c"}}}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 200 {
		b.good("the worker", j.Claim())
	}
	close(stop)
	wg.Wait()
	same(t, "what is there", []string{"x", "newer"}, kinds(b.jobs("l")))
}

func clockAndClaims(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x"})
	j := b.claimed("x")
	for _, step := range []time.Duration{1000 * time.Hour, -2000 * time.Hour} {
		b.clock = b.clock.Add(step)
		b.idle()
		b.good(step.String(), j.Claim())
	}
}

func ranOut(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x", Collapse: "c"})
	j := b.claimed("x")
	b.subject.Lapse(t, b.store)
	b.job(bot.Job{Lane: "l", Kind: "newer", Collapse: "c"})
	other := b.claimed("x") // not replaced: it was begun
	same(t, "begun", true, other.Begun)
	b.refused("who had it before", j.Claim())
	b.good("who has it now", other.Claim())
	if err := b.under(other.Claim(), engine.Changes{Done: []bot.JobID{other.ID}}); err != nil {
		t.Fatal(err)
	}
	b.claimed("newer")
}

func goneUnder(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x"})
	j := b.claimed("x")
	b.commit(engine.Changes{Done: []bot.JobID{j.ID}}) // somebody decided that it is not to be done
	b.refused("a job that is gone", j.Claim())
}

func lateRelease(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x"})
	j := b.claimed("x")
	b.subject.Lapse(t, b.store)
	other := b.claimed("x")
	b.release(j.Claim())
	b.idle()
	b.good("who has it now", other.Claim())
}

func orphaned(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x"})
	b.claimed("x")
	b.subject.Lapse(t, b.store)
	b.reopen()
	same(t, "begun", true, b.claimed("x").Begun)
}
