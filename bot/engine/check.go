package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// check reads a step back and judges it.
func (w *work) check(ctx context.Context) error {
	was := w.step().State
	if _, byHand := w.spec.ByHand(w.ctx); byHand {
		return w.trust(ctx, was)
	}
	finding, err := w.verify(ctx)
	if err != nil && w.spec.API.Poll {
		return w.blind(ctx, err)
	}
	if err != nil {
		return w.failOrRetry(ctx, err, was)
	}
	if finding.Problem != nil && w.spec.API.Poll {
		return w.lookLater(ctx, *finding.Problem, 0)
	}
	twice, err := finding.Problem != nil, error(nil)
	if twice {
		if twice, err = w.pending(ctx); err != nil {
			return err
		}
	}
	if finding.Problem != nil && w.job.Tries < 4 && w.step().Approval != nil && (twice || laggy(finding.Problem)) {
		// What was just made may not be visible everywhere yet, or be there twice.
		return &bot.Failure{Kind: bot.KindUnreachable, Says: finding.Problem.Says, Fix: finding.Problem.Fix}
	}
	return w.change(ctx, true, func(d *Draft, r *setup.Run) error {
		st := r.Step(w.ref.Step)
		if st.State != was {
			return bot.ErrStale
		}
		for _, o := range finding.Objects {
			o.Key, o.Run, o.Step, o.At = bot.ObjectKey(o.System, o.Kind, o.ID), orSelf(o.Run, r.ID), string(w.ref.Step), d.Now
			d.Out.Objects = append(d.Out.Objects, o)
		}
		switch {
		case finding.End != "" && !r.GoOn:
			r.Keep(w.ref.Step, finding.Facts, d.Now)
			r.Gone(w.ref.Step, finding.End, d.Now)
		case finding.Problem != nil:
			r.Fail(w.ref.Step, stamped(*finding.Problem, d.Now))
		case len(finding.Proof) == 0: // nothing could be read: the person's word stands
			r.Confirm(w.ref.Step, st.By, st.Answers, finding.Facts, d.Now)
		default:
			r.Prove(w.ref.Step, finding, d.Now)
			proved := entry(r, st, "proved")
			proved.Note = strings.Join(finding.Proof, "; ")
			d.Record(proved)
			d.noteChange(r, w.ctx.Tenant, w.ref.Step)
			return d.standing(r, w.ref.Step)
		}
		return nil
	})
}

// trust takes a person's word where nothing may be read back, and until they
// give it hands the step out to be done by hand. What needs nobody's rights is
// looked up all the same.
func (w *work) trust(ctx context.Context, was setup.StepState) error {
	finding, err := w.unaided(ctx)
	if err != nil {
		return w.failOrRetry(ctx, err, was)
	}
	return w.change(ctx, true, func(d *Draft, r *setup.Run) error {
		st := r.Step(w.ref.Step)
		switch {
		case st.State != was:
			return bot.ErrStale
		case finding.End != "" && !r.GoOn:
			r.Gone(w.ref.Step, finding.End, d.Now)
			return nil
		case finding.Problem != nil:
			r.Fail(w.ref.Step, stamped(*finding.Problem, d.Now))
			return nil
		}
		st.Proof = finding.Proof
		if was != setup.Checking {
			return r.Open(w.ref.Step)
		}
		for _, o := range finding.Objects {
			o.Key, o.Run, o.Step, o.By, o.At = bot.ObjectKey(o.System, o.Kind, o.ID), r.ID, string(w.ref.Step), st.By, d.Now
			d.Out.Objects = append(d.Out.Objects, o)
		}
		if st.Plan != nil {
			for _, c := range st.Plan.Calls {
				if err := d.inventory(r, w.ref.Step, c); err != nil {
					return err
				}
			}
		}
		confirmed := entry(r, st, "confirm")
		confirmed.Person, confirmed.Note = st.By, "done by hand where nothing may be read back"
		if len(finding.Proof) > 0 {
			confirmed.Note += "; looked up without anybody's rights: " + strings.Join(finding.Proof, "; ")
		}
		d.Record(confirmed)
		r.Confirm(w.ref.Step, st.By, st.Answers, nil, d.Now)
		return nil
	})
}

// unaided judges what can be read of a step without anybody's rights.
func (w *work) unaided(ctx context.Context) (setup.Finding, error) {
	if w.spec.API.Unaided == nil {
		return setup.Finding{}, nil
	}
	calls := w.spec.API.Verify(w.ctx)
	for i := range calls {
		calls[i].Lag = false // nothing was just made here: whoever did it checks again
	}
	reading, err := w.read(ctx, func(setup.Context) []bot.Call { return calls })
	var f *bot.Failure
	if errors.As(err, &f) && f.Kind == bot.KindUnreachable && w.job.Tries+1 >= tries {
		reading, err = setup.Reading{}, nil // the step's people decide without it
		for _, c := range calls {
			reading[c.ID] = setup.Read{Failure: f}
		}
	}
	if err != nil {
		return setup.Finding{}, err
	}
	return w.spec.API.Unaided(w.ctx, reading), nil
}

// verify reads and judges, and once more with the facts that the first look
// found where the step asks for that.
func (w *work) verify(ctx context.Context) (setup.Finding, error) {
	for again := false; ; again = true {
		reading, err := w.read(ctx, w.spec.API.Verify)
		if err != nil {
			return setup.Finding{}, err
		}
		finding := w.spec.API.Prove(w.ctx, reading)
		if !finding.More || again {
			return finding, nil
		}
		w.run.Keep(w.ref.Step, finding.Facts, w.e.Now())
	}
}

func orSelf(run, self string) string {
	if run == "" {
		return self
	}
	return run
}

// laggy reports whether a problem may be gone in a moment: replication.
func laggy(p *setup.Problem) bool {
	return p.Kind == "" || p.Kind == bot.KindSignIn || p.Kind == bot.KindNotFound
}

// quiet is the longest pause that a system may ask for without the step's
// people being told.
const quiet = 30 * time.Second

// held puts off a step that a system asks to come back later, and says so on
// its card where the pause is long.
func (w *work) held(ctx context.Context, f *bot.Failure) error {
	if f.RetryAfter <= quiet {
		return f
	}
	return w.change(ctx, false, func(d *Draft, r *setup.Run) error {
		st := r.Step(w.ref.Step)
		if !busy(w.spec, st) {
			return bot.ErrStale
		}
		again := w.job
		again.Due, again.Last = d.Now.Add(f.RetryAfter), f.Error()
		d.Out.Again = []bot.Job{again}
		p := problem(f, "", d.Now)
		st.Problem, st.Later = &p, again.Due
		return nil
	})
}

// blind is a look that saw nothing. A step that waits for an act elsewhere
// never gives up looking.
func (w *work) blind(ctx context.Context, cause error) error {
	var f *bot.Failure
	if !errors.As(cause, &f) || (f.Kind == bot.KindThrottled && f.RetryAfter <= quiet) || (f.Kind == bot.KindUnreachable && w.job.Tries+1 < tries) {
		return cause
	}
	inVain(ctx, cause)
	return w.lookLater(ctx, problem(f, "", w.e.Now()), f.RetryAfter)
}

// lookLater looks again for an act that somebody does elsewhere. That it has
// not been done yet is only said to somebody who asked; what stands in its way
// is shown.
func (w *work) lookLater(ctx context.Context, p setup.Problem, wait time.Duration) error {
	return w.e.commit(ctx, fmt.Sprintf("later/%d", w.job.ID), func(d *Draft) error {
		d.Out.Done = []bot.JobID{w.job.ID}
		before, err := d.Run(w.ref.Run)
		if err != nil {
			return err
		}
		after := before.Clone()
		if after.StillWaits(w.ref.Step, stamped(p, d.Now)) {
			if err := d.PutRun(&before, &after); err != nil {
				return err
			}
		}
		waited := time.Duration(0)
		if st := after.Step(w.ref.Step); st != nil && !st.Since.IsZero() {
			waited = d.Now.Sub(st.Since)
		}
		d.stepJob(w.ref.Run, w.ref.Step, d.Now.Add(max(pauseAfter(waited, d.env.CheckEvery), wait)))
		return nil
	})
}

// longestPause is the most that lies between two looks of a step that waits
// for an act elsewhere. Whoever does not want to wait that long says that they
// did it.
const longestPause = 5 * time.Minute

// pauseAfter is the time until the next look of a step that has waited so long:
// what was not done within hours is seldom done in the next seconds.
func pauseAfter(waited, every time.Duration) time.Duration {
	return max(every, min(waited/60, longestPause))
}
