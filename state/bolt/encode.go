package bolt

import (
	"encoding/binary"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/state"
)

// batch is a write set in the form of the file: nothing in it can be refused
// any more. The value nil deletes.
type batch struct {
	writes   []write
	sequence uint64   // of the last job, if jobs are added
	changes  []change // to the lanes, once it is on disk
}

type write struct{ bucket, key, value []byte }

func (b *batch) empty() bool { return len(b.writes) == 0 }

func (b *batch) put(bucket, key, value []byte) {
	b.writes = append(b.writes, write{bucket, key, value})
}

func (b *batch) delete(bucket, key []byte) { b.put(bucket, key, nil) }

// encoder turns the changes of one member into a batch. It reads the open
// transaction and writes nothing.
type encoder struct {
	s    *Store
	tx   *bolt.Tx
	out  batch
	held *[]bot.JobID
	err  error // the first
}

func (s *Store) encode(tx *bolt.Tx, c engine.Changes, held *[]bot.JobID) (*batch, error) {
	if err := state.Validate(c); err != nil {
		return nil, err
	}
	if c.Under != (bot.Claim{}) && !s.lanes.mine(c.Under) {
		return nil, bot.ErrTakenOver
	}
	e := &encoder{s: s, tx: tx, held: held}
	e.delivery(c.Delivery)
	e.runs(c.Runs)
	e.objects(c)
	e.incidents(c)
	e.places(c)
	e.secrets(c)
	e.records(c.Records)
	e.audit(c.Audit)
	e.jobs(c)
	return &e.out, e.err
}

// record adds an encoded record, or keeps the first error.
func (e *encoder) record(bucket, key, value []byte, err error) {
	if err != nil {
		e.fail(err)
		return
	}
	if len(value) > bolt.MaxValueSize {
		e.fail(fmt.Errorf("%w: a record of %s is %d bytes long", state.ErrInvalid, bucket, len(value)))
		return
	}
	e.out.put(bucket, key, value)
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *encoder) delivery(d *engine.Delivery) {
	if d == nil {
		return
	}
	kept := *d
	if kept.At.IsZero() {
		kept.At = e.s.now()
	}
	if old := e.tx.Bucket(bDeliveries).Get([]byte(d.Key)); old != nil {
		was, err := state.DecodeDelivery(d.Key, old)
		if err != nil {
			e.fail(err)
			return
		}
		e.out.delete(bDeliveriesAt, timed(was.At, []byte(d.Key)))
	}
	v, err := state.EncodeDelivery(kept)
	e.record(bDeliveries, []byte(d.Key), v, err)
	e.out.put(bDeliveriesAt, timed(kept.At, []byte(d.Key)), here)
}

func (e *encoder) runs(runs []setup.Run) {
	for _, r := range runs {
		if owner := e.tx.Bucket(bRunOwner).Get([]byte(r.ID)); owner != nil && string(owner) != string(r.Tenant) {
			e.fail(fmt.Errorf("%w: run %s belongs to tenant %q and cannot move to %q", state.ErrInvalid, r.ID, owner, r.Tenant))
			return
		}
		v, err := state.Encode("run "+r.ID, r)
		e.record(bRuns, tenantKey(r.Tenant, r.ID), v, err)
		e.out.put(bRunOwner, []byte(r.ID), []byte(r.Tenant))
		if r.State != setup.RunOpen && !r.Ended.IsZero() {
			e.out.put(bRunsEnded, timed(r.Ended, []byte(r.ID)), here)
		}
	}
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
		e.record(bObjects, tenantKey(tenant, o.Key), v, err)
	}
	gone := make(map[string]bool)
	for _, o := range c.Unlisted {
		if tenant, ok := e.runTenant(c, o.Run); ok {
			gone[o.Key] = true
			e.out.delete(bObjects, tenantKey(tenant, o.Key))
		}
	}
	for _, o := range c.Unlisted {
		tenant, ok := e.runTenant(c, o.Run)
		if !ok || e.tx.Bucket(bRuns).Get(tenantKey(tenant, o.Run)) != nil {
			continue
		}
		owned, err := owns(e.tx, tenant, o.Run, gone)
		if err != nil {
			e.fail(err)
		} else if !owned {
			e.out.delete(bRunOwner, []byte(o.Run))
		}
	}
}

// owns reports whether a run has objects besides those that are gone.
func owns(tx *bolt.Tx, tenant bot.TenantID, run string, gone map[string]bool) (bool, error) {
	found := false
	err := each(tx.Bucket(bObjects), tenantKey(tenant, ""), func(_, v []byte) error {
		o, err := state.Decode[bot.Object]("an object", v)
		found = found || o.Run == run && !gone[o.Key]
		return err
	})
	return found, err
}

func (e *encoder) runTenant(c engine.Changes, run string) (bot.TenantID, bool) {
	for _, r := range c.Runs {
		if r.ID == run {
			return r.Tenant, true
		}
	}
	owner := e.tx.Bucket(bRunOwner).Get([]byte(run))
	return bot.TenantID(owner), owner != nil
}

// incidents are in one bucket while they are active and in another when they
// are resolved, so that listing the active ones reads nothing else.
func (e *encoder) incidents(c engine.Changes) {
	for _, k := range c.Incidents {
		key := tenantKey(k.Tenant, k.Issue.ID)
		in, out := bActive, bResolved
		if k.Issue.Resolved {
			in, out = out, in
			seen := k.Seen
			if seen.IsZero() {
				seen = e.s.now()
			}
			e.out.put(bResolvedAt, timed(seen, key), here)
		}
		v, err := state.Encode("incident "+k.Issue.ID, k)
		e.record(in, key, v, err)
		e.out.delete(out, key)
	}
	for _, s := range c.Subscriptions {
		v, err := state.Encode("subscription "+s.ID, s)
		e.record(bSubscriptions, tenantKey(s.Tenant, s.ID), v, err)
	}
	for _, s := range c.Unsubscribed {
		e.out.delete(bSubscriptions, tenantKey(s.Tenant, s.ID))
	}
	for _, w := range c.Watches {
		v, err := state.Encode("the watch of "+string(w.Tenant), w)
		e.record(bWatches, []byte(w.Tenant), v, err)
	}
}

func (e *encoder) places(c engine.Changes) {
	for _, b := range c.Bindings {
		if b.Tenant == "" {
			e.out.delete(bBindings, placeKey(b.Place))
		} else {
			e.out.put(bBindings, placeKey(b.Place), []byte(b.Tenant))
		}
	}
	for _, s := range c.Sent {
		v, err := state.Encode("ledger entry "+s.Key, s)
		e.record(bSent, []byte(s.Key), v, err)
	}
	for _, key := range c.Unsent {
		e.out.delete(bSent, []byte(key))
	}
}

func (e *encoder) secrets(c engine.Changes) {
	for _, s := range c.Secrets {
		v, err := state.EncodeSecret(e.s.sealer, s)
		e.record(bSecrets, []byte(s.Name), v, err)
	}
	for _, name := range c.Forget {
		e.out.delete(bSecrets, []byte(name))
	}
}

func (e *encoder) records(records []engine.Record) {
	for _, r := range records {
		key := recordKey(r.Kind, r.Tenant, r.Key)
		if r.Value == nil {
			e.out.delete(bRecords, key)
			continue
		}
		v, err := state.EncodeRecord(r)
		e.record(bRecords, key, v, err)
		if !r.Until.IsZero() {
			e.out.put(bRecordsUntil, timed(r.Until, key), here)
		}
	}
}

func (e *encoder) audit(entries []bot.AuditEntry) {
	heads := make(map[bot.TenantID]state.Head)
	for _, entry := range entries {
		head, ok := heads[entry.Tenant]
		if !ok {
			var err error
			if head, err = readHead(e.tx, entry.Tenant); err != nil {
				e.fail(err)
				return
			}
		}
		entry, err := e.s.auditor.Chain(head, entry)
		if err != nil {
			e.fail(err)
			return
		}
		heads[entry.Tenant] = state.HeadOf(entry)
		v, err := state.EncodeAudit(entry)
		e.record(bAudit, numbered(string(entry.Tenant), entry.Seq), v, err)
	}
	for tenant, head := range heads {
		v, err := state.Encode("the audit head of "+string(tenant), head)
		e.record(bHeads, []byte(tenant), v, err)
	}
}

func readHead(tx *bolt.Tx, tenant bot.TenantID) (state.Head, error) {
	b := tx.Bucket(bHeads).Get([]byte(tenant))
	if b == nil {
		return state.Head{Tenant: tenant}, nil
	}
	return state.Decode[state.Head]("the audit head of "+string(tenant), b)
}

// laneMark is what the lane index says of a job: all that claiming needs.
//
//	flags (1: dead) · class · seconds · nanoseconds
func laneMark(j bot.Job) []byte {
	var flags byte
	if j.Dead {
		flags |= 1
	}
	b := binary.AppendVarint([]byte{flags}, int64(j.Class))
	b = binary.AppendVarint(b, j.Due.Unix())
	return binary.AppendVarint(b, int64(j.Due.Nanosecond()))
}

// readLaneMark undoes laneMark for a key of the lane index.
func readLaneMark(key, mark []byte) (entry, error) {
	name, id, err := splitNumbered(key)
	if err != nil {
		return entry{}, err
	}
	damaged := fmt.Errorf("the lane index entry of job %d is damaged", id)
	if len(mark) == 0 {
		return entry{}, damaged
	}
	var n [3]int64
	rest := mark[1:]
	for i := range n {
		v, size := binary.Varint(rest)
		if size <= 0 {
			return entry{}, damaged
		}
		n[i], rest = v, rest[size:]
	}
	return entry{
		id: bot.JobID(id), lane: name, class: bot.Class(n[0]),
		due: time.Unix(n[1], n[2]).UTC(), dead: mark[0]&1 != 0,
	}, nil
}

func entryOf(j bot.Job) entry {
	return entry{id: j.ID, lane: j.Lane, class: j.Class, due: j.Due, dead: j.Dead}
}
