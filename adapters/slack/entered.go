package slack

import (
	"bytes"
	"encoding/json"
	"strings"
)

// entered is what an element of a form or a message holds. Each kind of
// element uses one of the fields. Source: Slack, "Block elements".
type entered struct {
	Type     string `json:"type"`
	Value    scalar `json:"value"`
	Selected struct {
		Value string `json:"value"`
	} `json:"selected_option"`
	SelectedOptions []struct {
		Value string `json:"value"`
	} `json:"selected_options"`
	User          string          `json:"selected_user"`
	Users         []string        `json:"selected_users"`
	Channel       string          `json:"selected_channel"`
	Channels      []string        `json:"selected_channels"`
	Conversation  string          `json:"selected_conversation"`
	Conversations []string        `json:"selected_conversations"`
	Date          string          `json:"selected_date"`
	Time          string          `json:"selected_time"`
	DateTime      scalar          `json:"selected_date_time"`
	Rich          json.RawMessage `json:"rich_text_value"`
	Files         []ref           `json:"files"`
}

// scalar is a string or a number; null is empty.
type scalar string

// UnmarshalJSON never fails: what is neither string nor number is empty.
func (s *scalar) UnmarshalJSON(b []byte) error {
	*s = ""
	b = bytes.TrimSpace(b)
	var text string
	if json.Unmarshal(b, &text) == nil {
		*s = scalar(text)
		return nil
	}
	var n json.Number
	if json.Unmarshal(b, &n) == nil {
		*s = scalar(n.String())
	}
	return nil
}

// values are what the person entered or chose, without empty ones.
func (e entered) values() []string {
	var out []string
	add := func(v ...string) {
		for _, x := range v {
			if x != "" {
				out = append(out, x)
			}
		}
	}
	add(string(e.Value), e.Selected.Value)
	for _, o := range e.SelectedOptions {
		add(o.Value)
	}
	add(e.User)
	add(e.Users...)
	add(e.Channel)
	add(e.Channels...)
	add(e.Conversation)
	add(e.Conversations...)
	add(e.Date, e.Time, string(e.DateTime))
	add(richWords(e.Rich))
	for _, f := range e.Files {
		add(f.ID)
	}
	return out
}

// inputs reads the state of a view or a message, by input name. An element
// that cannot be read is left out and costs nothing else.
func inputs(state json.RawMessage) map[string][]string {
	var s struct {
		Values map[string]map[string]json.RawMessage `json:"values"`
	}
	if read(state, &s) != nil || len(s.Values) == 0 {
		return nil
	}
	in := make(map[string][]string, len(s.Values))
	for block, elements := range s.Values {
		name := strings.TrimPrefix(block, inputPrefix)
		for _, raw := range elements {
			var e entered
			if read(raw, &e) != nil {
				continue
			}
			in[name] = append(in[name], e.values()...)
		}
		if in[name] == nil {
			in[name] = []string{}
		}
	}
	return in
}

// richWords is the text of a rich text value: its text leaves in order, a line
// for each section.
func richWords(raw json.RawMessage) string {
	var node struct {
		Text     string            `json:"text"`
		Elements []json.RawMessage `json:"elements"`
	}
	if len(raw) == 0 || read(raw, &node) != nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(node.Text)
	for _, e := range node.Elements {
		var kind struct {
			Type string `json:"type"`
		}
		_ = read(e, &kind)
		words := richWords(e)
		if b.Len() > 0 && strings.HasPrefix(kind.Type, "rich_text_") {
			b.WriteByte('\n')
		}
		b.WriteString(words)
	}
	return b.String()
}
