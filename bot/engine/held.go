package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// parked is a job that waits, given up, for a message to stand.
type parked struct {
	ID   bot.JobID `json:"id"`
	Lane string    `json:"lane"`
}

// unposted are, by the ledger key of a message that does not stand: the tries of
// it that were given up, and the replies that are held until it does.
var unposted = Kind[[]parked]{Name: "unposted"}

func (d *Draft) park(key string, j bot.Job) error {
	list, _, err := unposted.Get(d.View, NoTenant, key)
	if err != nil {
		return err
	}
	unposted.PutUntil(&d.Out, NoTenant, key, append(list, parked{j.ID, j.Lane}), d.Now.Add(keepDead))
	return nil
}

// held keeps a reply whose root does not stand: shown among what was given up,
// never posted as a root of its own, and sent as soon as the root is there. Its
// lane goes on meanwhile.
func (e *Engine) held(ctx context.Context, j bot.Job, p Deliver) error {
	return e.commit(ctx, "held", func(d *Draft) error {
		d.Out.Again = []bot.Job{j}
		root, ok, err := d.Sent(p.Under)
		if err != nil || ok && !root.Gone { // it has come meanwhile
			return err
		}
		d.Out.Again[0].Dead, d.Out.Again[0].Last = true, "held: the message that this replies to could not be posted; it follows once that stands"
		return d.park(p.Under, j)
	})
}

// stand lets follow what waited for a message that stands now: replies are sent
// in their order, and earlier tries of it are of no use any more.
func (d *Draft) stand(p Deliver) error {
	list, ok, err := unposted.Get(d.View, NoTenant, p.Key)
	if err != nil || !ok {
		return err
	}
	unposted.Drop(&d.Out, NoTenant, p.Key)
	lanes := map[string][]bot.Job{}
	for _, w := range list {
		if _, read := lanes[w.Lane]; !read {
			if lanes[w.Lane], err = d.Jobs(w.Lane); err != nil {
				return err
			}
		}
		i := slices.IndexFunc(lanes[w.Lane], func(j bot.Job) bool { return j.ID == w.ID && j.Dead })
		if i < 0 {
			continue // somebody has sent it again, or forgotten it
		}
		j := lanes[w.Lane][i]
		if q, err := payload[Deliver](j); err == nil && q.Key == p.Key {
			d.Out.Done = append(d.Out.Done, j.ID)
			continue
		}
		d.Out.Again = append(d.Out.Again, revived(j, d))
	}
	return nil
}

// revived is a job that was given up, to be tried from the beginning.
func revived(j bot.Job, d *Draft) bot.Job {
	j.Dead, j.Tries, j.Last, j.Due = false, 0, "", d.Now
	return j
}

// givenUp tells a tenant's admins that a message about service health did not
// get into its channel, once a day for each channel, and has the next try of a
// root take along what is held for it.
func (d *Draft) givenUp(j bot.Job, p Deliver) error {
	if p.Sub == "" {
		return nil
	}
	if p.Under == "" {
		if err := d.park(p.Key, j); err != nil {
			return err
		}
	}
	t, ok := d.env.Tenant(p.Tenant)
	s, known, err := d.Subscribed(p.Tenant, p.Sub)
	if err != nil || !ok || !known {
		return err
	}
	m := incident.Undelivered(s.Place, cmp.Or(p.Draw.Incident, p.Draw.Post), p.Under == "", j.Last)
	m.Key = fmt.Sprintf("say/undelivered/%s/%s", s.ID, d.Now.In(zoneOf(t)).Format("2006-01-02"))
	d.TellAdmins(t, m)
	return nil
}
