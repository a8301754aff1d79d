package statetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/state"
)

var commits = map[string]func(*testing.T, *bench){
	"a commit is there for the next reading and the next decision": commitIsVisible,
	"members of a group see the earlier ones":                      groupSeesEarlier,
	"a change is applied whole or not at all":                      wholeOrNothing,
	"a decision that fails changes nothing":                        failingDecision,
	"a panic costs only its own commit":                            panicIsAlone,
	"a decision that ends its goroutine costs no later commit":     goexit,
	"a decision may run twice":                                     decisionIsPure,
	"thirty-two committers lose nothing":                           thirtyTwo,
	"a racing click has one winner":                                oneWinner,
	"a context that is over changes nothing":                       contextOver,
	"a view is over with its decision":                             viewIsOver,
	"what is given and what was given are copies":                  copies,
	"an empty change is no error":                                  emptyChange,
	"a closed store says so":                                       closedStore,
}

func commitIsVisible(t *testing.T, b *bench) {
	b.commit(engine.Changes{Sent: []bot.Sent{{Key: "m1", Ref: bot.MessageRef{ID: "1.1"}}}})
	b.read(func(v engine.View) error {
		s, ok, err := v.Sent("m1")
		same(t, "the reading", "1.1", s.Ref.ID)
		same(t, "it is there", true, ok)
		return err
	})
	err := b.store.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
		s, _, err := v.Sent("m1")
		s.Digest = "seen"
		return engine.Changes{Sent: []bot.Sent{s}}, err
	})
	same(t, "the second commit", nil, err)
	b.reopen()
	b.read(func(v engine.View) error {
		s, _, err := v.Sent("m1")
		same(t, "after reopening", "seen", s.Digest)
		return err
	})
}

// groupSeesEarlier makes a group by holding the store up with a first decision
// while the others queue behind it. Each appends its letter to one record.
func groupSeesEarlier(t *testing.T, b *bench) {
	const n = 20
	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	first := sync.OnceFunc(func() { close(entered); <-leave })
	errs := make([]error, n+1)
	wg.Go(func() {
		errs[n] = b.store.Commit(context.Background(), func(engine.View) (engine.Changes, error) {
			first()
			return engine.Changes{}, nil
		})
	})
	<-entered
	for i := range n {
		wg.Go(func() { errs[i] = b.store.Commit(context.Background(), appendTo("list", "x")) })
	}
	close(leave)
	wg.Wait()
	same(t, "errors", nil, errors.Join(errs...))
	b.read(func(v engine.View) error {
		s, _, err := v.Sent("list")
		same(t, "every member built on the ones before", strings.Repeat("x", n), s.Digest)
		return err
	})
}

func appendTo(key, what string) func(engine.View) (engine.Changes, error) {
	return func(v engine.View) (engine.Changes, error) {
		s, _, err := v.Sent(key)
		return engine.Changes{Sent: []bot.Sent{{Key: key, Digest: s.Digest + what}}}, err
	}
}

func wholeOrNothing(t *testing.T, b *bench) {
	b.commit(engine.Changes{Sent: []bot.Sent{{Key: "m1", Digest: "old"}}})
	bad := map[string]engine.Changes{
		"a job without a lane":         {Jobs: []bot.Job{{Kind: "say"}}},
		"a run without a tenant":       {Runs: []setup.Run{{ID: "r1"}}},
		"an object of no run":          {Objects: []bot.Object{{Key: "graph/application/1", Run: "none"}}},
		"an audit entry of no tenant":  {Audit: []bot.AuditEntry{{Act: "approve"}}},
		"a call whose body is no JSON": {Audit: []bot.AuditEntry{{Tenant: "contoso", Call: &bot.Call{Body: []byte("{")}}}},
		"a name with a zero byte":      {Secrets: []engine.Sealed{{Name: "a\x00b"}}},
		"a name without end":           {Sent: []bot.Sent{{Key: strings.Repeat("k", state.MaxKey+1)}}},
	}
	for name, c := range bad {
		c.Sent = append([]bot.Sent{{Key: "m1", Digest: "new"}}, c.Sent...)
		c.Delivery = &engine.Delivery{Key: "d1", At: b.clock}
		c.Jobs = append([]bot.Job{{Lane: "l", Kind: "good"}}, c.Jobs...)
		if err := b.try(c); !errors.Is(err, state.ErrInvalid) {
			t.Errorf("%s: the store says %v", name, err)
		}
		b.read(func(v engine.View) error {
			s, _, err := v.Sent("m1")
			_, known, err2 := v.Reply("d1")
			same(t, name+": the ledger", "old", s.Digest)
			same(t, name+": the delivery is known", false, known)
			return errors.Join(err, err2)
		})
		b.idle()
	}
	b.commit(engine.Changes{Jobs: []bot.Job{{Lane: "l", Kind: "good"}}})
	b.claimed("good")
}

func failingDecision(t *testing.T, b *bench) {
	stale := errors.New("decided meanwhile")
	err := b.store.Commit(context.Background(), func(engine.View) (engine.Changes, error) {
		return engine.Changes{Sent: []bot.Sent{{Key: "m1"}}}, stale
	})
	if !errors.Is(err, stale) {
		t.Errorf("the decision's own error did not come back: %v", err)
	}
	b.read(func(v engine.View) error {
		_, ok, err := v.Sent("m1")
		same(t, "it is stored", false, ok)
		return err
	})
}

func panicIsAlone(t *testing.T, b *bench) {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			errs[i] = b.store.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
				if i%2 == 1 {
					var none map[string]int
					none["x"] = 1
				}
				return appendTo("list", "x")(v)
			})
		})
	}
	wg.Wait()
	for i, err := range errs {
		if (err != nil) != (i%2 == 1) {
			t.Errorf("commit %d: %v", i, err)
		}
	}
	b.read(func(v engine.View) error {
		s, _, err := v.Sent("list")
		same(t, "the commits that did not panic", "xxxx", s.Digest)
		return err
	})
}

func goexit(t *testing.T, b *bench) {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = b.store.Commit(context.Background(), func(engine.View) (engine.Changes, error) {
			runtime.Goexit()
			return engine.Changes{}, nil
		})
	}()
	<-gone
	b.commit(engine.Changes{Sent: []bot.Sent{{Key: "m1"}}})
}

func decisionIsPure(t *testing.T, b *bench) {
	// Values of one decision are used again: the store must not keep or
	// change them.
	c := engine.Changes{
		Audit: []bot.AuditEntry{{Tenant: "contoso", Act: "approve"}},
		Jobs:  []bot.Job{{Lane: "l", Kind: "say", Due: b.clock}},
	}
	b.commit(c)
	b.commit(c)
	same(t, "the entry given", bot.AuditEntry{Tenant: "contoso", Act: "approve"}, c.Audit[0])
	same(t, "the job given", bot.JobID(0), c.Jobs[0].ID)
	same(t, "two jobs", 2, len(b.jobs("l")))
}

func thirtyTwo(t *testing.T, b *bench) {
	const people, clicks = 32, 8
	var wg sync.WaitGroup
	errs := make([]error, people)
	for p := range people {
		wg.Go(func() {
			for i := range clicks {
				key := fmt.Sprintf("d%d.%d", p, i)
				errs[p] = errors.Join(errs[p], b.store.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
					c, err := appendTo("list", "x")(v)
					c.Delivery = &engine.Delivery{Key: key, At: b.clock, Reply: bot.Private(bot.Say(bot.T(key)))}
					c.Audit = []bot.AuditEntry{{Tenant: "contoso", Act: "click", Note: key}}
					c.Jobs = []bot.Job{{Lane: fmt.Sprint("lane", p), Kind: key, Due: b.clock}}
					return c, err
				}))
			}
		})
	}
	wg.Wait()
	same(t, "errors", nil, errors.Join(errs...))
	b.read(func(v engine.View) error {
		s, _, err := v.Sent("list")
		same(t, "all clicks", people*clicks, len(s.Digest))
		trail, err2 := v.Audit("contoso", people*clicks+1)
		same(t, "all entries", people*clicks, len(trail))
		var err3 error
		for p := range people {
			key := fmt.Sprintf("d%d.7", p)
			r, ok, err := v.Reply(key)
			err3 = errors.Join(err3, err)
			if !ok || r.Message.Words() != key {
				t.Errorf("the answer to %s is gone", key)
			}
		}
		return errors.Join(err, err2, err3)
	})
	same(t, "one head a lane", people, len(b.claim(1000)))
}

func oneWinner(t *testing.T, b *bench) {
	b.commit(engine.Changes{Runs: []setup.Run{{ID: "r1", Tenant: "contoso", State: "open"}}})
	var wg sync.WaitGroup
	errs := make([]error, 32)
	for i := range errs {
		wg.Go(func() {
			errs[i] = b.store.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
				r, err := v.Run("r1")
				if err != nil {
					return engine.Changes{}, err
				}
				if r.State != "open" {
					return engine.Changes{}, bot.ErrStale
				}
				r.State = "done"
				return engine.Changes{Runs: []setup.Run{r}}, nil
			})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, bot.ErrStale) {
			t.Errorf("a loser was told %v", err)
		}
	}
	same(t, "winners", 1, won)
}

func contextOver(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := b.store.Commit(ctx, func(engine.View) (engine.Changes, error) {
		return engine.Changes{Sent: []bot.Sent{{Key: "m1"}}}, nil
	})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, bot.ErrNoCommit) {
		t.Errorf("the commit says %v", err)
	}
	b.read(func(v engine.View) error {
		_, ok, err := v.Sent("m1")
		same(t, "it is stored", false, ok)
		return err
	})
}

func viewIsOver(t *testing.T, b *bench) {
	var kept engine.View
	b.read(func(v engine.View) error { kept = v; return nil })
	if _, err := kept.Jobs(""); !errors.Is(err, state.ErrOver) {
		t.Errorf("a view used too late says %v", err)
	}
	if _, err := kept.Run("r1"); !errors.Is(err, state.ErrOver) {
		t.Errorf("a view used too late says %v", err)
	}
}

func copies(t *testing.T, b *bench) {
	run := setup.Run{ID: "r1", Tenant: "contoso", Holders: map[bot.Role][]bot.PersonID{bot.Owner: {"p1"}}}
	job := bot.Job{Lane: "l", Kind: "say", Due: b.clock, Payload: []byte(`{"a":1}`)}
	b.commit(engine.Changes{Runs: []setup.Run{run}, Jobs: []bot.Job{job}})
	run.Holders[bot.Owner][0] = "changed by the caller"
	copy(job.Payload, "XXXXXXX")
	b.read(func(v engine.View) error {
		r, err := v.Run("r1")
		r.Holders[bot.Owner][0] = "changed by the reader"
		again, err2 := v.Run("r1")
		same(t, "the holder", []bot.PersonID{"p1"}, again.Holders[bot.Owner])
		return errors.Join(err, err2)
	})
	got := b.claimed("say")
	same(t, "the payload", `{"a":1}`, string(got.Payload))
	copy(got.Payload, "XXXXXXX")
	same(t, "the stored payload", `{"a":1}`, string(b.jobs("l")[0].Payload))
}

func emptyChange(t *testing.T, b *bench) {
	b.commit(engine.Changes{})
	b.commit(engine.Changes{Done: []bot.JobID{99}, Unsent: []string{"none"}, Forget: []string{"none"}, Again: []bot.Job{{ID: 98}}})
	same(t, "jobs", 0, len(b.jobs("")))
}

func closedStore(t *testing.T, b *bench) {
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.try(engine.Changes{}); !errors.Is(err, bot.ErrNoCommit) || !errors.Is(err, state.ErrClosed) {
		t.Errorf("a commit says %v", err)
	}
	err := b.store.Read(context.Background(), func(engine.View) error { return nil })
	if !errors.Is(err, state.ErrClosed) {
		t.Errorf("a reading says %v", err)
	}
	if err := b.store.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}
