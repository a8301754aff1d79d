package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// ErrUnknownPerson is said of a person of whom the store has no name.
var ErrUnknownPerson = errors.New("nothing is kept under a name of this person")

// Erased is what erasing a person's names in one tenant came to.
type Erased struct {
	Tenant  bot.TenantID
	Names   int // of the person and of their accounts
	Records int // from before names had a table, which are rewritten
	// Old counts the entries of the trail from before, and First and Last are the
	// numbers of the first and the last of them: an entry cannot change.
	Old, First, Last uint64
	// Waiting counts what is on its way or waits and still says a name, sealed.
	Waiting int
}

// StillNamed refuses to erase somebody whom the configuration names.
func StillNamed(p bot.Person, t *bot.Tenant) error {
	return fmt.Errorf("%s (%s) still stands in the configuration of %s, and would be named again with their next click: take them out of people, roles and owners, restart Keyturn, then erase", p.Name, p.ID, t.Name)
}

// erasing is one person's erasure in one tenant, as one decision.
type erasing struct {
	view   View
	out    Changes
	tenant bot.TenantID
	person bot.PersonID
	cloak  *cloak
	done   Erased
}

// Erase takes the names of a person and of their accounts out of a tenant's
// records; their ID and pseudonyms stay. It refuses somebody whom the
// configuration names, for they would be named again at once. The store is that
// below [Named]. also are names that older records may have, from before names
// had a table of their own.
func Erase(ctx context.Context, s Store, env *Env, t bot.TenantID, p bot.PersonID, also []string, now time.Time) (done Erased, err error) {
	tenant, ok := env.Tenant(t)
	if !ok {
		return done, fmt.Errorf("the configuration has no tenant %q", t)
	}
	if known, ok := tenant.Person(p); ok {
		return done, StillNamed(known, tenant)
	}
	err = s.Commit(ctx, func(v View) (Changes, error) {
		x := &erasing{view: v, tenant: t, person: p, cloak: newCloak(env.Alias), done: Erased{Tenant: t}}
		if err := x.decide(also, now); err != nil {
			return Changes{}, err
		}
		done = x.done
		return x.out, nil
	})
	return done, err
}

func (x *erasing) decide(also []string, now time.Time) error {
	if err := x.forget(now); err != nil {
		return err
	}
	for _, name := range also {
		x.cloak.add(x.person, name)
	}
	if err := errors.Join(x.runs(), x.objects(), x.records(), x.jobs(), x.trail()); err != nil {
		return err
	}
	if x.done.Names == 0 && x.done.Records == 0 && x.done.Old == 0 {
		return ErrUnknownPerson
	}
	for ref := range x.cloak.used {
		x.blank(x.tenant, ref, now)
	}
	x.blank(x.tenant, string(x.person), now)
	x.out.Audit = append(x.out.Audit, bot.AuditEntry{Tenant: x.tenant, At: now, Act: "erase",
		Note: fmt.Sprintf("the names of person %s and of their accounts: %d", x.person, x.done.Names)})
	edition, _, err := editions.Get(x.view, NoTenant, names.Name)
	if err != nil {
		return err
	}
	return renew(&x.out, edition)
}

func (x *erasing) blank(t bot.TenantID, ref string, now time.Time) {
	names.Put(&x.out, t, ref, Name{Person: x.person, Erased: now})
}

// forget blanks the person's rows, of the tenant and of what belongs to none, and
// learns from them what to look for elsewhere.
func (x *erasing) forget(now time.Time) error {
	said := map[string]bool{}
	for _, t := range []bot.TenantID{x.tenant, NoTenant} {
		list, err := x.view.Records(names.Name, t)
		if err != nil {
			return err
		}
		for _, r := range list {
			n, err := names.read(r)
			if err != nil {
				return err
			}
			if n.Person != x.person || n.Name == "" {
				continue
			}
			x.cloak.add(x.person, n.Name)
			x.blank(t, r.Key, now)
			if !said[n.Name] {
				said[n.Name] = true
				x.done.Names++
			}
		}
	}
	return nil
}

func (x *erasing) runs() error {
	list, err := x.view.Runs(x.tenant)
	if err != nil {
		return err
	}
	for _, r := range list {
		after := reword(r, x.cloak)
		if alike(r, after) {
			continue
		}
		if r.State == setup.RunOpen {
			return fmt.Errorf("the run %s is still open and names this person in its plans or answers: finish or cancel it first, then erase", r.ID)
		}
		after.ID = r.ID
		x.out.Runs = append(x.out.Runs, after)
		x.done.Records++
	}
	return nil
}

// alike reports whether two values are written alike.
func alike(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}

func (x *erasing) objects() error {
	list, err := x.view.Objects(x.tenant)
	for _, o := range list {
		was := o
		o.Name, o.Before = x.cloak.text(o.Name), x.cloak.json(o.Before)
		if o != was {
			x.out.Objects = append(x.out.Objects, o)
			x.done.Records++
		}
	}
	return err
}

// records drops what belongs to the person and rewrites what names them.
func (x *erasing) records() error {
	for _, kind := range personal {
		list, err := x.view.Records(kind, x.tenant)
		if err != nil {
			return err
		}
		for _, r := range list {
			if x.owns(r) {
				x.out.Records = append(x.out.Records, Record{Kind: kind, Tenant: x.tenant, Key: r.Key})
				continue
			}
			if value := x.cloak.json(string(r.Value)); value != string(r.Value) {
				r.Value = json.RawMessage(value)
				x.out.Records = append(x.out.Records, r)
				x.done.Records++
			}
		}
	}
	for _, s := range []bot.System{bot.Graph, bot.ServiceNow} {
		x.out.Forget = append(x.out.Forget, tokenName(x.tenant, x.person, s))
	}
	return nil
}

// owns reports whether a record is about the person alone: a role that they were
// given, a sign-in, an account that is linked to them.
func (x *erasing) owns(r Record) bool {
	switch r.Kind {
	case pins.Name: // its value is the account's ID, and its key has the account's name
		return strings.HasPrefix(r.Key, string(x.person)+"/")
	case grants.Name, absences.Name, links.Name, sessions.Name, attempts.Name:
		var of struct{ Person bot.PersonID }
		return json.Unmarshal(r.Value, &of) == nil && of.Person == x.person
	}
	return false
}

// jobs rewrites what was given up and counts what is still on its way: both are
// sealed, and gone when they were sent or after their time.
func (x *erasing) jobs() error {
	list, err := x.view.Jobs("")
	for _, j := range list {
		was := string(j.Payload)
		erased := x.cloak.json(was)
		if erased == was {
			continue
		}
		if !j.Dead {
			x.done.Waiting++
			continue
		}
		j.Payload = json.RawMessage(pseudonym.ReplaceAllStringFunc(erased, func(ref string) string {
			if _, ours := x.cloak.used[ref]; !ours {
				return ref
			}
			return Name{Person: x.person}.shown()
		}))
		x.out.Again = append(x.out.Again, j)
	}
	return err
}

// trail counts the entries that have a name in them from before.
func (x *erasing) trail() error {
	list, err := x.view.Audit(x.tenant, 1<<30)
	for _, e := range list {
		used := x.cloak.used
		x.cloak.used = map[string]Name{}
		_ = reword(e, x.cloak)
		if len(x.cloak.used) > 0 {
			if x.done.Old == 0 {
				x.done.First = e.Seq
			}
			x.done.Old++
			x.done.Last = e.Seq
		}
		x.cloak.used = used
	}
	return err
}
