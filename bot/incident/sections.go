package incident

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"keyturn/bot"
)

// Label names a section of a post, whatever Microsoft called it this time.
type Label string

// The labelled sections that Microsoft's posts have.
const (
	Unlabelled   Label = ""
	Title        Label = "Title"
	UserImpact   Label = "User impact"
	MoreInfo     Label = "More info"
	Status       Label = "Current status"
	FinalStatus  Label = "Final status"
	Scope        Label = "Scope of impact"
	StartTime    Label = "Start time"
	EndTime      Label = "End time"
	RootCause    Label = "Root cause"
	EarlyCause   Label = "Preliminary root cause"
	NextSteps    Label = "Next steps"
	NextUpdate   Label = "Next update"
	Workaround   Label = "Workaround"
	ResolveTime  Label = "Estimated time to resolve"
	longestLabel       = len("estimated time to resolution")
)

var labels = map[string]Label{
	"title":       Title,
	"user impact": UserImpact, "impact": UserImpact, "customer impact": UserImpact, "user experience": UserImpact,
	"more info": MoreInfo, "more information": MoreInfo, "info": MoreInfo,
	"current status": Status, "status": Status, "final status": FinalStatus,
	"scope of impact": Scope, "scope": Scope,
	"start time": StartTime, "incident start time": StartTime, "end time": EndTime, "incident end time": EndTime,
	"root cause": RootCause, "final root cause": RootCause, "preliminary root cause": EarlyCause,
	"next steps": NextSteps, "next step": NextSteps,
	"next update": NextUpdate, "next update by": NextUpdate, "next update at": NextUpdate, "next update time": NextUpdate,
	"workaround": Workaround, "workarounds": Workaround, "temporary workaround": Workaround, "work around": Workaround,
	"estimated time to resolve": ResolveTime, "estimated time to resolution": ResolveTime,
}

// Section is one part of a post. Text keeps its links and styles; it does not
// hold the label.
type Section struct {
	Label Label
	Text  bot.Text
}

// Sections takes a post's text apart at the labels that Microsoft writes. A
// label counts in any case, with blanks before its colon, and where it is glued
// to the sentence before it. Text outside any section is Unlabelled; where no
// label occurs all of it is. Nothing is left out but a label that is repeated
// at once.
func Sections(t bot.Text) []Section {
	plain := t.Plain()
	var out []Section
	label, from := Unlabelled, 0
	add := func(to int) {
		text := trimText(slice(t, from, to))
		if len(text) > 0 || label != Unlabelled {
			out = append(out, Section{label, text})
		}
	}
	for at := 0; ; {
		n := strings.IndexByte(plain[at:], ':')
		if n < 0 {
			break
		}
		colon := at + n
		at = colon + 1
		if next, begin := labelBefore(plain, from, colon); next != Unlabelled {
			if next != label || strings.TrimSpace(plain[from:begin]) != "" {
				add(begin)
			}
			label, from = next, at
		}
	}
	add(len(plain))
	return out
}

// labelBefore is the longest label that ends at the colon and begins at or
// after from, in a place where a label can stand.
func labelBefore(plain string, from, colon int) (Label, int) {
	end := len(strings.TrimRight(plain[from:colon], " \t")) + from
	for begin := max(from, end-longestLabel); begin < end; begin++ {
		if !utf8.RuneStart(plain[begin]) || !letter(plain[begin]) {
			continue
		}
		words := plain[begin:end]
		if label, ok := labels[strings.ToLower(words)]; ok && labelStands(plain, from, begin, words) {
			return label, begin
		}
	}
	return Unlabelled, 0
}

// labelStands reports whether words at begin are a label and no part of a
// sentence: at the beginning of a line or after a sentence always; elsewhere
// only when they begin with a capital, and a single word not even then, since
// "Business Impact:" is no label.
func labelStands(plain string, from, begin int, words string) bool {
	before := strings.TrimRight(plain[from:begin], " \t")
	if before == "" {
		return true
	}
	last, _ := utf8.DecodeLastRuneInString(before)
	if strings.ContainsRune("\n.!?:;)]\u201d\u2019\u2022*", last) {
		return last == '\n' || len(before) < begin-from || unicode.IsUpper(rune(words[0]))
	}
	return unicode.IsUpper(rune(words[0])) && strings.Contains(words, " ")
}

// section is the text of the first section with one of the labels, in the
// order of the labels; nil where there is none.
func section(in []Section, want ...Label) bot.Text {
	for _, l := range want {
		for _, s := range in {
			if s.Label == l && len(s.Text) > 0 {
				return s.Text
			}
		}
	}
	return nil
}

// workaround is what a post recommends meanwhile: its section of that name, or
// else the sentences that call something a workaround, unless they say that
// there is none.
func workaround(in []Section) bot.Text {
	if t := section(in, Workaround); t != nil {
		return t
	}
	for _, s := range in {
		if s.Label == Title || s.Label == NextSteps {
			continue
		}
		for _, sentence := range sentences(s.Text.Plain()) {
			if recommends(sentence) {
				at := strings.Index(s.Text.Plain(), sentence)
				return trimText(slice(s.Text, at, at+len(sentence)))
			}
		}
	}
	return nil
}

var readers = []string{"users ", "admins ", "customers ", "you ", "organizations "}
var mayDo = []string{" can ", " may ", " should ", " could ", "recommend", "please ", "use ", "suggest"}
var noHelp = []string{"no workaround", "no known workaround", "not aware of", "n't a workaround", "isn't any", "aren't any",
	"looking for", "working on a", "identify a", "develop", "investigating", "exploring", "determine"}

// recommends reports whether a sentence tells readers what to do meanwhile.
func recommends(sentence string) bool {
	s := strings.ToLower(sentence)
	if !strings.Contains(s, "workaround") && !strings.Contains(s, "work around") &&
		!(strings.Contains(s, "in the meantime") && holds(s, readers)) {
		return false
	}
	return holds(s, mayDo) && !holds(s, noHelp)
}

func holds(s string, any []string) bool {
	for _, a := range any {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}
