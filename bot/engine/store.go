package engine

import (
	"context"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// View is what a decision may read: the store as of its commit, with the
// earlier members of the same commit group. It is valid only during the
// decision. Values are copies: changing one changes nothing.
type View interface {
	// Reply is the answer that a delivery key got, within the 72 hours that
	// keys are kept.
	Reply(key string) (bot.Reply, bool, error)

	Run(id string) (setup.Run, error)              // bot.ErrNotFound
	Runs(tenant bot.TenantID) ([]setup.Run, error) // oldest first
	Objects(tenant bot.TenantID) ([]bot.Object, error)
	// Kept lists the IDs of the tenant's runs and of its incidents, the resolved
	// ones too, and reads nothing of them.
	Kept(tenant bot.TenantID) (runs, incidents []string, err error)

	Incident(tenant bot.TenantID, id string) (incident.Known, error) // bot.ErrNotFound
	// Incidents gives the tenant's unresolved incidents, or with all also the
	// resolved ones that are still kept, latest change first.
	Incidents(tenant bot.TenantID, all bool) ([]incident.Known, error)
	Subscriptions(tenant bot.TenantID) ([]incident.Subscription, error)
	// Subscribed gives one subscription by its ID, without reading the others.
	Subscribed(tenant bot.TenantID, id string) (incident.Subscription, bool, error)
	Watch(tenant bot.TenantID) (incident.Watch, error) // the zero Watch where there is none

	// Bound is the tenant that a channel speaks for.
	Bound(place bot.Place) (bot.TenantID, bool, error)
	// Sent is the ledger's entry for a message key.
	Sent(key string) (bot.Sent, bool, error)
	// SentUnder lists the ledger's entries whose key begins with prefix.
	SentUnder(prefix string) ([]bot.Sent, error)
	// EachSent calls f for each of these entries and holds none of them. f reads
	// nothing more of the view; its error ends it.
	EachSent(prefix string, f func(bot.Sent) error) error
	// SentAs lists the ledger's entries of messages that a platform gave this ID.
	// It looks through all of the ledger, and holds no other entry on the way.
	SentAs(id string) ([]bot.Sent, error)
	Secret(name string) (bot.Secret, error) // bot.ErrNotFound

	// Record gives one value of a kind; false where there is none, or its time
	// is over. [Kind] reads and writes records by their type.
	Record(kind string, tenant bot.TenantID, key string) (Record, bool, error)
	// Records lists the tenant's values of a kind, in the order of their keys.
	Records(kind string, tenant bot.TenantID) ([]Record, error)

	// Jobs lists the jobs of a lane, the dead ones too; "" is every lane.
	Jobs(lane string) ([]bot.Job, error)
	// Audit gives the last n entries of a tenant's chain, oldest first.
	Audit(tenant bot.TenantID, n int) ([]bot.AuditEntry, error)
}

// Changes is a write set: what one decision changes, applied whole or not at
// all. The zero value changes nothing.
type Changes struct {
	Delivery *Delivery

	Runs    []setup.Run
	Objects []bot.Object
	// Unlisted objects are taken out of the inventory. One that is not there is
	// no error.
	Unlisted []bot.Object

	Incidents     []incident.Known
	Subscriptions []incident.Subscription
	Unsubscribed  []incident.Subscription // removed
	Watches       []incident.Watch

	Bindings []Binding
	Sent     []bot.Sent
	Unsent   []string // ledger keys to forget
	Secrets  []Sealed
	Forget   []string // names of secrets to forget
	// Records are put, or removed where they have no value; of two with the
	// same name the later counts.
	Records []Record

	// Audit is appended to the tenants' chains; the store sets Seq, Prev, MAC.
	Audit []bot.AuditEntry

	// Under is the claim that a worker makes this change under. Where that claim
	// is no longer good, nothing is changed and the error is [bot.ErrTakenOver]:
	// whoever has the job now must find the world as it left it. The zero Claim
	// asks for nothing.
	Under bot.Claim

	// Jobs are added; the store gives each an ID in the order of the slice.
	Jobs []bot.Job
	// Done jobs are removed. A job that is not there is no error.
	Done []bot.JobID
	// Again puts claimed or dead jobs back as given (Due, Tries, Last, Dead,
	// Payload).
	Again []bot.Job
}

// Delivery is the answer kept for a delivery key.
type Delivery struct {
	Key   string
	Reply bot.Reply
	At    time.Time
}

// Binding says which tenant a channel speaks for.
type Binding struct {
	Place  bot.Place
	Tenant bot.TenantID // "" forgets
}

// Sealed is a secret to keep.
type Sealed struct {
	Name  string
	Value bot.Secret
}

// Store keeps everything. Implementations pass one conformance suite.
//
// Several processes may share one, each with a Store of its own: what is said
// of commits and claims here holds among all of them.
type Store interface {
	// Commit runs decide and applies what it returns, whole or not at all,
	// durably before it returns. decide may run more than once and must have
	// no effect but its result; an error or a panic of decide changes nothing
	// and comes back as an error. A commit that cannot be written returns an
	// error that is [bot.ErrNoCommit].
	//
	// Commits are as if one had followed the other: none decides on what another
	// has changed meanwhile.
	Commit(ctx context.Context, decide func(View) (Changes, error)) error

	// Read runs f on a consistent view. Where the store cannot be asked now the
	// error is [bot.ErrNoRead].
	Read(ctx context.Context, f func(View) error) error

	// Claim gives up to max due lane heads, most urgent class first and then
	// the oldest, each with the number of its claim and whether it may have been
	// begun. Its lane is kept until the job is finished with a commit that lists
	// it in Done or Again, or given back with Release. A store that several
	// processes share lets claims of a process that it has not heard of for a
	// while run out, by its own clock and never by now; while the process is
	// well, its claims last.
	Claim(ctx context.Context, now time.Time, max int) ([]bot.Job, error)
	// Renew makes sure that a claim is good and begins its term anew. A worker
	// calls it right before it changes something outside: what takes less than
	// a third of the term is over before anybody else can have the job.
	// [bot.ErrTakenOver] where the claim is no longer good.
	Renew(ctx context.Context, c bot.Claim) error
	// Term is how long a claim stays good that nobody renews; zero where claims do
	// not run out.
	Term() time.Duration
	// Release gives a job back as it is; a claim that is no longer good does
	// nothing.
	Release(ctx context.Context, c bot.Claim) error
	// Next is when the next unclaimed lane head is due; false where there is none.
	Next(ctx context.Context) (time.Time, bool, error)
	// Wake receives a value after commits that added jobs, of other processes
	// too. It may miss none for long and may report too many.
	Wake() <-chan struct{}

	Close() error
}
