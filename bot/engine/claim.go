package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"keyturn/bot"
)

// hold is a worker's claim and when it was last known to be good. It travels in
// the context, like the deadline, so that no commit of a worker can forget to be
// made under it.
type hold struct {
	store Store
	claim bot.Claim

	mu sync.Mutex
	at time.Time // by this machine's clock, like the claim's term by the server's: people's clocks have no part in it

	asked, given int // permits, of the write that is made now

	ended bool  // the job is done, put off for its next turn, or given up
	vain  error // why it came to nothing
}

type holdKey struct{}

// under is the context of whoever works on a job.
func (e *Engine) under(ctx context.Context, j bot.Job) context.Context {
	h := &hold{store: e.Store, claim: j.Claim()}
	return bot.WithPermit(context.WithValue(ctx, holdKey{}, h), h.permit)
}

// claimOf is the claim that ctx works under; the zero Claim outside of a job.
func claimOf(ctx context.Context) bot.Claim {
	if h, ok := ctx.Value(holdKey{}).(*hold); ok {
		return h.claim
	}
	return bot.Claim{}
}

// stillMine makes sure, before something outside is changed, that the job has
// not gone to another process meanwhile.
func (e *Engine) stillMine(ctx context.Context) error {
	if h, ok := ctx.Value(holdKey{}).(*hold); ok {
		return h.renew(ctx)
	}
	return nil
}

// renew makes sure that the claim is good and begins its term anew.
func (h *hold) renew(ctx context.Context) error {
	at := time.Now()
	if err := h.store.Renew(ctx, h.claim); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = at
	return nil
}

func (h *hold) since() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Since(h.at)
}

// permit is the [bot.Permit] of a worker. What it lets through is never under way
// longer than a third of the claim's term after the claim was last known to be
// good: it keeps the claim for as long as that takes, and ends it where it
// cannot. Another worker that takes the job over then finds what it has done.
func (h *hold) permit(ctx context.Context) (within context.Context, done context.CancelFunc, err error) {
	term := h.store.Term()
	h.count(1, 0)
	if h.since() >= term/12 {
		if err := h.renew(ctx); err != nil {
			return nil, nil, err
		}
	}
	h.count(0, 1)
	if term == 0 {
		return ctx, func() {}, nil
	}
	within, cancel := context.WithCancelCause(ctx)
	go h.keep(within, cancel, term)
	return within, func() { cancel(nil) }, nil
}

func (h *hold) count(asked, given int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked, h.given = h.asked+asked, h.given+given
}

// sending makes a write, and reports whether it may have left: not where every
// permit for it was refused.
func sending(ctx context.Context, call func() (bot.Answer, error)) (a bot.Answer, sent bool, err error) {
	h, ok := ctx.Value(holdKey{}).(*hold)
	if ok {
		h.mu.Lock()
		h.asked, h.given = 0, 0
		h.mu.Unlock()
	}
	a, err = call()
	if !ok {
		return a, true, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return a, h.asked == 0 || h.given > 0, err
}

// keep renews the claim until ctx ends, and ends ctx where a third of the term
// has passed without.
func (h *hold) keep(ctx context.Context, cancel context.CancelCauseFunc, term time.Duration) {
	pause := term / 6
	for {
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		left := term/3 - h.since()
		try, stop := context.WithTimeout(ctx, left)
		err := h.renew(try)
		stop()
		switch {
		case err == nil:
			pause = term / 6
		case errors.Is(err, bot.ErrTakenOver) || h.since() >= term/3:
			cancel(fmt.Errorf("the job's claim could not be kept, so what it was sending was ended: %w", err))
			return
		default:
			pause = min(term/60, max(0, term/3-h.since()))
		}
	}
}
