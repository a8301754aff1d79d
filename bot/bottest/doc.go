// Package bottest is the conformance suite of chat adapters: what every one of
// them has to do, as tests that an adapter's own tests call with [Exercise].
//
// An adapter that passes it posts messages that can be edited in place, answers
// one person so that nobody else sees it, notifies whom a message mentions and
// nobody whom foreign text names, turns clicks and forms into requests that keep
// their delivery key when they come again, says with the kind of a failure what
// can be done about it, and names no secret in one. A new adapter begins here.
//
// The suite sees only what people see. It is told so by the functions of a
// [Subject], behind which is the platform or a simulator of it.
//
// [Golden] is for any package's tests: it holds a file to what the code makes.
// So is [Forgeries], for whatever decides who may come in.
package bottest
