package slack

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Message is one posted message.
type Message struct {
	TS          string          `json:"ts"`
	Channel     string          `json:"channel"`
	User        string          `json:"user"`
	Bot         bool            `json:"bot,omitempty"`     // posted by the app
	Subtype     string          `json:"subtype,omitempty"` // "channel_join" and the like
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks,omitempty"` // as received; WithIDs adds what Slack adds
	Attachments json.RawMessage `json:"attachments,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`
	ThreadTS    string          `json:"thread_ts,omitempty"` // the parent, of a reply
	Broadcast   bool            `json:"broadcast,omitempty"` // a reply that is shown in the channel too
	Revisions   int             `json:"revisions,omitempty"` // how often it was changed
	Changed     time.Time       `json:"changed,omitzero"`
	Edited      string          `json:"edited,omitempty"` // ts of the visible "edited" mark
	Deleted     bool            `json:"deleted,omitempty"`
	Hook        bool            `json:"hook,omitempty"` // came by a response address
	Unfurl      bool            `json:"unfurl,omitempty"`
}

// Ephemeral is a message that one person sees.
type Ephemeral struct {
	TS        string          `json:"ts"`
	Channel   string          `json:"channel"`
	To        string          `json:"to"`
	From      string          `json:"from"` // the bot's user ID, or USLACKBOT for the client's own words
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks,omitempty"`
	ThreadTS  string          `json:"thread_ts,omitempty"`
	Revisions int             `json:"revisions,omitempty"`
}

// View is an open modal, or somebody's App Home.
type View struct {
	ID       string                    `json:"id"`
	User     string                    `json:"user"`
	Body     json.RawMessage           `json:"body"` // as received
	Hash     string                    `json:"hash"`
	Root     string                    `json:"root"`
	Previous string                    `json:"previous,omitempty"`
	External string                    `json:"external,omitempty"`
	Revision int                       `json:"revision"`
	Typed    map[string]map[string]any `json:"typed,omitempty"`  // state.values as the person left it
	Errors   map[string]string         `json:"errors,omitempty"` // by block ID, from the last submission
}

// Notification says that a message reached for a person.
type Notification struct {
	TS      string `json:"ts"`
	Channel string `json:"channel"`
	User    string `json:"user"`
	Why     string `json:"why"`              // "mention", "group" or "dm"
	Missed  string `json:"missed,omitempty"` // why Slack would not tell them, "" where it does
}

// Violation is something that Slack lets pass and a good app does not do.
type Violation struct {
	At      time.Time `json:"at"`
	Channel string    `json:"channel,omitempty"`
	TS      string    `json:"ts,omitempty"`
	What    string    `json:"what"`
}

// Trouble is a failure of the bot that a person saw.
type Trouble struct {
	At   time.Time `json:"at"`
	User string    `json:"user"`
	What string    `json:"what"` // what Slack's client shows
	Why  string    `json:"why"`  // what was wrong with the bot's answer
}

// Hook is a response address.
type Hook struct {
	ID        string    `json:"id"`
	Channel   string    `json:"channel"`
	User      string    `json:"user"`
	Message   string    `json:"message,omitempty"`   // ts of the message it came with, if any
	Ephemeral bool      `json:"ephemeral,omitempty"` // that message is ephemeral
	ThreadTS  string    `json:"thread_ts,omitempty"`
	Command   string    `json:"command,omitempty"` // the line that was typed
	Uses      int       `json:"uses,omitempty"`
	Until     time.Time `json:"until"`
}

// Trigger is a ticket to open one modal.
type Trigger struct {
	ID    string    `json:"id"`
	User  string    `json:"user"`
	View  string    `json:"view,omitempty"` // the modal it was born in
	Used  bool      `json:"used,omitempty"`
	Until time.Time `json:"until"`
}

// Pending is an event that the bot has not taken yet.
type Pending struct {
	EventID string          `json:"event_id"`
	Type    string          `json:"type"`
	Body    json.RawMessage `json:"body"`
	First   time.Time       `json:"first"`
	Done    int             `json:"done"` // repetitions made
	Reason  string          `json:"reason"`
}

// State is everything that the simulator knows: what Snapshot returns and what
// the snapshot file holds.
type State struct {
	App           Config                               `json:"app"`
	Users         []User                               `json:"users"`
	Channels      []Channel                            `json:"channels"`
	Groups        []Group                              `json:"groups"`
	Files         []File                               `json:"files,omitempty"`
	Messages      []Message                            `json:"messages"` // oldest first, the deleted ones included
	Ephemerals    []Ephemeral                          `json:"ephemerals"`
	Views         []View                               `json:"views"` // open modals; the last one of a person is on top
	Homes         map[string]View                      `json:"homes"`
	Choices       map[string]map[string]map[string]any `json:"choices,omitempty"` // "user/ts" -> what they chose in a message's own inputs
	Notifications []Notification                       `json:"notifications"`
	Violations    []Violation                          `json:"violations"`
	Troubles      []Trouble                            `json:"troubles"`
	Hooks         map[string]Hook                      `json:"hooks,omitempty"`
	Triggers      map[string]Trigger                   `json:"triggers,omitempty"`
	Pending       []Pending                            `json:"pending,omitempty"`
	Last          *Delivery                            `json:"last,omitempty"` // the newest delivery to the bot
	Seq           int64                                `json:"seq"`
	LastMicro     int64                                `json:"last_micro"`
	Revoked       bool                                 `json:"revoked,omitempty"`
	Uninstalled   bool                                 `json:"uninstalled,omitempty"`
}

func (st *State) clone() State {
	c := *st
	c.Users = slices.Clone(st.Users)
	c.Channels = slices.Clone(st.Channels)
	for i := range c.Channels {
		c.Channels[i].Members = slices.Clone(c.Channels[i].Members)
	}
	c.Groups = slices.Clone(st.Groups)
	c.Files = slices.Clone(st.Files)
	c.Messages = slices.Clone(st.Messages)
	c.Ephemerals = slices.Clone(st.Ephemerals)
	c.Views = slices.Clone(st.Views)
	for i := range c.Views {
		c.Views[i].Typed = cloneValues(c.Views[i].Typed)
		c.Views[i].Errors = maps.Clone(c.Views[i].Errors)
	}
	c.Homes = maps.Clone(st.Homes)
	c.Choices = maps.Clone(st.Choices)
	for k, v := range c.Choices {
		c.Choices[k] = cloneValues(v)
	}
	c.Notifications = slices.Clone(st.Notifications)
	c.Violations = slices.Clone(st.Violations)
	c.Troubles = slices.Clone(st.Troubles)
	c.Hooks = maps.Clone(st.Hooks)
	c.Triggers = maps.Clone(st.Triggers)
	c.Pending = slices.Clone(st.Pending)
	return c
}

func cloneValues(v map[string]map[string]any) map[string]map[string]any {
	if v == nil {
		return nil
	}
	c := make(map[string]map[string]any, len(v))
	for k, inner := range v {
		c[k] = maps.Clone(inner)
	}
	return c
}
