// Package engine is the loop: request, decide, commit, jobs, outside world,
// commit. It knows stores and platforms only through its ports ([Store],
// [Chat], [bot.Caller], [Health]).
//
// A click:
//
//	adapter --Request--> Handle --Decide(draft)--> one commit: reply under its delivery key,
//	                                               run, audit entry, jobs
//	                        |                                   |
//	                     answer                          lanes, one after another
//
// An incident:
//
//	poll job --> Health --> incident.Reading --> one commit: incidents, a delivery for every
//	                                             subscription that matches, the next poll
//
// A decision is a [Draft]: it reads a [View] and fills [Changes], which the
// store applies whole or not at all. It may run more than once, so it has no
// other effect; its IDs derive from its key. [Draft.PutRun] adds everything
// that follows from a changed run (execution, checklist, cards, pings), so
// that no decision can forget it.
//
// Promises:
//
//   - What was acknowledged is on disk: Handle returns after the commit.
//   - A request takes effect once: a repeat of its delivery key gets the same
//     reply and changes nothing.
//   - No audit entry, no call: the intent is committed before every write, the
//     outcome after it. A write that was begun and not ended is looked for by
//     its natural key before it is made again.
//   - Everything that leaves is a job in a lane. A lane's jobs run in order; a
//     job that is given up stays visible and frees its lane.
//   - A message is drawn at the moment of sending and written into the ledger
//     with the platform's ID. A message that the ledger knows is edited, never
//     posted again. After an ambiguous send it is looked up where the platform
//     can ([Finder]); where it cannot, at most that one is repeated.
//   - A panic costs its own request or job, never the process.
package engine
