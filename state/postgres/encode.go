package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
)

// encoder turns changes into statements. It reads the open transaction and
// writes nothing.
type encoder struct {
	s     *Store
	ctx   context.Context
	tx    pgx.Tx
	known asked
	out   pgx.Batch
	moved bool  // jobs changed
	err   error // the first
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// put queues a statement whose last argument is an encoded value, or keeps the
// first error.
func (e *encoder) put(value []byte, err error, sql string, args ...any) {
	if err != nil {
		e.fail(err)
		return
	}
	e.out.Queue(sql, append(args, value)...)
}

// optional is a time that may be missing.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (e *encoder) delivery(d *engine.Delivery) {
	if d == nil {
		return
	}
	kept := *d
	if kept.At.IsZero() {
		kept.At = e.s.now()
	}
	v, err := state.EncodeDelivery(kept)
	e.put(v, err, `INSERT INTO deliveries (key, at, value) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET at = excluded.at, value = excluded.value`, []byte(d.Key), kept.At)
}

func (e *encoder) runs(runs []setup.Run) {
	for _, r := range runs {
		owner, ok := e.owner(r.ID)
		if ok && owner != r.Tenant {
			e.fail(fmt.Errorf("%w: run %s belongs to tenant %q and cannot move to %q", state.ErrInvalid, r.ID, owner, r.Tenant))
			return
		}
		var ended *time.Time
		if r.State != setup.RunOpen {
			ended = optional(r.Ended)
		}
		v, err := state.Encode("run "+r.ID, r)
		e.put(v, err, `INSERT INTO runs (id, tenant, ended, value) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, value = excluded.value`, []byte(r.ID), []byte(r.Tenant), ended)
	}
}

// owner is the tenant that a run belongs to, also after the run was forgotten.
func (e *encoder) owner(run string) (bot.TenantID, bool) {
	tenant, ok := e.known.owners[run]
	return tenant, ok
}

func (e *encoder) runTenant(c engine.Changes, run string) (bot.TenantID, bool) {
	for _, r := range c.Runs {
		if r.ID == run {
			return r.Tenant, true
		}
	}
	return e.owner(run)
}

// objects belong to the tenant of the run that made or found them.
func (e *encoder) objects(c engine.Changes) {
	for _, o := range c.Objects {
		tenant, ok := e.runTenant(c, o.Run)
		if !ok {
			e.fail(fmt.Errorf("%w: the object %s names run %q, which does not exist", state.ErrInvalid, o.Key, o.Run))
			return
		}
		v, err := state.Encode("object "+o.Key, o)
		e.put(v, err, `INSERT INTO objects (tenant, key, run, value) VALUES ($1, $2, $3, $4)
			ON CONFLICT (tenant, key) DO UPDATE SET run = excluded.run, value = excluded.value`, []byte(tenant), []byte(o.Key), []byte(o.Run))
	}
	for _, o := range c.Unlisted {
		if tenant, ok := e.runTenant(c, o.Run); ok {
			e.out.Queue("DELETE FROM objects WHERE tenant = $1 AND key = $2", []byte(tenant), []byte(o.Key))
			e.out.Queue("DELETE FROM runs r WHERE id = $1 AND value IS NULL AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.run = r.id)", []byte(o.Run))
		}
	}
}

// resolved is when a resolved incident was last seen; nil of one that is active.
func (s *Store) resolved(k incident.Known) *time.Time {
	if !k.Issue.Resolved {
		return nil
	}
	seen := k.Seen
	if seen.IsZero() {
		seen = s.now()
	}
	return &seen
}

func (e *encoder) incidents(c engine.Changes) {
	for _, k := range c.Incidents {
		v, err := state.Encode("incident "+k.Issue.ID, k)
		e.put(v, err, `INSERT INTO incidents (tenant, id, resolved, value) VALUES ($1, $2, $3, $4)
			ON CONFLICT (tenant, id) DO UPDATE SET resolved = excluded.resolved, value = excluded.value`, []byte(k.Tenant), []byte(k.Issue.ID), e.s.resolved(k))
	}
	for _, s := range c.Subscriptions {
		v, err := state.Encode("subscription "+s.ID, s)
		e.put(v, err, `INSERT INTO subscriptions (tenant, id, value) VALUES ($1, $2, $3)
			ON CONFLICT (tenant, id) DO UPDATE SET value = excluded.value`, []byte(s.Tenant), []byte(s.ID))
	}
	for _, s := range c.Unsubscribed {
		e.out.Queue("DELETE FROM subscriptions WHERE tenant = $1 AND id = $2", []byte(s.Tenant), []byte(s.ID))
	}
	for _, w := range c.Watches {
		v, err := state.Encode("the watch of "+string(w.Tenant), w)
		e.put(v, err, `INSERT INTO watches (tenant, value) VALUES ($1, $2)
			ON CONFLICT (tenant) DO UPDATE SET value = excluded.value`, []byte(w.Tenant))
	}
}

// place is the arguments that name a place in the bindings.
func place(p bot.Place) []any {
	return []any{[]byte(p.Platform), []byte(p.Team), []byte(p.Channel), []byte(p.User)}
}

func (e *encoder) places(c engine.Changes) {
	for _, b := range c.Bindings {
		if b.Tenant == "" {
			e.out.Queue("DELETE FROM bindings WHERE platform = $1 AND team = $2 AND channel = $3 AND person = $4", place(b.Place)...)
		} else {
			e.put([]byte(b.Tenant), nil, `INSERT INTO bindings (platform, team, channel, person, tenant) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (platform, team, channel, person) DO UPDATE SET tenant = excluded.tenant`, place(b.Place)...)
		}
	}
	for _, s := range c.Sent {
		v, err := state.Encode("ledger entry "+s.Key, s)
		e.put(v, err, `INSERT INTO sent (key, value) VALUES ($1, $2)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, []byte(s.Key))
	}
	for _, key := range c.Unsent {
		e.out.Queue("DELETE FROM sent WHERE key = $1", []byte(key))
	}
}

func (e *encoder) secrets(c engine.Changes) {
	for _, s := range c.Secrets {
		v, err := state.EncodeSecret(e.s.sealer, s)
		e.put(v, err, `INSERT INTO secrets (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, []byte(s.Name))
	}
	for _, name := range c.Forget {
		e.out.Queue("DELETE FROM secrets WHERE name = $1", []byte(name))
	}
}

func (e *encoder) records(records []engine.Record) {
	for _, r := range records {
		if r.Value == nil {
			e.out.Queue("DELETE FROM records WHERE kind = $1 AND tenant = $2 AND key = $3", []byte(r.Kind), []byte(r.Tenant), []byte(r.Key))
			continue
		}
		v, err := state.EncodeRecord(r)
		e.put(v, err, `INSERT INTO records (kind, tenant, key, until, value) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (kind, tenant, key) DO UPDATE SET until = excluded.until, value = excluded.value`,
			[]byte(r.Kind), []byte(r.Tenant), []byte(r.Key), optional(r.Until))
	}
}

func (e *encoder) audit(entries []bot.AuditEntry) {
	heads := e.known.heads
	for _, entry := range entries {
		entry, err := e.s.auditor.Chain(heads[entry.Tenant], entry)
		if err != nil {
			e.fail(err)
			return
		}
		heads[entry.Tenant] = state.HeadOf(entry)
		v, err := state.EncodeAudit(entry)
		e.put(v, err, "INSERT INTO audit (tenant, seq, value) VALUES ($1, $2, $3)", []byte(entry.Tenant), int64(entry.Seq))
	}
	for tenant, head := range heads {
		v, err := state.Encode("the audit head of "+string(tenant), head)
		e.put(v, err, `INSERT INTO audit_heads (tenant, value) VALUES ($1, $2)
			ON CONFLICT (tenant) DO UPDATE SET value = excluded.value`, []byte(tenant))
	}
}

func decodeHead(tenant bot.TenantID, value []byte) (state.Head, error) {
	return state.Decode[state.Head]("the audit head of "+string(tenant), value)
}
