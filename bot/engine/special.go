package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// channels subscribes the run's channel and proves it with a test message.
func (w *work) channels(ctx context.Context) error {
	key := "run/" + w.run.ID + "/test"
	return w.e.commit(ctx, fmt.Sprintf("channels/%d/%d", w.job.ID, w.job.Tries), func(d *Draft) error {
		before, err := d.Run(w.ref.Run)
		if err != nil {
			return err
		}
		after := before.Clone()
		st := after.Step(w.ref.Step)
		if st.State != setup.Looking {
			d.Out.Done = []bot.JobID{w.job.ID}
			return nil
		}
		place := bot.Place{Platform: after.Place.Platform, Team: after.Place.Team, Channel: after.Options[setup.OptionChannel]}
		sent, ok, err := d.Sent(key)
		if err != nil {
			return err
		}
		if ok {
			d.Out.Done = []bot.JobID{w.job.ID}
			after.Prove(w.ref.Step, setup.Finding{Proof: []string{"a test message stands in the channel"}, Facts: map[string]string{"channel.test": sent.Ref.Link}}, d.Now)
			after.Step(w.ref.Step).By = after.Requester
			return d.PutRun(&before, &after)
		}
		jobs, err := d.Jobs(chatLane(place))
		if err != nil {
			return err
		}
		for _, j := range jobs {
			if j.Dead && strings.Contains(string(j.Payload), key) {
				d.Out.Done = []bot.JobID{w.job.ID, j.ID}
				after.Fail(w.ref.Step, setup.Problem{Says: j.Last, Fix: "Mend that, then try again. Or skip this step, and type /keyturn subscribe in another channel.", Kind: bot.KindGone, At: d.Now})
				return d.PutRun(&before, &after)
			}
		}
		again := w.job
		again.Due = d.Now.Add(500 * time.Millisecond)
		if again.Tries == 0 {
			again.Tries++
			s := incident.NewSubscription(w.ctx.Tenant.ZoneName())
			s.Tenant, s.Place, s.By = after.Tenant, place, after.Requester
			if err := d.Subscribe(s, &after); err != nil {
				return err
			}
		}
		d.Out.Again = []bot.Job{again}
		return nil
	})
}

// record closes a run with what exists now.
func (w *work) record(ctx context.Context) error {
	return w.change(ctx, true, func(d *Draft, r *setup.Run) error {
		st := r.Step(w.ref.Step)
		if st.State.Settled() {
			return bot.ErrStale
		}
		n := 0
		for _, o := range w.ctx.Objects {
			if o.Run == r.ID && o.Removed.IsZero() {
				n++
			}
		}
		r.Prove(w.ref.Step, setup.Finding{Proof: []string{fmt.Sprintf("%d objects in the record", n)}}, d.Now)
		return nil
	})
}

// NewID makes an ID that is the same whenever this decision is run again.
func (d *Draft) NewID(prefix string) string {
	d.ids++
	return prefix + "-" + shortHash(fmt.Sprintf("%s/%s/%d", prefix, d.key, d.ids))
}

// Home draws the bot's own page for an account.
func (d *Draft) Home(a bot.Account) {
	d.job("home/"+a.String(), kindHome, bot.ClassClick, d.Now, homeJob{Account: a}, "home/"+a.String())
}

// Redraw makes a person's newest card of a run be as it is now.
func (d *Draft) Redraw(r *setup.Run, p bot.PersonID) {
	t, ok := d.env.Tenant(r.Tenant)
	if !ok {
		return
	}
	person, _ := t.Person(p)
	for n := range r.Visits[p] {
		for _, a := range person.Accounts {
			d.deliver(Deliver{Key: setup.CardKey(r.ID, p, n) + "/" + a.String(), Place: bot.DM(a),
				Draw: Draw{What: drawCard, Run: r.ID, Person: p, Visit: n}}, bot.ClassHandoff, d.Now)
		}
	}
}

// Remind asks a person again at a time, if the step still waits then.
func (d *Draft) Remind(r *setup.Run, p bot.PersonID, step setup.StepID, at time.Time) {
	t, ok := d.env.Tenant(r.Tenant)
	if !ok {
		return
	}
	person, _ := t.Person(p)
	for _, a := range person.Accounts {
		key := laterKey(r.ID, step, p, at, a)
		d.delay(Deliver{Key: key, Place: bot.DM(a), Draw: Draw{What: drawReminder, Run: r.ID, Person: p, Steps: []setup.StepID{step}}}, at)
	}
}

func laterKey(run string, step setup.StepID, p bot.PersonID, at time.Time, a bot.Account) string {
	return fmt.Sprintf("run/%s/remind/%s/%s/%d/%s", run, step, p, at.Unix(), a)
}

func laterLane(key string) string { return "later/" + key }

// delay delivers later, in a lane of its own so that nothing waits behind it.
func (d *Draft) delay(p Deliver, at time.Time) {
	d.job(laterLane(p.Key), kindDeliver, bot.ClassHandoff, at, p, "deliver/"+p.Key)
}

// nudgeEvery is how often a person is reminded of a step by others.
const nudgeEvery = 4 * time.Hour

// Nudge reminds those whom a run waits for, at most every four hours a step.
// It returns the steps for which it did, and records that in after.
func (d *Draft) Nudge(after *setup.Run, only setup.StepID, by string) ([]bot.PersonID, error) {
	g, ok := d.env.Guide(after.Guide)
	if !ok {
		return nil, fmt.Errorf("there is no guide %q", after.Guide)
	}
	t, ok := d.env.Tenant(after.Tenant)
	if !ok {
		return nil, fmt.Errorf("there is no tenant %q", after.Tenant)
	}
	var told []bot.PersonID
	for i := range g.Steps {
		spec := &g.Steps[i]
		s := after.Step(spec.ID)
		if s == nil || (only != "" && only != spec.ID) || !setup.WaitsForPerson(spec, s) || d.Now.Sub(s.Nudged) < nudgeEvery {
			continue
		}
		s.Nudged = d.Now
		for _, p := range after.Waiting(spec, s) {
			m := bot.Say(bot.T(by+" asks: "), bot.B(spec.Title), bot.T(" waits for you since "), bot.When(s.Since, bot.DateTime), bot.T(" ("+t.Name+"). "+spec.IfItWaits()))
			m.Add(bot.Buttons{Items: []bot.Button{{Label: "Show my steps", Action: setup.ActMine, Value: after.ID}}})
			d.Tell(t, p, m)
			told = append(told, p)
		}
	}
	return told, nil
}
