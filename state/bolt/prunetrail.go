package bolt

import (
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"

	"keyturn/bot"
	"keyturn/state"
)

// pruneTrails removes up to n outdated entries of each trail and leaves a
// checkpoint in the place of the last of them. The newest entry always stays.
func (s *Store) pruneTrails(tx *bolt.Tx, now time.Time, n int) error {
	if s.keep.Audit <= 0 {
		return nil
	}
	heads := map[bot.TenantID]uint64{}
	err := tx.Bucket(bHeads).ForEach(func(k, _ []byte) error {
		head, err := readHead(tx, bot.TenantID(k))
		heads[head.Tenant] = head.Count
		return err
	})
	for tenant, newest := range heads {
		if err == nil {
			err = s.pruneTrail(tx, tenant, newest, now, n)
		}
	}
	return err
}

func (s *Store) pruneTrail(tx *bolt.Tx, tenant bot.TenantID, newest uint64, now time.Time, n int) error {
	mark, gone, ok, err := s.auditor.Outdated(trail(tx, tenant, newest), s.keep.Audit, now, n)
	if err != nil || !ok {
		return err
	}
	v, err := state.EncodeAudit(mark)
	if err != nil {
		return err
	}
	if err := tx.Bucket(bAudit).Put(numbered(string(tenant), mark.Seq), v); err != nil {
		return err
	}
	for _, seq := range gone {
		if err := tx.Bucket(bAudit).Delete(numbered(string(tenant), seq)); err != nil {
			return err
		}
	}
	return nil
}

// trail reads a tenant's trail from its beginning, without its newest entry.
func trail(tx *bolt.Tx, tenant bot.TenantID, newest uint64) iter.Seq2[bot.AuditEntry, error] {
	return func(yield func(bot.AuditEntry, error) bool) {
		c := tx.Bucket(bAudit).Cursor()
		for k, v := c.Seek(numbered(string(tenant), 0)); k != nil; k, v = c.Next() {
			name, seq, err := splitNumbered(k)
			if err == nil && (name != string(tenant) || seq >= newest) {
				return
			}
			var e bot.AuditEntry
			if err == nil {
				e, err = state.DecodeAudit(v)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}
