//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/sim/play"
)

// testLease is how long a replica of these tests may say nothing.
const testLease = 2 * time.Second

// replicas is a guide that is played by several processes of the bot on one
// database, with a front before them.
type replicas struct {
	*testing.T
	scene scene
	world *play.World
	fleet *fleet
	conf  *config // of a command beside them
	dir   string
	log   safeBuffer
	story safeBuffer
	rng   *rand.Rand

	deaths []time.Time // when one was killed
}

// openReplicas starts one for each address.
func openReplicas(t *testing.T, sc scene, rng *rand.Rand, direct bot.Secret, databases ...bot.Secret) *replicas {
	t.Helper()
	return openLeased(t, sc, rng, testLease, direct, databases...)
}

// openLeased starts them with a lease, the usual one where it is zero.
func openLeased(t *testing.T, sc scene, rng *rand.Rand, lease time.Duration, direct bot.Secret, databases ...bot.Secret) *replicas {
	t.Helper()
	r := &replicas{T: t, scene: sc, rng: rng}
	var err error
	if r.dir, err = os.MkdirTemp("", "keyturn"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(r.dir) })
	if r.world, err = play.Open(sc.options()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.world.Close() })
	if r.fleet, err = startFleet(t.Context(), r.world, r.dir, "info", &r.log, sharing{databases, lease}); err != nil {
		t.Fatalf("%v\n%s", err, r.log.String())
	}
	t.Cleanup(r.fleet.stop)
	key, err := os.ReadFile(r.dir + "/bot/key")
	if err != nil {
		t.Fatal(err)
	}
	r.conf = &config{State: endpoint{secret{ref: "env:X", value: direct}}, Key: secret{value: bot.NewSecret(string(key))}}
	return r
}

// sound reads the whole state beside the replicas.
func (r *replicas) sound(ctx context.Context) error {
	s, err := openState(r.conf)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Check(ctx)
}

// play plays the guide while something is done to the replicas, again and again
// until the play is over. act is how people act meanwhile.
func (r *replicas) play(told map[string]int, act func(func()), disturb func(context.Context)) after {
	r.Helper()
	ctx, stop := context.WithCancel(r.Context())
	var disturbing sync.WaitGroup
	disturbing.Go(func() { disturb(ctx) })
	s := play.Script{World: r.world, Guide: r.scene.guide, Out: &r.story, Stories: incident.SampleStories()[:1], Act: act, Killed: true}
	err := s.Play(r.Context())
	stop()
	disturbing.Wait()
	if err != nil {
		r.Fatalf("%v\n%s\n%s", err, tail(r.story.String(), 6000), tail(r.log.String(), 6000))
	}
	lost(r.T, &r.log)
	a := left(r.T, r.world, r.scene, r.story.String(), told, r.deaths, func() map[string]int {
		var trail bytes.Buffer
		if err := exportAudit(r.Context(), r.conf, "contoso", &trail); err != nil {
			r.Fatal(err)
		}
		return approvals(r.T, &trail, r.dir)
	})
	if err := r.sound(r.Context()); err != nil {
		r.Error(err)
	}
	return a
}

// noticed waits until the front knows whether a replica is ready.
func (r *replicas) noticed(i int, ready bool) {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(patience); r.fleet.front.bots[i].ready.Load() != ready; <-again.C {
		if time.Now().After(deadline) {
			r.Errorf("the front did not notice that replica %d is ready: %v\n%s", i+1, ready, tail(r.log.String(), 3000))
			return
		}
	}
}

// spared reports whether another replica than this one answers right now, which the
// front may hear of a moment later.
func (r *replicas) spared(i int) bool {
	client := &http.Client{Timeout: lookTime, Transport: &http.Transport{DisableKeepAlives: true}}
	for j, b := range r.fleet.front.bots {
		if j == i {
			continue
		}
		if resp, err := client.Get(b.url.JoinPath("/readyz").String()); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return true
			}
		}
	}
	return false
}

// pause waits, and reports whether there is still a play.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// TestReplicasKilledAtRandomLoseNothing kills one of two replicas with SIGKILL, as
// often as KEYTURN_KILLS says, while the guides are played one after another and
// incidents are told.
func TestReplicasKilledAtRandomLoseNothing(t *testing.T) {
	ownDatabase(t) // or skip
	s := newTally(t)
	s.until(kills(t, 4), func(t *testing.T, sc scene, most int, want after, rng *rand.Rand) after {
		url := ownDatabase(t)
		r := openReplicas(t, sc, rng, url, url, url)
		k := &killer{bots: r.fleet.bots, spared: r.spared, sound: r.sound, acted: make(chan struct{}, 1), rng: rng}
		got := r.play(want.told, k.act, func(ctx context.Context) {
			k.hunt(ctx, min(most, 15))
			r.deaths = k.deaths
		})
		if k.err != nil {
			t.Errorf("after kill %d: %v", len(k.deaths), k.err)
		}
		return got
	})
	t.Logf("kills: %d of two replicas on PostgreSQL with SIGKILL %s; state and audit trail verified after every kill", s.kills, s.String())
}

// TestAReplicaThatStoodStillChangesNothing stops one of three replicas with
// SIGSTOP, lets others take over what it was doing, and then lets it go on.
func TestAReplicaThatStoodStillChangesNothing(t *testing.T) {
	ownDatabase(t) // or skip
	rng := seeded(t)
	s := newTally(t)
	stops := 0
	for guides := []string{"connector", "direct"}; stops < 6 && s.plays < 4 && !t.Failed(); {
		sc := scene{guide: guides[s.plays%len(guides)]}
		want := s.without(sc)
		t.Run(sc.guide, func(t *testing.T) {
			url := ownDatabase(t)
			r := openReplicas(t, sc, rng, url, url, url, url)
			var acting sync.Mutex
			got := r.play(want.told, func(act func()) { acting.Lock(); defer acting.Unlock(); act() }, func(ctx context.Context) {
				for pause(ctx, time.Duration(rng.IntN(400))*time.Millisecond) {
					stops++
					r.standStill(ctx, &acting)
				}
			})
			s.add(t, sc, got)
		})
	}
	if stops < 6 {
		t.Errorf("a replica was stopped only %d times", stops)
	}
	t.Logf("stopped: one of three replicas, %d times for longer than its lease, %s", stops, s.String())
}

// standStill stops a replica for longer than its lease.
func (r *replicas) standStill(ctx context.Context, acting sync.Locker) {
	i := r.rng.IntN(len(r.fleet.bots))
	p := r.fleet.bots[i].pid()
	acting.Lock() // whoever clicks now would see their platform complain, and click again
	err := syscall.Kill(p, syscall.SIGSTOP)
	r.noticed(i, false)
	acting.Unlock()
	_ = pause(ctx, testLease*3/2+time.Duration(r.rng.IntN(int(testLease/2))))
	if err := errors.Join(err, syscall.Kill(p, syscall.SIGCONT)); err != nil {
		r.Error(err)
	}
	r.noticed(i, true)
}
