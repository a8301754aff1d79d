package sim

import (
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is one scripted misbehaviour of a simulator.
type Fault struct {
	Method string        `json:"method,omitempty"` // "" is any method
	Path   string        `json:"path"`             // path.Match pattern on the URL path; a trailing "/**" matches everything below
	Times  int           `json:"times,omitempty"`  // how often; 0 is until removed
	Skip   int           `json:"skip,omitempty"`   // lets so many matching calls through first
	Status int           `json:"status,omitempty"` // answered instead; 0 with Drop or After
	Header http.Header   `json:"header,omitempty"`
	Body   string        `json:"body,omitempty"`
	Type   string        `json:"type,omitempty"`  // content type, default application/json
	Delay  time.Duration `json:"delay,omitempty"` // waited before anything else
	Drop   bool          `json:"drop,omitempty"`  // closes the connection without an answer, before the effect
	After  bool          `json:"after,omitempty"` // with Drop: after the effect, so that the outcome is ambiguous
	While  func()        `json:"-"`               // called when the call has arrived, before anything else: what happens meanwhile
}

// Throttled is a 429 with Retry-After, the commonest fault.
func Throttled(pattern string, times int, retryAfter time.Duration) Fault {
	return Fault{Path: pattern, Times: times, Status: http.StatusTooManyRequests,
		Header: http.Header{"Retry-After": {strconv.Itoa(int(retryAfter / time.Second))}}}
}

// Faults is the script of one simulator. The zero value has none.
type Faults struct {
	mu   sync.Mutex
	list []*Fault
}

// Add appends a fault to the script.
func (f *Faults) Add(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, &fault)
}

// Clear removes every fault.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
}

func (f *Faults) take(r *http.Request) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.list {
		if (fault.Method != "" && fault.Method != r.Method) || !matches(fault.Path, r.URL.Path) {
			continue
		}
		if fault.Skip > 0 {
			fault.Skip--
			continue
		}
		if fault.Times > 0 {
			if fault.Times--; fault.Times == 0 {
				f.list = append(f.list[:i:i], f.list[i+1:]...)
			}
		}
		c := *fault
		return &c
	}
	return nil
}

func matches(pattern, p string) bool {
	if below, ok := strings.CutSuffix(pattern, "/**"); ok {
		return p == below || strings.HasPrefix(p, below+"/")
	}
	ok, err := path.Match(pattern, p)
	return err == nil && ok
}

// Wrap applies the script in front of a handler.
func (f *Faults) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault := f.take(r)
		if fault == nil {
			next.ServeHTTP(w, r)
			return
		}
		if fault.While != nil {
			fault.While()
		}
		if fault.Delay > 0 {
			select {
			case <-time.After(fault.Delay):
			case <-r.Context().Done():
				return
			}
		}
		switch {
		case fault.Drop && fault.After:
			next.ServeHTTP(discard{}, r)
			panic(http.ErrAbortHandler)
		case fault.Drop:
			panic(http.ErrAbortHandler)
		case fault.Status == 0:
			next.ServeHTTP(w, r)
			return
		}
		for k, v := range fault.Header {
			w.Header()[k] = v
		}
		if w.Header().Get("Content-Type") == "" {
			t := fault.Type
			if t == "" {
				t = "application/json"
			}
			w.Header().Set("Content-Type", t)
		}
		w.WriteHeader(fault.Status)
		_, _ = w.Write([]byte(fault.Body))
	})
}

// discard takes an answer that nobody will see.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
