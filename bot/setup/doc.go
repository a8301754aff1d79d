// Package setup decides who must do what next: guides, runs, steps, plans and
// approvals, and the messages that show them. It is pure: it makes no call and
// reads no clock.
//
// A [Guide] is data: an ordered set of [Spec], each one thing that one role
// does, with the steps that it needs. Steps need steps, not positions, so
// independent ones are handed out at the same time. A [Run] is one walk
// through a guide; it keeps what every step came to, and the facts that the
// steps gave.
//
//	pending --needs settled--> open ------------ word or values ------> confirmed
//	                 \                  (guided)           \--check--> done
//	                  \--> looking --plan--> planned --approval--> running --> checking --> done
//	                         ^                 |  ^                   |            |
//	                         |                 |  +---- void ---------+            |
//	                         +---- retry ------+------------ failed <--------------+
//	                                                           \--reason--> skipped
//
// Invariants:
//
//   - A plan is the calls themselves ([bot.Call]). What is shown is what is
//     made, with secrets as placeholders that only the engine fills in.
//   - An [Approval] is a person's word on one plan digest. The digest covers
//     the writes; a step is read and planned again right before the first
//     call, and another digest voids the approval.
//   - Done means read back by [API.Prove]. What only a person says is
//     confirmed, a different mark everywhere. A proof claims nothing that was
//     not read.
//   - A step settles once. Only its way back, approved like the step itself,
//     unsettles it.
//   - A secret is a fact without a value here: it is sealed in the store.
//
// To add a step, write its Spec in a step_*.go file and put it into a guide
// in guide*.go with what it needs; see [API] and [Guided] for what it may say.
package setup
