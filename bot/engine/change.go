package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"keyturn/bot"
	"keyturn/bot/recommend"
	"keyturn/bot/setup"
)

// changeRead reads the run's change request where the organisation wants one
// for what the calls write: as the person who acts, never by a standing right.
// Where that person may not read it, what somebody else could read within the
// day counts. It is nil where no change is asked for.
func (w *work) changeRead(ctx context.Context, calls []bot.Call) (*bot.Change, error) {
	if _, byHand := setup.Uncalled(w.ctx.Tenant, append(calls, bot.ReadChange(w.run.Change))); byHand { // nothing is read, or nothing is run
		return nil, nil
	}
	if !setup.NeedsChange(w.ctx.Tenant.Change, calls) || !w.ctx.Tenant.Change.Read || w.run.Change == "" {
		return nil, nil
	}
	a, err := w.call(ctx, bot.ReadChange(w.run.Change), w.e.ID())
	var f *bot.Failure
	switch {
	case err == nil:
		c := bot.ParseChange(w.run.Change, a, w.e.Now())
		return &c, nil
	case !errors.As(err, &f) || f.Kind == bot.KindThrottled || f.Kind == bot.KindUnreachable:
		return nil, err
	}
	if old := w.run.Seen; old != nil && old.Trouble == "" && w.e.Now().Sub(old.Read) < bot.ChangeHolds {
		return old, nil
	}
	return &bot.Change{Number: w.run.Change, Read: w.e.Now(), Trouble: strings.TrimSpace(f.Says + " " + f.Fix)}, nil
}

// workNote is the job that writes what was done into the change request.
type workNote struct {
	Run  string       `json:"run"`
	Step setup.StepID `json:"step"`
}

// noteChange has what a step did written into the run's change request.
func (d *Draft) noteChange(r *setup.Run, t *bot.Tenant, step setup.StepID) {
	st := r.Step(step)
	if !t.Change.Read || r.Seen == nil || r.Seen.ID == "" || st.Approval == nil || !setup.NeedsChange(t.Change, st.Plan.Calls) {
		return
	}
	d.job("change/"+r.ID, kindChange, bot.ClassHandoff, d.Now, workNote{Run: r.ID, Step: step}, "")
}

// writeNote writes a work note as the approver: an outside write like any
// other, with its intent in the audit trail first. After an attempt whose end
// nobody knows, of this life or of one before, it looks for the note before it
// writes it again; where it may not look it does not write it again.
func (e *Engine) writeNote(ctx context.Context, j bot.Job) error {
	p, err := payload[workNote](j)
	if err != nil {
		return err
	}
	w := &work{e: e, job: j, ref: stepRef(p)}
	if err := w.load(ctx); err != nil && !errors.Is(err, errSettled) { // the run may be done by now
		if errors.Is(err, bot.ErrNotFound) {
			return e.finish(ctx, j, nil)
		}
		return err
	}
	st := w.step()
	if w.spec == nil || st == nil || st.Approval == nil || w.run.Seen == nil || w.run.Seen.ID == "" {
		return e.finish(ctx, j, nil)
	}
	marker := fmt.Sprintf("Keyturn %s %s %s", w.run.ID, p.Step, st.Approval.Digest)
	if j.Tries > 0 || j.Begun {
		switch found, err := w.noted(ctx, marker); {
		case found:
			return e.finish(ctx, j, nil)
		case err != nil && (!passes(err) || j.Tries+1 >= tries):
			return w.unnoted(ctx, fmt.Errorf("an earlier try may have written it, and I could not look: %w", err), e.ID())
		case err != nil:
			return err
		}
	}
	c := noteCall(w.run.Seen, w.noteText(marker))
	request := e.ID()
	if err := w.note(ctx, bot.AuditEntry{Act: "call", Call: &c, Request: request}); err != nil {
		return err
	}
	a, err := w.call(ctx, c, request)
	switch {
	case err != nil && (!passes(err) || j.Tries+1 >= tries):
		return w.unnoted(ctx, err, request)
	case err != nil:
		return err
	}
	if err := w.note(ctx, bot.AuditEntry{Act: "result", Status: a.Status, Request: request, Note: c.What}); err != nil {
		return err
	}
	return e.finish(ctx, j, nil)
}

// noteText is the note with the IDs that the calls gave. No brace is left in
// it: what a system said must never name a secret to be filled in.
func (w *work) noteText(marker string) string {
	text := setup.Expand(setup.WorkNote(w.spec, w.step(), marker), func(name string) (string, bool) {
		f, ok := w.run.Facts[name]
		return f.Value, ok && !f.Secret
	})
	return strings.NewReplacer("{", "(", "}", ")").Replace(text)
}

func noteCall(c *bot.Change, text string) bot.Call {
	body, err := json.Marshal(map[string]string{"work_notes": text})
	if err != nil {
		panic(fmt.Sprintf("a work note that cannot be written: %v", err)) // strings always can
	}
	return bot.Call{ID: "work-note", System: bot.ServiceNow, Method: "PATCH", Path: "/api/now/table/change_request/" + c.ID, Body: body,
		What: "Writes what was done into the change " + c.Number}
}

// passes reports whether an outside system may answer otherwise a little later.
func passes(err error) bool {
	var f *bot.Failure
	return !errors.As(err, &f) || f.Kind == bot.KindThrottled || f.Kind == bot.KindUnreachable || f.Kind == bot.KindAmbiguous
}

// noted looks for a note of an earlier attempt, in the change itself: whoever may
// not read the journal's own table is answered there as if it were empty.
func (w *work) noted(ctx context.Context, marker string) (bool, error) {
	a, err := w.call(ctx, bot.Call{ID: "noted", System: bot.ServiceNow, Method: "GET", What: "Looks for an earlier work note",
		Path: "/api/now/table/change_request/" + w.run.Seen.ID + "?sysparm_fields=sys_id,work_notes&sysparm_display_value=true"}, w.e.ID())
	return err == nil && recommend.Noted(a.Body, w.run.Seen.ID, marker), err
}

// unnoted says that a change could not be told, and what it should have been
// told: the requester can write it in by hand.
func (w *work) unnoted(ctx context.Context, cause error, request string) error {
	return w.e.commit(ctx, "unnoted/"+request, func(d *Draft) error {
		e := entry(&w.run, w.step(), "failed")
		e.Request, e.Note = request, cause.Error()
		d.Record(e)
		d.Out.Done = []bot.JobID{w.job.ID}
		m := bot.Say(bot.T("I could not write into change " + w.run.Change + " what was done: " + cause.Error() + " It can be copied in by hand:"))
		m.Add(bot.Code{Text: w.noteText("Keyturn " + w.run.ID)})
		d.Tell(w.ctx.Tenant, w.run.Requester, m)
		return nil
	})
}
