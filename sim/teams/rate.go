package teams

import (
	"math"
	"time"
)

// rates remembers when operations happened. It is guarded by Server.mu.
type rates map[string][]time.Time

// wait returns how many seconds an operation has to wait, 0 where it may pass.
// It counts nothing.
func (r rates) wait(now time.Time, key string, windows []window) int {
	longest := windows[len(windows)-1].in
	kept := r[key][:0]
	for _, at := range r[key] {
		if now.Sub(at) < longest {
			kept = append(kept, at)
		}
	}
	r[key] = kept
	seconds := 0
	for _, w := range windows {
		if len(kept) < w.count {
			continue
		}
		free := kept[len(kept)-w.count].Add(w.in)
		if now.Before(free) {
			seconds = max(seconds, int(math.Ceil(free.Sub(now).Seconds())))
		}
	}
	return seconds
}

func (r rates) count(now time.Time, key string) { r[key] = append(r[key], now) }

// throttle counts one call against the tenant's and the conversation's rates
// and refuses what is too much. s.mu is held.
func (s *Server) throttle(class, conversation string, windows []window) *refusal {
	if !s.cfg.Limits {
		return nil
	}
	now, key := s.cfg.Now(), class+" "+conversation
	seconds := max(s.rate.wait(now, "tenant", []window{{tenantPerSecond, time.Second}}), s.rate.wait(now, key, windows))
	if seconds > 0 {
		r := refuse("Throttled")
		r.retryAfter = seconds
		return r
	}
	s.rate.count(now, "tenant")
	s.rate.count(now, key)
	return nil
}
