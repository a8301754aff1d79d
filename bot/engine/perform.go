package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// perform makes the approved calls, one after another: intent recorded, call,
// outcome recorded. Before the first call it reads again and compares.
func (w *work) perform(ctx context.Context) error {
	st := w.step()
	if st.Approval == nil || st.Plan == nil {
		return w.e.finish(ctx, w.job, nil)
	}
	if len(st.Results) == 0 {
		same, err := w.stillSame(ctx)
		if err != nil {
			return w.failOrRetry(ctx, err, setup.Running)
		}
		if !same {
			return nil // void: committed there
		}
	}
	for _, c := range st.Plan.Calls {
		res, begun := w.step().Result(c.ID)
		if begun && !res.Begun {
			continue
		}
		if err := w.one(ctx, c, begun, res.At); err != nil {
			if w.sent {
				err = w.e.tooLate(ctx, w.doubt(c), err)
			}
			if errors.Is(err, bot.ErrTakenOver) {
				return err
			}
			return w.callFailed(ctx, c, err)
		}
	}
	return w.change(ctx, true, func(d *Draft, r *setup.Run) error {
		st := r.Step(w.ref.Step)
		if st.State != setup.Running {
			return bot.ErrStale
		}
		if st.Undoing {
			d.Record(entry(r, st, "undone"))
			d.forget(r, w.ref.Step)
			r.Unmade(w.ref.Step)
			return nil
		}
		st.State, st.Problem = setup.Checking, nil
		return nil
	})
}

// stillSame reads and plans again and voids the approval when the writes
// differ, or when it has expired.
func (w *work) stillSame(ctx context.Context) (bool, error) {
	st := w.step()
	proposal, trouble, err := w.propose(ctx)
	if err != nil {
		return false, err
	}
	seen, err := w.changeRead(ctx, proposal.Calls)
	if err != nil {
		return false, err
	}
	var held bot.Text
	for _, c := range seen {
		if wrong, _ := c.Wrong(w.e.Now()); wrong != nil && st.Approval.Glass == "" {
			held = wrong
			break
		}
	}
	expired := w.e.Now().After(st.Approval.Expires)
	lost := w.spec.Role != bot.Requester && !w.ctx.Tenant.Holds(st.Approval.Person, w.spec.Role)
	if trouble == nil && !expired && !lost && held == nil && setup.Digest(proposal.Calls) == st.Approval.Digest {
		return true, nil
	}
	why := "What exists changed after the approval, so the approval is void and nothing was called."
	if held != nil {
		why = held.Plain() + " So the approval is void and nothing was called."
	}
	if lost {
		why = "Who approved this no longer holds the role, so the approval is void and nothing was called."
	}
	if expired {
		why = "The approval expired before the first call, so nothing was called."
	}
	return false, w.change(ctx, true, func(d *Draft, r *setup.Run) error {
		if r.Step(w.ref.Step).State != setup.Running {
			return bot.ErrStale
		}
		for _, c := range seen {
			r.See(c)
		}
		void := entry(r, r.Step(w.ref.Step), "void")
		void.Note = why
		d.Record(void)
		if r.Requester != st.Approval.Person {
			d.Tell(w.ctx.Tenant, r.Requester, bot.Say(bot.B(w.spec.Title), bot.T(": "+why+" It waits for "+w.spec.Role.Crew()+" again.")))
		}
		if trouble != nil {
			r.Step(w.ref.Step).Approval = nil
			r.Fail(w.ref.Step, stamped(*trouble, d.Now))
			return nil
		}
		r.Void(w.ref.Step, proposal, why, d.Now)
		return nil
	})
}

// one makes one call. again says that an earlier attempt recorded its intent at
// some time and no outcome: its effect is looked up first, and where it may still
// come, looked up again when it can come no more.
func (w *work) one(ctx context.Context, c bot.Call, again bool, began time.Time) error {
	w.sent, w.again, w.made, w.began = false, again, "", w.e.Now()
	if again {
		w.began = began
	}
	if err := w.signedFor(ctx, c); err != nil {
		return err
	}
	request := w.e.ID()
	if err := w.intend(ctx, c, request); err != nil {
		return err
	}
	if c.Look != nil && again {
		saved, found, err := w.found(ctx, c)
		if err == nil && !found {
			var waited bool
			if waited, err = w.waitOut(ctx, began); err == nil && waited {
				saved, found, err = w.found(ctx, c)
			}
		}
		if err != nil {
			return err
		}
		if found {
			return w.record1(ctx, c, bot.CallResult{Call: c.ID, At: w.e.Now(), RequestID: request, Found: true}, saved, nil)
		}
	}
	for lag := 0; ; lag++ {
		a, err := w.call(ctx, c, request)
		status := a.Status
		var f *bot.Failure
		if errors.As(err, &f) {
			status = f.Status
			if slices.Contains(c.Fine, f.Status) {
				err = nil
			}
		}
		if err != nil && again && c.Look != nil && refuses(f) {
			// It may have been refused because the earlier one has landed meanwhile.
			if saved, found, look := w.found(ctx, c); look == nil && found {
				return w.record1(ctx, c, bot.CallResult{Call: c.ID, At: w.e.Now(), RequestID: request, Found: true}, saved, nil)
			}
		}
		if err != nil {
			return err
		}
		saved, missing := pick(a.Body, c.Save)
		w.made = saved[bot.Doubt{Call: c}.Fact()]
		sealed, unsealed := pick(a.Body, c.Seal)
		missing = append(missing, unsealed...)
		if len(missing) == 0 || (status >= 300 && len(c.Fine) > 0) {
			if a.RequestID == "" {
				a.RequestID = request
			}
			return w.record1(ctx, c, bot.CallResult{Call: c.ID, At: w.e.Now(), Status: status, RequestID: request}, saved, sealed)
		}
		if !c.Lag || c.Write() || lag >= 5 {
			return &bot.Failure{Kind: bot.KindMalformed, System: c.System, RequestID: request, Status: status,
				Says: fmt.Sprintf("%s answered, but without %s.", c.System.Name(), strings.Join(missing, ", ")), Fix: "Try again; if it stays, do the step by hand and let me check it."}
		}
		if err := w.e.Wait(ctx, time.Duration(lag+1)*time.Second); err != nil {
			return err
		}
	}
}

// intend writes the intent: no audit entry, no call.
func (w *work) intend(ctx context.Context, c bot.Call, request string) error {
	return w.e.commit(ctx, "intent/"+request, func(d *Draft) error {
		r, err := d.Run(w.ref.Run)
		if err != nil {
			return err
		}
		after := r.Clone()
		st := after.Step(w.ref.Step)
		if st.State != setup.Running || st.Approval == nil || after.State != setup.RunOpen {
			return &bot.Failure{Kind: bot.KindConflict, Says: "The run was ended meanwhile, so nothing more was called."}
		}
		after.Begin(w.ref.Step, c.ID, request, d.Now)
		intent := entry(&r, st, "call")
		intent.Call, intent.Request = &c, request
		d.Record(intent)
		d.Out.Runs = append(d.Out.Runs, after)
		w.run = after.Clone()
		w.ctx.Run = &w.run
		return nil
	})
}

// record1 writes the outcome of a call: result, facts, secrets, inventory.
func (w *work) record1(ctx context.Context, c bot.Call, res bot.CallResult, saved, sealed map[string]string) error {
	return w.e.commit(ctx, "result/"+res.RequestID, func(d *Draft) error {
		r, err := d.Run(w.ref.Run)
		if err != nil {
			return err
		}
		after := r.Clone()
		after.End(w.ref.Step, res)
		after.Keep(w.ref.Step, saved, d.Now)
		for name, v := range sealed {
			after.Facts[name] = setup.Fact{Secret: true, Step: w.ref.Step, At: d.Now}
			d.Out.Secrets = append(d.Out.Secrets, Sealed{Name: secretName(r.ID, name), Value: bot.NewSecret(v)})
		}
		st := after.Step(w.ref.Step)
		note := c.What
		if res.Found {
			note = "found from an earlier attempt, not called again: " + c.What
		}
		result := entry(&r, st, "result")
		result.Status, result.Request, result.Note = res.Status, res.RequestID, note
		d.Record(result)
		if err := d.inventory(&after, w.ref.Step, c); err != nil {
			return err
		}
		if w.again {
			again := w.doubt(c)
			again.Made = "" // it is the one that is kept
			d.lookAgain(again, longestCall)
		}
		d.Out.Runs = append(d.Out.Runs, after)
		w.run = after.Clone()
		w.ctx.Run = &w.run
		return nil
	})
}

// inventory records the object that a call made or removed.
func (d *Draft) inventory(r *setup.Run, step setup.StepID, c bot.Call) error {
	fact := func(name string) (string, bool) {
		f, ok := r.Facts[name]
		return f.Value, ok && !f.Secret
	}
	if c.Makes != nil {
		o := bot.Object{System: c.System, Kind: c.Makes.Kind, ID: setup.Expand(c.Makes.ID, fact), Name: setup.Expand(c.Makes.Name, fact),
			Link: setup.Expand(c.Makes.Link, fact), Before: c.Makes.Before, Run: r.ID, Step: string(step), At: d.Now}
		o.Key = bot.ObjectKey(o.System, o.Kind, o.ID)
		if t, err := time.Parse(time.RFC3339, setup.Expand(c.Makes.Expires, fact)); err == nil {
			o.Expires = t
		}
		if st := r.Step(step); st != nil {
			o.By = st.By
		}
		d.Out.Objects = append(d.Out.Objects, o)
	}
	if c.Unmakes == "" {
		return nil
	}
	key := setup.Expand(c.Unmakes, fact)
	objects, err := d.Objects(r.Tenant)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if o.Key == key {
			o.Removed = d.Now
			d.Out.Objects = append(d.Out.Objects, o)
		}
	}
	return nil
}

// found looks for the effect of an earlier, interrupted attempt.
func (w *work) found(ctx context.Context, c bot.Call) (map[string]string, bool, error) {
	look, items, err := w.hits(ctx, c)
	if err != nil {
		return nil, false, err
	}
	for _, item := range items {
		if look.Remove == nil {
			saved, missing := pick(item, look.Save)
			return saved, len(missing) == 0, nil
		}
		key, _ := bot.Pick(item, look.Key)
		if err := w.removeLeftover(ctx, *look.Remove, key); err != nil {
			return nil, false, err
		}
	}
	return nil, false, nil
}

// hits gives a call's look, filled in, and everything that it finds.
func (w *work) hits(ctx context.Context, c bot.Call) (look *bot.Look, items []json.RawMessage, err error) {
	filled, _, _, err := w.fill(ctx, bot.Call{System: c.System, As: c.As, Look: c.Look}) // its secrets may be forgotten by now
	if err != nil {
		return nil, nil, err
	}
	look = filled.Look
	a, err := w.call(ctx, bot.Call{ID: c.ID + "-look", System: c.System, Method: "GET", Path: look.Path, What: "Look for the effect of an earlier attempt", As: c.As}, w.e.ID())
	if bot.KindOf(err) == bot.KindNotFound {
		return look, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return look, matching(look, a.Body), nil
}

// refuses reports whether a system said no to a call: it has not taken effect.
func refuses(f *bot.Failure) bool {
	return f != nil && slices.Contains([]bot.Kind{bot.KindRefused, bot.KindForbidden, bot.KindConflict, bot.KindBadRequest}, f.Kind)
}

// doubt is a call of the step that may have taken effect twice.
func (w *work) doubt(c bot.Call) twice {
	return twice{Run: w.ref.Run, Step: w.ref.Step, Doubt: bot.Doubt{Call: c, Began: w.began, Made: w.made}}
}

// removeLeftover removes what an interrupted attempt left behind.
func (w *work) removeLeftover(ctx context.Context, c bot.Call, found string) error {
	return w.e.removeEffect(ctx, c, found, "what an earlier, interrupted attempt left", w.note, w.call)
}

// note records an entry about the approved step.
func (w *work) note(ctx context.Context, n bot.AuditEntry) error {
	return w.e.commit(ctx, "note/"+n.Act+"/"+n.Request, func(d *Draft) error {
		e := entry(&w.run, w.step(), n.Act)
		e.Call, e.Status, e.Request, e.Note = n.Call, n.Status, n.Request, n.Note
		d.Record(e)
		return nil
	})
}

func matchesAll(item json.RawMessage, want map[string]string) bool {
	for path, value := range want {
		if got, ok := bot.Pick(item, path); !ok || got != value {
			return false
		}
	}
	return len(want) > 0
}

func pick(body json.RawMessage, names map[string]string) (got map[string]string, missing []string) {
	got = map[string]string{}
	for name, path := range names {
		v, ok := bot.Pick(body, path)
		if !ok || v == "" {
			missing = append(missing, name)
			continue
		}
		got[name] = v
	}
	slices.Sort(missing)
	return got, missing
}

// callFailed decides what a call's failure means for its step.
func (w *work) callFailed(ctx context.Context, c bot.Call, cause error) error {
	var f *bot.Failure
	if !errors.As(cause, &f) {
		return cause
	}
	last := w.job.Tries+1 >= tries
	switch {
	case f.Kind == bot.KindThrottled:
		return w.held(ctx, f)
	case (f.Kind == bot.KindUnreachable || f.Kind == bot.KindAmbiguous) && !last:
		return cause
	}
	inVain(ctx, cause)
	return w.change(ctx, true, func(d *Draft, r *setup.Run) error {
		st := r.Step(w.ref.Step)
		if st.State != setup.Running {
			return bot.ErrStale
		}
		failed := entry(r, st, "failed")
		failed.Status, failed.Request, failed.Note = f.Status, f.RequestID, f.Says
		d.Record(failed)
		r.Fail(w.ref.Step, problem(f, c.ID, d.Now))
		return nil
	})
}
