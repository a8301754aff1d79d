package chat

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
)

// card is an Adaptive Card on its way to a template, as one person sees it.
type card struct {
	t      *teamsDrawer
	key    string // differs between cards, and between two versions of one card
	v      map[string]any
	words  cardText
	typed  map[string]any
	errors map[string]string

	Red    string // the bot's error below the card
	Dialog string // the dialog that the card fills, "" in a message
}

// What the page writes into the objects of a card before it draws them. JSON of
// a bot may hold these names too; the page's own values replace them.
const (
	markID   = "\x00id"   // counts the objects
	markName = "\x00name" // what a click calls the action
	markNth  = "\x00nth"  // which one of several of that name
)

func (t *teamsDrawer) card(raw json.RawMessage, where string, typed map[string]any, red redLine) *card {
	sum := sha256.Sum256(append([]byte(where+"\x00"), raw...))
	c := &card{t: t, key: "c" + hex.EncodeToString(sum[:6]), v: map[string]any{}, typed: typed, errors: red.Errors, Red: red.Text}
	if json.Unmarshal(raw, &c.v) != nil || c.v == nil {
		c.v = map[string]any{} // what is no object is an empty card, which says so
	}
	own, _ := c.v["msteams"].(map[string]any)
	entities, _ := json.Marshal(own["entities"]) // came as JSON
	c.words = cardText{zone: t.zone, mentions: mentionsOf(entities), me: t.me.Teams, bot: "28:" + t.tm.App.BotAppID, card: true}
	n := 0
	stamp(c.v, &n)
	nameActions(actionsOf(c.v))
	return c
}

// stamp numbers the objects of a card, equal for equal cards.
func stamp(v any, n *int) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			stamp(item, n)
		}
	case map[string]any:
		for _, k := range sortedKeys(v) {
			stamp(v[k], n)
		}
		delete(v, markName)
		delete(v, markNth)
		*n++
		v[markID] = strconv.Itoa(*n)
	}
}

// actionsOf lists the actions of a card in the order in which the simulated
// client counts them.
func actionsOf(v any) []map[string]any {
	var all []map[string]any
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			all = append(all, actionsOf(item)...)
		}
	case map[string]any:
		if kind := str(v["type"]); strings.HasPrefix(kind, "Action.") {
			all = append(all, v)
			if inner, ok := v["card"].(map[string]any); ok && kind == "Action.ShowCard" {
				all = append(all, actionsOf(inner)...)
			}
			return all
		}
		keys := sortedKeys(v)
		if i := slices.Index(keys, "actions"); i >= 0 { // a card's buttons stand below its body
			keys = append(slices.Delete(keys, i, i+1), "actions")
		}
		for _, k := range keys {
			if !slices.Contains([]string{"refresh", "fallback", "authentication", "data", "msteams"}, k) {
				all = append(all, actionsOf(v[k])...)
			}
		}
	}
	return all
}

// nameActions gives every action the words that a click finds it by.
func nameActions(all []map[string]any) {
	for i, a := range all {
		name := cmp.Or(str(a["title"]), str(a["id"]), str(a["verb"]))
		if name == "" {
			continue
		}
		nth := 1
		for _, earlier := range all[:i] {
			if slices.Contains([]string{str(earlier["title"]), str(earlier["verb"]), str(earlier["id"])}, name) {
				nth++
			}
		}
		a[markName], a[markNth] = name, strconv.Itoa(nth)
	}
}

// Key is the element ID of the card.
func (c *card) Key() string { return c.key }

// Root is the card as an element.
func (c *card) Root() cnode { return cnode{c: c, v: c.v} }

// Empty says whether there is nothing to draw.
func (c *card) Empty() bool { return len(c.Root().Kids("body")) == 0 && !c.Root().HasActions() }

// cnode is one object of a card.
type cnode struct {
	c *card
	v map[string]any
}

// Card is the card that the object stands in.
func (n cnode) Card() *card { return n.c }

// Kind is the type of the object.
func (n cnode) Kind() string { return str(n.v["type"]) }

// Str is a property that is a text.
func (n cnode) Str(name string) string { return str(n.v[name]) }

// Flag is a property that is true.
func (n cnode) Flag(name string) bool { on, _ := n.v[name].(bool); return on }

// ID is an element ID that stays the same for as long as the card does.
func (n cnode) ID() string { return n.c.key + "-" + str(n.v[markID]) }

// Hidden says whether the element waits for Action.ToggleVisibility.
func (n cnode) Hidden() bool { return n.v["isVisible"] == false }

// drawn are the elements that the templates know.
var drawn = []string{"TextBlock", "RichTextBlock", "FactSet", "Container", "ColumnSet", "Image", "ImageSet", "ActionSet", "Table",
	"Input.Text", "Input.Number", "Input.Date", "Input.Time", "Input.Toggle", "Input.ChoiceSet"}

var pressable = []string{"Action.Execute", "Action.Submit", "Action.OpenUrl", "Action.ShowCard", "Action.ToggleVisibility"}

// known follows the fallback of an object whose type nobody can draw; nil drops
// it.
func known(v map[string]any, types []string) map[string]any {
	for range 10 { // a card has an end, but nobody needs more
		if slices.Contains(types, str(v["type"])) {
			return v
		}
		switch f := v["fallback"].(type) {
		case map[string]any:
			v = f
		case string:
			if strings.EqualFold(f, "drop") {
				return nil
			}
			return v
		default:
			return v
		}
	}
	return v
}

// Kids are the elements in a list.
func (n cnode) Kids(name string) []cnode {
	var all []cnode
	for _, v := range objects(n.v[name]) {
		if v = known(v, drawn); v != nil {
			all = append(all, cnode{n.c, v})
		}
	}
	return all
}

// objects is maps, with an empty object for what is none, so that it shows.
func objects(v any) []map[string]any {
	list, _ := v.([]any)
	all := make([]map[string]any, len(list))
	for i := range list {
		if all[i], _ = list[i].(map[string]any); all[i] == nil {
			all[i] = map[string]any{"type": fmt.Sprintf("%T", list[i])}
		}
	}
	return all
}

// Parts are the objects in a list whose type goes without saying: columns, rows,
// cells.
func (n cnode) Parts(name string) []cnode {
	var all []cnode
	for _, v := range maps(n.v[name]) {
		all = append(all, cnode{n.c, v})
	}
	return all
}

var (
	spacings = map[string]string{"none": "none", "small": "small", "medium": "medium", "large": "large", "extralarge": "extralarge", "padding": "padding"}
	tones    = map[string]string{"emphasis": "emphasis", "good": "good", "attention": "attention", "warning": "warning", "accent": "accent"}
	looks    = map[string]map[string]string{
		"size":                {"small": "size-small", "medium": "size-medium", "large": "size-large", "extralarge": "size-xl"},
		"weight":              {"bolder": "bolder", "lighter": "lighter"},
		"color":               {"good": "tone-good", "warning": "tone-warning", "attention": "tone-attention", "accent": "tone-accent", "dark": "tone-dark", "light": "tone-light"},
		"fontType":            {"monospace": "mono"},
		"horizontalAlignment": {"center": "center", "right": "right"},
	}
)

// look are the classes of a text.
func (n cnode) look() []string {
	var all []string
	for _, name := range []string{"size", "weight", "color", "fontType", "horizontalAlignment"} {
		if class := looks[name][strings.ToLower(n.Str(name))]; class != "" {
			all = append(all, class)
		}
	}
	for name, class := range map[string]string{"isSubtle": "subtle", "highlight": "highlight", "italic": "italic"} {
		if n.Flag(name) {
			all = append(all, class)
		}
	}
	switch under, through := n.Flag("underline"), n.Flag("strikethrough"); {
	case under && through:
		all = append(all, "under-through")
	case under:
		all = append(all, "under")
	case through:
		all = append(all, "through")
	}
	slices.Sort(all)
	return all
}

// Class are the page's classes for an element.
func (n cnode) Class() string {
	all := []string{"ac"}
	if s := spacings[strings.ToLower(n.Str("spacing"))]; s != "" {
		all = append(all, "sp-"+s)
	}
	if n.Flag("separator") {
		all = append(all, "sep")
	}
	switch n.Kind() {
	case "TextBlock", "RichTextBlock":
		all = append(all, n.look()...)
		if n.Kind() == "TextBlock" && !n.Flag("wrap") {
			all = append(all, "nowrap")
		}
		if n.Kind() == "TextBlock" && n.Str("style") == "heading" {
			all = append(all, "heading")
		}
	case "Container", "ColumnSet":
		if s := tones[strings.ToLower(n.Str("style"))]; s != "" {
			all = append(all, "box", "box-"+s)
		}
	case "Image", "ImageSet":
		all = append(all, "image", cmp.Or(map[string]string{"small": "img-small", "medium": "img-medium", "large": "img-large", "stretch": "img-stretch"}[strings.ToLower(cmp.Or(n.Str("size"), n.Str("imageSize")))], "img-auto"))
		if strings.EqualFold(n.Str("style"), "person") {
			all = append(all, "img-person")
		}
		if class := looks["horizontalAlignment"][strings.ToLower(n.Str("horizontalAlignment"))]; class != "" {
			all = append(all, class)
		}
	}
	return strings.Join(all, " ")
}

// ColumnClass are the classes of a column: its width is auto, the rest
// (stretch), a share or a number of pixels, as classes because the page allows
// no inline style.
func (n cnode) ColumnClass() string {
	class := "col"
	if s := tones[strings.ToLower(n.Str("style"))]; s != "" {
		class += " box box-" + s
	}
	switch w := n.v["width"].(type) {
	case float64:
		return class + fmt.Sprintf(" share%d", min(10, max(1, int(w+0.5))))
	case string:
		if pixels, ok := strings.CutSuffix(w, "px"); ok {
			if n, err := strconv.Atoi(pixels); err == nil {
				return class + fmt.Sprintf(" px%d", min(240, max(20, (n+10)/20*20)))
			}
		}
		if n, err := strconv.ParseFloat(w, 64); err == nil && n > 0 && n < 1e6 {
			for n > 10 { // weights of 30 and 70 are shares too
				n /= 10
			}
			return class + fmt.Sprintf(" share%d", max(1, int(n+0.5)))
		}
		if strings.EqualFold(w, "auto") {
			return class + " auto"
		}
	}
	return class
}

// Picture is an image address that the page may load; "" shows the words only.
func (n cnode) Picture() template.URL {
	if u := n.Str("url"); n.c.t.pictures(u) {
		return template.URL(u)
	}
	return ""
}

func sortedKeys(v map[string]any) []string {
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
