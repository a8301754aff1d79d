//go:build race

package incident

// The race detector makes everything about twenty times slower, and there is
// one goroutine here: it need not see every timeline.
func init() { storyChecks = 100 }
