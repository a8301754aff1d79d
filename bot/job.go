package bot

import (
	"encoding/json"
	"time"
)

// JobID orders jobs within a lane: smaller is earlier.
type JobID uint64

// Class is the order in which jobs compete for a platform's rate limits.
type Class int

// The classes, most urgent first.
const (
	ClassClick Class = iota
	ClassHandoff
	ClassChecklist
	ClassIncident
	ClassDigest
)

// Job is a durable piece of outgoing work. Jobs of one lane run one after
// another, in the order of their IDs.
type Job struct {
	ID      JobID           `json:"id"`
	Lane    string          `json:"lane"`
	Kind    string          `json:"kind"` // what runs it
	Class   Class           `json:"class,omitempty"`
	Due     time.Time       `json:"due"`
	Made    time.Time       `json:"made"`
	Tries   int             `json:"tries,omitempty"`
	Last    string          `json:"last,omitempty"`    // why the last try failed
	Payload json.RawMessage `json:"payload,omitempty"` // sealed at rest

	// Collapse names work that a newer job makes superfluous: adding a job
	// removes an older one with the same name that nobody has begun.
	Collapse string `json:"collapse,omitempty"`
	// Dead marks a job that was given up; it no longer blocks its lane.
	Dead bool `json:"dead,omitempty"`

	// What a store says of a job that it hands out, and nowhere else.

	// Held is the number of the claim under which a worker has the job.
	Held uint64 `json:"-"`
	// Begun says that an earlier claim may have ended with its work half done:
	// its process ended or stood still, or gave the job back. What the job does
	// outside is looked up before it is done again.
	Begun bool `json:"-"`
}

// Claim is a worker's hold on a job. A job can be claimed many times, one after
// another; only the last claim is good.
type Claim struct {
	Job    JobID
	Number uint64
}

// Claim is the hold that a store gave with the job; the zero Claim for a job
// that it did not hand out.
func (j Job) Claim() Claim {
	if j.Held == 0 {
		return Claim{}
	}
	return Claim{Job: j.ID, Number: j.Held}
}

// Sent is an entry of the ledger: what was sent where, with the platform's ID.
type Sent struct {
	Key    string     `json:"key"` // Message.Key
	Ref    MessageRef `json:"ref"`
	At     time.Time  `json:"at"`
	Digest string     `json:"digest,omitempty"` // of the message as last rendered
	Gone   bool       `json:"gone,omitempty"`   // the platform says that it no longer exists
}

// AuditCheckpoint is the act of what stands in the place of entries that were
// removed after their time: the store alone writes it.
const AuditCheckpoint = "checkpoint"

// AuditEntry records a person's act or an outside write. Entries of a tenant
// form an HMAC chain: the store sets Seq, Prev and MAC.
type AuditEntry struct {
	Tenant  TenantID  `json:"tenant"`
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Person  PersonID  `json:"person,omitempty"`
	Account string    `json:"account,omitempty"` // the linked account a call runs as
	Via     string    `json:"via,omitempty"`     // the chat account that clicked
	Act     string    `json:"act"`               // "approve", "call", "result", "confirm", ...
	Run     string    `json:"run,omitempty"`
	Step    string    `json:"step,omitempty"`
	Change  string    `json:"change,omitempty"` // change number
	Call    *Call     `json:"call,omitempty"`   // as shown: placeholders, no secrets
	Plan    string    `json:"plan,omitempty"`   // digest
	Calls   []Call    `json:"calls,omitempty"`  // of an approval: the whole plan, as shown
	Exists  []string  `json:"exists,omitempty"` // of an approval: what was found, as shown
	Status  int       `json:"status,omitempty"`
	Request string    `json:"request,omitempty"` // client-request-id
	Note    string    `json:"note,omitempty"`
	Prev    string    `json:"prev,omitempty"`
	MAC     string    `json:"mac,omitempty"`
}

// Object is something that Keyturn made, changed or found outside.
type Object struct {
	Key     string    `json:"key"` // unique in the tenant: system/kind/id
	System  System    `json:"system"`
	Kind    string    `json:"kind"` // "application", "secret", "oauth_entity", ...
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Link    string    `json:"link,omitempty"`
	Run     string    `json:"run,omitempty"`
	Step    string    `json:"step,omitempty"`
	By      PersonID  `json:"by,omitempty"` // who approved it
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires,omitzero"`
	Before  string    `json:"before,omitempty"` // JSON of what was there before, for going back
	Removed time.Time `json:"removed,omitzero"`
}
