package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/sim/play"
	"keyturn/sim/teams"
)

func TestTheSameSetupOnSlackAndOnTeamsComesOutTheSame(t *testing.T) {
	t.Parallel()
	type result struct {
		Run   []string // the steps as they ended
		Acts  []string
		Texts []string
	}
	once := func(p play.Platform) (r result) {
		h := openHereOn(t, p)
		h.plays("direct")
		h.read(func(v engine.View) error {
			runs, err := v.Runs("contoso")
			for _, run := range runs {
				r.Run = append(r.Run, fmt.Sprintf("%s, asked for by %s: %s", run.Guide, run.Requester, run.State))
				for _, s := range run.Steps {
					r.Run = append(r.Run, stepEnded(s))
				}
			}
			return err
		})
		for _, e := range h.trail() {
			act := fmt.Sprintf("%s %s %s as %q", e.Person, e.Act, e.Step, e.Account)
			if e.Call != nil {
				act += " " + e.Call.Method + " " + same(e.Call.Path)
			}
			r.Acts = append(r.Acts, act)
		}
		r.Texts = h.texts()
		slices.Sort(r.Acts)
		if h.world.Teams != nil {
			for _, v := range h.world.Teams.Snapshot().Violations {
				t.Errorf("what a good bot does not do in Teams: %s", v.What)
			}
		}
		return r
	}
	onSlack, onTeams := once(play.OnSlack), once(play.OnTeams)
	if len(onSlack.Run) < 5 || len(onSlack.Acts) < 10 || len(onSlack.Texts) < 50 {
		t.Fatalf("there is little to compare: %d steps, %d acts, %d lines", len(onSlack.Run), len(onSlack.Acts), len(onSlack.Texts))
	}
	if diff := cmp.Diff(onSlack, onTeams); diff != "" {
		t.Errorf("Teams ends otherwise (-Slack +Teams):\n%s", diff)
	}
}

func stepEnded(s setup.Step) string {
	out := fmt.Sprintf("%s: %s by %s, %d calls, proof %q, answers %v", s.ID, s.State, s.By, len(s.Results), s.Proof, s.Answers)
	if s.Approval != nil {
		out += fmt.Sprintf(", approved by %s for %s", s.Approval.Person, s.Approval.Account)
	}
	return same(out)
}

// texts is every line that the bot has said, in whatever order.
func (h *house) texts() []string {
	h.Helper()
	lines := map[string]bool{}
	_ = h.crew.Until(h.Context(), "", func(all []play.Card) bool {
		for _, c := range all {
			if c.Reader != "" || strings.Contains(c.Text, "I am Keyturn") || strings.Contains(c.Text, "needs a few values") {
				continue // answers to clicks, greetings, and the way to a form differ
			}
			where := c.Where
			if c.Peer != "" {
				where = "to " + c.Peer
			}
			for line := range strings.Lines(c.Text) {
				if line = same(strings.TrimSpace(line)); line != "" {
					lines[where+": "+line] = true
				}
			}
		}
		return true
	})
	var out []string
	for l := range lines {
		out = append(out, l)
	}
	slices.Sort(out)
	return out
}

// sames are what differs between two plays for a good reason: when, which run,
// and how the platform has the bot addressed and groups named.
var sames = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`&lt;`), "<"}, {regexp.MustCompile(`&gt;`), ">"}, {regexp.MustCompile(`&amp;`), "&"},
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "GUID"},
	{regexp.MustCompile(`(\d+ [A-Z][a-z]{2} \d{4} )?\d\d:\d\d UTC`), "TIME"},
	{regexp.MustCompile(`\b\d+ [A-Z][a-z]{2} \d{4}`), "DAY"},
	{regexp.MustCompile(`run-[a-z0-9]+`), "RUN"},
	{regexp.MustCompile(`\b[0-9a-f]{24,40}\b`), "ID"},
	{regexp.MustCompile(`INC\d+`), "INCIDENT"},
	{regexp.MustCompile(`@Keyturn `), "/keyturn "},
	{regexp.MustCompile(`(: |^)[Tt]he (Entra|ServiceNow) team,? ([A-Z])`), "$1$3"},
	{regexp.MustCompile(`\d+ steps? (is|are) yours now`), "STEPS"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST"},
}

func same(s string) string {
	for _, r := range sames {
		s = r.what.ReplaceAllString(s, r.as)
	}
	return s
}

func TestAnInvokeThatComesTwiceGetsTheSameAnswerAndTakesEffectOnce(t *testing.T) {
	h := openOn(t, play.OnTeams)
	h.crew.Leave("reader-app", "sn-unattended", "sn-mapping", "sn-incidents")
	if err := h.crew.Begin(h.Context(), "direct"); err != nil {
		t.Fatal(err)
	}
	err := h.crew.WorkUntilShown(h.Context(), "the card of Erin", func(all []play.Card) bool {
		return slices.ContainsFunc(all, func(c play.Card) bool {
			_, ok := c.Has("Approve and run", "reader-app")
			return ok && c.Peer == play.Erin.Name
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	first := h.pressOnTeams(play.Erin, "Approve and run", "reader-app")
	again, err := h.world.Teams.Resend()
	if err != nil {
		t.Fatal(err)
	}
	if again.Status != first.Status || again.Body != first.Body {
		t.Errorf("the repeat was answered %d %s, the first %d %s", again.Status, again.Body, first.Status, first.Body)
	}
	h.shows("Erin's card", on(play.OnTeams, play.Erin), "Approved by Erin Vogel", "Read back")
	h.idle()
	approved := 0
	for _, e := range h.trail() {
		if e.Act == "approve" {
			approved++
		}
	}
	if approved != 1 {
		t.Errorf("the approval is %d times in the trail", approved)
	}
}

func TestAnApprovalOnTeamsLocksTheCardOnSlack(t *testing.T) {
	h := openOn(t, play.Both)
	h.crew.Leave("reader-app", "sn-unattended", "sn-mapping", "sn-incidents")
	if err := h.crew.Begin(h.Context(), "direct"); err != nil {
		t.Fatal(err)
	}
	err := h.crew.WorkUntilShown(h.Context(), "Erin's card on both platforms", func(all []play.Card) bool {
		n := 0
		for _, c := range all {
			if _, ok := c.Has("Approve and run", "reader-app"); ok && c.Peer == play.Erin.Name {
				n++
			}
		}
		return n == 2
	})
	if err != nil {
		t.Fatal(err)
	}
	h.shows("the checklist", in(play.OnSlack, "it-ops"), "asked for by Rita Okafor")
	h.pressOnTeams(play.Erin, "Approve and run", "reader-app")
	for _, p := range []play.Platform{play.OnSlack, play.OnTeams} {
		for _, who := range []play.Person{play.Erin, play.Emil} {
			c := h.shows("the card of "+who.Name, on(p, who), "Approved by Erin Vogel")
			if _, ok := c.Has("Approve and run", "reader-app"); ok {
				t.Errorf("%s can still approve on %s", who.Name, p)
			}
		}
	}
	h.shows("the thread on Slack", func(c play.Card) bool { return in(play.OnSlack, "it-ops")(c) && c.Thread != "" }, "Registration for reading service health", "Approved by Erin Vogel")
	for _, e := range h.trail() {
		if e.Act == "approve" && e.Via != "teams:"+play.Directory+":"+play.Erin.Entra {
			t.Errorf("the trail says that the approval came from %s", e.Via)
		}
	}
}

func TestARemovalFromATeamStopsItsSubscriptionsAndSaysSo(t *testing.T) {
	h := openOn(t, play.Both, withReader)
	if err := h.crew.Type(h.Context(), play.Mona, "m365-incidents", "subscribe live"); err != nil {
		t.Fatal(err)
	}
	h.shows("the word in the channel", in(play.OnTeams, "m365-incidents"), "From now on this channel is told")
	h.shows("an incident", in(play.OnTeams, "m365-incidents"), h.publishes(0))
	if _, err := h.world.Teams.Uninstall(play.Omar.Entra, play.TeamsTeam); err != nil {
		t.Fatal(err)
	}
	for _, p := range []play.Platform{play.OnSlack, play.OnTeams} {
		h.shows("the word to Omar", on(p, play.Omar), "Service health no longer reaches m365-incidents", "add me again")
	}
	var subs []incident.Subscription
	h.read(func(v engine.View) (err error) { subs, err = v.Subscriptions("contoso"); return err })
	if len(subs) != 1 || subs[0].Stopped == "" || subs[0].Place.Platform != bot.Teams {
		t.Errorf("the subscriptions are %+v", subs)
	}
}

func TestSomebodyWhoCannotBeReachedStandsOnTheChecklistWithTheFix(t *testing.T) {
	h := openOn(t, play.Both)
	if _, err := h.world.Teams.Uninstall(play.Sam.Entra, ""); err != nil {
		t.Fatal(err)
	}
	h.crew.Leave("reader-app", "sn-unattended", "sn-mapping", "sn-incidents")
	if err := h.crew.Begin(h.Context(), "direct"); err != nil {
		t.Fatal(err)
	}
	says := func(all []play.Card, words string) bool {
		return slices.ContainsFunc(all, func(c play.Card) bool {
			return c.Where == "it-ops" && c.Thread == "" && strings.Contains(c.Text, "asked for by") && strings.Contains(c.Text, words)
		})
	}
	err := h.crew.WorkUntilShown(h.Context(), "the checklist to say that Sam is not reached", func(all []play.Card) bool {
		return says(all, "I cannot reach Sam Duarte") && says(all, "Install the app for this person: in Teams under Apps, Keyturn, Add")
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.world.Teams.Install(play.Sam.Entra, ""); err != nil {
		t.Fatal(err)
	}
	h.shows("Sam's greeting", on(play.OnTeams, play.Sam), "I write to you here when a step of a setup waits for you")
	h.shows("Sam's card", on(play.OnTeams, play.Sam), "How ServiceNow incidents are filled", "[Fill in the form]")
	err = h.crew.Until(h.Context(), "the checklist without that line", func(all []play.Card) bool { return !says(all, "I cannot reach") })
	if err != nil {
		t.Fatal(err)
	}
}

// Teams has no page of the bot's own: the personal chat answers what it shows.
func TestMyStepsInThePersonalChatOfTeams(t *testing.T) {
	h := openOn(t, play.OnTeams, withReader)
	h.readable(true)
	asks := func(who play.Person, words ...string) {
		t.Helper()
		if err := h.crew.Type(h.Context(), who, "", "my steps"); err != nil {
			t.Fatal(err)
		}
		h.shows("the page of "+who.Name, on(play.OnTeams, who), append(words, "Microsoft 365 now", "[Service health]", "[Set something up]")...)
	}
	asks(play.Sam, "Nothing waits for you.")
	h.crew.Leave("before")
	if err := h.crew.Begin(h.Context(), "direct"); err != nil {
		t.Fatal(err)
	}
	h.shows("the checklist", in(play.OnTeams, "it-ops"), "asked for by Rita Okafor")
	asks(play.Rita, "Before anything starts", "[Go on]")
}

// The way back from an answer leads to the card also when the bot was started
// again meanwhile, and to the card as it is now.
func TestBackLeadsToTheCardAfterARestart(t *testing.T) {
	h := openOn(t, play.OnTeams)
	h.crew.Leave("before")
	if err := h.crew.Begin(h.Context(), "direct"); err != nil {
		t.Fatal(err)
	}
	list := h.shows("the checklist", in(play.OnTeams, "it-ops"), "asked for by Rita Okafor")
	h.idle()
	presses := func(label string) {
		t.Helper()
		out, err := h.world.Teams.Click(teams.Click{User: play.Rita.Entra, Conversation: list.Channel, Activity: list.TS, Action: label})
		if err != nil || out.Shown != "" {
			t.Fatalf("the click on %s shows %q: %v", label, out.Shown, err)
		}
	}
	presses("Status")
	h.restart()
	presses("Back")
	h.becomes("Rita to see the checklist again", func() bool {
		s := h.world.Teams.Snapshot()
		for _, m := range s.Messages {
			if m.ID == list.TS {
				return len(m.Views) == 0
			}
		}
		return false
	})
}

func TestTheAdminsAreToldInTheirChannelOfTeams(t *testing.T) {
	h := openOn(t, play.OnTeams, withReader, reword("  sign_in:", fmt.Sprintf("  admin_channel: %q\n  sign_in:", play.TeamsOps)))
	h.readable(true)
	h.refuses("GET", "/graph/v1.0"+issuesPath)
	h.readable(false)
	h.later(16 * time.Minute)
	if err := h.crew.Type(h.Context(), play.Rita, "", "help"); err != nil { // wakes the bot, which sleeps by the clock on the wall
		t.Fatal(err)
	}
	h.shows("the cause in the admins' channel", in(play.OnTeams, "it-ops"), "Cannot read", "Why", "A role or permission for this is missing")
}

func TestCommandsInTeamsMayBeginWithTheBotsName(t *testing.T) {
	h := openOn(t, play.OnTeams)
	for _, words := range []string{"help", "/keyturn help", "@Keyturn help", "keyturn help"} {
		before := len(h.world.Teams.Snapshot().Messages)
		if err := h.crew.Type(h.Context(), play.Rita, "", words); err != nil {
			t.Fatal(err)
		}
		h.shows("the answer to "+words, func(c play.Card) bool {
			s := h.world.Teams.Snapshot()
			return c.For(play.Rita) && slices.ContainsFunc(s.Messages[before:], func(m teams.Message) bool { return m.ID == c.TS })
		}, "@Keyturn setup direct", "You are Rita Okafor")
	}
}
