// Package signin is Keyturn's own pages: where a person confirms a sign-in
// that they asked for in chat, where the systems' own sign-in pages send them
// back to, and where a secret is shown once when there is no other way.
//
// The pages ask a [Desk] and keep nothing. One sign-in goes like this:
//
//	chat     [Sign in] ─▶ a link for one use, and a number; both for this person, 15 minutes
//	GET      /signin/go/{tenant}/{key}      who asked, run, change number, host, account. Changes nothing
//	POST     the same                       the number, clicked: this browser goes on, no other
//	         ─▶ the system's own page       state, nonce and PKCE are of this one sign-in
//	GET      /signin/entra                  the code is sealed and on disk before the browser is answered
//	         /signin/servicenow/{tenant}    each instance has its own address here
//	         ─▶ a job redeems the code and looks whose account it is
//	GET      /signin/after/{tenant}/{id}    how it went, for the browser that began it
//	POST     /signin/reveal/{tenant}/{id}   a secret, once, after a sign-in for that
//
// Invariants:
//
//   - Reading a page changes nothing: chat programs open links by themselves.
//   - A sign-in belongs to one browser from the confirming click on, by a cookie
//     of which the desk keeps only a sum. It serves one person and one step.
//   - The browser is sent to the configured systems and to Keyturn's own pages,
//     and to no address that came in with a request.
//   - What does not fit is answered with one page that says nothing of what was
//     wrong, and is counted in the audit trail where a sign-in was meant.
//   - No page needs a script, and none may run one; no page has a field for a
//     password. There is no device code.
//   - A code that a crash swallowed is not asked for again: its person signs in
//     again. Tokens never come near these pages.
package signin
