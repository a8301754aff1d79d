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
}

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
}
