package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// Digested is what a digest is made of: what waited for it, and what it looks
// up.
type Digested struct {
	Items []Item
	Facts Facts
}

// IDs are the changes that a digest of it tells.
func (d Digested) IDs() []string {
	var out []string
	for _, it := range d.Items {
		out = append(out, it.ID)
	}
	return out
}

// How many lines a section of a digest has before it only names the rest.
const digestLines = 12

// Digest is the daily digest from one time to another: new, worse, resolved,
// with news, what is still open, and message center posts by category. It is
// empty where nothing happened: a channel that gets "nothing new" each morning
// stops reading. [WeeklyDigest] says that once a week.
func Digest(sub Subscription, in Digested, from, to time.Time) bot.Message {
	issues, posts := in.issues(), in.posts()
	if len(issues)+len(posts) == 0 {
		return bot.Message{}
	}
	m := in.unread(to)
	m.Add(bot.Paragraph{Text: bot.Join(bot.B("Microsoft 365"), bot.T(" since "), bot.When(from, bot.DateTime), bot.T(": "+digestHead(issues, posts)))})
	in.body(&m, sub, issues, posts)
	m.Add(bot.Note{Text: bot.Join(bot.T("Up to "), bot.When(to, bot.DateTime), bot.T(" for "+choice(sub)+"."))})
	return fitDigest(m)
}

// WeeklyDigest is told on Mondays whether anything happened or not: the week
// in numbers, its picture with words that say the same, and what the daily
// digest says. from is the end of the digest before.
func WeeklyDigest(sub Subscription, in Digested, from, to time.Time) bot.Message {
	week := to.AddDate(0, 0, -7)
	issues, posts := in.issues(), in.posts()
	m := in.unread(to)
	m.Add(bot.Paragraph{Text: bot.Join(bot.B("Microsoft 365, the week"), bot.T(" since "), bot.When(week, bot.DateOnly), bot.T(": "+weekHead(sub, in.Facts, week)))})
	if p := in.Facts.Picture; p.URL != "" || p.Chart != nil {
		m.Add(p)
	} else if p.Alt != "" {
		m.Add(bot.Paragraph{Text: bot.T(p.Alt)})
	}
	if len(issues)+len(posts) > 0 {
		m.Add(bot.Paragraph{Text: bot.Join(bot.B("New"), bot.T(" since "), bot.When(from, bot.DateTime), bot.T(": "+digestHead(issues, posts)))})
	} else {
		nothing := "Nothing new since "
		if in.Facts.Watch.Blind(to) {
			nothing = "Nothing new was read since "
		}
		m.Add(bot.Paragraph{Text: bot.Join(bot.T(nothing), bot.When(from, bot.DateTime), bot.T("."))})
	}
	in.body(&m, sub, issues, posts)
	m.Add(bot.Note{Text: bot.T("For " + choice(sub) + ". On other days a digest comes only when there is something in it.")})
	return fitDigest(m)
}

// unread begins a digest with the warning that service health is not read,
// where that is so: its numbers are then those of the last reading.
func (d Digested) unread(at time.Time) bot.Message {
	var m bot.Message
	if d.Facts.Watch.Blind(at) {
		m.Add(bot.Paragraph{Text: blindLine(d.Facts.Watch, at)})
	}
	return m
}

// fitDigest keeps a digest within a message; what does not fit is named by its
// IDs already.
func fitDigest(m bot.Message) bot.Message { return fit(m, "") }

// issues are the issues of the items with their changes, in the order in which
// they first changed.
func (d Digested) issues() []Told {
	var out []Told
	for _, it := range d.Items {
		if it.Issue == "" {
			continue
		}
		i := slices.IndexFunc(out, func(t Told) bool { return t.Known.Issue.ID == it.Issue })
		if i < 0 {
			k, ok := d.Facts.issue(it.Issue)
			if !ok {
				continue
			}
			i = len(out)
			out = append(out, Told{Known: k})
		}
		out[i].Changes = append(out[i].Changes, it.Change)
	}
	return out
}

// posts are the message center posts of the items, each once with its newest
// change, new where any change was.
func (d Digested) posts() []ToldPost {
	var out []ToldPost
	for _, it := range d.Items {
		k, ok := d.Facts.post(it.Post)
		if it.Post == "" || !ok || it.Edit == nil {
			continue
		}
		if i := slices.IndexFunc(out, func(t ToldPost) bool { return t.Known.Post.ID == it.Post }); i >= 0 {
			if out[i].Change.Reason != New {
				out[i].Change.What = join(out[i].Change.What, it.Edit.What)
			}
			continue
		}
		out = append(out, ToldPost{Known: k, Change: *it.Edit})
	}
	return out
}

func join(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func digestHead(issues []Told, posts []ToldPost) string {
	var parts []string
	if len(issues) > 0 {
		parts = append(parts, inNumbers(issues))
	}
	if len(posts) > 0 {
		parts = append(parts, count(len(posts), "message center post"))
	}
	return strings.Join(parts, ", ")
}

// body writes the sections.
func (d Digested) body(m *bot.Message, sub Subscription, issues []Told, posts []ToldPost) {
	sections := []struct {
		title string
		has   []Reason
	}{{"New", []Reason{New}}, {"Worse or re-opened", []Reason{Worse, Reopened}}, {"Resolved", []Reason{Resolved}}, {"With news", []Reason{NewPost}}}
	named := map[string]bool{}
	for _, s := range sections {
		var in []Told
		for _, t := range issues {
			if slices.Contains(s.has, t.gist()) {
				in = append(in, t)
				named[t.Known.Issue.ID] = true
			}
		}
		addSection(m, s.title, in)
	}
	var still []Known
	for _, k := range d.Facts.Issues {
		if ok, _ := Wants(sub, k.Issue); ok && !k.Issue.Resolved && !named[k.Issue.ID] {
			still = append(still, k)
		}
	}
	sortWorst(still)
	addOpen(m, still)
	addPosts(m, posts)
}

func addSection(m *bot.Message, title string, in []Told) {
	if len(in) == 0 {
		return
	}
	slices.SortStableFunc(in, func(a, b Told) int {
		return strings.Compare(a.Known.Issue.Class(), b.Known.Issue.Class()) * -1
	})
	lines := []bot.Text{bot.B(title)}
	var rest []Known
	for i, t := range in {
		if i >= digestLines {
			rest = append(rest, t.Known)
			continue
		}
		line := bot.Join(bot.T("• "+mark(&t.Known.Issue)+" "), digestLine(t.Known))
		if n := t.updates(); n > 0 {
			line = append(line, bot.Span{Text: " · " + count(n, "update")})
		}
		lines = append(lines, line)
	}
	if len(rest) > 0 {
		lines = append(lines, bot.T("and "+idList(rest)))
	}
	m.Add(Paragraphs(bot.Lines(lines...))...)
}

// digestLine is an issue on one line: since when it is open, or how long it
// lasted.
func digestLine(k Known) bot.Text {
	if !k.Issue.Resolved {
		return issueLine(k)
	}
	return bot.Join(bot.Link(k.Issue.ID, AlertLink(k.Issue.ID)), bot.T(": "+Notice(k.Issue, 160)), lasted(&k.Issue, " Lasted"))
}

// mark is the mark of an issue with its service.
func mark(i *Issue) string { return i.mark() + " · " + serviceName(i) + " ·" }

// updates counts the posts that came beside the change that gave the issue its
// section.
func (t Told) updates() int {
	n := 0
	for _, c := range t.Changes {
		if c.Replies() && c.Post != nil && (c.Reason == NewPost || c.Reason == Moved || c.Reason == Better || c.Reason == Reviewed) {
			n++
		}
	}
	return n
}

func addOpen(m *bot.Message, still []Known) {
	if len(still) == 0 {
		return
	}
	lines := []bot.Text{bot.B("Still open")}
	for i, k := range still {
		if i == digestLines {
			lines = append(lines, bot.T("and "+idList(still[i:])))
			break
		}
		lines = append(lines, bot.Join(bot.T("• "+mark(&k.Issue)+" "), issueLine(k)))
	}
	m.Add(Paragraphs(bot.Lines(lines...))...)
}

// addPosts lists message center posts by category, what has to be done first.
func addPosts(m *bot.Message, posts []ToldPost) {
	byCategory := map[string][]ToldPost{}
	var others []string
	for _, t := range posts {
		c := enum(t.Known.Post.Category)
		if _, known := categories[c]; !known && byCategory[c] == nil {
			others = append(others, c)
		}
		byCategory[c] = append(byCategory[c], t)
	}
	slices.Sort(others)
	for _, c := range append([]string{"preventorfixissue", "planforchange", "stayinformed"}, others...) {
		in := byCategory[c]
		if len(in) == 0 {
			continue
		}
		slices.SortStableFunc(in, func(a, b ToldPost) int { return bySoonest(a.Known.Post, b.Known.Post) })
		lines := []bot.Text{bot.B("Message center · " + categoryWords(in[0].Known.Post.Category))}
		for i, t := range in {
			if i == digestLines {
				var ids []string
				for _, r := range in[i:] {
					ids = append(ids, r.Known.Post.ID)
				}
				lines = append(lines, bot.T("and "+strings.Join(ids, ", ")))
				break
			}
			lines = append(lines, postLine(t))
		}
		m.Add(Paragraphs(bot.Lines(lines...))...)
	}
}

// bySoonest puts what has to be done sooner before what has not to be done.
func bySoonest(a, b Announcement) int {
	if a.ActBy.IsZero() != b.ActBy.IsZero() {
		return order(a.ActBy.IsZero(), b.ActBy.IsZero())
	}
	if a.ActBy.Equal(b.ActBy) {
		return order(!a.Major, !b.Major)
	}
	return a.ActBy.Compare(b.ActBy)
}

// postLine is one message center post on one line of a digest.
func postLine(t ToldPost) bot.Text {
	a := t.Known.Post
	line := bot.Join(bot.T("• "), bot.Link(a.ID, MessageLink(a.ID)), bot.T(": "+CutAtSentence(postTitle(a), 140)))
	if len(a.Services) > 0 {
		line = append(line, bot.Span{Text: " · " + strings.Join(a.Services[:min(3, len(a.Services))], ", ")})
	}
	revisedDate := t.Change.Reason == Revised && slices.ContainsFunc(t.Change.What, func(what string) bool { return strings.HasPrefix(what, "act by ") })
	if !a.ActBy.IsZero() && !revisedDate { // the revision says it, with what it was
		line = append(append(line, bot.Span{Text: " · act by "}), bot.When(a.ActBy, bot.DateOnly)...)
	}
	if s := enum(a.Severity); s != "" && s != "normal" {
		line = append(line, bot.Span{Text: " · "}, bot.Span{Text: StatusWords(a.Severity) + " severity", Bold: true})
	}
	if t.Change.Reason == Revised {
		says := " · revised"
		if len(t.Change.What) > 0 {
			says += ": " + strings.Join(t.Change.What, ", ")
		}
		line = append(line, bot.Span{Text: says})
	}
	return line
}

// weekHead is the week in numbers, for what the channel is told of.
func weekHead(sub Subscription, f Facts, since time.Time) string {
	begun, over, openNow := 0, 0, 0
	for _, k := range f.Issues {
		is := &k.Issue
		if ok, _ := Wants(Subscription{Services: sub.Services, Classes: sub.Classes, Features: sub.Features}, *is); !ok {
			continue
		}
		end := is.End
		if end.IsZero() {
			end = is.Modified
		}
		if !is.Start.Before(since) {
			begun++
		}
		if is.Resolved && !end.Before(since) {
			over++
		}
		if !is.Resolved {
			openNow++
		}
	}
	return fmt.Sprintf("%s began, %d resolved, %d open now.", count(begun, "issue"), over, openNow)
}
