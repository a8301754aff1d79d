package bolt

import (
	"time"

	bolt "go.etcd.io/bbolt"

	"keyturn/bot"
	"keyturn/state"
)

// trailSlack is how much longer than asked the oldest entry of a trail may stay,
// so that a checkpoint is signed once a day and not with every commit.
const trailSlack = 24 * time.Hour

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
	limit := now.Add(-s.keep.Audit)
	var outdated []bot.AuditEntry
	old := false // whether there is anything but a checkpoint that had its time, and a day
	c := tx.Bucket(bAudit).Cursor()
	for k, v := c.Seek(numbered(string(tenant), 0)); k != nil && len(outdated) <= n; k, v = c.Next() {
		name, seq, err := splitNumbered(k)
		if err != nil {
			return err
		}
		if name != string(tenant) || seq >= newest {
			break
		}
		e, err := state.DecodeAudit(v)
		if err != nil {
			return err
		}
		if e.Act != bot.AuditCheckpoint {
			if !e.At.Before(limit) {
				break
			}
			old = old || e.At.Before(limit.Add(-trailSlack))
		}
		outdated = append(outdated, e)
	}
	if !old {
		return nil
	}
	last := outdated[len(outdated)-1]
	mark, err := s.auditor.Checkpoint(last, now)
	if err != nil {
		return err
	}
	v, err := state.EncodeAudit(mark)
	if err != nil {
		return err
	}
	if err := tx.Bucket(bAudit).Put(numbered(string(tenant), mark.Seq), v); err != nil {
		return err
	}
	for _, e := range outdated[:len(outdated)-1] {
		if err := tx.Bucket(bAudit).Delete(numbered(string(tenant), e.Seq)); err != nil {
			return err
		}
	}
	return nil
}
