//go:build race

package main

// underRace says that the race detector runs: it keeps memory of its own beside
// that of the program, for whatever was touched.
const underRace = true
