package incident

import (
	"time"

	"keyturn/bot"
)

// Issue is one Microsoft 365 service health issue as Graph told it. Enum
// values are kept as Microsoft wrote them and compared without case.
type Issue struct {
	ID             string    `json:"id"`
	Title          string    `json:"title"`
	Service        string    `json:"service"`
	Feature        string    `json:"feature,omitempty"`
	FeatureGroup   string    `json:"featureGroup,omitempty"`
	Classification string    `json:"classification"`
	Status         string    `json:"status"`
	Origin         string    `json:"origin,omitempty"`
	Impact         string    `json:"impactDescription,omitempty"`
	Resolved       bool      `json:"isResolved"`
	Start          time.Time `json:"startDateTime,omitzero"`
	End            time.Time `json:"endDateTime,omitzero"`
	Modified       time.Time `json:"lastModifiedDateTime"`
	Posts          []Post    `json:"posts,omitempty"` // by time, oldest first; Graph's own order is not by time
}

// Post is one update that Microsoft published on an issue.
type Post struct {
	Created time.Time `json:"createdDateTime"`
	Type    string    `json:"postType,omitempty"`
	HTML    bool      `json:"html,omitempty"` // what Graph said; the content may be plain text all the same
	Content string    `json:"content"`
}

// Known is what the store keeps of an issue.
type Known struct {
	Tenant  bot.TenantID `json:"tenant"`
	Issue   Issue        `json:"issue"`
	First   time.Time    `json:"first"`            // when Keyturn first read it
	Seen    time.Time    `json:"seen"`             // when Keyturn last saw it changed
	Seed    bool         `json:"seed,omitempty"`   // known since the first reading: never told as new
	Worker  bot.PersonID `json:"worker,omitempty"` // who said "we are on it"
	Working time.Time    `json:"working,omitzero"`
	// Reopened is when Microsoft last opened the issue again after it had
	// called it resolved; zero where that never happened or it is resolved.
	Reopened time.Time `json:"reopened,omitzero"`
	// Muted are people who are not mentioned about this issue any more.
	Muted []bot.PersonID `json:"muted,omitempty"`
}

// Subscription is a channel's wish to be told.
type Subscription struct {
	ID       string       `json:"id"`
	Tenant   bot.TenantID `json:"tenant"`
	Place    bot.Place    `json:"place"`
	Services []string     `json:"services,omitempty"` // empty is all; compared without case
	Classes  []string     `json:"classes,omitempty"`  // "incident", "advisory"; empty is both
	By       bot.PersonID `json:"by,omitempty"`
	Made     time.Time    `json:"made"`
	Stopped  string       `json:"stopped,omitempty"` // why it no longer delivers, in a sentence
	OnCall   bot.Text     `json:"onCall,omitempty"`  // who is mentioned when something is told aloud; mentions only

	Features []string `json:"features,omitempty"` // features or feature groups of the services; empty is all
	Statuses []string `json:"statuses,omitempty"` // an issue is first told in one of these; empty is any

	Messages     bool     `json:"messages,omitempty"`     // message center posts too
	Categories   []string `json:"categories,omitempty"`   // of message center posts, as Graph writes them; empty is all
	Severities   []string `json:"severities,omitempty"`   // of message center posts; empty is all
	PostServices []string `json:"postServices,omitempty"` // of message center posts; empty is Services

	Style       Style          `json:"style,omitempty"`
	DigestAt    TimeOfDay      `json:"digestAt,omitempty"` // "" is 09:00
	Zone        string         `json:"zone,omitempty"`     // IANA name for DigestAt and Quiet; "" is UTC
	Quiet       Quiet          `json:"quiet,omitzero"`
	Maintenance []Window       `json:"maintenance,omitempty"`
	Muted       []bot.PersonID `json:"muted,omitempty"` // who is never mentioned here
}

// Style is how a channel is told.
type Style string

// The styles. Quiet hours and maintenance windows hold what is told at once;
// whatever once has a root in the channel is followed there in any style.
const (
	ByClass      Style = ""         // incidents at once, advisories and message center posts in the daily digest
	Live         Style = "live"     // everything at once
	DigestOnly   Style = "digest"   // everything in the daily digest, incidents too
	ResolvedOnly Style = "resolved" // one message for each issue when it is over
)

// Watch is what is known of reading one tenant's service health.
type Watch struct {
	Tenant  bot.TenantID `json:"tenant"`
	Seeded  bool         `json:"seeded,omitempty"`  // the first reading is done
	Good    time.Time    `json:"good,omitzero"`     // the last reading that succeeded
	Failing time.Time    `json:"failing,omitzero"`  // since when readings fail; zero while they succeed
	Failure string       `json:"failure,omitempty"` // the sentence
	Tries   int          `json:"tries,omitempty"`   // failures in a row
	Newest  time.Time    `json:"newest,omitzero"`   // the latest lastModifiedDateTime seen
	Told    bool         `json:"told,omitempty"`    // the channels were told that nothing can be read

	// Public is what Microsoft's public status page said of the admin center
	// when it was last asked, while readings fail.
	Public *PublicStatus `json:"public,omitempty"`
	// Messages is the watch on the message center, which is read beside health.
	Messages MessageWatch `json:"messages,omitzero"`
}
