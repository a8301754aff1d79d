package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot/incident"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
)

// TestAKilledBotFinishesEveryGuide plays each guide while the bot, as a process
// of its own, is killed with SIGKILL after so many lines of the transcript. What
// exists in the end is what a bot leaves that nobody killed.
func TestAKilledBotFinishesEveryGuide(t *testing.T) {
	for _, c := range []struct {
		guide string
		every int // lines between two kills
	}{{"direct", 3}, {"connector", 7}, {"cleanup", 3}} {
		t.Run(c.guide, func(t *testing.T) {
			t.Parallel()
			every := c.every
			if testing.Short() {
				every *= 8
			}
			undisturbed := killed(t, c.guide, 0)
			if diff := cmp.Diff(undisturbed, killed(t, c.guide, every)); diff != "" {
				t.Errorf("a killed bot leaves something else (-without +with):\n%s", diff)
			}
		})
	}
}

// killed plays a guide with its script, and gives what exists in the end.
func killed(t *testing.T, guide string, every int) map[string][]string {
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
	s := play.Script{World: world, Guide: guide, Out: &story, Stories: incident.SampleStories()[:1]}
	if every > 0 {
		s.After = bot.killEvery(every)
	}
	if err := s.Play(t.Context()); err != nil {
		t.Fatalf("%v\n%s\n%s", err, tail(story.String(), 6000), tail(log.String(), 3000))
	}
	h := &house{T: t, world: world}
	keys := map[string]int{}
	for _, m := range world.Slack.Snapshot().Messages {
		if key := keyOf(m); m.Bot && !m.Deleted && key != "" {
			if keys[key]++; keys[key] == 2 {
				t.Errorf("posted twice: %s: %s", key, clip(m.Text, 200))
			}
		}
	}
	if n := len(h.checklists()); n != 1 {
		t.Errorf("there are %d checklists", n)
	}
	lost(t, &log)
	return asIt(inventories{world.Microsoft.Inventory(), world.ServiceNow.Inventory()})
}

// lost reports work that the bot gave up.
func lost(t *testing.T, log *safeBuffer) {
	t.Helper()
	for line := range bytes.Lines([]byte(log.String())) {
		if bytes.Contains(line, []byte("was given up")) {
			t.Errorf("the bot gave work up: %s", strings.TrimSpace(string(line)))
		}
	}
}

// startBot starts one bot with its state in a file.
func startBot(ctx context.Context, w *play.World, dir, level string, log io.Writer) (*child, error) {
	f, err := startFleet(ctx, w, dir, level, log, sharing{})
	if err != nil {
		return nil, err
	}
	return f.bots[0], nil
}
