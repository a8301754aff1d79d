package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/adapters/teams"
	"keyturn/bot"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// scene is a guide and where it is played.
type scene struct {
	guide string
	on    play.Platform // "" is Slack
	blind bool          // nobody granted the scopes by which the bot looks up on Slack what it has sent
}

// scenes are played one after another: every guide on Slack and on Teams, and
// what differs between the platforms more often.
var scenes = []scene{
	{guide: "direct"}, {guide: "direct", on: play.OnTeams}, {guide: "connector"}, {guide: "cleanup", on: play.OnTeams},
	{guide: "direct", on: play.Both}, {guide: "direct", blind: true}, {guide: "connector", on: play.OnTeams}, {guide: "cleanup"},
}

func (s scene) options() play.Options {
	return play.Options{Left: s.guide == "cleanup", Lag: &microsoft.Lag{}, Slow: true, On: s.on, Unread: s.blind}
}

func (s scene) platform() play.Platform {
	if s.on == "" {
		return play.OnSlack
	}
	return s.on
}

// where names a platform of the scene.
func (s scene) where(p play.Platform) string {
	switch {
	case p == play.OnTeams:
		return "Teams"
	case s.blind:
		return "Slack without the history scopes"
	}
	return "Slack"
}

// after is what a play left: outside, in chat and in the audit trail.
type after struct {
	exists   map[string][]string
	told     map[string]int // messages about each issue, by platform
	approved map[string]int // approvals in the audit trail, by step
	lost     []string       // steps whose approval was answered and is not there
	stand    map[string]int // messages, by where
	twice    map[string]int // those that stand once more
	kills    int
}

var (
	approval = regexp.MustCompile(`clicks: \[Approve[^\]]*\] of (\S+)`)
	issueKey = regexp.MustCompile(`^incident/[^/]+/([A-Z]{2}[0-9]+)/`)
	keyMark  = regexp.MustCompile(`shown-key-([0-9a-f]+)-`)
)

// left waits until the channels are told what they have to be told, and gives
// what a play left; nil does not wait.
func left(t *testing.T, world *play.World, sc scene, story string, told map[string]int, deaths []time.Time, approved func() map[string]int) after {
	t.Helper()
	a := after{exists: asIt(inventories{world.Microsoft.Inventory(), world.ServiceNow.Inventory()}), stand: map[string]int{}, twice: map[string]int{}, kills: len(deaths)}
	a.approved = approved()
	for _, m := range approval.FindAllStringSubmatch(story, -1) {
		if a.approved[m[1]] == 0 {
			a.lost = append(a.lost, m[1])
		}
	}
	h := &house{T: t, world: world}
	if told != nil { // a bot that was killed between a reading and its commit reads again
		h.becomes("the channels to be told everything", func() bool { return cmp.Equal(told, toldOf(world)) })
	}
	a.told = toldOf(world)
	if world.Teams != nil && len(a.told) == 0 && sc.guide != "cleanup" {
		t.Error("no message shows on Teams what it is known by, so this counts nothing")
	}
	inOne := map[string]int{} // what a conversation is told leaves in turn, so one message of it is in flight
	for _, c := range copies(world) {
		a.stand[sc.where(c.on)]++
		for i := 1; i < len(c.at); i++ {
			switch {
			case c.on == play.OnSlack && (!sc.blind || c.direct):
				t.Errorf("posted twice on Slack, at %s and %s: %s: %s", c.at[i-1], c.at[i], c.key, clip(c.text, 200))
			case !slices.ContainsFunc(deaths, func(d time.Time) bool { return d.After(c.at[i-1].Add(-time.Second)) && d.Before(c.at[i]) }):
				t.Errorf("posted twice on %s, with no death between %s and %s: %s: %s", c.on, c.at[i-1], c.at[i], c.key, clip(c.text, 200))
			}
			a.twice[sc.where(c.on)]++
			inOne[c.in]++
		}
	}
	for in, n := range inOne {
		if n > a.kills {
			t.Errorf("%d messages stand twice in the conversation %s after %d kills: more than one in flight for each", n, in, a.kills)
		}
	}
	return a
}

// standing is a message of the bot, as often as it stands there.
type standing struct {
	on        play.Platform
	in        string // the conversation
	key, text string
	direct    bool
	at        []time.Time // oldest first
}

// copies are the bot's messages by what they are: those with a key, which on
// Teams only a bot shows that was told to.
func copies(world *play.World) (out []standing) {
	by := map[string]int{}
	put := func(s standing, at time.Time) {
		i, ok := by[string(s.on)+s.key]
		if !ok {
			i = len(out)
			by[string(s.on)+s.key], out = i, append(out, s)
		}
		out[i].at = append(out[i].at, at)
	}
	now := world.Slack.Snapshot()
	direct := map[string]bool{}
	for _, c := range now.Channels {
		direct[c.ID] = c.Kind == slack.Direct
	}
	for _, m := range now.Messages {
		if key := keyOf(m); m.Bot && !m.Deleted && key != "" {
			seconds, _ := strconv.ParseFloat(m.TS, 64) // the simulator wrote it
			put(standing{on: play.OnSlack, in: m.Channel, key: key, text: m.Text, direct: direct[m.Channel]}, time.UnixMicro(int64(seconds*1e6)))
		}
	}
	if world.Teams == nil {
		return out
	}
	for _, m := range world.Teams.Snapshot().Messages {
		if mark := keyMark.FindSubmatch(m.Activity); m.Bot && !m.Deleted && mark != nil {
			key, _ := hex.DecodeString(string(mark[1])) // it matched
			put(standing{on: play.OnTeams, in: m.Conversation, key: string(key), text: m.Summary()}, m.At)
		}
	}
	return out
}

// showsKeys has a bot that is a process of its own show on Teams what its messages
// are known by: Teams takes no such word along.
const showsKeys = "KEYTURN_TEST_SHOWS_KEYS"

// keysShown is Teams for such a bot.
type keysShown struct{ *teams.Adapter }

func keyed(m bot.Message) bot.Message {
	m.Parts = append(slices.Clone(m.Parts), bot.Note{Text: bot.T(fmt.Sprintf("shown-key-%x-", m.Key))})
	return m
}

// Post implements [engine.Chat].
func (k keysShown) Post(ctx context.Context, at bot.Place, m bot.Message) (bot.MessageRef, error) {
	return k.Adapter.Post(ctx, at, keyed(m))
}

// Edit implements [engine.Chat].
func (k keysShown) Edit(ctx context.Context, ref bot.MessageRef, m bot.Message) error {
	return k.Adapter.Edit(ctx, ref, keyed(m))
}

// toldOf counts the messages about each issue, by platform: one that stands twice
// says nothing more.
func toldOf(world *play.World) map[string]int {
	told := map[string]int{}
	for _, c := range copies(world) {
		if issue := issueKey.FindStringSubmatch(c.key); issue != nil {
			told[string(c.on)+" "+issue[1]]++
		}
	}
	return told
}

// tally sums up what plays left. Several goroutines may add to one.
type tally struct {
	t     *testing.T
	begun time.Time

	mu   sync.Mutex
	calm map[scene]func() after // what each scene leaves undisturbed

	begunPlays, reserved                  int
	kills, plays, approved, objects, told int
	where                                 map[string]*tallied
}

// tallied is what happened on one platform.
type tallied struct{ plays, kills, stand, twice int }

// newTally begins one. Bots that are started from here on show what their messages
// are known by.
func newTally(t *testing.T) *tally {
	t.Setenv(showsKeys, "yes")
	return &tally{t: t, calm: map[scene]func() after{}, begun: time.Now(), where: map[string]*tallied{}}
}

// without is what a scene leaves when nothing happens to the bot.
func (s *tally) without(sc scene) after {
	s.mu.Lock()
	calm, ok := s.calm[sc]
	if !ok {
		calm = sync.OnceValue(func() after { return hunted(s.t, sc, 0, nil, nil) })
		s.calm[sc] = calm
	}
	s.mu.Unlock()
	return calm()
}

// eachPlay is how often a bot is killed in one play at most.
const eachPlay = 25

// until plays one scene after another, some beside each other where there is much
// to do, until the bot was killed so often. play is one play with at most so many
// kills.
func (s *tally) until(most int, play func(t *testing.T, sc scene, most int, want after, rng *rand.Rand) after) {
	seed := uint64(time.Now().UnixNano())
	s.t.Logf("seed %d", seed)
	var beside sync.WaitGroup
	for range min(4, max(1, most/50)) {
		beside.Go(func() {
			for {
				n, kills := s.take(most)
				if kills == 0 {
					return
				}
				sc := scenes[n%len(scenes)]
				s.t.Run(fmt.Sprintf("%d-%s-on-%s", n+1, sc.guide, sc.platform()), func(t *testing.T) {
					defer s.give(kills)
					want := s.without(sc)
					s.add(t, sc, play(t, sc, kills, want, rand.New(rand.NewPCG(seed, uint64(n)))))
				})
			}
		})
	}
	beside.Wait()
}

// take gives the number of the next play and how many kills are left for it.
func (s *tally) take(most int) (n, kills int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kills = min(most-s.kills-s.reserved, eachPlay); kills <= 0 || s.t.Failed() {
		return 0, 0
	}
	s.reserved += kills
	s.begunPlays++
	return s.begunPlays - 1, kills
}

func (s *tally) give(kills int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved -= kills
}

// add compares what a disturbed play left with an undisturbed one.
func (s *tally) add(t *testing.T, sc scene, got after) {
	t.Helper()
	want := s.without(sc)
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want.exists, got.exists); diff != "" {
		t.Errorf("the guide %s with %d kills leaves something else (-without +with):\n%s", sc.guide, got.kills, diff)
	}
	if diff := cmp.Diff(want.told, got.told); diff != "" {
		t.Errorf("the guide %s with %d kills told something else (-without +with):\n%s", sc.guide, got.kills, diff)
	}
	if len(got.lost) > 0 {
		t.Errorf("approvals of %s were answered and are lost", strings.Join(got.lost, ", "))
	}
	s.plays, s.kills, s.objects = s.plays+1, s.kills+got.kills, s.objects+count(got.exists)
	for _, n := range got.approved {
		s.approved += n
	}
	for _, n := range got.told {
		s.told += n
	}
	for _, p := range []play.Platform{play.OnSlack, play.OnTeams} {
		if sc.platform() != p && sc.on != play.Both {
			continue
		}
		at := s.where[sc.where(p)]
		if at == nil {
			at = &tallied{}
			s.where[sc.where(p)] = at
		}
		at.plays, at.kills, at.stand, at.twice = at.plays+1, at.kills+got.kills, at.stand+got.stand[sc.where(p)], at.twice+got.twice[sc.where(p)]
	}
}

// String is the tally in words.
func (s *tally) String() string {
	var by []string
	for _, where := range slices.Sorted(maps.Keys(s.where)) {
		at := s.where[where]
		by = append(by, fmt.Sprintf("%s: %d of %d messages stand twice after %d kills in %d plays", where, at.twice, at.stand, at.kills, at.plays))
	}
	return fmt.Sprintf("in %d plays, %.0f s; 0 of %d approvals lost; %d outside objects and records, each once, no orphan secret; 0 of %d messages about incidents lost; %s",
		s.plays, time.Since(s.begun).Seconds(), s.approved, s.objects, s.told, strings.Join(by, "; "))
}
