// Package postgres keeps everything in PostgreSQL, for several Keyturn
// processes (replicas) that share one set of data. It implements engine.Store
// on pgx, in a database schema of its own. Commands open the same schema beside
// the replicas ([Config].Aside).
//
// # One lock
//
// Whatever gives, prolongs or ends claims and whatever changes records happens
// under one advisory lock of the schema, which ends with its transaction:
//
//	Commit   exclusive   decide on what is there ─ write ─ COMMIT
//	Claim    exclusive   the free lane heads, for a term
//	Renew    shared      this claim, while it is good, for a term anew
//	beat     shared      all claims of this replica that are still good
//	Release  none        it only ends a claim
//
// So commits follow each other, among all replicas, and none is ever decided
// twice. Those that come to one replica while it waits for the lock are a group: one
// transaction, a savepoint for each. What a change touches is asked in one exchange
// with the server and written in one, the last of a group with the COMMIT behind it:
// the lock is held for as long as that takes. A replica that stands still with the lock loses it: the server ends a
// transaction that says nothing for a third of the term.
//
// # Claims
//
// A claim is columns of its job: a number that is never given again, whose it
// is, and until when by the clock of the server. Each replica prolongs its own
// five times a term, those that it heard of and has not given back. One that is gone or stands still lets them run out; the job
// then counts as begun, and a commit under the old number is refused.
//
// # Replicas
//
// Each one gives a sign of life five times a term and says which key it seals
// with. One that would seal with another key than those that live is refused:
// they could not read what it writes.
//
// # Waking
//
// Commits that change jobs notify the channel of the schema, on which every
// replica listens. A replica also wakes its workers with every beat: what a lost
// notification, or a claim that ran out, left to do is found then.
//
// # Invariants
//
//   - Commit returns nil only when the server has confirmed the change. When the
//     connection breaks during the very last message of a commit, the change was
//     told to have failed and may yet be found, whole.
//   - Names are bytes and sort as such; values have the form of state/codec.go.
//   - The steps that set up the schema only add, so that an older replica goes
//     on while a newer one starts.
package postgres
