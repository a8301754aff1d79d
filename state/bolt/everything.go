package bolt

import (
	"context"
	"strings"

	bolt "go.etcd.io/bbolt"

	"keyturn/state"
)

// Everything hands out all that is in the file, as of one moment and in no
// particular order, for another store to keep. Values are valid only during the
// call.
func (s *Store) Everything(ctx context.Context, f func(state.Item) error) error {
	return s.reading(func(tx *bolt.Tx) error {
		for _, from := range []struct {
			bucket []byte
			kind   string
		}{
			{bDeliveries, state.ItemDelivery}, {bObjects, state.ItemObject}, {bActive, state.ItemIncident}, {bResolved, state.ItemIncident},
			{bSubscriptions, state.ItemSubscription}, {bWatches, state.ItemWatch}, {bBindings, state.ItemBinding}, {bSent, state.ItemSent},
			{bSecrets, state.ItemSecret}, {bRecords, state.ItemRecord}, {bHeads, state.ItemHead},
		} {
			err := tx.Bucket(from.bucket).ForEach(func(k, v []byte) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				return f(state.Item{Kind: from.kind, Names: strings.Split(string(k), "\x00"), Value: v})
			})
			if err != nil {
				return err
			}
		}
		err := tx.Bucket(bRunOwner).ForEach(func(id, tenant []byte) error {
			return f(state.Item{Kind: state.ItemRun, Names: []string{string(id), string(tenant)}, Value: tx.Bucket(bRuns).Get(join(string(tenant), string(id)))})
		})
		if err != nil {
			return err
		}
		err = tx.Bucket(bJobs).ForEach(func(k, v []byte) error {
			return f(state.Item{Kind: state.ItemJob, N: uint64(jobID(k)), Value: v})
		})
		if err != nil {
			return err
		}
		return tx.Bucket(bAudit).ForEach(func(k, v []byte) error {
			tenant, seq, err := splitNumbered(k)
			if err != nil {
				return err
			}
			return f(state.Item{Kind: state.ItemAudit, Names: []string{tenant}, N: seq, Value: v})
		})
	})
}
