package slack

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Config describes the workspace and the app installed in it.
type Config struct {
	TeamID        string `json:"team_id"`
	TeamName      string `json:"team_name"`
	AppID         string `json:"app_id"`
	BotID         string `json:"bot_id"` // B…, which messages carry beside the user
	BotUserID     string `json:"bot_user_id"`
	BotName       string `json:"bot_name"`
	BotToken      string `json:"-"`
	SigningSecret string `json:"-"`
	// AppToken switches Socket Mode on: requests go over connections that the
	// app opens with this app-level token, and none is posted.
	AppToken     string `json:"-"`
	ClientID     string `json:"-"` // asked for by apps.uninstall
	ClientSecret string `json:"-"`

	// FileLag is how long an uploaded file takes until messages may show it.
	FileLag time.Duration `json:"-"`

	// BotURL is where the bot listens, without a trailing slash.
	BotURL string `json:"-"`
	// URL is where the simulator itself is reached; response addresses begin
	// with it. SetURL gives it later, once the listener has a port.
	URL string `json:"-"`

	Users    []User    `json:"-"` // seed, used where there is no snapshot yet
	Channels []Channel `json:"-"`
	Groups   []Group   `json:"-"`

	Commands []string `json:"commands"` // slash commands of the app; default /keyturn
	// Shortcuts are the callback IDs of the app's message shortcuts; default
	// is-this-microsoft.
	Shortcuts []string `json:"shortcuts,omitempty"`
	Scopes    []string `json:"scopes"` // granted bot scopes; default DefaultScopes
	Events    []string `json:"events"` // event subscriptions; default DefaultEvents

	File       string           `json:"-"` // snapshot; "" keeps everything in memory
	Now        func() time.Time `json:"-"` // default time.Now
	Client     *http.Client     `json:"-"` // for calls to the bot; its time-out is AckTimeout
	AckTimeout time.Duration    `json:"-"` // default the 3 s of Slack's documentation; a trigger lives as long
	Limits     bool             `json:"-"` // enforce Slack's rate limits with 429
}

// User is a member of the workspace or, with Stranger, a person of another
// workspace who shares a channel with it (Slack Connect).
type User struct {
	ID       string `json:"id"`
	Name     string `json:"name"` // the handle, without @
	RealName string `json:"real_name"`
	Email    string `json:"email,omitempty"`
	TZ       string `json:"tz,omitempty"` // IANA name, default UTC
	Title    string `json:"title,omitempty"`
	Guest    bool   `json:"guest,omitempty"`
	Deleted  bool   `json:"deleted,omitempty"`
	Stranger bool   `json:"stranger,omitempty"`
	Admin    bool   `json:"admin,omitempty"` // of the workspace
	TeamID   string `json:"team_id,omitempty"`
	Bot      bool   `json:"bot,omitempty"`
}

// Kind says what a conversation is.
type Kind string

// The kinds of conversation.
const (
	Public  Kind = "channel"
	Private Kind = "private"
	Direct  Kind = "im"
)

// Channel is a conversation of any kind.
type Channel struct {
	ID       string   `json:"id"`
	Name     string   `json:"name,omitempty"` // without #; empty for a direct message
	Topic    string   `json:"topic,omitempty"`
	Kind     Kind     `json:"kind"`
	Members  []string `json:"members"`        // user IDs, the bot's included where it is a member
	Peer     string   `json:"peer,omitempty"` // the person a direct message is with
	Archived bool     `json:"archived,omitempty"`
	Deleted  bool     `json:"deleted,omitempty"`
	ReadOnly bool     `json:"read_only,omitempty"` // only admins of the workspace may post
	Shared   bool     `json:"shared,omitempty"`    // with another workspace
	Created  int64    `json:"created,omitempty"`   // Unix seconds
}

// Group is a user group, mentioned as <!subteam^ID>.
type Group struct {
	ID       string   `json:"id"`
	Handle   string   `json:"handle"` // without @
	Name     string   `json:"name"`
	Users    []string `json:"users"`
	Disabled bool     `json:"disabled,omitempty"`
}

// DefaultScopes are the least bot scopes that Keyturn asks for.
func DefaultScopes() []string {
	return []string{"commands", "chat:write", "app_mentions:read", "users:read", "users:read.email",
		"usergroups:read", "im:history", "channels:read", "groups:read"}
}

// DefaultEvents are all the events that the simulator can send.
func DefaultEvents() []string {
	return []string{"app_mention", "message.im", "app_home_opened", "member_joined_channel",
		"member_left_channel", "channel_left", "group_left", "channel_archive", "channel_unarchive",
		"group_archive", "group_unarchive", "channel_deleted", "group_deleted", "channel_rename",
		"group_rename", "user_change", "app_uninstalled", "tokens_revoked"}
}

func (c *Config) complete() error {
	c.TeamID = cmp.Or(c.TeamID, "T0KEYTURN")
	c.TeamName = cmp.Or(c.TeamName, "Example")
	c.AppID = cmp.Or(c.AppID, "A0KEYTURN")
	c.BotID = cmp.Or(c.BotID, "B0KEYTURN")
	c.BotUserID = cmp.Or(c.BotUserID, "U0KEYTURN")
	c.BotName = cmp.Or(c.BotName, "Keyturn")
	c.BotURL = strings.TrimRight(c.BotURL, "/")
	c.URL = strings.TrimRight(c.URL, "/")
	c.AckTimeout = cmp.Or(c.AckTimeout, ackTimeout)
	if c.BotToken == "" || c.SigningSecret == "" && c.AppToken == "" {
		return errors.New("the Slack simulator needs a bot token and a signing secret; any made-up values will do")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Client == nil {
		c.Client = &http.Client{CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("too many redirects")
			}
			return nil
		}}
	}
	if c.Commands == nil {
		c.Commands = []string{"/keyturn"}
	}
	if c.Shortcuts == nil {
		c.Shortcuts = []string{"is-this-microsoft"}
	}
	if c.Scopes == nil {
		c.Scopes = DefaultScopes()
	}
	if c.Events == nil {
		c.Events = DefaultEvents()
	}
	return c.checkSeed()
}

// checkSeed keeps a typing error in a scenario from showing up later as a bot
// that seems not to answer.
func (c *Config) checkSeed() error {
	known := map[string]bool{c.BotUserID: true}
	for _, u := range c.Users {
		if u.ID == "" || u.Name == "" || known[u.ID] {
			return fmt.Errorf("seed user %q (%s): every user needs a name and an ID of their own", u.Name, u.ID)
		}
		known[u.ID] = true
	}
	for _, ch := range c.Channels {
		if !slices.Contains([]Kind{Public, Private, Direct, ""}, ch.Kind) {
			return fmt.Errorf("seed channel %s: the kind %q is none of channel, private, im", ch.ID, ch.Kind)
		}
		for _, m := range ch.Members {
			if !known[m] {
				return fmt.Errorf("seed channel %s names the unknown member %s", ch.ID, m)
			}
		}
	}
	for _, g := range c.Groups {
		for _, m := range g.Users {
			if !known[m] {
				return fmt.Errorf("seed user group %s names the unknown user %s", g.ID, m)
			}
		}
	}
	return nil
}
