package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// spoken is what was said last of a credential's end. It is said once for each
// threshold, and anew for another end.
type spoken struct {
	Ends time.Time `json:"ends"`
	Days int       `json:"days"`
}

var expiries = Kind[spoken]{Name: "expiry"}

// Ends says when the tenant's credentials end, as far as it is known, by the
// key of each: what runs have made, what stands in the configuration, and of the
// secrets there, which do not say it themselves, what the directory said of an
// end that is near.
func Ends(v View, t *bot.Tenant) (map[string]time.Time, error) {
	objects, err := v.Objects(t.ID)
	if err != nil {
		return nil, err
	}
	out := map[string]time.Time{}
	for _, o := range slices.Concat(objects, t.Own) {
		if !o.Expires.IsZero() && o.Removed.IsZero() {
			out[o.Key] = o.Expires
		}
	}
	own := []string{bot.ObjectKey(bot.Graph, "application", setup.OwnSignIn)}
	for _, s := range t.OwnSecrets {
		own = append(own, bot.ObjectKey(bot.Graph, "key", s.ID))
	}
	for _, key := range own {
		said, ok, err := expiries.Get(v, t.ID, key)
		if err != nil {
			return nil, err
		}
		if ok {
			out[key] = said.Ends
		}
	}
	return out, nil
}

// spokenFor is how long what was said is remembered: longer than anything is
// watched after its end.
const spokenFor = 400 * 24 * time.Hour

func expiryLane(t bot.TenantID) string { return "expiry/" + string(t) }

type expiryJob struct {
	Tenant bot.TenantID `json:"tenant"`
}

// watchExpiry tells of credentials that end, and comes back the next morning.
func (e *Engine) watchExpiry(ctx context.Context, j bot.Job) error {
	p, err := payload[expiryJob](j)
	if err != nil {
		return err
	}
	t, ok := e.Env.Tenant(p.Tenant)
	if !ok {
		return e.finish(ctx, j, nil)
	}
	reading, err := e.readApps(ctx, t)
	if err != nil {
		return err
	}
	return e.commit(ctx, "expiry/"+e.ID(), func(d *Draft) error {
		again := j
		again.Due, again.Tries, again.Last = morning(d.Now, t.Zone), 0, ""
		d.Out.Again = []bot.Job{again}
		return d.tellExpiries(t, reading)
	})
}

// readApps reads the ends in the directory where the reader may, which needs
// Application.Read.All. Without it our own record has to do.
func (e *Engine) readApps(ctx context.Context, t *bot.Tenant) (setup.Reading, error) {
	var as bot.Reader
	var have bool
	err := e.Store.Read(ctx, func(v View) (err error) {
		as, have, err = e.reader(v, t)
		return err
	})
	caller := e.Callers[bot.Graph]
	if err != nil || !have || caller == nil {
		return nil, err
	}
	r := setup.Reading{}
	for _, c := range setup.WatchedApps(t) {
		a, err := caller.Call(ctx, t.ID, c, bot.CallIdentity{RequestID: e.ID(), ClientID: as.ClientID, Secret: as.Secret, Key: as.Key, Cert: as.Cert})
		var f *bot.Failure
		switch {
		case err == nil:
			r[c.ID] = setup.Read{Answer: a}
		case !errors.As(err, &f):
			return nil, fmt.Errorf("reading when credentials end: %w", err)
		case f.Kind == bot.KindForbidden:
			return nil, nil // not granted
		default:
			r[c.ID] = setup.Read{Failure: f}
		}
	}
	return r, nil
}

// tellExpiries says what has reached a threshold since it was said last, to the
// holders of the role that can replace it and to the owners.
func (d *Draft) tellExpiries(t *bot.Tenant, reading setup.Reading) error {
	objects, err := d.Objects(t.ID)
	if err != nil {
		return err
	}
	seen := setup.Seen(t, objects, reading, d.Now)
	for _, o := range seen { // the record follows the directory
		if n := slices.IndexFunc(objects, func(known bot.Object) bool { return known.Key == o.Key }); n >= 0 && !objects[n].Expires.Equal(o.Expires) {
			d.Out.Objects = append(d.Out.Objects, o)
		}
	}
	now, err := d.Effective(t)
	if err != nil {
		return err
	}
	for _, o := range overlay(append(objects, t.Own...), seen) {
		if err := d.tellAged(t, now, o); err != nil {
			return err
		}
		said, ok, err := expiries.Get(d.View, t.ID, o.Key)
		if err != nil {
			return err
		}
		days, reached := setup.Warning(o, d.Now)
		if !reached {
			if ok && !o.Expires.IsZero() { // it was replaced
				expiries.Drop(&d.Out, t.ID, o.Key)
			}
			continue
		}
		if ok && said.Ends.Equal(o.Expires) && said.Days <= days {
			continue
		}
		expiries.PutUntil(&d.Out, t.ID, o.Key, spoken{Ends: o.Expires, Days: days}, d.Now.Add(spokenFor))
		m := setup.Expiring(t, o, days)
		m.Key = fmt.Sprintf("expiry/%s/%s/%d/%d", t.ID, o.Key, o.Expires.Unix(), days)
		d.tellKeepers(now, o, m)
	}
	return nil
}

// tellAged asks once a year about a credential that does not end by itself.
func (d *Draft) tellAged(t, now *bot.Tenant, o bot.Object) error {
	at, years, reached := setup.Aged(o, d.Now)
	if !reached {
		return nil
	}
	said, ok, err := expiries.Get(d.View, t.ID, o.Key)
	if err != nil || ok && said.Ends.Equal(at) {
		return err
	}
	expiries.PutUntil(&d.Out, t.ID, o.Key, spoken{Ends: at}, d.Now.Add(spokenFor))
	m := setup.Old(t, o, years)
	m.Key = fmt.Sprintf("expiry/%s/%s/%d", t.ID, o.Key, at.Unix())
	d.tellKeepers(now, o, m)
	return nil
}

// tellKeepers tells those who can replace a credential, and the owners.
func (d *Draft) tellKeepers(now *bot.Tenant, o bot.Object, m bot.Message) {
	people := slices.Concat(now.Asked(setup.Keeper(o)), now.Owners)
	slices.Sort(people)
	for _, p := range slices.Compact(people) {
		d.Tell(now, p, m)
	}
}

// morning is the next nine o'clock in a zone.
func morning(now time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	y, m, day := now.In(zone).Date()
	at := time.Date(y, m, day, 9, 0, 0, 0, zone)
	if !at.After(now) {
		at = time.Date(y, m, day+1, 9, 0, 0, 0, zone)
	}
	return at
}

// watched makes sure that somebody looks when the tenant's credentials end.
func (d *Draft) watched(t bot.TenantID) error {
	jobs, err := d.Jobs(expiryLane(t))
	if err == nil && len(alive(jobs)) == 0 {
		d.job(expiryLane(t), kindExpiry, bot.ClassDigest, d.Now, expiryJob{Tenant: t}, expiryLane(t))
	}
	return err
}
