// Package outward carries what must be heard when chat is silent: notes by a
// fallback way of the tenant ([Webhook], [Mail]), beats to a monitor that
// watches Keyturn itself ([Heartbeat]), and one look at Microsoft's public
// status page ([PublicStatus]). [Syslog] gives single lines to a collector.
//
// It decides nothing. When a note is due, and what it says, is decided in
// bot/incident; retries belong to the engine. Each call here is one try with a
// time limit of its own, and its error is a [*bot.Failure] whose kind says what
// a second try would mean:
//
//	nothing left, or a plain "later"  ──► KindUnreachable, KindThrottled   try again
//	the receiver said no              ──► KindRefused                      somebody has to change something
//	handed over, no word back         ──► KindAmbiguous                    it may have arrived
//	the note or its address is wrong  ──► KindBadRequest                   nothing was sent
//
// Invariants:
//
//   - A note that is sent again carries the same ID ([Note.ID]), as webhook-id
//     or Message-ID, so that a receiver can tell a repeat from news.
//   - Addresses of webhooks and monitors are keys themselves. Neither they nor
//     any other secret is in an error, in what an error wraps, or in the log of
//     the HTTP policy: at most the host is named. What a server answers is
//     quoted only where it repeats none of them.
//   - Nothing leaves unencrypted but to this machine, and a password not even
//     there. Lines for a collector may, since they hold no secret. Redirects are not followed.
//   - Words from outside cannot add a header, a recipient or a second message.
package outward
