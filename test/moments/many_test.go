package moments

import (
	"fmt"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// channel is a subscription that has chosen nothing.
func channel() incident.Subscription {
	s := incident.NewSubscription("Europe/Berlin")
	s.Made = monday.AddDate(0, 0, -30)
	return s
}

// another is an invented issue that came after so many minutes.
func another(id, service, impact string, after int, change ...func(*incident.Issue)) incident.Known {
	at := monday.Add(time.Duration(after) * time.Minute)
	is := incident.Issue{ID: id, Title: impact, Service: service, Classification: "incident", Status: "investigating", Impact: impact, Start: at, Modified: at,
		Posts: []incident.Post{{Created: at, Type: "regular", Content: "User impact: " + impact + "\n\nCurrent status: We're looking into it."}}}
	for _, c := range change {
		c(&is)
	}
	return incident.Merge(nil, is, at)
}

func advisory(i *incident.Issue) { i.Classification, i.Status = "advisory", "serviceDegradation" }

func down(i *incident.Issue) { i.Status = "serviceInterruption" }

func over(i *incident.Issue) {
	i.Resolved, i.Status, i.End = true, "serviceRestored", i.Start.Add(95*time.Minute)
	i.Modified = i.End
	i.Posts = append(i.Posts, incident.Post{Created: i.End, Type: "regular", Content: "Final status: A server was restarted."})
}

func explained(i *incident.Issue) {
	i.Posts = append(i.Posts, incident.Post{Created: i.Start.Add(50 * time.Minute), Type: "regular", Content: "Current status: A certificate has expired. We're renewing it."})
}

// news is an issue with the reasons why it is told, each with the issue's last
// post but for what is new.
func news(k incident.Known, reasons ...incident.Reason) incident.Told {
	t := incident.Told{Known: k}
	for _, r := range reasons {
		c := incident.Change{Reason: r, At: k.Issue.Modified}
		if r != incident.New {
			c.Post = k.Issue.Latest()
		}
		if r == incident.Worse {
			c.From, c.To, c.Aloud = "an advisory", "an incident", true
		}
		t.Changes = append(t.Changes, c)
	}
	return t
}

// items are changes as they wait for a digest.
func items(told ...incident.Told) (in incident.Digested) {
	for _, t := range told {
		in.Facts.Issues = append(in.Facts.Issues, t.Known)
		for _, c := range t.Changes {
			in.Items = append(in.Items, incident.Item{ID: incident.ChangeID(t.Known.Issue.ID, c), Issue: t.Known.Issue.ID, Change: c})
		}
	}
	in.Facts.Watch = incident.Watch{Seeded: true, Good: monday.AddDate(0, 0, 1).Add(-time.Minute)}
	return in
}

// storm has issues come at once, and gives the root that most of them share.
func storm(o *office) bot.Message {
	var told []incident.Told
	var f incident.Facts
	for n, impact := range []string{"Users may be unable to send mail.", "Users may see search results that are hours old.", "Users may be unable to open shared mailboxes.", "Admins may be unable to run message traces.",
		"Users may be unable to join meetings.", "Users may be unable to open shared files.", "Mail may arrive hours late."} {
		service, change := "Exchange Online", []func(*incident.Issue){}
		switch n {
		case 0:
			change = append(change, down)
		case 3:
			change = append(change, advisory)
		case 4:
			service = "Microsoft Teams"
		case 5:
			service = "SharePoint Online"
		}
		k := another(fmt.Sprintf("%s123400%d", map[string]string{"Exchange Online": "EX", "Microsoft Teams": "TM", "SharePoint Online": "SP"}[service], n), service, impact, n, change...)
		told, f.Issues = append(told, news(k, incident.New)), append(f.Issues, k)
	}
	at := monday.Add(8 * time.Minute)
	desk, acts := incident.Desk{}.Tell(live(), told, nil, at)
	for _, a := range acts {
		if g, ok := desk.Group(a.Group); ok {
			return incident.GroupMessage(g, f)
		}
	}
	o.t.Fatal("no storm")
	return bot.Message{}
}

// live is told everything at once.
func live() incident.Subscription {
	s := channel()
	s.Style = incident.Live
	return s
}

// day is what a channel waits for until its digest.
func day() incident.Digested {
	in := items(
		news(another("EX1234601", "Exchange Online", "Users may be unable to search their mailbox.", 30, advisory), incident.New),
		news(another("TM1234602", "Microsoft Teams", "Users may be unable to see who is present.", 60, advisory, over), incident.New, incident.Resolved),
		news(another("SP1234603", "SharePoint Online", "Users may be unable to upload large files.", 90), incident.Worse),
		news(another("OD1234604", "OneDrive for Business", "Users may see files that stay at sync pending.", -600, advisory), incident.NewPost),
		news(another("IT1234605", "Microsoft Intune", "Admins may see reports that are a day old.", -2000, advisory)))
	for n, p := range []incident.Announcement{
		{ID: "MC1234701", Title: "(Updated) Exchange Online: basic authentication for sending ends", Services: []string{"Exchange Online"}, Category: "planForChange", Severity: "high", ActBy: monday.AddDate(0, 2, 0)},
		{ID: "MC1234702", Title: "Teams: who may record a meeting", Services: []string{"Microsoft Teams"}, Category: "stayInformed", Severity: "normal"}} {
		p.Modified = monday.Add(time.Duration(n) * time.Hour)
		change := incident.PostChange{Reason: incident.New, At: p.Modified}
		if n == 0 {
			change = incident.PostChange{Reason: incident.Revised, What: []string{"act by 23 Jan 2027, was 1 Dec 2026"}, At: p.Modified}
		}
		told := incident.ToldPost{Known: incident.KnownMessage{Post: p}, Change: change}
		in.Facts.Posts = append(in.Facts.Posts, told.Known)
		in.Items = append(in.Items, incident.Item{ID: told.ID(), Post: p.ID, Edit: &change})
	}
	return in
}

// reported is an incident that is over, with the report that Microsoft writes
// days later.
func reported() (before, after incident.Known) {
	before = mail(3, true)
	is := before.Issue
	is.Status, is.Modified = "postIncidentReviewPublished", monday.AddDate(0, 0, 5)
	is.Posts = append(append([]incident.Post(nil), is.Posts...), incident.Post{Created: is.Modified, Type: "postIncidentReview",
		Content: "A post-incident report has been published."})
	return before, incident.Merge(&before, is, is.Modified)
}

// many are the moments in which several issues are told at once, or after all
// is over.
var many = []moment{
	{"incident-13-storm", storm},
	{"incident-14-digest", func(*office) bot.Message { return incident.Digest(channel(), day(), monday, monday.AddDate(0, 0, 1)) }},
	{"incident-15-digest-of-a-quiet-week", func(*office) bot.Message {
		in := day()
		in.Items = nil
		in.Facts.Picture = bot.Image{Alt: "Exchange Online: an incident on Monday. All other services: fine."}
		return incident.WeeklyDigest(channel(), in, monday, monday.AddDate(0, 0, 1))
	}},
	{"incident-16-summary-after-downtime", func(*office) bot.Message {
		return incident.Summary(incident.Gap{From: monday, To: monday.Add(4*time.Hour + 30*time.Minute), Told: true}, []incident.Told{
			news(another("EX1234801", "Exchange Online", "Users may be unable to send mail.", 40), incident.New),
			news(another("TM1234802", "Microsoft Teams", "Users may be unable to join meetings.", 60, explained), incident.New, incident.NewPost),
			news(another("SP1234803", "SharePoint Online", "Users may be unable to open shared files.", -30, over), incident.Resolved)}).Message
	}},
	{"incident-17-post-incident-report", func(o *office) bot.Message {
		before, after := reported()
		return followed(o, before, after)
	}},
}
