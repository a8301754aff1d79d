// Package incident decides what changed at Microsoft, who wants to know, and
// what to say. It does no I/O and reads no clock: every time is a parameter.
//
// A reading of a tenant's service health goes through it like this:
//
//	raw JSON -> [Parse] -> []Issue -> [Reading] -> Outcome: what to store, what to tell, how the watch stands
//	                                      |
//	                                  [Compare], issue by issue -> []Change, each with a reason
//	                                      |
//	              [Matches] per subscription -> [Root], [Reply], [History] ... -> bot.Message
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
