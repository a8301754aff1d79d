package teams

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// findings are what Teams lets pass in a card.
type findings struct {
	said    []string
	mention []mention
	ids     map[string]bool
	words   []string // every text of the card
	older   bool     // than 1.4, which has no Action.Execute
}

func (f *findings) add(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

var cardVersion = regexp.MustCompile(`^1\.(\d)$`)

// newestForBots is the newest minor version that the documentation names for
// cards of bots.
const newestForBots = 5

// checkCard checks an Adaptive Card. The error is why Teams refuses it.
func checkCard(raw json.RawMessage) (*findings, error) {
	f := &findings{ids: map[string]bool{}}
	card := map[string]any{}
	if json.Unmarshal(raw, &card) != nil || len(card) == 0 {
		return f, fmt.Errorf("the content is not the JSON of a card")
	}
	if card["type"] != "AdaptiveCard" {
		return f, fmt.Errorf("its type is %v, not AdaptiveCard", card["type"])
	}
	version, _ := card["version"].(string)
	hit := cardVersion.FindStringSubmatch(version)
	if hit == nil {
		return f, fmt.Errorf("the version %q is none of 1.0 to 1.5", version)
	}
	switch minor, _ := strconv.Atoi(hit[1]); {
	case minor > newestForBots+1:
		return f, fmt.Errorf("the version %q is none of 1.0 to 1.5", version)
	case minor > newestForBots:
		f.add("card version %s; the documentation names 1.5 as the newest for bots", version)
	case minor < 4:
		f.older = true
	}
	if err := f.check(card, "AdaptiveCard", partsOf["AdaptiveCard"], "card"); err != nil {
		return f, err
	}
	f.checkWhole(card)
	return f, nil
}

// checkWhole looks at what only the whole card shows.
func (f *findings) checkWhole(card map[string]any) {
	if list, _ := card["actions"].([]any); len(list) > visibleActions {
		n := 0
		for _, a := range list {
			if o, _ := a.(map[string]any); o["mode"] != "secondary" {
				n++
			}
		}
		if n > visibleActions {
			f.add("%d primary actions; Teams shows six and hides the others behind a menu without being asked", n)
		}
	}
	if r, _ := card["refresh"].(map[string]any); r != nil {
		if ids, _ := r["userIds"].([]any); len(ids) > refreshCrowd {
			f.add("%d user IDs to refresh for; Teams takes %d", len(ids), refreshCrowd)
		}
	}
	own, _ := card["msteams"].(map[string]any)
	raw, _ := json.Marshal(own["entities"]) // came as JSON
	marked := map[string]bool{}
	for _, m := range mentions(raw) {
		if m.Text == "" || !slices.ContainsFunc(f.words, func(w string) bool { return strings.Contains(w, m.Text) }) {
			f.add("mention mismatch: no text of the card has %q, so nobody is mentioned", m.Text)
			continue
		}
		marked[m.Text] = true
		f.mention = append(f.mention, m)
	}
	for _, w := range f.words {
		for _, hit := range atTag.FindAllString(w, -1) {
			if !marked[hit] {
				f.add("mention mismatch: %s stands in the card without an entity and mentions nobody", hit)
			}
		}
	}
}

// check holds one object of a card against the shape of its type.
func (f *findings) check(o map[string]any, name string, sh shape, at string) error {
	for _, need := range sh.need {
		if v, ok := o[need]; !ok || v == nil {
			return fmt.Errorf("%s: a %s needs %s", at, name, need)
		}
	}
	for key, v := range o {
		switch text, isText := v.(string); {
		case !slices.Contains(sh.props, key):
			f.add("%s: a %s has no property %q; Teams ignores it", at, name, key)
		case slices.Contains(texts, key) && !isText:
			return fmt.Errorf("%s: %s is no text", at, key)
		case sh.words[key] != "" && isText && !oneOf(text, sh.words[key]):
			f.add("%s: %s is %q, which is none of: %s", at, key, text, sh.words[key])
		case isText && (key == "text" || key == "value" && name == "Fact" || key == "title" && name == "Fact"):
			f.words = append(f.words, text)
		}
		if slot := sh.kids[key]; slot != "" && v != nil {
			if err := f.checkSlot(v, slot, at+"."+key); err != nil {
				return err
			}
		}
	}
	f.checkHabits(o, name, at)
	return nil
}

func oneOf(word, words string) bool {
	return slices.ContainsFunc(strings.Fields(words), func(w string) bool { return strings.EqualFold(w, word) })
}

// checkHabits finds what works badly in Teams although the schema has it.
func (f *findings) checkHabits(o map[string]any, name, at string) {
	if id, _ := o["id"].(string); id != "" {
		if f.ids[id] {
			f.add("%s: the ID %q is there twice; only one of the inputs is sent", at, id)
		}
		f.ids[id] = true
	}
	switch {
	case strings.HasPrefix(name, "Input.") && name != "Input.Choice" && o["isRequired"] == true && o["label"] == nil && name != "Input.Toggle":
		f.add("%s: a required input without a label cannot say what is missing", at)
	case name == "Action.Execute" && f.older:
		f.add("%s: Action.Execute needs card version 1.4", at)
	case strings.HasPrefix(name, "Action.") && o["title"] == nil && !strings.HasSuffix(at, "selectAction") && !strings.HasSuffix(at, "refresh.action"):
		f.add("%s: a button without a title", at)
	case name == "Image" && o["altText"] == nil:
		f.add("%s: a picture without altText says nothing to those who cannot see it", at)
	}
}

// checkSlot checks what stands in a property that holds other objects.
func (f *findings) checkSlot(v any, slot, at string) error {
	inner, isList := strings.CutPrefix(slot, "[]")
	if !isList {
		return f.checkKid(v, inner, at)
	}
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%s is no list", at)
	}
	for i, item := range list {
		if err := f.checkKid(item, inner, fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return err
		}
	}
	return nil
}

func (f *findings) checkKid(v any, slot, at string) error {
	if text, ok := v.(string); ok && slot == "inline" {
		f.words = append(f.words, text)
		return nil
	}
	o, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is no object", at)
	}
	name, _ := o["type"].(string)
	var sh shape
	known := false
	switch slot {
	case "element":
		sh, known = elements[name]
	case "action":
		sh, known = actions[name]
	case "inline":
		sh, known = partsOf[name]
		known = known && name == "TextRun"
	default: // the type goes without saying
		if sh, known = partsOf[slot]; !known {
			sh, known = elements[slot]
		}
		if name != "" && name != slot {
			return fmt.Errorf("%s: a %s is expected, not %q", at, slot, name)
		}
		name = slot
	}
	if known {
		return f.check(o, name, sh, at)
	}
	if fallback, has := o["fallback"]; has && name != "" && (slot == "element" || slot == "action") {
		if word, isWord := fallback.(string); isWord && strings.EqualFold(word, "drop") {
			return nil
		}
		return f.checkKid(fallback, slot, at+".fallback")
	}
	return fmt.Errorf("%s: the %s type %q is unknown", at, slot, name)
}
