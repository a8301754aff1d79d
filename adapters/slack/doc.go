// Package slack speaks Slack for Keyturn: it verifies and parses what Slack
// posts, draws neutral messages as Block Kit, and sends them.
//
// # The way in
//
//	POST /slack/commands      slash commands          form
//	POST /slack/interactions  clicks, forms           form with a JSON payload
//	POST /slack/events        mentions, direct        JSON
//	                          messages, App Home,
//	                          memberships, uninstall
//
// Each request goes through the same stations, and nothing is parsed before
// its signature is known to be right:
//
//	method -> content type -> 1 MiB -> HMAC over the raw bytes -> age -> parse
//	   405        415          413           401               403
//	-> bot.Request with a delivery key -> Desk.Handle -> answer
//
// A replay inside the five minutes that Slack's signature allows has the same
// delivery key as the original, so the store gives the same answer again.
//
// A slash command is answered in the HTTP response, a submitted form with a
// response action. Clicks and events have no response body: what Desk.Handle
// replies to them is sent by the engine through [Adapter.Answer]
// (Request.Inline tells the two apart). A form is opened after Handle returned
// and the acknowledgement left, with one call and two seconds.
//
// In Socket Mode [Adapter.Connect] fetches the same three over connections that
// Keyturn opened, without signatures. An envelope is answered by the same code
// as the request that it stands for: what the HTTP response would hold goes into
// its acknowledgement, and it has none where the response would be an error.
//
// # The way out
//
// Every method makes its calls within ten seconds and repeats none of them:
// the engine decides about that from the kind of the [bot.Failure]. Calls that
// are the same when made twice (edit, publish, look-ups) never report
// [bot.KindAmbiguous]; posting does whenever bytes of the request left and no
// answer came back. Redirects are not followed, so a token goes only to the
// configured API.
//
// # Rendering
//
// The renderer cannot emit a block that Slack refuses for its length: every
// text passes through a cut to the limit of the place it goes to, counted in
// UTF-16 units after escaping, which is never less than what Slack counts. A
// message has at most 50 blocks and 10,000 characters of text; what does not
// fit is cut at a sentence and said ("… (12 more lines)"), but buttons stay.
//
// Text of third parties cannot forge formatting. Slack's mrkdwn has escapes
// for & < > and none for * _ ~ ` and :emoji:, so a piece of text is drawn as
// mrkdwn (verbatim, which keeps Slack from reading @here, #channel and bare
// URLs in it) only where none of its characters could be read as formatting,
// and as rich_text, whose elements take raw text, everywhere else. Values to
// copy and code are always rich_text_preformatted. plain_text objects have
// emoji off.
//
// The top-level text is the whole message in words: screen readers read it
// instead of the blocks. It holds no mention, so the blocks alone notify.
package slack
