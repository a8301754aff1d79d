package recommend

import (
	"fmt"
	"strings"
	"time"

	"keyturn/bot"
)

// Asked is how the question to the outside search stands.
type Asked string

// The states of the outside search.
const (
	NotAsked Asked = ""        // switched off, or there is nothing to ask for
	Asking   Asked = "asking"  // the answer will be completed
	Told     Asked = "told"    // it answered
	Silent   Asked = "silent"  // it did not answer in time, or could not be understood
	Nothing  Asked = "nothing" // it answered that it has nothing
)

// Answer is everything that is said to one question.
type Answer struct {
	Said     string // the question, as typed
	About    string // the incident that it was asked about by a button, or ""
	Record   string // the organisation's own record that it was asked for, or ""
	Hits     []Hit  // of the tenant, best first
	Articles []Hit
	Learn    Asked
	Sent     string    // what the outside search was asked for: nothing else left
	Read     time.Time // when service health was last read; zero is never
	Blind    bool      // the last reading is too old to say that nothing was published
	// Own says why the organisation's own knowledge is not in the answer, where
	// somebody could change that.
	Own string
}

// The actions of an answer's buttons. Their value is the question's ID and,
// for [ActHelped], the number of the hit.
const (
	ActHelped = "recommend-helped"
	ActNone   = "recommend-none"
	ActShare  = "recommend-share"
)

// Numbered are the hits in the order of their numbers, articles last.
func (a Answer) Numbered() []Hit { return append(append([]Hit(nil), a.Hits...), a.Articles...) }

// published reports whether Microsoft said something that may match.
func (a Answer) published() bool {
	for _, h := range a.Hits {
		if h.Doc.Kind == Incident || h.Doc.Kind == Change {
			return true
		}
	}
	return false
}

// Message is the answer. With shared set it is for everybody: nothing of the
// organisation's own knowledge, which not everybody may see, is in it.
func (a Answer) Message(command string, shared bool) bot.Message {
	var m bot.Message
	if !a.published() {
		m.Add(bot.Paragraph{Text: a.unpublished()})
	}
	n := 0
	for _, h := range a.Hits {
		n++
		if shared && h.Doc.private() {
			continue
		}
		m.Add(bot.Paragraph{Text: h.line(n)})
	}
	if !a.published() {
		m.Add(bot.Paragraph{Text: bot.B("To tell a local fault apart")}, bot.Numbered{Items: localFault(Parse(a.Said), command)})
	}
	m.Add(a.learnt(n)...)
	if a.Own != "" && !shared {
		m.Add(bot.Note{Text: bot.T(a.Own)})
	}
	return m
}

// Completion is what came of the outside search, for places where the answer
// itself, which promised it, cannot be edited.
func (a Answer) Completion() bot.Message {
	m := bot.Say(bot.T("To what you asked, “" + clip(a.Said, 80) + "”:"))
	m.Add(a.learnt(len(a.Hits))...)
	return m
}

func (a Answer) unpublished() bot.Text {
	switch {
	case a.Read.IsZero():
		return bot.T("⚫ I have not read Microsoft's service health yet, so I cannot say whether something was published.")
	case a.Blind:
		return bot.Join(bot.T("⚫ I have not been able to read Microsoft's service health since "), bot.When(a.Read, bot.DateTime), bot.T(", so I cannot say whether something was published. This is not a green light."))
	}
	return bot.Join(bot.T("Microsoft has published nothing yet that fits (read "), bot.When(a.Read, bot.Clock), bot.T("); it often posts late."))
}

// private reports whether a text belongs to those who may see it at its source.
func (d Doc) private() bool { return d.Kind == Knowledge || d.Kind == Past }

// line says that a text may match, why, and what it says to do.
func (h Hit) line(n int) bot.Text {
	d := h.Doc
	name := bot.T(d.ID)
	if d.Link != "" {
		name = bot.Link(d.ID, d.Link)
	}
	first := bot.Join(bot.B(fmt.Sprintf("%d. May match ", n)), name)
	if h.Meant {
		first = bot.Join(bot.B(fmt.Sprintf("%d. ", n)), name, bot.T(": "+clip(d.Title, 150)))
	} else if d.Kind == Article {
		first = bot.Join(bot.B(fmt.Sprintf("%d. ", n)), bot.Link(clip(d.Title, 150), d.Link))
	} else if t := clip(d.Title, 150); t != "" {
		first = bot.Join(first, bot.T(": "+t))
	}
	if why := h.Why(); why != "" && !h.Meant {
		first = bot.Join(first, bot.T(", because "+why))
	}
	lines := []bot.Text{append(first, bot.Span{Text: "."})}
	state := bot.T(d.Mark)
	if d.Status != "" {
		state = bot.Join(state, bot.T(" · "+d.Status))
	}
	if !d.Since.IsZero() {
		state = bot.Join(state, bot.T(" · since "), bot.When(d.Since, bot.DateTime))
	}
	if !state.Empty() {
		lines = append(lines, state)
	}
	if !d.Workaround.Empty() {
		lines = append(lines, bot.Join(bot.B("Workaround:"), bot.T(" "), d.Workaround))
	} else if d.Says != "" {
		lines = append(lines, bot.T(clip(d.Says, 240)))
	}
	return bot.Lines(lines...)
}

// learnt are the articles, and what was asked for them.
func (a Answer) learnt(n int) []bot.Part {
	quoted := "“" + a.Sent + "”"
	switch a.Learn {
	case Asking:
		return []bot.Part{bot.Note{Text: bot.T("⏳ Asking Microsoft Learn for " + quoted + ". Nothing else of your words leaves; what it says comes here.")}}
	case Silent:
		return []bot.Part{bot.Note{Text: bot.T("Microsoft Learn was asked for " + quoted + " and did not answer in time. Ask again later, or look there yourself.")}}
	case Nothing:
		return []bot.Part{bot.Note{Text: bot.T("Microsoft Learn was asked for " + quoted + " and has no article that fits.")}}
	case Told:
		parts := []bot.Part{bot.Paragraph{Text: bot.B("From Microsoft Learn")}}
		for i, h := range a.Articles {
			parts = append(parts, bot.Paragraph{Text: h.line(n + i + 1)})
		}
		return append(parts, bot.Note{Text: bot.T("Microsoft Learn was asked for " + quoted + "; nothing else of your words left.")})
	}
	return nil
}

// Buttons are under an answer: which hit helped, whether none did, and, with
// share, showing it to the channel.
func (a Answer) Buttons(id string, share bool) bot.Buttons { return a.buttons(id, share, 0) }

// CompletionButtons are those under [Answer.Completion]: about the articles,
// and none where it has none.
func (a Answer) CompletionButtons(id string, share bool) bot.Buttons {
	return a.buttons(id, share && len(a.Articles) > 0, len(a.Hits))
}

// buttons are about the three hits that follow the first few.
func (a Answer) buttons(id string, share bool, from int) bot.Buttons {
	var b []bot.Button
	for i := from; i < min(len(a.Numbered()), from+3); i++ {
		n := fmt.Sprint(i + 1)
		b = append(b, bot.Button{Label: n + " helped", Action: ActHelped, Value: id + "/" + n, Says: "Number " + n + " helped"})
	}
	if len(b) > 0 {
		b = append(b, bot.Button{Label: "None helped", Action: ActNone, Value: id})
	}
	if share {
		b = append(b, bot.Button{Label: "Share in channel", Action: ActShare, Value: id, Says: "Show this answer to everybody here"})
	}
	return bot.Buttons{Items: b}
}

func clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return strings.TrimSpace(string(r[:n-1])) + "…"
	}
	return s
}
