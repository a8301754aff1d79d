package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// overlap is how far a reading reaches back behind the newest change known:
// Graph's servers do not agree on the second.
const overlap = 15 * time.Minute

func pollLane(t bot.TenantID) string { return "poll/" + string(t) }

// poll reads a tenant's service health and says what changed.
func (e *Engine) poll(ctx context.Context, j bot.Job) error {
	p, err := payload[pollJob](j)
	if err != nil {
		return err
	}
	t, ok := e.Env.Tenant(p.Tenant)
	if !ok || e.Health == nil {
		return e.finish(ctx, j, nil)
	}
	var as bot.Reader
	var have bool
	var since time.Time
	err = e.Store.Read(ctx, func(v View) error {
		w, err := v.Watch(t.ID)
		if err != nil {
			return err
		}
		if w.Seeded && !w.Newest.IsZero() {
			since = w.Newest.Add(-overlap)
		}
		as, have, err = e.reader(v, t)
		return err
	})
	if err != nil {
		return err
	}
	if !have {
		return e.finish(ctx, j, nil)
	}
	raw, err := e.Health.Issues(ctx, t.ID, as, since)
	if err != nil {
		return e.unreadable(ctx, j, t, err)
	}
	issues := e.understood(t, raw)
	services := e.services(ctx, t, as)
	// The job keeps its ID from one reading to the next, and what two readings
	// say must not have the same key.
	return e.commit(ctx, "poll/"+e.ID(), func(d *Draft) error {
		again := j
		again.Due, again.Tries, again.Last = d.Now.Add(d.env.PollEvery), 0, ""
		d.Out.Again = []bot.Job{again}
		if err := d.Told(t, issues); err != nil {
			return err
		}
		return d.saw(t, services, d.Out.Incidents)
	})
}

// understood reads the issues as Graph wrote them. One that cannot be read hides
// no other.
func (e *Engine) understood(t *bot.Tenant, raw []json.RawMessage) []incident.Issue {
	var issues []incident.Issue
	for _, r := range raw {
		is, err := incident.Parse(r)
		if err != nil {
			e.Log.Warn("an issue from Graph cannot be understood and is passed over", "tenant", t.ID, "err", err)
			continue
		}
		issues = append(issues, is)
	}
	return issues
}

// Told records a reading and adds what follows for every subscription.
func (d *Draft) Told(t *bot.Tenant, issues []incident.Issue) error {
	watch, err := d.Watch(t.ID)
	if err != nil {
		return err
	}
	watch.Tenant = t.ID
	var failed error
	known := func(id string) (*incident.Known, bool) {
		k, err := d.Incident(t.ID, id)
		if errors.Is(err, bot.ErrNotFound) {
			return nil, false
		}
		if err != nil {
			failed = err
			return nil, false
		}
		return &k, true
	}
	o := incident.Reading(watch, known, issues, d.Now)
	if failed != nil {
		return failed
	}
	d.Out.Watches = append(d.Out.Watches, o.Watch)
	for _, k := range o.Known {
		k.Tenant = t.ID
		d.Out.Incidents = append(d.Out.Incidents, k)
	}
	subs, err := d.Subscriptions(t.ID)
	if err != nil {
		return err
	}
	for _, s := range subs {
		if s.Stopped != "" {
			continue
		}
		if o.Gap != nil && (o.Gap.Told || o.Gap.Long()) {
			d.Say(s.Place, incident.ReadableAgain(*o.Gap), bot.ClassIncident)
		}
		for _, told := range o.Told {
			if err := d.tell(t, s, told); err != nil {
				return err
			}
		}
	}
	return nil
}

func rootKey(sub, issue string) string { return "incident/" + sub + "/" + issue + "/root" }

// tell adds the root and the replies of one changed issue for one
// subscription.
func (d *Draft) tell(t *bot.Tenant, s incident.Subscription, told incident.Told) error {
	key := rootKey(s.ID, told.Known.Issue.ID)
	_, rooted, err := d.Sent(key)
	if err != nil {
		return err
	}
	if !rooted && !incident.Matches(s, told.Known.Issue) {
		return nil
	}
	d.root(t.ID, s, told.Known.Issue.ID)
	for i, c := range told.Changes {
		if !c.Replies() {
			continue
		}
		m := incident.Reply(told.Known, c)
		if m.Empty() {
			continue
		}
		m = s.Call(m)
		m.Key = fmt.Sprintf("incident/%s/%s/%s/%d", s.ID, told.Known.Issue.ID, replyID(c), i)
		d.deliver(Deliver{Key: m.Key, Place: s.Place, Under: key, Tenant: t.ID, Sub: s.ID, Draw: Draw{What: drawFixed, Message: &m}}, bot.ClassIncident, d.Now)
	}
	return nil
}

// replyID names a change so that it is told once per subscription.
func replyID(c incident.Change) string {
	if c.Post != nil {
		return c.Post.Created.UTC().Format("20060102T150405.000") + "-" + string(c.Reason)
	}
	return c.At.UTC().Format("20060102T150405.000") + "-" + string(c.Reason)
}

// root makes an issue's root message be as it is now.
func (d *Draft) root(t bot.TenantID, s incident.Subscription, issue string) {
	key := rootKey(s.ID, issue)
	d.deliver(Deliver{Key: key, Place: s.Place, Tenant: t, Sub: s.ID, Draw: Draw{What: drawRoot, Incident: issue, Sub: s.ID}}, bot.ClassIncident, d.Now)
}

// Roots redraws an issue's root in every channel that has one.
func (d *Draft) Roots(t *bot.Tenant, issue string) error {
	subs, err := d.Subscriptions(t.ID)
	if err != nil {
		return err
	}
	for _, s := range subs {
		if _, ok, err := d.Sent(rootKey(s.ID, issue)); err != nil {
			return err
		} else if ok && s.Stopped == "" {
			d.root(t.ID, s, issue)
		}
	}
	return nil
}

// drawRootOf draws an issue's root for one subscription.
func (e *Engine) drawRootOf(v View, p Deliver) (bot.Message, error) {
	k, err := v.Incident(p.Tenant, p.Draw.Incident)
	if errors.Is(err, bot.ErrNotFound) {
		return bot.Message{}, nil
	}
	if err != nil {
		return bot.Message{}, err
	}
	subs, err := v.Subscriptions(p.Tenant)
	if err != nil {
		return bot.Message{}, err
	}
	for _, s := range subs {
		if s.ID != p.Draw.Sub {
			continue
		}
		var o incident.Options
		if t, ok := e.Env.Tenant(p.Tenant); ok && k.Worker != "" {
			if person, ok := t.Person(k.Worker); ok {
				o.Worker = bot.T(person.Name)
			}
		}
		return incident.Root(k, s, o), nil
	}
	return bot.Message{}, nil // unsubscribed meanwhile
}

// pollFailed records a poll that stopped for any reason, a bug too, as a
// reading that failed.
func (e *Engine) pollFailed(ctx context.Context, j bot.Job, cause error) error {
	p, err := payload[pollJob](j)
	if err != nil {
		return err
	}
	t, ok := e.Env.Tenant(p.Tenant)
	if !ok {
		return bot.ErrNotFound
	}
	return e.unreadable(ctx, j, t, cause)
}

// unreadable records a reading that failed, and tells the channels once it has
// lasted.
func (e *Engine) unreadable(ctx context.Context, j bot.Job, t *bot.Tenant, cause error) error {
	var f *bot.Failure
	var after time.Duration
	if errors.As(cause, &f) {
		after = f.RetryAfter
	}
	e.Log.Warn("service health cannot be read", "tenant", t.ID, "err", cause)
	return e.commit(ctx, "unreadable/"+e.ID(), func(d *Draft) error {
		w, err := d.Watch(t.ID)
		if err != nil {
			return err
		}
		w.Tenant = t.ID
		w = incident.Failed(w, cause.Error(), d.Now)
		if incident.Silence(w, d.Now) {
			if err := d.tellSilence(t, w); err != nil {
				return err
			}
			w = incident.ToldSilence(w)
		}
		d.Out.Watches = append(d.Out.Watches, w)
		again := j
		again.Due = d.Now.Add(incident.Backoff(w.Tries, after))
		again.Last = cause.Error()
		again.Tries++
		d.Out.Again = []bot.Job{again}
		return nil
	})
}

func (d *Draft) tellSilence(t *bot.Tenant, w incident.Watch) error {
	subs, err := d.Subscriptions(t.ID)
	if err != nil {
		return err
	}
	for _, s := range subs {
		if s.Stopped == "" {
			d.Say(s.Place, incident.Unreadable(w), bot.ClassIncident)
		}
	}
	d.TellAdmins(t, incident.UnreadableCause(w))
	return nil
}

func (d *Draft) pollNow(t bot.TenantID) {
	d.job(pollLane(t), kindPoll, bot.ClassIncident, d.Now, pollJob{Tenant: t}, pollLane(t))
}
