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

// remind sends the reminders of a run that are due. What was settled meanwhile
// is not asked for again.
func (e *Engine) remind(ctx context.Context, j bot.Job) error {
	p, err := payload[remindJob](j)
	if err != nil {
		return err
	}
	return e.commit(ctx, "remind/"+e.ID(), func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		before, err := d.Run(p.Run)
		if errors.Is(err, bot.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		c, err := d.Context(&before)
		if err != nil {
			return err
		}
		g, ok := d.env.Guide(before.Guide)
		if !ok || before.State != setup.RunOpen {
			return nil
		}
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
