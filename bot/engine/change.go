package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/recommend"
	"keyturn/bot/setup"
)

// changeRead reads the run's change requests where the organisation wants them
// for what the calls write: as the person who acts, never by a standing right.
// Where that person may not read one, what somebody else could read within the
// day counts. It is empty where none is asked for.
func (w *work) changeRead(ctx context.Context, calls []bot.Call) (seen []bot.Change, err error) {
	for _, need := range w.run.Needs(w.ctx.Tenant.Changes, calls) {
		if !need.Rule.Read || need.Number == "" || len(seen) > 0 && seen[len(seen)-1].Number == need.Number {
			continue
		}
		if _, byHand := setup.Uncalled(w.ctx.Tenant, append(slices.Clone(calls), bot.ReadChange(need.Number))); byHand { // nothing is read, or nothing is run
			continue
		}
		c, err := w.readChange(ctx, need.Number)
		if err != nil {
			return nil, err
		}
		seen = append(seen, c)
	}
	return seen, nil
}

func (w *work) readChange(ctx context.Context, number string) (bot.Change, error) {
	a, err := w.call(ctx, bot.ReadChange(number), w.e.ID())
	var f *bot.Failure
	switch {
	case err == nil:
		return bot.ParseChange(number, a, w.e.Now()), nil
	case !errors.As(err, &f) || f.Kind == bot.KindThrottled || f.Kind == bot.KindUnreachable:
		return bot.Change{}, err
	}
	if old := w.run.SeenChange(number); old != nil && old.Trouble == "" && w.e.Now().Sub(old.Read) < bot.ChangeHolds {
		return *old, nil
	}
	return bot.Change{Number: number, Read: w.e.Now(), Trouble: strings.TrimSpace(f.Says + " " + f.Fix)}, nil
}

// workNote is the job that writes what was done into a change request. Without a
// number it is the run's only one.
type workNote struct {
	Run    string       `json:"run"`
	Step   setup.StepID `json:"step"`
	Number string       `json:"number,omitempty"`
}

// noteChange has what a step did written into the run's change requests.
func (d *Draft) noteChange(r *setup.Run, t *bot.Tenant, step setup.StepID) {
	st := r.Step(step)
	if st.Approval == nil {
		return
	}
	for _, need := range r.Needs(t.Changes, st.Plan.Calls) {
		if c := r.SeenChange(need.Number); need.Rule.Read && c != nil && c.ID != "" {
			d.job("change/"+r.ID, kindChange, bot.ClassHandoff, d.Now, workNote{Run: r.ID, Step: step, Number: need.Number}, "")
		}
	}
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
	w := &work{e: e, job: j, ref: stepRef{Run: p.Run, Step: p.Step}}
	if err := w.load(ctx); err != nil && !errors.Is(err, errSettled) { // the run may be done by now
		if errors.Is(err, bot.ErrNotFound) {
			return e.finish(ctx, j, nil)
		}
		return err
	}
	if p.Number == "" {
		p.Number = w.run.Change
	}
	st, change := w.step(), w.run.SeenChange(p.Number)
	if w.spec == nil || st == nil || st.Approval == nil || change == nil || change.ID == "" {
		return e.finish(ctx, j, nil)
	}
	marker := fmt.Sprintf("Keyturn %s %s %s", w.run.ID, p.Step, st.Approval.Digest)
	if j.Tries > 0 || j.Begun {
		switch found, err := w.noted(ctx, change, marker); {
		case found:
			return e.finish(ctx, j, nil)
		case err != nil && (!passes(err) || j.Tries+1 >= tries):
			return w.unnoted(ctx, change, fmt.Errorf("an earlier try may have written it, and I could not look: %w", err), e.ID())
		case err != nil:
			return err
		}
	}
	c := noteCall(change, w.noteText(marker))
	request := e.ID()
	if err := w.note(ctx, bot.AuditEntry{Act: "call", Call: &c, Request: request}); err != nil {
		return err
	}
	a, err := w.call(ctx, c, request)
	switch {
	case err != nil && (!passes(err) || j.Tries+1 >= tries):
		return w.unnoted(ctx, change, err, request)
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
func (w *work) noted(ctx context.Context, change *bot.Change, marker string) (bool, error) {
	a, err := w.call(ctx, bot.Call{ID: "noted", System: bot.ServiceNow, Method: "GET", What: "Looks for an earlier work note",
		Path: "/api/now/table/change_request/" + change.ID + "?sysparm_fields=sys_id,work_notes&sysparm_display_value=true"}, w.e.ID())
	return err == nil && recommend.Noted(a.Body, change.ID, marker), err
}

// unnoted says that a change could not be told, and what it should have been
// told: the requester can write it in by hand.
func (w *work) unnoted(ctx context.Context, change *bot.Change, cause error, request string) error {
	inVain(ctx, cause)
	return w.e.commit(ctx, "unnoted/"+request, func(d *Draft) error {
		e := entry(&w.run, w.step(), "failed")
		e.Request, e.Note = request, cause.Error()
		d.Record(e)
		d.Out.Done = []bot.JobID{w.job.ID}
		m := bot.Say(bot.T("I could not write into change " + change.Number + " what was done: " + cause.Error() + " It can be copied in by hand:"))
		m.Add(bot.Code{Text: w.noteText("Keyturn " + w.run.ID)})
		d.Tell(w.ctx.Tenant, w.run.Requester, m)
		return nil
	})
}
