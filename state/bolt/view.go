package bolt

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
)

// view reads an open transaction. Everything it gives is decoded anew, so it
// is the reader's own.
type view struct {
	s  *Store
	tx *bolt.Tx // nil when it is over
}

var _ engine.View = (*view)(nil)

func (s *Store) view(tx *bolt.Tx) *view { return &view{s: s, tx: tx} }

func (v *view) end() { v.tx = nil }

// bucket gives a bucket, or an error where the view is over.
func (v *view) bucket(name []byte) (*bolt.Bucket, error) {
	if v.tx == nil {
		return nil, state.ErrOver
	}
	return v.tx.Bucket(name), nil
}

// get reads one value; nil is not there.
func (v *view) get(bucket, key []byte) ([]byte, error) {
	b, err := v.bucket(bucket)
	if err != nil {
		return nil, err
	}
	return b.Get(key), nil
}

// one reads a record that may be missing.
func one[T any](v *view, bucket, key []byte, what string) (T, bool, error) {
	var none T
	b, err := v.get(bucket, key)
	if b == nil || err != nil {
		return none, false, err
	}
	rec, err := state.Decode[T](what, b)
	return rec, err == nil, err
}

// all reads the records whose keys begin with prefix.
func all[T any](v *view, bucket, prefix []byte) ([]T, error) {
	b, err := v.bucket(bucket)
	if err != nil {
		return nil, err
	}
	var list []T
	err = each(b, prefix, func(k, data []byte) error {
		rec, err := state.Decode[T](fmt.Sprintf("the record %q of %s", k, bucket), data)
		list = append(list, rec)
		return err
	})
	return list, err
}

// Reply implements [engine.View].
func (v *view) Reply(key string) (bot.Reply, bool, error) {
	b, err := v.get(bDeliveries, []byte(key))
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
	owner, err := v.get(bRunOwner, []byte(id))
	if err != nil {
		return setup.Run{}, err
	}
	r, ok, err := one[setup.Run](v, bRuns, tenantKey(bot.TenantID(owner), id), "run "+id)
	if err == nil && !ok {
		err = fmt.Errorf("run %s: %w", id, bot.ErrNotFound)
	}
	return r, err
}

// Runs implements [engine.View].
func (v *view) Runs(tenant bot.TenantID) ([]setup.Run, error) {
	list, err := all[setup.Run](v, bRuns, tenantKey(tenant, ""))
	slices.SortStableFunc(list, func(a, b setup.Run) int { return a.Started.Compare(b.Started) })
	return list, err
}

// Objects implements [engine.View]; oldest first.
func (v *view) Objects(tenant bot.TenantID) ([]bot.Object, error) {
	list, err := all[bot.Object](v, bObjects, tenantKey(tenant, ""))
	slices.SortStableFunc(list, func(a, b bot.Object) int { return a.At.Compare(b.At) })
	return list, err
}

// Kept implements [engine.View].
func (v *view) Kept(tenant bot.TenantID) (runs, incidents []string, err error) {
	prefix := tenantKey(tenant, "")
	for _, x := range []struct {
		bucket []byte
		ids    *[]string
	}{{bRuns, &runs}, {bActive, &incidents}, {bResolved, &incidents}} {
		b, err := v.bucket(x.bucket)
		if err != nil {
			return nil, nil, err
		}
		if err := each(b, prefix, func(k, _ []byte) error {
			*x.ids = append(*x.ids, string(k[len(prefix):]))
			return nil
		}); err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(incidents)
	return runs, incidents, nil
}

// Incident implements [engine.View].
func (v *view) Incident(tenant bot.TenantID, id string) (incident.Known, error) {
	for _, bucket := range [][]byte{bActive, bResolved} {
		k, ok, err := one[incident.Known](v, bucket, tenantKey(tenant, id), "incident "+id)
		if ok || err != nil {
			return k, err
		}
	}
	return incident.Known{}, fmt.Errorf("incident %s: %w", id, bot.ErrNotFound)
}

// Incidents implements [engine.View].
func (v *view) Incidents(tenant bot.TenantID, resolved bool) ([]incident.Known, error) {
	list, err := all[incident.Known](v, bActive, tenantKey(tenant, ""))
	if err == nil && resolved {
		var more []incident.Known
		more, err = all[incident.Known](v, bResolved, tenantKey(tenant, ""))
		list = append(list, more...)
	}
	slices.SortStableFunc(list, func(a, b incident.Known) int {
		return cmp.Or(b.Issue.Modified.Compare(a.Issue.Modified), cmp.Compare(a.Issue.ID, b.Issue.ID))
	})
	return list, err
}

// Subscriptions implements [engine.View]; oldest first.
func (v *view) Subscriptions(tenant bot.TenantID) ([]incident.Subscription, error) {
	list, err := all[incident.Subscription](v, bSubscriptions, tenantKey(tenant, ""))
	slices.SortStableFunc(list, func(a, b incident.Subscription) int { return a.Made.Compare(b.Made) })
	return list, err
}

// Subscribed implements [engine.View].
func (v *view) Subscribed(tenant bot.TenantID, id string) (incident.Subscription, bool, error) {
	return one[incident.Subscription](v, bSubscriptions, tenantKey(tenant, id), "subscription "+id)
}

// Watch implements [engine.View].
func (v *view) Watch(tenant bot.TenantID) (incident.Watch, error) {
	w, _, err := one[incident.Watch](v, bWatches, []byte(tenant), "the watch of "+string(tenant))
	return w, err
}

// Bound implements [engine.View]. A thread speaks for its channel's tenant.
func (v *view) Bound(place bot.Place) (bot.TenantID, bool, error) {
	b, err := v.get(bBindings, placeKey(place))
	return bot.TenantID(b), b != nil, err
}

// Sent implements [engine.View].
func (v *view) Sent(key string) (bot.Sent, bool, error) {
	return one[bot.Sent](v, bSent, []byte(key), "ledger entry "+key)
}

// SentUnder implements [engine.View]; in the order of the keys.
func (v *view) SentUnder(prefix string) ([]bot.Sent, error) {
	return all[bot.Sent](v, bSent, []byte(prefix))
}

// EachSent implements [engine.View]; in the order of the keys.
func (v *view) EachSent(prefix string, f func(bot.Sent) error) error {
	b, err := v.bucket(bSent)
	if err != nil {
		return err
	}
	return each(b, []byte(prefix), func(k, data []byte) error {
		s, err := state.Decode[bot.Sent]("ledger entry "+string(k), data)
		if err != nil {
			return err
		}
		return f(s)
	})
}

// SentAs implements [engine.View]; in the order of the keys.
func (v *view) SentAs(id string) ([]bot.Sent, error) {
	b, err := v.bucket(bSent)
	if err != nil {
		return nil, err
	}
	mark, err := json.Marshal(id) // as an entry has it
	if err != nil {
		return nil, err
	}
	var list []bot.Sent
	err = each(b, nil, func(k, data []byte) error {
		if !bytes.Contains(data, mark) {
			return nil
		}
		s, err := state.Decode[bot.Sent]("ledger entry "+string(k), data)
		if err == nil && s.Ref.ID == id {
			list = append(list, s)
		}
		return err
	})
	return list, err
}

// Secret implements [engine.View].
func (v *view) Secret(name string) (bot.Secret, error) {
	b, err := v.get(bSecrets, []byte(name))
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
	b, err := v.get(bRecords, recordKey(kind, tenant, key))
	if b == nil || err != nil {
		return engine.Record{}, false, err
	}
	r, err := state.DecodeRecord(kind, tenant, key, b)
	return r, err == nil && !state.Over(r, v.s.now()), err
}

// Records implements [engine.View].
func (v *view) Records(kind string, tenant bot.TenantID) ([]engine.Record, error) {
	b, err := v.bucket(bRecords)
	if err != nil {
		return nil, err
	}
	prefix, now := recordKey(kind, tenant, ""), v.s.now()
	var list []engine.Record
	err = each(b, prefix, func(k, data []byte) error {
		r, err := state.DecodeRecord(kind, tenant, string(k[len(prefix):]), data)
		if err == nil && !state.Over(r, now) {
			list = append(list, r)
		}
		return err
	})
	return list, err
}

// Jobs implements [engine.View]; in the order of the IDs.
func (v *view) Jobs(lane string) ([]bot.Job, error) {
	jobs, err := v.bucket(bJobs)
	if err != nil {
		return nil, err
	}
	var list []bot.Job
	read := func(id bot.JobID, data []byte) error {
		j, err := state.DecodeJob(v.s.sealer, id, data)
		list = append(list, j)
		return err
	}
	if lane == "" {
		err = each(jobs, nil, func(k, data []byte) error { return read(jobID(k), data) })
		return list, err
	}
	err = each(v.tx.Bucket(bLanes), append([]byte(lane), 0), func(k, _ []byte) error {
		_, id, err := splitNumbered(k)
		if err != nil {
			return err
		}
		data := jobs.Get(jobKey(bot.JobID(id)))
		if data == nil {
			return fmt.Errorf("the lane index names job %d, which is not there: run the check of the data file", id)
		}
		return read(bot.JobID(id), data)
	})
	return list, err
}

// Audit implements [engine.View].
func (v *view) Audit(tenant bot.TenantID, n int) ([]bot.AuditEntry, error) {
	b, err := v.bucket(bAudit)
	if err != nil || n <= 0 {
		return nil, err
	}
	head, err := readHead(v.tx, tenant)
	if err != nil || head.Count == 0 {
		return nil, err
	}
	first := uint64(1)
	if uint64(n) < head.Count {
		first = head.Count - uint64(n) + 1
	}
	var list []bot.AuditEntry
	c := b.Cursor()
	prefix := append([]byte(tenant), 0)
	for k, data := c.Seek(numbered(string(tenant), first)); k != nil && len(k) == len(prefix)+8 && string(k[:len(prefix)]) == string(prefix); k, data = c.Next() {
		e, err := state.DecodeAudit(data)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}
