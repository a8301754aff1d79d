// Package playground holds an end-to-end test in which people use Keyturn
// through a client that Microsoft made: the Microsoft 365 Agents Playground,
// in a headless Chromium. It proves what no simulator of ours can, since those
// share our reading of Microsoft's documents: that a client of Microsoft's
// shows our cards, sends what their buttons hold and finds our edits.
//
//	Chromium --- Playground (Rita's) ---+           +--> Keyturn, the real binary,
//	         \-- Playground (Priya's) --+-- relay --+    for Teams only
//	                                                |
//	                        simulated Microsoft ----+
//
// What always holds:
//
//   - The bot is the one that is shipped, built from this tree. The Playground
//     signs nothing that a bot may trust, and Keyturn has no switch that lets
//     unsigned requests in. So a relay signs them as the Bot Connector would,
//     with a key that exists only for the test and that only this test's bot is
//     configured to trust; the test first sees that the same request without it
//     is refused.
//   - The relay adds what Teams says and the Playground leaves out, and changes
//     nothing else. The bot's own calls need the token that it was given.
//   - What is asserted is what the page shows.
//   - A Playground has one person: only their direct messages are shown. So
//     there is one for each person of the story.
//
// The Playground's licence allows evaluation. It is no part of this tree or of
// any release: npm installs the pinned version on demand, into the folder that
// KEYTURN_PLAYGROUND names or the user's cache; off switches the test off. While
// the Playground runs it listens on all interfaces, as there is no setting for
// it. Two flaws of its page are worked around: what a person does is finished
// before anything of the bot's reaches a window, since an answer that comes
// before its question was drawn stops the page from following; and the page's
// Object.freeze does nothing, since its card renderer writes into frozen cards
// and buttons of a conversation that is opened again would be dead.
//
// Without npm or Chromium the test is skipped with the reason; with CI=true it
// fails instead. KEYTURN_CHROMIUM names a Chromium that is not in the PATH, and
// KEYTURN_SHOTS the folder for the screenshots that people can look at.
package playground
