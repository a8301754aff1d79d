package postgres

import (
	"context"
	"io"
	"net"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state/statetest"
)

func TestABeatKeepsWhatIsStillGood(t *testing.T) {
	c := config(t)
	c.Term = time.Minute
	s := open(t, c)
	if err := commit(s, engine.Changes{Jobs: []bot.Job{{Lane: "a", Kind: "x"}, {Lane: "b", Kind: "y"}}}); err != nil {
		t.Fatal(err)
	}
	first, err := s.Claim(t.Context(), statetest.Start, 1)
	if err != nil || len(first) != 1 {
		t.Fatal(first, err)
	}
	lapse(t, s)
	second, err := s.Claim(t.Context(), statetest.Start, 5)
	if err != nil || len(second) != 2 {
		t.Fatal(second, err)
	}
	if kept, err := s.keepClaims(t.Context()); len(kept) != 2 || err != nil {
		t.Errorf("%d claims were prolonged, %v", len(kept), err)
	}
	lapse(t, s)
	if kept, err := s.keepClaims(t.Context()); len(kept) != 0 || err != nil {
		t.Errorf("%d claims that had run out were prolonged, %v", len(kept), err)
	}
	if n := s.held.all(); len(n) != 0 {
		t.Errorf("%d claims that are over are remembered", len(n))
	}
}

// A claim that its replica does not know of, or meant to give back, is not
// prolonged beside its others: nobody works on that job, and its lane would stand
// still for as long as the replica lives.
func TestAClaimThatNobodyWorksUnderRunsOut(t *testing.T) {
	c := config(t)
	c.Term = time.Minute
	s, other := open(t, c), open(t, c)
	if err := commit(s, engine.Changes{Jobs: []bot.Job{{Lane: "worked on"}, {Lane: "given back"}, {Lane: "unheard"}}}); err != nil {
		t.Fatal(err)
	}
	jobs, err := s.Claim(t.Context(), statetest.Start, 2)
	if err != nil || len(jobs) != 2 {
		t.Fatal(jobs, err)
	}
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Release(cut, jobs[1].Claim()); err == nil {
		t.Fatal("the server heard that a job was given back")
	}
	// The answer to a claim that the server gave is lost with its connection.
	query(t, c.URL.Reveal(), "UPDATE "+c.Schema+".jobs SET claim = nextval('"+c.Schema+".claim_numbers'), owner = '"+s.id+"', held_until = clock_timestamp() + interval '1 minute' WHERE claim IS NULL")
	kept, err := s.keepClaims(t.Context())
	if err != nil || len(kept) != 1 || uint64(kept[0]) != jobs[0].Claim().Number {
		t.Fatalf("prolonged are %v, worked under is %d: %v", kept, jobs[0].Claim().Number, err)
	}
	// A minute later, of which the one that is worked under is kept.
	query(t, c.URL.Reveal(), "UPDATE "+c.Schema+".jobs SET held_until = clock_timestamp() - interval '1 second' WHERE claim <> "+strconv.FormatInt(kept[0], 10))
	found, err := other.Claim(t.Context(), statetest.Start, 5)
	if err != nil || len(found) != 2 {
		t.Fatalf("another replica gets %+v, %v", found, err)
	}
	for _, j := range found {
		if j.Lane == "worked on" || !j.Begun {
			t.Errorf("another replica gets %+v", j)
		}
	}
}

// silent is a proxy before the database whose connections fall silent without an
// end, as behind a switch that died: nobody is told.
type silent struct {
	at bot.Secret

	mu    sync.Mutex
	mute  []*bool // of the connections so far
	conns []net.Conn
}

func muted(t *testing.T, database bot.Secret) *silent {
	t.Helper()
	u := must(url.Parse(database.Reveal()))
	to := u.Host
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	u.Host = l.Addr().String()
	p := &silent{at: bot.NewSecret(u.String())}
	t.Cleanup(func() {
		l.Close()
		p.end()
	})
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			p.mu.Lock()
			mute := new(bool)
			p.mute, p.conns = append(p.mute, mute), append(p.conns, in, out)
			p.mu.Unlock()
			go p.carry(out, in, mute)
			go p.carry(in, out, mute)
		}
	}()
	return p
}

func (p *silent) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
}

func (p *silent) carry(to, from net.Conn, mute *bool) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		lost := *mute
		p.mu.Unlock()
		if err != nil && (!lost || err != io.EOF) {
			to.Close()
			return
		}
		if err != nil {
			return
		}
		if !lost {
			_, _ = to.Write(b[:n])
		}
	}
}

// falls silent: what comes later is carried.
func (p *silent) falls() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.mute {
		*m = true
	}
}

// A replica whose connections have fallen silent is heard again over new ones: it
// does not wait until the system gives the old ones up, which takes a quarter of an
// hour.
func TestAReplicaWhoseConnectionsFellSilentIsHeardAgain(t *testing.T) {
	c := config(t)
	p := muted(t, c.URL)
	c.URL, c.Term, c.Now = p.at, 2*time.Second, time.Now
	s := open(t, c)
	p.falls()
	was := time.Now()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for ; !s.Heard().After(was.Add(time.Second)); <-again.C {
		if time.Since(was) > time.Minute {
			t.Fatalf("it was heard last at %v, and its connections fell silent at %v", s.Heard(), was)
		}
	}
	if err := commit(s, engine.Changes{Sent: []bot.Sent{{Key: "kept"}}}); err != nil {
		t.Errorf("a commit says %v", err)
	}
	p.end() // or the store's own end waits for them
}
