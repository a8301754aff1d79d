package incident

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

func TestADecisionSaysWhy(t *testing.T) {
	is := mail(wrote(0, "x"))
	is.Feature, is.FeatureGroup = "E-Mail timely delivery", "E-Mail and calendar access"
	news := Told{Known: Known{Issue: is}, Changes: []Change{{Reason: New, At: minutes(2)}}}
	silent := Told{Known: Known{Issue: is}, Changes: []Change{{Reason: RootEdited}}}
	over := Told{Known: Known{Issue: is}, Changes: []Change{{Reason: Resolved}}}
	over.Known.Issue.Resolved = true
	work := Window{From: minutes(0), To: minutes(60), Why: "the move"}
	for _, c := range []struct {
		name   string
		sub    Subscription
		told   Told
		rooted bool
		want   Way
		why    string
	}{
		{"an advisory by default", Subscription{}, news, false, InDigest, "advisories are told in the daily digest"},
		{"an advisory, all live", Subscription{Style: Live}, news, false, Now, "subscribed"},
		{"another service", Subscription{Services: []string{"Teams"}}, news, false, NotWanted, "about Exchange Online"},
		{"another class", Subscription{Classes: []string{"incident"}}, news, false, NotWanted, "an advisory"},
		{"its feature", Subscription{Style: Live, Features: []string{"e-mail  timely delivery"}}, news, false, Now, ""},
		{"its feature group", Subscription{Style: Live, Features: []string{"E-Mail and calendar access"}}, news, false, Now, ""},
		{"another feature", Subscription{Features: []string{"Sign-in"}}, news, false, NotWanted, "feature"},
		{"its status", Subscription{Style: Live, Statuses: []string{"ServiceDegradation"}}, news, false, Now, ""},
		{"another status", Subscription{Statuses: []string{"serviceInterruption"}}, news, false, NotWanted, "its status is service degradation"},
		{"nothing worth telling", Subscription{Style: Live}, silent, false, NothingToTell, "nothing that is worth"},
		{"nothing worth telling, but there is a root", Subscription{Style: Live}, silent, true, Now, ""},
		{"a root is followed whatever is wanted now", Subscription{Services: []string{"Teams"}}, news, true, Now, ""},
		{"stopped", Subscription{Stopped: "the channel is archived"}, news, true, NotWanted, "the channel is archived"},
		{"only what is resolved, and it is not", Subscription{Style: ResolvedOnly}, news, false, NotWanted, "only told what is resolved"},
		{"only what is resolved, and it is", Subscription{Style: ResolvedOnly}, over, false, Now, ""},
		{"maintenance", Subscription{Style: Live, Maintenance: []Window{work}}, news, false, InMaintenance, "the move"},
		{"maintenance of something else", Subscription{Style: Live, Maintenance: []Window{{From: work.From, To: work.To, Services: []string{"Teams"}}}}, news, false, Now, ""},
		{"a digest channel", Subscription{Style: DigestOnly}, news, false, InDigest, "daily digest"},
	} {
		got := Route(c.sub, c.told, c.rooted, minutes(2))
		if got.Way != c.want || !strings.Contains(got.Why, c.why) || got.Why == "" {
			t.Errorf("%s: %s because %q", c.name, got.Way, got.Why)
		}
	}
}

func TestMessageCenterPostsAreFiltered(t *testing.T) {
	a := Announcement{ID: "MC1", Services: []string{"Planner", "Microsoft Teams"}, Category: "planForChange", Severity: "High"}
	for name, c := range map[string]struct {
		sub  Subscription
		want Way
	}{
		"by default in the digest": {NewSubscription(""), InDigest},
		"not subscribed":           {Subscription{}, NotWanted},
		"of a service":             {Subscription{Messages: true, Services: []string{"Teams"}}, InDigest},
		"of another service":       {Subscription{Messages: true, Services: []string{"Exchange Online"}}, NotWanted},
		"of a service of its own":  {Subscription{Messages: true, Services: []string{"Exchange Online"}, PostServices: []string{"planner"}}, InDigest},
		"of a category":            {Subscription{Messages: true, Categories: []string{"planforchange"}}, InDigest},
		"of another category":      {Subscription{Messages: true, Categories: []string{"stayInformed"}}, NotWanted},
		"of another severity":      {Subscription{Messages: true, Severities: []string{"critical"}}, NotWanted},
		"live":                     {Subscription{Messages: true, Style: Live}, Now},
		"live at night":            {Subscription{Messages: true, Style: Live, Quiet: Quiet{From: "09:00", To: "10:00"}}, Held},
		"only what is resolved":    {Subscription{Messages: true, Style: ResolvedOnly}, NotWanted},
	} {
		if got := RoutePost(c.sub, a, minutes(2)); got.Way != c.want || got.Why == "" {
			t.Errorf("%s: %s because %q", name, got.Way, got.Why)
		}
	}
}

func TestWhoMutedAnIncidentIsNamedButNotMentioned(t *testing.T) {
	erin, omar := bot.Account{Platform: bot.Slack, Team: "T1", ID: "U1"}, bot.Account{Platform: bot.Slack, Team: "T1", ID: "U2"}
	person := func(a bot.Account) (bot.PersonID, bool) {
		return map[bot.Account]bot.PersonID{erin: "erin", omar: "omar"}[a], true
	}
	sub := Subscription{OnCall: bot.Join(bot.Mention(erin, "Erin"), bot.T(" "), bot.Mention(omar, "Omar"))}
	k, muted := Mute(Known{}, "erin")
	if !muted || MuteButton(k, "erin").Label != "Mention me again" || MuteButton(k, "omar").Label != "Mute for me" {
		t.Fatal("not muted, or the button does not say so")
	}
	m := sub.CallFor(bot.Message{Aloud: true}, k, person)
	call := m.Parts[0].(bot.Paragraph).Text
	if call[0].Who != nil || call[2].Who == nil || call.Plain() != "Erin Omar" {
		t.Errorf("mentioned: %+v", call)
	}
	if sub.OnCall[0].Who == nil {
		t.Error("the subscription itself was changed")
	}
	if k, muted = Mute(k, "erin"); muted || len(k.Muted) != 0 {
		t.Error("a second click does not take it back")
	}
	sub.Muted = []bot.PersonID{"omar"}
	if call = sub.CallFor(bot.Message{Aloud: true}, k, person).Parts[0].(bot.Paragraph).Text; call[0].Who == nil || call[2].Who != nil {
		t.Errorf("muted for the channel: %+v", call)
	}
}

func TestAnAdvisoryThatBecomesAnIncidentAtNightBringsItsHistoryWithIt(t *testing.T) {
	var d Desk
	sub := NewSubscription("")
	var n tenant
	read := func(at int, i Issue) []string {
		var acts []Act
		o := n.read(minutes(at), i)
		d, acts = d.Tell(sub, o.Told, o.Gap, minutes(at))
		var out []string
		for _, a := range acts {
			s := string(a.Kind) + " " + a.Issue
			if w := a.Message.Words(); w != "" {
				s += ": " + strings.Split(w, "\n")[0]
			}
			out = append(out, s)
		}
		return out
	}
	n.read(minutes(0), called("EX9", mail()))
	first, second := wrote(1, "Current status: We look."), wrote(3, "Current status: A server is down.")
	if acts := read(2, mail(first)); len(acts) != 0 {
		t.Errorf("an advisory is told at once: %v", acts)
	}
	if acts := read(4, mail(first, second)); len(acts) != 0 || len(d.Waiting) != 2 {
		t.Errorf("%v, %d wait", acts, len(d.Waiting))
	}
	i := mail(first, second, wrote(5, "Current status: All servers are down."))
	i.Classification = "incident"
	want := []string{"root EX1", "reply EX1: Microsoft wrote · 23 Nov 2026 09:03 UTC", "reply EX1: 🔴 Incident, worse · Exchange Online · EX1: Mail arrives late."}
	if diff := cmp.Diff(want, read(6, i)); diff != "" || len(d.Waiting) != 0 {
		t.Errorf("(-want +got):\n%s\n%d wait", diff, len(d.Waiting))
	}
}

func TestChangesOfOneReadingHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, c := range []Change{{Reason: New, At: at}, {Reason: Reviewed, At: at}, {Reason: NewPost, At: at, Post: &Post{Created: at, Content: "a"}},
		{Reason: NewPost, At: at, Post: &Post{Created: at, Content: "b"}}, {Reason: Resolved, At: at, Post: &Post{Created: at, Content: "a"}}} {
		id := ChangeID("EX1", c)
		if seen[id] || strings.ContainsAny(id, " \n") {
			t.Errorf("%q is no name", id)
		}
		seen[id] = true
	}
}
