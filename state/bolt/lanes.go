package bolt

import (
	"cmp"
	"container/heap"
	"slices"
	"sync"
	"time"

	"keyturn/bot"
)

// lanes is what claiming needs to know of the jobs, in memory: as of the last
// commit. A lane is in one of two heaps while its head may be claimed: in
// later, by due time, until a claim finds it due; then in ready, by class.
//
//	        add                  due               Claim
//	(none) ────► later ─────────────────► ready ──────────► claimed
//	               ▲  ◄───────────────────  │                  │
//	               │     the clock went back                   │
//	               └────────── Done, Again, Release ───────────┘
type lanes struct {
	mu     sync.Mutex
	byName map[string]*lane
	byID   map[bot.JobID]*entry
	later  laneHeap
	ready  laneHeap
	claims uint64 // given so far
}

// entry is one job.
type entry struct {
	id    bot.JobID
	lane  string
	class bot.Class
	due   time.Time
	dead  bool

	begun bool // it may have been begun before the store was opened, or was given back
	held  int  // commits under way that remove or change it: not to be claimed
}

type lane struct {
	name    string
	jobs    []*entry  // by ID, the dead ones too
	claimed bot.JobID // 0 is none
	number  uint64    // of that claim
	heap    *laneHeap // the one it is in
	at      int       // where in it
	head    *entry    // while it is in a heap
}

func newLanes() *lanes {
	l := &lanes{byName: make(map[string]*lane), byID: make(map[bot.JobID]*entry)}
	l.later.before = func(a, b *entry) int { return a.due.Compare(b.due) }
	l.ready.before = func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.class, b.class), a.due.Compare(b.due), cmp.Compare(a.id, b.id))
	}
	return l
}

// change is what a commit does to the lanes once it is on disk.
type change struct {
	put    entry     // added or changed
	remove bot.JobID // or removed, if not 0
	free   bool      // its claim ends
}

// apply makes the changes of a commit visible, and reports whether a job
// became claimable that was not.
func (l *lanes) apply(changes []change) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	more := false
	for _, c := range changes {
		if c.remove != 0 {
			more = l.remove(c.remove) || more
		} else {
			l.put(c.put, c.free)
			more = true
		}
	}
	return more
}

func (l *lanes) put(e entry, free bool) {
	if old, ok := l.byID[e.id]; ok {
		e.held = old.held
		l.drop(old)
	}
	l.byID[e.id] = &e
	ln, ok := l.byName[e.lane]
	if !ok {
		ln = &lane{name: e.lane}
		l.byName[e.lane] = ln
	}
	if !e.dead {
		i, _ := slices.BinarySearchFunc(ln.jobs, e.id, byID)
		ln.jobs = slices.Insert(ln.jobs, i, &e)
	}
	if free && ln.claimed == e.id {
		ln.claimed = 0
	}
	l.settle(ln)
}

// remove reports whether jobs are left in the lane.
func (l *lanes) remove(id bot.JobID) bool {
	e, ok := l.byID[id]
	if !ok {
		return false
	}
	delete(l.byID, id)
	ln, ok := l.byName[e.lane]
	if !ok {
		return false
	}
	l.drop(e)
	if ln.claimed == id {
		ln.claimed = 0
	}
	l.settle(ln)
	return len(ln.jobs) > 0
}

// drop takes a job out of its lane's queue.
func (l *lanes) drop(e *entry) {
	ln, ok := l.byName[e.lane]
	if !ok || e.dead {
		return
	}
	switch i, ok := slices.BinarySearchFunc(ln.jobs, e.id, byID); {
	case ok && i == 0:
		ln.jobs[0] = nil
		ln.jobs = ln.jobs[1:]
	case ok:
		ln.jobs = slices.Delete(ln.jobs, i, i+1)
	}
}

func byID(e *entry, id bot.JobID) int { return cmp.Compare(e.id, id) }

// settle puts the lane where its head belongs, and forgets an empty one.
func (l *lanes) settle(ln *lane) {
	if ln.heap != nil {
		heap.Remove(ln.heap, ln.at)
	}
	switch {
	case ln.claimed != 0:
	case len(ln.jobs) == 0:
		delete(l.byName, ln.name)
	case ln.jobs[0].held == 0:
		ln.head = ln.jobs[0]
		heap.Push(&l.later, ln)
	}
}

// claim takes up to max due heads: jobs with their ID, and what is said of a
// claimed one.
func (l *lanes) claim(now time.Time, max int) []bot.Job {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.later.Len() > 0 && !l.later.lanes[0].head.due.After(now) {
		heap.Push(&l.ready, heap.Pop(&l.later))
	}
	var out []bot.Job
	for len(out) < max && l.ready.Len() > 0 {
		ln := heap.Pop(&l.ready).(*lane)
		if ln.head.due.After(now) {
			heap.Push(&l.later, ln)
			continue
		}
		l.claims++
		ln.claimed, ln.number = ln.head.id, l.claims
		out = append(out, bot.Job{ID: ln.claimed, Held: ln.number, Begun: ln.head.begun})
	}
	return out
}

// release ends a claim without changing the job. Begun says that a worker had
// it.
func (l *lanes) release(c bot.Claim, begun bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ln := l.of(c.Job); ln != nil && ln.good(c) {
		e := l.byID[c.Job]
		e.begun = e.begun || begun
		ln.claimed = 0
		l.settle(ln)
	}
}

// good reports whether a claim is the one that the lane is kept by.
func (ln *lane) good(c bot.Claim) bool {
	return c.Job != 0 && ln.claimed == c.Job && ln.number == c.Number
}

// mine reports whether a claim is good and stays so: no commit under way ends
// it.
func (l *lanes) mine(c bot.Claim) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.of(c.Job)
	return ln != nil && ln.good(c) && l.byID[c.Job].held == 0
}

// of is the lane of a job, or nil.
func (l *lanes) of(id bot.JobID) *lane {
	if e, ok := l.byID[id]; ok {
		return l.byName[e.lane]
	}
	return nil
}

// next is when the next head is due.
func (l *lanes) next() (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var due time.Time
	found := l.later.Len() > 0
	if found {
		due = l.later.lanes[0].head.due
	}
	for _, ln := range l.ready.lanes {
		if !found || ln.head.due.Before(due) {
			due, found = ln.head.due, true
		}
	}
	return due, found
}

// hold keeps a job from being claimed until unhold. A job that is not known is
// one that the commit under way adds: it is not held, and there is nothing to
// undo.
func (l *lanes) hold(id bot.JobID) (held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.byID[id]
	if !ok {
		return false
	}
	e.held++
	if ln := l.byName[e.lane]; ln != nil { // else it is dead
		l.settle(ln)
	}
	return true
}

// holdUntouched holds a job that nobody has begun, and leaves every other to
// whoever has it.
func (l *lanes) holdUntouched(id bot.JobID) (held, untouched bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.byID[id]
	if !ok {
		return false, true
	}
	ln := l.byName[e.lane]
	if ln == nil || ln.claimed == id || e.begun { // without a lane it is dead, so it was begun
		return false, false
	}
	e.held++
	l.settle(ln)
	return true, true
}

// unhold undoes holds, one for each ID given.
func (l *lanes) unhold(ids []bot.JobID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if e, ok := l.byID[id]; ok {
			e.held--
			if ln := l.byName[e.lane]; ln != nil {
				l.settle(ln)
			}
		}
	}
}

// laneHeap is a heap of lanes by their heads.
type laneHeap struct {
	lanes  []*lane
	before func(a, b *entry) int
}

func (h *laneHeap) Len() int           { return len(h.lanes) }
func (h *laneHeap) Less(i, j int) bool { return h.before(h.lanes[i].head, h.lanes[j].head) < 0 }
func (h *laneHeap) Swap(i, j int) {
	h.lanes[i], h.lanes[j] = h.lanes[j], h.lanes[i]
	h.lanes[i].at, h.lanes[j].at = i, j
}
func (h *laneHeap) Push(x any) {
	ln := x.(*lane)
	ln.heap, ln.at = h, len(h.lanes)
	h.lanes = append(h.lanes, ln)
}
func (h *laneHeap) Pop() any {
	n := len(h.lanes) - 1
	ln := h.lanes[n]
	h.lanes[n] = nil
	h.lanes = h.lanes[:n]
	ln.heap, ln.at = nil, 0
	return ln
}
