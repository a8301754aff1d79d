package teams

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"keyturn/bot"
)

const (
	maxInputs  = 40
	maxChoices = 200
	maxTyped   = 3000
	maxError   = 600
	few        = 5 // up to how many choices are all in sight
)

var clock = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// shape says where a form is drawn.
type shape struct {
	dialog bool              // in a dialog, which has a title and a way out of its own
	here   string            // the channel that it is drawn in, "" in a chat
	errs   map[string]string // what is wrong, by input name
	typed  map[string][]string
	nonce  string
}

// formCard draws a form. Its button carries the form, so that it can be drawn
// again with what is wrong and what was typed, by any instance and after a
// restart. An error is a mistake of whoever made the form.
func formCard(f bot.Form, s shape) (element, error) {
	if len(f.Inputs) > maxInputs {
		return nil, bad(fmt.Sprintf("The form %s has %d inputs, more than the %d that fit into a card.", bot.Quote(f.Title), len(f.Inputs), maxInputs), nil)
	}
	if s.typed != nil {
		f.Inputs = slices.Clone(f.Inputs)
		for i := range f.Inputs {
			if v, given := s.typed[f.Inputs[i].Name]; given || f.Inputs[i].Kind != bot.Channel {
				f.Inputs[i].Values = v
			}
		}
	}
	packed, err := pack(f)
	if err != nil {
		return nil, bad(fmt.Sprintf("The form %s cannot be written.", bot.Quote(f.Title)), err)
	}
	below, err := inputs(f, s)
	if err != nil {
		return nil, err
	}
	p := pressed{Action: f.Action, Value: f.Value, Kind: pressSubmit, Form: packed}
	if p.Nonce = s.nonce; p.Nonce == "" {
		p.Nonce = digest([]byte(packed))[7:17]
	}
	title := first(bot.Shorten(f.Title, maxLabel), "Keyturn")
	m := bot.Message{}
	if !s.dialog {
		m.Add(bot.Heading{Text: title})
	}
	m.Add(f.Intro...)
	if m.Empty() {
		m.Add(bot.Heading{Text: title})
	}
	d, err := draw(m, nil, append(below, sizeHolder(sending(f, p, s))...))
	if err != nil {
		return nil, err
	}
	body := d.card["body"].([]element)
	d.card["body"] = body[:len(body)-1]
	d.card["actions"] = sending(f, p, s)
	d.card["fallbackText"] = title
	return d.card, nil
}

// sizeHolder makes the actions count when the body is measured.
func sizeHolder(actions []element) []element {
	return []element{{"type": "ActionSet", "actions": actions}}
}

// sending are the buttons of a form.
func sending(f bot.Form, p pressed, s shape) []element {
	title := guard(first(bot.Shorten(f.Submit, maxLabel), "Send"))
	if s.dialog {
		return []element{{"type": "Action.Submit", "title": title, "data": element{dataKey: p}, "style": "positive"}}
	}
	old := p
	old.Form = ""
	return []element{
		{"type": "Action.Execute", "title": title, "verb": verb, "data": element{dataKey: p}, "style": "positive",
			"fallback": element{"type": "Action.Submit", "title": title, "data": element{dataKey: old}}},
		back(),
	}
}

// back is the button that goes back to the card that was there before.
func back() element { return act("Back", pressed{Kind: pressBack}, false) }

// inputs draws the inputs with what is wrong with them.
func inputs(f bot.Form, s shape) ([]element, error) {
	r := &renderer{}
	var out []element
	seen := map[string]bool{}
	for _, in := range f.Inputs {
		if in.Name == "" || len(in.Name) > 200 || bot.Tidy(in.Name) != in.Name || seen[in.Name] {
			return nil, bad(fmt.Sprintf("The form %s has an input without a name, with an overlong one, or two of the same.", bot.Quote(f.Title)), nil)
		}
		seen[in.Name] = true
		drawn, err := input(in, s)
		if err != nil {
			return nil, err
		}
		out = append(out, drawn...)
		if hint := bot.Shorten(in.Hint, maxError); hint != "" {
			e := r.drawLine([]span{{text: hint}}, look{size: "Small", subtle: true})
			e["spacing"] = "None"
			out = append(out, e)
		}
		if wrong := bot.Shorten(s.errs[in.Name], maxError); wrong != "" {
			out = append(out, r.drawLine([]span{{text: wrong}}, look{alarm: true, bold: true}))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.errs)) {
		if wrong := bot.Shorten(s.errs[name], maxError); !seen[name] && wrong != "" {
			out = slices.Insert(out, 0, r.drawLine([]span{{text: wrong}}, look{alarm: true, bold: true}))
		}
	}
	return out, nil
}

func input(in bot.Input, s shape) ([]element, error) {
	label := guard(first(bot.Shorten(in.Label, 200), bot.Shorten(in.Name, 200)))
	e := element{"label": label, "id": idOne + in.Name}
	if !in.Optional && in.Kind != bot.Tick {
		e["isRequired"] = true
		e["errorMessage"] = "A value is needed here."
	}
	if holder := bot.Shorten(in.Example, 150); holder != "" && in.Kind != bot.Tick {
		e["placeholder"] = guard(holder)
	}
	switch in.Kind {
	case bot.Line, bot.Area, "":
		typed(e, in)
	case bot.Choice, bot.Choices:
		return chosen(e, in)
	case bot.Tick:
		e["type"], e["id"] = "Input.Toggle", idTick+in.Name
		e["title"] = guard(first(bot.Shorten(in.Example, 150), "Yes"))
		e["valueOn"], e["valueOff"], e["value"] = "yes", "no", "no"
		if len(in.Values) > 0 && in.Values[0] == "yes" {
			e["value"] = "yes"
		}
	case bot.Channel:
		return place(e, in, s.here), nil
	case bot.TimeOfDay:
		e["type"] = "Input.Time"
		if len(in.Values) > 0 && clock.MatchString(in.Values[0]) {
			e["value"] = in.Values[0]
		}
	default:
		return nil, bad(fmt.Sprintf("The input %s is of the unknown kind %s.", bot.Quote(in.Name), bot.Quote(string(in.Kind))), nil)
	}
	return []element{e}, nil
}

func typed(e element, in bot.Input) {
	e["type"], e["maxLength"] = "Input.Text", maxTyped
	if in.Max > 0 && in.Max < maxTyped {
		e["maxLength"] = in.Max
	}
	if in.Kind == bot.Area {
		e["isMultiline"] = true
	}
	if len(in.Values) > 0 && in.Values[0] != "" {
		v := bot.Tidy(in.Values[0])
		e["value"] = v[:bot.CutAt(v, e["maxLength"].(int), bot.Units)]
	}
}

// chosen draws choices. Teams separates several by commas, so theirs are
// written as URLs write them.
func chosen(e element, in bot.Input) ([]element, error) {
	if len(in.Options) == 0 {
		return nil, bad(fmt.Sprintf("The input %s has nothing to choose from.", bot.Quote(in.Name)), nil)
	}
	many := in.Kind == bot.Choices
	write := func(v string) string { return v }
	e["type"], e["wrap"] = "Input.ChoiceSet", true
	if many {
		e["id"], e["isMultiSelect"] = idMany+in.Name, true
		write = url.QueryEscape
	}
	e["style"] = "compact"
	if len(in.Options) <= few {
		e["style"] = "expanded"
	}
	var choices []element
	var values []string
	for _, o := range in.Options[:min(len(in.Options), maxChoices)] {
		if o.Value == "" {
			return nil, bad(fmt.Sprintf("The choice %s of the input %s needs a value.", bot.Quote(o.Label), bot.Quote(in.Name)), nil)
		}
		title := first(bot.Shorten(o.Label, 150), o.Value)
		if hint := bot.Shorten(o.Hint, 150); hint != "" {
			title += " – " + hint
		}
		choices = append(choices, element{"title": guard(title), "value": write(o.Value)})
		if slices.Contains(in.Values, o.Value) && (many || len(values) == 0) {
			values = append(values, write(o.Value))
		}
	}
	e["choices"] = choices
	if len(values) > 0 {
		e["value"] = strings.Join(values, ",")
	}
	out := []element{e}
	if n := len(in.Options); n > maxChoices {
		out = append(out, element{"type": "TextBlock", "wrap": true, "isSubtle": true, "size": "Small", "spacing": "None",
			"text": fmt.Sprintf("The first %d of %d are listed.", maxChoices, n)})
	}
	return out, nil
}

// place asks for a channel. Cards have no channel picker: it is this one, or
// the one whose link is pasted.
func place(e element, in bot.Input, here string) []element {
	value := ""
	if len(in.Values) > 0 {
		value = in.Values[0]
	}
	link := element{"type": "Input.Text", "id": idLinked + in.Name, "maxLength": 1000,
		"placeholder": "Link of the channel: its ⋯ menu, Copy link"}
	if here == "" {
		link["label"] = e["label"]
		if required, ok := e["isRequired"]; ok && value == "" {
			link["isRequired"], link["errorMessage"] = required, e["errorMessage"]
		}
		if value != "" {
			link["value"] = value
		}
		return []element{link}
	}
	delete(e, "placeholder")
	delete(e, "isRequired")
	delete(e, "errorMessage")
	e["type"], e["id"], e["style"] = "Input.ChoiceSet", idPlace+in.Name, "compact"
	e["choices"] = []element{{"title": "This channel", "value": here}}
	if value == "" || value == here || !in.Optional {
		e["value"] = here
	}
	if value != "" && value != here {
		link["value"] = value
	}
	link["label"] = "Or another channel"
	return []element{e, link}
}
