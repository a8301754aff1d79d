package play

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"keyturn/sim/slack"
)

// Card is a message, an ephemeral or a page as its person sees it.
type Card struct {
	Platform    Platform
	Channel, TS string
	Where       string // the channel's name, "" in direct messages
	Peer        string // the name of a direct message's reader
	To          string // an ephemeral's reader
	Reader      string // the name of the only one who sees it, "" for what all see
	View        string // a view's ID, "" for messages
	Text        string // what a screen reader reads
	Thread      string
	Aloud       bool
	Buttons     []Button
	Links       []string // every address in it
	Edited      int
}

// Button is a button that can be clicked.
type Button struct {
	Label, Action, Value, Block, URL string
}

// Has finds a button by its label and a part of its value.
func (c Card) Has(label, value string) (Button, bool) {
	for _, b := range c.Buttons {
		if b.Label == label && strings.Contains(b.Value, value) {
			return b, true
		}
	}
	return Button{}, false
}

// For reports whether only this person sees the card.
func (c Card) For(who Person) bool { return c.Reader == who.Name || c.Peer == who.Name }

// key tells a message from every other.
func (c Card) key() string {
	return string(c.Platform) + "/" + c.Channel + "/" + c.TS + "/" + c.Reader + "/" + c.View
}

// blocks is what a player reads of Block Kit.
type block struct {
	Type     string          `json:"type"`
	BlockID  string          `json:"block_id"`
	Elements json.RawMessage `json:"elements"`
	Text     *struct {
		Text string `json:"text"`
	} `json:"text"`
}

type element struct {
	Type     string `json:"type"`
	ActionID string `json:"action_id"`
	Value    string `json:"value"`
	URL      string `json:"url"`
	Text     struct {
		Text string `json:"text"`
	} `json:"text"`
}

func buttonsOf(raw json.RawMessage) []Button {
	var blocks []block
	if json.Unmarshal(raw, &blocks) != nil {
		return nil
	}
	var out []Button
	for _, b := range blocks {
		if b.Type != "actions" {
			continue
		}
		var elements []element
		if json.Unmarshal(b.Elements, &elements) != nil {
			continue
		}
		for _, e := range elements {
			if e.Type == "button" {
				out = append(out, Button{Label: e.Text.Text, Action: e.ActionID, Value: e.Value, Block: b.BlockID, URL: e.URL})
			}
		}
	}
	return out
}

var address = regexp.MustCompile(`https?://[^\s"<>|\\]+`)

func linksOf(raw json.RawMessage) []string {
	var all []string
	for _, l := range address.FindAllString(string(raw), -1) {
		all = append(all, strings.ReplaceAll(l, "&amp;", "&"))
	}
	return all
}

// Value is a value to copy: what stands after its label.
func (c Card) Value(label string) string {
	for _, line := range strings.Split(c.Text, "\n") {
		if v, ok := strings.CutPrefix(line, label+": "); ok {
			return unescape(strings.TrimSpace(v))
		}
	}
	return ""
}

func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

func messageCard(m slack.Message) Card {
	thread := m.ThreadTS
	if thread == m.TS {
		thread = ""
	}
	return Card{Platform: OnSlack, Channel: m.Channel, TS: m.TS, Text: m.Text, Thread: thread, Aloud: m.Broadcast, Buttons: buttonsOf(m.Blocks), Links: linksOf(m.Blocks), Edited: m.Revisions}
}

// gist is the first lines of a text.
func gist(text string, lines int) string {
	all := strings.Split(text, "\n")
	if len(all) > lines {
		all = append(all[:lines:lines], fmt.Sprintf("(and %d more lines)", len(all)-lines))
	}
	for i := range all {
		all[i] = unescape(short(all[i], 400))
	}
	return strings.Join(all, "\n")
}

var progress = regexp.MustCompile(`^\d+ of \d+ done`)

// changedLine is the line of an edited message that says how far it is.
func changedLine(text string) string {
	for _, l := range strings.Split(text, "\n") {
		if progress.MatchString(l) {
			return unescape(short(l, 300))
		}
	}
	for _, l := range strings.Split(text, "\n") {
		if strings.Contains(l, " done · ") || strings.Contains(l, "finished") || strings.Contains(l, "✅") || strings.Contains(l, "⛔") || strings.Contains(l, "⏳") {
			return unescape(short(l, 300))
		}
	}
	return unescape(short(strings.SplitN(text, "\n", 2)[0], 300))
}
