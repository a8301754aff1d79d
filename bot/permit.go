package bot

import "context"

// Permit is asked right before something leaves the process that changes the
// outside world. It gives an error where that must not leave any more, and
// otherwise a context that ends when it must not be under way any longer. Call
// done when it is over.
//
// It travels in the context of whoever works, so that whatever sends, however
// often it tries, passes it each time.
type Permit func(ctx context.Context) (within context.Context, done context.CancelFunc, err error)

type permitKey struct{}

// WithPermit is ctx for work whose writes need a permit.
func WithPermit(ctx context.Context, p Permit) context.Context {
	return context.WithValue(ctx, permitKey{}, p)
}

// Permitted asks the permit of ctx; where there is none, anything may leave.
func Permitted(ctx context.Context) (within context.Context, done context.CancelFunc, err error) {
	if p, ok := ctx.Value(permitKey{}).(Permit); ok {
		return p(ctx)
	}
	return ctx, func() {}, nil
}
