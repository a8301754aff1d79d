package statetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

var jobs = map[string]func(*testing.T, *bench){
	"a lane runs one job at a time, in order":             laneOrder,
	"jobs of one commit keep their order":                 sliceOrder,
	"a head that waits holds its lane up":                 headWaits,
	"urgent classes first, then what is due first":        classOrder,
	"a job is claimed by one worker":                      exclusive,
	"a released job is claimed again":                     released,
	"a job put back keeps its place":                      putBack,
	"a dead job frees its lane and can be revived":        deadJobs,
	"a newer job replaces those that nobody has begun":    collapse,
	"a job that was begun is not replaced":                collapseBegun,
	"a job that is being replaced is not handed out":      collapseRace,
	"next says when the next free head is due":            next,
	"adding jobs wakes":                                   wake,
	"jobs outlive the store":                              outlive,
	"IDs are never used twice":                            freshIDs,
	"a clock that steps backwards only delays":            backwards,
	"a job can be taken out of the middle of its lane":    middle,
	"a job with everything comes back whole":              wholeJob,
	"a thousand lanes drain in order under many claimers": drain,
}

func laneOrder(t *testing.T, b *bench) {
	for i := range 3 {
		b.job(bot.Job{Lane: "l", Kind: fmt.Sprint(i), Class: bot.Class(2 - i)})
	}
	for i := range 3 {
		j := b.claimed(fmt.Sprint(i))
		b.idle()
		b.commit(engine.Changes{Done: []bot.JobID{j.ID}})
	}
	b.idle()
	same(t, "jobs left", 0, len(b.jobs("l")))
}

func sliceOrder(t *testing.T, b *bench) {
	b.commit(engine.Changes{Jobs: []bot.Job{{Lane: "l", Kind: "a"}, {Lane: "m", Kind: "b"}, {Lane: "l", Kind: "c"}}})
	list := b.jobs("")
	same(t, "order", []string{"a", "b", "c"}, kinds(list))
	if !(list[0].ID < list[1].ID && list[1].ID < list[2].ID) {
		t.Errorf("the IDs %d, %d, %d do not follow the order", list[0].ID, list[1].ID, list[2].ID)
	}
	same(t, "the lane", []string{"a", "c"}, kinds(b.jobs("l")))
}

func headWaits(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "tomorrow", Due: Start.Add(24 * time.Hour)})
	b.job(bot.Job{Lane: "l", Kind: "now"})
	b.idle()
	b.clock = Start.Add(24 * time.Hour)
	b.claimed("tomorrow")
}

func classOrder(t *testing.T, b *bench) {
	b.clock = Start.Add(time.Hour)
	add := func(kind string, class bot.Class, minutes int) {
		b.job(bot.Job{Lane: kind, Kind: kind, Class: class, Due: Start.Add(time.Duration(minutes) * time.Minute)})
	}
	add("digest", bot.ClassDigest, 0)
	add("incident, later", bot.ClassIncident, 20)
	add("incident, first", bot.ClassIncident, 5)
	add("incident, first too", bot.ClassIncident, 5)
	add("click", bot.ClassClick, 59)
	add("not due", bot.ClassClick, 61)
	same(t, "the first three", []string{"click", "incident, first", "incident, first too"}, kinds(b.claim(3)))
	same(t, "the rest", []string{"incident, later", "digest"}, kinds(b.claim(9)))
}

func exclusive(t *testing.T, b *bench) {
	const n = 50
	for i := range n {
		b.job(bot.Job{Lane: fmt.Sprint(i), Kind: "x"})
	}
	var mu sync.Mutex
	seen := make(map[bot.JobID]int)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				list, err := b.store.Claim(context.Background(), b.clock, 3)
				if err != nil || len(list) == 0 {
					return
				}
				mu.Lock()
				for _, j := range list {
					seen[j.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	same(t, "claimed jobs", n, len(seen))
	for id, times := range seen {
		if times > 1 {
			t.Errorf("job %d was claimed %d times", id, times)
		}
	}
	if list := b.claim(0); len(list) > 0 {
		t.Error("a claim of none gave some")
	}
}

func released(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "x"})
	j := b.claimed("x")
	b.release(j.Claim())
	same(t, "the job", plain(j), plain(b.claimed("x")))
	b.release(bot.Claim{Job: 999, Number: 1})
	b.release(bot.Claim{})
	b.idle()
}

func putBack(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "first"})
	b.job(bot.Job{Lane: "l", Kind: "second"})
	j := b.claimed("first")
	j.Due, j.Tries, j.Last, j.Payload = Start.Add(time.Minute), 1, "throttled", []byte(`{"n":1}`)
	b.commit(engine.Changes{Again: []bot.Job{j}})
	b.idle()
	b.reopen()
	b.idle()
	b.clock = Start.Add(time.Minute)
	same(t, "the job", plain(j), plain(b.claimed("first")))
	b.commit(engine.Changes{Done: []bot.JobID{j.ID}, Again: []bot.Job{j}})
	b.claimed("second")
}

func deadJobs(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "first"})
	b.job(bot.Job{Lane: "l", Kind: "second"})
	b.job(bot.Job{Lane: "l", Kind: "third"})
	j := b.claimed("first")
	j.Dead, j.Last = true, "the channel is gone"
	b.commit(engine.Changes{Again: []bot.Job{j}})
	b.reopen()
	second := b.claimed("second")
	same(t, "the dead one is still listed", []string{"first", "second", "third"}, kinds(b.jobs("l")))

	j.Dead = false
	b.commit(engine.Changes{Again: []bot.Job{j}})
	b.idle() // the lane is taken
	b.commit(engine.Changes{Done: []bot.JobID{second.ID}})
	first := b.claimed("first")
	first.Dead = true
	b.commit(engine.Changes{Again: []bot.Job{first}})
	b.commit(engine.Changes{Done: []bot.JobID{first.ID}})
	b.claimed("third")
	same(t, "left", []string{"third"}, kinds(b.jobs("l")))
}

func next(t *testing.T, b *bench) {
	at := func() (time.Time, bool) {
		due, ok, err := b.store.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return due, ok
	}
	if _, ok := at(); ok {
		t.Error("an empty store says that something is due")
	}
	b.job(bot.Job{Lane: "a", Kind: "late", Due: Start.Add(time.Hour)})
	b.job(bot.Job{Lane: "b", Kind: "soon", Due: Start.Add(time.Minute)})
	b.job(bot.Job{Lane: "b", Kind: "behind", Due: Start})
	due, _ := at()
	same(t, "the next", Start.Add(time.Minute), due)
	b.clock = Start.Add(time.Minute)
	j := b.claimed("soon")
	due, _ = at()
	same(t, "with one lane taken", Start.Add(time.Hour), due)
	b.commit(engine.Changes{Done: []bot.JobID{j.ID}})
	b.idleExcept("behind")
	due, _ = at()
	same(t, "in the end", Start.Add(time.Hour), due)
}

// idleExcept claims what is due, which must be the job of the kind.
func (b *bench) idleExcept(kind string) {
	b.t.Helper()
	b.claimed(kind)
	b.idle()
}

func wake(t *testing.T, b *bench) {
	drained := func() {
		select {
		case <-b.store.Wake():
		default:
		}
	}
	woken := func(why string) {
		t.Helper()
		select {
		case <-b.store.Wake():
		case <-time.After(5 * time.Second):
			t.Errorf("%s woke nobody", why)
		}
	}
	drained()
	b.commit(engine.Changes{Jobs: []bot.Job{{Lane: "l", Kind: "a", Due: b.clock}, {Lane: "l", Kind: "b", Due: b.clock}}})
	woken("adding a job")
	j := b.claimed("a")
	drained()
	b.release(j.Claim())
	woken("giving a job back")
	b.commit(engine.Changes{Done: []bot.JobID{b.claimed("a").ID}})
	woken("freeing a lane")
}

func outlive(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "first", Payload: []byte(`{"text":"hello"}`)})
	b.job(bot.Job{Lane: "l", Kind: "second"})
	j := b.claimed("first")
	b.release(j.Claim())
	b.reopen()
	same(t, "the job after reopening", plain(j), plain(b.claimed("first")))
	b.idle()
}

func freshIDs(t *testing.T, b *bench) {
	first := b.job(bot.Job{Lane: "l", Kind: "x"})
	b.commit(engine.Changes{Done: []bot.JobID{first}})
	b.reopen()
	if second := b.job(bot.Job{Lane: "l", Kind: "y"}); second <= first {
		t.Errorf("after job %d came job %d", first, second)
	}
}

func backwards(t *testing.T, b *bench) {
	b.clock = Start.Add(time.Hour)
	b.job(bot.Job{Lane: "l", Kind: "x", Due: b.clock})
	b.job(bot.Job{Lane: "m", Kind: "y", Due: b.clock})
	j := b.claimed("x")
	b.release(j.Claim())
	b.clock = Start
	b.idle()
	due, ok, err := b.store.Next(context.Background())
	if err != nil || !ok || !due.Equal(Start.Add(time.Hour)) {
		t.Errorf("the next is due %v (%v, %v)", due, ok, err)
	}
	b.clock = Start.Add(time.Hour)
	same(t, "when the clock is there again", []string{"x", "y"}, kinds(b.claim(5)))
}

func middle(t *testing.T, b *bench) {
	b.job(bot.Job{Lane: "l", Kind: "a"})
	mid := b.job(bot.Job{Lane: "l", Kind: "b"})
	b.job(bot.Job{Lane: "l", Kind: "c"})
	a := b.claimed("a")
	b.commit(engine.Changes{Done: []bot.JobID{mid}})
	b.idle()
	b.commit(engine.Changes{Done: []bot.JobID{a.ID}})
	b.claimed("c")
}

func wholeJob(t *testing.T, b *bench) {
	want := bot.Job{Lane: "now/1", Kind: "say", Class: bot.ClassHandoff, Due: Start.Add(-time.Minute), Made: Start.Add(-time.Hour),
		Tries: 3, Last: "a reason", Payload: []byte(`{"a": [1, 2]}`), Collapse: "c"}
	want.ID = b.job(want)
	b.reopen()
	same(t, "the claimed job", want, plain(b.claimed("say")))
	same(t, "the listed job", []bot.Job{want}, b.jobs(""))
}

func drain(t *testing.T, b *bench) {
	const lanes, deep = 200, 5
	var c engine.Changes
	for i := range lanes * deep {
		c.Jobs = append(c.Jobs, bot.Job{Lane: fmt.Sprint("lane", i%lanes), Kind: fmt.Sprint(i / lanes), Due: b.clock})
	}
	b.commit(c)
	var mu sync.Mutex
	ran := make(map[string]string)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				list, err := b.store.Claim(context.Background(), b.clock, 16)
				if err != nil || len(list) == 0 {
					return
				}
				var done engine.Changes
				mu.Lock()
				for _, j := range list {
					ran[j.Lane] += j.Kind
					done.Done = append(done.Done, j.ID)
				}
				mu.Unlock()
				if err := b.try(done); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	// A claimer that found every lane taken has stopped; the rest is left.
	for list := b.claim(lanes); len(list) > 0; list = b.claim(lanes) {
		for _, j := range list {
			ran[j.Lane] += j.Kind
			b.commit(engine.Changes{Done: []bot.JobID{j.ID}})
		}
	}
	for lane, order := range ran {
		if order != "01234" {
			t.Errorf("%s ran %s", lane, order)
		}
	}
	same(t, "lanes", lanes, len(ran))
}
