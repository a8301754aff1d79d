package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"keyturn/bot/incident"
	"keyturn/sim/play"
	"keyturn/state"
)

// killer kills the bot, a process of its own, at random: while it works, and
// right after it has answered a person. Only while a person waits for the answer
// it holds back, because nobody knows then what was promised.
type killer struct {
	bots   []*child
	spared func(i int) bool            // whether another one answers now; nil with one bot
	sound  func(context.Context) error // reads the whole state
	acting sync.Mutex
	acted  chan struct{} // somebody was answered just now
	rng    *rand.Rand
	deaths []time.Time
	err    error // the first
}

// act is a person's act.
func (k *killer) act(act func()) {
	k.acting.Lock()
	act()
	k.acting.Unlock()
	select {
	case k.acted <- struct{}{}:
	default:
	}
}

// hunt kills until ctx is done or it has killed so often.
func (k *killer) hunt(ctx context.Context, most int) {
	for len(k.deaths) < most && k.err == nil {
		life := time.NewTimer(min(time.Duration(k.rng.ExpFloat64()*float64(500*time.Millisecond)), 2*time.Second))
		select {
		case <-ctx.Done():
			return
		case <-life.C:
		case <-k.acted:
			if k.rng.IntN(3) > 0 {
				<-life.C
			} else {
				<-time.After(time.Duration(k.rng.IntN(20)) * time.Millisecond) // the moment is what is drawn
			}
		}
		life.Stop()
		k.acting.Lock()
		k.err = k.kill(ctx)
		k.acting.Unlock()
	}
}

// kill ends a process, and has the whole state read. One bot alone is waited for;
// of several the others go on.
func (k *killer) kill(ctx context.Context) (err error) {
	at := time.Now()
	if i := k.rng.IntN(len(k.bots)); len(k.bots) == 1 {
		err = k.bots[0].killEvery(1)(ctx)
	} else if !k.spared(i) {
		return nil // or nobody would be left
	} else if err = k.bots[i].kill(); errors.Is(err, os.ErrProcessDone) {
		return nil // it has just been killed
	}
	k.deaths = append(k.deaths, at)
	if err == nil {
		err = k.sound(ctx)
	}
	if ctx.Err() != nil {
		return nil // the play is over
	}
	return err
}

// soundFile has the running bot read its whole state.
func soundFile(data string) func(context.Context) error {
	return func(ctx context.Context) error {
		running, err := ask(ctx, data, "/check", io.Discard)
		if err == nil && !running {
			err = fmt.Errorf("the bot's socket is not there")
		}
		return err
	}
}

// hunted plays a guide while the bot is killed up to so often, and then waits
// until the channel is told what it has to be told; nil does not wait.
func hunted(t *testing.T, sc scene, most int, told map[string]int, rng *rand.Rand) after {
	t.Helper()
	dir, err := os.MkdirTemp("", "keyturn")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	world, err := play.Open(sc.options())
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	var log, story safeBuffer
	bot, err := startBot(t.Context(), world, dir, "info", &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	defer bot.stop()
	data := filepath.Join(dir, "bot", "keyturn.db")
	k := &killer{bots: []*child{bot}, sound: soundFile(data), acted: make(chan struct{}, 1), rng: rng}
	ctx, stop := context.WithCancel(t.Context())
	var hunting sync.WaitGroup
	hunting.Go(func() { k.hunt(ctx, most) })
	s := play.Script{World: world, Guide: sc.guide, Out: &story, Stories: incident.SampleStories()[:1], Act: k.act, Killed: most > 0}
	err = s.Play(t.Context())
	stop()
	hunting.Wait()
	if k.err != nil {
		t.Errorf("after kill %d: %v", len(k.deaths), k.err)
	}
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, tail(story.String(), 6000), tail(log.String(), 3000))
	}
	if err := bot.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	lost(t, &log)
	return left(t, world, sc, story.String(), told, k.deaths, func() map[string]int {
		var trail bytes.Buffer
		if _, err := ask(t.Context(), data, "/audit/contoso", &trail); err != nil {
			t.Fatal(err)
		}
		return approvals(t, &trail, dir)
	})
}

// approvals verifies an exported audit trail, and counts the approvals by step.
func approvals(t *testing.T, trail io.Reader, dir string) map[string]int {
	t.Helper()
	entries, err := state.ReadAudit(trail)
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	key, err := os.ReadFile(filepath.Join(dir, "bot", "key"))
	if err != nil {
		t.Fatal(err)
	}
	auditor, err := state.OpenAuditor(string(key))
	if err != nil {
		t.Fatal(err)
	}
	if err := auditor.Verify(entries, state.HeadOf(entries[len(entries)-1])); err != nil {
		t.Error(err)
	}
	out := map[string]int{}
	for _, e := range entries {
		if e.Act == "approve" {
			out[e.Step]++
		}
	}
	return out
}

// TestABotKilledAtRandomLosesNothing kills the bot with SIGKILL, as often as
// KEYTURN_KILLS says, while the guides are played one after another, on Slack, on
// Teams and across both, and incidents are told.
func TestABotKilledAtRandomLosesNothing(t *testing.T) {
	s := newTally(t)
	s.until(kills(t, 6), func(t *testing.T, sc scene, most int, want after, rng *rand.Rand) after {
		return hunted(t, sc, most, want.told, rng)
	})
	t.Logf("kills: %d with SIGKILL %s; state and audit trail verified after every kill", s.kills, s.String())
}

// kills is how often a bot is killed: as KEYTURN_KILLS says, half of that in each
// store where there is a database to test with.
func kills(t *testing.T, otherwise int) int {
	s := os.Getenv("KEYTURN_KILLS")
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("KEYTURN_TEST_POSTGRES") != "" {
		n = (n + 1) / 2
	}
	return n
}

// seeded is a source of chance that the log names.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
