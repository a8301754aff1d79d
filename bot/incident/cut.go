package incident

import (
	"strings"
	"unicode"

	"keyturn/bot"
)

const ellipsis = "…"

// CutAtSentence shortens text to at most max characters: after the last
// sentence that fits, else after the last word that fits with "…". Text that
// fits comes back as it is.
func CutAtSentence(text string, max int) string {
	at, whole := cutPoint(text, max)
	out := strings.TrimRightFunc(text[:at], unicode.IsSpace)
	if whole || at == 0 {
		return out
	}
	return out + ellipsis
}

// CutText is [CutAtSentence] for rich text.
func CutText(t bot.Text, max int) bot.Text {
	plain := t.Plain()
	at, whole := cutPoint(plain, max)
	out := trimText(slice(t, 0, at))
	if whole || at == 0 {
		return out
	}
	return append(out, bot.Span{Text: ellipsis})
}

// cutPoint is the byte offset at which text is cut to max characters. whole
// means that no "…" is due: nothing was cut, or a sentence ends there.
func cutPoint(text string, max int) (at int, whole bool) {
	limit, fits := byteLimit(text, max)
	if fits {
		return len(text), true
	}
	if max <= 0 {
		return 0, true
	}
	// A sentence that ends early would leave too little: better half a long
	// second sentence than a first one of three words.
	if end := lastSentence(text, limit); end > 0 && end >= limit/3 {
		return end, true
	}
	limit, _ = byteLimit(text, max-length(ellipsis))
	if isBlank(text[limit]) {
		return limit, false
	}
	if end := strings.LastIndexFunc(text[:limit], unicode.IsSpace); end >= limit/2 {
		return end, false
	}
	return bot.Whole(text, limit), false
}

// byteLimit is the offset after max characters, and whether that is all.
func byteLimit(text string, max int) (at int, fits bool) {
	if len(text) <= max {
		return len(text), true
	}
	n := 0
	for i := range text {
		if n >= max {
			return i, false
		}
		n++
	}
	return len(text), true
}

// lastSentence is the offset after the last sentence that ends at or before
// limit, or 0.
func lastSentence(text string, limit int) int {
	best := 0
	for i := 0; i < limit; {
		end := sentenceEnd(text, i)
		if end > limit {
			break
		}
		best, i = end, end
	}
	return best
}

// sentenceEnd is the offset after the sentence that holds text[from]: after
// its full stop, at a line break, or at the end of the text.
func sentenceEnd(text string, from int) int {
	for i := from; i < len(text); i++ {
		switch text[i] {
		case '\n':
			if strings.TrimSpace(text[from:i]) != "" {
				return i
			}
		case '.', '!', '?':
			end := i + 1
			for end < len(text) && strings.ContainsRune(`.!?")']`, rune(text[end])) {
				end++
			}
			if strings.HasPrefix(text[end:], "\u201d") || strings.HasPrefix(text[end:], "\u2019") {
				end += len("\u201d")
			}
			if end == len(text) || isBlank(text[end]) && !abbreviation(text[from:i+1]) {
				return end
			}
			i = end - 1
		}
	}
	return len(text)
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' }

// abbreviation reports whether the full stop at the end of s ends no sentence.
func abbreviation(s string) bool {
	word := s[strings.LastIndexAny(s, " \n\t(")+1:]
	switch strings.ToLower(word) {
	case "e.g.", "i.e.", "etc.", "vs.", "approx.", "no.", "incl.", "a.m.", "p.m.", "dr.", "st.":
		return true
	}
	return false
}

// sentences takes a text apart.
func sentences(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		end := sentenceEnd(text, i)
		if s := strings.TrimSpace(text[i:end]); s != "" {
			out = append(out, s)
		}
		i = max(end, i+1)
	}
	return out
}

// slice is the part of t from byte from to byte to of its plain text.
func slice(t bot.Text, from, to int) bot.Text {
	var out bot.Text
	at := 0
	for _, s := range t {
		begin, end := max(from, at), min(to, at+len(s.Text))
		if begin < end {
			piece := s
			piece.Text = s.Text[begin-at : end-at]
			out = append(out, piece)
		}
		at += len(s.Text)
	}
	return out
}

// trimText takes blanks and line breaks off both ends.
func trimText(t bot.Text) bot.Text {
	plain := t.Plain()
	from := len(plain) - len(strings.TrimLeftFunc(plain, unicode.IsSpace))
	to := len(strings.TrimRightFunc(plain, unicode.IsSpace))
	if from == 0 && to == len(plain) {
		return t
	}
	return slice(t, from, to)
}

// pieceSize is how long a paragraph part may be. A section of Slack's Block
// Kit holds 3,000 characters after escaping.
const pieceSize = 2400

// Paragraphs puts rich text into message parts: as few as possible, each short
// enough for a platform's text block, split at blank lines, else at sentences.
func Paragraphs(t bot.Text) []bot.Part {
	var parts []bot.Part
	for t = trimText(t); len(t) > 0; t = trimText(t) {
		plain := t.Plain()
		limit, fits := byteLimit(plain, pieceSize)
		if fits {
			return append(parts, bot.Paragraph{Text: t})
		}
		at := strings.LastIndex(plain[:limit], "\n\n")
		if at < limit/3 {
			at = lastSentence(plain, limit)
		}
		if at < limit/3 {
			at = strings.LastIndexFunc(plain[:limit], unicode.IsSpace)
		}
		if at < limit/3 {
			at = bot.Whole(plain, limit)
		}
		parts = append(parts, bot.Paragraph{Text: trimText(slice(t, 0, at))})
		t = slice(t, at, len(plain))
	}
	return parts
}
