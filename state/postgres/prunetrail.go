package postgres

import (
	"context"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
	"keyturn/state"
)

// pruneTrails removes up to most outdated entries of each trail and leaves a
// checkpoint in the place of the last of them. The newest entry always stays.
func (s *Store) pruneTrails(ctx context.Context, tx pgx.Tx, now time.Time) error {
	if s.keep.Audit <= 0 {
		return nil
	}
	rows, err := tx.Query(ctx, "SELECT tenant, value FROM audit_heads")
	if err != nil {
		return err
	}
	heads, err := pgx.CollectRows(rows, pgx.RowToStructByPos[pair])
	if err != nil {
		return err
	}
	for _, h := range heads {
		head, err := decodeHead(bot.TenantID(h.Name), h.Value)
		if err != nil {
			return err
		}
		if err := s.pruneTrail(ctx, tx, head, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) pruneTrail(ctx context.Context, tx pgx.Tx, head state.Head, now time.Time) error {
	rows, err := tx.Query(ctx, "SELECT value FROM audit WHERE tenant = $1 AND seq < $2 ORDER BY seq LIMIT $3", []byte(head.Tenant), int64(head.Count), most+1)
	if err != nil {
		return err
	}
	oldest, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return err
	}
	mark, _, ok, err := s.auditor.Outdated(trail(oldest), s.keep.Audit, now, most)
	if err != nil || !ok {
		return err
	}
	v, err := state.EncodeAudit(mark)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE audit SET value = $3 WHERE tenant = $1 AND seq = $2", []byte(head.Tenant), int64(mark.Seq), v); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "DELETE FROM audit WHERE tenant = $1 AND seq < $2", []byte(head.Tenant), int64(mark.Seq))
	return err
}

func trail(values [][]byte) iter.Seq2[bot.AuditEntry, error] {
	return func(yield func(bot.AuditEntry, error) bool) {
		for _, v := range values {
			e, err := state.DecodeAudit(v)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}
