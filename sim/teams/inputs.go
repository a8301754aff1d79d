package teams

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// button is an action of a card with the inputs that it sends.
type button struct {
	action map[string]any
	inputs []map[string]any
}

func (b button) text(name string) string {
	v, _ := b.action[name].(string)
	return v
}

func (b button) is(name string) bool {
	return name != "" && (b.text("title") == name || b.text("verb") == name || b.text("id") == name)
}

// buttons lists the actions of a card, in the order in which they are drawn.
func buttons(card map[string]any, above []map[string]any) []button {
	inputs := append(slices.Clone(above), inputsOf(card)...)
	var all []button
	walk(card, func(o map[string]any, kind string) bool {
		if !strings.HasPrefix(kind, "Action.") {
			return true
		}
		all = append(all, button{action: o, inputs: inputs})
		if inner, ok := o["card"].(map[string]any); ok && kind == "Action.ShowCard" {
			all = append(all, buttons(inner, inputs)...)
		}
		return false
	})
	return all
}

// inputsOf lists the inputs of a card, without those of cards inside it.
func inputsOf(card map[string]any) []map[string]any {
	var all []map[string]any
	walk(card, func(o map[string]any, kind string) bool {
		if _, isInput := elements[kind]; isInput && strings.HasPrefix(kind, "Input.") {
			all = append(all, o)
		}
		return !strings.HasPrefix(kind, "Action.")
	})
	return all
}

// walk visits the typed objects of a card in drawing order, for as long as
// visit asks for what is inside.
func walk(node any, visit func(o map[string]any, kind string) (inside bool)) {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			walk(item, visit)
		}
	case map[string]any:
		kind, _ := node["type"].(string)
		if kind != "" && !visit(node, kind) {
			return
		}
		for _, key := range slices.SortedFunc(maps.Keys(node), byDrawing) {
			if !slices.Contains([]string{"refresh", "fallback", "authentication", "data", "msteams"}, key) {
				walk(node[key], visit)
			}
		}
	}
}

// byDrawing puts a card's buttons below its body.
func byDrawing(a, b string) int {
	if (a == "actions") != (b == "actions") {
		if a == "actions" {
			return 1
		}
		return -1
	}
	return strings.Compare(a, b)
}

// choose finds the button that a person means by its words, its verb or its ID;
// nth tells between several alike, counted from 1.
func choose(all []button, name string, nth int) (button, error) {
	var hits []button
	var there []string
	for _, b := range all {
		there = append(there, strings.TrimSpace(fmt.Sprintf("%q %s", b.text("title"), b.text("verb"))))
		if b.is(name) {
			hits = append(hits, b)
		}
	}
	switch {
	case len(hits) == 0:
		return button{}, fmt.Errorf("the card has no button %q; it has: %s", name, strings.Join(there, ", "))
	case nth > len(hits):
		return button{}, fmt.Errorf("the card has %d buttons %q, and no number %d", len(hits), name, nth)
	case nth == 0 && len(hits) > 1:
		return button{}, fmt.Errorf("the card has %d buttons %q; say which one by its number", len(hits), name)
	}
	hit := hits[max(nth, 1)-1]
	if hit.action["isEnabled"] == false {
		return button{}, fmt.Errorf("the button %q is greyed out", name)
	}
	return hit, nil
}

// fill types values into inputs and checks them as the client does. given goes
// by input ID or label. The second result is what is shown below the inputs.
func fill(inputs []map[string]any, given map[string]any) (map[string]any, map[string]string, error) {
	values, faults, used := map[string]any{}, map[string]string{}, map[string]bool{}
	for _, in := range inputs {
		id, _ := in["id"].(string)
		label, _ := in["label"].(string)
		v := in["value"]
		for _, name := range []string{label, id} {
			if g, ok := given[name]; ok && name != "" {
				v, used[name] = g, true
			}
		}
		text, there, err := enter(in, v)
		if err != nil {
			return nil, nil, fmt.Errorf("the input %q: %w", id, err)
		}
		if why := objection(in, text); why != "" {
			faults[id] = why
		}
		if there {
			values[id] = text
		}
	}
	for name := range given {
		if !used[name] {
			return nil, nil, fmt.Errorf("there is no input %q here; there are: %s", name, strings.Join(inputNames(inputs), ", "))
		}
	}
	return values, faults, nil
}

func inputNames(inputs []map[string]any) []string {
	names := []string{}
	for _, in := range inputs {
		names = append(names, fmt.Sprint(in["id"]))
	}
	return names
}

// enter returns what an input holds once v was typed into it, always a text. The
// second result is whether it is sent: an empty choice or number is not.
func enter(in map[string]any, v any) (string, bool, error) {
	text := ""
	switch v := v.(type) {
	case nil:
	case string:
		text = v
	case bool:
		text = strconv.FormatBool(v)
	case float64, int, json.Number:
		text = fmt.Sprint(v)
	case []string:
		text = strings.Join(v, ",")
	case []any:
		all := make([]string, len(v))
		for i := range v {
			all[i] = fmt.Sprint(v[i])
		}
		text = strings.Join(all, ",")
	default:
		return "", false, fmt.Errorf("it takes a text, not %T", v)
	}
	switch in["type"] {
	case "Input.Toggle":
		return toggled(in, text)
	case "Input.ChoiceSet":
		return chosen(in, text)
	case "Input.Number":
		if _, err := strconv.ParseFloat(text, 64); text != "" && err != nil {
			return "", false, fmt.Errorf("the client takes no %q for a number", text)
		}
		return text, text != "", nil
	case "Input.Date", "Input.Time":
		layout := map[any]string{"Input.Date": time.DateOnly, "Input.Time": "15:04"}[in["type"]]
		if _, err := time.Parse(layout, text); text != "" && err != nil {
			return "", false, fmt.Errorf("the client takes %s, not %q", layout, text)
		}
	}
	return text, true, nil
}

func toggled(in map[string]any, text string) (string, bool, error) {
	on, off := "true", "false"
	if v, ok := in["valueOn"].(string); ok {
		on = v
	}
	if v, ok := in["valueOff"].(string); ok {
		off = v
	}
	switch text {
	case on, "true":
		return on, true, nil
	case off, "false", "":
		return off, true, nil
	}
	return "", false, fmt.Errorf("a switch is %q or %q, not %q", on, off, text)
}

// chosen takes values or the words of choices.
func chosen(in map[string]any, text string) (string, bool, error) {
	if text == "" {
		return "", false, nil
	}
	list, _ := in["choices"].([]any)
	pick := func(word string) (string, bool) {
		for _, item := range list {
			c, _ := item.(map[string]any)
			if c["value"] == word || c["title"] == word {
				v, ok := c["value"].(string)
				return v, ok
			}
		}
		return "", false
	}
	if v, ok := pick(text); ok {
		return v, true, nil
	}
	if in["isMultiSelect"] != true {
		return "", false, fmt.Errorf("there is no choice %q", text)
	}
	var all []string
	for _, word := range strings.Split(text, ",") {
		v, ok := pick(strings.TrimSpace(word))
		if !ok {
			return "", false, fmt.Errorf("there is no choice %q", word)
		}
		all = append(all, v)
	}
	return strings.Join(all, ","), true, nil
}

// objection is what the client says of an input's content, "" of a good one.
func objection(in map[string]any, text string) string {
	own, _ := in["errorMessage"].(string)
	if text == "" || in["type"] == "Input.Toggle" && text != onOf(in) {
		if in["isRequired"] == true {
			return cmp.Or(own, "This field is required.")
		}
		return ""
	}
	wrong := outOfRange(in, text)
	if pattern, ok := in["regex"].(string); ok && in["type"] == "Input.Text" {
		re, err := regexp.Compile(pattern)
		wrong = wrong || err == nil && !re.MatchString(text)
	}
	if most, ok := in["maxLength"].(float64); ok && most > 0 {
		wrong = wrong || len([]rune(text)) > int(most)
	}
	if wrong {
		return cmp.Or(own, "This value is not valid.")
	}
	return ""
}

func onOf(in map[string]any) string {
	if v, ok := in["valueOn"].(string); ok {
		return v
	}
	return "true"
}

func outOfRange(in map[string]any, text string) bool {
	if in["type"] == "Input.Number" {
		n, _ := strconv.ParseFloat(text, 64)
		least, hasLeast := in["min"].(float64)
		most, hasMost := in["max"].(float64)
		return hasLeast && n < least || hasMost && n > most
	}
	if in["type"] != "Input.Date" && in["type"] != "Input.Time" {
		return false
	}
	least, _ := in["min"].(string)
	most, _ := in["max"].(string)
	return least != "" && text < least || most != "" && text > most
}

// payload is the data of an action with the inputs in it. Data that is no object
// takes no inputs.
func payload(action map[string]any, values map[string]any) any {
	switch data := action["data"].(type) {
	case map[string]any:
		merged := maps.Clone(data)
		maps.Copy(merged, values)
		return merged
	case nil:
		return values
	default:
		return data
	}
}
