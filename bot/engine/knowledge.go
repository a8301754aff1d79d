package engine

import (
	"context"
	"time"

	"keyturn/bot"
	"keyturn/bot/recommend"
)

// The organisation's own knowledge is asked as whoever asks, with the token of
// their own sign-in, so that ServiceNow itself decides what they see; or, where
// nobody is signed in, for articles alone that are published in knowledge bases
// which the configuration names, as the dedicated user. Neither is done unless
// the configuration says so.

// speaking says as whom ServiceNow is asked for somebody: as that person, or as
// the dedicated user.
type speaking struct {
	Person     bot.PersonID `json:"person,omitempty"`
	Account    string       `json:"account,omitempty"`
	Unattended bool         `json:"unattended,omitempty"`
}

func (s speaking) nobody() bool { return s.Person == "" && !s.Unattended }

// as is the identity that a call names.
func (s speaking) as() string {
	if s.Unattended {
		return "unattended"
	}
	return ""
}

// ownLimit is how long the organisation's own knowledge may take to answer.
const ownLimit = 5 * time.Second

// asker is the person behind an account, and their live sign-in at ServiceNow;
// the sign-in has no person where there is none. may says whether they could
// sign in.
func (d *Draft) asker(t *bot.Tenant, by bot.Account) (p bot.Person, s speaking, may bool, err error) {
	p, known := t.Who(by)
	if !known || t.Instance == "" || t.Mode(bot.ServiceNow) != bot.Delegated {
		return p, s, false, nil
	}
	x, live, err := d.Session(t.ID, p.ID, bot.ServiceNow)
	if err == nil && live {
		s = speaking{Person: p.ID, Account: x.Account}
	}
	return p, s, d.env.Public != "", err
}

// askOwn finds as whom the organisation's own knowledge is asked; nobody where
// it is not.
func (d *Draft) askOwn(q *Question) (speaking, error) {
	t, ok := d.env.Tenant(q.Tenant)
	if !ok || t.Instance == "" || !t.Knowledge.AsAsker && len(t.Knowledge.Bases) == 0 || len(recommend.Parse(q.Answer.Said).Sought()) == 0 {
		return speaking{}, nil
	}
	_, own, may, err := d.asker(t, q.By)
	if err != nil {
		return speaking{}, err
	}
	if t.Knowledge.AsAsker && own.Person != "" {
		q.Answer.Asks, q.Answer.As = recommend.Asking, own.Account
		return own, nil
	}
	if t.Knowledge.AsAsker && may {
		q.Answer.Own = "Your ServiceNow may know more. I did not ask it, because you are not signed in there."
	}
	if len(t.Knowledge.Bases) == 0 {
		return speaking{}, nil
	}
	if _, signed, err := unattended(d.View, t.ID); err != nil || !signed {
		return speaking{}, err
	}
	q.Answer.Asks = recommend.Asking
	return speaking{Unattended: true}, nil
}

// ownTexts asks ServiceNow for texts that may answer a question.
func (e *Engine) ownTexts(ctx context.Context, q Question, s speaking) ([]recommend.Doc, error) {
	ctx, cancel := context.WithTimeout(ctx, ownLimit)
	defer cancel()
	t, ok := e.Env.Tenant(q.Tenant)
	if !ok {
		return nil, nil
	}
	asked, base := recommend.Parse(q.Answer.Said), e.Env.Base(t.ID, bot.ServiceNow)
	var bases []string
	if s.Unattended {
		bases = t.Knowledge.Bases
	}
	a, err := e.askNow(ctx, t.ID, recommend.KnowledgeCall(asked, bases, s.as()), s)
	if err != nil {
		return nil, err
	}
	out := recommend.ReadKnowledge(a.Body, bases, base)
	if s.Unattended {
		return out, nil
	}
	a, err = e.askNow(ctx, t.ID, recommend.PastCall(asked), s)
	if bot.KindOf(err) == bot.KindForbidden {
		return out, nil // the asker may not read incidents
	}
	if err != nil {
		return nil, err
	}
	return append(out, recommend.ReadPast(a.Body, base, q.Answer.Record)...), nil
}

// askNow makes one call to ServiceNow as whoever speaks.
func (e *Engine) askNow(ctx context.Context, t bot.TenantID, c bot.Call, s speaking) (bot.Answer, error) {
	caller, ok := e.Callers[bot.ServiceNow]
	if !ok {
		return bot.Answer{}, &bot.Failure{Kind: bot.KindForeign, System: bot.ServiceNow, Says: "Keyturn is not connected to ServiceNow for this tenant.", Fix: "Complete the tenant's configuration."}
	}
	id := bot.CallIdentity{Person: s.Person, Account: s.Account}
	if s.Unattended {
		err := e.Store.Read(ctx, func(v View) (err error) { id, _, err = unattended(v, t); return err })
		if err != nil {
			return bot.Answer{}, err
		}
	}
	id.RequestID = e.ID()
	return caller.Call(ctx, t, c, id)
}

// told puts what the organisation's own knowledge said into an answer.
func (d *Draft) told(q *Question, docs []recommend.Doc, silent bool) error {
	if silent {
		q.Answer.Asks = recommend.Silent
		return nil
	}
	if err := d.esteem(q.Tenant, docs); err != nil {
		return err
	}
	q.Answer.Ours, q.Answer.Asks = recommend.Rank(recommend.Parse(q.Answer.Said), docs, d.Now, articlesShown), recommend.Told
	if len(q.Answer.Ours) == 0 {
		q.Answer.Asks = recommend.Nothing
	}
	return nil
}
