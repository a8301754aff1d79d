package slack

import (
	"math"
	"time"
)

// channelBurst is how many messages a channel takes at once before the pace of
// one a second holds; Slack tolerates short bursts and publishes no number.
const channelBurst = 3

// rates counts calls in windows of a minute per method, and messages per
// channel. It is guarded by Server.mu.
type rates struct {
	windows map[string]*window
	buckets map[string]*bucket
}

type window struct {
	until time.Time
	count int
}

type bucket struct {
	at     time.Time
	tokens float64
}

// take returns 0 where the call may pass, else the seconds to wait.
func (r *rates) take(now time.Time, method, channel string, perMinute int) int {
	if r.windows == nil {
		r.windows, r.buckets = map[string]*window{}, map[string]*bucket{}
	}
	if method == "chat.postMessage" {
		b := r.buckets[channel]
		if b == nil {
			b = &bucket{at: now, tokens: channelBurst}
			r.buckets[channel] = b
		}
		b.tokens = math.Min(channelBurst, b.tokens+now.Sub(b.at).Seconds())
		b.at = now
		if b.tokens < 1 {
			return 1
		}
		b.tokens--
	}
	w := r.windows[method]
	if w == nil || !now.Before(w.until) {
		w = &window{until: now.Add(time.Minute)}
		r.windows[method] = w
	}
	if w.count >= perMinute {
		return int(math.Ceil(w.until.Sub(now).Seconds()))
	}
	w.count++
	return 0
}
