package bot

import "time"

// RequestKind says how a request came in.
type RequestKind string

// The request kinds.
const (
	Typed       RequestKind = "typed"       // a slash command, a mention, or text in a direct message
	Clicked     RequestKind = "clicked"     // a button
	Submitted   RequestKind = "submitted"   // a form
	HomeOpened  RequestKind = "home"        // somebody opened the bot's own page
	Joined      RequestKind = "joined"      // the bot was added to a place
	Left        RequestKind = "left"        // the bot was removed from a place, or the place is gone
	Uninstalled RequestKind = "uninstalled" // the app was removed from a workspace
	Revoked     RequestKind = "revoked"     // tokens of the workspace were revoked
)

// Request is one thing that entered, verified and parsed.
type Request struct {
	// Key is the delivery key: the same for every re-delivery of one event,
	// different for any two events. A repeat of a known key takes no effect
	// and gets the same answer.
	Key  string      `json:"key"`
	Kind RequestKind `json:"kind"`
	At   time.Time   `json:"at"`

	From  Account `json:"from"`
	Name  string  `json:"name,omitempty"`  // what the platform calls the person, for messages only
	Guest bool    `json:"guest,omitempty"` // a guest, or of another organisation
	// Unsure says that the platform did not say whether the person is a guest.
	Unsure bool `json:"unsure,omitempty"`

	Place   Place               `json:"place"`            // where it was said or clicked
	Text    string              `json:"text,omitempty"`   // Typed: without the command's name or the mention
	Action  string              `json:"action,omitempty"` // Clicked, Submitted: the verb
	Value   string              `json:"value,omitempty"`  // Clicked, Submitted: its opaque value
	Message MessageRef          `json:"message,omitzero"` // Clicked: the message that holds the button
	Input   map[string][]string `json:"input,omitempty"`  // Submitted: by input name

	// Inline says that the adapter shows the reply's message in its answer to
	// the platform; otherwise a job sends it.
	Inline bool   `json:"inline,omitempty"`
	Return Return `json:"return,omitzero"` // how to answer this person privately
}

// DrawAnew is the action of a click that asks for the clicked message itself, as
// it is now: a platform showed something else in its place.
const DrawAnew = "draw-anew"

// One returns the single value of an input, or "".
func (r Request) One(name string) string {
	if v := r.Input[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Return is how an adapter can answer the sender of a request privately after
// the HTTP response is gone. It is a capability: store it sealed, never log it.
type Return struct {
	URL     Secret    `json:"url,omitzero"`     // Slack: response_url, 5 uses in 30 minutes
	Trigger Secret    `json:"trigger,omitzero"` // Slack: trigger_id, one use within 3 s
	Expires time.Time `json:"expires,omitzero"`
}

// Reply is the answer to one request, decided and committed with it.
type Reply struct {
	// Message is shown to the sender alone. InPlace shows it to everybody in
	// the place instead; Redraw puts it in place of the clicked message.
	Message *Message `json:"message,omitempty"`
	InPlace bool     `json:"in_place,omitempty"`
	Redraw  bool     `json:"redraw,omitempty"`
	// Form is opened (for a submitted form: shown instead of it).
	Form *Form `json:"form,omitempty"`
	// Errors keep a submitted form open and say what is wrong, by input name.
	Errors map[string]string `json:"errors,omitempty"`
	// Refused says in a word or two why the sender may not do what they asked
	// for; "" where that was not the reason. Whoever runs Keyturn reads it in the
	// log, the sender what Message says. A repeat is not told again.
	Refused string `json:"-"`
}

// Denied is the reply, said to somebody who may not do what they asked for.
func (r Reply) Denied(why string) Reply {
	r.Refused = why
	return r
}

// Private is a reply that only the sender sees.
func Private(m Message) Reply { return Reply{Message: &m} }
