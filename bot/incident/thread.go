package incident

import (
	"strings"

	"keyturn/bot"
)

// maxMessage is how many characters a message may have in all. Slack refuses
// messages somewhere above 11,000 characters of block text, a limit that it
// does not document.
const maxMessage = 9000

// Reply is what the thread of an issue says about a change. A change that has
// no reply ([Change.Replies]) gives an empty message. Aloud follows the
// change; add who is on call with [Subscription.Call].
func Reply(k Known, c Change) bot.Message {
	var m bot.Message
	if !c.Replies() {
		return m
	}
	m.Aloud = c.Aloud
	m.Add(bot.Paragraph{Text: replyLine(k, c)})
	if c.Post != nil {
		m.Add(Paragraphs(quote(&k.Issue, c))...)
	}
	if c.Reason == Reviewed {
		m.Add(bot.Note{Text: bot.Join(bot.T("It can be downloaded from the "), bot.Link("admin center", AlertLink(k.Issue.ID)), bot.T("."))})
	}
	return fit(m, k.Issue.ID)
}

// quote is what a reply repeats of the post that came with its change.
func quote(i *Issue, c Change) bot.Text {
	d := digestOf(*c.Post)
	if c.Reason == Reviewed && len(sentences(d.text.Plain())) < 2 {
		return nil // the line above says it
	}
	said := saidBefore(before(i, c.Post))
	if c.Aloud {
		notice := Section{Label: UserImpact, Text: bot.T(Notice(*i, noticeSize))}
		said[sectionGist(notice)] = true // so does the line above here
	}
	return newsText(d, said)
}

// Call adds the subscription's on-call mention to a message that is told
// aloud.
func (s Subscription) Call(m bot.Message) bot.Message {
	if m.Aloud && len(s.OnCall) > 0 {
		m.Parts = append(append([]bot.Part(nil), m.Parts...), bot.Paragraph{Text: s.OnCall})
	}
	return m
}

// replyLine is the first line of a reply. One that is told aloud also stands in
// the channel, where it has to be understood without the root.
func replyLine(k Known, c Change) bot.Text {
	i := &k.Issue
	aloud := func(mark string) bot.Text {
		return bot.Join(bot.B(mark+" · "+serviceName(i)), bot.T(" · "), bot.Link(i.ID, AlertLink(i.ID)),
			bot.T(": "+Notice(*i, noticeSize)+"\n"))
	}
	switch c.Reason {
	case Resolved:
		return bot.Join(aloud(markResolved+" Resolved"), bot.T(capital(c.To)), lasted(i, " · lasted"))
	case Reopened:
		return bot.Join(aloud(openMark(i)+", re-opened"), bot.T("Microsoft had called it resolved. Status now: "+c.To+"."))
	case Worse:
		says := capital(fromTo(c)) + "."
		if status := StatusWords(i.Status); status != c.To {
			says += " Status: " + status + "."
		}
		return bot.Join(aloud(openMark(i)+", worse"), bot.T(says))
	case Better, Moved, Classed:
		head := map[Reason]string{Better: "Better", Moved: "Status", Classed: "Classification"}[c.Reason]
		return withTime(bot.Join(labelled(head), bot.T(fromTo(c))), c)
	case Reviewed:
		return withTime(bot.B("Microsoft published its post-incident review"), c)
	}
	return withTime(bot.B("Microsoft wrote"), c)
}

func openMark(i *Issue) string {
	open := *i
	open.Resolved = false
	return open.mark()
}

func fromTo(c Change) string {
	if c.From == "" || c.From == c.To {
		return "now " + c.To
	}
	return "was " + c.From + ", now " + c.To
}

func withTime(t bot.Text, c Change) bot.Text {
	if c.Post == nil || c.Post.Created.IsZero() {
		return t
	}
	return bot.Join(t, bot.T(" · "), bot.When(c.Post.Created, bot.DateTime))
}

// before is the post that came before p, or nil.
func before(i *Issue, p *Post) *Post {
	var prev *Post
	for n := range i.Posts {
		q := &i.Posts[n]
		if q.Created.Before(p.Created) && (prev == nil || !q.Created.Before(prev.Created)) {
			prev = q
		}
	}
	return prev
}

// newsText is what a post says, without its title and without the sections
// that were said before: readers look for what is new. A post that repeats all
// is shown whole.
func newsText(d digest, said map[string]bool) bot.Text {
	var out bot.Text
	for _, s := range d.sections {
		if s.Label == Title || s.Label != NextUpdate && said[sectionGist(s)] {
			continue
		}
		out = appendSection(out, s)
	}
	if out.Empty() {
		return d.text
	}
	return out
}

// saidBefore are the sections of the post before that need no repeating. The
// status always is repeated: it is what a post is about.
func saidBefore(prev *Post) map[string]bool {
	said := map[string]bool{}
	if prev == nil {
		return said
	}
	for _, s := range digestOf(*prev).sections {
		if s.Label != Unlabelled && s.Label != Status && s.Label != FinalStatus {
			said[sectionGist(s)] = true
		}
	}
	return said
}

func sectionGist(s Section) string {
	return string(s.Label) + "\n" + gist([]Section{{Label: UserImpact, Text: s.Text}})
}

func appendSection(out bot.Text, s Section) bot.Text {
	if s.Text.Empty() {
		return out
	}
	if len(out) > 0 {
		out = append(out, bot.Span{Text: "\n\n"})
	}
	if s.Label != Unlabelled {
		out = append(out, labelled(string(s.Label))...)
	}
	return append(out, s.Text...)
}

const noteSize = 200

// size is the number of characters of parts.
func size(parts []bot.Part) int {
	return length(bot.Message{Parts: parts}.Words())
}

// fit keeps a message within [maxMessage]: it cuts at a sentence and says where
// the rest is. Buttons stay.
func fit(m bot.Message, id string) bot.Message {
	if size(m.Parts) <= maxMessage {
		return m
	}
	out := bot.Message{Key: m.Key, Aloud: m.Aloud}
	room, cut := maxMessage-noteSize, false
	for _, p := range m.Parts {
		if _, ok := p.(bot.Buttons); ok {
			if cut {
				out.Add(cutNote(id))
				cut = false
			}
			out.Add(p)
			continue
		}
		n := size([]bot.Part{p})
		text, isText := p.(bot.Paragraph)
		switch {
		case room <= 0:
			cut = true
		case n <= room:
			out.Add(p)
		case isText:
			out.Add(bot.Paragraph{Text: CutText(text.Text, room)})
			cut = true
		default:
			cut = true
		}
		room -= n
	}
	if cut {
		out.Add(cutNote(id))
	}
	return out
}

func cutNote(id string) bot.Part {
	if id == "" {
		return bot.Note{Text: bot.Join(bot.T("Cut here. Everything is in the "),
			bot.Link("admin center", "https://admin.microsoft.com/Adminportal/Home#/servicehealth"), bot.T("."))}
	}
	if strings.HasPrefix(strings.ToUpper(id), "MC") {
		return bot.Note{Text: bot.Join(bot.T("Cut here. The whole text is in the "), bot.Link("admin center", MessageLink(id)), bot.T("."))}
	}
	return bot.Note{Text: bot.Join(bot.T("Cut here. [History] under the incident shows more, and everything is in the "),
		bot.Link("admin center", AlertLink(id)), bot.T("."))}
}
