package engine

import (
	"context"
	"errors"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// desks are what is kept for each subscription between readings, by its ID.
var desks = Kind[incident.Desk]{Name: "desk"}

// posts are the message center posts that are known, by their ID.
var posts = Kind[incident.KnownMessage]{Name: "message"}

func wakeLane(sub string) string { return "wake/" + sub }

// ledgerKey is the ledger's key of an act, or of a change, of one
// subscription.
func ledgerKey(sub, key string) string { return "incident/" + sub + "/" + key }

func rootKey(sub, issue string) string { return ledgerKey(sub, incident.RootKey(issue)) }

// desk reads a subscription's desk. Where none is kept (the channel was
// subscribed before, or by an older Keyturn) the ledger says which messages
// the channel has.
func (d *Draft) desk(s incident.Subscription) (incident.Desk, error) {
	desk, ok, err := desks.Get(d.View, s.Tenant, s.ID)
	if err != nil || ok {
		return desk, err
	}
	sent, err := d.SentUnder(ledgerKey(s.ID, ""))
	if err != nil {
		return desk, err
	}
	for _, m := range sent {
		if id, ok := incident.RootOf(m.Key[len(ledgerKey(s.ID, "")):]); ok && !m.Gone {
			if desk.Roots == nil {
				desk.Roots = map[string]time.Time{}
			}
			desk.Roots[id] = m.At
		}
	}
	return desk, nil
}

// putDesk keeps a changed desk, has it woken when it has something to do next,
// and delivers what follows.
func (d *Draft) putDesk(t *bot.Tenant, s incident.Subscription, desk incident.Desk, acts []incident.Act) error {
	desks.Put(&d.Out, s.Tenant, s.ID, desk)
	d.wakeAt(s, desk)
	for _, a := range acts {
		if err := d.act(t, s, a); err != nil {
			return err
		}
	}
	return nil
}

// wakeAt has a desk woken when it is due. A newer time replaces an older one.
func (d *Draft) wakeAt(s incident.Subscription, desk incident.Desk) {
	due := desk.Due(s)
	if !due.After(d.Now) {
		due = d.Now.Add(time.Second) // whatever is wrong with it, it costs no more than that
	}
	d.job(wakeLane(s.ID), kindWake, bot.ClassDigest, due, wakeJob{Tenant: s.Tenant, Sub: s.ID}, wakeLane(s.ID))
}

// Reschedule has a subscription's desk woken by what the subscription says
// now.
func (d *Draft) Reschedule(s incident.Subscription) error {
	desk, err := d.desk(s)
	if err != nil || s.Stopped != "" {
		return err
	}
	d.wakeAt(s, desk)
	return nil
}

// act delivers one act of a desk.
func (d *Draft) act(t *bot.Tenant, s incident.Subscription, a incident.Act) error {
	p := Deliver{Key: ledgerKey(s.ID, a.Key), Place: s.Place, Tenant: s.Tenant, Sub: s.ID}
	for _, c := range a.Covers {
		if c != a.Key {
			p.Covers = append(p.Covers, ledgerKey(s.ID, c))
		}
	}
	if a.Under != "" {
		p.Under = ledgerKey(s.ID, a.Under)
	}
	switch a.Kind {
	case incident.ActRoot:
		p.Draw = Draw{What: drawRoot, Incident: a.Issue, Sub: s.ID}
	case incident.ActGroup:
		p.Draw = Draw{What: drawGroup, Group: a.Group, Sub: s.ID}
	case incident.ActPost:
		p.Draw = Draw{What: drawPost, Post: a.Post, Sub: s.ID}
	default:
		m, err := d.calling(t, s, a)
		if err != nil {
			return err
		}
		m.Key = p.Key
		p.Draw = Draw{What: drawFixed, Message: &m}
	}
	return d.deliverAct(p, a.Class)
}

// deliverAct delivers a root so that its replies come after it: only an edit
// replaces an older one that waits, for what is not posted yet would lose its
// place in the lane.
func (d *Draft) deliverAct(p Deliver, class bot.Class) error {
	_, posted, err := d.Sent(p.Key)
	if err != nil {
		return err
	}
	d.deliver(p, class, d.Now)
	if !posted || len(p.Covers) > 0 {
		d.Out.Jobs[len(d.Out.Jobs)-1].Collapse = ""
	}
	return nil
}

// calling is the message of a reply with those who are on call, but for who
// muted the issue.
func (d *Draft) calling(t *bot.Tenant, s incident.Subscription, a incident.Act) (bot.Message, error) {
	if a.Kind != incident.ActReply || a.Issue == "" || !a.Message.Aloud || len(s.OnCall) == 0 {
		return a.Message, nil
	}
	k, err := d.known(s.Tenant, a.Issue)
	if err != nil {
		return bot.Message{}, err
	}
	return s.CallFor(a.Message, k, func(acc bot.Account) (bot.PersonID, bool) {
		p, ok := t.Who(acc)
		return p.ID, ok
	}), nil
}

// known is an issue as this draft leaves it, or the zero value.
func (d *Draft) known(tenant bot.TenantID, issue string) (incident.Known, error) {
	for i := len(d.Out.Incidents) - 1; i >= 0; i-- {
		if k := d.Out.Incidents[i]; k.Tenant == tenant && k.Issue.ID == issue {
			return k, nil
		}
	}
	k, err := d.Incident(tenant, issue)
	if errors.Is(err, bot.ErrNotFound) {
		return incident.Known{}, nil
	}
	return k, err
}

// wake tells what waited for its time in one subscription: what quiet hours
// or a maintenance window held, and the digest.
func (e *Engine) wake(ctx context.Context, j bot.Job) error {
	p, err := payload[wakeJob](j)
	if err != nil {
		return err
	}
	return e.commit(ctx, "wake/"+e.ID(), func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		t, ok := d.env.Tenant(p.Tenant)
		if !ok {
			return nil
		}
		s, ok, err := d.Subscribed(p.Tenant, p.Sub)
		if err != nil || !ok || s.Stopped != "" {
			return err
		}
		desk, err := d.desk(s)
		if err != nil {
			return err
		}
		if desk.Due(s).After(d.Now) {
			d.wakeAt(s, desk)
			return nil
		}
		f, err := d.facts(t)
		if err != nil {
			return err
		}
		if f.Picture, err = d.HeatMap(t, PictureDays, s.Services...); err != nil {
			return err
		}
		after, acts := desk.Wake(s, f, d.Now)
		return d.putDesk(t, s, after, acts)
	})
}

// facts are what a desk looks up when it is woken.
func (d *Draft) facts(t *bot.Tenant) (f incident.Facts, err error) {
	if f.Issues, err = d.Incidents(t.ID, true); err != nil {
		return f, err
	}
	if f.Posts, err = posts.All(d.View, t.ID); err != nil {
		return f, err
	}
	f.Watch, err = d.Watch(t.ID)
	return f, err
}

// Roots redraws what shows an issue in every channel that has it.
func (d *Draft) Roots(t *bot.Tenant, issue string) error {
	subs, err := listening(d.View, t.ID)
	if err != nil {
		return err
	}
	for _, s := range subs {
		desk, err := d.desk(s)
		if err != nil {
			return err
		}
		for _, a := range desk.Redraw(issue) {
			if err := d.act(t, s, a); err != nil {
				return err
			}
		}
	}
	return nil
}
