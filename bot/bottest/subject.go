package bottest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
)

// Adapter is what the suite exercises.
type Adapter interface {
	Platform() bot.Platform
	Post(ctx context.Context, at bot.Place, m bot.Message) (bot.MessageRef, error)
	Edit(ctx context.Context, ref bot.MessageRef, m bot.Message) error
	Answer(ctx context.Context, to bot.Account, at bot.Place, back bot.Return, m bot.Message, redraw, inPlace bool) error
	Home(ctx context.Context, who bot.Account, m bot.Message) error
}

// Subject is an adapter in a workspace that it has to itself.
type Subject struct {
	Adapter Adapter

	// Channel is a place whose members are Alice, Bob and the bot. Both can be
	// written to directly.
	Channel    bot.Place
	Alice, Bob bot.Account

	// Sees is every message of the bot that a person can see, oldest first.
	Sees func(who bot.Account) []Seen
	// Told is whom the platform notified of a message, and Raised whether it
	// showed the message outside its thread as well.
	Told   func(ref bot.MessageRef) []bot.Account
	Raised func(ref bot.MessageRef) bool
	// Form is the form in front of a person, and false where there is none.
	Form func(who bot.Account) (Form, bool)
	// HomePage is what stands on the bot's own page for a person.
	HomePage func(who bot.Account) string
	// Changed is closed when any of this may have changed.
	Changed func() <-chan struct{}

	// Mention writes a line to the bot, Click presses a button by its label,
	// Submit fills in the form in front of a person and sends it. Resend
	// delivers the newest of these once more. Each returns once the adapter has
	// answered, with what went wrong for the person.
	Mention func(who bot.Account, text string) error
	Click   func(who bot.Account, ref bot.MessageRef, label string) error
	Submit  func(who bot.Account, values map[string][]string) error
	Resend  func() error

	// Break makes the next such call of the adapter go wrong, once.
	Break func(Call, Fault)
	// Unplug cuts the adapter off from the platform.
	Unplug func()
	// Delete removes a message of the bot. RemoveBot takes the bot out of the
	// channel, and says what the bot has left: the channel, or what holds it.
	// Uninstall removes the app altogether.
	Delete    func(ref bot.MessageRef) error
	RemoveBot func() (bot.Place, error)
	Uninstall func()

	// Unavailable is the kind of a post that was answered with HTTP 503:
	// ambiguous where the platform may have posted it, else unreachable.
	Unavailable bot.Kind
	// Lacks says what the platform cannot do, and why.
	Lacks map[Ability]string

	// Secrets must be in no error and not in what Logged gives: everything that
	// the adapter has logged.
	Secrets []string
	Logged  func() string
}

// Seen is a message as one person sees it.
type Seen struct {
	ID     string
	Thread string // ID of the thread's first message, "" of that message itself
	Text   string // every word in it
	Edits  int
}

// Form is a form as one person sees it.
type Form struct {
	Text  string              // every word in it, with what is said to be wrong
	Typed map[string][]string // what stands in its inputs
}

// Ability is something that not every platform can do.
type Ability string

// The abilities that a [Subject] may lack.
const (
	Homes      Ability = "a page of the bot's own"
	Uninstalls Ability = "one act that removes the app everywhere"
)

// Call is what an adapter does at the platform.
type Call string

// The calls that can be made to go wrong.
const (
	Posting   Call = "posting"
	Editing   Call = "editing"
	Answering Call = "answering a click" // with the Return of its request
)

// Fault is how a call goes wrong.
type Fault string

// The faults. Lost is a connection that ends before the call took effect,
// Unanswered one that ends after it did.
const (
	Throttled   Fault = "429" // with Retry-After: [RetryAfter]
	Unavailable Fault = "503"
	Lost        Fault = "no answer, no effect"
	Unanswered  Fault = "no answer"
)

// RetryAfter is how long a throttled call is told to wait.
const RetryAfter = 7 * time.Second

// Desk answers the adapter's requests as a test of the suite says. Give it to
// the adapter as its desk.
type Desk struct {
	t     *testing.T
	mu    sync.Mutex
	taken []bot.Request
	reply func(bot.Request) bot.Reply
}

// Handle keeps the request and answers it.
func (d *Desk) Handle(_ context.Context, r bot.Request) (bot.Reply, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taken = append(d.taken, r)
	if d.reply == nil {
		return bot.Reply{}, nil
	}
	return d.reply(r), nil
}

// FormLost fails the test: the suite's forms can all be shown.
func (d *Desk) FormLost(_ context.Context, r bot.Request, why error) {
	d.t.Errorf("the form for %q was not shown: %v", r.Action, why)
}

// says sets the answer to every request from now on.
func (d *Desk) says(reply func(bot.Request) bot.Reply) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reply = reply
}

// heard reports whether a request of a kind came from a place.
func (d *Desk) heard(kind bot.RequestKind, at bot.Place) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.taken, func(r bot.Request) bool { return r.Kind == kind && r.Place.Root() == at })
}

// last is the newest request; there must be n by now.
func (d *Desk) last(n int) bot.Request {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.taken) != n {
		d.t.Fatalf("the desk has %d requests, want %d: %+v", len(d.taken), n, d.taken)
	}
	return d.taken[n-1]
}
