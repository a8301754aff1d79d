// Package chat is the page of `keyturn demo`: a small client of Slack and
// Microsoft Teams in the browser, drawn from what their simulators received and
// from nothing else.
//
// The visitor is one of the organisation's people at a time, with their account
// in each of the two. What they type and click goes to the simulator, which
// calls the bot with signed requests like Slack or Teams; what the bot says
// comes back through the simulated API. So the page proves the bot and its
// adapters, and shares no code with them.
//
// # How it is drawn
//
// The server renders the whole page for an address (?as= person, ?at= place,
// ?thread=, ?portal=). A small script listens to server-sent events, fetches
// the same address again at each change and swaps the regions that differ, so
// there is one renderer, and what a person is typing stays.
//
// # Invariants
//
//   - It imports the simulators, never the bot.
//   - Text of a message reaches the page only escaped. Links are http, https or
//     mailto. The content security policy allows no inline script or style.
//   - Pages of another origin can neither act (cross-origin requests are
//     refused) nor frame it.
//   - A card of Teams is drawn as the bot sent it, or as the person's own last
//     click left it. An edit closes what they had opened in it.
//   - A block or an element of a card that it cannot draw is a visible
//     box, never a gap.
package chat
