// Package graph speaks with Microsoft: Microsoft Graph, Microsoft's sign-in
// service (token proofs only) and, for probes, the DNS.
//
// [Client.Call] makes one [bot.Call] as it was shown to its approver and adds
// authentication, nothing else. [Client.Issues] and its siblings read service
// communications for the poller.
//
//	Call ─► may it be made? ─► token ─► send ─► answer
//	             │               ▲        │
//	             ▼               │        ├─ 401, or 403 with an old token: a new token, once
//	      KindForeign:           └────────┼─ 429 with a short Retry-After: wait
//	      nothing was called              ├─ "not replicated yet", if the call has Lag: wait
//	                                      ├─ a read that was lost, a write never sent: wait
//	                                      └─ else: a *bot.Failure
//
// Invariants:
//
//   - A write goes to a host that is not this machine only with a token that
//     the approver signed in for ([Tokens]). Without that it is refused here,
//     before anything is sent.
//   - A write is repeated only where it surely had no effect. Where that is
//     unknown the failure is KindAmbiguous.
//   - A token is sent to the configured host and to no other: neither a path,
//     nor a redirect, nor a server's "next page" leads elsewhere.
//   - A reading of service communications is whole or an error. A page that
//     fails fails the reading: silence is never mistaken for health.
//   - No secret is in a failure: neither the credential, nor the token, nor
//     what the call's own body or form holds under a name like "secret".
package graph
