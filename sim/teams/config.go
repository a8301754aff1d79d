package teams

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Config describes the tenant and the bot that is registered in it.
type Config struct {
	TenantID   string `json:"tenant_id"`
	TenantName string `json:"tenant_name"`
	BotAppID   string `json:"bot_app_id"`
	BotName    string `json:"bot_name"`
	BotSecret  string `json:"-"` // for the token endpoint
	// BotCertificates are those that the bot may sign client assertions with, DER.
	BotCertificates [][]byte `json:"-"`

	// BotURL is where the bot listens, without a trailing slash.
	BotURL string `json:"-"`
	// URL is where the simulator itself is reached. SetURL gives it later, once
	// the listener has a port.
	URL string `json:"-"`

	Users []User `json:"-"` // seed, used where there is no snapshot yet
	Teams []Team `json:"-"`
	Chats []Chat `json:"-"` // group chats; personal ones come by themselves

	// ReadsAll gives the bot the resource-specific permissions to read every
	// message of a channel or group chat, not only those that name it.
	ReadsAll bool `json:"reads_all,omitempty"`

	File       string           `json:"-"` // snapshot; "" keeps everything in memory
	Now        func() time.Time `json:"-"` // default time.Now
	Client     *http.Client     `json:"-"` // for calls to the bot; its time-out is AckTimeout
	AckTimeout time.Duration    `json:"-"` // default 15 s, the longest that Bot Service waits
	Limits     bool             `json:"-"` // enforce the rates of "Rate limiting for agents" with 429
}

// User is a person whom Teams knows.
type User struct {
	ID     string `json:"id"` // Entra object ID
	Name   string `json:"name"`
	UPN    string `json:"upn"`
	Guest  bool   `json:"guest,omitempty"`
	Tenant string `json:"tenant,omitempty"` // of a person from outside; "" is the bot's own
	TZ     string `json:"tz,omitempty"`     // IANA name, default UTC
	Locale string `json:"locale,omitempty"` // default en-US
	// TeamsID is the 29:… name that Teams gives the person towards this one bot.
	// It is made by the simulator.
	TeamsID string `json:"teams_id,omitempty"`
}

// Team is a team with its channels. Its General channel has the team's ID and
// no name, and is added where it is missing.
type Team struct {
	ID        string    `json:"id"` // 19:…@thread.tacv2
	Name      string    `json:"name"`
	GroupID   string    `json:"group_id,omitempty"` // of the Microsoft 365 group; made where missing
	Channels  []Channel `json:"channels"`
	Members   []string  `json:"members"`             // Entra object IDs; nil is every user
	Installed bool      `json:"installed,omitempty"` // the bot is in the team
	Archived  bool      `json:"archived,omitempty"`
	Deleted   bool      `json:"deleted,omitempty"`
}

// Channel is a standard channel of a team.
type Channel struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"` // empty for General
	Deleted bool   `json:"deleted,omitempty"`
}

// Chat is a conversation outside teams.
type Chat struct {
	ID        string   `json:"id"`
	Name      string   `json:"name,omitempty"`
	Personal  bool     `json:"personal,omitempty"` // between one person and the bot
	Members   []string `json:"members"`            // Entra object IDs
	Installed bool     `json:"installed,omitempty"`
	Blocked   bool     `json:"blocked,omitempty"` // its person blocked the bot
}

func (c *Config) complete() error {
	c.TenantID = cmp.Or(c.TenantID, "7e2b1a90-5f0c-4c1e-9d43-000000000001")
	c.TenantName = cmp.Or(c.TenantName, "Example")
	c.BotAppID = cmp.Or(c.BotAppID, "7e2b1a90-5f0c-4c1e-9d43-0000000000b0")
	c.BotName = cmp.Or(c.BotName, "Keyturn")
	c.BotURL = strings.TrimRight(c.BotURL, "/")
	c.URL = strings.TrimRight(c.URL, "/")
	c.AckTimeout = cmp.Or(c.AckTimeout, ackTimeout)
	if c.BotSecret == "" && len(c.BotCertificates) == 0 {
		return errors.New("the Teams simulator needs a bot secret or a certificate; any made-up secret will do")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Client == nil {
		c.Client = &http.Client{}
	}
	return c.checkSeed()
}

// checkSeed keeps a typing error in a scenario from showing up later as a bot
// that seems not to answer.
func (c *Config) checkSeed() error {
	known := map[string]bool{}
	for _, u := range c.Users {
		if u.ID == "" || u.Name == "" || known[u.ID] {
			return fmt.Errorf("seed user %q (%s): every user needs a name and an object ID of their own", u.Name, u.ID)
		}
		known[u.ID] = true
	}
	taken := map[string]bool{}
	check := func(what, id string, members []string) error {
		if id == "" || taken[id] || strings.Contains(id, ";") {
			return fmt.Errorf("seed %s %q: every one needs an ID of its own, without a semicolon", what, id)
		}
		taken[id] = true
		for _, m := range members {
			if !known[m] {
				return fmt.Errorf("seed %s %s names the unknown member %s", what, id, m)
			}
		}
		return nil
	}
	for _, t := range c.Teams {
		if err := check("team", t.ID, t.Members); err != nil {
			return err
		}
		for _, ch := range t.Channels {
			if ch.ID == t.ID {
				continue
			}
			if err := check("channel", ch.ID, nil); err != nil {
				return err
			}
			if ch.Name == "" {
				return fmt.Errorf("seed channel %s has no name; only General, with the ID of its team, has none", ch.ID)
			}
		}
	}
	for _, chat := range c.Chats {
		if err := check("chat", chat.ID, chat.Members); err != nil {
			return err
		}
		if chat.Personal {
			return fmt.Errorf("seed chat %s is personal; those come by themselves, with Install or the bot's first word", chat.ID)
		}
	}
	return nil
}

// seed fills the state of a tenant that was never run before.
func (s *Server) seed() {
	s.st.Users = slices.Clone(s.cfg.Users)
	everybody := make([]string, 0, len(s.cfg.Users))
	for i := range s.st.Users {
		u := &s.st.Users[i]
		u.TZ, u.Locale = cmp.Or(u.TZ, "UTC"), cmp.Or(u.Locale, "en-US")
		u.Tenant = cmp.Or(u.Tenant, s.cfg.TenantID)
		u.TeamsID = "29:1" + longID(64, "user", s.cfg.BotAppID, u.ID)
		everybody = append(everybody, u.ID)
	}
	for _, t := range s.cfg.Teams {
		t.Channels = slices.Clone(t.Channels)
		if !slices.ContainsFunc(t.Channels, func(c Channel) bool { return c.ID == t.ID }) {
			t.Channels = slices.Insert(t.Channels, 0, Channel{ID: t.ID})
		}
		if t.Members == nil {
			t.Members = everybody
		}
		t.Members = slices.Clone(t.Members)
		t.GroupID = cmp.Or(t.GroupID, guid("group", t.ID))
		s.st.Teams = append(s.st.Teams, t)
	}
	for _, c := range s.cfg.Chats {
		c.Members = slices.Clone(c.Members)
		s.st.Chats = append(s.st.Chats, c)
	}
}
