package statetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// replicas are the tests with several stores on the same data.
var replicas = map[string]func(*testing.T, *bench){
	"what one replica commits the others see":             replicasSee,
	"what one replica keeps for a while holds for others": replicasKeep,
	"replicas that write the same record lose nothing":    replicasLoseNothing,
	"a click that races on two replicas has one winner":   replicasOneWinner,
	"a delivery that reaches two replicas counts once":    replicasOneEffect,
	"entries of several replicas make one chain":          replicasOneChain,
	"a job is claimed by one replica":                     replicasExclusive,
	"one replica polls a tenant":                          replicasOnePoller,
	"a job that one replica adds wakes another":           replicasWake,
	"IDs of jobs of several replicas are in order":        replicasIDs,
	"what a replica holds is taken over when it is still": replicasTakeover,
	"a closed replica takes nothing with it":              replicasClose,
}

// several is the bench's store and more on the same data.
func (b *bench) several(n int) []engine.Store {
	list := []engine.Store{b.store}
	for len(list) < n {
		list = append(list, b.subject.Replica(b.t, b.store, b.now))
	}
	return list
}

// each runs f at the same time on every store, n times.
func each(stores []engine.Store, n int, f func(replica, i int, s engine.Store) error) error {
	var wg sync.WaitGroup
	errs := make([]error, len(stores))
	for r, s := range stores {
		wg.Go(func() {
			for i := range n {
				errs[r] = errors.Join(errs[r], f(r, i, s))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func replicasSee(t *testing.T, b *bench) {
	other := b.several(2)[1]
	b.commit(engine.Changes{Sent: []bot.Sent{{Key: "m", Digest: "1"}}, Secrets: []engine.Sealed{{Name: "s", Value: bot.NewSecret("word")}}})
	err := other.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
		s, ok, err := v.Sent("m")
		same(t, "the other sees it", true, ok)
		word, err2 := v.Secret("s")
		same(t, "the other opens it", "word", word.Reveal())
		s.Digest += "2"
		return engine.Changes{Sent: []bot.Sent{s}}, errors.Join(err, err2)
	})
	same(t, "the other's commit", nil, err)
	b.read(func(v engine.View) error {
		s, _, err := v.Sent("m")
		same(t, "the first sees that", "12", s.Digest)
		return err
	})
}

// replicasKeep has one replica put a job back and keep a record for a while in the
// same commit: none that sees the job free sees it without the record.
func replicasKeep(t *testing.T, b *bench) {
	other := b.several(2)[1]
	b.job(bot.Job{Lane: "l", Kind: "x"})
	j := b.claimed("x")
	until := b.clock.Add(30 * time.Second)
	held := func(v engine.View) bool {
		_, ok, err := v.Record("pause", engine.NoTenant, "slack:T1/edit")
		same(t, "an error", nil, err)
		return ok
	}
	b.commit(engine.Changes{Under: j.Claim(), Again: []bot.Job{j},
		Records: []engine.Record{{Kind: "pause", Tenant: engine.NoTenant, Key: "slack:T1/edit", Value: []byte("1"), Until: until}}})
	list, err := other.Claim(context.Background(), b.clock, 1)
	same(t, "an error", nil, err)
	same(t, "what the other gets", []string{"x"}, kinds(list))
	same(t, "an error", nil, other.Read(context.Background(), func(v engine.View) error {
		same(t, "the other sees it", true, held(v))
		return nil
	}))
	b.clock = until
	same(t, "an error", nil, other.Read(context.Background(), func(v engine.View) error {
		same(t, "the other sees it after its time", false, held(v))
		return nil
	}))
}

func replicasLoseNothing(t *testing.T, b *bench) {
	const n = 25
	err := each(b.several(3), n, func(_, _ int, s engine.Store) error {
		return s.Commit(context.Background(), appendTo("list", "x"))
	})
	same(t, "errors", nil, err)
	b.read(func(v engine.View) error {
		s, _, err := v.Sent("list")
		same(t, "all of them", strings.Repeat("x", 3*n), s.Digest)
		return err
	})
}

func replicasOneWinner(t *testing.T, b *bench) {
	for round := range 10 {
		id := fmt.Sprint("r", round)
		b.commit(engine.Changes{Runs: []setup.Run{{ID: id, Tenant: "contoso", State: "open"}}})
		var mu sync.Mutex
		won := 0
		err := each(b.several(3), 3, func(_, _ int, s engine.Store) error {
			err := s.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
				r, err := v.Run(id)
				if err != nil {
					return engine.Changes{}, err
				}
				if r.State != "open" {
					return engine.Changes{}, bot.ErrStale
				}
				r.State = "done"
				return engine.Changes{Runs: []setup.Run{r}}, nil
			})
			if errors.Is(err, bot.ErrStale) {
				return nil
			}
			mu.Lock()
			won++
			mu.Unlock()
			return err
		})
		same(t, "errors", nil, err)
		same(t, "winners", 1, won)
	}
}

// replicasOneEffect decides on what is not there: nobody may be let through
// because neither saw the other's.
func replicasOneEffect(t *testing.T, b *bench) {
	const n = 20
	err := each(b.several(3), n, func(_, i int, s engine.Store) error {
		key := fmt.Sprint("d", i)
		return s.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
			if _, known, err := v.Reply(key); known || err != nil {
				return engine.Changes{}, err
			}
			c, err := appendTo("effects", "x")(v)
			c.Delivery = &engine.Delivery{Key: key, At: b.clock}
			return c, err
		})
	})
	same(t, "errors", nil, err)
	b.read(func(v engine.View) error {
		s, _, err := v.Sent("effects")
		same(t, "effects", n, len(s.Digest))
		return err
	})
}

func replicasOneChain(t *testing.T, b *bench) {
	err := each(b.several(3), 20, func(r, i int, s engine.Store) error {
		return s.Commit(context.Background(), func(engine.View) (engine.Changes, error) {
			return engine.Changes{Audit: []bot.AuditEntry{{Tenant: "contoso", Act: fmt.Sprint(r, i)}}}, nil
		})
	})
	same(t, "errors", nil, err)
	genuine(b, "contoso", 60)
}

func replicasExclusive(t *testing.T, b *bench) {
	const lanes, deep = 40, 3
	var c engine.Changes
	for i := range lanes * deep {
		c.Jobs = append(c.Jobs, bot.Job{Lane: fmt.Sprint("lane", i%lanes), Kind: fmt.Sprint(i / lanes), Due: b.clock})
	}
	b.commit(c)
	var mu sync.Mutex
	ran := make(map[string]string)
	left := lanes * deep
	err := each(b.several(3), 1, func(_, _ int, s engine.Store) error {
		for {
			list, err := s.Claim(context.Background(), b.clock, 4)
			if err != nil {
				return err
			}
			for _, j := range list {
				mu.Lock()
				ran[j.Lane] += j.Kind
				left--
				mu.Unlock()
				err := s.Commit(context.Background(), func(engine.View) (engine.Changes, error) {
					return engine.Changes{Under: j.Claim(), Done: []bot.JobID{j.ID}}, nil
				})
				if err != nil {
					return err
				}
			}
			mu.Lock()
			over := left <= 0
			mu.Unlock()
			if over {
				return nil
			}
		}
	})
	same(t, "errors", nil, err)
	same(t, "lanes", lanes, len(ran))
	for lane, order := range ran {
		if order != "012" {
			t.Errorf("%s ran %s", lane, order)
		}
	}
}

// replicasOnePoller has every replica begin as a starting bot does: it adds the
// poll where there is none.
func replicasOnePoller(t *testing.T, b *bench) {
	stores := b.several(3)
	err := each(stores, 3, func(_, _ int, s engine.Store) error {
		return s.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
			there, err := v.Jobs("poll/contoso")
			if err != nil || len(there) > 0 {
				return engine.Changes{}, err
			}
			return engine.Changes{Jobs: []bot.Job{{Lane: "poll/contoso", Kind: "poll", Due: b.clock}}}, nil
		})
	})
	same(t, "errors", nil, err)
	same(t, "polls", 1, len(b.jobs("poll/contoso")))
	var mu sync.Mutex
	claimed := 0
	err = each(stores, 5, func(_, _ int, s engine.Store) error {
		list, err := s.Claim(context.Background(), b.clock, 5)
		mu.Lock()
		claimed += len(list)
		mu.Unlock()
		return err
	})
	same(t, "errors", nil, err)
	same(t, "pollers", 1, claimed)
}

func replicasWake(t *testing.T, b *bench) {
	other := b.several(2)[1]
	select {
	case <-other.Wake():
	default:
	}
	b.commit(engine.Changes{Jobs: []bot.Job{{Lane: "l", Kind: "x", Due: b.clock}}})
	select {
	case <-other.Wake():
	case <-time.After(10 * time.Second):
		t.Error("nobody woke the other replica")
	}
	list, err := other.Claim(context.Background(), b.clock, 1)
	same(t, "an error", nil, err)
	same(t, "what it got", []string{"x"}, kinds(list))
	b.idle()
	due, ok, err := other.Next(context.Background())
	if err != nil || ok {
		t.Errorf("with the lane taken, something is due %v, %v", due, err)
	}
}

func replicasIDs(t *testing.T, b *bench) {
	err := each(b.several(3), 20, func(r, i int, s engine.Store) error {
		return s.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
			there, err := v.Jobs("l")
			return engine.Changes{Jobs: []bot.Job{{Lane: "l", Kind: fmt.Sprint(len(there)), Due: b.clock}}}, err
		})
	})
	same(t, "errors", nil, err)
	for i, j := range b.jobs("l") {
		if j.Kind != fmt.Sprint(i) {
			t.Fatalf("the job that was added as number %s is number %d of its lane", j.Kind, i)
		}
	}
}

func replicasTakeover(t *testing.T, b *bench) {
	other := b.several(2)[1]
	b.job(bot.Job{Lane: "l", Kind: "x"})
	j := b.claimed("x")
	list, err := other.Claim(context.Background(), b.clock, 1)
	same(t, "while the first is well", 0, len(list))
	same(t, "an error", nil, err)
	b.subject.Lapse(t, b.store)
	list, err = other.Claim(context.Background(), b.clock, 1)
	if err != nil || len(list) != 1 || !list[0].Begun {
		t.Fatalf("the other got %+v, %v", list, err)
	}
	b.refused("the first when it wakes up", j.Claim())
	same(t, "renewing", nil, other.Renew(context.Background(), list[0].Claim()))
	err = other.Commit(context.Background(), func(engine.View) (engine.Changes, error) {
		return engine.Changes{Under: list[0].Claim(), Done: []bot.JobID{j.ID}}, nil
	})
	same(t, "the other's commit", nil, err)
	b.idle()
}

func replicasClose(t *testing.T, b *bench) {
	if b.subject.Alone {
		t.Skip("the data of this store belong to one process")
	}
	other := b.several(2)[1]
	b.job(bot.Job{Lane: "l", Kind: "x"})
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	b.commit(engine.Changes{Sent: []bot.Sent{{Key: "m"}}})
	b.claimed("x")
}
