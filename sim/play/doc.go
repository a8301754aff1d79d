// Package play is a small organisation with simulators around it, and people
// who use them: they type, click, fill forms, and do in the portals what the
// bot asks them to do there.
//
// A [World] is the simulators with everybody in place. A [Player] acts as one
// of them after another and waits for what it expects to see.
//
//	          what the bot posted                        what the page shows
//	World ───────────────────────▶ Player ◀──────────────────────────── portals
//	  ▲                              │ │                                   ▲
//	  └──── types, clicks, submits ──┘ └──── signs in, reads, saves ───────┘
//
// Invariants:
//
//   - A player reads only what the simulated platforms and portals show to
//     people, and acts only as a person can: it has no way into the bot.
//   - It never tells the bot "done" for something that it has not done in a
//     portal, and types nothing that it has not read there.
//   - It waits for what it expects, with an end to its patience, and then says
//     what it saw instead.
package play
