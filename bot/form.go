package bot

// Form asks for values: a modal on Slack, a task module or card inputs on
// Teams. Submitting it is a request with the form's Action and Value.
type Form struct {
	Action string  `json:"action"`
	Value  string  `json:"value,omitempty"` // opaque, never a secret
	Title  string  `json:"title"`           // Slack: 24 characters; renderers cut
	Submit string  `json:"submit"`          // Slack: 24 characters
	Intro  []Part  `json:"-"`               // said above the inputs
	Inputs []Input `json:"inputs"`
}

// InputKind is how a value is asked for.
type InputKind string

// The input kinds. Nobody ever types a secret into a form: there is no kind
// for it.
const (
	Line      InputKind = "line"    // one line of text
	Area      InputKind = "area"    // several lines
	Choice    InputKind = "choice"  // one of Options
	Choices   InputKind = "choices" // any of Options
	Tick      InputKind = "tick"    // yes or no; the value is "yes" or ""
	Channel   InputKind = "channel" // a channel of this workspace; the value is its ID
	TimeOfDay InputKind = "time"    // 09:00
)

// Input is one value asked for.
type Input struct {
	Name     string    `json:"name"`
	Label    string    `json:"label"`
	Hint     string    `json:"hint,omitempty"` // one line that says why it is asked
	Kind     InputKind `json:"kind"`
	Options  []Option  `json:"options,omitempty"`
	Values   []string  `json:"values,omitempty"` // what is filled in
	Optional bool      `json:"optional,omitempty"`
	Example  string    `json:"example,omitempty"` // placeholder
	Max      int       `json:"max,omitempty"`     // characters; 0 is the platform's own limit
}

// Option is one choice. Labels of more than 75 characters are cut.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
	Hint  string `json:"hint,omitempty"`
}
