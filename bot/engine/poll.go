package engine

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
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
	var since, failing time.Time
	err = e.Store.Read(ctx, func(v View) error {
		w, err := v.Watch(t.ID)
		if err != nil {
			return err
		}
		failing = w.Failing
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
	raw, err := reading(ctx, e, t, as, func(ctx context.Context) ([]json.RawMessage, error) { return e.Health.Issues(ctx, t.ID, as, since) })
	if err != nil {
		return err
	}
	issues := understood(e, t, "an issue", raw, incident.Parse)
	services := e.services(ctx, t, as)
	// The job keeps its ID from one reading to the next, and what two readings
	// say must not have the same key.
	err = e.commit(ctx, "poll/"+e.ID(), func(d *Draft) error {
		again := j
		again.Due, again.Tries, again.Last = d.Now.Add(d.env.PollEvery), 0, ""
		d.Out.Again = []bot.Job{again}
		if err := d.Told(t, issues); err != nil {
			return err
		}
		return d.saw(t, services, d.Out.Incidents)
	})
	switch {
	case err != nil:
	case failing.IsZero():
		e.mended(ctx, j)
	default:
		e.Log.Info("service health is read again", "tenant", t.ID, "failed_for", e.Now().Sub(failing).Round(time.Second))
	}
	return err
}

// understood reads what Graph wrote, each item by parse; what says what one is.
// One that cannot be read hides no other.
func understood[T any](e *Engine, t *bot.Tenant, what string, raw []json.RawMessage, parse func(json.RawMessage) (T, error)) []T {
	var list []T
	for _, r := range raw {
		item, err := parse(r)
		if err != nil {
			e.Log.Warn(what+" from Graph cannot be understood and is passed over", "tenant", t.ID, "err", err)
			continue
		}
		list = append(list, item)
	}
	return list
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
	if o.Gap != nil {
		o.Gap.After = d.env.SummaryAfter
	}
	d.Out.Watches = append(d.Out.Watches, o.Watch)
	for _, k := range o.Known {
		k.Tenant = t.ID
		d.Out.Incidents = append(d.Out.Incidents, k)
	}
	if err := d.ticketsFollow(t, o.Told); err != nil {
		return err
	}
	if len(o.Told) > 0 || !watch.Failing.IsZero() || watch.Good.IsZero() {
		if err := d.refreshPages(t); err != nil {
			return err
		}
	}
	subs, err := listening(d.View, t.ID)
	if err != nil {
		return err
	}
	for _, s := range subs {
		if err := d.tell(t, s, o); err != nil {
			return err
		}
	}
	return nil
}

// tell takes what a reading found to the desk of one subscription. A reading
// that found nothing costs a subscription nothing.
func (d *Draft) tell(t *bot.Tenant, s incident.Subscription, o incident.Outcome) error {
	if len(o.Told) == 0 && o.Gap == nil {
		return nil
	}
	desk, err := d.desk(s)
	if err != nil {
		return err
	}
	after, acts := desk.Tell(s, o.Told, o.Gap, d.Now)
	return d.putDesk(t, s, after, acts)
}

// pollFailed records a poll that stopped for any reason, a bug too, as a
// reading that failed. That Keyturn's own store does not answer is none: it says
// nothing of Microsoft, and the cause is given back, until it has lasted so long
// that nobody knows any more how Microsoft is.
func (e *Engine) pollFailed(ctx context.Context, j bot.Job, cause error) error {
	p, err := payload[pollJob](j)
	if err != nil {
		return err
	}
	t, ok := e.Env.Tenant(p.Tenant)
	if !ok {
		return bot.ErrNotFound
	}
	if unkept(cause) {
		var w incident.Watch
		if err := e.Store.Read(ctx, func(v View) (err error) { w, err = v.Watch(t.ID); return err }); err != nil {
			return err
		}
		if known := slices.MaxFunc([]time.Time{w.Good, e.started}, time.Time.Compare); w.Told || e.Now().Sub(known) < incident.SilenceAfter {
			return cause
		}
	}
	return e.unreadable(ctx, j, t, cause)
}

// unkept reports whether what failed is Keyturn's own store.
func unkept(err error) bool {
	return errors.Is(err, bot.ErrNoCommit) || errors.Is(err, bot.ErrNoRead)
}

// unreadable records a reading that failed, and tells the channels once it has
// lasted.
func (e *Engine) unreadable(ctx context.Context, j bot.Job, t *bot.Tenant, cause error) error {
	var f *bot.Failure
	var after time.Duration
	if errors.As(cause, &f) {
		after = f.RetryAfter
	}
	public := e.publicly(ctx, t)
	e.Log.Warn("service health cannot be read", "tenant", t.ID, "err", cause)
	return e.commit(ctx, "unreadable/"+e.ID(), func(d *Draft) error {
		w, err := d.Watch(t.ID)
		if err != nil {
			return err
		}
		w.Tenant = t.ID
		w = incident.Failed(w, cause.Error(), d.Now)
		if public != nil {
			w.Public = public
		}
		if incident.Silence(w, d.Now) {
			if err := d.tellSilence(t, w); err != nil {
				return err
			}
			w = incident.ToldSilence(w)
			if err := d.refreshPages(t); err != nil {
				return err
			}
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
	subs, err := listening(d.View, t.ID)
	if err != nil {
		return err
	}
	for _, s := range subs {
		d.sayOf(t, s.Place, incident.Unreadable(w))
	}
	d.TellAdmins(t, incident.UnreadableCause(w))
	return nil
}

func (d *Draft) pollNow(t bot.TenantID) {
	d.job(pollLane(t), kindPoll, bot.ClassIncident, d.Now, pollJob{Tenant: t}, pollLane(t))
	d.messagesNow(t)
}
