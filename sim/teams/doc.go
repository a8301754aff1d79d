// Package teams is a simulator of Microsoft Teams as a bot sees it: one tenant,
// the Bot Connector, its tokens and keys, and the client that people use, served
// over real HTTP. Tests, `keyturn demo` and `keyturn sim teams` name its address
// as the service URL, the sign-in host and the OpenID host of the bot.
//
// It has four doors:
//
//	/v3/...                          the Bot Connector, as the bot calls it
//	/{tenant}/oauth2/v2.0/token      tokens for the Connector
//	/v1/.well-known/...              the keys that its deliveries are signed with
//	/_sim/...                        what people do: the HTTP twins of the Go methods below
//
// And it calls the bot, with signed tokens, at Config.BotURL + "/teams/messages".
//
// # What people do
//
// Every user action is a method (Say, Mention, Click, Submit, Install, React,
// ...). An action first asks what Teams' own client would ask: is the person a
// member, does the button exist, is a required input filled in. A refusal there
// is an error, and nothing reaches the bot. Only then is the bot called, and
// what came of it is an Outcome.
//
//	message in a channel ──► names the bot? ──no──► only posted
//	                              │yes
//	Action.Submit ────────────────┴──► message ──► 2xx within 15 s: done
//	                                        └─ no answer: once more, same ID ─► lost
//
//	Action.Execute ──► invoke ──► card:  the clicker's own view of the message,
//	                          │          until the bot edits it
//	                          ├─► message: toast
//	                          └─► error:   in red below the card
//
//	task/fetch ──► dialog ──► Submit ──► task/submit ──► continue: next dialog
//	                 │                              └──► message, or nothing: closed
//	                 └─ Dismiss: the bot is not told
//
// # Invariants
//
//   - Activities are kept as the bot sent them; what a client makes of them (views,
//     reactions, who was alerted) stands beside them.
//   - A request is refused whole or has its whole effect.
//   - Time comes from Config.Now; identifiers from a counter and a hash, so two
//     equal walks give equal records.
//   - A message for one person is seen by that person only, and for 24 hours.
//   - The simulator shares no code with the bot or its Teams adapter.
//
// Sizes, rosters and card rules hold always; rates only with Config.Limits. What
// Teams lets pass and a good bot does not do is listed as a Violation.
package teams
