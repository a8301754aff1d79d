package incident

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tenant is a tenant whose readings are followed, as the store would.
type tenant struct {
	watch Watch
	known map[string]*Known
}

func (n *tenant) read(at time.Time, issues ...Issue) Outcome {
	if n.known == nil {
		n.known = map[string]*Known{}
		n.watch.Tenant = "contoso"
	}
	o := Reading(n.watch, func(id string) (*Known, bool) { k, ok := n.known[id]; return k, ok }, issues, at)
	n.watch = o.Watch
	for _, k := range o.Known {
		n.known[k.Issue.ID] = &k
	}
	return o
}

func told(o Outcome) []string {
	var out []string
	for _, x := range o.Told {
		for _, c := range x.Changes {
			out = append(out, x.Known.Issue.ID+" "+string(c.Reason))
		}
	}
	return out
}

func called(id string, i Issue) Issue {
	i.ID = id
	return i
}

func TestTheFirstReadingIsSilentAndTheNextOnesAreNot(t *testing.T) {
	var n tenant
	old, other := mail(wrote(0, "Current status: Old.")), called("EX2", mail(wrote(1, "Current status: Other.")))
	o := n.read(minutes(2), old, other)
	if len(o.Told) != 0 || len(o.Known) != 2 || !o.Known[0].Seed || o.Known[0].Tenant != "contoso" {
		t.Fatalf("the first reading: %v, %d known", told(o), len(o.Known))
	}
	if !n.watch.Seeded || !n.watch.Good.Equal(minutes(2)) || !n.watch.Newest.Equal(minutes(1)) {
		t.Errorf("the watch is %+v", n.watch)
	}
	if o = n.read(minutes(4), old, other); len(o.Told)+len(o.Known) != 0 {
		t.Errorf("an unchanged reading writes %d and tells %v", len(o.Known), told(o))
	}
	old.Posts = append(old.Posts, wrote(5, "Current status: News."))
	old.Modified = minutes(5)
	fresh := called("EX3", mail(wrote(3, "Current status: Fresh.")))
	o = n.read(minutes(6), old, fresh, other, fresh)
	if d := cmp.Diff([]string{"EX3 new", "EX1 new post"}, told(o)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n.known["EX3"].Seed || !n.known["EX1"].Seed {
		t.Error("an issue met later counts as known since the first reading, or the other way round")
	}
}

func TestAnIssueThatIsNotListedStaysAsItIs(t *testing.T) {
	var n tenant
	n.read(minutes(2), mail())
	n.read(minutes(4), called("EX2", mail()))
	if o := n.read(minutes(6)); len(o.Told) != 0 || n.known["EX1"].Issue.Resolved {
		t.Errorf("an empty reading tells %v", told(o))
	}
	if o := n.read(minutes(8), mail(), called("EX2", mail())); len(o.Told) != 0 {
		t.Errorf("coming back is told: %v", told(o))
	}
}

func TestAnIssueListedTwiceCountsOnceInItsNewestState(t *testing.T) {
	var n tenant
	n.read(minutes(2))
	first := mail(wrote(0, "Current status: One."))
	second := mail(wrote(0, "Current status: One."), wrote(3, "Final status: Two."))
	second.Resolved = true
	o := n.read(minutes(4), second, first)
	if d := cmp.Diff([]string{"EX1 new"}, told(o)); d != "" || !n.known["EX1"].Issue.Resolved || len(n.known["EX1"].Issue.Posts) != 2 {
		t.Errorf("%v, %+v", told(o), n.known["EX1"].Issue)
	}
}

func TestAnIssueLongOverIsNoNews(t *testing.T) {
	var n tenant
	n.read(minutes(3*24*60), called("EX9", mail()))
	over := mail(wrote(0, "Final status: Done."))
	over.Resolved = true
	if o := n.read(minutes(3*24*60+2), over); len(o.Told) != 0 || len(o.Known) != 1 {
		t.Errorf("an issue that ended three days ago is told: %v", told(o))
	}
	fresh := called("EX2", mail(wrote(3*24*60+1, "Final status: Done.")))
	fresh.Resolved = true
	if o := n.read(minutes(3*24*60+4), fresh); len(told(o)) != 1 {
		t.Error("an issue that came and went between two readings is not told")
	}
}

func TestSilenceIsToldOnceAfterAQuarterOfAnHourAndEndsWithWhatWasMissed(t *testing.T) {
	var n tenant
	n.read(minutes(0), mail())
	at := 0
	tells := 0
	for at < 40 {
		at += 2
		n.watch = Failed(n.watch, "Microsoft Graph refuses the credential.", minutes(at))
		if Silence(n.watch, minutes(at)) {
			tells++
			if at < 15 || at > 17 {
				t.Errorf("told after %d minutes", at)
			}
			if w := Unreadable(n.watch).Words(); !strings.Contains(w, "⚫ Cannot read service health since 09:00 UTC. This is not a green light.") || strings.Contains(w, "credential") {
				t.Errorf("channels read: %s", w)
			}
			if w := UnreadableCause(n.watch).Words(); !strings.Contains(w, "Why: Microsoft Graph refuses the credential.") {
				t.Errorf("admins read: %s", w)
			}
			n.watch = ToldSilence(n.watch)
		}
	}
	if tells != 1 {
		t.Fatalf("told %d times", tells)
	}
	over := mail(wrote(30, "Final status: Done."))
	over.Resolved = true
	o := n.read(minutes(50), over, called("EX2", mail(wrote(20, "x"))), called("EX3", mail(wrote(25, "y"))))
	if o.Gap == nil || !o.Gap.Long() {
		t.Fatalf("no gap: %+v", o.Gap)
	}
	want := "I could not read service health from 23 Nov 2026 09:00 UTC to 09:50 UTC. It is read again. Meanwhile: 2 new, 1 resolved."
	if got := ReadableAgain(*o.Gap).Words(); got != want {
		t.Errorf("got %s", got)
	}
	if w := n.watch; !w.Failing.IsZero() || w.Told || w.Tries != 0 || w.Failure != "" {
		t.Errorf("the watch still fails: %+v", w)
	}
}

func TestAShortFailureIsNobodysBusiness(t *testing.T) {
	var n tenant
	n.read(minutes(0))
	n.watch = Failed(n.watch, "x", minutes(2))
	if Silence(n.watch, minutes(2)) {
		t.Error("told at the first failure")
	}
	if o := n.read(minutes(4)); o.Gap != nil {
		t.Errorf("a gap of four minutes: %+v", o.Gap)
	}
}

func TestKeyturnsOwnDowntimeIsAGapToo(t *testing.T) {
	var n tenant
	n.read(minutes(0))
	if o := n.read(minutes(280), mail(wrote(100, "x"))); o.Gap == nil || o.Gap.New != 1 || o.Gap.Told {
		t.Errorf("the gap is %+v", o.Gap)
	}
	n.watch = Failed(n.watch, "x", minutes(600))
	if Silence(n.watch, minutes(600)) {
		t.Error("told before a second try")
	}
	n.watch = Failed(n.watch, "x", minutes(601))
	if !Silence(n.watch, minutes(601)) {
		t.Error("five hours without a reading are not told")
	}
}

func TestNeverReadIsNotAGap(t *testing.T) {
	w := Watch{Tenant: "contoso"}
	for i := range 20 {
		w = Failed(w, "x", minutes(i))
	}
	if !Silence(w, minutes(20)) || !w.Since().Equal(minutes(0)) {
		t.Errorf("a tenant that could never be read is silent: %+v", w)
	}
	if o := Reading(w, func(string) (*Known, bool) { return nil, false }, []Issue{mail()}, minutes(30)); o.Gap != nil || len(o.Told) > 0 {
		t.Errorf("the first reading tells a gap or news: %+v", o)
	}
}

func TestTriesComeQuicklyThenSlowerAndAsMicrosoftAsks(t *testing.T) {
	for _, c := range []struct {
		tries       int
		after, want time.Duration
	}{{0, 0, PollEvery}, {1, 0, 30 * time.Second}, {2, 0, time.Minute}, {4, 0, 4 * time.Minute}, {5, 0, 5 * time.Minute}, {5000, 0, 5 * time.Minute},
		{1, 10 * time.Minute, 10 * time.Minute}, {4, time.Second, 4 * time.Minute}} {
		if got := Backoff(c.tries, c.after); got != c.want {
			t.Errorf("after %d failures, asked for %v: %v", c.tries, c.after, got)
		}
	}
}

func TestASubscriptionMatchesTheServiceWhateverMicrosoftCallsItToday(t *testing.T) {
	suite := Issue{Service: "Microsoft 365 suite", Classification: "incident", Impact: "Users may be unable to use Exchange Online and other services; our support teams are informed."}
	quietSuite := suite
	quietSuite.Classification = "advisory"
	for _, c := range []struct {
		services, classes string
		issue             Issue
		want              bool
	}{
		{"", "", Issue{Service: "Sway"}, true},
		{"exchange online", "", Issue{Service: "Exchange Online"}, true},
		{"Exchange", "", Issue{Service: "Exchange Online"}, true},
		{"OneDrive for Business", "", Issue{Service: "Microsoft OneDrive"}, true},
		{"Microsoft OneDrive", "", Issue{Service: "OneDrive for Business"}, true},
		{"Office for the web", "", Issue{Service: "Microsoft 365 for the web"}, true},
		{"Identity Service", "", Issue{Service: "Microsoft Entra"}, true},
		{"Microsoft Clipchamp ", "", Issue{Service: "Microsoft Clipchamp"}, true},
		{"Microsoft 365 Apps", "", Issue{Service: "Microsoft 365 apps"}, true},
		{"Power Apps", "", Issue{Service: "Power Apps in Microsoft 365"}, false},
		{"Microsoft Teams", "", Issue{Service: "Exchange Online"}, false},
		{"Sway,Planner", "", Issue{Service: "Planner"}, true},
		{"", "incident", Issue{Service: "Sway", Classification: "Advisory"}, false},
		{"", "advisory", Issue{Service: "Sway", Classification: "Advisory"}, true},
		{"", "Incident", Issue{Service: "Sway", Classification: "unknownFutureValue"}, true},
		{"", "incident,advisory", Issue{Service: "Sway", Classification: "incident"}, true},
		{"Exchange", "", suite, true},
		{"Exchange", "", quietSuite, false},
		{"Microsoft Teams", "", suite, false},
		{"Microsoft 365 suite", "", quietSuite, true},
	} {
		sub := Subscription{}
		if c.services != "" {
			sub.Services = strings.Split(c.services, ",")
		}
		if c.classes != "" {
			sub.Classes = strings.Split(c.classes, ",")
		}
		if got := Matches(sub, c.issue); got != c.want {
			t.Errorf("services %q, classes %q, issue of %q (%s): %v", c.services, c.classes, c.issue.Service, c.issue.Classification, got)
		}
	}
	if Matches(Subscription{Stopped: "The channel is archived."}, suite) {
		t.Error("a stopped subscription still matches")
	}
}
