package graph

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// The limits of service communications for one application in one tenant,
// after Microsoft's page on throttling limits of Graph: 240 calls in 60
// seconds and 800 in an hour. A burst of 60 with 3 more a second stays within
// the first in every window of 60 seconds.
const (
	burst    = 60
	perSec   = 3
	hourly   = 800
	hourLong = time.Hour
)

// budget counts the calls of one application in one tenant and keeps it from
// being throttled, which would also cost other tools of that application.
type budget struct {
	limit *rate.Limiter

	mu     sync.Mutex
	sent   []time.Time // in the last hour, oldest first
	closed time.Time   // Microsoft asked for silence until then
}

func (c *Client) budget(t bot.TenantID, app string) *budget {
	key := string(t) + " " + app
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.budgets[key]
	if b == nil {
		b = &budget{limit: rate.NewLimiter(perSec, burst)}
		c.budgets[key] = b
	}
	return b
}

// take waits for room for one call. Where that would be longer than
// httpx.MaxPause it fails with KindThrottled and the time to wait.
func (b *budget) take(ctx context.Context, now func() time.Time, wait func(context.Context, time.Duration) error) *bot.Failure {
	for {
		d := b.room(now())
		if d == 0 {
			return nil
		}
		if d > httpx.MaxPause {
			return &bot.Failure{Kind: bot.KindThrottled, System: bot.Graph, RetryAfter: d,
				Says: "Keyturn has used up the calls that Microsoft allows for service health.",
				Fix:  "It goes on by itself."}
		}
		if err := wait(ctx, d); err != nil {
			return httpx.Lost(bot.Graph, false, "", err)
		}
	}
}

// room books a call and gives 0, or says how long there is no room.
func (b *budget) room(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.closed.Sub(now); d > 0 {
		return d
	}
	for len(b.sent) > 0 && now.Sub(b.sent[0]) >= hourLong {
		b.sent = b.sent[1:]
	}
	if len(b.sent) >= hourly {
		return b.sent[0].Add(hourLong).Sub(now)
	}
	r := b.limit.ReserveN(now, 1)
	if d := r.DelayFrom(now); d > 0 {
		r.CancelAt(now)
		return d
	}
	b.sent = append(b.sent, now)
	return 0
}

// close keeps quiet until the time that a Retry-After named.
func (b *budget) close(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until.After(b.closed) {
		b.closed = until
	}
}
