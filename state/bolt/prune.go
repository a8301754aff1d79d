package bolt

import (
	"time"

	bolt "go.etcd.io/bbolt"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
)

// prune removes up to n outdated records of each kind in the transaction of a
// commit group, so that nobody ever waits for a clean-up.
func (s *Store) prune(tx *bolt.Tx, n int) error {
	now := s.now()
	if err := s.outdated(tx, bDeliveriesAt, now.Add(-state.KeepDeliveries), n, pruneDelivery); err != nil {
		return err
	}
	if err := s.outdated(tx, bRunsEnded, now.Add(-s.keep.Runs), n, pruneRun); err != nil {
		return err
	}
	if err := s.outdated(tx, bRecordsUntil, now, n, pruneRecord); err != nil {
		return err
	}
	if err := s.pruneTrails(tx, now, n); err != nil {
		return err
	}
	return s.outdated(tx, bResolvedAt, now.Add(-s.keep.Incidents), n, pruneIncident)
}

// outdated hands up to n names of a time index that are not after the limit to
// remove, and takes them out of the index.
func (s *Store) outdated(tx *bolt.Tx, index []byte, limit time.Time, n int, remove func(*bolt.Tx, []byte, time.Time) error) error {
	var keys [][]byte
	c := tx.Bucket(index).Cursor()
	for k, _ := c.First(); k != nil && len(keys) < n; k, _ = c.Next() {
		at, _, err := splitTimed(k)
		if err != nil {
			return err
		}
		if !at.Before(limit) {
			break
		}
		keys = append(keys, append([]byte(nil), k...))
	}
	for _, k := range keys {
		at, name, err := splitTimed(k)
		if err == nil {
			err = remove(tx, name, at)
		}
		if err == nil {
			err = tx.Bucket(index).Delete(k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func pruneDelivery(tx *bolt.Tx, key []byte, _ time.Time) error {
	return tx.Bucket(bDeliveries).Delete(key)
}

// pruneRun leaves a run that goes on or ended anew after the index entry was
// made. Of a removed run it keeps the tenant as long as objects of it are listed.
func pruneRun(tx *bolt.Tx, id []byte, at time.Time) error {
	key := tenantKey(bot.TenantID(tx.Bucket(bRunOwner).Get(id)), string(id))
	b := tx.Bucket(bRuns).Get(key)
	if b == nil {
		return nil
	}
	r, err := state.Decode[setup.Run]("run "+string(id), b)
	if err != nil {
		return err
	}
	if r.State == setup.RunOpen || r.Ended.Unix() > at.Unix() {
		return nil
	}
	if err := tx.Bucket(bRuns).Delete(key); err != nil {
		return err
	}
	owned, err := owns(tx, r.Tenant, r.ID, nil)
	if err != nil || owned {
		return err
	}
	return tx.Bucket(bRunOwner).Delete(id)
}

// pruneIncident leaves an incident that changed after the index entry was made.
func pruneIncident(tx *bolt.Tx, key []byte, at time.Time) error {
	b := tx.Bucket(bResolved).Get(key)
	if b == nil {
		return nil
	}
	k, err := state.Decode[incident.Known]("a resolved incident", b)
	if err != nil {
		return err
	}
	if k.Seen.Unix() > at.Unix() {
		return nil
	}
	return tx.Bucket(bResolved).Delete(key)
}

// pruneRecord leaves a record that was put anew after the index entry was made.
func pruneRecord(tx *bolt.Tx, key []byte, at time.Time) error {
	b := tx.Bucket(bRecords).Get(key)
	if b == nil {
		return nil
	}
	r, err := state.DecodeRecord("", "", "", b)
	if err != nil {
		return err
	}
	if r.Until.IsZero() || r.Until.Unix() > at.Unix() {
		return nil
	}
	return tx.Bucket(bRecords).Delete(key)
}
