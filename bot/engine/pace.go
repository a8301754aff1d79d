package engine

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"keyturn/bot"
)

// Limits is a [Pace] of token buckets for the platforms' published limits.
// Slack's "Rate limits" page: about one message per second and channel with
// short bursts, and chat.update is Tier 3, 50 a minute and workspace. Teams'
// "Rate limiting for bots": 7 sends in a second and 60 in 30 seconds per
// conversation. The zero value is not ready: use [NewLimits].
type Limits struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// NewLimits begins with full buckets.
func NewLimits() *Limits { return &Limits{buckets: map[string]*rate.Limiter{}} }

// Take implements [Pace].
func (l *Limits) Take(now time.Time, at bot.Place, edit bool) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(at, edit)
	r := b.ReserveN(now, 1)
	if !r.OK() {
		return time.Second
	}
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

func (l *Limits) bucket(at bot.Place, edit bool) *rate.Limiter {
	key, every, burst := at.Root().String(), time.Second, 4
	switch {
	case at.Platform == bot.Teams:
		every, burst = 500*time.Millisecond, 7
	case edit:
		key, every, burst = "edit/"+at.Team, 1200*time.Millisecond, 20
	}
	b, ok := l.buckets[key]
	if !ok {
		b = rate.NewLimiter(rate.Every(every), burst)
		l.buckets[key] = b
	}
	return b
}

// NoLimits is a [Pace] that never waits, for measuring.
type NoLimits struct{}

// Take implements [Pace].
func (NoLimits) Take(time.Time, bot.Place, bool) time.Duration { return 0 }
