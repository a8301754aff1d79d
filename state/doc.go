// Package state is what every store of Keyturn shares: sealing, the audit
// chain, the form of the records, and what a change must look like to be
// stored at all. The stores are in the packages below it; the conformance
// suite that each of them passes is state/statetest.
//
// # A commit group
//
// Decisions of requests that arrive together share one write to disk:
//
//	request A ─ decide ┐                         ┌─ answer A
//	request B ─ decide ┼─ one transaction ─ disk ┼─ answer B
//	request C ─ decide ┘                         └─ answer C
//
// B decides on a view that already holds the changes of A. A decision that
// fails or panics leaves the group and costs nobody else. Nobody is answered
// before the disk has it all.
//
// # Keys
//
// One keyset, kept apart from the data, does two things:
//
//	keyset ─┬─ AES-GCM, newest key ─────────────── seals secrets and job payloads
//	        └─ HKDF ─ a key for each tenant ─ HMAC chains the audit entries
//
// Rotating adds a key: the newest seals and signs, the older ones still open
// and verify.
//
// # Invariants
//
//   - What was sealed opens under its own record name and no other.
//   - An audit entry's MAC covers everything in it, and through Prev
//     everything before it. A chain proves what is in it; that nothing was cut
//     from its end, or written anew by a holder of the key, proves only a [Head]
//     kept elsewhere. Where the oldest entries were removed after their time, a
//     signed checkpoint stands in their place ([Auditor.Checkpoint]).
//   - A record read and written again has the same bytes.
//   - What [Validate] refuses, no store ever sees.
package state
