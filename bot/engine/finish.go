package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyturn/bot"
)

// finish removes a job and writes the ledger, in one commit. What a store that is
// away for a moment does not take is tried again before another process could get
// the job and do it once more; then it is remembered, so that at least this one
// does not.
func (e *Engine) finish(ctx context.Context, j bot.Job, sent *bot.Sent) error {
	err := e.finished(ctx, j, sent)
	if slices.Contains(forever, j.Kind) { // of these nothing was done that could be done twice
		return err
	}
	for pause := time.Second; unkept(err) && pause <= 4*time.Second; pause *= 2 {
		if e.Wait(ctx, pause) != nil {
			break
		}
		err = e.finished(ctx, j, sent)
	}
	if err != nil && !errors.Is(err, bot.ErrTakenOver) {
		e.over.Store(j.ID, sent)
	}
	return err
}

func (e *Engine) finished(ctx context.Context, j bot.Job, sent *bot.Sent) error {
	return e.commit(ctx, fmt.Sprintf("job/%d", j.ID), func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		if sent == nil {
			return nil
		}
		d.Out.Sent = []bot.Sent{*sent}
		if p, err := payload[Deliver](j); err == nil {
			for _, c := range p.Covers {
				d.Out.Sent = append(d.Out.Sent, bot.Sent{Key: c, Ref: sent.Ref, At: sent.At})
			}
			if err := errors.Join(d.chatReached(j, p), d.stand(p)); err != nil {
				return err
			}
		}
		return d.reached(j)
	})
}

// onlyOne takes back a message that was posted by a worker that had lost its job
// meanwhile, once the ledger has another one in its place: whoever had the job then
// has looked before this one landed. before is what the ledger had.
func (e *Engine) onlyOne(ctx context.Context, chat Chat, key string, before, mine bot.MessageRef) {
	r, ok := chat.(Remover)
	if !ok {
		return
	}
	for pause := time.Second; pause <= 16*time.Second; pause *= 2 {
		var now bot.Sent
		var known bool
		err := e.Store.Read(ctx, func(v View) (err error) { now, known, err = v.Sent(key); return err })
		switch {
		case err != nil || !known || now.Gone || now.Ref == before: // the other one is still at it
			if e.Wait(ctx, pause) != nil {
				return
			}
			continue
		case now.Ref.ID == mine.ID && !elsewhere(now.Ref.Place, mine.Place): // which it has found
			return
		}
		if err := r.Remove(free(ctx), mine); err != nil {
			e.Log.Warn("a message stands twice, and could not be taken back", "key", key, "place", mine.Place.String(), "err", err)
		} else {
			e.Log.Info("a message that stood twice was taken back: another process had posted it meanwhile", "key", key, "place", mine.Place.String())
		}
		return
	}
}

// free lets calls leave although the claim that ctx works under is over: those that
// look, and that take back what should not have left.
func free(ctx context.Context) context.Context {
	return bot.WithPermit(ctx, func(ctx context.Context) (context.Context, context.CancelFunc, error) { return ctx, func() {}, nil })
}
