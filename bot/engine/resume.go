package engine

import (
	"context"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// begin makes sure that every tenant with a credential is polled, and that
// open runs and desks go on where they were.
func (e *Engine) begin(ctx context.Context) error {
	return e.commit(ctx, "begin/"+e.ID(), func(d *Draft) error {
		if err := d.sweepLater(); err != nil {
			return err
		}
		for _, t := range d.env.Tenants {
			_, have, err := e.reader(d.View, t)
			if err != nil {
				return err
			}
			jobs, err := d.Jobs(pollLane(t.ID))
			if err != nil {
				return err
			}
			if have && len(alive(jobs)) == 0 && e.Health != nil {
				d.pollNow(t.ID)
			}
			if err := d.watched(t.ID); err != nil {
				return err
			}
			if err := d.resumeMessages(t.ID, have && e.Health != nil); err != nil {
				return err
			}
			if e.Witness != nil {
				if err := d.witnessed(t.ID); err != nil {
					return err
				}
			}
			if err := e.resumeBeat(d, t); err != nil {
				return err
			}
			if err := d.resume(t); err != nil {
				return err
			}
			if err := d.resumeRoles(t); err != nil {
				return err
			}
			if err := d.resumeDesks(t); err != nil {
				return err
			}
		}
		return nil
	})
}

// resume adds the execution of steps that no job stands for, which a newer
// guide or a given-up job can leave behind.
func (d *Draft) resume(t *bot.Tenant) error {
	runs, err := d.Runs(t.ID)
	if err != nil {
		return err
	}
	for _, r := range runs {
		g, ok := d.env.Guide(r.Guide)
		if r.State != setup.RunOpen || !ok {
			continue
		}
		if jobs, err := d.Jobs(remindLane(r.ID)); err != nil {
			return err
		} else if len(alive(jobs)) == 0 {
			d.remindNext(nil, &r, g, t)
		}
		for i := range g.Steps {
			spec := &g.Steps[i]
			s := r.Step(spec.ID)
			if s == nil || !busy(spec, s) {
				continue
			}
			jobs, err := d.Jobs("step/" + r.ID + "/" + string(spec.ID))
			if err != nil {
				return err
			}
			if len(alive(jobs)) == 0 {
				d.stepJob(r.ID, spec.ID, d.Now)
			}
		}
	}
	return nil
}

// resumeMessages has the message center read where no job stands for that.
func (d *Draft) resumeMessages(t bot.TenantID, reads bool) error {
	jobs, err := d.Jobs(messagesLane(t))
	if err == nil && reads && len(alive(jobs)) == 0 {
		d.messagesNow(t)
	}
	return err
}

// resumeDesks has every desk woken that no job stands for.
func (d *Draft) resumeDesks(t *bot.Tenant) error {
	subs, err := d.Subscriptions(t.ID)
	if err != nil {
		return err
	}
	for _, s := range subs {
		jobs, err := d.Jobs(wakeLane(s.ID))
		if err != nil {
			return err
		}
		if len(alive(jobs)) > 0 {
			continue
		}
		if err := d.Reschedule(s); err != nil {
			return err
		}
	}
	return nil
}

func alive(jobs []bot.Job) []bot.Job {
	var out []bot.Job
	for _, j := range jobs {
		if !j.Dead {
			out = append(out, j)
		}
	}
	return out
}
