package slack

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The lookups below expect s.mu to be held and return pointers into the state.

func (s *Server) user(id string) *User {
	i := slices.IndexFunc(s.st.Users, func(u User) bool { return u.ID == id })
	if i < 0 {
		return nil
	}
	return &s.st.Users[i]
}

func (s *Server) channel(id string) *Channel {
	i := slices.IndexFunc(s.st.Channels, func(c Channel) bool { return c.ID == id })
	if i < 0 || s.st.Channels[i].Deleted {
		return nil
	}
	return &s.st.Channels[i]
}

func (s *Server) message(channel, ts string) *Message {
	i := slices.IndexFunc(s.st.Messages, func(m Message) bool { return m.Channel == channel && m.TS == ts && !m.Deleted })
	if i < 0 {
		return nil
	}
	return &s.st.Messages[i]
}

func (s *Server) ephemeral(channel, ts string) *Ephemeral {
	i := slices.IndexFunc(s.st.Ephemerals, func(e Ephemeral) bool { return e.Channel == channel && e.TS == ts })
	if i < 0 {
		return nil
	}
	return &s.st.Ephemerals[i]
}

func (s *Server) view(id string) *View {
	i := slices.IndexFunc(s.st.Views, func(v View) bool { return v.ID == id })
	if i < 0 {
		return nil
	}
	return &s.st.Views[i]
}

// direct returns the direct message between the bot and a person, made at its
// first use as Slack does.
func (s *Server) direct(user string) *Channel {
	i := slices.IndexFunc(s.st.Channels, func(c Channel) bool { return c.Kind == Direct && c.Peer == user })
	if i < 0 {
		s.st.Channels = append(s.st.Channels, Channel{ID: "D" + strings.TrimLeft(user, "UW"), Kind: Direct, Peer: user,
			Members: []string{user, s.cfg.BotUserID}, Created: s.cfg.Now().Unix()})
		i = len(s.st.Channels) - 1
	}
	return &s.st.Channels[i]
}

// person returns a user who can act, or a sentence about why not.
func (s *Server) person(id string) (*User, error) {
	u := s.user(id)
	switch {
	case u == nil:
		return nil, fmt.Errorf("nobody in this workspace has the ID %q", id)
	case u.Deleted:
		return nil, fmt.Errorf("%s is deactivated and cannot do anything", u.Name)
	}
	return u, nil
}

// place returns a channel that a person can write in.
func (s *Server) place(user, channel string) (*Channel, error) {
	ch := s.channel(channel)
	switch {
	case ch == nil:
		return nil, fmt.Errorf("there is no channel %q", channel)
	case !slices.Contains(ch.Members, user):
		return nil, fmt.Errorf("%s is not in the channel %s", user, ch.Name)
	case ch.Archived:
		return nil, fmt.Errorf("the channel %s is archived", ch.Name)
	}
	return ch, nil
}

// WithIDs returns blocks as Slack hands them out: every block and every
// interactive element carries an ID. Those that the app left out are made up
// from seed and their position, so they are the same each time. Blocks that
// are not an array come back as nil.
func WithIDs(blocks json.RawMessage, seed string) []map[string]any {
	var list []map[string]any
	if json.Unmarshal(blocks, &list) != nil {
		return nil
	}
	for i, b := range list {
		if id, _ := b["block_id"].(string); id == "" {
			b["block_id"] = shortID(seed, i)
		}
		for j, el := range Elements(b) {
			if id, _ := el["action_id"].(string); id == "" && el["type"] != "image" {
				el["action_id"] = shortID(seed, i, j)
			}
		}
	}
	return list
}

// Elements lists what a person can click or fill in within one block.
func Elements(b map[string]any) []map[string]any {
	var all []map[string]any
	add := func(v any) {
		if el, ok := v.(map[string]any); ok && elementSpecs[kindOf(el)].may != nil {
			all = append(all, el)
		}
	}
	switch b["type"] {
	case "section":
		add(b["accessory"])
	case "input":
		add(b["element"])
	case "actions", "context_actions":
		items, _ := b["elements"].([]any)
		for _, item := range items {
			add(item)
		}
	}
	return all
}

// DrawnBlocks returns the message's blocks with every ID filled in.
func (m Message) DrawnBlocks() []map[string]any {
	return WithIDs(m.Blocks, fmt.Sprint(m.TS, m.Revisions))
}

// attachmentBlocks lists the blocks inside the message's attachments, by
// attachment.
func (m Message) attachmentBlocks() []json.RawMessage {
	var list []struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	if json.Unmarshal(m.Attachments, &list) != nil {
		return nil
	}
	all := make([]json.RawMessage, len(list))
	for i, at := range list {
		all[i] = at.Blocks
	}
	return all
}

// DrawnBlocks returns the ephemeral's blocks with every ID filled in.
func (e Ephemeral) DrawnBlocks() []map[string]any {
	return WithIDs(e.Blocks, fmt.Sprint(e.TS, e.Revisions))
}

// DrawnBlocks returns the view's blocks with every ID filled in. The made-up
// IDs last as long as the view, so that typed text survives an update.
func (v View) DrawnBlocks() []map[string]any {
	var body struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	_ = json.Unmarshal(v.Body, &body) // a view was checked before it was kept
	return WithIDs(body.Blocks, v.ID)
}

// field returns one property of the view's body.
func (v View) field(name string) any {
	var body map[string]any
	_ = json.Unmarshal(v.Body, &body) // checked before it was kept
	return body[name]
}

// cut shortens a text to a number of characters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}

// Words is the bare text of one of the view's titles: "title", "submit" or
// "close".
func (v View) Words(name string) string {
	t, _ := v.field(name).(map[string]any)
	s, _ := t["text"].(string)
	return s
}
