//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/bot/incident"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
	"keyturn/sim/slack"
	"keyturn/sim/teams"
)

// Expected in the busiest hour of a large organisation, a minute, on both
// platforms together. The soak plays ten times that.
const (
	expectedCommands = 6
	expectedClicks   = 6
	expectedChanges  = 2 // of incidents, each told in two channels
	soakTimes        = 10
)

// samplesEnv has the bot, run by a test, write how it is into a file, so often.
const samplesEnv = "KEYTURN_TEST_SAMPLES"

func init() {
	if path, every, ok := strings.Cut(os.Getenv(samplesEnv), ","); ok && os.Args[0] == "keyturn" {
		d, err := time.ParseDuration(every)
		if err != nil {
			panic(err)
		}
		runtime.MemProfileRate = 0 // a test counts allocations by where they are made; the program does not
		go sampled(path, d)
	}
}

// sample is how the bot was in a while.
type sample struct {
	Goroutines float64
	Heap       float64 // MiB that are left after a collection
	Own        float64 // MiB of the process, after it gave back to the system what it does not need
	Ran        float64 // MiB of the process as it ran, on average
}

// sampled writes samples into a file, each on a line. Of five looks it takes the
// least: what is under way at a moment comes and goes. What the
// process had as it ran is also how much garbage lay about just then.
func sampled(path string, every time.Duration) {
	none := sample{Goroutines: math.Inf(1), Heap: math.Inf(1), Own: math.Inf(1)}
	looks, now := 0, none
	for range time.Tick(every / 5) {
		was, err := resident("self", "RssAnon")
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		own, err2 := resident("self", "RssAnon")
		if err := errors.Join(err, err2); err != nil {
			panic(err)
		}
		now = sample{min(now.Goroutines, float64(runtime.NumGoroutine())), min(now.Heap, float64(m.HeapAlloc)/(1<<20)), min(now.Own, own), now.Ran + was/5}
		if looks++; looks%5 != 0 {
			continue
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(f, now.Goroutines, now.Heap, now.Own, now.Ran)
		f.Close()
		now = none
	}
}

// soaking is a bot under a steady load.
type soaking struct {
	*testing.T
	world  *play.World
	crew   *play.Crew
	until  time.Time
	states []json.RawMessage // of each incident

	mu    sync.Mutex
	did   map[string]int
	wrong []string
	cards map[play.Platform]play.Card // that are clicked on
}

// TestABotUnderLoadForLongStaysAsItIs loads the bot, a process of its own, with
// ten times what is expected, for as long as KEYTURN_SOAK says, and compares how
// it is in the last third of that with the first.
func TestABotUnderLoadForLongStaysAsItIs(t *testing.T) {
	took, err := time.ParseDuration(os.Getenv("KEYTURN_SOAK"))
	if err != nil {
		t.Skip("takes as long as KEYTURN_SOAK says, such as 30m")
	}
	dir := t.TempDir()
	samples := filepath.Join(dir, "samples")
	t.Setenv(samplesEnv, fmt.Sprint(samples, ",", took/30))
	world, err := play.Open(play.Options{On: play.Both, Lag: &microsoft.Lag{}, Slow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	var log safeBuffer
	bot, err := startBot(t.Context(), world, dir, "info", &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	defer bot.stop()
	var story safeBuffer
	if err := (play.Script{World: world, Guide: "direct", Out: &story, Stories: incident.SampleStories()[:1]}).Play(t.Context()); err != nil {
		t.Fatalf("%v\n%s\n%s", err, tail(story.String(), 6000), tail(log.String(), 3000))
	}
	// From here on it reads service health as seldom as to stay within what Microsoft
	// allows in an hour. What was sampled until now is of a setup.
	conf := filepath.Join(dir, "bot", "keyturn.yaml")
	b, err := os.ReadFile(conf)
	seldom := bytes.Replace(b, []byte("poll_every: 500ms"), []byte("poll_every: 10s"), 1)
	if err := errors.Join(err, os.WriteFile(conf, seldom, 0o600), bot.killEvery(1)(t.Context()), os.RemoveAll(samples)); err != nil || bytes.Equal(b, seldom) {
		t.Fatal("the bot was not started anew", err)
	}
	pid, begun := bot.pid(), time.Now()
	s := &soaking{T: t, world: world, crew: play.NewCrew(world, &story), until: begun.Add(took), did: map[string]int{}, cards: map[play.Platform]play.Card{}, states: longest()}
	var all sync.WaitGroup
	all.Go(func() { s.beats("commands", expectedCommands, s.command) })
	all.Go(func() { s.beats("clicks", expectedClicks, s.click) })
	all.Go(func() { s.beats("changes", expectedChanges, s.change) })
	all.Wait()
	s.told()
	lost(t, &log)
	if bot.pid() != pid || strings.Contains(log.String(), "DATA RACE") {
		t.Errorf("the bot ended, or its memory is written by two at once:\n%s", tail(log.String(), 6000))
	}
	if n := len(s.wrong); n > 0 {
		t.Errorf("%d times something went wrong, first:\n%s", n, strings.Join(s.wrong[:min(n, 10)], "\n"))
	}
	s.stayed(samples, time.Since(begun))
}

// beats does something ten times as often as it is expected, evenly.
func (s *soaking) beats(what string, aMinute int, do func(n int) error) {
	want := int(time.Until(s.until).Minutes() * float64(aMinute*soakTimes))
	beat := time.NewTicker(time.Minute / time.Duration(aMinute*soakTimes))
	defer beat.Stop()
	for n := 0; time.Now().Before(s.until); n++ {
		err := do(n)
		s.mu.Lock()
		s.did[what]++
		if err != nil {
			s.wrong = append(s.wrong, err.Error())
		}
		s.mu.Unlock()
		<-beat.C
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.did[what] < want*9/10 {
		s.wrong = append(s.wrong, fmt.Sprintf("only %d %s of %d were done: the bot is too slow, or this machine", s.did[what], what, want))
	}
}

// command types a command on one platform or the other.
func (s *soaking) command(n int) error {
	words := []string{"status", "health", "incidents", "mine", "help", "subscriptions", "inventory", "recommend outlook search is slow"}
	word := words[n/2%len(words)]
	if n%2 == 0 {
		out, err := s.world.Slack.Slash(play.Rita.Slack, play.Ops, "/keyturn "+word)
		return s.shown("Slack", word, out.Shown, err)
	}
	out, err := s.world.Teams.Say(play.Mona.Entra, play.TeamsOps, "@Keyturn "+word)
	return s.shown("Teams", word, out.Shown+out.Reason+out.Unsent, err)
}

func (s *soaking) shown(on, what, shown string, err error) error {
	if err == nil && shown != "" {
		err = fmt.Errorf("%s showed %s", on, shown)
	}
	if err != nil {
		return fmt.Errorf("%s on %s: %w", what, on, err)
	}
	return nil
}

// click asks for the history of an incident. On Teams that stands in the place of
// the card until its reader goes back.
func (s *soaking) click(n int) error {
	p := []play.Platform{play.OnSlack, play.OnTeams}[n%2]
	labels := [][]string{{"History"}, {"History", "Back"}}[n%2]
	c, ok := s.cards[p]
	if !ok {
		err := s.crew.Until(s.Context(), "an incident's message on "+string(p), func(all []play.Card) bool {
			i := slices.IndexFunc(all, func(c play.Card) bool {
				_, has := c.Has("History", "")
				return has && c.Platform == p && c.Thread == "" && c.Where == "m365-incidents"
			})
			if i >= 0 {
				c = all[i]
			}
			return i >= 0
		})
		if err != nil {
			return err
		}
		s.cards[p] = c
	}
	var shown string
	var err error
	for _, label := range labels { // one of them is there
		if shown, err = s.press(p, c, label); err == nil {
			break
		}
	}
	return s.shown(string(p), "a click", shown, err)
}

func (s *soaking) press(p play.Platform, c play.Card, label string) (string, error) {
	if p == play.OnSlack {
		b, _ := c.Has(label, "")
		out, err := s.world.Slack.Click(slack.Click{User: play.Rita.Slack, Channel: c.Channel, TS: c.TS, Action: b.Action, Block: b.Block})
		return out.Shown, err
	}
	out, err := s.world.Teams.Click(teams.Click{User: play.Mona.Entra, Conversation: c.Channel, Activity: c.TS, Action: label})
	return out.Shown, err
}

// atOnce is how many incidents are open at a time, each told from its beginning to
// its end.
const atOnce = 4

// change publishes the next state of an incident.
func (s *soaking) change(n int) error {
	return s.publishes(s.states[n/atOnce%len(s.states)], soakID(n/(atOnce*len(s.states))*atOnce+n%atOnce))
}

// longest is the story with the most states.
func longest() (states []json.RawMessage) {
	for _, story := range incident.SampleStories() {
		if len(story) > len(states) {
			states = story
		}
	}
	return states
}

func soakID(n int) string { return fmt.Sprintf("EX%07d", 2_000_000+n) }

func (s *soaking) publishes(raw json.RawMessage, id string) error {
	var issue map[string]json.RawMessage
	if err := json.Unmarshal(raw, &issue); err != nil {
		return err
	}
	issue["id"], _ = json.Marshal(id)
	issue["lastModifiedDateTime"], _ = json.Marshal(time.Now().UTC().Format(time.RFC3339Nano))
	raw, err := json.Marshal(issue)
	if err != nil {
		return err
	}
	return s.world.Microsoft.PutIssue(raw)
}

// told waits until both channels have a message about each incident: one of its
// own, or for the newest ones one for those that came together.
func (s *soaking) told() {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 3*time.Minute)
	defer cancel()
	missing := ""
	err := s.crew.Until(ctx, "a message about each incident", func(all []play.Card) bool {
		own, named := map[string]int{}, map[string]bool{}
		for _, c := range all {
			if c.Thread != "" || c.Where != "m365-incidents" {
				continue
			}
			for _, id := range issueID.FindAllString(c.Text, -1) {
				named[string(c.Platform)+id] = true
			}
			if _, ok := c.Has("History", ""); ok {
				own[string(c.Platform)+issueID.FindString(c.Text)]++
			}
		}
		missing = ""
		for _, p := range []play.Platform{play.OnSlack, play.OnTeams} {
			for n := 0; n/atOnce*atOnce*len(s.states)+n%atOnce < s.did["changes"]; n++ {
				id := string(p) + soakID(n)
				again := n/atOnce*atOnce*len(s.states)+n%atOnce+atOnce < s.did["changes"] // it changed after it came
				if !named[id] || own[id] > 1 || again && own[id] == 0 {
					missing += fmt.Sprintf("%s has %d messages of its own; ", id, own[id])
				}
			}
		}
		return missing == ""
	})
	if err != nil {
		s.Errorf("%s\n%s", missing, clip(err.Error(), 2000))
	}
}

// stayed compares the last third of the samples with the first.
func (s *soaking) stayed(path string, took time.Duration) {
	s.Helper()
	f, err := os.Open(path)
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	var list [4][]float64 // as in a sample
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var v [4]float64
		if _, err := fmt.Sscan(lines.Text(), &v[0], &v[1], &v[2], &v[3]); err != nil {
			s.Fatal(err)
		}
		for i := range v {
			list[i] = append(list[i], v[i])
		}
	}
	n := len(list[0])
	if n < 24 {
		s.Fatalf("there are only %d samples", n)
	}
	for i, l := range list { // what the bot remembers fills up in the first minutes
		list[i] = l[n/5:]
	}
	n = len(list[0])
	third := n / 3
	var first, last [4]float64
	for i, l := range list {
		first[i], last[i] = median(l[:third]), median(l[n-third:])
	}
	s.Logf("soaked: %.0f minutes, %d commands, %d clicks and %d changes of incidents: %.0f goroutines in the first third and %.0f in the last, %.1f and %.1f MiB on the heap (%+.1f %%), %.1f and %.1f MiB of its own (%+.1f %%), %.1f and %.1f with its garbage (%+.1f %%)",
		took.Minutes(), s.did["commands"], s.did["clicks"], s.did["changes"], first[0], last[0],
		first[1], last[1], growth(first[1], last[1]), first[2], last[2], growth(first[2], last[2]), first[3], last[3], growth(first[3], last[3]))
	if last[0] > first[0]+2 {
		s.Errorf("the goroutines became more: %v", list[0])
	}
	for i, what := range []string{"", "what is left on the heap", "the memory of its own", "the memory of its own with its garbage"} {
		if i >= 2 && underRace {
			continue // most of it is the race detector's
		}
		if i > 0 && growth(first[i], last[i]) >= 5 {
			s.Errorf("%s grew by %.1f %%: %.1f", what, growth(first[i], last[i]), list[i])
		}
	}
}

func growth(from, to float64) float64 { return 100 * (to - from) / math.Max(from, 1) }

func median(list []float64) float64 {
	l := slices.Sorted(slices.Values(list))
	return l[len(l)/2]
}
