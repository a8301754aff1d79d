// Package setup decides who must do what next, in a setup that needs several
// admins. It does no I/O and reads no clock: time, IDs and what was read
// outside are parameters, so every decision can be run twice and tested by
// table.
//
// A [Guide] is data: steps with the role that does each, the steps that have to
// be settled before, and how it is done: by API on approval, by hand with a
// check or a person's word, or both. A [Run] is one walk through a guide for
// one tenant and ServiceNow instance (or none); it keeps the guide's revision
// and is all that survives a restart. A [Scene] draws a run's messages: the
// checklist, a person's card, the hand-off, the exact calls, the same calls as
// a script, the record.
//
// Steps need steps, not positions. [Run.HandOut] opens every step whose needs
// are settled, so independent ones are handed out at the same time; the open
// steps of one person share a card, a [Visit].
//
// # A step
//
// What the API does, and what people do:
//
//	          HandOut                Planned              Approve            End of the calls
//	pending ──────────▶ looking ──────────────▶ planned ───────────▶ running ───────────▶ checking
//	    ▲ │                ▲ │                  │  ▲  │                 │                   │   │
//	    │ │ HandOut        │ │ nothing to make  │  │  │ Check (by hand) │ Void: it changed  │   │ Prove
//	    │ └────────▶ open  │ └──────────────────┼──┼──┴─────────────────┼──────────────────▶│   ▼
//	    │              │   │ Retry              │  └────────────────────┘                   │  done ── Unmake ─▶ planned,
//	    │              │   │                    │ Reject                │ refused           │          the way back
//	    │ withdraw     │   └──── failed ◀───────┴───────────────────────┴───────────────────┘
//	    └── any that   │            │
//	       is not      │ Confirm    │ Skip, with a reason
//	       settled     ▼            ▼
//	               confirmed     skipped                                    not-needed: does not apply to the run
//
// A step that waits for an act elsewhere (API.Poll) goes from open to checking
// and back until its proof holds. The way back of a step is a plan like any
// other: approved, run, and then the step is read again; rejected or checked by
// hand it is read back instead, and stands if it is still there.
//
// A settled step one call of which may have taken effect twice ([Run.Doubt]) goes to
// checking, waits for its approver to sign in where nobody else may look, and is
// settled again as it was once the second effect is gone. What was built on it stays.
//
// # A run
//
//	open ──▶ done        every step is settled; a doubt of a step opens it again
//	     ──▶ cancelled   by the requester or an owner, never while calls are made
//	     ──▶ ended       the service that the guide sets up is gone
//
// # Invariants
//
//   - Done, confirmed, skipped and not-needed are settled: only [Run.Unmake]
//     and [Run.Doubt] open such a step again. Done is proved, read back by Keyturn; confirmed
//     is a person's word. They never share a mark.
//   - An act on a step that was decided meanwhile is [bot.ErrStale] and changes
//     nothing. Racing clicks have one winner.
//   - A step runs only with an approval of the digest of the plan that it has.
//     [Digest] covers the writes: any change of one is another plan, what was
//     only read is not.
//   - A run ends if and only if all of its steps are settled, or somebody ends it.
//   - A step that waits for people stands on a card of each of its holders.
//   - Facts are shown, secret facts never: a call holds {fact} and {{secret}}
//     placeholders, [Shown] draws them, and [Fill] puts values in right before
//     the call. What somebody outside wrote can neither leave its place in a
//     call nor name a secret.
package setup
