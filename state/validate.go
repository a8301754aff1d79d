package state

import (
	"fmt"
	"strings"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// MaxKey is the longest name, in bytes, that a record may have, all its parts but
// the tenant together, and MaxTenant the longest of a tenant. What is within both
// every store can keep in an index: PostgreSQL's take 2,700 bytes.
const (
	MaxKey    = 2048
	MaxTenant = 256
)

// Validate gives an [ErrInvalid] for changes that no store can keep: records
// without the name that they are found by, or with a name that would run into
// another's. Stores call it before they apply anything.
func Validate(c engine.Changes) error {
	var k names
	if c.Delivery != nil {
		k.need("delivery", "key", c.Delivery.Key)
	}
	for _, r := range c.Runs {
		k.need("run", "ID", r.ID)
		k.tenant("run", r.Tenant)
	}
	for _, o := range c.Objects {
		k.need("object", "key", o.Key)
		k.need("object "+o.Key, "run (objects belong to the tenant of their run)", o.Run)
	}
	for _, o := range c.Unlisted {
		k.need("object", "key", o.Key)
		k.need("object "+o.Key, "run (objects belong to the tenant of their run)", o.Run)
	}
	validateIncidents(&k, c)
	for _, b := range c.Bindings {
		k.need("binding", "channel or user", b.Place.Channel+b.Place.User)
		k.free("binding", string(b.Place.Platform), b.Place.Team, b.Place.Channel, b.Place.User)
	}
	for _, s := range c.Sent {
		k.need("ledger entry", "key", s.Key)
	}
	for _, s := range c.Secrets {
		k.need("secret", "name", s.Name)
	}
	for _, r := range c.Records {
		k.need("record", "kind", r.Kind)
		k.tenant("record of kind "+r.Kind, r.Tenant)
		k.need("record of kind "+r.Kind, "key", r.Key)
		k.free("record of kind "+r.Kind, r.Kind, r.Key)
	}
	for _, e := range c.Audit {
		k.tenant("audit entry", e.Tenant)
	}
	validateJobs(&k, c)
	return k.err
}

func validateIncidents(k *names, c engine.Changes) {
	for _, i := range c.Incidents {
		k.need("incident", "ID", i.Issue.ID)
		k.tenant("incident", i.Tenant)
	}
	for _, s := range c.Subscriptions {
		k.need("subscription", "ID", s.ID)
		k.tenant("subscription", s.Tenant)
	}
	for _, w := range c.Watches {
		k.tenant("watch", w.Tenant)
	}
}

func validateJobs(k *names, c engine.Changes) {
	for _, j := range c.Jobs {
		k.need("job", "lane", j.Lane)
		k.free("job", j.Collapse)
	}
	for _, j := range c.Again {
		if j.ID == 0 {
			k.fail("a job to do again has no ID")
		}
	}
}

// names collects the first thing that is wrong with names.
type names struct{ err error }

func (k *names) fail(format string, args ...any) {
	if k.err == nil {
		k.err = fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
	}
}

func (k *names) tenant(what string, id bot.TenantID) {
	k.need(what, "tenant", string(id))
	if len(id) > MaxTenant {
		k.fail("the tenant of the %s has a name of %d bytes, and %d are the most that can be stored", brief(what), len(id), MaxTenant)
	}
}

func (k *names) need(what, field, v string) {
	if v == "" {
		k.fail("the %s has no %s", what, field)
	}
	k.free(what, v)
}

// free refuses what cannot be the name of a record, or the parts of one.
func (k *names) free(what string, parts ...string) {
	whole := 0
	for _, v := range parts {
		whole += len(v)
		if strings.ContainsRune(v, 0) {
			k.fail("the name of the %s %q contains a zero byte", what, v)
		}
	}
	if whole > MaxKey {
		k.fail("the name of the %s is %d bytes long, and %d are the most that can be stored", brief(what), whole, MaxKey)
	}
}

// brief keeps a name that is too long out of the sentence that says so.
func brief(what string) string {
	const most = 60
	if len(what) > most {
		return strings.ToValidUTF8(what[:most], "") + "…"
	}
	return what
}
