package setup

import (
	"encoding/json"
	"strings"

	"keyturn/bot"
)

// Item is one object of a list that was read.
type Item struct{ raw json.RawMessage }

// Get is the value at a path of the object, or "".
func (i Item) Get(path string) string {
	s, _ := bot.Pick(i.raw, path)
	return inert(s)
}

// inert keeps what somebody else wrote from naming a secret: a value goes into
// later calls, whose {{name}} is a secret of the run.
func inert(s string) string { return strings.ReplaceAll(s, "{{", "{ {") }

// List is the objects at a path of the object.
func (i Item) List(path string) []Item { return items(i.raw, path) }

func items(body json.RawMessage, path string) []Item {
	var out []Item
	for _, raw := range bot.PickList(body, path) {
		out = append(out, Item{raw})
	}
	return out
}

// Strings is the strings of a list at a path of the call's answer.
func (r Reading) Strings(call, path string) []string {
	return plain(bot.PickList(r[call].Answer.Body, path))
}

// Strings is the strings of a list at a path of the object.
func (i Item) Strings(path string) []string { return plain(bot.PickList(i.raw, path)) }

func plain(raw []json.RawMessage) []string {
	var out []string
	for _, r := range raw {
		var s string
		if json.Unmarshal(r, &s) == nil {
			out = append(out, inert(s))
		}
	}
	return out
}
