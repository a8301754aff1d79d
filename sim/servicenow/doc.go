// Package servicenow simulates one ServiceNow instance as a real HTTP server:
// the Table API with its rights, rules and error bodies, OAuth for callers
// from outside, the pages that people use, and the wizard of the Microsoft
// 365 support integration in its 1.x and 2.x form.
//
// The wizard of 1.x, which one admin can leave and another take up again:
//
//	agree -> outbound -> inbound -> inbound_user -> repository -> settings -> complete -> done
//	                                                                            |  ^
//	                                                     Next, the test failed  +--+
//
// and of 2.x:
//
//	agree -> environment -> domain -> app -> provider -> verify -> done
//	              |                                                 ^
//	              +---------- Continue without any setup -----------+
//
// From done, "Run setup again" leads back to agree.
//
// The wizard opens only for an admin whose application picker stands on the app's
// scope, and only while oauth_entity is readable from other scopes.
//
// Invariants:
//
//   - A refused write leaves nothing behind.
//   - Pages and Table API go through the same rights and rules; they differ
//     in one thing, a client secret: typed into the form it is stored well,
//     written by API it is stored as SecretWrite says, and only with
//     sysparm_input_display_value=true.
//   - A client secret or token is never in an answer, in the journal, in
//     /_sim/ or in a log row. The snapshot file holds client secrets, and
//     tokens as digests.
//   - The instance never calls the real services: a host that Config.Outbound
//     does not map does not resolve.
//   - Where the real platform is known to differ from instance to instance,
//     Modes has a switch, and the default is the stricter behaviour.
//
// People who use the pages by script post the forms: every field has a name,
// every value to read back has an id. "?as=<user name>" signs in.
package servicenow
