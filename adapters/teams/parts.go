package teams

import (
	"fmt"
	"strings"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// pieces draws one part that is neither buttons nor a divider.
func (r *renderer) pieces(p bot.Part) []piece {
	switch p := p.(type) {
	case bot.Heading:
		s := bot.Shorten(p.Text, maxHeading)
		if s == "" {
			return nil
		}
		return r.text([][]span{{{text: s}}}, look{size: "Large", bold: true, heading: true})
	case bot.Paragraph:
		return r.text(checked(p.Text), look{})
	case bot.Note:
		return r.text(checked(p.Text), look{size: "Small", subtle: true})
	case bot.Pairs:
		return r.pairs(p.Items)
	case bot.Numbered:
		return r.numbered(p.Items)
	case bot.Copy:
		return r.copyField(p)
	case bot.Code:
		return r.code(p)
	case bot.Image:
		return r.image(p)
	}
	return nil
}

// text draws lines, each as an element of its own: clients differ in what they
// make of line breaks. An empty line is a gap.
func (r *renderer) text(lines [][]span, l look) []piece {
	var out []piece
	gap := true
	for _, line := range lines {
		in := indent(line)
		if line = trim(line); len(line) == 0 {
			gap = true
			continue
		}
		if in != "" && !line[0].marked() {
			line[0].text = in + line[0].text
		}
		spaced := gap
		how := func(line []span) element {
			e := r.drawLine(line, l)
			if !spaced {
				e["spacing"] = "None"
			}
			return e
		}
		out = append(out, piece{line: line, how: how, lines: 1})
		gap = false
	}
	return out
}

// indent is what a line of a list within a list begins with. Teams drops plain
// blanks there.
func indent(line []span) string {
	if len(line) == 0 {
		return ""
	}
	text := line[0].text
	return strings.Repeat("\u00a0", min(len(text)-len(strings.TrimLeft(text, " ")), 15))
}

// wide is from where on a value takes the whole width.
const wide = 240

// perSet is how many rows one fact set holds.
const perSet = 10

// pairs draws neighbouring short values as a set of facts and the others as
// lines. Facts understand Markdown, so those that it would garble are lines.
func (r *renderer) pairs(items []bot.Pair) (out []piece) {
	var facts []element
	flush := func() {
		if len(facts) > 0 {
			out = append(out, piece{el: element{"type": "FactSet", "facts": facts}, lines: len(facts)})
		}
		facts = nil
	}
	for _, it := range items {
		label := bot.OneLine(it.Label)
		lines := checked(it.Value)
		value := joined(lines)
		if len(value) == 0 {
			value = []span{{text: "–"}}
			lines = [][]span{value}
		}
		marked := false
		for _, s := range value {
			marked = marked || s.marked()
		}
		short := len(lines) == 1 && bot.Units(label) <= 60 && bot.Units(words(value)) <= wide
		if label != "" && short && harmless(label) && (marked || harmless(words(value))) {
			facts = append(facts, element{"title": label, "value": r.markdown(value)})
			if len(facts) == perSet {
				flush()
			}
			continue
		}
		flush()
		if label != "" {
			lines[0] = append([]span{{text: label + ": ", bold: true}}, trim(lines[0])...)
		}
		out = append(out, r.text(lines, look{})...)
	}
	flush()
	return out
}

// joined is the only line of several, or nothing.
func joined(lines [][]span) []span {
	var out []span
	for _, l := range lines {
		out = append(out, trim(l)...)
	}
	return out
}

// numbered draws a list: the number beside its text, since a number inside it
// would be Markdown's and could be counted anew.
func (r *renderer) numbered(items []bot.Text) (out []piece) {
	for i, it := range items {
		lines := checked(it)
		var all []span
		for _, l := range lines {
			if l = trim(l); len(l) == 0 {
				continue
			}
			if len(all) > 0 {
				all = append(all, span{text: " "})
			}
			all = append(all, l...)
		}
		if len(all) == 0 {
			all = []span{{text: "–"}}
		}
		number := element{"type": "RichTextBlock", "inlines": []element{{"type": "TextRun", "text": fmt.Sprintf("%d.", i+1)}}}
		how := func(line []span) element {
			return element{"type": "ColumnSet", "spacing": "Small", "columns": []element{
				{"type": "Column", "width": "auto", "items": []element{number}},
				{"type": "Column", "width": "stretch", "items": []element{r.drawLine(line, look{})}},
			}}
		}
		out = append(out, piece{line: all, how: how, lines: max(1, len(lines))})
	}
	return out
}

// mono is one line of text in a fixed width, raw: what is copied from it is
// what was given.
func mono(line string) element {
	if line == "" {
		line = " "
	}
	return element{"type": "RichTextBlock", "spacing": "None",
		"inlines": []element{{"type": "TextRun", "text": guard(line), "fontType": "Monospace"}}}
}

// copyField draws one value to copy, whole or not at all: a cut value would be
// pasted as if it were right.
func (r *renderer) copyField(c bot.Copy) []piece {
	label, value := bot.Shorten(c.Label, maxHeading), strings.Trim(bot.Tidy(c.Value), "\n")
	note := func(s string) []piece {
		return r.text([][]span{{{text: label + ": ", bold: true}, {text: s}}}, look{})
	}
	if strings.TrimSpace(value) == "" {
		return note("–")
	}
	if bot.Units(value) > maxCopy {
		return note("the value is too long to be shown in Teams.")
	}
	var lines []element
	for line := range strings.SplitSeq(value, "\n") {
		lines = append(lines, mono(line))
	}
	items := []element{{"type": "Container", "style": "emphasis", "spacing": "Small", "items": lines}}
	if label != "" {
		items = append([]element{r.drawLine([]span{{text: label}}, look{bold: true})}, items...)
	}
	return []piece{{el: element{"type": "Container", "items": items}, lines: 1 + bot.LineCount(value)}}
}

// code draws preformatted text line by line in a box of its own.
func (r *renderer) code(c bot.Code) []piece {
	var out []piece
	if title := bot.OneLine(c.Title); title != "" {
		out = r.text([][]span{{{text: title}}}, look{bold: true})
	}
	r.groups++
	body := strings.Trim(bot.Tidy(c.Text), "\n")
	if body == "" {
		return out
	}
	for line := range strings.SplitSeq(body, "\n") {
		how := func(s []span) element { return mono(words(s)) }
		out = append(out, piece{line: []span{{text: line}}, how: how, lines: 1, group: r.groups})
	}
	return out
}

// image draws a picture that stands at an address where Teams can fetch it, or
// its words.
func (r *renderer) image(i bot.Image) []piece {
	alt := first(bot.Shorten(i.Alt, 1000), "Picture")
	u, ok := webLink(i.URL)
	if !ok || !strings.HasPrefix(u, "https://") && !httpx.Loopback(u) {
		return r.text([][]span{{{text: alt}}}, look{})
	}
	return []piece{{el: element{"type": "Image", "url": u, "altText": guard(alt), "size": "Stretch"}, lines: 1}}
}
