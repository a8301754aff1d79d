package incident

import (
	"strings"
	"unicode"

	"keyturn/bot"
)

// digest is a post as a person reads it.
type digest struct {
	text     bot.Text
	sections []Section
	gist     string // what it says, for comparing
	review   bool   // it announces a post-incident review
	nothing  bool   // it says that nothing changed
}

func digestOf(p Post) digest {
	d := digest{text: Convert(p.Content)}
	d.sections = Sections(d.text)
	d.gist = gist(d.sections)
	d.review = announcesReview(d.text.Plain())
	d.nothing = !d.review && saysNothing(d.sections)
	return d
}

// gist is what a post says, reduced to its words: without title, next update
// and the sentences that only promise one, in small letters, without blanks
// and punctuation. Posts of the same gist tell a reader the same.
func gist(sections []Section) string {
	var b strings.Builder
	for _, s := range sections {
		if s.Label == Title || s.Label == NextUpdate {
			continue
		}
		for _, sentence := range sentences(s.Text.Plain()) {
			if promise(sentence) {
				continue
			}
			for _, r := range sentence {
				if unicode.IsLetter(r) || unicode.IsDigit(r) {
					b.WriteRune(unicode.ToLower(r))
				}
			}
		}
	}
	return b.String()
}

// promise reports whether a sentence only says when Microsoft will say more.
func promise(sentence string) bool {
	s := strings.ReplaceAll(strings.ToLower(sentence), "\u2019", "'")
	if !holds(s, []string{"we'll provide", "we will provide", "will provide another", "next update"}) || length(s) > 160 {
		return false
	}
	return strings.Contains(s, "update")
}

var unchanged = []string{
	"no change", "no changes", "not changed", "hasn't changed", "no new information", "nothing new", "no further information",
	"no update", "remains unchanged", "is unchanged", "remains the same", "no additional information",
}

// saysNothing reports whether the status of a post is that nothing changed.
// Every sentence of it has to say so: "no change in impact, but the cause is
// found" tells something.
func saysNothing(sections []Section) bool {
	status := section(sections, Status, FinalStatus)
	if status == nil && (len(sections) == 0 || sections[0].Label == Unlabelled) {
		status = section(sections, Unlabelled)
	}
	said := false
	for _, sentence := range sentences(status.Plain()) {
		if promise(sentence) {
			continue
		}
		s := strings.ReplaceAll(strings.ToLower(sentence), "\u2019", "'")
		if length(s) > 160 || !holds(s, unchanged) || holds(s, []string{" but ", "however", "although", "except"}) {
			return false
		}
		said = true
	}
	return said
}

// announcesReview reports whether a text says that the post-incident review is
// there. One that promises it ("within five business days") does not.
func announcesReview(text string) bool {
	for _, sentence := range sentences(text) {
		s := strings.ToLower(sentence)
		if !holds(s, []string{"post-incident re", "post incident re", "(pir)"}) {
			continue
		}
		if holds(s, []string{"has been published", "was published", "is published", "is now available", "is available",
			"have published", "'ve published", "\u2019ve published"}) {
			return true
		}
	}
	return false
}
