// Package moments holds the messages that people judge the bot by: each moment
// of a setup and of an incident once, as words and as what Slack and Microsoft
// Teams are sent for it, in a golden file of its own. Whoever changes what the
// bot says reads the whole message there, beside the others.
//
// What always holds, over all of them:
//
//   - Both platforms get every word and every button.
//   - Every button asks for something that the table of commands has, so that
//     there is a command that does the same.
//   - A step, like an answer, has one primary button at most; what destroys is
//     danger, and nothing else.
//   - The tone: no exclamation marks, no "please", no emoji but the fixed marks,
//     and those with their words.
//
// The run is one of the guide that ships; only time, names and IDs are made up.
package moments
