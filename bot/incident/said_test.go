package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

func TestASubscriptionIsDescribedSoThatNobodyIsSurprised(t *testing.T) {
	berlin(t)
	var b strings.Builder
	for _, words := range []string{"", "Exchange Online, Teams; incidents only; digest 08:00; quiet 22:00-06:00; mention @oncall", "live", "digest only 7am",
		"resolved only; Planner", "advisories; messages plan for change, high of Planner", "quiet 22:00-06:00 incidents too; no messages", "incidents; messages",
		"features Mail flow, Calendar; status service interruption, extended recovery", "maintenance 2026-12-01 22:00 to 2026-12-02 04:00 of Teams because of the move"} {
		s, err := ParseSubscription(words, Words{Base: NewSubscription("Europe/Berlin"), Services: seenServices, Mention: oncall})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "=== %s\n%s\n", words, styled(Describe(s)))
		for _, span := range Describe(s) {
			if span.Who != nil || span.Group != "" {
				t.Errorf("the description of %q pings", words)
			}
		}
	}
	stopped := NewSubscription("")
	stopped.Made, stopped.Stopped = monday, "the channel is archived."
	fmt.Fprintf(&b, "=== stopped\n%s\n", styled(Describe(stopped)))
	golden(t, "describe", b.String())
}

// week are issues that came, went and came back, told in a digest.
func week(t *testing.T) (Subscription, Digested) {
	sub := NewSubscription("")
	sub.Made = monday.AddDate(0, 0, -30)
	in := Digested{Facts: Facts{Watch: Watch{Good: minutes(-1)}}}
	add := func(is Issue, reasons ...Reason) {
		k := Merge(nil, is, minutes(0))
		in.Facts.Issues = append(in.Facts.Issues, k)
		for n, r := range reasons {
			c := Change{Reason: r, At: minutes(n), From: "an advisory", To: "an incident"}
			if r != New {
				p := wrote(n, "Current status: x")
				c.Post = &p
			}
			in.Items = append(in.Items, Item{ID: ChangeID(is.ID, c), Issue: is.ID, Change: c})
		}
	}
	var stories []Issue
	for _, raw := range Samples() {
		stories = append(stories, parse(t, raw))
	}
	add(stories[0], Resolved)
	add(stories[1], New, NewPost, Resolved)
	add(stories[2], New, NewPost, NewPost)
	add(stories[3], Worse)
	add(stories[4])
	add(stories[5], NewPost)
	in.Facts.Posts = []KnownMessage{
		{Post: Announcement{ID: "MC1", Title: "(Updated) Planner: boards move", Services: []string{"Planner"}, Category: "planForChange", Severity: "high", ActBy: monday.AddDate(0, 2, 0)}},
		{Post: Announcement{ID: "MC2", Title: "Teams: a new button & more", Services: []string{"Microsoft Teams", "Planner"}, Category: "stayInformed", Severity: "normal"}},
		{Post: Announcement{ID: "MC3", Title: "Exchange Online: renew your certificate", Services: []string{"Exchange Online"}, Category: "planForChange", ActBy: monday.AddDate(0, 1, 0)}},
		{Post: Announcement{ID: "MC4", Title: "Something else", Category: "somethingNew"}},
	}
	for n, k := range in.Facts.Posts {
		change := PostChange{Reason: New, At: minutes(n)}
		if n == 0 {
			change = PostChange{Reason: Revised, What: []string{"act by 23 Jan 2027, was 1 Dec 2026"}}
		}
		in.Items = append(in.Items, Item{ID: ToldPost{Known: k, Change: change}.ID(), Post: k.Post.ID, Edit: &change})
	}
	return sub, in
}

func TestTheDailyDigestNamesEverythingAndNothingIsNoDigest(t *testing.T) {
	sub, in := week(t)
	m := Digest(sub, in, minutes(-24*60), minutes(0))
	golden(t, "digest", drawn(m))
	for _, it := range in.Items {
		if !strings.Contains(m.Words(), it.Issue+it.Post) {
			t.Errorf("%s is not named", it.ID)
		}
	}
	in.Items = nil
	if m := Digest(sub, in, minutes(-24*60), minutes(0)); !m.Empty() {
		t.Errorf("a day on which nothing happened is told:\n%s", m.Words())
	}
}

func TestTheWeeklyDigestComesAlways(t *testing.T) {
	sub, in := week(t)
	in.Facts.Picture = bot.Image{URL: "https://keyturn.contoso.com/picture/1", Alt: "the heat map in words"}
	full := drawn(WeeklyDigest(sub, in, minutes(-24*60), minutes(0)))
	in.Items, in.Facts.Picture.URL = nil, ""
	golden(t, "digest-weekly", full+"=== nothing new\n"+drawn(WeeklyDigest(sub, in, minutes(-24*60), minutes(0)))+
		"=== nothing at all\n"+drawn(WeeklyDigest(sub, Digested{Facts: Facts{Watch: Watch{Good: minutes(-1)}}}, minutes(-24*60), minutes(0)))+
		"=== not read since yesterday\n"+drawn(WeeklyDigest(sub, Digested{Facts: Facts{Watch: Watch{Good: minutes(-20 * 60)}}}, minutes(-24*60), minutes(0))))
}

func TestAFullDigestStillNamesEveryIssue(t *testing.T) {
	sub := NewSubscription("")
	var in Digested
	for n := range 120 {
		k := Merge(nil, called(fmt.Sprintf("EX%04d", n), mail(wrote(0, "x"))), minutes(0))
		c := Change{Reason: New, At: minutes(0)}
		in.Facts.Issues = append(in.Facts.Issues, k)
		in.Items = append(in.Items, Item{ID: ChangeID(k.Issue.ID, c), Issue: k.Issue.ID, Change: c})
		p := KnownMessage{Post: Announcement{ID: fmt.Sprintf("MC%04d", n), Title: strings.Repeat("long ", 30), Category: "stayInformed"}}
		in.Facts.Posts = append(in.Facts.Posts, p)
		in.Items = append(in.Items, Item{ID: p.Post.ID, Post: p.Post.ID, Edit: &PostChange{Reason: New}})
	}
	m := Digest(sub, in, minutes(-60), minutes(0))
	for _, it := range in.Items {
		if !strings.Contains(m.Words(), it.Issue+it.Post) {
			t.Fatalf("%s counts as told and is not named", it.ID)
		}
	}
	if size(m.Parts) > maxMessage {
		t.Errorf("%d characters", size(m.Parts))
	}
}

func TestAStormIsOneMessageUntilAnIssueChanges(t *testing.T) {
	var n tenant
	var d Desk
	sub := Subscription{Style: Live}
	n.read(minutes(0), called("ZZ1", mail()))
	var out strings.Builder
	read := func(at int, issues ...Issue) {
		var acts []Act
		o := n.read(minutes(at), issues...)
		d, acts = d.Tell(sub, o.Told, o.Gap, minutes(at))
		fmt.Fprintf(&out, "=== minute %d\n", at)
		var f Facts
		for _, k := range n.known {
			f.Issues = append(f.Issues, *k)
		}
		for _, a := range acts {
			fmt.Fprintf(&out, "--- %s %s%s covers %d\n", a.Kind, a.Issue, a.Group, len(a.Covers))
			if g, ok := d.Group(a.Group); ok {
				out.WriteString(drawn(GroupMessage(g, f)))
			}
			if a.Kind == ActReply {
				out.WriteString(drawn(a.Message))
			}
		}
	}
	var all []Issue
	for i := range 7 {
		is := called(fmt.Sprintf("EX%d", 10+i), mail(wrote(1, fmt.Sprintf("Current status: We look at %d.", i))))
		is.Classification, is.Start = "incident", minutes(1)
		if i == 3 {
			is.Service, is.Impact = "Microsoft Teams", "Calls drop."
		}
		if i == 5 {
			is.Status = "serviceInterruption"
		}
		all = append(all, is)
	}
	read(2, all[:2]...)
	read(8, all...)
	all[0].Posts = append(all[0].Posts, wrote(9, "Current status: A server is down."))
	all[0].Modified = minutes(9)
	read(10, all...)
	all[1].Title, all[1].Modified = "Mail is very late", minutes(11)
	all[2].Impact, all[2].Modified = "Mail arrives very late.", minutes(11)
	read(12, all...)
	all = append(all, called("EX99", mail(wrote(39, "x"))))
	all[7].Classification = "incident"
	read(40, all...)
	golden(t, "storm", out.String())
}

func TestAfterDowntimeOneMessageNamesEachPost(t *testing.T) {
	var n tenant
	n.read(minutes(0), mail(wrote(-5, "Current status: We look.")), called("EX3", mail()))
	i := mail(wrote(-5, "Current status: We look."), wrote(30, "Current status: Found."), wrote(200, "Final status: Repaired."))
	i.Resolved, i.Status = true, "serviceRestored"
	fresh := called("EX2", mail(wrote(100, "Current status: New trouble.")))
	fresh.Classification, fresh.Start = "incident", minutes(90)
	o := n.read(minutes(270), i, fresh, called("EX3", mail()))
	s := Summary(*o.Gap, o.Told)
	golden(t, "summary", drawn(s.Message)+"=== nothing\n"+drawn(Summary(*o.Gap, nil).Message)+
		"=== a maintenance window\n"+drawn(AfterMaintenance(Window{From: minutes(0), To: minutes(60), Why: "the move"}, o.Told).Message))
	if len(s.Covers) != 3 {
		t.Errorf("it covers %v", s.Covers)
	}
	d, acts := Desk{Roots: map[string]time.Time{"EX1": minutes(0)}}.Tell(Subscription{Style: Live}, o.Told, o.Gap, minutes(270))
	var kinds []string
	for _, a := range acts {
		kinds = append(kinds, string(a.Kind)+" "+a.Issue)
	}
	if diff := cmp.Diff([]string{"say ", "root EX2", "root EX1"}, kinds); diff != "" || !d.has("EX2") {
		t.Errorf("(-want +got):\n%s", diff)
	}
	g := Gap{From: minutes(0), To: minutes(40), After: time.Hour}
	if g.Summarised() {
		t.Error("a configured length does not count")
	}
}

func TestASummaryThatIsFullLeavesTheRestToReplies(t *testing.T) {
	var told []Told
	for n := range 90 {
		told = append(told, Told{Known: Merge(nil, called(fmt.Sprintf("EX%d", n), mail(wrote(n, strings.Repeat("word ", 50)))), minutes(0)), Changes: []Change{{Reason: New, At: minutes(0)}}})
	}
	s := Summary(Gap{From: minutes(0), To: minutes(60)}, told)
	if len(s.Covers) == 0 || len(s.Covers) == 90 || size(s.Message.Parts) > maxMessage || !strings.Contains(s.Message.Words(), fmt.Sprintf("%d more issues told one by one below.", 90-len(s.Covers))) {
		t.Errorf("%d covered in %d characters", len(s.Covers), size(s.Message.Parts))
	}
}

func TestThePublicStatusPageIsNeverAGreenLight(t *testing.T) {
	page := func(status string) []byte {
		return []byte(`{"Id":"1","AuthoredDateTime":"2026-11-20T18:30:21+00:00","InternalDateTime":"2026-11-23T08:52:55+00:00","LastUpdatedTime":"2026-11-23T09:00:00.490309+00:00","Title":"Trouble","Message":"<div>Admins can&#39;t sign in.</div>","Status":"` + status + `"}`)
	}
	var b strings.Builder
	for _, status := range []string{"Available", "Operational", "Service degradation", "ServiceDegradation", "Service restored", "Unknown", "Somewhat sad"} {
		p, err := ParsePublicStatus(200, page(status), minutes(0))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s (%s): %s\n", status, p.State, styled(PublicWords(p, minutes(5))))
	}
	feed := []byte(`<?xml version="1.0"?><rss version="2.0"><channel><title>x</title><item><title/><status>Service degradation</status><pubDate>Mon, 23 Nov 2026 08:52:55 GMT</pubDate><description>Slow.</description></item></channel></rss>`)
	p, err := ParsePublicStatus(200, feed, minutes(0))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "feed (%s): %s\n", p.State, styled(PublicWords(p, minutes(5))))
	w := Failed(Watch{Good: minutes(-30)}, "Graph does not answer.", minutes(-16))
	w.Public = &p
	b.WriteString("=== channels\n" + drawn(Unreadable(w)))
	reach := Reach{}.Failed("Slack answers with HTTP status 503.", minutes(-12))
	b.WriteString("=== by the fallback way\n" + drawn(FallbackMessage(reach, w, knownSamples(t), 4, minutes(0))) + drawn(FallbackOver(minutes(-12), minutes(30))))
	golden(t, "public", b.String())
	if says := PublicWords(p, minutes(60)); len(says) != 0 {
		t.Errorf("an hour later it still says %s", says.Plain())
	}
	for name, c := range map[string]struct {
		code int
		body string
		want string
	}{
		"unknown path":   {400, "Bad Request", "HTTP status 400"},
		"a web page":     {200, "<!DOCTYPE html><html><body>Available</body></html>", "web page"},
		"nothing":        {200, "", "no status"},
		"no status":      {200, `{"Status":null}`, "without a status"},
		"a list":         {200, `[{"Status":"Available"}]`, "no status"},
		"half an answer": {200, `{"Status":"Avail`, "cannot be read"},
		"an empty feed":  {200, `<rss><channel></channel></rss>`, "empty"},
		"a broken feed":  {200, `<rss><channel>`, "cannot be read"},
	} {
		if p, err := ParsePublicStatus(c.code, []byte(c.body), minutes(0)); err == nil || !strings.Contains(err.Error(), c.want) || p.State != "" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestTheFallbackWayIsUsedOnceAndOnlyWhenSomethingIsKeptFromPeople(t *testing.T) {
	var r Reach
	quiet, blind := Watch{Good: minutes(0)}, Failed(Watch{Good: minutes(0)}, "x", minutes(1))
	if Fallback(r, blind, 5, minutes(30)) {
		t.Error("chat is reached, and the fallback way is used")
	}
	r = r.Failed("no", minutes(0)).Failed("still no", minutes(5))
	for _, c := range []struct {
		w       Watch
		waiting int
		at      int
		want    bool
	}{{quiet, 3, 9, false}, {quiet, 3, 10, true}, {quiet, 0, 30, false}, {blind, 0, 30, true}} {
		if got := Fallback(r, c.w, c.waiting, minutes(c.at)); got != c.want {
			t.Errorf("after %d minutes with %d waiting: %v", c.at, c.waiting, got)
		}
	}
	if r = r.ToldFallback(); Fallback(r, blind, 9, minutes(60)) {
		t.Error("used twice in one outage")
	}
	if _, again := r.Reached(); !again {
		t.Error("nobody is told that chat is back")
	}
	if _, again := (Reach{}).Reached(); again {
		t.Error("chat that was never away is back")
	}
}

func TestAMonitorIsOnlyToldOfWhatWasRead(t *testing.T) {
	good, stale := Watch{Good: minutes(-3)}, Watch{Good: minutes(-40)}
	for _, c := range []struct {
		watches []Watch
		ok      bool
		says    string
	}{{nil, false, "no tenant"}, {[]Watch{good, good}, true, "2 tenants read 3 minutes ago"}, {[]Watch{good, stale}, false, "1 of 2 tenants"}, {[]Watch{{}}, false, "1 of 1 tenant"}} {
		if b := Heartbeat(c.watches, minutes(0)); b.OK != c.ok || !strings.Contains(b.Says, c.says) {
			t.Errorf("%d watches: %+v", len(c.watches), b)
		}
	}
}

func TestTheListOfIssues(t *testing.T) {
	all := knownSamples(t)
	w := Watch{Good: minutes(-2)}
	var b strings.Builder
	for _, f := range []Filter{{}, {All: true}, {Service: "OneDrive for Business", All: true}, {Service: "Exchnage"}, {Service: "Sway"}} {
		f.Watch, f.At = w, minutes(0)
		fmt.Fprintf(&b, "=== %q, all %v\n%s", f.Service, f.All, drawn(List(all, f)))
	}
	b.WriteString("=== never read\n" + drawn(List(nil, Filter{At: minutes(0)})) + "=== long ago\n" + drawn(List(nil, Filter{Watch: Watch{Good: minutes(-90)}, At: minutes(0)})))
	golden(t, "list", b.String())
}

func TestTheExportHoldsEveryIssueAndNoPerson(t *testing.T) {
	all := knownSamples(t)
	all[0].Worker, all[0].Muted = "erin", []bot.PersonID{"omar"}
	b, err := ExportJSON(all)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "erin") || strings.Contains(string(b), "omar") {
		t.Error("the export names people")
	}
	f, err := ParseFile(b)
	if err != nil || len(f.Issues) != len(all) {
		t.Errorf("%d of %d issues can be read back: %v", len(f.Issues), len(all), err)
	}
	if b, err = ExportJSON(nil); err != nil || !json.Valid(b) || !strings.Contains(string(b), "[]") {
		t.Error(errors.Join(err, fmt.Errorf("nothing is exported as %s", b)))
	}
}
