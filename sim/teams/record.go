package teams

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Message is one message of a conversation, by a person or by the bot.
type Message struct {
	ID           string    `json:"id"`
	Conversation string    `json:"conversation"`   // channel or chat, without the thread
	Root         string    `json:"root,omitempty"` // the first message of the thread, of a reply
	From         string    `json:"from"`           // Entra object ID, or the bot's app ID
	Bot          bool      `json:"bot,omitempty"`
	At           time.Time `json:"at"`
	Text         string    `json:"text,omitempty"`
	// Activity is what the bot sent, or what was made of the person's words.
	Activity  json.RawMessage            `json:"activity"`
	ReplyTo   string                     `json:"reply_to,omitempty"`
	To        string                     `json:"to,omitempty"`    // only this person sees it ("Only you can see this message")
	Views     map[string]json.RawMessage `json:"views,omitempty"` // the card as a person's last click left it for them alone, by object ID
	Refreshed map[string]time.Time       `json:"refreshed,omitempty"`
	Reactions []Reaction                 `json:"reactions,omitempty"`
	Revisions int                        `json:"revisions,omitempty"` // how often it was changed
	Changed   time.Time                  `json:"changed,omitzero"`
	Deleted   bool                       `json:"deleted,omitempty"`
}

// Reaction is one emoji on a message.
type Reaction struct {
	User string `json:"user"` // Entra object ID, or the bot's app ID
	Type string `json:"type"` // like, heart, laugh, surprised, sad, angry, ...
}

// Thread is the conversation ID of the message's thread, as the Connector
// writes it; in chats that of the chat.
func (m Message) Thread() string {
	switch {
	case m.Root != "":
		return m.Conversation + threadMark + m.Root
	case isChannel(m.Conversation):
		return m.Conversation + threadMark + m.ID
	}
	return m.Conversation
}

// Summary is what notifications show of the message.
func (m Message) Summary() string {
	var a struct {
		Summary string `json:"summary"`
	}
	if json.Unmarshal(m.Activity, &a) != nil || a.Summary == "" {
		return m.Text
	}
	return a.Summary
}

// Cards are the Adaptive Cards of the message as the bot sent them.
func (m Message) Cards() []json.RawMessage {
	var a struct {
		Attachments []struct {
			ContentType string          `json:"contentType"`
			Content     json.RawMessage `json:"content"`
		} `json:"attachments"`
	}
	if !m.Bot || json.Unmarshal(m.Activity, &a) != nil {
		return nil
	}
	var cards []json.RawMessage
	for _, at := range a.Attachments {
		if at.ContentType == adaptiveCard {
			cards = append(cards, at.Content)
		}
	}
	return cards
}

// CardsFor are the cards as one person sees them: the answer to their own last
// click, or what the bot sent.
func (m Message) CardsFor(user string) []json.RawMessage {
	if view, ok := m.Views[user]; ok {
		return []json.RawMessage{view}
	}
	return m.Cards()
}

// Dialog is an open dialog in front of a person.
type Dialog struct {
	ID           string            `json:"id"`
	User         string            `json:"user"`
	Conversation string            `json:"conversation"`       // with the thread
	Activity     string            `json:"activity,omitempty"` // the message whose button opened it
	Title        string            `json:"title,omitempty"`
	Height       any               `json:"height,omitempty"`
	Width        any               `json:"width,omitempty"`
	Card         json.RawMessage   `json:"card,omitempty"`
	URL          string            `json:"url,omitempty"`
	Errors       map[string]string `json:"errors,omitempty"`  // by input ID, from the client's own check
	Typed        map[string]any    `json:"typed,omitempty"`   // what the person left in the inputs
	Command      string            `json:"command,omitempty"` // the command of a message's menu that opened it
}

// The kinds of Notice.
const (
	Toast  = "toast"  // a line that goes away again
	Red    = "error"  // in red below the card
	Window = "window" // the words of a dialog that only tells something
)

// Notice is something that the client showed one person, once.
type Notice struct {
	At           time.Time `json:"at"`
	User         string    `json:"user"`
	Conversation string    `json:"conversation,omitempty"`
	Activity     string    `json:"activity,omitempty"`
	Kind         string    `json:"kind"`
	Code         string    `json:"code,omitempty"` // of an error
	Text         string    `json:"text"`
}

// Notification says that a message reached for a person.
type Notification struct {
	At           time.Time `json:"at"`
	Activity     string    `json:"activity"`
	Conversation string    `json:"conversation"`
	User         string    `json:"user"`
	Why          string    `json:"why"`              // mention, alert (the activity feed), chat or private
	Missed       string    `json:"missed,omitempty"` // why Teams would not tell them, "" where it does
}

// Violation is something that Teams lets pass and a good bot does not do.
type Violation struct {
	At           time.Time `json:"at"`
	Conversation string    `json:"conversation,omitempty"`
	Activity     string    `json:"activity,omitempty"`
	What         string    `json:"what"`
}

// Trouble is a failure of the bot; What is empty where no person saw it.
type Trouble struct {
	At   time.Time `json:"at"`
	User string    `json:"user,omitempty"`
	What string    `json:"what,omitempty"` // what the client shows
	Why  string    `json:"why"`            // what was wrong with the bot's answer
}

// Fetches counts how often the bot asked for the keys.
type Fetches struct {
	Documents int `json:"documents"`
	Keys      int `json:"keys"`
	Tokens    int `json:"tokens"` // token requests that were granted
}

// State is everything that the simulator knows: what Snapshot returns and what
// the snapshot file holds.
type State struct {
	App           Config         `json:"app"`
	Users         []User         `json:"users"`
	Teams         []Team         `json:"teams"`
	Chats         []Chat         `json:"chats"`
	Messages      []Message      `json:"messages"` // oldest first, the deleted ones included
	Dialogs       []Dialog       `json:"dialogs"`  // at most one a person
	Notices       []Notice       `json:"notices"`
	Notifications []Notification `json:"notifications"`
	Violations    []Violation    `json:"violations"`
	Troubles      []Trouble      `json:"troubles"`
	Refusals      []Refusal      `json:"refusals,omitempty"`
	Fetches       Fetches        `json:"fetches"`
	Outage        bool           `json:"outage,omitempty"` // the keys cannot be fetched
	Last          *Delivery      `json:"last,omitempty"`   // the newest delivery to the bot
	Seq           int64          `json:"seq"`
	LastMilli     int64          `json:"last_milli"`
}

func (st *State) clone() State {
	c := *st
	c.Users = slices.Clone(st.Users)
	c.Teams = slices.Clone(st.Teams)
	for i := range c.Teams {
		c.Teams[i].Channels = slices.Clone(c.Teams[i].Channels)
		c.Teams[i].Members = slices.Clone(c.Teams[i].Members)
	}
	c.Chats = slices.Clone(st.Chats)
	for i := range c.Chats {
		c.Chats[i].Members = slices.Clone(c.Chats[i].Members)
	}
	c.Messages = slices.Clone(st.Messages)
	for i := range c.Messages {
		m := &c.Messages[i]
		m.Views, m.Refreshed, m.Reactions = maps.Clone(m.Views), maps.Clone(m.Refreshed), slices.Clone(m.Reactions)
	}
	c.Dialogs = slices.Clone(st.Dialogs)
	for i := range c.Dialogs {
		c.Dialogs[i].Errors, c.Dialogs[i].Typed = maps.Clone(c.Dialogs[i].Errors), maps.Clone(c.Dialogs[i].Typed)
	}
	c.Notices = slices.Clone(st.Notices)
	c.Notifications = slices.Clone(st.Notifications)
	c.Violations = slices.Clone(st.Violations)
	c.Troubles = slices.Clone(st.Troubles)
	c.Refusals = slices.Clone(st.Refusals)
	return c
}
