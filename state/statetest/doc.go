// Package statetest is the conformance suite of [engine.Store]: what every
// store has to do, as tests that a store's own tests call with [Exercise].
//
// A store that passes it applies a write set whole or not at all, shows each
// member of a commit group what came before it, hands out the heads of lanes
// once and in order, refuses what is made under a claim that is over, and keeps secrets sealed and the audit trail unbroken
// over a restart. A new store begins here.
package statetest
