package incident

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
)

func knownSamples(t testing.TB) []Known {
	var out []Known
	for _, raw := range Samples() {
		out = append(out, Merge(nil, parse(t, raw), minutes(0)))
	}
	return out
}

func TestTheRootNamesWhoIsOnItAndOffersMore(t *testing.T) {
	k := Merge(nil, parse(t, SampleStories()[1][1]), minutes(0))
	k.Worker, k.Working = "erin", minutes(3)
	more := []bot.Button{{Label: "What can I do?", Action: "recommend", Value: k.Issue.ID}}
	golden(t, "root-with-worker", drawn(Root(k, Subscription{}, Options{Worker: bot.T("the Exchange team (Erin)"), More: more})))
	if w := Root(k, Subscription{}, Options{}).Words(); !strings.Contains(w, "On it: a colleague") {
		t.Errorf("a worker without a name vanishes:\n%s", w)
	}
}

func TestARootOfTheSuiteSaysWhyItIsShown(t *testing.T) {
	k := Merge(nil, mail(), minutes(0))
	k.Issue.Service, k.Issue.Classification, k.Issue.Impact = "Microsoft 365 suite", "incident", "Exchange Online is down."
	if w := Root(k, Subscription{Services: []string{"Exchange Online"}}, Options{}).Words(); !strings.Contains(w, "Shown here because it names Exchange Online.") {
		t.Errorf("readers wonder why they see this:\n%s", w)
	}
}

func TestAnEmptyIssueStillHasAReadableRoot(t *testing.T) {
	k := Merge(nil, Issue{ID: "EX1"}, minutes(0))
	golden(t, "empty", drawn(Root(k, Subscription{}, Options{}))+drawn(History(k)))
}

func TestAnIssueThatEndsWithoutAWordHasNoOutcome(t *testing.T) {
	i := mail(wrote(0, "Current status: We look."))
	i.Resolved, i.Status, i.End, i.Impact = true, "serviceRestored", minutes(30), "User impact: Mail arrives late. Current status: We look."
	w := Root(Merge(nil, i, minutes(40)), Subscription{}, Options{}).Words()
	if strings.Contains(w, "Outcome") || !strings.Contains(w, "Latest: We look.") || !strings.HasPrefix(w, "🟢 Resolved · Exchange Online: Mail arrives late.\n") {
		t.Errorf("the root says:\n%s", w)
	}
}

func TestWhoIsOnCallIsMentionedOnlyAloud(t *testing.T) {
	sub := Subscription{OnCall: bot.Mention(bot.Account{Platform: bot.Slack, Team: "T1", ID: "U1"}, "Erin")}
	loud := sub.Call(bot.Message{Aloud: true})
	quiet := sub.Call(bot.Message{})
	if len(loud.Parts) != 1 || len(quiet.Parts) != 0 {
		t.Errorf("aloud %d, quiet %d", len(loud.Parts), len(quiet.Parts))
	}
}

func TestANewSubscriptionIsGreetedWithWhatIsOpen(t *testing.T) {
	all := knownSamples(t)
	golden(t, "active-now", drawn(ActiveNow(Subscription{}, all))+
		"=== one service\n"+drawn(ActiveNow(Subscription{Services: []string{"OneDrive for Business"}}, all))+
		"=== nothing\n"+drawn(ActiveNow(Subscription{Services: []string{"Sway", "Planner"}}, all)))
	var many []Known
	for n := range 50 {
		many = append(many, Merge(nil, called(fmt.Sprintf("EX%d", n), mail()), minutes(0)))
	}
	if m := ActiveNow(Subscription{}, many); len(m.Parts) > 30 || !strings.Contains(m.Words(), "And 30 more issues.") {
		t.Errorf("%d parts:\n%s", len(m.Parts), m.Words())
	}
}

func TestHealthSaysWorstFirstAndNeverGreenUnread(t *testing.T) {
	services, err := ParseServices(json.RawMessage(`{"value":[{"id":"x","service":"Microsoft Intune","status":"extendedRecovery"},
		{"id":"Exchange","service":"Exchange Online","status":"serviceOperational"},{"id":"OneDriveForBusiness","service":"Microsoft OneDrive","status":"ServiceDegradation"},
		{"id":"OSDPPlatform","service":"Microsoft 365 suite","status":"serviceDegradation"},{"id":"a","service":"Sway","status":"serviceRestored"},
		{"id":"a","service":"Sway","status":"serviceRestored"},{"id":null,"service":null,"status":null},
		{"id":"b","service":"Planner","status":"serviceOperational"},{"id":"c","service":"Power BI","status":"serviceInterruption"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	all := knownSamples(t)
	watch := Watch{Seeded: true, Good: minutes(0)}
	failing := Failed(watch, "Nobody need know.", minutes(2))
	var b strings.Builder
	for _, c := range []struct {
		name     string
		services []Service
		known    []Known
		watch    Watch
		at       int
	}{
		{"two minutes after a reading", services, all, watch, 2},
		{"one failed try changes nothing", services, all, failing, 3},
		{"cannot read for half an hour", services, all, failing, 30},
		{"never read", services, all, Watch{}, 2},
		{"all fine", []Service{{Name: "Sway", Status: "serviceOperational"}, {Name: "Planner", Status: "serviceOperational"}}, nil, watch, 1},
		{"no overview, issues open", nil, all[:1], watch, 1},
		{"no overview, an issue", nil, []Known{Merge(nil, mail(), minutes(0))}, watch, 1},
		{"all fine, but long ago", []Service{{Name: "Sway", Status: "serviceOperational"}, {Name: "Planner", Status: "serviceOperational"}}, nil, watch, 90},
	} {
		fmt.Fprintf(&b, "=== %s\n%s", c.name, drawn(Health(c.services, c.known, c.watch, minutes(c.at))))
	}
	golden(t, "health", b.String())
}

func TestAMessageCenterPostInAChannel(t *testing.T) {
	a, err := ParseMessage(json.RawMessage(`{"id":"MC1400001","title":"(Updated) Planner: boards &amp; buckets move","services":["Planner","Microsoft Teams"],
		"category":"planForChange","severity":"high","tags":["Updated message","Admin impact"],"isMajorChange":true,
		"actionRequiredByDateTime":"2027-01-15T00:00:00Z","lastModifiedDateTime":"2026-11-20T08:00:00Z",
		"details":[{"name":"Summary","value":"Boards move to a new page."}],
		"body":{"contentType":"html","content":"<p>Boards move.</p><p>[When this will happen:]</p><ul><li>January 2027</li></ul><p>Run <code>Get-Board -Name &lt;name&gt;</code>.</p>"}}`))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "announcement", drawn(Announce(a)))
	a.Body = strings.Repeat("<p>One more sentence about boards.</p>", 2000)
	m := Announce(a)
	if n := size(m.Parts); n > maxMessage {
		t.Errorf("%d characters", n)
	}
	if !strings.Contains(m.Words(), "with the rest of the text") {
		t.Error("a cut post does not say where the rest is")
	}
}

func TestALongHistoryIsLeafedThrough(t *testing.T) {
	var posts []Post
	for n := range 90 {
		posts = append(posts, wrote(n*60, fmt.Sprintf("Current status: Update %d. %s", n, strings.Repeat("This is what we found. ", 30-n/4))))
	}
	k := Merge(nil, mail(posts...), minutes(0))
	shown := map[string]int{}
	pages, value := 0, PageValue(k.Issue.ID, time.Time{})
	for value != "" {
		if pages++; pages > 90 {
			t.Fatal("the pages have no end")
		}
		id, before := ReadPage(value)
		m := HistoryBefore(k, before)
		if id != k.Issue.ID || size(m.Parts) > maxMessage || len(m.Parts) > 48 {
			t.Errorf("page %d of %s has %d characters in %d parts", pages, id, size(m.Parts), len(m.Parts))
		}
		last := -1
		for n := range posts {
			if strings.Contains(m.Words(), fmt.Sprintf("Update %d.", n)) {
				shown[fmt.Sprint(n)]++
				if n < last {
					t.Errorf("page %d is not in order", pages)
				}
				last = n
			}
		}
		value = ""
		for _, p := range m.Parts {
			row, _ := p.(bot.Buttons)
			for _, b := range row.Items {
				if b.Label == "Older updates" {
					value = b.Value
				}
			}
		}
	}
	if len(shown) != len(posts) || pages < 2 {
		t.Errorf("%d of %d updates on %d pages", len(shown), len(posts), pages)
	}
	for n, times := range shown {
		if times != 1 {
			t.Errorf("update %s stands on %d pages", n, times)
		}
	}
	// A page keeps its posts when Microsoft writes on.
	_, before := ReadPage(PageValue(k.Issue.ID, posts[60].Created))
	was := HistoryBefore(k, before).Words()
	k.Issue.Posts = append(k.Issue.Posts, wrote(9000, "Current status: One more."))
	if is := HistoryBefore(k, before).Words(); !strings.Contains(is, "of 91.") || strings.ReplaceAll(is, "of 91.", "of 90.") != was {
		t.Errorf("the page changed:\n%.300s", is)
	}
	for _, odd := range []string{"", "EX1/yesterday", "EX1/2020-01-01T00:00:00Z", "EX1//"} {
		_, before := ReadPage(odd)
		if w := HistoryBefore(k, before).Words(); !strings.Contains(w, "Update ") && !strings.Contains(w, "One more") {
			t.Errorf("%q shows nothing:\n%.200s", odd, w)
		}
	}
}

func TestAReplyTooLongForAChatIsCutAndNamesTheHistory(t *testing.T) {
	post := wrote(5, "Current status: "+strings.Repeat("We repair one thing after the other. ", 900))
	k := Merge(nil, mail(wrote(0, "x"), post), minutes(0))
	m := Reply(k, Change{Reason: NewPost, Post: &post})
	if n := size(m.Parts); n > maxMessage || n < maxMessage/2 || !strings.Contains(m.Words(), "[History] under the incident shows more") {
		t.Errorf("%d characters", n)
	}
	if w := Root(k, Subscription{}, Options{}); size(w.Parts) > 2000 {
		t.Errorf("the root has %d characters", size(w.Parts))
	}
	if !Reply(k, Change{Reason: New}).Empty() || !Reply(k, Change{Reason: RootEdited}).Empty() {
		t.Error("a change without a reply has one")
	}
}

func TestDurationsAreSaidAsPeopleDo(t *testing.T) {
	for minutesLong, want := range map[int]string{0: "less than a minute", 1: "1 min", 59: "59 min", 60: "1 h", 200: "3 h 20 min", 1440: "1 day", 1500: "1 day 1 h", 10080: "7 days"} {
		if got := span(minutes(minutesLong).Sub(minutes(0))); got != want {
			t.Errorf("%d minutes: %q", minutesLong, got)
		}
	}
}

func TestAStatusNobodyKnowsIsSaidInItsOwnWords(t *testing.T) {
	for in, want := range map[string]string{"serviceRestored": "service restored", "Extended recovery": "extended recovery",
		"somethingQuiteNew": "something quite new", "": "status unknown", "ServicaOperational": "servica operational"} {
		if got := StatusWords(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func BenchmarkPoll1000Unchanged(b *testing.B) {
	var raws []json.RawMessage
	known := map[string]*Known{}
	samples := Samples()
	for n := range 1000 {
		id := fmt.Sprintf("EX%07d", n)
		var m map[string]any
		if err := json.Unmarshal(samples[n%len(samples)], &m); err != nil {
			b.Fatal(err)
		}
		m["id"] = id
		raw, err := json.Marshal(m)
		if err != nil {
			b.Fatal(err)
		}
		raws = append(raws, raw)
		k := Merge(nil, parse(b, raw), minutes(0))
		known[id] = &k
	}
	for b.Loop() {
		issues := make([]Issue, 0, len(raws))
		for _, raw := range raws {
			issues = append(issues, parse(b, raw))
		}
		o := Reading(Watch{Seeded: true, Good: minutes(0)}, func(id string) (*Known, bool) { k, ok := known[id]; return k, ok }, issues, minutes(2))
		if len(o.Known)+len(o.Told) > 0 {
			b.Fatal("an unchanged reading changed something")
		}
	}
}

func BenchmarkRoot(b *testing.B) {
	k := knownSamples(b)[0]
	for b.Loop() {
		Root(k, Subscription{}, Options{})
	}
}
