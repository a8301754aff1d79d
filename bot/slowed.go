package bot

import (
	"context"
	"time"
)

type slowedKey struct{}

// WithSlowed is ctx for calls whose system may ask for a pause: f hears of each
// one at once, also where the call itself waits and goes on.
func WithSlowed(ctx context.Context, f func(ctx context.Context, pause time.Duration)) context.Context {
	return context.WithValue(ctx, slowedKey{}, f)
}

// Slowed says that a system refused a call of ctx for now and wants none for a
// while. Where nobody listens it does nothing.
func Slowed(ctx context.Context, pause time.Duration) {
	if f, ok := ctx.Value(slowedKey{}).(func(context.Context, time.Duration)); ok && pause > 0 {
		f(ctx, pause)
	}
}
