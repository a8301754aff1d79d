package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// named is a store in which people's names stand in one table alone. Whatever
// a decision writes gets pseudonyms in their place, and whatever it reads has
// the names again: nobody else has to think of it. The trail is read as it was
// signed, and the payloads of jobs are sealed.
type named struct {
	Store
	env *Env
}

// Named keeps the names of people apart from everything else in a store. Who
// reads the store beside it finds pseudonyms, and [NamesOf] says what they stand for.
func Named(s Store, env *Env) Store {
	if env == nil || env.Alias == nil {
		return s
	}
	return named{s, env}
}

// Commit implements [Store].
func (n named) Commit(ctx context.Context, decide func(View) (Changes, error)) error {
	return n.Store.Commit(ctx, func(v View) (Changes, error) {
		c, err := decide(withNames{v})
		if err != nil {
			return Changes{}, err
		}
		return n.env.cloaked(v, c)
	})
}

// Read implements [Store].
func (n named) Read(ctx context.Context, f func(View) error) error {
	return n.Store.Read(ctx, func(v View) error { return f(withNames{v}) })
}

// personal are the kinds of records in which people's names may stand, and
// impersonal those in which none does.
var (
	personal = []string{grants.Name, memberships.Name, absences.Name, gapsTold.Name, links.Name, sessions.Name, pins.Name, attempts.Name,
		mappings.Name, tickets.Name, refusals.Name, unposted.Name, questions.Name, latest.Name}
	impersonal = []string{names.Name, expiries.Name, reaches.Name, desks.Name, posts.Name, readers.Name, learntOf.Name, voted.Name, visitors.Name,
		overviews.Name, days.Name, pauses.Name, kept.Name, editions.Name}
)

// cloaked gives a write set without names, and with the table's new rows.
func (e *Env) cloaked(v View, c Changes) (Changes, error) {
	var edition string
	var failed error
	cloaks, rows := map[bot.TenantID]*cloak{}, map[bot.TenantID]map[string]Name{}
	of := func(t bot.TenantID) *cloak {
		if len(cloaks) == 0 {
			edition, _, failed = editions.Get(v, NoTenant, names.Name)
		}
		if cloaks[t] == nil {
			k, err := e.knows(v, t, edition)
			failed = errors.Join(failed, err)
			cloaks[t], rows[t] = &cloak{alias: e.Alias, begin: k.begin, shared: true, used: map[string]Name{}}, k.rows
		}
		return cloaks[t]
	}
	c.Audit = slices.Clone(c.Audit)
	for i := range c.Audit {
		e.entry(of(c.Audit[i].Tenant), &c.Audit[i])
	}
	c.Runs = slices.Clone(c.Runs)
	for i, r := range c.Runs {
		for _, st := range r.Steps { // as the system spells it, which may differ from the configuration
			if a := st.Approval; a != nil {
				of(r.Tenant).add(a.Person, a.Account)
			}
		}
		c.Runs[i] = reword(r, of(r.Tenant))
		c.Runs[i].ID = r.ID
	}
	c.Objects = slices.Clone(c.Objects)
	for i, o := range c.Objects {
		t, err := home(v, c, o)
		if err != nil {
			return Changes{}, err
		}
		c.Objects[i].Name, c.Objects[i].Before = of(t).text(o.Name), of(t).json(o.Before)
	}
	c.Records = slices.Clone(c.Records)
	for i, r := range c.Records {
		if r.Value != nil && slices.Contains(personal, r.Kind) {
			if r.Kind == sessions.Name || r.Kind == links.Name {
				var own struct {
					Person  bot.PersonID
					Account string
				}
				if err := json.Unmarshal(r.Value, &own); err != nil {
					return Changes{}, fmt.Errorf("the %s of a person cannot be read: %w", r.Kind, err)
				}
				of(r.Tenant).add(own.Person, own.Account)
			}
			c.Records[i].Value = json.RawMessage(of(r.Tenant).json(string(r.Value)))
		}
	}
	if c.Delivery != nil {
		d := *c.Delivery
		d.Reply = reword(d.Reply, of(NoTenant))
		c.Delivery = &d
	}
	for _, t := range slices.Sorted(maps.Keys(cloaks)) {
		for _, ref := range slices.Sorted(maps.Keys(cloaks[t].used)) {
			x := cloaks[t].used[ref]
			if have, ok := rows[t][ref]; !ok || have.Name != x.Name {
				names.Put(&c, t, ref, x)
			}
		}
	}
	if len(cloaks) > 0 {
		failed = errors.Join(failed, renew(&c, edition))
	}
	return c, errors.Join(failed, renewTexts(v, &c))
}

// home is the tenant that an object belongs to: that of its run.
func home(v View, c Changes, o bot.Object) (bot.TenantID, error) {
	for _, r := range c.Runs {
		if r.ID == o.Run {
			return r.Tenant, nil
		}
	}
	r, err := v.Run(o.Run)
	if errors.Is(err, bot.ErrNotFound) {
		return NoTenant, nil // its run is no longer kept
	}
	return r.Tenant, err
}

// entry takes the names out of an entry of the trail. What its person is called
// is kept by their ID, for those who read the trail when they have left.
func (e *Env) entry(k *cloak, a *bot.AuditEntry) {
	if t, ok := e.Tenant(a.Tenant); ok {
		if p, ok := t.Person(a.Person); ok {
			k.used[string(p.ID)] = Name{Person: p.ID, Name: p.Name}
		}
	}
	if a.Person != "" && a.Account != "" && a.Account != incident.Unattended {
		a.Account = k.whole(a.Person, a.Account)
	}
	a.Note, a.Call, a.Calls, a.Exists = k.text(a.Note), reword(a.Call, k), reword(a.Calls, k), reword(a.Exists, k)
}

// withNames is a view with names in the place of pseudonyms.
type withNames struct{ View }

// Run implements [View].
func (r withNames) Run(id string) (setup.Run, error) {
	x, err := r.View.Run(id)
	if err != nil {
		return x, err
	}
	return opened(r.View, x.Tenant, x)
}

// Runs implements [View].
func (r withNames) Runs(t bot.TenantID) ([]setup.Run, error) {
	list, err := r.View.Runs(t)
	if err != nil {
		return nil, err
	}
	return opened(r.View, t, list)
}

// Objects implements [View].
func (r withNames) Objects(t bot.TenantID) ([]bot.Object, error) {
	list, err := r.View.Objects(t)
	if err != nil {
		return nil, err
	}
	u := uncloaking(r.View, t)
	for i, o := range list {
		list[i].Name, list[i].Before = u.text(o.Name), u.json(o.Before)
	}
	return list, u.failed
}

// Record implements [View].
func (r withNames) Record(kind string, t bot.TenantID, key string) (Record, bool, error) {
	x, ok, err := r.View.Record(kind, t, key)
	if err != nil || !ok || !slices.Contains(personal, kind) {
		return x, ok, err
	}
	x.Value, err = opened(r.View, t, x.Value)
	return x, err == nil, err
}

// Records implements [View].
func (r withNames) Records(kind string, t bot.TenantID) ([]Record, error) {
	list, err := r.View.Records(kind, t)
	if err != nil || !slices.Contains(personal, kind) {
		return list, err
	}
	for i := range list {
		if list[i].Value, err = opened(r.View, t, list[i].Value); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Reply implements [View].
func (r withNames) Reply(key string) (bot.Reply, bool, error) {
	x, ok, err := r.View.Reply(key)
	if err != nil || !ok {
		return x, ok, err
	}
	x, err = opened(r.View, NoTenant, x)
	return x, err == nil, err
}
