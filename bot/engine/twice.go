package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// longestCall is how long a write may be under way: no adapter waits longer for
// an answer.
const longestCall = time.Minute

// The time until a look is made again: of a step whose calls are being made, and of
// one of which nobody has decided yet how it goes on.
const (
	whileCalling = 3 * time.Second
	untilDecided = 5 * time.Minute
)

// twice names a call that may have taken effect twice: of a step, or of a
// ServiceNow incident.
type twice struct {
	Run    string       `json:"run,omitempty"`
	Step   setup.StepID `json:"step,omitempty"`
	Tenant bot.TenantID `json:"tenant,omitempty"`
	Issue  string       `json:"issue,omitempty"`
	bot.Doubt
}

// twiceLane is where looks of a run, or of an issue, wait that are due at once, and
// laterLook where those do that are not: nothing waits behind these.
func twiceLane(of string) string { return "twice/" + of }
func laterLook(of string) string { return twiceLane(of) + "/later" }

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
// of whose effects one is to remain.
func (d *Draft) lookAgain(t twice, after time.Duration) {
	if t.Call.Look.Removal() == nil {
		return
	}
	of := t.Run
	if of == "" {
		of = string(t.Tenant) + "/" + t.Issue
	}
	lane := twiceLane(of)
	if after >= longestCall {
		lane = laterLook(of)
	}
	d.job(lane, kindTwice, bot.ClassDigest, d.Now.Add(after), t, "")
}

// tooLate has the effect of a call looked up which a worker made after it had
// lost its job: the one that took the job over cannot know of it. Nothing else is
// changed without a claim.
func (e *Engine) tooLate(ctx context.Context, t twice, cause error) error {
	if !errors.Is(cause, bot.ErrTakenOver) && !errors.Is(e.stillMine(ctx), bot.ErrTakenOver) {
		return cause
	}
	free := context.WithValue(context.WithoutCancel(ctx), holdKey{}, nil)
	err := e.commit(free, "twice/"+e.ID(), func(d *Draft) error {
		d.lookAgain(t, e.Store.Term()/3)
		return nil
	})
	return errors.Join(bot.ErrTakenOver, err)
}

// once takes away what a call made a second time.
func (e *Engine) once(ctx context.Context, j bot.Job) error {
	p, err := payload[twice](j)
	if err != nil {
		return err
	}
	if p.Issue != "" {
		return e.oneTicket(ctx, j, p)
	}
	w := &work{e: e, job: j, ref: stepRef{Run: p.Run, Step: p.Step}}
	if known, err := w.loadOver(ctx); err != nil {
		return err
	} else if !known {
		return e.finish(ctx, j, nil)
	}
	removed, err := w.reconcile(ctx, p.Doubt)
	var u *unsigned
	switch {
	case errors.Is(err, errUndecided), errors.As(err, &u) && w.undecided():
		return w.putOff(ctx, p)
	case u != nil:
		return w.unlooked(ctx, p, u)
	case err != nil:
		return err
	}
	return w.looked(ctx, removed)
}

// loadOver is [work.load] also for a run that is over: what it made stands all the
// same.
func (w *work) loadOver(ctx context.Context) (known bool, err error) {
	err = w.load(ctx)
	if errors.Is(err, bot.ErrNotFound) || w.guide == nil || w.spec == nil || w.step() == nil {
		return false, nil
	}
	if err != nil && !errors.Is(err, errSettled) {
		return false, err
	}
	return true, w.e.Store.Read(ctx, func(v View) (err error) {
		w.ctx, err = NewDraft(v, w.e.Env, "", w.e.Now()).Context(&w.run)
		return err
	})
}

// errUndecided says that a step goes on by itself, or waits for its people, and
// that what it makes is not known yet.
var errUndecided = errors.New("the step has not come to its end")

// undecided reports whether it is open how the step goes on, and nobody was asked
// to sign in for a look.
func (w *work) undecided() bool {
	st := w.step()
	return w.run.State == setup.RunOpen && !st.State.Settled() && len(st.Doubts) == 0
}

// reconcile leaves of a call's effects the one that the run knows. What it knows
// is asked after the look, so it is no older than what was found.
func (w *work) reconcile(ctx context.Context, d bot.Doubt) (removed int, err error) {
	look, items, err := w.hits(ctx, d.Call)
	if err != nil {
		return 0, err
	}
	if known, err := w.loadOver(ctx); err != nil || !known {
		return 0, err
	}
	kept := w.run.Facts[d.Fact()].Value
	if w.step().State == setup.Running || w.undecided() && kept == "" { // its worker looks by itself, or its next plan does
		return 0, errUndecided
	}
	for _, key := range d.Second(look, items, kept) {
		if err := w.removeLeftover(ctx, *look.Removal(), key); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// pending reports whether it is still to be looked whether a call of the step took
// effect twice.
func (w *work) pending(ctx context.Context) (yes bool, err error) {
	err = w.e.Store.Read(ctx, func(v View) error {
		jobs, err := v.Jobs(twiceLane(w.ref.Run))
		yes = slices.ContainsFunc(alive(jobs), func(j bot.Job) bool {
			p, no := payload[twice](j)
			return no == nil && p.Step == w.ref.Step
		})
		return err
	})
	return yes, err
}

// putOff has the look made again later: soon where the step's calls are being made.
func (w *work) putOff(ctx context.Context, p twice) error {
	after := untilDecided
	if w.step().State == setup.Running {
		after = whileCalling
	}
	return w.e.commit(ctx, fmt.Sprintf("look/%d", w.job.ID), func(d *Draft) error {
		d.Out.Done = []bot.JobID{w.job.ID}
		d.lookAgain(p, after)
		return nil
	})
}

// looked ends the job. A step that failed when it was read back, because something
// stood there twice, is read back again.
func (w *work) looked(ctx context.Context, removed int) error {
	return w.e.commit(ctx, fmt.Sprintf("looked/%d", w.job.ID), func(d *Draft) error {
		d.Out.Done = []bot.JobID{w.job.ID}
		before, err := d.Run(w.ref.Run)
		if errors.Is(err, bot.ErrNotFound) { // forgotten meanwhile
			return nil
		} else if err != nil {
			return err
		}
		after := before.Clone()
		st := after.Step(w.ref.Step)
		if removed == 0 || after.State != setup.RunOpen || st.State != setup.Failed || st.Approval == nil || (st.Problem != nil && st.Problem.Call != "") {
			return d.endVisits(&after, w.guide)
		}
		if err := after.Check(w.ref.Step, st.By); err != nil {
			return err
		}
		return d.PutRun(&before, &after)
	})
}

// unlooked has a step wait for its approver, because without a sign-in nobody can
// look. Until then it is not called done. Of a run that somebody ended, the
// approver is told.
func (w *work) unlooked(ctx context.Context, p twice, u *unsigned) error {
	u.why = setup.DoubtWords(p.Doubt)
	err := w.change(ctx, true, func(d *Draft, r *setup.Run) error {
		if err := r.Doubt(w.ref.Step, p.Doubt, d.Now); err != nil {
			return err
		}
		if r.Step(w.ref.Step).State != setup.Checking { // it waits already
			return nil
		}
		return w.ask(d, r, u)
	})
	if err != nil || w.run.State == setup.RunOpen || w.run.State == setup.RunDone {
		return err
	}
	return w.e.commit(ctx, "twice/"+w.e.ID(), func(d *Draft) error {
		st, t := w.step(), w.ctx.Tenant
		if st.Approval != nil {
			d.Tell(t, st.Approval.Person, bot.Say(bot.B(w.spec.Title), bot.T(": one call may have taken effect twice, because a replica of mine stood still while it was made (“"+p.Call.What+
				"”). The run is over and so is your sign-in, so I cannot look. Look in "+u.system.Name()+" whether there are two, and remove the one that is not in my inventory.")))
		}
		return nil
	})
}

// undoubt looks up what may have been made twice, for a step that waited for that.
func (w *work) undoubt(ctx context.Context) error {
	removed := 0
	for _, doubt := range w.step().Doubts {
		n, err := w.reconcile(ctx, doubt)
		if err != nil {
			return w.failOrRetry(ctx, err, setup.Checking)
		}
		removed += n
	}
	return w.change(ctx, true, func(d *Draft, r *setup.Run) error {
		st := r.Step(w.ref.Step)
		if st.State != setup.Checking || len(st.Doubts) == 0 {
			return bot.ErrStale
		}
		r.Undoubt(w.ref.Step, removed, d.Now)
		done := entry(r, st, "proved")
		done.Note = st.Proof[len(st.Proof)-1]
		d.Record(done)
		return nil
	})
}

// twiceLost leaves what could not be looked up for a person to look at.
func (e *Engine) twiceLost(ctx context.Context, j bot.Job, cause error) error {
	p, err := payload[twice](j)
	if err != nil {
		return err
	}
	e.Log.Error("what may have been made twice could not be looked up", "run", p.Run, "step", p.Step, "issue", p.Issue, "err", cause)
	return e.commit(ctx, fmt.Sprintf("lost/%d", j.ID), func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		if p.Issue != "" {
			if t, ok := d.env.Tenant(p.Tenant); ok {
				d.TellAdmins(t, bot.Say(bot.T("ServiceNow may have two incidents with the correlation_id "+p.Issue+", because a replica of mine stood still while one was made, and I could not mend that: "+
					cause.Error()+" Cancel the one that my messages do not link to.")))
			}
			return nil
		}
		before, err := d.Run(p.Run)
		if errors.Is(err, bot.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		after := before.Clone()
		if after.Step(p.Step) == nil || after.Doubt(p.Step, p.Doubt, d.Now) != nil {
			return nil
		}
		after.Fail(p.Step, setup.Problem{Says: "A call of this step (“" + p.Call.What + "”) may have taken effect twice, and I could not look: " + cause.Error(), At: d.Now,
			Fix: "Try again, or look in " + p.Call.System.Name() + " whether there are two, and remove the one that is not in my inventory."})
		return d.PutRun(&before, &after)
	})
}

// removeEffect takes away one effect of ours. It is a call to the outside like any
// other, so it stands in the audit trail first.
func (e *Engine) removeEffect(ctx context.Context, c bot.Call, found, why string, note func(context.Context, bot.AuditEntry) error,
	call func(context.Context, bot.Call, string) (bot.Answer, error)) error {
	c, _ = setup.Fill(c, func(name string) (string, bool) { return found, name == "found" }, func(string) (string, bool) { return "", false })
	request := e.ID()
	if err := note(ctx, bot.AuditEntry{Act: "call", Call: &c, Request: request, Note: why}); err != nil {
		return err
	}
	a, err := call(ctx, c, request)
	var f *bot.Failure
	if errors.As(err, &f) && (f.Kind == bot.KindNotFound || slices.Contains(c.Fine, f.Status)) {
		a.Status, err = f.Status, nil
	}
	if err != nil {
		return err
	}
	return note(ctx, bot.AuditEntry{Act: "result", Status: a.Status, Request: request, Note: c.What})
}

// matching gives what a look found that has its natural key: an instance may
// ignore a part of a query.
func matching(look *bot.Look, body json.RawMessage) []json.RawMessage {
	items := []json.RawMessage{body}
	if look.List != "" {
		items = bot.PickList(body, look.List)
	}
	return slices.DeleteFunc(items, func(item json.RawMessage) bool { return !matchesAll(item, look.Match) })
}
