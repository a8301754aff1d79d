//go:build unix

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/sim/play"
)

// cuttable is a proxy on loopback before the database, whose connections can be
// cut.
type cuttable struct {
	at bot.Secret // the database through it

	mu   sync.Mutex
	cut  bool
	open map[net.Conn]bool
}

// proxied puts a proxy before a database.
func proxied(t *testing.T, database bot.Secret) *cuttable {
	t.Helper()
	u, err := url.Parse(database.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	to := u.Host
	if u.Port() == "" {
		to = net.JoinHostPort(u.Hostname(), "5432")
	}
	u.Host = l.Addr().String()
	c := &cuttable{at: bot.NewSecret(u.String()), open: map[net.Conn]bool{}}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil || !c.take(in, out) {
				in.Close()
				continue
			}
			go c.carry(in, out)
			go c.carry(out, in)
		}
	}()
	return c
}

// take remembers a connection, unless all are cut.
func (c *cuttable) take(in, out net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		out.Close()
		return false
	}
	c.open[in], c.open[out] = true, true
	return true
}

func (c *cuttable) carry(to, from net.Conn) {
	_, _ = io.Copy(to, from) // it ends when either side does
	to.Close()
	from.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, to)
	delete(c.open, from)
}

// set cuts all connections and lets none come, or lets them come again.
func (c *cuttable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	for conn := range c.open {
		if cut {
			conn.Close()
		}
	}
}

// TestReplicasThatLoseTheDatabaseLoseNothingElse cuts the connection of one
// replica to the database, and of all of them, again and again.
func TestReplicasThatLoseTheDatabaseLoseNothingElse(t *testing.T) {
	direct := ownDatabase(t)
	rng := seeded(t)
	s, sc := newTally(t), scene{guide: "direct"}
	want := s.without(sc)
	proxies := []*cuttable{proxied(t, direct), proxied(t, direct)}
	r := openReplicas(t, sc, rng, direct, proxies[0].at, proxies[1].at)
	var acting sync.Mutex
	one, all := 0, 0
	set := func(cut bool, which ...int) {
		for _, i := range which {
			proxies[i].set(cut)
		}
		for _, i := range which {
			r.noticed(i, !cut)
		}
	}
	got := r.play(want.told, func(act func()) { acting.Lock(); defer acting.Unlock(); act() }, func(ctx context.Context) {
		for pause(ctx, time.Duration(rng.IntN(1500))*time.Millisecond) {
			acting.Lock() // whoever clicks now is told that nothing was done, and clicks again
			if rng.IntN(3) > 0 {
				i := rng.IntN(2)
				set(true, i)
				acting.Unlock() // the other one answers
				one++
				_ = pause(ctx, time.Duration(rng.IntN(3000))*time.Millisecond)
				set(false, i)
				continue
			}
			set(true, 0, 1)
			all++
			for _, b := range r.fleet.bots {
				if code, body := fetch(t, b.url+"/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "database") {
					t.Errorf("without its database a replica says %d %q", code, body)
				}
				if code, _ := fetch(t, b.url+"/healthz"); code != http.StatusOK {
					t.Errorf("without its database a replica is not alive: %d", code)
				}
			}
			_ = pause(ctx, time.Duration(rng.IntN(3000))*time.Millisecond)
			set(false, 0, 1)
			acting.Unlock()
		}
	})
	s.add(t, sc, got)
	if one+all == 0 { // how many there are is up to chance and the machine
		t.Error("nothing was cut")
	}
	t.Logf("cut: one of two replicas from the database %d times, both %d times, %s", one, all, s.String())
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, string(body)
}

// TestARollingRestartUnderLoadAnswersEverybody stops each of two replicas in its
// turn, as an upgrade does, while a guide is played and people type commands.
func TestARollingRestartUnderLoadAnswersEverybody(t *testing.T) {
	url := ownDatabase(t)
	rng := seeded(t)
	s, sc := newTally(t), scene{guide: "direct"}
	want := s.without(sc)
	r := openReplicas(t, sc, rng, url, url, url)
	var acting, load sync.Mutex
	typed, restarts := 0, 0
	got := r.play(want.told, func(act func()) { acting.Lock(); defer acting.Unlock(); act() }, func(ctx context.Context) {
		var typing sync.WaitGroup
		for range 3 {
			typing.Go(func() {
				for pause(ctx, 20*time.Millisecond) {
					out, err := r.world.Slack.Slash(play.Max.Slack, "C0ITOPS", "/keyturn help")
					load.Lock()
					typed++
					if err != nil || out.Shown != "" {
						t.Errorf("command %d is answered by %q, %v", typed, out.Shown, err)
					}
					load.Unlock()
				}
			})
		}
		for i := 0; pause(ctx, 500*time.Millisecond) || restarts < 2; i = 1 - i {
			acting.Lock() // whoever clicks now is told to click again
			old := r.fleet.bots[i].pid()
			if err := syscall.Kill(old, syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			r.noticed(i, false)
			acting.Unlock()
			r.noticed(i, true)
			restarts++
		}
		typing.Wait()
	})
	s.add(t, sc, got)
	answered := 0
	for _, e := range r.world.Slack.Snapshot().Ephemerals {
		if e.To == play.Max.Slack && (strings.Contains(e.Text, "I am being restarted") || strings.Contains(e.Text, "setup")) {
			answered++
		}
	}
	if answered < typed || restarts < 2 {
		t.Errorf("%d of %d commands were answered during %d restarts", answered, typed, restarts)
	}
	t.Logf("restarted: two replicas, %d times in all, under %d commands, each answered, %s", restarts, typed, s.String())
}
