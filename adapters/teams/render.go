package teams

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"keyturn/bot"
)

// The bounds of a card. Teams takes messages of 100 KB, older ways in about 28
// KB; host applications show six actions. Source: Microsoft, "Format your bot
// messages" and "Cards reference".
const (
	maxCard    = 27000 // bytes of JSON
	maxSummary = 300
	maxSpoken  = 1500
	maxShown   = 6 // buttons that are not in the overflow menu
	maxHeading = 300
	maxCopy    = 6000
	scrap      = 40 // the least text that is still begun
)

// drawing is a message drawn for Teams.
type drawing struct {
	card    element
	summary string
}

// piece is an element on its way into a card.
type piece struct {
	el    element // nil until how draws it
	line  []span  // text that may be cut
	how   func([]span) element
	lines int  // how many lines of text it is
	group int  // pieces of one group share a box
	sep   bool // a line above it
}

// renderer draws one message.
type renderer struct {
	nonce  string // differs between messages that differ
	dialog func(action string) bool
	room   int // bytes that may still be drawn
	body   []element
	gap    int // how many elements there were when text was first left out
	people []mentioned
	groups int
	box    int // the group that the last element is the box of
	shown  []bool
	clicks int
}

// draw draws a message. An error is a mistake of whoever made the message.
func (a *Adapter) draw(m bot.Message) (drawing, error) { return draw(a.placed(m), a.dialog, nil) }

// draw draws a message with what stands below it. What does not fit is cut at
// a sentence and said, but buttons stay.
func draw(m bot.Message, dialog func(string) bool, below []element) (drawing, error) {
	head := frame(m)
	nonce := revision(m)
	spare := maxCard - sizeOf(head) - 200 - sizeOf(below)
	var rows []int
	for _, p := range m.Parts {
		if b, ok := p.(bot.Buttons); ok {
			e, err := newRenderer(m, nonce, dialog).buttons(b)
			if err != nil {
				return drawing{}, err
			}
			rows = append(rows, sizeOf(e)+1)
		}
	}
	try := func(space int) (*renderer, int) {
		r := newRenderer(m, nonce, dialog)
		r.room = space
		return r, r.parts(m.Parts, rows)
	}
	const note = 250
	r, cut := try(spare)
	for over := 0; over <= maxCard; {
		if cut > 0 || over > 0 {
			if r, cut = try(spare - note - over); cut > 0 {
				r.more(cut)
			}
		}
		if len(r.body) == 0 {
			return drawing{}, bad("The message says nothing, and Teams takes no empty ones.", nil)
		}
		head["body"] = append(r.body, below...)
		head["msteams"] = r.teams()
		more := sizeOf(head) - maxCard
		if more <= 0 {
			return drawing{card: head, summary: first(bot.Shorten(m.Words(), maxSummary), "Keyturn")}, nil
		}
		over += more + 50
	}
	return drawing{}, bad("The message has more buttons than Teams takes in one card.", nil)
}

func newRenderer(m bot.Message, nonce string, dialog func(string) bool) *renderer {
	if dialog == nil {
		dialog = func(string) bool { return false }
	}
	return &renderer{nonce: nonce, dialog: dialog, room: maxCard, shown: quota(m.Parts)}
}

// frame is a card without its body. What is spoken is the whole message in
// words, without what a speech engine would take for its own markup.
func frame(m bot.Message) element {
	spoken := plainWords(m, maxSpoken)
	return element{
		"type": "AdaptiveCard", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "version": "1.5",
		"speak": spoken, "fallbackText": first(bot.Shorten(spoken, maxSummary), "Keyturn"),
		"msteams": element{"width": "Full"},
	}
}

var noMarkup = strings.NewReplacer("<", "‹", ">", "›", "&", "and")

func plainWords(m bot.Message, max int) string {
	s := strings.TrimSpace(guard(noMarkup.Replace(asTyped(bot.Tidy(m.Words())))))
	if bot.Units(s) > max {
		s = strings.TrimSpace(s[:bot.Border(s, bot.CutAt(s, max-2, bot.Units))]) + " …"
	}
	return first(s, "Keyturn")
}

// teams is what only Teams reads of a card: its width and whom it notifies.
func (r *renderer) teams() element {
	out := element{"width": "Full"}
	text := string(encode(r.body))
	var used []mentioned
	for _, p := range r.people {
		if strings.Contains(text, string(bytes.Trim(encode(p.Text), `"`))) { // else the line was cut
			used = append(used, p)
		}
	}
	if len(used) > 0 {
		out["entities"] = used
	}
	return out
}

// parts draws the parts in order and returns how many lines it had to leave
// out. Once text was cut, later text is left out too: a message with a hole in
// it would mislead. Rows of buttons are promised their room before any text.
func (r *renderer) parts(parts []bot.Part, rows []int) (cut int) {
	kept := 0
	for _, n := range rows {
		kept += n
	}
	r.room -= kept
	row, line := 0, false
	for _, p := range parts {
		if b, ok := p.(bot.Buttons); ok {
			r.room += rows[row]
			row++
			if e, err := r.buttons(b); err == nil && e != nil {
				r.put(piece{el: e, sep: line})
				line = false
			}
			continue
		}
		if _, ok := p.(bot.Divider); ok {
			line = len(r.body) > 0
			continue
		}
		if cut > 0 { // nothing more is drawn, so nothing is prepared
			cut += bot.LineCount((bot.Message{Parts: []bot.Part{p}}).Words())
			continue
		}
		for i, q := range r.pieces(p) {
			if cut > 0 {
				cut += q.lines
				continue
			}
			q.sep = line && i == 0
			if left := r.fit(q); left > 0 {
				cut += left
			} else {
				r.gap = len(r.body)
			}
			line = false
		}
	}
	return cut
}

// fit draws a piece, cut where it has to be, and returns how many lines of it
// were left out.
func (r *renderer) fit(q piece) int {
	if r.put(q) {
		return 0
	}
	if q.line == nil {
		return max(q.lines, 1)
	}
	for n := min(bot.Units(words(q.line)), r.room); n >= scrap; n = n * 3 / 4 {
		head, _ := split(q.line, n)
		if head = trim(head); len(head) == 0 {
			continue
		}
		short := q
		short.line = head
		if r.put(short) {
			r.gap = len(r.body)
			return 1
		}
	}
	return max(q.lines, 1)
}

// put takes a piece and reports whether there was room.
func (r *renderer) put(q piece) bool {
	if q.el == nil {
		if len(words(q.line)) > 4*maxCard { // drawing it would be for nothing
			return false
		}
		q.el = q.how(q.line)
	}
	if q.sep {
		q.el["separator"] = true
		q.el["spacing"] = "Medium"
	}
	need := sizeOf(q.el) + 1
	joined := q.group != 0 && r.box == q.group && len(r.body) > 0
	if q.group != 0 && !joined {
		need += 60
	}
	if need > r.room {
		return false
	}
	r.room -= need
	switch {
	case joined:
		box := r.body[len(r.body)-1]
		box["items"] = append(box["items"].([]element), q.el)
	case q.group != 0:
		r.body = append(r.body, element{"type": "Container", "style": "emphasis", "items": []element{q.el}})
	default:
		r.body = append(r.body, q.el)
	}
	r.box = q.group
	return true
}

// more says, where text was cut, how much was left out.
func (r *renderer) more(lines int) {
	say := fmt.Sprintf("… (%d more lines)", lines)
	if lines <= 1 {
		say = "… (1 more line)"
	}
	note := look{size: "Small", subtle: true}.on(element{"type": "TextBlock", "text": say, "wrap": true})
	r.body = slices.Insert(r.body, min(r.gap, len(r.body)), note)
}

// revision differs between messages that differ.
func revision(m bot.Message) string {
	b, err := json.Marshal(m)
	if err != nil {
		b = []byte(m.Words())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:5])
}

// encode writes JSON as it is sent: compact, and < as itself.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

func sizeOf(v any) int { return len(encode(v)) }

func bad(says string, err error) *bot.Failure {
	return &bot.Failure{Kind: bot.KindBadRequest, System: system, Says: says, Err: err}
}
