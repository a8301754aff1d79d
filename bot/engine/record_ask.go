package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"keyturn/bot"
	"keyturn/bot/recommend"
)

// An incident of the organisation's ServiceNow that somebody asks about is read
// as that person, so that ServiceNow decides whether they may; or, where the
// configuration names its category, as the dedicated user for people who hold
// itil there. What was found is written back into it on a click, as the same.
//
//	recommend INC… ─▶ read ─▶ answer ─▶ [Write into INC…] ─▶ looked for ─▶ intent ─▶ note ─▶ read back
//	                                                          there: done already

const (
	kindRecord = "record"      // an incident that somebody asks about is read
	kindInto   = "record-note" // an answer is written into it
)

// itil is the role of those who work with incidents.
const itil = "itil"

// recordJob reads an incident for a question.
type recordJob struct {
	Tenant   bot.TenantID `json:"tenant"`
	Question string       `json:"question"`
	Answer   answerJob    `json:"answer"`
	As       speaking     `json:"as"`
	Holds    string       `json:"holds,omitempty"` // the user who must hold itil
}

func recordLane(t bot.TenantID, number string) string { return "record/" + string(t) + "/" + number }

// RecordReader is as whom an incident is read for an account.
type RecordReader struct {
	Account string // the account that reads, or for which the dedicated user reads
	Own     bool   // as the asker, signed in
	Granted bool   // by the dedicated user
	May     bool   // the asker could sign in
}

// ReaderFor finds as whom an incident is read for an account.
func (d *Draft) ReaderFor(t *bot.Tenant, by bot.Account) (RecordReader, error) {
	r, _, err := d.readerFor(t, by)
	return r, err
}

func (d *Draft) readerFor(t *bot.Tenant, by bot.Account) (RecordReader, speaking, error) {
	p, own, may, err := d.asker(t, by)
	if err != nil || own.Person != "" {
		return RecordReader{Account: own.Account, Own: own.Person != "", May: may}, own, err
	}
	r := RecordReader{May: may}
	account := ""
	if p.ID != "" {
		account = d.accountOf(t, p, bot.ServiceNow)
	}
	if len(t.Knowledge.Categories) == 0 || !recommend.UserName(account) {
		return r, own, nil
	}
	if _, signed, err := unattended(d.View, t.ID); err != nil || !signed {
		return r, own, err
	}
	r.Account, r.Granted = account, true
	return r, speaking{Unattended: true, Account: account}, nil
}

// AskRecord has an incident read, and answered. It reports whether anybody may
// read it for the asker.
func (d *Draft) AskRecord(t *bot.Tenant, r bot.Request, q Question) (RecordReader, error) {
	reader, as, err := d.readerFor(t, r.From)
	if err != nil {
		return reader, err
	}
	q.Edits = r.Place.Direct() && !r.Inline
	d.PutQuestion(q)
	if !reader.Own && !reader.Granted {
		return reader, nil
	}
	p := recordJob{Tenant: t.ID, Question: q.ID, Answer: replyTo(r), As: as}
	if as.Unattended {
		p.Holds = as.Account
	}
	d.job(recordLane(t.ID, q.Answer.Record), kindRecord, bot.ClassHandoff, d.Now, p, "")
	return reader, nil
}

// readRecord reads an incident and answers what may explain it.
func (e *Engine) readRecord(ctx context.Context, j bot.Job) error {
	p, err := payload[recordJob](j)
	if err != nil {
		return err
	}
	q, ok, err := e.asked(ctx, j, p.Tenant, p.Question)
	if err != nil || !ok {
		return err
	}
	record, no, err := e.recordFor(ctx, p, q.Answer.Record)
	if err != nil {
		var f *bot.Failure
		if !errors.As(err, &f) || ctx.Err() != nil || j.Tries == 0 && (f.Kind == bot.KindThrottled || f.Kind == bot.KindUnreachable) {
			return err
		}
		inVain(ctx, err)
		no = fmt.Sprintf("I could not read %s. %s %s", q.Answer.Record, f.Says, f.Fix)
	}
	return e.commit(ctx, fmt.Sprintf("record/%d", j.ID), func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		if no != "" {
			to := p.Answer
			to.Message = bot.Say(bot.T(no))
			d.job("now/question/"+q.ID, kindAnswer, bot.ClassClick, d.Now, to, "")
			return nil
		}
		a, err := d.Find(p.Tenant, recommend.Parse(record.Symptom()), "")
		if err != nil {
			return err
		}
		a.Record, a.RecordID, a.As = record.Number, record.SysID, p.As.Account
		q.Answer = a
		if err := d.learn(p.Answer, &q); err != nil {
			return err
		}
		d.PutQuestion(q)
		if q.Edits {
			d.showQuestion(q)
			return nil
		}
		to := p.Answer
		to.Message = q.Message()
		d.job("now/question/"+q.ID, kindAnswer, bot.ClassClick, d.Now, to, "")
		return nil
	})
}

// recordFor reads an incident as who may; no says why there is none.
func (e *Engine) recordFor(ctx context.Context, p recordJob, number string) (r recommend.Record, no string, err error) {
	t, ok := e.Env.Tenant(p.Tenant)
	if !ok {
		return r, "This tenant is no longer in Keyturn's configuration.", nil
	}
	if p.Holds != "" {
		if no, err = e.holds(ctx, p); err != nil || no != "" {
			return r, no, err
		}
	}
	a, err := e.askNow(ctx, t.ID, recommend.RecordCall(number, p.As.as()), p.As)
	if err != nil {
		return r, "", err
	}
	r, ok = recommend.ReadRecord(a.Body, number)
	switch {
	case !ok && p.As.Unattended:
		no = "ServiceNow shows me no incident " + number + ". Look at the number."
	case !ok:
		no = "ServiceNow shows no incident " + number + " to " + p.As.Account + ". Look at the number, or ask somebody there who may see it."
	case p.As.Unattended && !slices.Contains(t.Knowledge.Categories, r.Category):
		no = number + " is not of a category that I may read for others. Sign in at ServiceNow, and I read it as you."
	}
	return r, no, nil
}

// holds asks whether somebody holds itil. Who is found for a role that nobody
// has was found for none.
func (e *Engine) holds(ctx context.Context, p recordJob) (no string, err error) {
	for _, ask := range []struct {
		role string
		want bool
	}{{itil, true}, {recommend.NoRole, false}} {
		a, err := e.askNow(ctx, p.Tenant, recommend.HoldsCall(p.Holds, ask.role), p.As)
		if err != nil {
			return "", err
		}
		if recommend.Held(a.Body, p.Holds) != ask.want {
			return "I cannot see that " + p.Holds + " holds itil in ServiceNow, so I do not read incidents for that account. Sign in at ServiceNow, and I read it as you.", nil
		}
	}
	return "", nil
}
