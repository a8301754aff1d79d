package incident

import (
	"strings"

	"keyturn/bot"
)

// tableTag deals with table, tr, td and th. Cells are collected and written
// when the table ends: only then is it known whether it is a table at all or a
// frame around one block of text.
func (w *writer) tableTag(t tag) {
	switch {
	case t.role == table && !t.close:
		if len(w.tables) < maxOpen {
			w.tables = append(w.tables, &grid{})
		}
	case t.role == table:
		w.endTable()
	case len(w.tables) == 0:
		w.want(byBreak, 1) // a row or cell without a table
	case t.role == row:
		w.endCell()
		if g := w.tables[len(w.tables)-1]; !t.close {
			g.rows = append(g.rows, nil)
		}
	case t.close:
		w.endCell()
	default:
		w.endCell()
		w.beginCell(t)
	}
}

func (w *writer) beginCell(t tag) {
	g := w.tables[len(w.tables)-1]
	if len(g.rows) == 0 {
		g.rows = append(g.rows, nil)
	}
	g.inCell, g.outer, g.base, g.style, g.link = true, w.page, len(w.open), w.style, w.link
	w.page = page{}
	w.link = ""
	if t.name == "th" {
		w.style[bold]++
	}
}

func (w *writer) endCell() {
	n := len(w.tables)
	if n == 0 || !w.tables[n-1].inCell {
		return
	}
	g := w.tables[n-1]
	w.truncate(g.base)
	last := len(g.rows) - 1
	g.rows[last] = append(g.rows[last], w.page.out)
	w.page, w.style, w.link, g.inCell = g.outer, g.style, g.link, false
}

func (w *writer) endTable() {
	n := len(w.tables)
	if n == 0 {
		return
	}
	w.endCell()
	g := w.tables[n-1]
	w.tables = w.tables[:n-1]
	columns := 0
	for _, r := range g.rows {
		columns = max(columns, len(r))
	}
	w.want(byBlock, 2)
	for _, r := range g.rows {
		w.writeRow(r, columns)
	}
	w.want(byBlock, 2)
}

// writeRow writes the cells of a row on one line, or, where the table has one
// column only, as the block of text that its cell is.
func (w *writer) writeRow(cells []bot.Text, columns int) {
	var line bot.Text
	for len(cells) > 1 && strings.TrimSpace(cells[len(cells)-1].Plain()) == "" {
		cells = cells[:len(cells)-1] // a separator before nothing
	}
	if columns < 2 && len(cells) > 0 {
		line = cells[0]
	} else {
		for i, c := range cells {
			if i > 0 {
				line = appendSpan(line, bot.Span{Text: " | "})
			}
			for _, s := range c {
				s.Text = oneRow(s.Text)
				line = appendSpan(line, s)
			}
		}
	}
	if strings.Trim(line.Plain(), " |") == "" {
		return
	}
	w.want(byBlock, 1)
	w.splice(line)
	w.want(byBlock, 1)
}

// oneRow keeps a cell on its row: line breaks are blanks there.
func oneRow(s string) string {
	if !strings.Contains(s, "\n") {
		return s
	}
	lines := strings.Split(s, "\n")
	out := lines[0]
	for _, l := range lines[1:] {
		if l = strings.TrimSpace(l); l != "" {
			out = strings.TrimRight(out, " ") + " " + l
		} else if !strings.HasSuffix(out, " ") {
			out += " "
		}
	}
	return out
}

// splice writes finished text.
func (w *writer) splice(t bot.Text) {
	w.put("")
	for _, s := range t {
		w.page.out = appendSpan(w.page.out, s)
	}
}
