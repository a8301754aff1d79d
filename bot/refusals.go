package bot

import (
	"sync"
	"time"
)

// Refusals keeps the log from being flooded by whoever sends what is refused
// before it is read: each reason once a minute, with how often it was met since.
// The zero value is ready; it is safe for concurrent use.
type Refusals struct {
	mu   sync.Mutex
	last map[string]time.Time
	n    map[string]int
}

// Tell counts one more refusal. It says whether it is to be told, and then how
// many there were since the last time.
func (r *Refusals) Tell(why string, now time.Time) (int, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last, r.n = map[string]time.Time{}, map[string]int{}
	}
	r.n[why]++
	if last, ok := r.last[why]; ok && now.Sub(last) < time.Minute {
		return 0, false
	}
	n := r.n[why]
	r.last[why], r.n[why] = now, 0
	return n, true
}
