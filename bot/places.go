package bot

import "strings"

// Place is somewhere to say something: a channel, a thread in a channel, or a
// direct message to an account (User set, Channel empty).
type Place struct {
	Platform Platform `json:"platform"`
	Team     string   `json:"team"`
	Channel  string   `json:"channel,omitempty"`
	Thread   string   `json:"thread,omitempty"` // the platform's ID of the thread's root message
	User     string   `json:"user,omitempty"`
}

// DM is the direct message to an account.
func DM(a Account) Place {
	return Place{Platform: a.Platform, Team: a.Team, User: a.ID}
}

// Direct reports whether the place is a direct message.
func (p Place) Direct() bool { return p.User != "" }

// Root is the place without its thread.
func (p Place) Root() Place { p.Thread = ""; return p }

// In is the place's thread under a root message.
func (p Place) In(root string) Place { p.Thread = root; return p }

// String is a stable key: slack:T0123:C0456, with #thread or @user.
func (p Place) String() string {
	var b strings.Builder
	b.WriteString(string(p.Platform) + ":" + p.Team + ":")
	if p.User != "" {
		b.WriteString("@" + p.User)
	} else {
		b.WriteString(p.Channel)
	}
	if p.Thread != "" {
		b.WriteString("#" + p.Thread)
	}
	return b.String()
}

// MessageRef is a message that the platform has: where it is and the
// platform's ID for it (Slack: ts; Teams: activity ID).
type MessageRef struct {
	Place Place  `json:"place"`
	ID    string `json:"id"`
	Link  string `json:"link,omitempty"` // permalink, where the platform gave one
}

// Known reports whether the reference names a message.
func (m MessageRef) Known() bool { return m.ID != "" }
