package bot

import (
	"context"
	"encoding/json"
	"time"
)

// Call is one request to an outside system, as it is shown to the approver
// and as it is made. Path, header and body values may hold placeholders:
// {name} is a fact, {{name}} a secret, both filled in right before the call.
type Call struct {
	ID     string            `json:"id"` // unique within its plan
	System System            `json:"system"`
	Method string            `json:"method"`
	Path   string            `json:"path"` // below the system's base URL, with the query
	Header map[string]string `json:"header,omitempty"`
	Body   json.RawMessage   `json:"body,omitempty"` // JSON
	Form   map[string]string `json:"form,omitempty"` // or a form body
	What   string            `json:"what"`           // one sentence: what it does

	// As names the credential: "" is the approver, anything else an identity
	// that the run made ("reader": the health reader registration).
	As string `json:"as,omitempty"`

	// Save names facts to take from the answer: fact name -> JSON path such
	// as "id" or "result.sys_id" or "value.0.id". A missing value is an error.
	Save map[string]string `json:"save,omitempty"`
	// Seal is Save for secrets: they are sealed, never shown.
	Seal map[string]string `json:"seal,omitempty"`

	// Look finds an effect of ours that an earlier, interrupted attempt may
	// have left. Calls that are idempotent by themselves need none.
	Look *Look `json:"look,omitempty"`

	// Lag retries answers that say "not replicated yet" for up to a minute.
	Lag bool `json:"lag,omitempty"`
	// Makes names the object that the call brings into being, so that it is in
	// the inventory from the moment of the answer. Unmakes is the key of an
	// object that it removes.
	Makes   *Made  `json:"makes,omitempty"`
	Unmakes string `json:"unmakes,omitempty"`
	// Fine lists statuses besides 2xx that count as done, such as 404 for a
	// removal.
	Fine []int `json:"fine,omitempty"`
}

// Write reports whether the call changes something outside.
func (c Call) Write() bool {
	return c.System != DNS && c.System != Login && c.Method != "GET" && c.Method != "HEAD"
}

// Look is a read that finds an earlier effect by its natural key.
type Look struct {
	Path string `json:"path"` // GET
	// List is the JSON path of the list to search ("result", "value",
	// "passwordCredentials"); "" takes the answer itself as the only item.
	List string `json:"list,omitempty"`
	// Match must hold for an item: field -> exact value. An instance may
	// ignore a part of a query, so a hit alone proves nothing.
	Match map[string]string `json:"match"`
	// Save takes facts from the found item; the call is then not made.
	Save map[string]string `json:"save,omitempty"`
	// Remove is set where the earlier effect is of no use (a secret whose
	// value is lost): it is removed with this call, then the call is made.
	// {found} stands for the item's Key field.
	Remove *Call  `json:"remove,omitempty"`
	Key    string `json:"key,omitempty"`
	// Twice takes away an effect that stands a second time beside the one that
	// is known, where Remove does not. It is for a call that left after another
	// worker had made the same one. Maker and Made are the fields that say who
	// made an item, and when (UTC, as the Table API writes it): only what our own
	// call may have made is taken away.
	Twice *Call  `json:"twice,omitempty"`
	Maker string `json:"maker,omitempty"`
	Made  string `json:"made,omitempty"`
}

// Removal is the call that takes away a second effect; nil where there is none.
func (l *Look) Removal() *Call {
	switch {
	case l == nil:
		return nil
	case l.Remove != nil:
		return l.Remove
	}
	return l.Twice
}

// Made describes an [Object]; its fields may hold {fact} placeholders, also of
// facts that the call itself saves.
type Made struct {
	Kind    string `json:"kind"` // "application", "secret", "oauth_entity", ...
	ID      string `json:"id"`
	Name    string `json:"name"`
	Link    string `json:"link,omitempty"`
	Expires string `json:"expires,omitempty"` // RFC 3339, usually a fact
	Before  string `json:"before,omitempty"`  // JSON of what was there before
}

// ObjectKey is the inventory's key of an object.
func ObjectKey(s System, kind, id string) string { return string(s) + "/" + kind + "/" + id }

// Answer is what an outside system said.
type Answer struct {
	Status    int             `json:"status"`
	Body      json.RawMessage `json:"body,omitempty"` // JSON; null where there was none
	RequestID string          `json:"request_id,omitempty"`
}

// Caller makes calls. Placeholders are filled in already. It gives a
// [*Failure] for every answer that is no success, with KindAmbiguous where
// the call may have taken effect. The answer's body may hold secrets: callers
// seal or drop them before anything is stored.
type Caller interface {
	Call(ctx context.Context, tenant TenantID, c Call, id CallIdentity) (Answer, error)
}

// CallIdentity is what a call is made with and recorded under.
type CallIdentity struct {
	RequestID string // our own ID, sent as client-request-id where the system takes one
	Person    PersonID
	Account   string // the linked account
	// Client credentials of an identity that a run made.
	ClientID string
	Secret   Secret // a secret, or with Key set none
	Key      Secret // PEM private key for a client assertion
	Cert     string // PEM certificate that belongs to Key
}

// CallResult is what is kept of a call that was made: no body.
type CallResult struct {
	Call      string    `json:"call"` // Call.ID
	At        time.Time `json:"at"`
	Status    int       `json:"status,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
	Begun     bool      `json:"begun,omitempty"` // the intent is recorded, the outcome is not
	Found     bool      `json:"found,omitempty"` // an earlier effect was found, the call was not made again
	Error     string    `json:"error,omitempty"`
}
