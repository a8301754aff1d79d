// Package walk holds an end-to-end test in which the people of the demo go
// through its chat page in a real browser: a whole setup on Slack and Teams at
// once, doing only what the bot suggests, and then an incident on both.
//
//	headless Chromium --- chat page --- simulated Slack, Teams ---+
//	        \                                                     |
//	         \--- Keyturn's own pages, the simulated portals --- Keyturn
//
// What always holds:
//
//   - The program is the one that is shipped, built from this tree and started
//     as a visitor starts it: `keyturn demo`. It is reached through the browser
//     alone, except that the test is Microsoft: it publishes the incident.
//   - Everything is pressed with the keyboard: what has no focus cannot be used.
//   - What is asserted is what the page shows.
//   - Each view is also looked at in the dark and as wide as a phone. Nothing may
//     stick out of the page, and every word needs the contrast that people with
//     poor eyes need (4.5 to 1, large ones 3 to 1).
//
// KEYTURN_PICTURES names the folder that the README's pictures are written to;
// `make pictures` does that. Without it nothing is written. KEYTURN_SHOTS names a
// folder for every view in every form, to look at.
//
// Times in the pictures are those of the walk; all else is the same each time.
// Without Chromium the test is skipped with the reason; with CI=true it fails
// instead. KEYTURN_CHROMIUM names one that is not in the PATH, and KEYTURN_BROWSER=off
// switches the test off.
package walk
