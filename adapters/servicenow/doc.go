// Package servicenow speaks with ServiceNow instances: the Table API and the
// instance's own OAuth token endpoint.
//
// [Client.Call] makes one [bot.Call] as it was shown to its approver and adds
// authentication, nothing else. Bodies are passed through as ServiceNow wraps
// them ({"result": ...}).
//
// Invariants:
//
//   - A write goes to a host that is not this machine only with a token that
//     the approver signed in for ([Tokens]). Without that it is refused here,
//     before anything is sent.
//   - A write is repeated only where it surely had no effect. Where that is
//     unknown the failure is KindAmbiguous: the Table API has no idempotency
//     key.
//   - An answer to the token endpoint never leaves with a token in it.
//   - A web page is never taken for an answer: sleeping instances and sign-in
//     pages answer 200 with HTML.
//   - An empty list proves nothing: row ACLs leave rows out silently, and an
//     instance may ignore a part of a query. This package passes such answers
//     through; deciding is the caller's.
package servicenow
