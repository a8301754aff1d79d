package slack

import (
	"strings"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// scrap is the least room in which text is still begun.
const scrap = 40

func (r *renderer) heading(s string) (cut int) {
	s = bot.Shorten(s, maxHeading)
	if s == "" {
		return 0
	}
	if !r.put(&slack.HeaderBlock{Type: slack.MBTHeader, BlockID: r.id(), Text: plain(s)}, bot.Units(s)) {
		return 1
	}
	return 0
}

// paragraph draws text in as many blocks as it needs.
func (r *renderer) paragraph(text []span) (cut int) {
	for text = trim(text); len(text) > 0; {
		space := min(maxSection, r.room.text)
		if r.room.blocks < 1 || space < scrap && bot.Units(mrkdwn(text)) > space {
			return bot.LineCount(words(text))
		}
		var head []span
		head, text = split(text, space)
		text = trim(text)
		if head = trim(head); len(head) > 0 {
			r.put(r.textBlock(head), cost(head))
		}
	}
	return 0
}

// textBlock is a section where mrkdwn shows the text as it is meant, and rich
// text where it would not.
func (r *renderer) textBlock(text []span) slack.Block {
	if plainly(text) {
		return &slack.SectionBlock{Type: slack.MBTSection, BlockID: r.id(), Text: marked(mrkdwn(text))}
	}
	return r.richBlock(slack.NewRichTextSection(rich(text)...))
}

func (r *renderer) richBlock(elements ...slack.RichTextElement) *slack.RichTextBlock {
	return &slack.RichTextBlock{Type: slack.MBTRichText, BlockID: r.id(), Elements: elements}
}

func cost(text []span) int { return bot.Units(mrkdwn(text)) }

// wide is from where on a value takes the whole width.
const wide = 160

// cell is one row of pairs.
type cell struct{ label, value []span }

// line is the row at full width.
func (c cell) line() []span {
	if len(c.label) == 0 {
		return c.value
	}
	l := c.label[0]
	l.text += ":"
	return append([]span{l, {text: " "}}, c.value...)
}

// field is the row as a field of a grid.
func (c cell) field() []span {
	if len(c.label) == 0 {
		return c.value
	}
	return append([]span{c.label[0], {text: "\n"}}, c.value...)
}

// narrow reports whether the row can be a field, which takes mrkdwn only.
func (c cell) narrow() bool {
	return cost(c.value) <= wide && cost(c.field()) <= maxField && plainly(c.field())
}

// pairs draws neighbouring short values as a grid and the others as lines.
func (r *renderer) pairs(items []bot.Pair) (cut int) {
	var grid []cell
	for i, it := range items {
		c := cell{value: trim(checked(it.Value))}
		if len(c.value) == 0 {
			c.value = []span{{text: "–"}}
		}
		if label := bot.OneLine(it.Label); label != "" {
			c.label = []span{{text: label, bold: true}}
		}
		if c.narrow() {
			grid = append(grid, c)
			continue
		}
		if cut = r.grid(grid); cut == 0 {
			cut = r.paragraph(c.line())
		}
		if grid = nil; cut > 0 {
			return cut + len(items) - i - 1
		}
	}
	return r.grid(grid)
}

// grid draws rows side by side; one alone would leave half the width empty.
func (r *renderer) grid(cells []cell) (cut int) {
	if len(cells) == 1 {
		return r.paragraph(cells[0].line())
	}
	for len(cells) > 0 {
		n := min(maxFields, len(cells))
		fields := make([]*slack.TextBlockObject, 0, n)
		for _, c := range cells[:n] {
			fields = append(fields, marked(mrkdwn(c.field())))
		}
		for n > 0 && fieldsCost(fields[:n]) > r.room.text {
			n--
		}
		if n == 0 || r.room.blocks < 1 {
			return len(cells)
		}
		r.put(&slack.SectionBlock{Type: slack.MBTSection, BlockID: r.id(), Fields: fields[:n]}, fieldsCost(fields[:n]))
		cells = cells[n:]
	}
	return 0
}

func fieldsCost(fields []*slack.TextBlockObject) int {
	n := 0
	for _, f := range fields {
		n += bot.Units(f.Text)
	}
	return n
}

// ordered is a numbered list without the fields that it does not need, for
// readers that know only the documented ones.
type ordered struct {
	Type     slack.RichTextElementType     `json:"type"`
	Style    slack.RichTextListElementType `json:"style"`
	Elements []slack.RichTextElement       `json:"elements"`
	Offset   int                           `json:"offset,omitempty"` // numbering goes on after so many
}

// RichTextElementType makes a list an element of rich text.
func (o ordered) RichTextElementType() slack.RichTextElementType { return o.Type }

// numbered draws a list. An item that is too long for one continues below it.
func (r *renderer) numbered(items []bot.Text) (cut int) {
	var sections []slack.RichTextElement
	start, size := 0, 0
	flush := func() {
		if len(sections) > 0 {
			r.put(r.richBlock(ordered{Type: slack.RTEList, Style: slack.RTEListOrdered, Elements: sections, Offset: start}), size)
		}
		sections, size = nil, 0
	}
	for i, it := range items {
		text := trim(checked(it))
		if len(text) == 0 {
			text = []span{{text: "–"}}
		}
		if size+cost(text) > maxSection {
			flush()
		}
		if len(sections) == 0 {
			start = i
		}
		space := min(maxSection, r.room.text) - size
		if r.room.blocks < 1 || space < scrap && cost(text) > space {
			flush()
			return cut + lines(items[i:])
		}
		head, rest := split(text, space)
		sections = append(sections, slack.NewRichTextSection(rich(trim(head))...))
		size += cost(trim(head))
		if rest = trim(rest); len(rest) > 0 {
			flush()
			if cut = r.paragraph(rest); cut > 0 {
				return cut + lines(items[i+1:])
			}
		}
	}
	flush()
	return cut
}

func lines(items []bot.Text) int {
	n := 0
	for _, it := range items {
		n += max(1, bot.LineCount(it.Plain()))
	}
	return n
}

// maxCopy is the longest value to copy. It is drawn whole or not at all: a cut
// value would be pasted as if it were right.
const maxCopy = 6000

func (r *renderer) copyField(c bot.Copy) (cut int) {
	label, value := bot.OneLine(c.Label), strings.Trim(bot.Tidy(c.Value), "\n")
	if strings.TrimSpace(value) == "" {
		return r.paragraph([]span{{text: label + ":", bold: true}, {text: " –"}})
	}
	if bot.Units(value) > maxCopy {
		return r.paragraph([]span{{text: label + ":", bold: true}, {text: " the value is too long to be shown in Slack."}})
	}
	elements := []slack.RichTextElement{preformatted(value)}
	if label != "" {
		label = bot.Shorten(label, maxHeading)
		elements = append([]slack.RichTextElement{slack.NewRichTextSection(
			slack.NewRichTextSectionTextElement(label, &slack.RichTextSectionTextStyle{Bold: true}))}, elements...)
	}
	if !r.put(r.richBlock(elements...), bot.Units(label)+bot.Units(value)) {
		return 1 + bot.LineCount(value)
	}
	return 0
}

func preformatted(s string) *slack.RichTextPreformatted {
	return &slack.RichTextPreformatted{Type: slack.RTEPreformatted,
		Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement(s, nil)}}
}

// code draws preformatted text in pieces that end with a line.
func (r *renderer) code(c bot.Code) (cut int) {
	text := strings.Trim(bot.Tidy(c.Text), "\n")
	if title := bot.OneLine(c.Title); title != "" {
		if cut = r.paragraph([]span{{text: title, bold: true}}); cut > 0 {
			return cut + bot.LineCount(text)
		}
	}
	for text != "" {
		space := min(maxSection, r.room.text)
		if r.room.blocks < 1 || space < scrap && bot.Units(text) > space {
			return bot.LineCount(text)
		}
		end := bot.CutAt(text, space, bot.Units)
		if end < len(text) {
			if i := strings.LastIndexByte(text[:end], '\n'); i > end/3 {
				end = i + 1
			}
		}
		piece := strings.Trim(text[:end], "\n")
		text = strings.TrimLeft(text[end:], "\n")
		if strings.TrimSpace(piece) != "" {
			r.put(r.richBlock(preformatted(piece)), bot.Units(piece))
		}
	}
	return 0
}

// note draws small print. Slack's small print takes no rich text, so what
// mrkdwn cannot show goes there unformatted, or at full size where it holds
// links, people or times.
func (r *renderer) note(text []span) (cut int) {
	for text = trim(text); len(text) > 0; {
		space := min(maxField, r.room.text)
		if r.room.blocks < 1 || space < scrap && cost(text) > space {
			return bot.LineCount(words(text))
		}
		var head []span
		head, text = split(text, space)
		text = trim(text)
		if head = trim(head); len(head) == 0 {
			continue
		}
		switch {
		case plainly(head):
			r.put(r.context(marked(mrkdwn(head))), cost(head))
		case !anyAtomic(head):
			r.put(r.context(plain(words(head))), cost(head))
		default:
			r.put(r.textBlock(head), cost(head))
		}
	}
	return 0
}

func (r *renderer) context(t *slack.TextBlockObject) *slack.ContextBlock {
	return &slack.ContextBlock{Type: slack.MBTContext, BlockID: r.id(),
		ContextElements: slack.ContextElements{Elements: []slack.MixedElement{t}}}
}

func anyAtomic(text []span) bool {
	for _, s := range text {
		if s.atomic() {
			return true
		}
	}
	return false
}

// image draws a picture, or its words where Slack could not fetch it.
func (r *renderer) image(i bot.Image) (cut int) {
	alt := first(bot.Shorten(i.Alt, maxAlt), "Picture")
	if id := r.files[pictureSum(i.PNG)]; id != "" {
		if !r.put(&slack.ImageBlock{Type: slack.MBTImage, BlockID: r.id(), SlackFile: &slack.SlackFileObject{ID: id}, AltText: alt}, bot.Units(alt)) {
			return 1
		}
		return 0
	}
	u, ok := webLink(i.URL, maxURL)
	if !ok || strings.HasPrefix(u, "mailto:") {
		return r.paragraph([]span{{text: alt}})
	}
	if !r.put(&slack.ImageBlock{Type: slack.MBTImage, BlockID: r.id(), ImageURL: u, AltText: alt}, bot.Units(alt)) {
		return 1
	}
	return 0
}
