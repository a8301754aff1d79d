// Package statetest is the conformance suite of the stores: what every
// implementation of engine.Store promises, in tests.
package statetest
