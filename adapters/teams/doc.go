// Package teams speaks Microsoft Teams for Keyturn: it proves and parses what
// the Bot Connector posts, draws neutral messages as Adaptive Cards, and sends
// them.
//
// # The way in
//
//	POST /teams/messages, JSON
//
// Nothing of a body is believed, and most refused requests' bodies are not even
// read, before Microsoft's token is proved:
//
//	method, type -> token's size and shape -> its claims -> its key -> signature
//	  405, 415              403                 403         403        403
//	-> 256 KiB -> decode -> channel, serviceUrl, pinned host -> tenant
//	     413        400               403                        403
//	-> bot.Request with a delivery key -> Desk.Handle -> answer
//
// There is no switch that turns this off, and no adapter without an app ID. The
// keys are fetched on first use, daily, and for an unknown key at most hourly,
// by one request at a time; known keys stay in use while Microsoft's list
// cannot be read. A 403 has no body; the log says why, each reason once a
// minute.
//
// Activities that need no answer get 200 whatever becomes of them, since Teams
// stops delivering to bots that answer 5xx. Those that wait for their answer
// (buttons and dialogs) are marked Request.Inline and answered in the HTTP
// response, always with status 200 and Teams' own status inside:
//
//	Redraw             the card, redrawn, and an edit for everybody else
//	a short message    words that show for a moment
//	other messages     a card in place of the clicked one, for this person
//	                   alone, with a way back to it
//	Form               a dialog, or the form in place of the card
//	Errors             the form again, with what is wrong and what was typed
//	nothing            nothing: the engine edits the card
//	an error           Teams' error line below the card
//
// A form travels in the button that sends it, packed, so that any instance can
// draw it again. Data of a card can be read by whoever sees the card and changed
// by a changed client: it says what is asked for, never who may. Who asks, and
// where, is only taken from the activity.
//
// # The way out
//
// The library github.com/infracloudio/msbotbuilder-go gives the types and the
// adapter; its token validator and its connector client are replaced, through
// the fields that it has for that, by those of this package. The token goes only
// to pinned hosts, over TLS unless it is this machine. IDs are escaped whole. No
// call is repeated but once after 401 and once on the government cloud's host:
// the engine decides about more from the kind of the [bot.Failure]. Posting
// reports [bot.KindAmbiguous] whenever the request left and no answer came back;
// Teams has no look-up, so at most that one message may be repeated.
//
// What Teams says only in passing (the Bot Connector's address, IDs of people
// and chats, channels of a team) is kept by a [Memory].
//
// # Rendering
//
// A card is of version 1.5 and at most 27,000 bytes of JSON; what does not fit
// is cut at a sentence and said, but buttons stay. Six buttons are in sight, the
// others in the overflow menu.
//
// Text of third parties can neither notify nor link nor forge formatting. A
// text block understands Markdown, mentions and dates; a rich text block takes
// text as it is. So a line that could be read as Markdown is drawn as rich text,
// and escaped where it has to stand in one line with a mention or a time. Tags
// of mentions and calls of dates in foreign text are broken by an invisible
// character, in every kind of text.
package teams
