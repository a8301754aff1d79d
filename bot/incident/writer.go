package incident

import (
	"strconv"
	"strings"

	"keyturn/bot"
)

// maxOpen bounds how deeply tags nest; deeper ones count as absent.
const maxOpen = 100

// writer builds rich text from pieces and tags. It never writes a blank or a
// line break that nothing follows.
type writer struct {
	page   page
	open   []element
	tables []*grid
	style  [pre + 1]int // how many elements of each inline style are open
	link   string
	linked bool // the open link has words
}

// page is the text written so far, with what has to come before the next word.
type page struct {
	out   bot.Text
	gap   [3]int // line breaks wanted by newlines, by br, by blocks: the largest counts
	space bool
	mark  string // the bullet of a list item that has no word yet
}

const (
	byNewline = iota
	byBreak
	byBlock
)

type element struct {
	name    string
	role    role
	number  int  // of the next item, in an ordered list
	ordered bool // ol
}

// grid is an open table. Its cells are pages of their own until it is closed.
type grid struct {
	rows   [][]bot.Text
	inCell bool
	outer  page // what goes on after the cell
	base   int  // open elements outside the cell
	style  [pre + 1]int
	link   string
}

func newWriter() *writer { return &writer{} }

func (w *writer) finish() bot.Text {
	for len(w.tables) > 0 {
		w.endTable()
	}
	return linkify(w.page.out)
}

// text writes tidy text.
func (w *writer) text(s string) {
	if w.style[pre] > 0 {
		w.preformatted(s)
		return
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if i > 0 {
			w.newline()
		}
		if i < len(lines)-1 {
			line = withoutContinuation(line)
		}
		w.words(line)
	}
}

// withoutContinuation takes away the backslash that Microsoft's editors leave
// before a line break. One that ends a path stays.
func withoutContinuation(line string) string {
	rest, ok := strings.CutSuffix(strings.TrimRight(line, " \t"), `\`)
	if !ok {
		return line
	}
	word := rest[strings.LastIndexAny(rest, " \t")+1:]
	if strings.Contains(word, `\`) || len(word) == 2 && letter(word[0]) && word[1] == ':' {
		return line
	}
	return rest
}

func (w *writer) newline() {
	if w.between() {
		return
	}
	w.page.gap[byNewline]++
}

// between reports whether we are between list items or table cells, where
// blanks and newlines only lay out the source.
func (w *writer) between() bool {
	if w.page.mark != "" {
		return true
	}
	if n := len(w.tables); n > 0 && !w.tables[n-1].inCell {
		return true
	}
	return len(w.open) > 0 && w.open[len(w.open)-1].role == list
}

func (w *writer) words(line string) {
	words := strings.Fields(line)
	if len(words) == 0 {
		w.page.space = w.page.space || line != ""
		return
	}
	s := strings.Join(words, " ")
	if c := line[0]; c == ' ' || c == '\t' {
		w.page.space = true
	}
	w.put(s)
	c := line[len(line)-1]
	w.page.space = c == ' ' || c == '\t'
}

func (w *writer) preformatted(s string) {
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			w.page.gap[byNewline]++
		}
		line = strings.ReplaceAll(line, "\t", "    ")
		words := strings.TrimRight(line, " ")
		if words != "" {
			w.put(words)
		}
		w.page.space = w.page.space || words != line
	}
}

// put writes a piece of one line, after the line breaks, bullet or blank that
// have to precede it.
func (w *writer) put(s string) {
	p := &w.page
	span := bot.Span{Text: s, Bold: w.style[bold] > 0, Italic: w.style[italic] > 0, Strike: w.style[strike] > 0,
		Code: w.style[code]+w.style[pre] > 0, Link: w.link}
	if breaks := min(2, max(p.gap[byNewline], p.gap[byBreak], p.gap[byBlock])); breaks > 0 {
		if len(p.out) > 0 {
			p.out = appendSpan(p.out, bot.Span{Text: strings.Repeat("\n", breaks)})
		}
	} else if p.space && len(p.out) > 0 && p.mark == "" {
		blank := span
		blank.Text = " "
		if !sameStyle(p.out[len(p.out)-1], blank) {
			blank = bot.Span{Text: " "}
		}
		p.out = appendSpan(p.out, blank)
	}
	if p.mark != "" {
		p.out = appendSpan(p.out, bot.Span{Text: p.mark})
	}
	p.gap, p.space, p.mark = [3]int{}, false, ""
	p.out = appendSpan(p.out, span)
	w.linked = true
}

// want asks for line breaks before the next word.
func (w *writer) want(kind, n int) {
	if w.page.mark != "" {
		return // the bullet has them
	}
	if kind == byBlock {
		w.page.gap[kind] = max(w.page.gap[kind], n)
	} else {
		w.page.gap[kind] += n
	}
}

func (w *writer) tag(t tag) {
	switch {
	case t.role == ignored:
	case t.role == breaking:
		w.want(byBreak, 1)
	case t.role == picture:
		if !t.close {
			w.picture(t.attr("alt"))
		}
	case t.role == table || t.role == row || t.role == cell:
		w.tableTag(t)
	case t.close:
		w.closeTag(t)
	default:
		w.openTag(t)
	}
}

func (w *writer) picture(alt string) {
	words := "[picture]"
	if alt = oneLine(alt); alt != "" {
		words = "[picture: " + alt + "]"
	}
	w.page.space = true
	w.put(words)
	w.page.space = true
}

func (w *writer) openTag(t tag) {
	switch t.role {
	case paragraph, heading:
		w.endOpen(func(e element) bool { return e.role == paragraph || e.role == heading }, list, item, block)
	case item:
		w.endOpen(func(e element) bool { return e.role == item }, list)
	case anchor:
		w.endOpen(func(e element) bool { return e.role == anchor })
	}
	w.want(byBlock, w.blockGap(t.role))
	if len(w.open) < maxOpen {
		w.open = append(w.open, element{name: t.name, role: t.role, number: firstNumber(t), ordered: t.name == "ol"})
		w.count(t.role, 1)
	}
	switch t.role {
	case item:
		w.page.mark = w.bullet()
	case anchor:
		w.link, w.linked = safeLink(t.attr("href")), false
	}
}

// firstNumber is where an ordered list begins to count: Microsoft splits lists
// around pictures and lets the rest go on.
func firstNumber(t tag) int {
	if t.name == "ol" {
		if n, err := strconv.Atoi(t.attr("start")); err == nil && n > 0 {
			return n
		}
	}
	return 1
}

// blockGap is how many line breaks stand around an element.
func (w *writer) blockGap(r role) int {
	switch r {
	case block, item, list:
		return 1
	case paragraph, heading, pre:
		for _, e := range w.open[w.base():] {
			if e.role == list {
				return 1
			}
		}
		return 2
	}
	return 0
}

// bullet is what a new item of the innermost list begins with.
func (w *writer) bullet() string {
	depth, in := 0, -1
	for i, e := range w.open {
		if e.role == list {
			depth, in = depth+1, i
		}
	}
	indent := strings.Repeat("   ", max(0, min(depth, 6)-1))
	switch {
	case in >= 0 && w.open[in].ordered:
		n := w.open[in].number
		w.open[in].number++
		return indent + strconv.Itoa(n) + ". "
	case depth == 2:
		return indent + "◦ "
	case depth > 2:
		return indent + "▪ "
	}
	return indent + "• "
}

func (w *writer) closeTag(t tag) {
	for i := len(w.open) - 1; i >= w.base(); i-- {
		if w.open[i].name != t.name {
			continue
		}
		if t.role == anchor && w.link != "" && !w.linked {
			w.put(w.link) // a link without words shows its address
		}
		if w.open[i].role >= bold && w.open[i].role != pre {
			w.remove(i)
		} else {
			w.truncate(i)
		}
		break
	}
	if t.role == item {
		w.page.mark = ""
	}
	w.want(byBlock, w.blockGap(t.role))
}

// endOpen closes the innermost open element that matches, unless one of the
// fences is open inside it: an item ends the item before it, but not the item
// around its list.
func (w *writer) endOpen(match func(element) bool, fences ...role) {
	for i := len(w.open) - 1; i >= w.base(); i-- {
		if match(w.open[i]) {
			if w.open[i].role == anchor {
				w.remove(i)
			} else {
				w.truncate(i)
			}
			return
		}
		for _, f := range fences {
			if w.open[i].role == f {
				return
			}
		}
	}
}

// truncate closes the elements from i on.
func (w *writer) truncate(i int) {
	for len(w.open) > i {
		w.remove(len(w.open) - 1)
	}
}

func (w *writer) remove(i int) {
	e := w.open[i]
	w.open = append(w.open[:i], w.open[i+1:]...)
	w.count(e.role, -1)
	if e.role == anchor {
		w.link = ""
	}
}

// count keeps the number of open elements of an inline style. A heading is
// bold.
func (w *writer) count(r role, n int) {
	switch {
	case r == heading:
		w.style[bold] += n
	case r >= bold && r <= pre:
		w.style[r] += n
	}
}

// base is where the elements of the innermost open cell begin.
func (w *writer) base() int {
	if n := len(w.tables); n > 0 && w.tables[n-1].inCell {
		return w.tables[n-1].base
	}
	return 0
}

func sameStyle(a, b bot.Span) bool {
	return a.Bold == b.Bold && a.Italic == b.Italic && a.Strike == b.Strike && a.Code == b.Code && a.Link == b.Link &&
		a.Who == nil && b.Who == nil && a.Group == b.Group && a.Time == nil && b.Time == nil
}

// appendSpan adds a span, to the last one where the style is the same.
func appendSpan(t bot.Text, s bot.Span) bot.Text {
	if s.Text == "" && s.Time == nil && s.Who == nil && s.Group == "" {
		return t
	}
	if n := len(t); n > 0 && sameStyle(t[n-1], s) && s.Time == nil && s.Who == nil && s.Group == "" {
		t[n-1].Text += s.Text
		return t
	}
	return append(t, s)
}
