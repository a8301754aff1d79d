package bolt

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state/statetest"
)

// model is the lanes as somebody would write them who has all the time in the
// world.
type model struct {
	jobs    []bot.Job // by ID
	claimed map[string]bot.JobID
	begun   map[bot.JobID]bool // given back
}

func (m *model) index(id bot.JobID) int {
	return slices.IndexFunc(m.jobs, func(j bot.Job) bool { return j.ID == id })
}

func (m *model) drop(id bot.JobID) {
	if i := m.index(id); i >= 0 {
		m.free(id)
		m.jobs = slices.Delete(m.jobs, i, i+1)
	}
}

func (m *model) free(id bot.JobID) {
	for lane, have := range m.claimed {
		if have == id {
			delete(m.claimed, lane)
		}
	}
}

func (m *model) add(j bot.Job) {
	for _, old := range slices.Clone(m.jobs) {
		if j.Collapse != "" && old.Collapse == j.Collapse && old.Tries == 0 && !old.Dead && !m.begun[old.ID] && m.claimed[old.Lane] != old.ID {
			m.drop(old.ID)
		}
	}
	m.jobs = append(m.jobs, j)
}

// heads are the free ones, in the order in which they are claimed.
func (m *model) heads() (list []bot.Job) {
	seen := make(map[string]bool)
	for _, j := range m.jobs {
		if !j.Dead && !seen[j.Lane] {
			seen[j.Lane] = true
			if _, taken := m.claimed[j.Lane]; !taken {
				list = append(list, j)
			}
		}
	}
	slices.SortFunc(list, func(a, b bot.Job) int {
		if a.Class != b.Class {
			return int(a.Class - b.Class)
		}
		if c := a.Due.Compare(b.Due); c != 0 {
			return c
		}
		return int(a.ID) - int(b.ID)
	})
	return list
}

func (m *model) claim(now time.Time, max int) (ids []bot.JobID) {
	for _, j := range m.heads() {
		if len(ids) < max && !j.Due.After(now) {
			m.claimed[j.Lane] = j.ID
			ids = append(ids, j.ID)
		}
	}
	return ids
}

func TestLanesDoWhatTheModelDoes(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		s, err := Open(config(filepath.Join(dir, fmt.Sprint(n))))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		r := &run{t: t, s: s, now: statetest.Start, m: model{claimed: make(map[string]bot.JobID), begun: make(map[bot.JobID]bool)}, claims: make(map[bot.JobID]bot.Claim)}
		t.Repeat(map[string]func(*rapid.T){
			"add": r.add, "claim": r.claim, "finish": r.finish, "again": r.again, "release": r.release, "clock": r.clock, "": r.compare,
		})
	})
}

// run is the store and the model side by side.
type run struct {
	t    *rapid.T
	s    *Store
	m    model
	now  time.Time
	last bot.JobID

	claims map[bot.JobID]bot.Claim // the last of each job
}

func (r *run) commit(t *rapid.T, c engine.Changes) {
	if err := r.s.Commit(context.Background(), func(engine.View) (engine.Changes, error) { return c, nil }); err != nil {
		t.Fatal(err)
	}
}

func (r *run) due(t *rapid.T) time.Time {
	return r.now.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "due")) * time.Second)
}

func (r *run) add(t *rapid.T) {
	j := bot.Job{
		Lane:     rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "lane"),
		Kind:     "k",
		Class:    bot.Class(rapid.IntRange(0, 2).Draw(t, "class")),
		Due:      r.due(t),
		Made:     statetest.Start,
		Collapse: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "collapse"),
	}
	r.commit(t, engine.Changes{Jobs: []bot.Job{j}})
	r.last++
	j.ID = r.last
	r.m.add(j)
}

func (r *run) claim(t *rapid.T) {
	max := rapid.IntRange(0, 3).Draw(t, "max")
	list, err := r.s.Claim(context.Background(), r.now, max)
	if err != nil {
		t.Fatal(err)
	}
	var got []bot.JobID
	for _, j := range list {
		got = append(got, j.ID)
		if j.Begun != r.m.begun[j.ID] {
			t.Fatalf("job %d is said to be begun: %v", j.ID, j.Begun)
		}
		r.claims[j.ID] = j.Claim()
	}
	if want := r.m.claim(r.now, max); !slices.Equal(got, want) {
		t.Fatalf("claimed %v, expected %v", got, want)
	}
}

// some draws a job that exists, or skips.
func (r *run) some(t *rapid.T) bot.Job {
	if len(r.m.jobs) == 0 {
		t.Skip("there is no job")
	}
	return rapid.SampledFrom(r.m.jobs).Draw(t, "job")
}

func (r *run) finish(t *rapid.T) {
	id := r.some(t).ID
	r.commit(t, engine.Changes{Done: []bot.JobID{id}})
	r.m.drop(id)
}

func (r *run) again(t *rapid.T) {
	j := r.some(t)
	j.Due, j.Tries, j.Dead = r.due(t), rapid.IntRange(0, 1).Draw(t, "tries"), rapid.Bool().Draw(t, "dead")
	r.commit(t, engine.Changes{Again: []bot.Job{j}})
	r.m.free(j.ID)
	delete(r.m.begun, j.ID)
	r.m.jobs[r.m.index(j.ID)] = j
}

func (r *run) release(t *rapid.T) {
	id := r.some(t).ID
	good := slices.Contains(slices.Collect(maps.Values(r.m.claimed)), id)
	if err := r.s.Renew(context.Background(), r.claims[id]); (err == nil) != good {
		t.Fatalf("the claim of job %d is renewed: %v, expected that it is good: %v", id, err, good)
	}
	if err := r.s.Release(context.Background(), r.claims[id]); err != nil {
		t.Fatal(err)
	}
	if good {
		r.m.begun[id] = true
	}
	r.m.free(id)
}

func (r *run) clock(t *rapid.T) { r.now = r.due(t) }

func (r *run) compare(t *rapid.T) {
	err := r.s.Read(context.Background(), func(v engine.View) error {
		list, err := v.Jobs("")
		if !slices.EqualFunc(list, r.m.jobs, func(a, b bot.Job) bool { return a.ID == b.ID && a.Due.Equal(b.Due) && a.Dead == b.Dead }) {
			t.Fatalf("the jobs are %v, expected %v", list, r.m.jobs)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	next, ok, _ := r.s.Next(context.Background())
	heads := r.m.heads()
	if ok != (len(heads) > 0) {
		t.Fatalf("next says %v with %d free heads", ok, len(heads))
	}
	if ok && !next.Equal(slices.MinFunc(heads, func(a, b bot.Job) int { return a.Due.Compare(b.Due) }).Due) {
		t.Fatalf("next says %v of %v", next, heads)
	}
}

// Who adds a job replaces those of its name that nobody has begun, and leaves
// the one that a worker has to that worker: also where both commit at once.
func TestAJobThatIsAtWorkIsLeftToItsWorker(t *testing.T) {
	s := open(t, config(filepath.Join(t.TempDir(), "db")))
	named := bot.Job{Lane: "chat/here", Kind: "deliver", Collapse: "deliver/a", Due: statetest.Start, Made: statetest.Start, Payload: []byte(`{}`)}
	if err := s.Commit(t.Context(), func(engine.View) (engine.Changes, error) { return engine.Changes{Jobs: []bot.Job{named}}, nil }); err != nil {
		t.Fatal(err)
	}
	list, err := s.Claim(t.Context(), statetest.Start, 5)
	if err != nil || len(list) != 1 {
		t.Fatalf("claimed %v, %v", list, err)
	}
	group := make([]*member, 0, 2)
	for _, c := range []engine.Changes{{Jobs: []bot.Job{named}}, {Done: []bot.JobID{list[0].ID}, Under: list[0].Claim()}} {
		group = append(group, &member{ctx: t.Context(), done: make(chan error, 1), decide: func(engine.View) (engine.Changes, error) { return c, nil }})
	}
	s.chores <- func() { s.write(group) }
	for i, m := range group {
		if err := <-m.done; err != nil {
			t.Errorf("member %d: %v", i, err)
		}
	}
	if next, err := s.Claim(t.Context(), statetest.Start, 5); err != nil || len(next) != 1 || next[0].ID == list[0].ID {
		t.Errorf("after that %v, %v is claimed, expected the new job alone", next, err)
	}
}
