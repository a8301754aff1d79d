package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot/incident"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
	"keyturn/state"
)

// killer kills the bot, a process of its own, at random: while it works, and
// right after it has answered a person. Only while a person waits for the answer
// it holds back, because nobody knows then what was promised.
type killer struct {
	bot    *child
	data   string
	acting sync.Mutex
	acted  chan struct{} // somebody was answered just now
	rng    *rand.Rand
	kills  int
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
	for k.kills < most && k.err == nil {
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
		k.kills, k.err = k.kills+1, k.kill(ctx)
		k.acting.Unlock()
	}
}

// kill ends the process, and has the next one read its whole state.
func (k *killer) kill(ctx context.Context) error {
	if err := k.bot.killEvery(1)(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // the play is over
		}
		return err
	}
	running, err := ask(ctx, k.data, "/check", io.Discard)
	if err == nil && !running {
		err = fmt.Errorf("the bot's socket is not there")
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// after is what a play left: outside, in chat and in the audit trail.
type after struct {
	exists   map[string][]string
	told     map[string]int // messages about each issue
	approved map[string]int // approvals in the audit trail, by step
	lost     []string       // steps whose approval was answered and is not there
	twice    int            // messages that were posted twice
	kills    int
}

var (
	approval = regexp.MustCompile(`clicks: \[Approve[^\]]*\] of (\S+)`)
	issueKey = regexp.MustCompile(`^incident/[^/]+/([A-Z]{2}[0-9]+)/`)
)

// hunted plays a guide while the bot is killed up to so often, and then waits
// until the channel is told what it has to be told; nil does not wait.
func hunted(t *testing.T, guide string, most int, told map[string]int, rng *rand.Rand) after {
	t.Helper()
	dir, err := os.MkdirTemp("", "keyturn")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	world, err := play.Open(play.Options{Left: guide == "cleanup", Lag: &microsoft.Lag{}, Slow: true})
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
	k := &killer{bot: bot, data: filepath.Join(dir, "bot", "keyturn.db"), acted: make(chan struct{}, 1), rng: rng}
	ctx, stop := context.WithCancel(t.Context())
	var hunting sync.WaitGroup
	hunting.Go(func() { k.hunt(ctx, most) })
	s := play.Script{World: world, Guide: guide, Out: &story, Issues: incident.Samples()[:1], Act: k.act}
	err = s.Play(t.Context())
	stop()
	hunting.Wait()
	if k.err != nil {
		t.Errorf("after kill %d: %v", k.kills, k.err)
	}
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, tail(story.String(), 6000), tail(log.String(), 3000))
	}
	if err := bot.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	lost(t, &log)
	a := after{kills: k.kills, exists: asIt(inventories{world.Microsoft.Inventory(), world.ServiceNow.Inventory()})}
	a.approved = approvals(t, k.data, dir)
	for _, m := range approval.FindAllStringSubmatch(story.String(), -1) {
		if a.approved[m[1]] == 0 {
			a.lost = append(a.lost, m[1])
		}
	}
	keys := map[string]int{}
	h := &house{T: t, world: world}
	if told != nil { // a bot that was killed between a reading and its commit reads again
		h.becomes("the channel to be told everything", func() bool { return cmp.Equal(told, toldOf(world)) })
	}
	a.told = toldOf(world)
	for _, m := range world.Slack.Snapshot().Messages {
		key := keyOf(m)
		if !m.Bot || m.Deleted || key == "" {
			continue
		}
		if keys[key]++; keys[key] == 2 {
			t.Errorf("posted twice: %s: %s", key, clip(m.Text, 200))
			a.twice++
		}
	}
	return a
}

// toldOf counts the messages about each issue.
func toldOf(world *play.World) map[string]int {
	told := map[string]int{}
	for _, m := range world.Slack.Snapshot().Messages {
		if issue := issueKey.FindStringSubmatch(keyOf(m)); issue != nil && m.Bot && !m.Deleted {
			told[issue[1]]++
		}
	}
	return told
}

// approvals reads the audit trail of the running bot, verifies it, and counts
// the approvals by step.
func approvals(t *testing.T, data, dir string) map[string]int {
	t.Helper()
	var trail bytes.Buffer
	if _, err := ask(t.Context(), data, "/audit/contoso", &trail); err != nil {
		t.Fatal(err)
	}
	entries, err := state.ReadAudit(&trail)
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
// KEYTURN_KILLS says, while the guides are played one after another and incidents
// are told.
func TestABotKilledAtRandomLosesNothing(t *testing.T) {
	most := 6
	if s := os.Getenv("KEYTURN_KILLS"); s != "" {
		var err error
		if most, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	calm := map[string]after{}
	kills, plays, approved, objects, told, twice := 0, 0, 0, 0, 0, 0
	begun := time.Now()
	for guides := []string{"direct", "connector", "cleanup"}; kills < most && !t.Failed(); plays++ {
		guide := guides[plays%len(guides)]
		want, ok := calm[guide]
		if !ok {
			want = hunted(t, guide, 0, nil, rng)
			calm[guide] = want
		}
		got := hunted(t, guide, most-kills, want.told, rng)
		if diff := cmp.Diff(want.exists, got.exists); diff != "" {
			t.Errorf("the guide %s with %d kills leaves something else (-without +with):\n%s", guide, got.kills, diff)
		}
		if diff := cmp.Diff(want.told, got.told); diff != "" {
			t.Errorf("the guide %s with %d kills told something else (-without +with):\n%s", guide, got.kills, diff)
		}
		if len(got.lost) > 0 {
			t.Errorf("approvals of %s were answered and are lost", strings.Join(got.lost, ", "))
		}
		kills, objects, twice = kills+got.kills, objects+count(got.exists), twice+got.twice
		for _, n := range got.approved {
			approved += n
		}
		for _, n := range got.told {
			told += n
		}
	}
	t.Logf("kills: %d with SIGKILL in %d plays, %.0f s; 0 of %d approvals lost; %d outside objects and records, each once, no orphan secret; 0 of %d messages about incidents lost, %d repeated; state and audit trail verified after every kill",
		kills, plays, time.Since(begun).Seconds(), approved, objects, told, twice)
}
