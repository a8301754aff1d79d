package engine

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
)

const (
	kindSweep = "sweep" // what is of no use any more is forgotten

	sweepLane  = "sweep"
	sweepEvery = 24 * time.Hour
	sweepFirst = 10 * time.Minute // after a start, which has better things to do
	sweepBatch = 100              // removals that one commit makes
)

// How long what is finished stays, besides what the store keeps by itself (runs,
// incidents, delivery keys).
const (
	// keepSaid is for a ledger entry that nothing will edit or reply to any more:
	// an entry is asked for again only while its message changes, while replies
	// come under it, or while its job may run again.
	keepSaid = 30 * 24 * time.Hour
	// keepDead is for jobs that were given up and that nobody has revived.
	keepDead = 30 * 24 * time.Hour
	// keepRemoved is for objects that were removed outside, once their run is
	// forgotten. What exists outside stays listed for ever.
	keepRemoved = 400 * 24 * time.Hour
)

// outdated is what a sweep found.
type outdated struct {
	sent    []bot.Sent
	dead    []bot.Job
	objects []bot.Object
}

// sweep forgets what only time makes superfluous, so that neither the store nor
// its readings grow for ever. It reads without holding up anybody, and removes
// in small commits that look again.
func (e *Engine) sweep(ctx context.Context, j bot.Job) error {
	var o outdated
	if err := e.Store.Read(ctx, func(v View) error {
		var err error
		o, err = e.outdated(v, e.Now())
		return err
	}); err != nil {
		return err
	}
	for len(o.sent)+len(o.dead)+len(o.objects) > 0 {
		sent, dead, objects := cut(&o.sent), cut(&o.dead), cut(&o.objects)
		err := e.commit(ctx, "sweep", func(d *Draft) error { return d.forgetOutdated(sent, dead, objects) })
		if err != nil {
			return err
		}
	}
	return e.commit(ctx, "swept", func(d *Draft) error {
		if err := errors.Join(e.clearDesks(d), e.endWindows(d)); err != nil {
			return err
		}
		again := j
		again.Due, again.Tries, again.Last = d.Now.Add(sweepEvery), 0, ""
		d.Out.Again = []bot.Job{again}
		return nil
	})
}

// cut takes a batch off the front of a list.
func cut[T any](list *[]T) []T {
	n := min(len(*list), sweepBatch)
	batch := (*list)[:n]
	*list = (*list)[n:]
	return batch
}

// forgetOutdated removes what a sweep found, but for what has changed since.
func (d *Draft) forgetOutdated(sent []bot.Sent, dead []bot.Job, objects []bot.Object) error {
	for _, s := range sent {
		now, ok, err := d.Sent(s.Key)
		if err != nil {
			return err
		}
		if ok && now.At.Equal(s.At) {
			d.Out.Unsent = append(d.Out.Unsent, s.Key)
		}
	}
	for _, j := range dead {
		jobs, err := d.Jobs(j.Lane)
		if err != nil {
			return err
		}
		for _, now := range jobs {
			if now.ID == j.ID && now.Dead && now.Due.Equal(j.Due) {
				d.Out.Done = append(d.Out.Done, j.ID)
			}
		}
	}
	d.Out.Unlisted = append(d.Out.Unlisted, objects...)
	return nil
}

// outdated lists what is of no use any more.
func (e *Engine) outdated(v View, now time.Time) (o outdated, err error) {
	live, err := e.living(v)
	if err != nil {
		return o, err
	}
	for _, kind := range []string{saidUnder, runUnder, incidentUnder} {
		err := v.EachSent(kind, func(s bot.Sent) error {
			if now.Sub(s.At) >= keepSaid && !live.needs(s.Key) {
				o.sent = append(o.sent, s)
			}
			return nil
		})
		if err != nil {
			return o, err
		}
	}
	jobs, err := v.Jobs("")
	if err != nil {
		return o, err
	}
	for _, j := range jobs {
		if j.Dead && now.Sub(j.Due) >= keepDead {
			o.dead = append(o.dead, j)
		}
	}
	for _, t := range e.Env.Tenants {
		objects, err := v.Objects(t.ID)
		if err != nil {
			return o, err
		}
		for _, x := range objects {
			if !x.Removed.IsZero() && now.Sub(x.Removed) >= keepRemoved && !live.runs[x.Run] {
				o.objects = append(o.objects, x)
			}
		}
	}
	return o, nil
}

// clearDesks forgets announcements that have not changed for as long as runs
// stay, and takes roots of what is not known any more off the desks: what comes
// up again after so long is news, and gets a root of its own.
func (e *Engine) clearDesks(d *Draft) error {
	live, err := e.living(d.View)
	if err != nil {
		return err
	}
	for _, t := range e.Env.Tenants {
		announced, err := posts.All(d.View, t.ID)
		if err != nil {
			return err
		}
		for _, p := range announced {
			if d.Now.Sub(p.Seen) >= keepRemoved {
				posts.Drop(&d.Out, t.ID, p.Post.ID)
			}
		}
		for sub := range live.subs {
			desk, ok, err := desks.Get(d.View, t.ID, sub)
			if err != nil {
				return err
			}
			had := len(desk.Roots)
			maps.DeleteFunc(desk.Roots, func(id string, since time.Time) bool {
				return !live.incidents[id] && d.Now.Sub(since) >= keepSaid
			})
			if ok && len(desk.Roots) < had {
				desks.Put(&d.Out, t.ID, sub, desk)
			}
		}
	}
	return nil
}

// endWindows takes maintenance windows that are over out of what channels are
// told: their people read it, and each window is looked at for every change.
func (e *Engine) endWindows(d *Draft) error {
	for _, t := range e.Env.Tenants {
		subs, err := d.Subscriptions(t.ID)
		if err != nil {
			return err
		}
		for _, s := range subs {
			if now := incident.Current(s, d.Now); len(now.Maintenance) < len(s.Maintenance) {
				d.Out.Subscriptions = append(d.Out.Subscriptions, now)
			}
		}
	}
	return nil
}

// The ledger's keys by what they belong to. Keys of any other form stay: they
// are one for a place or a person, and do not become more with time.
const (
	saidUnder     = "say/"
	runUnder      = "run/"
	incidentUnder = "incident/"
)

// live is what ledger entries may belong to.
type live struct {
	runs, incidents, subs map[string]bool
}

func (e *Engine) living(v View) (live, error) {
	l := live{runs: map[string]bool{}, incidents: map[string]bool{}, subs: map[string]bool{}}
	for _, t := range e.Env.Tenants {
		runs, incidents, err := v.Kept(t.ID)
		if err != nil {
			return l, err
		}
		for _, id := range runs {
			l.runs[id] = true
		}
		for _, id := range incidents {
			l.incidents[id] = true
		}
		announced, err := posts.All(v, t.ID)
		if err != nil {
			return l, err
		}
		for _, p := range announced {
			l.incidents[p.Post.ID] = true
		}
		subs, err := v.Subscriptions(t.ID)
		if err != nil {
			return l, err
		}
		for _, s := range subs {
			l.subs[s.ID] = true
		}
	}
	return l, nil
}

// needs reports whether the message of a key may still be edited or replied to:
// its run is kept, or its incident and the subscription that is told of it.
func (l live) needs(key string) bool {
	part := strings.Split(key, "/")
	switch {
	case strings.HasPrefix(key, runUnder):
		return l.runs[part[1]]
	case strings.HasPrefix(key, incidentUnder) && len(part) > 2:
		return l.subs[part[1]] && l.incidents[part[2]]
	}
	return false
}

// sweepLater makes sure that the sweep goes on.
func (d *Draft) sweepLater() error {
	jobs, err := d.Jobs(sweepLane)
	if err == nil && len(alive(jobs)) == 0 {
		d.job(sweepLane, kindSweep, bot.ClassDigest, d.Now.Add(sweepFirst), struct{}{}, sweepLane)
	}
	return err
}
