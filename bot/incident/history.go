package incident

import (
	"strconv"
	"strings"
	"time"

	"keyturn/bot"
)

// ActionPage is the action of the buttons that leaf through a history. Their
// value is a [PageValue].
const ActionPage = "history-page"

// maxPosts is how many posts a page of a history has: a Slack message holds 50
// blocks.
const maxPosts = 40

// History is every post of an issue, oldest first. Where they do not fit into
// one message it is the newest of them, with a button to those before.
func History(k Known) bot.Message { return HistoryBefore(k, time.Time{}) }

// HistoryBefore is the page of a history that ends before a time, and with the
// zero time the newest. A page is named by the post that follows it, so that it
// stays the same while Microsoft goes on writing. Sections that a post repeats
// from the one before are left out.
func HistoryBefore(k Known, before time.Time) bot.Message {
	i := &k.Issue
	title := bot.Join(bot.B(i.mark()+" · "+serviceName(i)), bot.T(" · "), bot.Link(i.ID, AlertLink(i.ID)))
	if t := oneLine(Convert(i.Title).Plain()); t != "" {
		title = append(title, bot.Span{Text: "\n" + t})
	}
	m := bot.Message{Parts: []bot.Part{bot.Paragraph{Text: title}, bot.Paragraph{Text: stateLine(k)}}}
	end := len(i.Posts)
	for !before.IsZero() && end > 0 && !i.Posts[end-1].Created.Before(before) {
		end--
	}
	if end == 0 {
		end = len(i.Posts) // posts that were there are gone, or undated
	}
	begin, posts := leaf(i, end, size(m.Parts))
	if begin > 0 || end < len(i.Posts) {
		m.Add(bot.Note{Text: bot.T("Updates " + strconv.Itoa(begin+1) + " to " + strconv.Itoa(end) + " of " + strconv.Itoa(len(i.Posts)) + ".")})
	}
	if len(posts) == 0 {
		m.Add(bot.Paragraph{Text: bot.T("Microsoft has not written anything about it yet.")})
	}
	for p := len(posts) - 1; p >= 0; p-- {
		m.Add(posts[p]...)
	}
	var row []bot.Button
	if begin > 0 {
		row = append(row, bot.Button{Label: "Older updates", Action: ActionPage, Value: PageValue(i.ID, i.Posts[begin].Created), Says: "Older updates of " + i.ID})
	}
	if end < len(i.Posts) {
		row = append(row, bot.Button{Label: "Newest updates", Action: ActionPage, Value: PageValue(i.ID, time.Time{}), Says: "Newest updates of " + i.ID})
	}
	if len(row) > 0 {
		m.Add(bot.Buttons{Items: row})
	}
	return fit(m, i.ID)
}

// leaf is as many posts before end as fit into a message, newest first, and
// where they begin.
func leaf(i *Issue, end, used int) (begin int, posts [][]bot.Part) {
	for begin = end; begin > 0; begin-- {
		parts := historyPost(i, begin-1)
		if used += size(parts); len(posts) == maxPosts || used > maxMessage-noteSize && len(posts) > 0 {
			break
		}
		posts = append(posts, parts)
	}
	return begin, posts
}

// PageValue names a page of an issue's history in a button.
func PageValue(id string, before time.Time) string {
	if before.IsZero() {
		return id
	}
	return id + "/" + before.UTC().Format(time.RFC3339Nano)
}

// ReadPage reads what [PageValue] wrote. What it does not understand is the
// newest page.
func ReadPage(value string) (id string, before time.Time) {
	id, at, _ := strings.Cut(value, "/")
	before, _ = time.Parse(time.RFC3339Nano, at)
	return id, before
}

func historyPost(i *Issue, n int) []bot.Part {
	p := &i.Posts[n]
	text := newsText(digestOf(*p), saidBefore(before(i, p)))
	head := bot.Text{{Text: "Undated", Bold: true}}
	if !p.Created.IsZero() {
		head = bot.When(p.Created, bot.DateTime)
		head[0].Bold = true
	}
	return Paragraphs(bot.Join(head, bot.T("\n"), text))
}
