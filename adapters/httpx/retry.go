package httpx

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keyturn/bot"
)

// longest is the longest pause that a Retry-After is believed.
const longest = 24 * time.Hour

// RetryAfter reads the header of RFC 9110: seconds (fractions are accepted) or
// an HTTP date. It reports false where there is none that can be read. The
// pause is between 0 and 24 hours.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0, false
	}
	var d time.Duration
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		switch {
		case s != s: // NaN
			return 0, false
		case s >= longest.Seconds():
			d = longest
		default:
			d = time.Duration(max(s, 0) * float64(time.Second))
		}
	} else if t, err := http.ParseTime(v); err == nil {
		d = t.Sub(now)
	} else {
		return 0, false
	}
	return min(max(d, 0), longest), true
}

// Wait pauses for d or until the context ends, and then gives its error.
func Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// The limits of [Retry].
const (
	MaxPause     = 30 * time.Second // a longer Retry-After is the caller's to wait out
	MaxThrottled = 60 * time.Second // all pauses for throttling together
	MaxLag       = 60 * time.Second // all pauses for replication together
	maxLost      = 3                // repeats after failures that reached nobody, or of reads
)

// Retry decides within one call whether a failure is worth another try. It
// relies on the kinds: KindThrottled means refused without effect,
// KindUnreachable means a read, or a write of which nothing was sent. All
// others are final, but for what the system calls "not replicated yet".
type Retry struct {
	Wait func(context.Context, time.Duration) error // nil is [Wait]
	Rand func() float64                             // 0 to 1, for jitter; nil is random

	lost, slowed, lagged  int
	throttled, replicated time.Duration
}

// Again waits and reports true where the call should be made again. lag says
// that the failure is the kind that replication heals and that the call asked
// for patience with it.
//
// A pause that was asked for is told to who listens ([bot.Slowed]), whether it is
// waited out here or not.
func (r *Retry) Again(ctx context.Context, f *bot.Failure, lag bool) bool {
	if f.Kind == bot.KindThrottled {
		bot.Slowed(ctx, f.RetryAfter)
	}
	d, ok := r.pause(f, lag)
	if !ok || ctx.Err() != nil {
		return false
	}
	wait := r.Wait
	if wait == nil {
		wait = Wait
	}
	return wait(ctx, d) == nil
}

func (r *Retry) pause(f *bot.Failure, lag bool) (time.Duration, bool) {
	switch {
	case f.Kind == bot.KindThrottled:
		d := f.RetryAfter
		if d == 0 {
			d = r.jitter(time.Second << min(r.slowed, 4))
		}
		if d > MaxPause || r.throttled+d > MaxThrottled {
			return 0, false
		}
		r.slowed++
		r.throttled += d
		return d, true
	case f.Kind == bot.KindUnreachable:
		d := r.jitter(500 * time.Millisecond << min(r.lost, 4))
		if f.RetryAfter > 0 {
			d = f.RetryAfter
		}
		if r.lost++; r.lost > maxLost || d > MaxPause {
			return 0, false
		}
		return d, true
	case lag:
		d := min(time.Second<<min(r.lagged, 4), MaxLag-r.replicated)
		if d <= 0 {
			return 0, false
		}
		r.lagged++
		r.replicated += d
		return d, true
	}
	return 0, false
}

// jitter spreads a pause over its upper half, so that calls that failed
// together do not come back together.
func (r *Retry) jitter(d time.Duration) time.Duration {
	random := r.Rand
	if random == nil {
		random = rand.Float64
	}
	return d/2 + time.Duration(random()*float64(d/2))
}
