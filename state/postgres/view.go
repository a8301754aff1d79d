package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
)

// view reads an open transaction. Everything it gives is decoded anew, so it
// is the reader's own.
type view struct {
	s    *Store
	ctx  context.Context // of the decision or reading
	tx   pgx.Tx          // nil when it is over
	lost error           // why the server did not answer
}

var _ engine.View = (*view)(nil)

func (v *view) end() { v.tx = nil }

// answered notes an error of the server.
func (v *view) answered(err error) error {
	if err != nil {
		v.lost = err
	}
	return err
}

// asking is the context of one question.
func (v *view) asking() (context.Context, context.CancelFunc) {
	return context.WithTimeout(v.ctx, patience)
}

// get reads one value; nil is not there.
func (v *view) get(sql string, args ...any) ([]byte, error) {
	if v.tx == nil {
		return nil, state.ErrOver
	}
	ctx, cancel := v.asking()
	defer cancel()
	var value []byte
	err := v.tx.QueryRow(ctx, sql, args...).Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return value, v.answered(err)
}

// pair is a record with the part of its name that tells it from others.
type pair struct{ Name, Value []byte }

// answers gives the rows of one question.
func answers[T any](v *view, row pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	if v.tx == nil {
		return nil, state.ErrOver
	}
	ctx, cancel := v.asking()
	defer cancel()
	rows, err := v.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, v.answered(err)
	}
	list, err := pgx.CollectRows(rows, row)
	return list, v.answered(err)
}

func (v *view) pairs(sql string, args ...any) ([]pair, error) {
	return answers(v, pgx.RowToStructByPos[pair], sql, args...)
}

// one reads a record that may be missing.
func one[T any](v *view, what, sql string, args ...any) (T, bool, error) {
	var none T
	b, err := v.get(sql, args...)
	if b == nil || err != nil {
		return none, false, err
	}
	rec, err := state.Decode[T](what, b)
	return rec, err == nil, err
}

// all reads records, named by what they are.
func all[T any](v *view, what, sql string, args ...any) ([]T, error) {
	list, err := v.pairs(sql, args...)
	if err != nil {
		return nil, err
	}
	var out []T
	for _, p := range list {
		rec, err := state.Decode[T](fmt.Sprintf("%s %q", what, p.Name), p.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}

// Reply implements [engine.View].
func (v *view) Reply(key string) (bot.Reply, bool, error) {
	b, err := v.get("SELECT value FROM deliveries WHERE key = $1", []byte(key))
	if b == nil || err != nil {
		return bot.Reply{}, false, err
	}
	d, err := state.DecodeDelivery(key, b)
	if err != nil || v.s.now().Sub(d.At) >= state.KeepDeliveries {
		return bot.Reply{}, false, err
	}
	return d.Reply, true, nil
}

// Run implements [engine.View].
func (v *view) Run(id string) (setup.Run, error) {
	r, ok, err := one[setup.Run](v, "run "+id, "SELECT value FROM runs WHERE id = $1", []byte(id))
	if err == nil && !ok {
		err = fmt.Errorf("run %s: %w", id, bot.ErrNotFound)
	}
	return r, err
}

// Runs implements [engine.View].
func (v *view) Runs(tenant bot.TenantID) ([]setup.Run, error) {
	list, err := all[setup.Run](v, "run", "SELECT id, value FROM runs WHERE tenant = $1 AND value IS NOT NULL ORDER BY id", []byte(tenant))
	slices.SortStableFunc(list, func(a, b setup.Run) int { return a.Started.Compare(b.Started) })
	return list, err
}

// Objects implements [engine.View]; oldest first.
func (v *view) Objects(tenant bot.TenantID) ([]bot.Object, error) {
	list, err := all[bot.Object](v, "object", "SELECT key, value FROM objects WHERE tenant = $1 ORDER BY key", []byte(tenant))
	slices.SortStableFunc(list, func(a, b bot.Object) int { return a.At.Compare(b.At) })
	return list, err
}

// Kept implements [engine.View].
func (v *view) Kept(tenant bot.TenantID) (runs, incidents []string, err error) {
	if runs, err = v.ids("SELECT id FROM runs WHERE tenant = $1 AND value IS NOT NULL ORDER BY id", []byte(tenant)); err != nil {
		return nil, nil, err
	}
	incidents, err = v.ids("SELECT id FROM incidents WHERE tenant = $1 ORDER BY id", []byte(tenant))
	return runs, incidents, err
}

func (v *view) ids(sql string, args ...any) ([]string, error) {
	return answers(v, func(row pgx.CollectableRow) (string, error) {
		var id []byte
		err := row.Scan(&id)
		return string(id), err
	}, sql, args...)
}

// Incident implements [engine.View].
func (v *view) Incident(tenant bot.TenantID, id string) (incident.Known, error) {
	k, ok, err := one[incident.Known](v, "incident "+id, "SELECT value FROM incidents WHERE tenant = $1 AND id = $2", []byte(tenant), []byte(id))
	if err == nil && !ok {
		err = fmt.Errorf("incident %s: %w", id, bot.ErrNotFound)
	}
	return k, err
}

// Incidents implements [engine.View].
func (v *view) Incidents(tenant bot.TenantID, resolved bool) ([]incident.Known, error) {
	sql := "SELECT id, value FROM incidents WHERE tenant = $1 AND resolved IS NULL"
	if resolved {
		sql = "SELECT id, value FROM incidents WHERE tenant = $1"
	}
	list, err := all[incident.Known](v, "incident", sql, []byte(tenant))
	slices.SortStableFunc(list, func(a, b incident.Known) int {
		return cmp.Or(b.Issue.Modified.Compare(a.Issue.Modified), cmp.Compare(a.Issue.ID, b.Issue.ID))
	})
	return list, err
}

// Subscriptions implements [engine.View]; oldest first.
func (v *view) Subscriptions(tenant bot.TenantID) ([]incident.Subscription, error) {
	list, err := all[incident.Subscription](v, "subscription", "SELECT id, value FROM subscriptions WHERE tenant = $1 ORDER BY id", []byte(tenant))
	slices.SortStableFunc(list, func(a, b incident.Subscription) int { return a.Made.Compare(b.Made) })
	return list, err
}

// Subscribed implements [engine.View].
func (v *view) Subscribed(tenant bot.TenantID, id string) (incident.Subscription, bool, error) {
	return one[incident.Subscription](v, "subscription "+id, "SELECT value FROM subscriptions WHERE tenant = $1 AND id = $2", []byte(tenant), []byte(id))
}

// Watch implements [engine.View].
func (v *view) Watch(tenant bot.TenantID) (incident.Watch, error) {
	w, _, err := one[incident.Watch](v, "the watch of "+string(tenant), "SELECT value FROM watches WHERE tenant = $1", []byte(tenant))
	return w, err
}

// Bound implements [engine.View]. A thread speaks for its channel's tenant.
func (v *view) Bound(p bot.Place) (bot.TenantID, bool, error) {
	b, err := v.get("SELECT tenant FROM bindings WHERE platform = $1 AND team = $2 AND channel = $3 AND person = $4", place(p)...)
	return bot.TenantID(b), b != nil, err
}

// Sent implements [engine.View].
func (v *view) Sent(key string) (bot.Sent, bool, error) {
	return one[bot.Sent](v, "ledger entry "+key, "SELECT value FROM sent WHERE key = $1", []byte(key))
}

// SentUnder implements [engine.View]; in the order of the keys.
func (v *view) SentUnder(prefix string) ([]bot.Sent, error) {
	return all[bot.Sent](v, "ledger entry", "SELECT key, value FROM sent WHERE key >= $1 AND ($2::bytea IS NULL OR key < $2) ORDER BY key",
		[]byte(prefix), behind(prefix))
}

// EachSent implements [engine.View]; in the order of the keys.
func (v *view) EachSent(prefix string, f func(bot.Sent) error) error {
	if v.tx == nil {
		return state.ErrOver
	}
	ctx, cancel := v.asking()
	defer cancel()
	rows, err := v.tx.Query(ctx, "SELECT key, value FROM sent WHERE key >= $1 AND ($2::bytea IS NULL OR key < $2) ORDER BY key", []byte(prefix), behind(prefix))
	if err != nil {
		return v.answered(err)
	}
	var key, value []byte
	var own error // nothing that the server said
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		s, err := state.Decode[bot.Sent]("ledger entry "+string(key), value)
		if err == nil {
			err = f(s)
		}
		own = err
		return err
	})
	if own != nil {
		return own
	}
	return v.answered(err)
}

// SentAs implements [engine.View]; in the order of the keys.
func (v *view) SentAs(id string) ([]bot.Sent, error) {
	mark, err := json.Marshal(id) // as an entry has it
	if err != nil {
		return nil, err
	}
	list, err := all[bot.Sent](v, "ledger entry", "SELECT key, value FROM sent WHERE position($1::bytea in value) > 0 ORDER BY key", mark)
	return slices.DeleteFunc(list, func(s bot.Sent) bool { return s.Ref.ID != id }), err
}

// behind is the first name behind all that begin with prefix, nil where there
// is none.
func behind(prefix string) []byte {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return b[:i+1]
		}
	}
	return nil
}

// Secret implements [engine.View].
func (v *view) Secret(name string) (bot.Secret, error) {
	b, err := v.get("SELECT value FROM secrets WHERE name = $1", []byte(name))
	if err != nil {
		return bot.Secret{}, err
	}
	if b == nil {
		return bot.Secret{}, fmt.Errorf("secret %s: %w", name, bot.ErrNotFound)
	}
	return state.DecodeSecret(v.s.sealer, name, b)
}

// Record implements [engine.View].
func (v *view) Record(kind string, tenant bot.TenantID, key string) (engine.Record, bool, error) {
	b, err := v.get("SELECT value FROM records WHERE kind = $1 AND tenant = $2 AND key = $3", []byte(kind), []byte(tenant), []byte(key))
	if b == nil || err != nil {
		return engine.Record{}, false, err
	}
	r, err := state.DecodeRecord(kind, tenant, key, b)
	return r, err == nil && !state.Over(r, v.s.now()), err
}

// Records implements [engine.View].
func (v *view) Records(kind string, tenant bot.TenantID) ([]engine.Record, error) {
	found, err := v.pairs("SELECT key, value FROM records WHERE kind = $1 AND tenant = $2 ORDER BY key", []byte(kind), []byte(tenant))
	if err != nil {
		return nil, err
	}
	now := v.s.now()
	var list []engine.Record
	for _, p := range found {
		r, err := state.DecodeRecord(kind, tenant, string(p.Name), p.Value)
		if err != nil {
			return nil, err
		}
		if !state.Over(r, now) {
			list = append(list, r)
		}
	}
	return list, nil
}

// Jobs implements [engine.View]; in the order of the IDs.
func (v *view) Jobs(lane string) ([]bot.Job, error) {
	if v.tx == nil {
		return nil, state.ErrOver
	}
	sql, args := "SELECT id, value FROM jobs ORDER BY id", []any{}
	if lane != "" {
		sql, args = "SELECT id, value FROM jobs WHERE lane = $1 ORDER BY id", []any{[]byte(lane)}
	}
	ctx, cancel := v.asking()
	defer cancel()
	rows, err := v.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, v.answered(err)
	}
	defer rows.Close()
	var list []bot.Job
	for rows.Next() {
		var id int64
		var value []byte
		if err := rows.Scan(&id, &value); err != nil {
			return nil, err
		}
		j, err := state.DecodeJob(v.s.sealer, bot.JobID(id), value)
		if err != nil {
			return nil, err
		}
		list = append(list, j)
	}
	return list, v.answered(rows.Err())
}

// Audit implements [engine.View].
func (v *view) Audit(tenant bot.TenantID, n int) ([]bot.AuditEntry, error) {
	if n <= 0 && v.tx != nil {
		return nil, nil
	}
	found, err := v.pairs("SELECT tenant, value FROM audit WHERE tenant = $1 ORDER BY seq DESC LIMIT $2", []byte(tenant), n)
	if err != nil {
		return nil, err
	}
	slices.Reverse(found)
	var list []bot.AuditEntry
	for _, p := range found {
		e, err := state.DecodeAudit(p.Value)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}
