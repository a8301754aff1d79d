package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyturn/bot"
)

// diskPause is how long a job waits that could not be put back.
const diskPause = 5 * time.Second

// tries is how often a job is tried before it is given up.
const tries = 6

// patience is how long a message is owed to a platform that cannot be reached.
const patience = 24 * time.Hour

// again puts a failed job back, or gives it up so that its lane is free. A
// reading is never given up, since silence would look like health, and a step
// that is given up is left for its person to decide.
func (e *Engine) again(ctx context.Context, j bot.Job, cause error) {
	j.Last = cause.Error()
	now := e.Now()
	if j.Kind == kindPoll && e.pollFailed(ctx, j, cause) == nil {
		return
	}
	var f *bot.Failure
	switch {
	case errors.As(cause, &f) && f.Kind == bot.KindThrottled:
		j.Due = now.Add(max(f.RetryAfter, 50*time.Millisecond))
	case slices.Contains(forever, j.Kind),
		(j.Kind == kindDeliver || j.Kind == kindNote || j.Kind == kindTicket || j.Kind == kindTwice) && bot.KindOf(cause) == bot.KindUnreachable && now.Sub(j.Made) < patience,
		j.Tries+1 < tries && worthAnother(cause):
		j.Tries++
		j.Due = now.Add(e.Backoff(j.Tries))
	case j.Kind == kindStep && e.stepLost(ctx, j, cause) == nil, j.Kind == kindTwice && e.twiceLost(ctx, j, cause) == nil:
		return
	default:
		j.Tries++
		j.Dead = true
		e.Log.Error("a job was given up", "job", j.ID, "kind", j.Kind, "lane", j.Lane, "err", cause)
	}
	if !j.Dead {
		e.Log.Info("a job waits for another try", "job", j.ID, "kind", j.Kind, "lane", j.Lane, "due", j.Due, "err", cause)
	}
	if errors.As(cause, new(unwritten)) {
		j = doubted(j)
	}
	err := e.commit(ctx, fmt.Sprintf("again/%d", j.ID), func(d *Draft) error {
		d.Out.Again = []bot.Job{j}
		if p, err := payload[Deliver](j); err == nil && j.Dead && j.Kind == kindDeliver {
			return d.givenUp(j, p)
		}
		return d.pauseAs(cause)
	})
	if err != nil && !errors.Is(err, bot.ErrTakenOver) {
		e.away.Store(true)
		e.Log.Error("a failed job could not be put back; it runs again in a while", "job", j.ID, "err", err)
		_ = e.Wait(ctx, diskPause) // the disk is full, or worse: trying at once would change nothing
		_ = e.Store.Release(context.WithoutCancel(ctx), j.Claim())
	}
}

// forever are the jobs that come again and again, and are never given up.
var forever = []string{kindPoll, kindFallback, kindBeat, kindHead, kindExpiry, kindMessages, kindTickets, kindGroups, kindSweep}

// unwritten is that a message has left, or may have, and that this could not be
// written down.
type unwritten struct{ error }

func (u unwritten) Unwrap() error { return u.error }

func asUnwritten(err error) error {
	if unkept(err) {
		return unwritten{err}
	}
	return err
}

// doubted is the job of a message that may stand already: whoever gets it looks.
func doubted(j bot.Job) bot.Job {
	p, err := payload[Deliver](j)
	if err != nil {
		return j
	}
	p.Ambiguous = true
	if b, err := json.Marshal(p); err == nil {
		j.Payload = b
	}
	return j
}

// mended says of a job that had failed how that ended: whoever has read in the log
// that it waits for another try looks for that.
func (e *Engine) mended(ctx context.Context, j bot.Job) {
	h, ok := ctx.Value(holdKey{}).(*hold)
	if !ok || j.Last == "" {
		return
	}
	h.mu.Lock()
	ended, vain := h.ended, h.vain
	h.mu.Unlock()
	switch {
	case !ended:
	case vain != nil:
		e.Log.Warn("a job that had failed is over, and its people are told why it came to nothing", "job", j.ID, "kind", j.Kind, "lane", j.Lane, "tries", j.Tries+1, "err", vain)
	default:
		e.Log.Info("a job that had failed is done", "job", j.ID, "kind", j.Kind, "lane", j.Lane, "tries", j.Tries+1)
	}
}

// written notes what a commit under a claim makes of its job, and says once that
// the store takes changes again.
func (e *Engine) written(ctx context.Context, c Changes) {
	if e.away.CompareAndSwap(true, false) {
		e.Log.Info("the store takes changes again")
	}
	h, ok := ctx.Value(holdKey{}).(*hold)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = slices.Contains(c.Done, h.claim.Job)
	for _, j := range c.Again {
		if j.ID != h.claim.Job {
			continue
		}
		if h.ended = j.Dead || j.Last == ""; j.Dead {
			h.vain = errors.New(j.Last)
		}
	}
}

// inVain notes that the job ends without what it was for, of which its people are
// told.
func inVain(ctx context.Context, why error) {
	if h, ok := ctx.Value(holdKey{}).(*hold); ok {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.vain = why
	}
}
