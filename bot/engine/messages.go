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

// MessageCenter is a [Health] that also reads what Microsoft is going to
// change. It needs a permission of its own, which a tenant may not have given.
type MessageCenter interface {
	// Messages gives every message center post that changed since a time (the
	// zero time: all), as Graph wrote them. The reading is complete or an error.
	Messages(ctx context.Context, tenant bot.TenantID, as bot.Reader, since time.Time) ([]json.RawMessage, error)
}

const (
	// messagesEvery is the time between two readings of the message center:
	// what it says is about weeks.
	messagesEvery = 15 * time.Minute
	// messagesRefused is the pause after a refusal, which only a person ends.
	messagesRefused = time.Hour
	// postKept is how long a post is known after its last change. One that
	// comes back later than that is taken as known, not as new.
	postKept = 180 * 24 * time.Hour
)

// kindMessages is the job that reads a tenant's message center.
const kindMessages = "messages"

func messagesLane(t bot.TenantID) string { return "messages/" + string(t) }

func (d *Draft) messagesNow(t bot.TenantID) {
	d.job(messagesLane(t), kindMessages, bot.ClassDigest, d.Now, pollJob{Tenant: t}, messagesLane(t))
}

// readMessages reads a tenant's message center, where a channel wants to be
// told of it. That it cannot be read takes nothing from service health.
func (e *Engine) readMessages(ctx context.Context, j bot.Job) error {
	p, err := payload[pollJob](j)
	if err != nil {
		return err
	}
	t, ok := e.Env.Tenant(p.Tenant)
	center, reads := e.Health.(MessageCenter)
	if !ok || !reads {
		return e.finish(ctx, j, nil)
	}
	var as bot.Reader
	var have, wanted bool
	var since time.Time
	err = e.Store.Read(ctx, func(v View) error {
		w, err := v.Watch(t.ID)
		if err != nil {
			return err
		}
		if m := w.Messages; m.Seeded && !m.Newest.IsZero() {
			since = m.Newest.Add(-overlap)
		}
		subs, err := listening(v, t.ID)
		if err != nil {
			return err
		}
		wanted = slices.ContainsFunc(subs, func(s incident.Subscription) bool { return s.Messages })
		as, have, err = e.reader(v, t)
		return err
	})
	if err != nil {
		return err
	}
	if !have {
		return e.finish(ctx, j, nil)
	}
	var list []incident.Announcement
	if wanted {
		raw, err := reading(ctx, e, t, as, func(ctx context.Context) ([]json.RawMessage, error) { return center.Messages(ctx, t.ID, as, since) })
		if unkept(err) {
			return err
		}
		if err != nil {
			return e.messagesFailed(ctx, j, t, err)
		}
		list = understood(e, t, "a message center post", raw, incident.ParseMessage)
	}
	return e.commit(ctx, "messages/"+e.ID(), func(d *Draft) error {
		again := j
		again.Due, again.Tries, again.Last = d.Now.Add(messagesEvery), 0, ""
		if d.env.PollEvery < time.Minute {
			again.Due = d.Now.Add(10 * d.env.PollEvery) // where time is made to run faster, it does here too
		}
		d.Out.Again = []bot.Job{again}
		if !wanted {
			return nil
		}
		return d.toldPosts(t, list)
	})
}

// toldPosts records a reading of the message center and what follows for every
// subscription.
func (d *Draft) toldPosts(t *bot.Tenant, list []incident.Announcement) error {
	watch, err := d.Watch(t.ID)
	if err != nil {
		return err
	}
	watch.Tenant = t.ID
	var failed error
	known := func(id string) (*incident.KnownMessage, bool) {
		k, ok, err := posts.Get(d.View, t.ID, id)
		failed = errors.Join(failed, err)
		return &k, ok && err == nil
	}
	o := incident.ReadingMessages(watch, known, list, d.Now)
	if failed != nil {
		return failed
	}
	d.Out.Watches = append(d.Out.Watches, o.Watch)
	for _, k := range o.Known {
		posts.PutUntil(&d.Out, t.ID, k.Post.ID, k, d.Now.Add(postKept))
	}
	if len(o.Told) == 0 {
		return nil
	}
	subs, err := listening(d.View, t.ID)
	if err != nil {
		return err
	}
	for _, s := range subs {
		desk, err := d.desk(s)
		if err != nil {
			return err
		}
		after, acts := desk.TellPosts(s, o.Told, d.Now)
		if err := d.putDesk(t, s, after, acts); err != nil {
			return err
		}
	}
	return nil
}

// messagesFailed records a reading of the message center that failed. It is
// tried again for ever.
func (e *Engine) messagesFailed(ctx context.Context, j bot.Job, t *bot.Tenant, cause error) error {
	var f *bot.Failure
	wait := incident.Backoff(j.Tries+1, 0)
	if errors.As(cause, &f) {
		wait = max(wait, f.RetryAfter)
		if f.Kind == bot.KindForbidden {
			wait = messagesRefused
		}
	}
	e.Log.Warn("the message center cannot be read", "tenant", t.ID, "err", cause)
	return e.commit(ctx, "messages/"+e.ID(), func(d *Draft) error {
		w, err := d.Watch(t.ID)
		if err != nil {
			return err
		}
		w.Tenant = t.ID
		d.Out.Watches = append(d.Out.Watches, incident.FailedMessages(w, cause.Error()))
		again := j
		again.Due, again.Last = d.Now.Add(wait), cause.Error()
		again.Tries++
		d.Out.Again = []bot.Job{again}
		return nil
	})
}
