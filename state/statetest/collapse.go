package statetest

import (
	"context"
	"sync"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
)

func collapse(t *testing.T, b *bench) {
	add := func(kind, name string) { b.job(bot.Job{Lane: "l", Kind: kind, Collapse: name}) }
	add("other", "checklist/r10")
	add("old", "checklist/r1")
	add("plain", "")
	add("new", "checklist/r1")
	same(t, "left", []string{"other", "plain", "new"}, kinds(b.jobs("l")))
	b.reopen()
	b.commit(engine.Changes{Jobs: []bot.Job{
		{Lane: "l", Kind: "same commit, first", Collapse: "checklist/r1"}, {Lane: "l", Kind: "same commit, last", Collapse: "checklist/r1"}}})
	same(t, "left", []string{"other", "plain", "same commit, last"}, kinds(b.jobs("l")))
	for _, kind := range []string{"other", "plain", "same commit, last"} {
		b.commit(engine.Changes{Done: []bot.JobID{b.claimed(kind).ID}})
	}
	b.idle()
}

func collapseBegun(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "claimed", Collapse: "c"})
	j := b.claimed("claimed")
	b.job(bot.Job{Lane: "l", Kind: "newer", Collapse: "c"})
	same(t, "a claimed job stays", []string{"claimed", "newer"}, kinds(b.jobs("l")))
	b.job(bot.Job{Lane: "l", Kind: "newest", Collapse: "c"})
	same(t, "the waiting one is replaced", []string{"claimed", "newest"}, kinds(b.jobs("l")))

	j.Tries = 1
	b.commit(engine.Changes{Again: []bot.Job{j}})
	b.job(bot.Job{Lane: "l", Kind: "last", Collapse: "c"})
	same(t, "a job that was tried stays", []string{"claimed", "last"}, kinds(b.jobs("l")))

	j.Dead = true
	b.commit(engine.Changes{Again: []bot.Job{j}})
	b.job(bot.Job{Lane: "l", Kind: "very last", Collapse: "c"})
	same(t, "a dead job stays", []string{"claimed", "very last"}, kinds(b.jobs("l")))
}

// collapseRace has workers and replacements compete: whatever was claimed must
// still be there for its worker to finish.
func collapseRace(t *testing.T, b *bench) {
	const rounds = 200
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			list, err := b.store.Claim(context.Background(), b.clock, 1)
			if err != nil {
				t.Error(err)
				return
			}
			for _, j := range list {
				err := b.store.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
					there, err := v.Jobs(j.Lane)
					found := false
					for _, x := range there {
						found = found || x.ID == j.ID
					}
					if !found {
						t.Errorf("job %d was replaced while a worker had it", j.ID)
					}
					return engine.Changes{Done: []bot.JobID{j.ID}}, err
				})
				if err != nil {
					t.Error(err)
				}
			}
		}
	})
	for range rounds {
		b.commit(engine.Changes{Jobs: []bot.Job{{Lane: "l", Kind: "x", Due: b.clock, Collapse: "c"}}})
	}
	close(done)
	wg.Wait()
	if n := len(b.jobs("l")); n > 1 {
		t.Errorf("%d jobs wait where each replaces the other", n)
	}
}
