package chat

import (
	"cmp"
	"fmt"
	"html"
	"html/template"
	"slices"
	"strings"
)

// Text draws a property that takes Markdown.
func (n cnode) Text(name string) template.HTML { return n.c.words.blocks(n.Str(name)) }

// Line draws a property as one line of Markdown.
func (n cnode) Line(name string) template.HTML {
	var b strings.Builder
	n.c.words.inline(&b, n.Str(name))
	return template.HTML(b.String()) // #nosec G203: built from escaped parts only
}

// Rich draws the runs of a RichTextBlock; they know no Markdown.
func (n cnode) Rich() template.HTML {
	var b strings.Builder
	list, _ := n.v["inlines"].([]any)
	for _, item := range list {
		switch run := item.(type) {
		case string:
			b.WriteString(html.EscapeString(run))
		case map[string]any:
			cnode{n.c, run}.run(&b)
		}
	}
	return template.HTML(b.String()) // #nosec G203: built from escaped parts only
}

func (n cnode) run(b *strings.Builder) {
	if n.Kind() != "TextRun" && n.Kind() != "" {
		b.WriteString(`<span class="unknown">Cannot draw a text of type “` + html.EscapeString(n.Kind()) + `”.</span>`)
		return
	}
	var words strings.Builder
	text := n.Str("text")
	for text != "" { // times, and nothing else
		at := strings.Index(text, "{{")
		if at < 0 {
			break
		}
		words.WriteString(html.EscapeString(text[:at]))
		text = text[at:]
		if hit := acTime.FindStringSubmatch(text); hit != nil {
			words.WriteString(n.c.words.moment(hit))
			text = text[len(hit[0]):]
			continue
		}
		words.WriteString("{{")
		text = text[2:]
	}
	words.WriteString(html.EscapeString(text))
	class := strings.Join(n.look(), " ")
	out := words.String()
	if class != "" {
		out = `<span class="` + class + `">` + out + `</span>`
	}
	action, _ := n.v["selectAction"].(map[string]any)
	if u := str(action["url"]); action["type"] == "Action.OpenUrl" && safeLink(u) {
		out = anchor(u, out)
	}
	b.WriteString(out)
}

// Heading says whether a text is the title of something.
func (n cnode) Heading() bool { return n.Str("style") == "heading" }

// maxShown is how many buttons of one row Teams shows ("Types of cards").
const maxShown = 6

// row is a row of buttons.
type row struct {
	Shown, More []button
	Panels      []cnode // the cards that Action.ShowCard opens
}

// button is an action.
type button struct {
	cnode
	Name, Nth string
	Known     bool
}

// Row sorts the actions of a card or an ActionSet into those that are shown and
// those behind the menu.
func (n cnode) Row() row {
	var r row
	for _, v := range objects(n.v["actions"]) {
		if v = known(v, pressable); v == nil {
			continue
		}
		b := n.button(v)
		if len(r.Shown) == maxShown || strings.EqualFold(b.Str("mode"), "secondary") {
			r.More = append(r.More, b)
		} else {
			r.Shown = append(r.Shown, b)
		}
		if inner, ok := v["card"].(map[string]any); ok && b.Kind() == "Action.ShowCard" {
			r.Panels = append(r.Panels, cnode{n.c, inner})
		}
	}
	return r
}

// HasActions says whether there is anything to press at the bottom.
func (n cnode) HasActions() bool { return len(maps(n.v["actions"])) > 0 }

func (n cnode) button(v map[string]any) button {
	return button{cnode: cnode{n.c, v}, Name: str(v[markName]), Nth: str(v[markNth]), Known: slices.Contains(pressable, str(v["type"]))}
}

// Select is the action of the element itself; nil has none that the page can do.
func (n cnode) Select() *button {
	v, ok := n.v["selectAction"].(map[string]any)
	if !ok {
		return nil
	}
	b := n.button(v)
	if !b.Known || b.Kind() == "Action.ShowCard" || b.Link() == "" && b.Kind() == "Action.OpenUrl" || b.Name == "" && b.Kind() != "Action.OpenUrl" && b.Kind() != "Action.ToggleVisibility" {
		return nil
	}
	return &b
}

// Words are those on the button.
func (b button) Words() string { return cmp.Or(b.Str("title"), b.Name, "Open") }

// Style is the class of the button.
func (b button) Style() string {
	return map[string]string{"positive": " primary", "destructive": " danger"}[strings.ToLower(b.Str("style"))]
}

// Link is an address that a browser may follow.
func (b button) Link() string {
	if u := b.Str("url"); safeLink(u) {
		return u
	}
	return ""
}

// Off says whether the button is greyed out.
func (b button) Off() bool { return b.v["isEnabled"] == false }

// Panel is the element ID of the card that the button opens.
func (b button) Panel() string {
	inner, _ := b.v["card"].(map[string]any)
	return cnode{b.c, inner}.ID()
}

// Targets are the elements that Action.ToggleVisibility turns: "+" shows, "-"
// hides, "~" turns over; then the element's own ID.
func (b button) Targets() string {
	var all []string
	list, _ := b.v["targetElements"].([]any)
	for _, item := range list {
		switch t := item.(type) {
		case string:
			all = append(all, "~"+t)
		case map[string]any:
			how := "~"
			if on, ok := t["isVisible"].(bool); ok {
				how = map[bool]string{true: "+", false: "-"}[on]
			}
			all = append(all, how+str(t["elementId"]))
		}
	}
	return strings.Join(all, "\n")
}

// Error is what the client finds wrong with an input.
func (n cnode) Error() string { return n.c.errors[n.Str("id")] }

// present is what stands in an input.
func (n cnode) present() []string {
	v, given := n.c.typed[n.Str("id")]
	if !given {
		v = n.v["value"]
	}
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, fmt.Sprint(item))
		}
		return all
	case string:
		if n.Flag("isMultiSelect") && v != "" {
			return strings.Split(v, ",")
		}
		return []string{v}
	default:
		return []string{fmt.Sprint(v)}
	}
}

// Value is the text in an input.
func (n cnode) Value() string { return strings.Join(n.present(), ",") }

// InputType is the browser's type for an input.
func (n cnode) InputType() string {
	switch n.Kind() {
	case "Input.Number":
		return "number"
	case "Input.Date":
		return "date"
	case "Input.Time":
		return "time"
	}
	return cmp.Or(map[string]string{"password": "password", "tel": "tel", "email": "email", "url": "url"}[strings.ToLower(n.Str("style"))], "text")
}

// Limit is a bound of an input, "" has none.
func (n cnode) Limit(name string) string {
	switch v := n.v[name].(type) {
	case string:
		return v
	case float64:
		return fmt.Sprint(v)
	}
	return ""
}

// On is what a switch sends when it is on, and whether it is.
func (n cnode) On() string { return cmp.Or(n.Str("valueOn"), "true") }

// IsOn says whether a switch is on.
func (n cnode) IsOn() bool { return n.Value() == n.On() || n.Value() == "true" }

// Boxes says whether a choice is drawn with all choices in sight.
func (n cnode) Boxes() bool {
	return n.Flag("isMultiSelect") || strings.EqualFold(n.Str("style"), "expanded")
}

// Multiple says whether several may be chosen.
func (n cnode) Multiple() bool { return n.Flag("isMultiSelect") }

// option is one choice of an Input.ChoiceSet.
type option struct {
	ID, Value, Words string
	Chosen           bool
}

// Options are the choices of an Input.ChoiceSet.
func (n cnode) Options() []option {
	chosen := n.present()
	var all []option
	for i, v := range maps(n.v["choices"]) {
		o := option{ID: fmt.Sprint(n.ID(), "-", i), Value: str(v["value"]), Words: cmp.Or(str(v["title"]), str(v["value"]))}
		o.Chosen = slices.Contains(chosen, o.Value)
		all = append(all, o)
	}
	return all
}

// Heads says whether the first row of a table is its head.
func (n cnode) Heads() bool { return n.v["firstRowAsHeader"] != false }

// Inline is the button beside a text input.
func (n cnode) Inline() *button {
	v, ok := n.v["inlineAction"].(map[string]any)
	if !ok {
		return nil
	}
	b := n.button(v)
	return &b
}
