// Package chart draws the pictures that Keyturn posts: service health by day,
// and one issue over time. It takes neutral data of bot/incident and gives PNG
// bytes; it reads no clock, no network and no file, and the same data give the
// same bytes.
//
// Invariants:
//
//   - A picture is [Width] pixels wide and drawn to be read at half of that, the
//     width that chats give it; no label is cut by its edge: names that are too
//     long end in "…", longer texts take a second line.
//   - Levels differ in lightness and not in hue alone, so that they are told
//     apart by readers who do not see colours as others do; a day that nobody
//     has read is striped and never looks like a good one.
//   - The background is light, whatever the reader's theme is.
//   - A picture says nothing that its words ([incident.HeatMapWords],
//     [incident.TimelineWords]) do not say: they are its alternative text.
package chart
