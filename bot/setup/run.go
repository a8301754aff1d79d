package setup

import (
	"time"

	"keyturn/bot"
)

// GuideID names a guide.
type GuideID string

// The guides.
const (
	Connector GuideID = "connector"
	Direct    GuideID = "direct"
	Cleanup   GuideID = "cleanup"
	Rotate    GuideID = "rotate"  // replaces one credential; begun from the inventory, not from the start form
	Mapping   GuideID = "mapping" // how ServiceNow incidents are filled; begun by its own command
)

// StepID names a step within its guide; the same step has the same ID in
// every guide.
type StepID string

// RunState is where a run is.
type RunState string

// The states of a run.
const (
	RunOpen      RunState = "open"
	RunDone      RunState = "done"
	RunCancelled RunState = "cancelled"
	RunEnded     RunState = "ended" // the service that the guide sets up is gone
)

// Run is one walk through a guide for one tenant and instance.
type Run struct {
	ID        string       `json:"id"`
	Guide     GuideID      `json:"guide"`
	Revision  int          `json:"revision"` // of the guide, kept for the run's life
	Tenant    bot.TenantID `json:"tenant"`
	Instance  string       `json:"instance,omitempty"` // ServiceNow host; "" is none
	Requester bot.PersonID `json:"requester"`
	Place     bot.Place    `json:"place"` // where the checklist is
	State     RunState     `json:"state"`
	Started   time.Time    `json:"started"`
	Ended     time.Time    `json:"ended,omitzero"`
	Why       string       `json:"why,omitempty"` // of a cancelled or ended run
	Change    string       `json:"change,omitempty"`
	Seen      *bot.Change  `json:"change_seen,omitempty"` // the change request as it was last read
	// Numbers are the change numbers by system, where the tenant has several rules;
	// Change is empty then, and SeenToo has how each was last read.
	Numbers map[bot.System]string       `json:"changes,omitempty"`
	SeenToo map[string]bot.Change       `json:"changes_seen,omitempty"`
	Holders map[bot.Role][]bot.PersonID `json:"holders"`
	Options map[string]string           `json:"options,omitempty"` // answers of the start form
	Facts   map[string]Fact             `json:"facts,omitempty"`
	Steps   []Step                      `json:"steps"` // in the guide's order
	Visits  map[bot.PersonID][]Visit    `json:"visits,omitempty"`
	// Unreached are the people whose card could not be delivered: why, and how
	// that is mended.
	Unreached map[bot.PersonID]string `json:"unreached,omitempty"`
	// GoOn is said by a person although a step found that the service is gone.
	GoOn bool `json:"go_on,omitempty"`
	// Shown counts the secrets that were shown to a person, on Keyturn's own page.
	Shown   int `json:"shown,omitempty"`
	Version int `json:"version"` // counts every change
}

// Visit is the steps that one person got on one card.
type Visit struct {
	Steps []StepID  `json:"steps"`
	At    time.Time `json:"at"`
}

// Fact is a named value that a step produced. A secret fact has no value
// here: it is sealed in the store under the run's ID and the fact's name.
type Fact struct {
	Value  string    `json:"value,omitempty"`
	Secret bool      `json:"secret,omitempty"`
	Step   StepID    `json:"step"`
	At     time.Time `json:"at"`
}

// StepState is where a step of a run is.
//
// The package comment draws how they follow each other.
type StepState string

// The states of a step.
const (
	Pending   StepState = "pending"   // waits for other steps
	Open      StepState = "open"      // handed out, waits for its person
	Looking   StepState = "looking"   // what exists is being read
	Unsigned  StepState = "unsigned"  // goes on once its person has signed in
	Planned   StepState = "planned"   // the plan is shown, waits for approval
	Running   StepState = "running"   // approved, calls are being made
	Checking  StepState = "checking"  // done by hand, being read back
	Failed    StepState = "failed"    // waits for somebody to decide what to do
	Done      StepState = "done"      // proved: read back
	Confirmed StepState = "confirmed" // a person said so, no check exists
	Skipped   StepState = "skipped"
	NotNeeded StepState = "not-needed" // does not apply to this run
)

// Settled reports whether nothing more is to be done for a step in this state.
func (s StepState) Settled() bool {
	switch s {
	case Done, Confirmed, Skipped, NotNeeded:
		return true
	}
	return false
}

// Step is the state of one step of a run.
type Step struct {
	ID         StepID            `json:"id"`
	State      StepState         `json:"state"`
	Holder     bot.PersonID      `json:"holder,omitempty"` // who took it, or whom it was handed to; "" is any holder of the role
	Since      time.Time         `json:"since,omitzero"`   // when it was handed out
	Plan       *Plan             `json:"plan,omitempty"`
	Approval   *Approval         `json:"approval,omitempty"`
	Attempt    int               `json:"attempt,omitempty"`
	Results    []bot.CallResult  `json:"results,omitempty"` // of the current attempt, in the order of the calls
	Proof      []string          `json:"proof,omitempty"`   // what was read back, a sentence each
	Problem    *Problem          `json:"problem,omitempty"`
	Answers    map[string]string `json:"answers,omitempty"`  // typed by its person
	By         bot.PersonID      `json:"by,omitempty"`       // who decided
	At         time.Time         `json:"at,omitzero"`        // when it was settled
	Why        string            `json:"why,omitempty"`      // reason of a skip or a rejection
	Nudged     time.Time         `json:"nudged,omitzero"`    // the last time that somebody asked for it
	Reminded   int               `json:"reminded,omitempty"` // how far its own reminders have come
	RemindedAt time.Time         `json:"reminded_at,omitzero"`
	Quiet      time.Time         `json:"quiet,omitzero"` // its person wants to be left alone until then
	// Fresh is when its person said that a role was activated: what they signed
	// in with before does not carry it.
	Fresh   time.Time    `json:"fresh,omitzero"`
	Later   time.Time    `json:"later,omitzero"`    // a system asked to come back then
	Undoing bool         `json:"undoing,omitempty"` // the plan is the way back, not the step
	SignIn  *SignIn      `json:"sign_in,omitempty"` // what an unsigned step waits for
	As      bot.PersonID `json:"as,omitempty"`      // who signed in for it last: what is read is read as them
	Asked   bool         `json:"asked,omitempty"`   // its people were asked to sign in
	// Doubts are calls that may have taken effect twice, of a step that was settled
	// and that nobody could look up for: Stood is how it was settled. The run is
	// not over until its approver has signed in and the second effect is gone.
	Doubts []bot.Doubt `json:"doubts,omitempty"`
	Stood  StepState   `json:"stood,omitempty"`
	// Lacks is the directory role that the sign-in of As does not carry.
	Lacks string `json:"lacks,omitempty"`
}

// SignIn is the sign-in that a step waits for.
type SignIn struct {
	System bot.System `json:"system"`
	Back   StepState  `json:"back"`          // where the step goes on
	Why    string     `json:"why,omitempty"` // why an earlier sign-in no longer serves
	// Claims is what the sign-in has to ask for, where a system wants more than
	// the usual.
	Claims string `json:"claims,omitempty"`
}

// Plan is the exact calls that a step will make.
type Plan struct {
	Digest string     `json:"digest"` // covers the writes
	Calls  []bot.Call `json:"calls"`
	Exists []string   `json:"exists,omitempty"` // what was found, a sentence each
	Made   time.Time  `json:"made"`
}

// Approval is a person's word on one plan digest.
type Approval struct {
	Person  bot.PersonID `json:"person"`
	Account string       `json:"account,omitempty"` // the linked account that the calls run as
	Via     string       `json:"via,omitempty"`     // the chat account that clicked
	Digest  string       `json:"digest"`
	Change  string       `json:"change,omitempty"`
	At      time.Time    `json:"at"`
	Expires time.Time    `json:"expires"`
	// Glass is the reason for which Keyturn's own rules were skipped; never the
	// directory's.
	Glass string `json:"glass,omitempty"`
}

// ServiceGone is the code of a problem that asks the requester whether the run
// ends.
const ServiceGone = "service-gone"

// Problem is why a step cannot go on by itself.
type Problem struct {
	Says    string    `json:"says"`
	Fix     string    `json:"fix,omitempty"`
	Code    string    `json:"code,omitempty"`
	Request string    `json:"request,omitempty"`
	Kind    bot.Kind  `json:"kind,omitempty"`
	Call    string    `json:"call,omitempty"` // the call that failed
	At      time.Time `json:"at"`
}

// words is what happened and what to do about it.
func (p *Problem) words() string {
	if p.Fix == "" {
		return p.Says
	}
	return p.Says + " " + p.Fix
}
