package engine

import (
	"context"

	"keyturn/bot"
)

// claimKey is where a worker's context holds its claim. It travels in the
// context, like the deadline, so that no commit of a worker can forget to be
// made under it.
type claimKey struct{}

// under is the context of whoever works on a job.
func under(ctx context.Context, j bot.Job) context.Context {
	return context.WithValue(ctx, claimKey{}, j.Claim())
}

// claimOf is the claim that ctx works under; the zero Claim outside of a job.
func claimOf(ctx context.Context) bot.Claim {
	c, _ := ctx.Value(claimKey{}).(bot.Claim)
	return c
}

// stillMine makes sure, right before something outside is changed, that the job
// has not gone to another process meanwhile.
func (e *Engine) stillMine(ctx context.Context) error {
	c := claimOf(ctx)
	if c == (bot.Claim{}) {
		return nil
	}
	return e.Store.Renew(ctx, c)
}
