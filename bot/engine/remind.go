package engine

import (
	"context"
	"errors"

	"keyturn/bot"
	"keyturn/bot/setup"
)

type remindJob struct {
	Run string `json:"run"`
}

func remindLane(run string) string { return "remind/" + run }

// remindNext has a job wait for the next reminder of a run. A newer one takes
// the place of one that waits.
func (d *Draft) remindNext(before, after *setup.Run, g *setup.Guide, t *bot.Tenant) {
	at, ok := after.NextReminder(g, t)
	if !ok {
		return
	}
	if before != nil {
		if was, had := before.NextReminder(g, t); had && was.Equal(at) {
			return
		}
	}
	d.job(remindLane(after.ID), kindRemind, bot.ClassHandoff, at, remindJob{Run: after.ID}, remindLane(after.ID))
}

// ofRun finishes a job with what f decides about its run. There is nothing to
// decide about a run that is over or forgotten.
func (e *Engine) ofRun(ctx context.Context, j bot.Job, name, run string, f func(*Draft, setup.Run, *setup.Guide, setup.Context) error) error {
	return e.commit(ctx, name+"/"+e.ID(), func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		r, err := d.Run(run)
		if errors.Is(err, bot.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		c, err := d.Context(&r)
		if err != nil {
			return err
		}
		g, ok := d.env.Guide(r.Guide)
		if !ok || r.State != setup.RunOpen {
			return nil
		}
		return f(d, r, g, c)
	})
}

// remind sends the reminders of a run that are due. What was settled meanwhile
// is not asked for again.
func (e *Engine) remind(ctx context.Context, j bot.Job) error {
	p, err := payload[remindJob](j)
	if err != nil {
		return err
	}
	return e.ofRun(ctx, j, "remind", p.Run, func(d *Draft, before setup.Run, g *setup.Guide, c setup.Context) error {
		after := before.Clone()
		reminders := after.Remind(g, c.Tenant, d.Now)
		if len(reminders) == 0 {
			d.remindNext(nil, &after, g, c.Tenant)
			return nil
		}
		sc, err := d.Scene(&after, after.Place)
		if err != nil {
			return err
		}
		for _, rem := range reminders {
			for _, who := range rem.To {
				d.Tell(c.Tenant, who, sc.Says(rem))
			}
		}
		if err := d.PutRun(&before, &after); err != nil {
			return err
		}
		for _, rem := range reminders {
			for _, who := range rem.To {
				if rem.Backup {
					d.Redraw(&after, who)
				}
			}
		}
		d.remindNext(nil, &after, g, c.Tenant)
		return nil
	})
}
