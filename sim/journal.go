package sim

import (
	"sync"
	"time"
)

// Call is one request that a simulator served or made.
type Call struct {
	At     time.Time `json:"at"`
	Out    bool      `json:"out,omitempty"` // made by the simulator (an event, a click), not served
	Method string    `json:"method"`
	Path   string    `json:"path"` // with the query
	Status int       `json:"status"`
	Who    string    `json:"who,omitempty"`  // the identity the request carried, as the simulator understood it
	Note   string    `json:"note,omitempty"` // what happened, in a few words: "created app 2f1c…", "refused: PIM role not active"
	Write  bool      `json:"write,omitempty"`
}

// Journal remembers the calls of one simulator, oldest first. It keeps the
// newest 10,000. The zero value is ready for use and safe for concurrent use.
type Journal struct {
	mu    sync.Mutex
	calls []Call
	total int
	wake  chan struct{}
}

const journalKeeps = 10_000

// Add records one call.
func (j *Journal) Add(c Call) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls = append(j.calls, c)
	j.total++
	if len(j.calls) > journalKeeps {
		j.calls = append([]Call(nil), j.calls[len(j.calls)-journalKeeps/2:]...)
	}
	if j.wake != nil {
		close(j.wake)
		j.wake = nil
	}
}

// Since returns the calls after the first n ever made, and how many were ever
// made; pass that number the next time.
func (j *Journal) Since(n int) ([]Call, int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := j.total - len(j.calls)
	if n < first {
		n = first
	}
	if n > j.total {
		n = j.total
	}
	return append([]Call(nil), j.calls[n-first:]...), j.total
}

// Changed returns a channel that is closed at the next Add.
func (j *Journal) Changed() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.wake == nil {
		j.wake = make(chan struct{})
	}
	return j.wake
}
