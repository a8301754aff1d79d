// Package engine is the loop: request, decide, commit, jobs, outside world,
// commit. Everything that enters ends in one commit; everything that leaves is
// a job in a lane. It knows stores and platforms only through its ports:
// [Store], [Chat], [Finder], [bot.Caller], [Health], [Witness], [Pace], [KeyMaker],
// [Doorman], [Library].
//
// # A click
//
//	platform ─▶ adapter ─▶ Handle ─▶ Decide(draft) ─▶ one commit ─▶ reply
//	            verified             pure               delivery key with its reply
//	            and parsed           may run twice      the new run
//	                                                    audit entries
//	                                                    jobs that follow
//
// [Draft.PutRun] adds what follows from a changed run (the steps to execute, the
// checklist, cards, hand-offs, outcomes), so that no decision can forget it. The
// time is taken once and IDs derive from the delivery key: a decision that runs
// again comes out the same. Nothing on this way waits for an outside system.
//
// # An approved step
//
//	approved ─▶ read again, plan again ─▶ the same digest? ──no──▶ void, shown anew
//	                                           │ yes
//	    ┌──────────────────────────────────────┘
//	    ▼   for each call
//	 intent on disk, in the audit trail ─▶ call ─▶ result on disk: facts, sealed secrets, inventory
//	    ▲                                   │
//	    │ the process ended, or the answer  │
//	    │ is ambiguous                      ▼
//	    └── look for our own effect ◀── nobody knows
//	        found: its result is recorded, the call is not repeated
//	        of no use (a secret whose value is lost): removed, audited too
//
// then the step is read back, and only what was read is called done.
//
// # A sign-in
//
// In the mode delegated every call without an identity of its own runs as a
// person, with the token of their own sign-in:
//
//	a call, nobody signed in ─▶ the step is unsigned ─▶ [Sign in] ─▶ an attempt: one use, 15 minutes,
//	                                  ▲                              for one person and step, with a number
//	                                  │                                        │ the confirming click
//	       the system refuses a token:│                                        ▼
//	       the visit ends             │   the step goes on ◀─ redeem ◀─ code sealed, on disk ◀─ one browser
//
// The code and the PKCE verifier are sealed, the state and the browser's own
// secret are kept as sums. A token is never in a record, a job or a message.
// [Sessions] gives it to adapters; it is forgotten when nothing more is asked of
// its person, when its time is over, or when a system refuses it. Approved calls
// wait for their approver and run as nobody else.
//
// # An incident
//
//	poll job ─▶ Health.Issues ─▶ incident.Reading ─▶ Desk.Tell ─▶ one commit ─▶ delivery jobs ─▶ Chat ─▶ ledger
//	             complete, or      names changes      of each      incidents      drawn at the
//	             an error          with reasons       channel      the watch      moment of sending
//	                                                      ▲        the desks
//	                                    wake job ─────────┘        the next poll, the next waking
//	                                    quiet hours end, a digest is due
//
// A root and its replies share the lane of their channel, so the root is first:
// before it is posted a newer drawing of it never takes its place in the lane.
// What one message tells of many changes is in the ledger under each of them.
// A reading that fails is recorded and, once it has lasted, told once; its end
// is told too. Where the tenant has ServiceNow, the same commit adds what its
// incident there has to say (incident.Follow), written as the dedicated user,
// each call with its intent first.
//
// # A question
//
//	recommend ─▶ Draft.Find: what the tenant knows, at once ─▶ the answer
//	                 │                                            ▲ edited, or followed by what was added
//	                 └▶ learn job: the library (product words and codes alone) and, where the configuration
//	                    says so, ServiceNow: as the asker while they are signed in, else published articles
//
//	recommend INC… ─▶ record job: read as the asker ─▶ the same ─▶ [Write into INC…] ─▶ note job
//
// # A job
//
//	             Claim                     Done
//	waiting ──────────────▶ in a worker ─────────▶ gone
//	   ▲                         │
//	   │ Again: throttled, as long as the platform says
//	   │ Again: failed, after a pause that doubles
//	   └─────────────────────────┤
//	                             │ given up after six tries, or refused for good; a message is
//	                             │ tried for a day where its platform cannot be reached
//	                             ▼
//	                           dead: shown to operators, its lane is free
//
// A worker commits under its claim ([Changes].Under), and asks the store right
// before it changes something outside whether the claim is still good: a process
// that stood still while another took its job over wakes up and changes nothing.
// Whatever it sends passes a [bot.Permit] each time: it is under way for a third of
// the claim's term at most, or for as long as the claim is kept meanwhile.
// Who takes a job over is told that it may have been begun, and looks first. What
// was made again, or by a worker that had lost its job, is looked up once more, and
// a second one is taken away ([bot.Doubt]). Where that takes a sign-in that is over,
// the step waits for its approver, and its run is open again.
//
// A pause that a platform or a system asks for is a record, written with what puts
// the job back or as soon as a call hears of it. Each process looks there before it
// sends or calls: what one was told holds for all.
//
// Jobs of a lane run one after another, in the order of their IDs. A lane is
// named after what it keeps in order:
//
//	now/ request     its own answer           poll/, messages/ tenant   reading Graph
//	chat/ place      a conversation           ticket/ tenant, issue     one ServiceNow incident
//	step/ run, step  calls of a step          tickets/ tenant           how those stand
//	change/ run      notes in its change      audit/ tenant             heads of the trail go outside
//	remind/ run      reminders                expiry/ tenant            what ends soon, each morning
//	home/ account    somebody's own page      groups/ tenant            who is in a user group
//	later/ message   one for later            learn/ tenant             articles for an answer
//	wake/ sub        digests, quiet hours     note/, beat/ tenant       what is left when chat is silent
//	forget/ sign-in  a visit's token          sweep                     what is of no use any more
//	twice/ run       what a call may have made a second time
//	record/ number   a ServiceNow incident that somebody asks about
//
// Classes order what competes for a platform's limits: click, hand-off,
// checklist, incident, digest. A job that draws something replaces an older one
// that nobody has begun.
//
// # Names of people
//
// Decisions read and write names as they are; the store has them in one table,
// and pseudonyms everywhere else ([Named]):
//
//	decision ─▶ "approved as erin.admin@…" ─▶ cloak ─▶ "approved as person-3f…"  run, entry, object, record, answer
//	                                            └────▶ person-3f… = erin.admin@…  the table of names
//
// so that erasing somebody ([Erase]) empties rows of that table and touches
// nothing that is signed. A kind of record says whether people may be named in
// it; payloads of jobs are sealed, and stay as they are.
//
// # What is read as a whole
//
// Names, and the texts in which answers are found, are looked through in almost
// every decision and seldom change. What was made of them is kept beside the
// edition that the store says they have, and made anew when that is another:
//
//	commit that changes them ─▶ edition = sum of the edition before and of the change
//	decision ─▶ reads the edition ─▶ the one that is kept? ─▶ no: reads everything
//
// The edition is part of the commit. So it holds for every replica, for whoever
// decides later in the same group, and is as it was where the commit failed.
//
// # Promises
//
//   - What was acknowledged is on disk before the answer.
//   - A request takes effect once for its delivery key; a repeat gets the same
//     reply for as long as keys are kept.
//   - No audit entry, no call: the intent is the entry.
//   - After an interruption exactly one object remains outside, and no secret
//     whose value nobody has.
//   - A message is posted once for its key and edited when its words changed.
//     An ambiguous post is looked up; where the platform cannot do that, at most
//     one is repeated. A deleted message is posted anew, a reply without a root
//     is held, never becomes one, and follows once its root stands.
//   - A platform that cannot be reached is owed its messages for a day.
//   - A reading is never given up, whatever went wrong: silence is not health.
//   - Chat that could not be reached for ten minutes is told by the tenant's
//     fallback ways ([Way]), once, and its end too; a monitor ([Monitor]) hears
//     of good readings only.
//   - A step is never left at work with nobody working on it: what is given up
//     is left for its person, in words.
//   - A panic costs the job, or the request, that it happened in.
package engine
