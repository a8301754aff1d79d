//go:build unix

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/adapters/teams"
	"keyturn/bot"
)

// stopsAt names, to a bot that is a process of its own, where it says which point
// it passes.
const stopsAt = "KEYTURN_TEST_STOPS_AT"

func init() { asProgram = stoppable }

// stoppable is the program, whose serve stops with SIGSTOP at the points at which
// the test says so, and shows on Teams what its messages are known by.
func stoppable() {
	at, shows := os.Getenv(stopsAt), os.Getenv(showsKeys) != ""
	if at == "" && !shows || len(os.Args) < 4 || os.Args[1] != "serve" {
		main()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &console{ctx: ctx, out: os.Stdout, err: os.Stderr}
	conf, tenants, err := load(os.Args[3])
	if err == nil {
		var p *process
		if p, err = build(conf, tenants, logger(c, conf.Log), time.Now); err == nil {
			if at != "" {
				(&failpoints{stop: func(name string) { stopAt(at, name) }}).frail(p.engine)
			}
			if a, ok := p.engine.Chats[bot.Teams].(*teams.Adapter); ok && shows {
				p.engine.Chats[bot.Teams] = keysShown{a}
			}
			err = p.serve(ctx)
			p.close()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "keyturn:", err)
		os.Exit(1)
	}
}

// stopAt says which point is passed, and stops where the answer is that.
func stopAt(at, name string) {
	resp, err := http.PostForm(at, url.Values{"name": {name}, "pid": {strconv.Itoa(os.Getpid())}})
	if err != nil {
		return // the test is over
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
}

// halts tells a replica that passes a point whether it stops: the play that it
// belongs to knows.
type halts struct {
	mu    sync.Mutex
	plays []*stops
}

// ServeHTTP implements [http.Handler].
func (h *halts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pid, err := strconv.Atoi(r.FormValue("pid"))
	name := varies.ReplaceAllString(r.FormValue("name"), "*")
	h.mu.Lock()
	plays := slices.Clone(h.plays)
	h.mu.Unlock()
	if err == nil && slices.ContainsFunc(plays, func(s *stops) bool { return s.stands(name, pid) }) {
		return // 200, with the play's acting held
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *halts) play(s *stops) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.plays = append(h.plays, s)
}

// end has no replica of a play stop any more, and waits until the last one has
// woken up.
func (h *halts) end(s *stops) {
	h.mu.Lock()
	h.plays = slices.DeleteFunc(h.plays, func(x *stops) bool { return x == s })
	h.mu.Unlock()
	s.mu.Lock()
	s.over = true // whoever asked before
	s.mu.Unlock()
	s.awake.Wait()
}

// stops decides at which points the replicas of a play are stopped, one at a time
// and while nobody waits for an answer.
type stops struct {
	*replicas
	acting sync.Mutex
	picks  func(name string) bool

	mu       sync.Mutex
	left     map[string]bool // at which one was stopped
	standing bool
	over     bool
	notes    []string // when which replica stopped where
	awake    sync.WaitGroup
}

// stands reports whether a replica stops. Nobody waits here for a person who acts:
// the point may be in the middle of the very commit that their answer waits for.
func (s *stops) stands(name string, pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.standing || s.left[name] || !s.picks(name) {
		return false
	}
	i := slices.IndexFunc(s.fleet.bots, func(b *child) bool { return b.pid() == pid })
	if i < 0 || !s.fleet.front.bots[i].ready.Load() || !s.acting.TryLock() {
		return false
	}
	s.left[name], s.standing = true, true
	s.notes = append(s.notes, fmt.Sprintf("%s process %d stops: %s", time.Now().UTC().Format("15:04:05.000"), pid, name))
	s.awake.Go(func() { s.wake(i, pid) })
	return true
}

// wake lets a replica go on that stops by itself, once others have its jobs.
func (s *stops) wake(i, pid int) {
	s.noticed(i, false)
	s.acting.Unlock()
	_ = pause(context.Background(), testLease*5/4)
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		s.Error(err)
	}
	s.noticed(i, true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.standing = false
}

// TestAReplicaStoppedAtPointsLosesNothing stops one of three replicas with SIGSTOP
// for longer than its lease, again and again, at points that chance picks: before
// and after commits, in the middle of one too, calls, readings and messages, and
// after the last look at a claim, right before a write leaves. What it writes when it
// wakes up takes effect beside what the other one did. With KEYTURN_LONG each guide is
// played until no point comes any more at which none was stopped.
func TestAReplicaStoppedAtPointsLosesNothing(t *testing.T) {
	ownDatabase(t) // or skip
	rng := seeded(t)
	s := newTally(t)
	h := &halts{}
	srv := httptest.NewServer(h)
	defer srv.Close()
	t.Setenv(stopsAt, srv.URL)
	var beside sync.WaitGroup
	lefts := map[string]map[string]bool{}
	for _, guide := range []string{"direct", "connector", "cleanup"} {
		sc, left, rng := scene{guide: guide}, map[string]bool{}, rand.New(rand.NewPCG(rng.Uint64(), 0))
		lefts[guide] = left
		plays := func() {
			want := s.without(sc)
			for n, more := 1, true; more && !t.Failed(); n++ {
				before := len(left)
				t.Run(fmt.Sprintf("%s-%d", guide, n), func(t *testing.T) { s.add(t, sc, stopsAtPoints(t, h, sc, rng, want, left)) })
				if more = n < 5 && (len(left) < 2 || onTheWire(left) < 1); long() { // chance may pass by
					more = n < 100 && len(left) > before && !nearlyOver(t)
				}
			}
		}
		if long() {
			beside.Go(plays)
		} else {
			plays()
		}
	}
	beside.Wait()
	stopped, writes := 0, 0
	for guide, left := range lefts {
		stopped, writes = stopped+len(left), writes+onTheWire(left)
		t.Logf("guide %s: at %d points", guide, len(left))
	}
	if stopped < 6 || writes < 3 {
		t.Errorf("a replica was stopped only at %d points, %d of them with a write half way out", stopped, writes)
	}
	t.Logf("stopped: one of three replicas at %d points, %d of them with a write half way out, for longer than its lease, %s", stopped, writes, s.String())
}

// onTheWire counts the points at which a write was half way out.
func onTheWire(left map[string]bool) (n int) {
	for name := range left {
		if strings.HasPrefix(name, wire) {
			n++
		}
	}
	return n
}

const wire = "on the wire"

// nearlyOver reports whether there is no time for one more play.
func nearlyOver(t *testing.T) bool {
	end, ends := t.Deadline()
	return ends && time.Until(end) < 3*time.Minute
}

// stopsAtPoints plays a guide while replicas are stopped at points that are not in
// left yet. A write that is half way out is let by only while one is stopped.
func stopsAtPoints(t *testing.T, h *halts, sc scene, rng *rand.Rand, want after, left map[string]bool) after {
	url := ownDatabase(t)
	// A replica stands still for most of a play, so most points pass by: writes
	// come first.
	st := &stops{replicas: openReplicas(t, sc, rng, url, url, url, url), left: left, picks: func(name string) bool {
		odds := 10
		if onTheWire(left) == 0 {
			odds = 400
		}
		return long() || strings.HasPrefix(name, wire) || rng.IntN(odds) == 0
	}}
	before := len(left)
	h.play(st)
	got := st.play(want.told, func(act func()) { st.acting.Lock(); defer st.acting.Unlock(); act() }, func(ctx context.Context) {
		<-ctx.Done()
		h.end(st)
		st.only(want.exists)
	})
	t.Logf("stopped at %d points", len(left)-before)
	if t.Failed() {
		t.Logf("%s\n%s", strings.Join(st.notes, "\n"), tail(st.log.String(), 20000))
	}
	return got
}

// only waits until no more exists outside than has to, and no message stands twice.
func (s *stops) only(want map[string][]string) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-again.C {
		twice := slices.ContainsFunc(copies(s.world), func(c standing) bool { return len(c.at) > 1 })
		if !twice && cmp.Equal(want, asIt(inventories{s.world.Microsoft.Inventory(), s.world.ServiceNow.Inventory()})) {
			return
		}
	}
}

// deaths kills the first replica that passes a point, and notes when another one
// begins what it left.
type deaths struct {
	after, before string
	killed        chan int // the process

	mu    sync.Mutex
	pid   int
	at    time.Time
	taken time.Duration
}

// ServeHTTP lets everybody go on but who is killed, who waits for that.
func (d *deaths) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pid, err := strconv.Atoi(r.FormValue("pid"))
	d.mu.Lock()
	defer d.mu.Unlock()
	switch name := r.FormValue("name"); {
	case err != nil:
	case name == d.after && d.pid == 0:
		d.pid, d.at = pid, time.Now()
		d.killed <- pid
		return // 200: it does nothing until it is killed
	case name == d.before && d.pid != 0 && pid != d.pid && d.taken == 0:
		d.taken = time.Since(d.at)
	}
	w.WriteHeader(http.StatusNoContent)
}

// TestADeadReplicasJobIsTakenOver measures how long a step of a setup stands still
// whose replica was killed in the middle of a call, with the usual lease.
func TestADeadReplicasJobIsTakenOver(t *testing.T) {
	url := ownDatabase(t)
	d := &deaths{after: "after the call graph PATCH app", before: "before the call graph PATCH app", killed: make(chan int, 1)}
	srv := httptest.NewServer(d)
	defer srv.Close()
	t.Setenv(stopsAt, srv.URL)
	r := openLeased(t, scene{guide: "direct"}, seeded(t), 0, url, url, url)
	var acting sync.Mutex
	r.play(nil, func(act func()) { acting.Lock(); defer acting.Unlock(); act() }, func(ctx context.Context) {
		select {
		case <-ctx.Done():
		case pid := <-d.killed:
			acting.Lock() // whoever clicks now would click again
			defer acting.Unlock()
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		}
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.taken == 0 || d.taken > 20*time.Second { // 15 are promised, of a machine that has nothing else to do
		t.Errorf("the job of a dead replica was taken over after %s", d.taken)
	}
	t.Logf("taken over: a step whose replica was killed in the middle of a call, %.1f s after its death with a lease of 12 s", d.taken.Seconds())
}
