// Package bolt keeps everything in one file, for the usual case of one Keyturn
// process. It implements engine.Store on bbolt.
//
// # A commit group
//
// One goroutine, the writer, changes the file. Commits wait for it in a
// channel; it takes whoever waits and shares one transaction among them, so
// that under load the disk is waited for once for many.
//
//	Commit A ──┐            ┌─ decide A ─ encode ─ apply ─┐
//	Commit B ──┼─► writer ──┼─ decide B ─ encode ─ apply ─┼─► flush ─► memory ─► A, B, C return
//	Commit C ──┘            └─ decide C ─ fails           ┘
//	                             B sees A's changes
//
//	apply fails      roll back, each member again in a transaction of its own
//	flush fails      roll back, all of the group get bot.ErrNoCommit
//
// Members of a crowd that were answered together come back together. After one
// the writer waits a moment for its like before it begins, and never for
// somebody who comes alone.
//
// bbolt has no savepoints, so nothing of a member is applied before all of it
// is encoded, and what cannot be stored has been refused by then.
//
// # Jobs
//
// The lanes are also in memory, as of the last commit, read at open from a
// compact index. Claims are in memory alone: the file belongs to one process,
// and when that ends so do its claims. A job that was due when the file was
// opened, or was given back, may have been begun. A job that a commit under way removes
// or changes is held: no worker gets it until the outcome is known.
//
// # Invariants
//
//   - Commit returns nil only when the change is on disk.
//   - A member that was told an error has changed nothing, with one exception
//     that no store can avoid: when the very last flush of a commit fails and
//     the next one fails too, the change was told to have failed and may yet
//     be found after a restart, whole.
//   - What is answered rests on the disk: when a group cannot be written, its
//     members that only read get the error as well.
//   - Opening reads no incident, no run and no payload.
package bolt
