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
	bots   []*child
	sound  func(context.Context) error // reads the whole state
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
		k.err = k.kill(ctx)
		k.acting.Unlock()
	}
}

// kill ends a process, and has the whole state read. One bot alone is waited for;
// of several the others go on.
func (k *killer) kill(ctx context.Context) (err error) {
	if len(k.bots) == 1 {
		err = k.bots[0].killEvery(1)(ctx)
	} else if err = k.bots[k.rng.IntN(len(k.bots))].kill(); errors.Is(err, os.ErrProcessDone) {
		return nil // it has just been killed
	}
	k.kills++
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
	data := filepath.Join(dir, "bot", "keyturn.db")
	k := &killer{bots: []*child{bot}, sound: soundFile(data), acted: make(chan struct{}, 1), rng: rng}
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
	a := left(t, world, story.String(), told, func() map[string]int {
		var trail bytes.Buffer
		if _, err := ask(t.Context(), data, "/audit/contoso", &trail); err != nil {
			t.Fatal(err)
		}
		return approvals(t, &trail, dir)
	})
	a.kills = k.kills
	return a
}

// left waits until the channel is told what it has to be told, and gives what a
// play left; nil does not wait.
func left(t *testing.T, world *play.World, story string, told map[string]int, approved func() map[string]int) after {
	t.Helper()
	a := after{exists: asIt(inventories{world.Microsoft.Inventory(), world.ServiceNow.Inventory()})}
	a.approved = approved()
	for _, m := range approval.FindAllStringSubmatch(story, -1) {
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
// KEYTURN_KILLS says, while the guides are played one after another and incidents
// are told.
func TestABotKilledAtRandomLosesNothing(t *testing.T) {
	most := kills(t, 6)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	s := tally{t: t, calm: map[string]after{}, begun: time.Now()}
	for guides := []string{"direct", "connector", "cleanup"}; s.kills < most && !t.Failed(); {
		guide := guides[s.plays%len(guides)]
		s.add(guide, hunted(t, guide, most-s.kills, s.without(guide, rng).told, rng))
	}
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

// tally sums up what plays left.
type tally struct {
	t     *testing.T
	calm  map[string]after // what each guide leaves undisturbed
	begun time.Time

	kills, plays, approved, objects, told, twice int
}

// without is what a guide leaves when nothing happens to the bot.
func (s *tally) without(guide string, rng *rand.Rand) after {
	if _, ok := s.calm[guide]; !ok {
		s.calm[guide] = hunted(s.t, guide, 0, nil, rng)
	}
	return s.calm[guide]
}

// add compares what a disturbed play left with an undisturbed one.
func (s *tally) add(guide string, got after) {
	s.t.Helper()
	want := s.calm[guide]
	if diff := cmp.Diff(want.exists, got.exists); diff != "" {
		s.t.Errorf("the guide %s with %d kills leaves something else (-without +with):\n%s", guide, got.kills, diff)
	}
	if diff := cmp.Diff(want.told, got.told); diff != "" {
		s.t.Errorf("the guide %s with %d kills told something else (-without +with):\n%s", guide, got.kills, diff)
	}
	if len(got.lost) > 0 {
		s.t.Errorf("approvals of %s were answered and are lost", strings.Join(got.lost, ", "))
	}
	s.plays, s.kills, s.objects, s.twice = s.plays+1, s.kills+got.kills, s.objects+count(got.exists), s.twice+got.twice
	for _, n := range got.approved {
		s.approved += n
	}
	for _, n := range got.told {
		s.told += n
	}
}

// String is the tally in words.
func (s *tally) String() string {
	return fmt.Sprintf("in %d plays, %.0f s; 0 of %d approvals lost; %d outside objects and records, each once, no orphan secret; 0 of %d messages about incidents lost, %d repeated",
		s.plays, time.Since(s.begun).Seconds(), s.approved, s.objects, s.told, s.twice)
}
