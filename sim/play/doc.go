// Package play is a small organisation with simulators around it, and people
// who use them: they type, click, fill forms, and do in the portals what the
// bot asks them to do there.
//
// A [World] is the simulators with everybody in place. A [Player] acts as one
// of them after another and waits for what it expects to see; it reads only
// what the simulated platforms show, and it never tells the bot "done" for
// something that it has not done in a portal.
package play
