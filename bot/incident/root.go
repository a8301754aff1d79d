package incident

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// How long the parts of a root may be: it has to be read at a glance on a
// phone. [History] has the whole.
const (
	noticeSize = 240
	latestSize = 450
	lineSize   = 300
)

// The actions of the buttons under an incident. Their value is the incident's
// ID.
const (
	ActionHistory = "history"
	ActionOnIt    = "on-it"
	ActionSolve   = "solve"         // what the clicker can do about it: [What can I do?]
	ActionMute    = "mute-incident" // the clicker is not mentioned about it any more, or is again: [Mute]
)

// MuteButton is for one person's eyes, such as the private answer to
// [ActionHistory]: its label is what a click by that person does.
func MuteButton(k Known, p bot.PersonID) bot.Button {
	b := bot.Button{Label: "Mute for me", Action: ActionMute, Value: k.Issue.ID, Says: "Mute for me: do not mention me about " + k.Issue.ID}
	if slices.Contains(k.Muted, p) {
		b.Label, b.Says = "Mention me again", "Mention me again about "+k.Issue.ID
	}
	return b
}

// SolveButton asks what can be done about an issue.
func SolveButton(k Known) bot.Button {
	return bot.Button{Label: "What can I do?", Action: ActionSolve, Value: k.Issue.ID, Says: "What can I do about " + k.Issue.ID}
}

// Advice is what Microsoft last said that helps meanwhile; empty where it
// said nothing, or that there is none.
func Advice(i Issue) bot.Text { return CutText(face(&i).workaround, lineSize) }

// Mark is an issue's mark with its word.
func (i *Issue) Mark() string { return i.mark() }

// Options are what a root shows beside Microsoft's own words.
type Options struct {
	// Worker is who said "we are on it", as the channel may see it: a name,
	// or a team. Empty where nobody did; with Known.Worker set and Worker
	// empty the root says "a colleague".
	Worker bot.Text
	// More buttons follow [History] and [We are on it].
	More []bot.Button
}

// AlertLink is where the admin center shows an issue.
func AlertLink(id string) string {
	return "https://admin.microsoft.com/Adminportal/Home#/servicehealth/:/alerts/" + url.PathEscape(id)
}

// Root is the message that stands in a channel for an issue. It does not depend
// on the clock, so it is the same until Microsoft or a colleague changes
// something.
func Root(k Known, sub Subscription, o Options) bot.Message {
	f := face(&k.Issue)
	var m bot.Message
	m.Add(bot.Paragraph{Text: firstLine(&k.Issue)}, bot.Paragraph{Text: stateLine(k)})
	var details []bot.Text
	add := func(label string, text bot.Text, size int) {
		if !text.Empty() {
			details = append(details, bot.Join(labelled(label), CutText(text, size)))
		}
	}
	if k.Issue.Resolved {
		add(f.headline, f.status, latestSize)
		add("Root cause", f.cause, lineSize)
	} else {
		add("Workaround", f.workaround, lineSize)
		add("Latest", f.status, latestSize)
		add("Next update", f.next, lineSize/2)
	}
	add("On it", onIt(k, o), lineSize)
	for _, d := range details {
		m.Add(bot.Paragraph{Text: d})
	}
	note := bot.Join(bot.Link(k.Issue.ID, AlertLink(k.Issue.ID)), bot.T(" in the Microsoft 365 admin center"))
	if why := toldBecause(&k.Issue, sub); why != "" {
		note = append(note, bot.Span{Text: ". " + why})
	}
	m.Add(bot.Note{Text: note}, bot.Buttons{Items: buttons(k, o)})
	return m
}

func buttons(k Known, o Options) []bot.Button {
	id := k.Issue.ID
	b := []bot.Button{{Label: "History", Action: ActionHistory, Value: id, Says: "History of " + id}}
	if !k.Issue.Resolved {
		b = append(b, bot.Button{Label: "We are on it", Action: ActionOnIt, Value: id, Says: "We are on it: " + id})
	}
	return append(b, o.More...)
}

// firstLine is mark, word, service and what users notice.
func firstLine(i *Issue) bot.Text {
	return bot.Join(bot.B(i.mark()+" · "+serviceName(i)), bot.T(": "), bot.T(Notice(*i, noticeSize)))
}

func serviceName(i *Issue) string {
	if i.Service == "" {
		return "Microsoft 365"
	}
	return oneLine(i.Service)
}

// Notice is what users notice, in Microsoft's own words, on one line and cut at
// a sentence: the impact, else what the newest post says of it, else the title.
func Notice(i Issue, max int) string {
	text := unlabelled(Convert(i.Impact))
	for n := len(i.Posts) - 1; n >= 0 && text == ""; n-- {
		text = oneLine(section(digestOf(i.Posts[n]).sections, UserImpact).Plain())
	}
	if text == "" {
		text = oneLine(Convert(i.Title).Plain())
	}
	if text == "" {
		text = "Microsoft has not said yet what users notice."
	}
	return CutAtSentence(text, max)
}

// unlabelled is an impact on one line. Microsoft has put whole posts there,
// labels and all: then what counts is the section about the impact.
func unlabelled(impact bot.Text) string {
	in := Sections(impact)
	if len(in) == 0 || in[0].Label == Unlabelled {
		return oneLine(impact.Plain())
	}
	if t := section(in, UserImpact); t != nil {
		return oneLine(t.Plain())
	}
	return oneLine(in[0].Text.Plain())
}

// stateLine is the status in words with its times.
func stateLine(k Known) bot.Text {
	i := &k.Issue
	t := bot.T(capital(StatusWords(i.Status)))
	if i.Resolved {
		return append(t, lasted(i, " · lasted")...)
	}
	if !i.Start.IsZero() {
		t = append(append(t, bot.Span{Text: " · since "}), bot.When(i.Start, bot.DateTime)...)
	}
	if !k.Reopened.IsZero() {
		t = append(append(t, bot.Span{Text: " · re-opened "}), bot.When(k.Reopened, bot.DateTime)...)
	}
	if !i.Modified.IsZero() {
		t = append(append(t, bot.Span{Text: " · Microsoft updated "}), bot.When(i.Modified, styleAfter(i.Start, i.Modified))...)
	}
	return t
}

// lasted says how long a resolved issue went on, from when to when; says is the
// word before.
func lasted(i *Issue, says string) bot.Text {
	end := i.End
	if end.IsZero() {
		end = i.Modified
	}
	if i.Start.IsZero() || end.Before(i.Start) {
		return nil
	}
	return bot.Join(bot.T(says+" "+span(end.Sub(i.Start))+", from "), bot.When(i.Start, bot.DateTime),
		bot.T(" to "), bot.When(end, styleAfter(i.Start, end)))
}

// styleAfter shows a time by the clock alone where the date was just said.
func styleAfter(said, t time.Time) bot.TimeStyle {
	if said.UTC().Format(time.DateOnly) == t.UTC().Format(time.DateOnly) {
		return bot.Clock
	}
	return bot.DateTime
}

func onIt(k Known, o Options) bot.Text {
	if k.Worker == "" && o.Worker.Empty() {
		return nil
	}
	who := o.Worker
	if who.Empty() {
		who = bot.T("a colleague")
	}
	if k.Working.IsZero() {
		return who
	}
	return bot.Join(who, bot.T(" since "), bot.When(k.Working, styleAfter(k.Issue.Modified, k.Working)))
}

// toldBecause explains why a subscription of other services gets an issue of
// the whole suite.
func toldBecause(i *Issue, sub Subscription) string {
	if len(sub.Services) == 0 || slices.ContainsFunc(sub.Services, func(s string) bool { return ServiceKey(s) == ServiceKey(i.Service) }) {
		return ""
	}
	if n := named(*i, sub.Services); n != "" {
		return "Shown here because it names " + n + "."
	}
	return ""
}

// features are what the posts of an issue say, for its root.
type features struct {
	status, cause, workaround, next bot.Text
	headline                        string // of the status of an issue that is over
}

// face reads the newest post that says how things stand; one without news does
// not take the place of the one before. The next update comes from the very
// newest post, for an older promise is void. A workaround holds until a newer
// post says something else about workarounds.
func face(i *Issue) features {
	var f features
	found, settled := false, false
	for n := len(i.Posts) - 1; n >= 0 && !(found && settled); n-- {
		d := digestOf(i.Posts[n])
		if n == len(i.Posts)-1 {
			f.next = nextUpdate(d.sections)
		}
		if !found && !d.review && !d.nothing && len(d.text) > 0 {
			found = true
			f.status = brief(section(d.sections, FinalStatus, Status, Unlabelled, MoreInfo))
			f.headline = "Latest" // for Microsoft can end an issue without a word
			if end := i.End; section(d.sections, FinalStatus) != nil || !end.IsZero() && !i.Posts[n].Created.Before(end) {
				f.headline = "Outcome"
			}
			f.cause = brief(section(d.sections, RootCause, EarlyCause))
		}
		if !settled && !d.review {
			f.workaround = oneBlock(workaround(d.sections))
			settled = f.workaround != nil || strings.Contains(strings.ToLower(d.text.Plain()), "workaround")
		}
	}
	return f
}

// brief is a text without the sentences that only speak of updates.
func brief(t bot.Text) bot.Text {
	plain := t.Plain()
	end := len(plain)
	for {
		all := sentences(plain[:end])
		if len(all) < 2 || !promise(all[len(all)-1]) && !strings.Contains(strings.ToLower(all[len(all)-1]), "the final update for") {
			break
		}
		end = strings.LastIndex(plain[:end], all[len(all)-1])
	}
	return oneBlock(trimText(slice(t, 0, end)))
}

// nextUpdate is when Microsoft wants to say more, as text: its dates are too
// often wrong to be more than text.
func nextUpdate(in []Section) bot.Text {
	if t := section(in, NextUpdate); t != nil {
		return t
	}
	for _, s := range in {
		for _, sentence := range sentences(s.Text.Plain()) {
			if promise(sentence) {
				return bot.T(sentence)
			}
		}
	}
	return nil
}

// labelled begins a line. The blank stands outside the bold: some chats do not
// make text bold that ends in one.
func labelled(label string) bot.Text { return bot.Join(bot.B(label+":"), bot.T(" ")) }

// oneBlock takes the blank lines out of a text.
func oneBlock(t bot.Text) bot.Text {
	var out bot.Text
	for _, s := range t {
		s.Text = squeeze(s.Text)
		out = append(out, s)
	}
	return out
}
