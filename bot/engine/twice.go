package engine

import (
	"context"
	"errors"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// longestCall is how long a write may be under way: no adapter waits longer for
// an answer.
const longestCall = time.Minute

// twice names a call that may have taken effect twice. Late says that the second
// effect is that of a worker which had lost its job.
type twice struct {
	Run  string       `json:"run"`
	Step setup.StepID `json:"step"`
	Call bot.Call     `json:"call"`
	Late bool         `json:"late,omitempty"`
}

// waitOut waits until a write that began at some time, and of which nobody heard
// again, can be under way no longer. Whoever takes a job over because its claim
// ran out has waited for that already; a job that was given back comes at once.
func (w *work) waitOut(ctx context.Context, began time.Time) (waited bool, err error) {
	longest := w.e.Store.Term() / 3
	left := began.Add(longest).Sub(w.e.Now())
	if left <= 0 {
		return false, nil
	}
	return true, w.e.Wait(ctx, min(left, longest)) // another replica's clock may be ahead
}

// lookAgain has a call's effect looked up once more after a time. It is for calls
// of whose effects only one is of use.
func (d *Draft) lookAgain(r *setup.Run, step setup.StepID, c bot.Call, after time.Duration, late bool) {
	if c.Look == nil || c.Look.Remove == nil {
		return
	}
	lane := "twice/" + r.ID + "/" + string(step)
	d.job(lane, kindTwice, bot.ClassDigest, d.Now.Add(after), twice{Run: r.ID, Step: step, Call: c, Late: late}, "")
}

// tooLate has the effect of a call looked up which a worker made after it had
// lost its job: the one that took the job over cannot know of it. Nothing else is
// changed without a claim.
func (w *work) tooLate(ctx context.Context, c bot.Call, cause error) error {
	if !w.sent || (!errors.Is(cause, bot.ErrTakenOver) && !errors.Is(w.e.stillMine(ctx), bot.ErrTakenOver)) {
		return cause
	}
	free := context.WithValue(context.WithoutCancel(ctx), holdKey{}, nil)
	err := w.e.commit(free, "twice/"+w.e.ID(), func(d *Draft) error {
		d.lookAgain(&w.run, w.ref.Step, c, w.e.Store.Term()/3, true)
		return nil
	})
	return errors.Join(bot.ErrTakenOver, err)
}

// once removes what a call made a second time: all that its look finds but the
// one that the run knows.
func (e *Engine) once(ctx context.Context, j bot.Job) error {
	p, err := payload[twice](j)
	if err != nil {
		return err
	}
	w := &work{e: e, job: j, ref: stepRef{Run: p.Run, Step: p.Step}}
	err = w.load(ctx)
	if errors.Is(err, bot.ErrNotFound) || w.guide == nil || w.spec == nil || w.step() == nil {
		return e.finish(ctx, j, nil)
	}
	if err != nil && !errors.Is(err, errSettled) {
		return err
	}
	if w.ctx.Run == nil { // the run is over, and what it made stands all the same
		if err := e.Store.Read(ctx, func(v View) (err error) {
			w.ctx, err = NewDraft(v, e.Env, "", e.Now()).Context(&w.run)
			return err
		}); err != nil {
			return err
		}
	}
	var u *unsigned
	look, items, err := w.hits(ctx, p.Call)
	if errors.As(err, &u) {
		return w.leftToLook(ctx, p, u.system)
	}
	if err != nil {
		return err
	}
	if err := w.load(ctx); err != nil && !errors.Is(err, errSettled) { // what the run knows now is no older than what was found
		return err
	}
	if w.step().State == setup.Running { // its worker is looking by itself
		return e.commit(ctx, "twice/"+e.ID(), func(d *Draft) error {
			again := j
			again.Due, again.Tries, again.Last = d.Now.Add(longestCall), 0, ""
			d.Out.Again = []bot.Job{again}
			return nil
		})
	}
	mine := ""
	for name, path := range p.Call.Save {
		if path == look.Key {
			mine = w.run.Facts[name].Value
		}
	}
	for _, item := range items {
		key, _ := bot.Pick(item, look.Key)
		if mine == "" || key == "" || key == mine {
			continue // without one that it knows, the step's next plan says what is removed
		}
		if err := w.removeLeftover(ctx, *look.Remove, key); errors.As(err, &u) {
			return w.leftToLook(ctx, p, u.system)
		} else if err != nil {
			return err
		}
	}
	return e.finish(ctx, j, nil)
}

// leftToLook tells the approver what nobody can look up, because their sign-in is
// over.
func (w *work) leftToLook(ctx context.Context, p twice, system bot.System) error {
	return w.e.commit(ctx, "twice/"+w.e.ID(), func(d *Draft) error {
		d.Out.Done = []bot.JobID{w.job.ID}
		st := w.step()
		t, ok := d.env.Tenant(w.run.Tenant)
		if !p.Late || !ok || st.Approval == nil {
			return nil
		}
		d.Tell(t, st.Approval.Person, bot.Say(bot.B(w.spec.Title), bot.T(": one call may have taken effect twice, because a replica of mine stood still while it was made (“"+p.Call.What+
			"”). Your sign-in is over, so I cannot look. Look in "+system.Name()+" whether there are two of the same name, and remove the one that is not in my inventory.")))
		return nil
	})
}
