package play

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// drawnCard is what a person reads and can use of an Adaptive Card.
type drawnCard struct {
	lines   []string
	buttons []cardButton
	inputs  []cardInput
	links   []string
}

// cardButton is a button with what its client needs to press it: Block is the
// words on it as they are drawn, nth which one of those it is.
type cardButton struct {
	Button
	nth   int
	sends bool // a form
}

// cardInput is an input of a form, and what is said to be wrong with it.
type cardInput struct {
	id, kind string
	wrong    string
}

// name is the input's name without the mark of how it is read.
func (i cardInput) name() string {
	_, name, _ := strings.Cut(i.id, ":")
	return name
}

type node = map[string]any

// readCard reads a card in the order in which it is drawn.
func readCard(raw json.RawMessage) drawnCard {
	var card node
	if json.Unmarshal(raw, &card) != nil {
		return drawnCard{}
	}
	d := &drawnCard{}
	d.items(card["body"])
	d.row(card["actions"])
	d.links = addresses(card)
	return *d
}

// readCards reads the cards of one message.
func readCards(raws []json.RawMessage) drawnCard {
	var all drawnCard
	for _, raw := range raws {
		d := readCard(raw)
		all.lines = append(all.lines, d.lines...)
		all.inputs = append(all.inputs, d.inputs...)
		all.links = append(all.links, d.links...)
		all.buttons = append(all.buttons, d.buttons...)
	}
	count := map[string]int{}
	for i := range all.buttons {
		count[all.buttons[i].Block]++
		all.buttons[i].nth = count[all.buttons[i].Block]
	}
	return all
}

func (d drawnCard) text() string { return strings.Join(d.lines, "\n") }

func (d drawnCard) asButtons() []Button {
	var out []Button
	for _, b := range d.buttons {
		out = append(out, b.Button)
	}
	return out
}

func (d *drawnCard) say(line string) {
	if line = strings.TrimSpace(line); line != "" {
		d.lines = append(d.lines, line)
	}
}

func (d *drawnCard) items(list any) {
	all, _ := list.([]any)
	for _, x := range all {
		if e, ok := x.(node); ok {
			d.item(e)
		}
	}
}

func (d *drawnCard) item(e node) {
	kind := str(e["type"])
	switch {
	case kind == "TextBlock" || kind == "RichTextBlock":
		line := words(e)
		d.say(line)
		if n := len(d.inputs); n > 0 && alarms(e) && d.inputs[n-1].wrong == "" {
			d.inputs[n-1].wrong = line
		}
	case kind == "FactSet":
		facts, _ := e["facts"].([]any)
		for _, x := range facts {
			f, _ := x.(node)
			d.say(plain(str(f["title"])) + ": " + plain(str(f["value"])))
		}
	case kind == "ColumnSet":
		columns, _ := e["columns"].([]any)
		var cells []string
		for _, x := range columns {
			c, _ := x.(node)
			inner := &drawnCard{}
			inner.items(c["items"])
			cells = append(cells, inner.text())
			d.buttons = append(d.buttons, inner.buttons...)
		}
		d.say(strings.Join(cells, " "))
	case kind == "Container":
		d.box(e)
	case kind == "ActionSet":
		d.row(e["actions"])
	case strings.HasPrefix(kind, "Input."):
		d.inputs = append(d.inputs, cardInput{id: str(e["id"]), kind: kind})
		d.say(plain(str(e["label"])))
	}
}

// box draws a container. A label above a box is a value to copy: it is read as
// one line where it is one.
func (d *drawnCard) box(e node) {
	items, _ := e["items"].([]any)
	inner := &drawnCard{}
	inner.items(items)
	if len(items) == 2 && len(inner.lines) == 2 {
		if second, ok := items[1].(node); ok && second["type"] == "Container" {
			inner.lines = []string{inner.lines[0] + ": " + inner.lines[1]}
		}
	}
	d.lines = append(d.lines, inner.lines...)
	d.buttons = append(d.buttons, inner.buttons...)
	d.inputs = append(d.inputs, inner.inputs...)
}

// row draws buttons, and what unfolds below them.
func (d *drawnCard) row(list any) {
	all, _ := list.([]any)
	var labels []string
	for _, x := range all {
		e, ok := x.(node)
		if !ok {
			continue
		}
		label := bare(str(e["title"]))
		labels = append(labels, "["+label+"]")
		if inner, ok := e["card"].(node); ok { // a question before the act
			asked := &drawnCard{}
			asked.row(inner["actions"])
			for _, b := range asked.buttons {
				b.Label = label
				d.buttons = append(d.buttons, b)
			}
			continue
		}
		b := cardButton{Button: Button{Label: label, Block: str(e["title"]), URL: str(e["url"])}}
		data, _ := e["data"].(node)
		if own, ok := data["keyturn"].(node); ok {
			b.Action, b.Value, b.sends = str(own["a"]), str(own["v"]), own["k"] == "form"
			if own["k"] == "back" {
				b.Action = "back"
			}
			if own["k"] == "show" {
				b.Action = "show"
			}
		}
		d.buttons = append(d.buttons, b)
	}
	d.say(strings.Join(labels, " "))
}

func str(v any) string {
	s, _ := v.(string)
	return s
}

func words(e node) string {
	if e["type"] == "TextBlock" {
		return plain(str(e["text"]))
	}
	var b strings.Builder
	runs, _ := e["inlines"].([]any)
	for _, x := range runs {
		switch r := x.(type) {
		case string:
			b.WriteString(bare(r))
		case node:
			b.WriteString(bare(str(r["text"])))
		}
	}
	return b.String()
}

// alarms reports whether a line is drawn as something that is wrong.
func alarms(e node) bool {
	if e["color"] == "Attention" {
		return true
	}
	runs, _ := e["inlines"].([]any)
	return slices.ContainsFunc(runs, func(x any) bool { r, ok := x.(node); return ok && r["color"] == "Attention" })
}

// bare takes out the invisible characters that keep a client from reading
// markup into text.
func bare(s string) string { return strings.ReplaceAll(s, "\u2060", "") }

var (
	markdownLink = regexp.MustCompile(`\[((?:[^\]\\]|\\.)*)\]\([^)\s]*\)`)
	atTag        = regexp.MustCompile(`</?at>`)
	emphasis     = regexp.MustCompile(`(^|[\s(])_([^_\\]+)_`)
)

var moment = regexp.MustCompile(`\{\{(DATE|TIME)\(([^,)]*)[^)]*\)\}\}`)

// clock writes the dates and times of a text block as a reader in UTC sees them.
func clock(s string) string {
	return moment.ReplaceAllStringFunc(s, func(call string) string {
		part := moment.FindStringSubmatch(call)
		at, err := time.Parse(time.RFC3339, part[2])
		switch {
		case err != nil:
			return call // as Teams does
		case part[1] == "DATE":
			return at.Format("2 Jan 2006")
		}
		return at.Format("15:04") + " UTC"
	})
}

// plain is what the Markdown of a text block shows.
func plain(s string) string {
	s = markdownLink.ReplaceAllString(bare(clock(s)), "$1")
	s = atTag.ReplaceAllString(s, "")
	s = emphasis.ReplaceAllString(s, "$1$2")
	var b strings.Builder
	runes := []rune(s)
	for i := 0; i < len(runes); i++ {
		switch {
		case runes[i] == '\\' && i+1 < len(runes) && (unicode.IsPunct(runes[i+1]) || unicode.IsSymbol(runes[i+1])):
			i++
			b.WriteRune(runes[i])
		case runes[i] == '*' && i+1 < len(runes) && runes[i+1] == '*':
			i++
		default:
			b.WriteRune(runes[i])
		}
	}
	return b.String()
}

var webAddress = regexp.MustCompile(`https?://[^\s"<>|\\)]+`)

// addresses is every address in a card that opens something.
func addresses(v any) []string {
	var all []string
	switch v := v.(type) {
	case string:
		all = webAddress.FindAllString(v, -1)
	case []any:
		for _, x := range v {
			all = append(all, addresses(x)...)
		}
	case node:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if k != "$schema" && k != "speak" && k != "fallbackText" && k != "data" {
				all = append(all, addresses(v[k])...)
			}
		}
	}
	return all
}

// entry is a value as an input of the card takes it.
func (i cardInput) entry(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []string:
		if i.kind == "Input.Toggle" {
			return strings.Join(v, ""), nil
		}
		var all []string
		for _, one := range v {
			all = append(all, url.QueryEscape(one))
		}
		return strings.Join(all, ","), nil
	}
	return nil, fmt.Errorf("the input %s takes a text or several, not %T", i.id, v)
}
