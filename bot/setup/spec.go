package setup

import (
	"keyturn/bot"
)

// Guide is an ordered set of steps with their needs: data, no I/O.
type Guide struct {
	ID       GuideID
	Revision int
	Title    string // "Service health in chat and ServiceNow, without the connector"
	What     string // one line for the start form
	Warning  string // said first, on the start form and the checklist; "" is none
	Steps    []Spec
}

// Step finds a step of the guide.
func (g *Guide) Step(id StepID) (*Spec, bool) {
	for i := range g.Steps {
		if g.Steps[i].ID == id {
			return &g.Steps[i], true
		}
	}
	return nil, false
}

// Spec is one thing that one role does. It is run (API set), guided (Guided
// set), or both: "do it for me" or "I did it, check".
type Spec struct {
	ID    StepID
	Title string
	Role  bot.Role
	Needs []StepID           // steps that have to be settled before
	When  func(Context) bool // whether it applies to the run; nil is always
	Only  string             // When in words, "with a ServiceNow instance", for who reads about the guide

	What     string // one line: what it does
	Trap     string // the trap, at the step where it bites
	Undo     string // what can be undone, in words
	IfWaits  string // what happens if it waits
	Minutes  int
	NoSkip   bool // a proof, or a check that protects somebody: cannot be skipped
	FourEyes bool // creates a credential: the requester may not approve it alone
	// Accepts are the directory roles that Microsoft is known to accept for the
	// step. They advise: a custom role counts, and so does owning the
	// application, where Microsoft's answer says so.
	Accepts []string

	// Hand says that people do the step although it could be run; nil never. It is
	// read back like any other.
	Hand func(Context) bool

	API    *API
	Guided *Guided
}

// handed reports whether people do a step that could be run.
func (s *Spec) handed(c Context) bool { return s.Hand != nil && s.Hand(c) }

// Runs reports whether Keyturn plans a step's calls.
func (s *Spec) Runs(c Context) bool { return s.API != nil && s.API.Plan != nil && !s.handed(c) }

// API is how Keyturn does or checks a step.
type API struct {
	// Keys names key pairs to make before planning: the private key is sealed
	// under the name, the certificate (PEM) is the fact name+".cert", its
	// base64 DER the fact name+".der", its end the fact name+".until".
	Keys []string
	// Read gives the reads that say what exists; nil reads nothing.
	Read func(Context) []bot.Call
	// Plan gives the calls that remain to be made. No writes means that
	// everything is as it should be: the step goes on to be read back.
	Plan func(Context, Reading) (Proposal, *Problem)
	// Verify gives the reads that prove the step, and Prove judges them.
	Verify func(Context) []bot.Call
	Prove  func(Context, Reading) Finding
	// Unaided judges what can be read without anybody's rights, where Keyturn
	// calls nothing as those who act: a Problem or End counts, Proof stands beside
	// the person's word. nil has nothing of the kind.
	Unaided func(Context, Reading) Finding
	// Back gives the calls that undo the step; nil where the API cannot.
	Back func(Context) []bot.Call
	// Auto runs without an approval: it only reads.
	Auto bool
	// Poll keeps looking until the proof holds: somebody acts elsewhere.
	Poll bool
}

// Proposal is what a step wants to do.
type Proposal struct {
	Calls  []bot.Call
	Exists []string // what was found, a sentence each
	Facts  map[string]string
}

// Finding is what a check found.
type Finding struct {
	Proof   []string          // sentences; empty with a Problem
	Facts   map[string]string // to keep
	Problem *Problem
	// End says that the service that the guide sets up is gone: the run ends
	// unless the requester says "go on".
	End string
	// Objects found, not made: cleanup discovers them.
	Objects []bot.Object
	// More says that Facts were missing for the reads: verify again with them.
	// A person who did a step by hand brings facts that no plan has found.
	More bool
}

// Guided is how a person does a step by hand.
type Guided struct {
	// What and Mind take the place of the step's own, where those tell what
	// Keyturn does; "" leaves both.
	What, Mind string

	Link func(Context) (label, url string)
	Do   func(Context) []bot.Text // at most seven things
	Copy func(Context) []bot.Copy // labels exactly as the portal spells them
	// Leave says what to leave alone: "do NOT press Next yet".
	Leave string
	// Ask is what to bring back; nil asks for the word alone. Accept checks
	// it: facts to keep, or what is wrong, by input name, or a Finding with
	// End for an answer that ends the run.
	Ask    func(Context) []bot.Input
	Accept func(Context, map[string]string) (facts map[string]string, wrong map[string]string)
	// Word is the button of the person's word: "I did it".
	Word string
}

// Context is what a spec may look at.
type Context struct {
	Run     *Run
	Tenant  *bot.Tenant
	Objects []bot.Object // the tenant's inventory
}

// Fact is the value of a fact of the run, or "".
func (c Context) Fact(name string) string { return c.Run.Facts[name].Value }

// Has reports whether the run has a fact, secret or not.
func (c Context) Has(name string) bool { _, ok := c.Run.Facts[name]; return ok }

// Option is an answer of the start form, or "".
func (c Context) Option(name string) string { return c.Run.Options[name] }

// WithServiceNow reports whether the run has a ServiceNow instance.
func (c Context) WithServiceNow() bool { return c.Run.Instance != "" }

// Read is one answer of a [Reading].
type Read struct {
	Answer  bot.Answer
	Failure *bot.Failure
	Hand    bool // not made at all: people look themselves
}

// Reading is the answers to a step's reads, by call ID.
type Reading map[string]Read

// OK reports whether the call was answered with success.
func (r Reading) OK(call string) bool {
	x, ok := r[call]
	return ok && x.Failure == nil
}

// Failed gives the call's failure, or nil.
func (r Reading) Failed(call string) *bot.Failure { return r[call].Failure }

// Missing reports whether the call was answered with "not there".
func (r Reading) Missing(call string) bool {
	f := r[call].Failure
	return f != nil && f.Kind == bot.KindNotFound
}

// ByHand reports whether calls of the reading are left to people.
func (r Reading) ByHand() bool {
	for _, x := range r {
		if x.Hand {
			return true
		}
	}
	return false
}

// Get is the value at a path of the call's answer ("value.0.id"), or "".
// Numbers and booleans come as JSON writes them.
func (r Reading) Get(call, path string) string {
	s, _ := bot.Pick(r[call].Answer.Body, path)
	return inert(s)
}

// List is the objects at a path of the call's answer; each is read with
// [bot.Pick]. An answer without such a list gives none.
func (r Reading) List(call, path string) []Item {
	return items(r[call].Answer.Body, path)
}
