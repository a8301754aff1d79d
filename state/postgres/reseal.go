package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// Stale reports whether an older key of the keyset than the newest sealed what
// is in the schema.
func (s *Store) Stale() (bool, error) {
	newest, err := s.newest()
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var mark []byte
	if err := s.pool.QueryRow(ctx, "SELECT value FROM meta WHERE name = 'mark'").Scan(&mark); err != nil {
		return false, s.told("looking for the key", err)
	}
	have, err := state.SealedWith(mark)
	return have != newest, err
}

// newest is the ID of the key that seals.
func (s *Store) newest() (uint32, error) {
	mark, err := state.NewMark(s.sealer)
	if err != nil {
		return 0, err
	}
	return state.SealedWith(mark)
}

// Reseal seals everything anew with the newest key of the keyset, after which
// the older keys open nothing here any more; backups and the signatures of
// the audit trail still need them. It gives how many values it sealed.
func (s *Store) Reseal(ctx context.Context) (n int, err error) {
	tx, err := s.begin(ctx, exclusive)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", bot.ErrNoCommit, err)
	}
	defer rollback(tx)
	var out pgx.Batch
	err = s.each(ctx, tx, "SELECT name, 0, value FROM secrets", func(name []byte, _ int64, value []byte) error {
		clear, err := state.DecodeSecret(s.sealer, string(name), value)
		if err != nil {
			return err
		}
		sealed, err := state.EncodeSecret(s.sealer, engine.Sealed{Name: string(name), Value: clear})
		out.Queue("UPDATE secrets SET value = $2 WHERE name = $1", name, sealed)
		return err
	})
	if err != nil {
		return 0, err
	}
	err = s.each(ctx, tx, "SELECT lane, id, value FROM jobs", func(_ []byte, id int64, value []byte) error {
		j, err := state.DecodeJob(s.sealer, bot.JobID(id), value)
		if err != nil {
			return err
		}
		sealed, err := state.EncodeJob(s.sealer, j)
		out.Queue("UPDATE jobs SET value = $2 WHERE id = $1", id, sealed)
		return err
	})
	if err != nil {
		return 0, err
	}
	mark, err := state.NewMark(s.sealer)
	if err != nil {
		return 0, err
	}
	n = out.Len()
	out.Queue("UPDATE meta SET value = $1 WHERE name = 'mark'", mark)
	if err := tx.SendBatch(ctx, &out).Close(); err != nil {
		return 0, refused(err)
	}
	if err := tx.Commit(ctx); err != nil {
		return 0, fmt.Errorf("%w: %w", bot.ErrNoCommit, err)
	}
	return n, nil
}

func (s *Store) each(ctx context.Context, tx pgx.Tx, sql string, f func(name []byte, id int64, value []byte) error) error {
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name, value []byte
		var id int64
		if err := rows.Scan(&name, &id, &value); err != nil {
			return err
		}
		if err := f(name, id, value); err != nil {
			return err
		}
	}
	return rows.Err()
}
