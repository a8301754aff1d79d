// Package slack is a simulator of Slack: one workspace with one installed app,
// served over real HTTP. Tests, `keyturn demo` and `keyturn sim slack` point the
// bot's API base address at it and cannot tell it from the real one by the
// rules that matter.
//
// It has three doors:
//
//	/api/<method>   the Web API, as the bot calls it
//	/hooks/...      response addresses (five uses, thirty minutes)
//	/_sim/...       what people do: the HTTP twins of the Go methods below
//
// And it calls the bot, with signed requests, at Config.BotURL +
// "/slack/commands", "/slack/interactions" and "/slack/events". With
// Config.AppToken it is in Socket Mode instead: it sends envelopes over the
// connections that the app opened (apps.connections.open, /link), to each in
// turn, and waits for their acknowledgement. The two ways exclude each other.
//
// # What people do
//
// Every user action is a method (Slash, Mention, DM, Click, Submit, Close,
// OpenHome, Archive, ...). An action first asks what Slack's own client would
// ask: is the person in the channel, does the button exist, is a required input
// filled in. A refusal there is an error, and nothing reaches the bot. Only then
// is the bot called, and what came of it is an Outcome.
//
//	     Slash ──► trigger (3 s, one use) ──► views.open ──► open view
//	       │                                                  │  ▲
//	       ▼                                           Submit │  │ errors, update, push
//	response address (5 uses, 30 min)                         ▼  │
//	                                     clear, or empty 200: closed
//
//	event ──► 2xx within 3 s: done
//	      └─► failed ─► at once ─► after 1 min ─► after 5 min ─► lost
//
// # Invariants
//
//   - Blocks, metadata and views are kept byte for byte in meaning as they were
//     received; what Slack adds (block IDs, action IDs) is added to the copies
//     that go out, and is the same each time.
//   - A request is refused whole or has its whole effect.
//   - Time comes from Config.Now; identifiers from a counter and a hash, so two
//     equal walks give equal records.
//   - The simulator shares no code with the bot or its Slack adapter.
//
// Slack's limits are enforced always; its rates only with Config.Limits.
package slack
