package recommend

import (
	"fmt"
	"slices"
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
	Quotes   bool   // the question is a message of somebody's
	Record   string // the organisation's own record that it was asked for, or ""
	Hits     []Hit  // of the tenant, best first
	Articles []Hit
	Learn    Asked
	Sent     string    // what the outside search was asked for: nothing else left
	Read     time.Time // when service health was last read; zero is never
	Blind    bool      // the last reading is too old to say that nothing was published
	// RecordID is that record's own ID at its system.
	RecordID string
	// Ours are texts of the organisation's own knowledge, which only the asker
	// sees; Asks is how the question to it stands, and As the account that it was
	// asked as, "" for what was published for everybody.
	Ours []Hit
	Asks Asked
	As   string
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
	ActNote   = "recommend-note"    // write the answer into the record that it is about
	ActSignIn = "recommend-sign-in" // at ServiceNow, to ask what the asker may see there
	ActAgain  = "recommend-again"   // ask the same again
	// ActMessage asks about a message that somebody wrote, by the platform's own
	// menu of messages; its value is what the message says.
	ActMessage = "is-this-microsoft"
)

// Numbered are the hits in the order of their numbers: the tenant's, articles,
// the organisation's own.
func (a Answer) Numbered() []Hit { return slices.Concat(a.Hits, a.Articles, a.Ours) }

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
	if a.Record != "" && !shared {
		m.Add(bot.Paragraph{Text: bot.Join(bot.B(a.Record), bot.T(" says: “"+clip(a.Said, 160)+"”"))})
	}
	if a.Quotes && !shared {
		m.Add(bot.Paragraph{Text: bot.T("About the message “" + clip(a.Said, 120) + "”:")})
	}
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
	if !shared {
		m.Add(a.ours()...)
	}
	return m
}

// Completion is what came of the outside search, for places where the answer
// itself, which promised it, cannot be edited.
func (a Answer) Completion() bot.Message {
	m := bot.Say(bot.T("To what you asked, “" + a.Asked() + "”:"))
	m.Add(a.learnt(len(a.Hits))...)
	m.Add(a.ours()...)
	return m
}

// Asked is what was asked, in a few words that everybody may read: a record's
// own words are for those who may see it.
func (a Answer) Asked() string {
	if a.Record != "" {
		return a.Record
	}
	return clip(a.Said, 80)
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
	if h.Meant && d.Active && d.Workaround.Empty() {
		lines = append(lines, bot.T("Microsoft names no workaround yet."))
	}
	return bot.Lines(lines...)
}

// learnt are the articles, and what was asked for them.
func (a Answer) learnt(n int) []bot.Part {
	quoted := "“" + a.Sent + "”"
	switch a.Learn {
	case Asking:
		return []bot.Part{bot.Note{Text: bot.T("⏳ Asking Microsoft Learn for " + quoted + ". Nothing else of your words leaves; what it says follows.")}}
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

// ours is what the organisation's own knowledge says.
func (a Answer) ours() []bot.Part {
	from, asked := "From your ServiceNow", "Your ServiceNow was asked for what is published there for everybody."
	if a.As != "" {
		from = "From your ServiceNow, for you alone"
		asked = "Your ServiceNow was asked as " + a.As + ", for what that account may see."
	}
	var parts []bot.Part
	switch a.Asks {
	case Asking:
		parts = append(parts, bot.Note{Text: bot.T("⏳ Asking your ServiceNow; what it says follows.")})
	case Silent:
		parts = append(parts, bot.Note{Text: bot.T("Your ServiceNow was asked and did not answer. Ask again later, or look there yourself.")})
	case Nothing:
		parts = append(parts, bot.Note{Text: bot.T(asked + " It has nothing that fits.")})
	case Told:
		parts = append(parts, bot.Paragraph{Text: bot.B(from)})
		for i, h := range a.Ours {
			parts = append(parts, bot.Paragraph{Text: h.line(len(a.Hits) + len(a.Articles) + i + 1)})
		}
		parts = append(parts, bot.Note{Text: bot.T(asked)})
	}
	if a.Own != "" {
		parts = append(parts, bot.Note{Text: bot.T(a.Own)})
	}
	return parts
}

// Buttons are under an answer: which hit helped, whether none did, and, with
// share, showing it to the channel.
func (a Answer) Buttons(id string, share bool) bot.Buttons { return a.buttons(id, share, 0) }

// CompletionButtons are those under [Answer.Completion]: about the articles,
// and none where it has none.
func (a Answer) CompletionButtons(id string, share bool) bot.Buttons {
	return a.buttons(id, share && len(a.Articles) > 0, len(a.Hits))
}

// buttons are about the hits that follow the first few: each that has a number
// has its button.
func (a Answer) buttons(id string, share bool, from int) bot.Buttons {
	var b []bot.Button
	for i := from; i < len(a.Numbered()); i++ {
		n := fmt.Sprint(i + 1)
		b = append(b, bot.Button{Label: n + " helped", Action: ActHelped, Value: id + "/" + n, Says: "Number " + n + " helped"})
	}
	if len(b) > 0 {
		b = append(b, bot.Button{Label: "None helped", Action: ActNone, Value: id})
	}
	if a.RecordID != "" {
		b = append(b, bot.Button{Label: "Write into " + a.Record, Action: ActNote, Value: id, Says: "Write into " + a.Record + ": this answer, as a work note"})
	}
	if a.Own != "" {
		b = append(b, bot.Button{Label: "Sign in at ServiceNow", Action: ActSignIn, Value: id})
	}
	if share {
		b = append(b, bot.Button{Label: "Share in channel", Action: ActShare, Value: id, Says: "Share in channel: show this answer to everybody here"})
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
