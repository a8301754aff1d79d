// Package incident decides what changed at Microsoft, who wants to know, and
// what to say. It does no I/O and reads no clock: every time is a parameter.
//
// A reading of a tenant's service health goes through it like this:
//
//	raw JSON -> [Parse] -> []Issue -> [Reading] -> Outcome: what to store, what to tell, how the watch stands
//	                                      |
//	                                  [Compare], issue by issue -> []Change, each with a reason
//	                                      |
//	          [Desk.Tell] per subscription: [Route], [Storm], [Summary] -> []Act, to store and to do
//	                                      |
//	                     later, when [Desk.Due]: [Desk.Wake] -> what was held, and the [Digest]
//
// The message center goes the same way: [ParseMessage], [ReadingMessages],
// [Desk.TellPosts]. ServiceNow has its own: [Follow] gives the call for each
// change. Pictures are data here ([HeatMap], [Timeline]) and drawn elsewhere.
//
// # Changes
//
// An issue moves between these states; every arrow is told with its reason:
//
//	(unknown) --new--> open advisory --worse--> open incident
//	                        ^  <---better---        |
//	                        |                       |
//	                    re-opened <-- resolved <----+
//	                                     |
//	                                     +-- post-incident review (once)
//
// Invariants:
//
//   - The latest post is the one with the greatest createdDateTime; Graph's
//     order of posts is not by time.
//   - Each post is told at most once. Two posts whose gist is the same (the
//     text without title, blanks and "next update") count as one, so a
//     repeated post and a post that only moves the next update are not told.
//   - The post-incident review is told once, however often it is announced.
//   - An issue that is missing from a reading is neither resolved nor gone.
//   - The first reading of a tenant tells nothing: it seeds.
//   - Values of enumerations are compared without case and unknown ones kept.
//
// # Telling
//
// What becomes of a change in one channel:
//
//	changed --wanted, at once--> told now: root and replies, or the root of a storm, or a [Summary]
//	   |  \--quiet hours--> held --their end--> told
//	   |  \--maintenance window--> held --its end--> told in one message
//	   |  \--advisory, message center, digest channel--> waiting --the digest--> told
//	   \--not wanted (with a reason)
//
// Invariants, per channel:
//
//   - An issue has one root: its own or that of a storm's group, never both.
//   - Each change that says something is told once, in the order of its thread,
//     by itself or in a message that names it ([Act.Covers] are for the ledger).
//   - A root shows the issue as it is, also while replies are held.
//   - Quiet hours hold no incident unless the channel chose that.
//   - What waits when an issue becomes urgent goes before the urgent news.
//   - A digest that has nothing to say is not sent, except on Mondays; none
//     calls anything fine that was not read.
//
// # Watching
//
// A [Watch] stands for reading one tenant:
//
//	unseeded --first reading--> reading <--[Reading]-- failing --15 minutes--> told
//	                               |                      ^                      |
//	                               +------[Failed]--------+      [Reading] ------+--> reading, with a [Gap]
//
// # Text
//
// Microsoft's text is declared HTML and is often plain. [Convert] makes it
// neutral rich text, in which newlines and tags are both line breaks, and
// which holds no markup and no entity; text that only looks like a tag, such
// as <table-name>, stays readable. [Sections] lifts the labelled parts.
package incident
