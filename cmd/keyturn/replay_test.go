package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot/incident"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
	"keyturn/test/beside"
)

// replayed are the issues of the replay: real ones, with up to 13 posts, one of
// them out of order. Each changes, so that each leaves the message that it
// shares with others at first.
func replayed(t *testing.T) []json.RawMessage {
	t.Helper()
	items, err := incident.Items(beside.Data(t, "graph/issues.json"))
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// TestTheReplayShowsEachPostOnceHoweverOftenTheBotIsKilled plays the direct
// guide and then the issues, post by post, on Slack and on Teams, and again
// while the bot is killed all the while. What stands in Slack's channel in the
// end is the same. Teams cannot look up what it was sent: there nothing is lost
// either, and for each kill at most one message stands twice, the one in flight.
func TestTheReplayShowsEachPostOnceHoweverOftenTheBotIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("plays for a minute")
	}
	issues := replayed(t)
	undisturbed := replay(t, play.Both, issues, nil)
	for _, p := range []play.Platform{play.OnSlack, play.OnTeams} {
		for _, raw := range issues {
			inOrder(t, undisturbed, p, raw)
		}
		if n := undisturbed.repeated(t, p, undisturbed); n > 0 {
			t.Errorf("without a kill %d messages stand twice on %s", n, p)
		}
	}
	kills := 0
	killed := replay(t, play.Both, issues, func(bot *child) func(context.Context) error {
		kill := bot.killEvery(5)
		return func(ctx context.Context) error {
			before := bot.pid()
			err := kill(ctx)
			if bot.pid() != before {
				kills++
			}
			return err
		}
	})
	onSlack, onTeams := killed.repeated(t, play.OnSlack, undisturbed), killed.repeated(t, play.OnTeams, undisturbed)
	t.Logf("%d kills: %d messages stand twice on Slack, %d on Teams", kills, onSlack, onTeams)
	if onSlack > 0 || onTeams > kills {
		t.Errorf("%d messages stand twice on Slack and %d on Teams after %d kills", onSlack, onTeams, kills)
	}
}

// thread is what stands in a channel about one issue.
type thread struct {
	Root    string
	Replies []string
}

// replayedThreads are the threads by platform and issue; more than one of an
// issue where its root stands there more than once.
type replayedThreads map[play.Platform]map[string][]thread

// repeated checks that a channel says all that another replay's says, in the
// same order, and counts what it says once more.
func (all replayedThreads) repeated(t *testing.T, p play.Platform, want replayedThreads) (n int) {
	t.Helper()
	once := func(list []thread) (kept thread) {
		said := map[string]bool{}
		for i, th := range list {
			kept.Root = th.Root // of several the last one is kept up to date
			n += min(i, 1)
			for _, r := range th.Replies {
				if said[r] {
					n++
					continue
				}
				said[r] = true
				kept.Replies = append(kept.Replies, r)
			}
		}
		return kept
	}
	got, wanted := map[string]thread{}, map[string]thread{}
	for id, list := range want[p] {
		wanted[id] = once(list)
	}
	n = 0
	for id, list := range all[p] {
		got[id] = once(list)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("the channel on %s says something else (-without +with):\n%s", p, diff)
	}
	return n
}

// replay plays the script, with something done after each of its lines, and
// gives the threads by platform and issue.
func replay(t *testing.T, on play.Platform, issues []json.RawMessage, after func(*child) func(context.Context) error) replayedThreads {
	t.Helper()
	dir, err := os.MkdirTemp("", "keyturn")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	world, err := play.Open(play.Options{On: on, Lag: &microsoft.Lag{}})
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
	stories, err := play.Told(issues)
	if err != nil {
		t.Fatal(err)
	}
	s := play.Script{World: world, Guide: "direct", Out: &story, Stories: stories}
	if after != nil {
		s.After, s.Killed = after(bot), true
	}
	if err := s.Play(t.Context()); err != nil {
		t.Fatalf("%v\n%s\n%s", err, tail(story.String(), 6000), tail(log.String(), 3000))
	}
	lost(t, &log)
	return threads(t, world)
}

var (
	issueID = regexp.MustCompile(`\b[A-Z]{2}\d{6,}\b`)
	// moving is what is different in every play: when Microsoft is said to have
	// changed something, and how long that took to arrive.
	moving = regexp.MustCompile(`Microsoft updated [^\n]*|lasted [^\n]*|in \d+ minutes?|from \d[^\n,]* to \d[^\n,]*`)
)

// threads reads the channels as people do.
func threads(t *testing.T, world *play.World) replayedThreads {
	t.Helper()
	var cards []play.Card
	if err := play.NewCrew(world, io.Discard).Until(t.Context(), "the channels", func(c []play.Card) bool { cards = c; return true }); err != nil {
		t.Fatal(err)
	}
	out := replayedThreads{play.OnSlack: {}, play.OnTeams: {}}
	of := map[string]string{} // the issue of a root
	nth := map[string]int{}   // which of its issue's roots it is
	for _, c := range cards {
		if c.Where != "m365-incidents" || c.To != "" {
			continue
		}
		text := moving.ReplaceAllString(c.Text, "…")
		switch {
		case c.Thread == "" && strings.Contains(text, "[History]"):
			id := issueID.FindString(text[strings.LastIndex(text, " in the Microsoft 365 admin center")-12:])
			nth[c.TS], of[c.TS] = len(out[c.Platform][id]), id
			out[c.Platform][id] = append(out[c.Platform][id], thread{Root: text})
		case c.Thread == "" && strings.Contains(text, "One message for all of them"):
			out[c.Platform]["all of them"] = append(out[c.Platform]["all of them"], thread{Root: text})
		}
	}
	for _, c := range cards {
		if id := of[c.Thread]; id != "" && c.To == "" && !strings.Contains(c.Text, "ServiceNow incident INC") {
			th := &out[c.Platform][id][nth[c.Thread]]
			th.Replies = append(th.Replies, moving.ReplaceAllString(c.Text, "…"))
		}
	}
	return out
}

// inOrder checks that each post of an issue that says something of its own
// stands in one reply, and the replies in the order of the posts.
func inOrder(t *testing.T, all replayedThreads, p play.Platform, raw json.RawMessage) {
	t.Helper()
	is, err := incident.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(all[p][is.ID]) != 1 {
		t.Fatalf("%s has %d roots on %s", is.ID, len(all[p][is.ID]), p)
	}
	replies := all[p][is.ID][0].Replies
	last := -1
	for n, post := range is.Posts {
		if n == 0 {
			continue // it is in the root
		}
		var in []int
		for _, sentence := range own(is, n) {
			for i, r := range replies {
				if strings.Contains(flat(r), sentence) && !slices.Contains(in, i) {
					in = append(in, i)
				}
			}
		}
		switch {
		case len(in) > 1:
			t.Errorf("on %s the post of %s, %s, is in the replies %v", p, is.ID, post.Created, in)
		case len(in) == 1 && in[0] <= last:
			t.Errorf("on %s the post of %s, %s, is in reply %d, after that of a later post", p, is.ID, post.Created, in[0])
		case len(in) == 1:
			last = in[0]
		case len(own(is, n)) > 2:
			t.Errorf("on %s the post of %s, %s, is in no reply", p, is.ID, post.Created)
		}
	}
}

// own are the sentences of a post that no other post of the issue has.
func own(is incident.Issue, n int) (out []string) {
	for _, line := range strings.Split(incident.Convert(is.Posts[n].Content).Plain(), ". ") {
		line = flat(line)
		if len(line) < 60 {
			continue
		}
		line = line[len(line)-50:]
		elsewhere := strings.Contains(flat(incident.Convert(is.Impact).Plain()), line)
		for m, q := range is.Posts {
			elsewhere = elsewhere || m != n && strings.Contains(flat(incident.Convert(q.Content).Plain()), line)
		}
		if !elsewhere {
			out = append(out, line)
		}
	}
	return out
}

// flat is a text without what drawing it changes.
func flat(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || r == '\n' || r == '\u00a0' || r == '*' || r == '•' || r == '-' || r == '_' || r == '\\'
	}), " ")
}
