package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"slices"
	"strings"

	"keyturn/sim/slack"
)

// place is where blocks stand: what a click in them has to say.
type place struct {
	Channel, TS, View string
	Values            map[string]map[string]any // state.values
	Errors            map[string]string         // of a submitted form, by block ID
	Pane              string                    // tells the same message in the channel and in its thread apart
}

// node is one JSON object of Block Kit on its way to a template.
type node struct {
	d     *drawer
	place place
	block string // block ID
	v     map[string]any
	// label names an input for a screen reader.
	label string
	// form marks an input of a modal, which waits for the submit button.
	form bool
}

func (d *drawer) nodes(blocks []map[string]any, at place) []node {
	all := make([]node, len(blocks))
	for i, b := range blocks {
		all[i] = node{d: d, place: at, block: str(b["block_id"]), v: b}
	}
	return all
}

// Kind is the type of the object.
func (n node) Kind() string { return str(n.v["type"]) }

// Block is the block ID.
func (n node) Block() string { return n.block }

// Action is the action ID.
func (n node) Action() string { return str(n.v["action_id"]) }

// Has says whether a property is there.
func (n node) Has(name string) bool { return n.v[name] != nil }

// Str is a property that is a text.
func (n node) Str(name string) string { return str(n.v[name]) }

// Flag is a property that is true.
func (n node) Flag(name string) bool { on, _ := n.v[name].(bool); return on }

// Text draws a text object.
func (n node) Text(name string) template.HTML { return n.d.text(n.v[name]) }

// Words is the bare text of a text object, for attributes.
func (n node) Words(name string) string {
	t, _ := n.v[name].(map[string]any)
	return str(t["text"])
}

// Texts draws a list of text objects.
func (n node) Texts(name string) []template.HTML {
	var all []template.HTML
	for _, t := range maps(n.v[name]) {
		all = append(all, n.d.text(t))
	}
	return all
}

// Child is an object property.
func (n node) Child(name string) *node {
	v, ok := n.v[name].(map[string]any)
	if !ok {
		return nil
	}
	child := n
	child.v = v
	return &child
}

// Children are the objects of a list property.
func (n node) Children(name string) []node {
	var all []node
	for _, v := range maps(n.v[name]) {
		child := n
		child.v = v
		all = append(all, child)
	}
	return all
}

// Input is the element of an input block.
func (n node) Input() *node {
	el := n.Child("element")
	if el == nil {
		return nil
	}
	el.form, el.label = !n.Flag("dispatch_action"), n.Words("label")
	return el
}

// Error is what the bot found wrong with an input.
func (n node) Error() string { return n.place.Errors[n.block] }

// Rich draws a rich_text block.
func (n node) Rich() template.HTML { return n.d.richText(n.v) }

// Markdown draws a markdown block.
func (n node) Markdown() template.HTML { return n.d.markdown(n.Str("text")) }

// Rows draws the cells of a table.
func (n node) Rows() [][]template.HTML {
	var rows [][]template.HTML
	list, _ := n.v["rows"].([]any)
	for _, r := range list {
		var row []template.HTML
		for _, c := range maps(r) {
			if c["type"] == "rich_text" {
				row = append(row, n.d.richText(c))
			} else {
				row = append(row, n.d.plainText(str(c["text"])))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// Name is what a form calls the input.
func (n node) Name() string { return n.block + "/" + n.Action() }

// ID is an element ID that stays the same from one drawing to the next.
func (n node) ID() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{n.place.Pane, n.place.Channel, n.place.TS, n.place.View, n.block, n.Action(), n.Str("value")}, "\x00")))
	return "e" + hex.EncodeToString(sum[:6])
}

// Label names the control for a screen reader.
func (n node) Label() string {
	for _, l := range []string{n.Str("accessibility_label"), n.label, n.Words("placeholder"), n.Words("text")} {
		if l != "" {
			return l
		}
	}
	return "Choose"
}

// Link is a button's address where a browser may follow it.
func (n node) Link() string {
	if u := n.Str("url"); safeLink(u) {
		return u
	}
	return ""
}

// Picture is an image address that the page may load; "" shows the words only.
func (n node) Picture() template.URL {
	if f, ok := n.v["slack_file"].(map[string]any); ok {
		return n.d.file(str(f["id"]))
	}
	u := n.Str("image_url")
	if n.d.pictures(u) {
		return template.URL(u)
	}
	return ""
}

// state is the input's present state.
func (n node) state() map[string]any {
	s, _ := n.place.Values[n.block][n.Action()].(map[string]any)
	return s
}

// Value is the present value of a text, date or time input.
func (n node) Value() string {
	s := n.state()
	for _, name := range []string{"value", "selected_date", "selected_time"} {
		if v := str(s[name]); v != "" {
			return v
		}
	}
	return ""
}

// InputType is the browser's type for an input.
func (n node) InputType() string {
	return map[string]string{"datepicker": "date", "timepicker": "time", "email_text_input": "email", "url_text_input": "url"}[n.Kind()]
}

// Max is the greatest length of a text.
func (n node) Max() int {
	if most, ok := n.v["max_length"].(float64); ok {
		return int(most)
	}
	return 3000
}

// Multiple says whether the element takes more than one option.
func (n node) Multiple() bool {
	return n.Kind() == "checkboxes" || strings.HasPrefix(n.Kind(), "multi_")
}

// choice is one option of a menu.
type choice struct {
	Value, Words, Group, DetailWords string
	Text, Detail                     template.HTML
	Chosen                           bool
	ID                               string
}

// Choices lists what can be chosen, in groups where there are any.
func (n node) Choices() []choice {
	var all []choice
	add := func(list any, group string) {
		for _, o := range maps(list) {
			opt := node{d: n.d, v: o}
			all = append(all, choice{Value: opt.Str("value"), Words: opt.Words("text"), Text: opt.Text("text"), Detail: opt.Text("description"), DetailWords: opt.Words("description"), Group: group})
		}
	}
	add(n.v["options"], "")
	for _, g := range maps(n.v["option_groups"]) {
		add(g["options"], node{v: g}.Words("label"))
	}
	switch kind := strings.TrimPrefix(n.Kind(), "multi_"); kind {
	case "users_select":
		for _, u := range n.d.st.Users {
			if !u.Bot && !u.Deleted {
				all = append(all, choice{Value: u.ID, Words: u.RealName})
			}
		}
	case "channels_select", "conversations_select":
		for _, ch := range n.d.st.Channels {
			if !ch.Archived && !ch.Deleted && ch.Kind != slack.Direct && (ch.Kind == slack.Public && kind == "channels_select" || member(ch, n.d.viewer.ID)) {
				all = append(all, choice{Value: ch.ID, Words: "#" + ch.Name})
			}
		}
	}
	chosen := chosenValues(n.state())
	for i := range all {
		all[i].Chosen = slices.Contains(chosen, all[i].Value)
		all[i].ID = n.ID() + "-" + hex.EncodeToString([]byte(all[i].Value))
		if all[i].Text == "" {
			all[i].Text = n.d.plainText(all[i].Words)
		}
	}
	return all
}

// chosenValues reads every kind of selection out of a state.
func chosenValues(state map[string]any) []string {
	b, err := json.Marshal(state)
	if err != nil {
		return nil
	}
	var s struct {
		One      *struct{ Value string }  `json:"selected_option"`
		Many     []struct{ Value string } `json:"selected_options"`
		User     string                   `json:"selected_user"`
		Channel  string                   `json:"selected_channel"`
		Talk     string                   `json:"selected_conversation"`
		Users    []string                 `json:"selected_users"`
		Channels []string                 `json:"selected_channels"`
		Talks    []string                 `json:"selected_conversations"`
	}
	_ = json.Unmarshal(b, &s) // another shape chooses nothing
	all := slices.Concat(s.Users, s.Channels, s.Talks, []string{s.User, s.Channel, s.Talk})
	if s.One != nil {
		all = append(all, s.One.Value)
	}
	for _, o := range s.Many {
		all = append(all, o.Value)
	}
	return slices.DeleteFunc(all, func(v string) bool { return v == "" })
}

// Form says whether the element waits for the submit button.
func (n node) Form() bool { return n.form }

// SelfText draws the object itself where it is a text object.
func (n node) SelfText() template.HTML { return n.d.text(n.v) }

// Grouped says whether the element is drawn as a list of boxes.
func (n node) Grouped() bool {
	return n.Kind() == "radio_buttons" || n.Multiple() && n.Kind() != "multi_external_select"
}

// Wrong says whether the bot found something wrong with the input.
func (n node) Wrong() bool { return n.Error() != "" }

// group is a titled part of a menu.
type group struct {
	Name    string
	Choices []choice
}

// Groups are the choices by the title above them.
func (n node) Groups() []group {
	var all []group
	for _, c := range n.Choices() {
		if len(all) == 0 || all[len(all)-1].Name != c.Group {
			all = append(all, group{Name: c.Group})
		}
		last := &all[len(all)-1]
		last.Choices = append(last.Choices, c)
	}
	return all
}
