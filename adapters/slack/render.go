package slack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// Slack's limits, in characters or items. Source: Slack, "Reference: blocks",
// "Block elements", "Composition objects", "Views" and "chat.postMessage".
const (
	maxSection     = 3000
	maxHeading     = 150
	maxField       = 2000
	maxFields      = 10
	maxRow         = 25 // buttons in one actions block
	maxLabel       = 75
	maxValue       = 2000
	maxActionID    = 255
	maxAlt         = 2000
	maxText        = 4000 // top-level text: chat.update refuses more
	maxMessageText = 10000
	maxBlocks      = 50
	maxViewBlocks  = 100
	maxViewText    = 30000
	maxConfirm     = 300
	maxConfirmHead = 100
	maxConfirmYes  = 30
	maxViewTitle   = 24
	maxMeta        = 3000
	maxOption      = 75
	maxOptions     = 100
	maxHolder      = 150
	maxInputLabel  = 2000
	maxTyped       = 3000
	maxChecks      = 10
)

// room is how much may still be drawn.
type room struct{ blocks, text int }

func (r room) less(o room) room { return room{r.blocks - o.blocks, r.text - o.text} }

// drawing is a message drawn for Slack.
type drawing struct {
	Text   string
	Blocks []slack.Block
}

// renderer draws one message. Every block goes through put, which keeps the
// message inside its room.
type renderer struct {
	rev    string // differs between messages that differ
	files  files
	room   room
	blocks []slack.Block
	text   int // characters of text drawn so far
	clicks int // buttons drawn so far
	gap    int // how many blocks there were when text was first left out
	err    error
}

// render draws a message within the room. What does not fit is cut and said,
// but buttons stay. An error is a mistake of whoever made the message.
func render(m bot.Message, space room) (drawing, error) { return renderWith(m, space, nil) }

// renderWith is render for a message whose pictures were uploaded.
func renderWith(m bot.Message, space room, have files) (drawing, error) {
	rev := revision(m)
	buttons, err := measure(m.Parts)
	if err != nil {
		return drawing{}, err
	}
	draw := func(space room) (*renderer, int) {
		r := &renderer{rev: rev, room: space, files: have}
		return r, r.parts(m.Parts, buttons)
	}
	r, cut := draw(space)
	if cut > 0 {
		note := room{blocks: 1, text: 60}
		r, cut = draw(space.less(note))
		r.room = r.room.less(room{-note.blocks, -note.text})
		r.more(cut)
	}
	text := plainText(m)
	if len(r.blocks) == 0 || text == "" {
		return drawing{}, bad("The message says nothing, and Slack takes no empty ones.", nil)
	}
	return drawing{Text: text, Blocks: r.blocks}, nil
}

// measure is the room that each row of buttons will take. It finds every
// button that cannot be drawn at all.
func measure(parts []bot.Part) ([]room, error) {
	var rows []room
	for _, p := range parts {
		if row, ok := p.(bot.Buttons); ok {
			r := &renderer{room: room{blocks: math.MaxInt32, text: math.MaxInt32}}
			r.buttons(row)
			if r.err != nil {
				return nil, r.err
			}
			rows = append(rows, room{blocks: len(r.blocks), text: r.text})
		}
	}
	return rows, nil
}

// parts draws the parts in order and returns how many lines it had to leave
// out. Once text was cut, later text is left out too: a message with a hole in
// it would mislead. Rows of buttons that fit into half of everything are
// promised their room before any text is drawn.
func (r *renderer) parts(parts []bot.Part, rows []room) (cut int) {
	keep := room{}
	half := room{r.room.blocks / 2, r.room.text / 2}
	promised := make([]bool, len(rows))
	for i, row := range rows {
		if keep.blocks+row.blocks <= half.blocks && keep.text+row.text <= half.text {
			keep.blocks += row.blocks
			keep.text += row.text
			promised[i] = true
		}
	}
	r.room = r.room.less(keep)
	row := 0
	for _, p := range parts {
		if b, ok := p.(bot.Buttons); ok {
			if promised[row] {
				r.room = r.room.less(room{-rows[row].blocks, -rows[row].text})
				r.buttons(b)
			} else if cut > 0 || !r.fitsRow(rows[row]) {
				if cut++; cut == 1 {
					r.gap = len(r.blocks)
				}
			} else {
				r.buttons(b)
			}
			row++
			continue
		}
		if cut > 0 {
			cut += bot.LineCount((bot.Message{Parts: []bot.Part{p}}).Words())
			continue
		}
		cut += r.part(p)
		r.gap = len(r.blocks)
	}
	return cut
}

func (r *renderer) fitsRow(need room) bool {
	return need.blocks <= r.room.blocks && need.text <= r.room.text
}

// part draws one part that is no row of buttons.
func (r *renderer) part(p bot.Part) (cut int) {
	switch p := p.(type) {
	case bot.Heading:
		return r.heading(p.Text)
	case bot.Paragraph:
		return r.paragraph(checked(p.Text))
	case bot.Pairs:
		return r.pairs(p.Items)
	case bot.Numbered:
		return r.numbered(p.Items)
	case bot.Copy:
		return r.copyField(p)
	case bot.Code:
		return r.code(p)
	case bot.Note:
		return r.note(checked(p.Text))
	case bot.Divider:
		r.put(slack.DividerBlock{Type: slack.MBTDivider, BlockID: r.id()}, 0)
	case bot.Image:
		return r.image(p)
	}
	return 0
}

// put takes a block whose text counts cost, and reports whether there was room.
func (r *renderer) put(b slack.Block, cost int) bool {
	if r.room.blocks < 1 || r.room.text < cost {
		return false
	}
	r.room.blocks--
	r.room.text -= cost
	r.text += cost
	r.blocks = append(r.blocks, b)
	return true
}

// id is the next block's ID: unique in the message, and new in each revision,
// so that clients draw an edited block anew.
func (r *renderer) id() string { return fmt.Sprintf("k%s.%d", r.rev, len(r.blocks)) }

// more says, where text was cut, how much was left out.
func (r *renderer) more(lines int) {
	words := fmt.Sprintf("… (%d more lines)", lines)
	if lines == 1 {
		words = "… (1 more line)"
	}
	if r.put(r.context(plain(words)), bot.Units(words)) {
		last := len(r.blocks) - 1
		note := r.blocks[last]
		r.blocks = slices.Insert(r.blocks[:last], r.gap, note)
	}
}

// fail keeps the first error.
func (r *renderer) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// revision differs between messages that differ.
func revision(m bot.Message) string {
	b, err := json.Marshal(m)
	if err != nil {
		b = []byte(m.Words())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:4])
}

// plainText is the message in words for screen readers and notifications: no
// markup, so nobody is mentioned twice or by somebody else's words.
func plainText(m bot.Message) string {
	s := strings.TrimSpace(bot.Tidy(m.Words()))
	if escapedUnits(s) > maxText {
		s = strings.TrimSpace(s[:bot.Border(s, bot.CutAt(s, maxText-2, escapedUnits))]) + " …"
	}
	return escape(s)
}

// plain is a plain_text object. Emoji codes are off: the marks are literal,
// and nobody else's ":warning:" becomes one.
func plain(s string) *slack.TextBlockObject {
	off := false
	return &slack.TextBlockObject{Type: slack.PlainTextType, Text: s, Emoji: &off}
}

// marked is a mrkdwn object in which Slack looks for nothing but markup.
func marked(s string) *slack.TextBlockObject {
	return &slack.TextBlockObject{Type: slack.MarkdownType, Text: s, Verbatim: true}
}

func bad(says string, err error) *bot.Failure {
	return &bot.Failure{Kind: bot.KindBadRequest, System: system, Says: says, Err: err}
}
