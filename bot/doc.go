// Package bot holds the words of Keyturn: people and the roles they hold,
// places, tenants, messages, forms, requests, replies, calls to outside
// systems, jobs, the ledger and the audit trail. Every type that crosses a
// port is here; nothing here does I/O, and nothing here knows a platform.
//
// Invariants:
//
//   - A message is neutral: each part has a counterpart in Slack's Block Kit
//     and in an Adaptive Card. Third-party text enters only as [Span] text,
//     which no renderer may interpret.
//   - A [Secret] prints "[redacted]" wherever it is printed, logged or
//     marshalled. Only [Secret.Reveal] gives the value.
//   - A [Call] is what an approver was shown. Adapters run it as it stands;
//     they add authentication and nothing else.
//
// The packages below decide: bot/setup (who must do what next), bot/incident
// (what changed at Microsoft and who wants to know), bot/recommend (which
// solutions fit), bot/engine (the loop that commits decisions and runs jobs).
package bot
