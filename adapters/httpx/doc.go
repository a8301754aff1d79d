// Package httpx is the one policy by which Keyturn speaks HTTP to outside
// systems, so that no adapter has time-outs, proxies or redaction of its own.
//
// [New] makes an ordinary *http.Client, which vendor libraries take as well.
// [Send] uses it for a whole exchange and says how it ended:
//
//	            no connection            connection lost, time-out
//	request ──────────────► NotSent     ┌──────────────────────────► Ambiguous
//	   │                                │
//	   └── connected, handed over ──────┴── status and whole body ─► Answered
//
// Invariants:
//
//   - NotSent is said only where no byte of the request can have left: it is
//     safe to repeat. Whoever sent a write and reads Ambiguous looks before
//     repeating it.
//   - With [Config.Hosts] no request leaves for another host: not by a
//     redirect, not by an address in an answer, not through a proxy.
//   - A redirect to another host is never followed, nor any redirect of a
//     write: the credential goes where the configuration says.
//   - No DNS answer leads a request for an outside host to this machine or to
//     the metadata service of a cloud ([ErrInward]).
//   - An error or a log line holds no query value, no header value that
//     authenticates, and no path of a capability URL.
//   - A body of more than the limit (8 MiB) is an error, never cut silently.
//
// Beside the client stand what every adapter needs around it: [RetryAfter],
// [Retry] (which failures are worth another try, and after how long),
// [TokenCache] (one fetch for any number of askers), [Target] (joins a path to
// a base without leaving its host), [Loopback] and [Resolver].
package httpx
