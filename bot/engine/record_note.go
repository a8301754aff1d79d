package engine

import (
	"context"
	"fmt"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
)

// intoJob writes an answer into the incident that it is about.
type intoJob struct {
	Tenant   bot.TenantID `json:"tenant"`
	Question string       `json:"question"`
	Answer   answerJob    `json:"answer"`
	As       speaking     `json:"as"`
	Person   bot.PersonID `json:"person"`
	Via      string       `json:"via"`
}

// How writing into a record stands.
const (
	noteAsked = "asked"
	// NoteWritten is read back.
	NoteWritten = "written"
)

// NoteRecord has an answer written into the incident that it is about, once.
// It says how it stands already, and as whom it is written; neither own nor
// granted is nobody.
func (d *Draft) NoteRecord(t *bot.Tenant, r bot.Request, p bot.Person, q Question) (stands string, reader RecordReader, err error) {
	if q.Noted != "" {
		return q.Noted, reader, nil
	}
	reader, as, err := d.readerFor(t, r.From)
	if err != nil || !reader.Own && !reader.Granted {
		return "", reader, err
	}
	q.Noted = noteAsked
	questions.PutUntil(&d.Out, q.Tenant, q.ID, q, q.Made.Add(questionLives))
	d.job(recordLane(t.ID, q.Answer.Record), kindInto, bot.ClassHandoff, d.Now,
		intoJob{Tenant: t.ID, Question: q.ID, Answer: replyTo(r), As: as, Person: p.ID, Via: r.From.String()}, "")
	return "", reader, nil
}

// marker is what a note of ours is known by.
func marker(q Question) string { return "Keyturn " + q.ID }

// writeInto writes a note: looked for first, intent on disk, call, read back.
// However often it is tried, one note remains.
func (e *Engine) writeInto(ctx context.Context, j bot.Job) error {
	p, err := payload[intoJob](j)
	if err != nil {
		return err
	}
	q, ok, err := e.asked(ctx, j, p.Tenant, p.Question)
	if err != nil || !ok {
		return err
	}
	noted, err := false, e.mayStill(ctx, p, q.Answer.Record)
	if err == nil {
		noted, err = e.noted(ctx, p, q)
	}
	if err == nil && !noted {
		if err = e.noteOnce(ctx, j, p, q); err == nil {
			if noted, err = e.noted(ctx, p, q); err == nil && !noted {
				err = &bot.Failure{Kind: bot.KindAmbiguous, System: bot.ServiceNow, Says: "ServiceNow took the note and does not show it.", Fix: "Look into the incident."}
			}
		}
	}
	if err != nil {
		if ctx.Err() != nil || passes(err) && j.Tries+1 < tries {
			return err
		}
		inVain(ctx, err)
	}
	return e.into(ctx, j, p, err)
}

// mayStill asks once more, for what the dedicated user writes, whether it may
// for this person and this incident.
func (e *Engine) mayStill(ctx context.Context, p intoJob, number string) error {
	if !p.As.Unattended {
		return nil
	}
	_, no, err := e.recordFor(ctx, recordJob{Tenant: p.Tenant, As: p.As, Holds: p.As.Account}, number)
	if err == nil && no != "" {
		err = &bot.Failure{Kind: bot.KindForbidden, System: bot.ServiceNow, Says: no}
	}
	return err
}

// noteOnce makes the call. No audit entry, no call.
func (e *Engine) noteOnce(ctx context.Context, j bot.Job, p intoJob, q Question) error {
	c := recommend.NoteCall(q.Answer.RecordID, q.Answer.Record, q.Answer.Note(marker(q)), p.As.as())
	request := e.ID()
	note := func(entry bot.AuditEntry) error {
		return e.commit(ctx, entry.Act+"/"+request, func(d *Draft) error {
			entry.Tenant, entry.Person, entry.Account, entry.Via, entry.Request = p.Tenant, p.Person, p.As.Account, p.Via, request
			if p.As.Unattended {
				entry.Account, entry.Note = incident.Unattended, entry.Note+", for "+p.As.Account
			}
			d.Record(entry)
			return nil
		})
	}
	if err := note(bot.AuditEntry{Act: "call", Call: &c, Note: q.Answer.Record}); err != nil {
		return err
	}
	if err := e.stillMine(ctx); err != nil {
		return err
	}
	a, err := e.askNow(ctx, p.Tenant, c, p.As)
	if err != nil {
		return err
	}
	return note(bot.AuditEntry{Act: "result", Status: a.Status, Note: c.What})
}

func (e *Engine) noted(ctx context.Context, p intoJob, q Question) (bool, error) {
	a, err := e.askNow(ctx, p.Tenant, recommend.NotedCall(q.Answer.RecordID, p.As.as()), p.As)
	return err == nil && recommend.Noted(a.Body, q.Answer.RecordID, marker(q)), err
}

// into records how the writing ended, and tells whoever asked for it.
func (e *Engine) into(ctx context.Context, j bot.Job, p intoJob, cause error) error {
	return e.commit(ctx, fmt.Sprintf("into/%d", j.ID), func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		q, ok, err := questions.Get(d.View, p.Tenant, p.Question)
		if err != nil || !ok {
			return err
		}
		to := p.Answer
		if cause == nil {
			q.Noted = NoteWritten
			by := "as " + p.As.Account
			if p.As.Unattended {
				by = "as my own user, for " + p.As.Account
			}
			link := d.env.Base(p.Tenant, bot.ServiceNow) + "/incident.do?sys_id=" + q.Answer.RecordID
			to.Message = bot.Say(bot.T("✅ Written into "), bot.Link(q.Answer.Record, link), bot.T(" "+by+" as a work note, and read back there."))
		} else {
			q.Noted = ""
			d.Record(bot.AuditEntry{Tenant: p.Tenant, Person: p.Person, Account: p.As.Account, Via: p.Via, Act: "failed", Note: q.Answer.Record + ": " + cause.Error()})
			to.Message = bot.Say(bot.T("⛔ I could not write into " + q.Answer.Record + ". " + cause.Error()))
			to.Message.Add(bot.Buttons{Items: []bot.Button{{Label: "Try again", Action: recommend.ActNote, Value: q.ID}}})
		}
		questions.PutUntil(&d.Out, q.Tenant, q.ID, q, q.Made.Add(questionLives))
		d.job("now/question/"+q.ID, kindAnswer, bot.ClassClick, d.Now, to, "")
		return nil
	})
}
