package engine

import (
	"context"
	"time"

	"keyturn/bot"
)

// Head is the end of a tenant's audit trail: how many entries it has, and the
// MAC of the last. Noted where whoever may write to the store may not, it
// proves later that no entry was cut off or written anew.
type Head struct {
	Tenant bot.TenantID
	Count  uint64
	MAC    string
	At     time.Time // when it was read
}

// Witness notes heads outside the store. Its error has the head sent again.
type Witness interface {
	Head(ctx context.Context, h Head) error
}

// headEvery is how often a head leaves where [Env.HeadEvery] says nothing.
const headEvery = time.Hour

func headLane(t bot.TenantID) string { return "audit/" + string(t) }

type headJob struct {
	Tenant bot.TenantID `json:"tenant"`
}

// witness sends the head of a tenant's trail out, and comes back in an hour.
// It is never given up: a head that is missed is a time in which the trail
// could be changed unseen.
func (e *Engine) witness(ctx context.Context, j bot.Job) error {
	p, err := payload[headJob](j)
	if err != nil {
		return err
	}
	if _, ok := e.Env.Tenant(p.Tenant); !ok || e.Witness == nil {
		return e.finish(ctx, j, nil)
	}
	h := Head{Tenant: p.Tenant, At: e.Now()}
	err = e.Store.Read(ctx, func(v View) error {
		last, err := v.Audit(p.Tenant, 1)
		if len(last) > 0 {
			h.Count, h.MAC = last[0].Seq, last[0].MAC
		}
		return err
	})
	if err != nil {
		return err
	}
	if h.Count > 0 {
		if err := e.Witness.Head(ctx, h); err != nil {
			return err
		}
	}
	return e.commit(ctx, "head/"+e.ID(), func(d *Draft) error {
		again := j
		again.Due, again.Tries, again.Last = d.Now.Add(e.Env.headEvery()), 0, ""
		d.Out.Again = []bot.Job{again}
		return nil
	})
}

func (e *Env) headEvery() time.Duration {
	if e.HeadEvery > 0 {
		return e.HeadEvery
	}
	return headEvery
}

// HeadLeft says when the head of a tenant's trail left last, where heads leave
// every so often. It is false where none has left yet, and while one is on its
// way anew.
func HeadLeft(v View, t bot.TenantID, every time.Duration) (time.Time, bool, error) {
	jobs, err := v.Jobs(headLane(t))
	for _, j := range alive(jobs) {
		if j.Tries == 0 && j.Due.After(j.Made) { // it was put off when the last one left
			return j.Due.Add(-every), true, err
		}
	}
	return time.Time{}, false, err
}

// witnessed makes sure that the tenant's head is sent out.
func (d *Draft) witnessed(t bot.TenantID) error {
	jobs, err := d.Jobs(headLane(t))
	if err == nil && len(alive(jobs)) == 0 {
		d.job(headLane(t), kindHead, bot.ClassDigest, d.Now, headJob{Tenant: t}, headLane(t))
	}
	return err
}
