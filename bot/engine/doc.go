// Package engine is the loop: request, decide, commit, jobs, outside world,
// commit.
package engine
