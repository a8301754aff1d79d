package incident

import (
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// SummaryAfter is how long a gap must be for what happened in it to be told in
// one message instead of one reply each.
const SummaryAfter = 30 * time.Minute

// Summarised reports whether a gap ends with a [Summary]. After is how long it
// has to be: [SummaryAfter] where nothing else is configured.
func (g *Gap) Summarised() bool {
	after := g.After
	if after <= 0 {
		after = SummaryAfter
	}
	return g.To.Sub(g.From) >= after
}

func (g *Gap) key() string { return "gap/" + g.To.UTC().Format("20060102T150405") }

// Summed is a message that tells many changes at once. Covers are the IDs of
// those that it names: the ledger counts them as told, whatever it does not
// name is still to be told by itself.
type Summed struct {
	Message bot.Message
	Key     string
	Covers  []string
}

// Summary tells what happened while nothing could be read: in numbers, then a
// line for each issue that begins with its ID and names each post by its time.
func Summary(g Gap, told []Told) Summed {
	head := bot.Join(bot.T("I could not read service health from "), bot.When(g.From, bot.DateTime), bot.T(" to "),
		bot.When(g.To, styleAfter(g.From, g.To)), bot.T(". It is read again. "))
	s := summed(head, "Nothing happened meanwhile that this channel is told.", told)
	s.Key = g.key()
	return s
}

// AfterMaintenance tells what happened during a maintenance window, as
// [Summary] does.
func AfterMaintenance(w Window, told []Told) Summed {
	head := bot.Join(bot.T("The maintenance window"))
	if w.Why != "" {
		head = append(head, bot.Span{Text: " (" + oneLine(w.Why) + ")"})
	}
	head = bot.Join(head, bot.T(" from "), bot.When(w.From, bot.DateTime), bot.T(" to "), bot.When(w.To, styleAfter(w.From, w.To)), bot.T(" is over. "))
	s := summed(head, "Nothing happened meanwhile.", told)
	s.Key = "window/" + w.To.UTC().Format("20060102T150405")
	return s
}

func summed(head bot.Text, nothing string, told []Told) Summed {
	var s Summed
	told = slices.DeleteFunc(slices.Clone(told), func(t Told) bool { return !slices.ContainsFunc(t.Changes, tells) })
	if len(told) == 0 {
		s.Message.Add(bot.Paragraph{Text: append(head, bot.Span{Text: nothing})})
		return s
	}
	first := bot.Paragraph{Text: append(head, bot.Span{Text: "Meanwhile: " + inNumbers(told) + "."})}
	s.Message.Add(first)
	room := maxMessage - noteSize - size(s.Message.Parts)
	left := 0
	for _, t := range told {
		line := bot.Paragraph{Text: summaryLine(t)}
		if room -= size([]bot.Part{line}); room < 0 || len(s.Message.Parts) > 2*maxLines {
			left++
			continue
		}
		s.Message.Add(line)
		for _, c := range t.Changes {
			if tells(c) {
				s.Covers = append(s.Covers, ChangeID(t.Known.Issue.ID, c))
				s.Message.Aloud = s.Message.Aloud || c.Aloud
			}
		}
	}
	if left > 0 {
		s.Message.Add(bot.Note{Text: bot.T(capital(count(left, "more issue")) + " told one by one below.")})
	}
	return s
}

// inNumbers counts issues, each once, by what matters most about it.
func inNumbers(told []Told) string {
	n := map[Reason]int{}
	for _, t := range told {
		n[t.gist()]++
	}
	var out []string
	for _, r := range []struct {
		reason Reason
		says   string
	}{{New, "new"}, {Worse, "worse"}, {Reopened, "re-opened"}, {Resolved, "resolved"}, {NewPost, "with news"}} {
		if n[r.reason] > 0 {
			out = append(out, strings.TrimSuffix(count(n[r.reason], ""), "s")+r.says)
		}
	}
	return strings.Join(out, ", ")
}

// gist is what matters most of an issue's changes: that it is over, new,
// worse, back, or that there is news.
func (t Told) gist() Reason {
	switch {
	case t.Known.Issue.Resolved && (t.told(Resolved) || t.told(New)):
		return Resolved
	case t.told(New):
		return New
	case t.told(Reopened):
		return Reopened
	case t.told(Worse):
		return Worse
	}
	return NewPost
}

// summaryLine is one issue with each of its changes named.
func summaryLine(t Told) bot.Text {
	is := &t.Known.Issue
	line := bot.Join(bot.Link(is.ID, AlertLink(is.ID)), bot.T(" "), bot.B(is.mark()+" · "+serviceName(is)), bot.T(": "+Notice(*is, 160)))
	var said []bot.Text
	for _, c := range t.Changes {
		if tells(c) {
			said = append(said, changeWords(t, c))
		}
	}
	for i, x := range said {
		sep := "; "
		if i == 0 {
			sep = "\n"
		}
		line = bot.Join(line, bot.T(sep), x)
	}
	return line
}

func changeWords(t Told, c Change) bot.Text {
	what := string(c.Reason)
	switch c.Reason {
	case NewPost:
		what = "Microsoft wrote"
	case Worse, Better, Moved, Classed:
		what = fromTo(c)
	case Reviewed:
		what = "post-incident review published"
	}
	at := c.At
	if c.Post != nil && !c.Post.Created.IsZero() {
		at = c.Post.Created
	}
	if c.Reason == New && !t.Known.Issue.Start.IsZero() {
		at = t.Known.Issue.Start
		what = "new, since"
	}
	return bot.Join(bot.T(what+" "), bot.When(at, bot.DateTime))
}
