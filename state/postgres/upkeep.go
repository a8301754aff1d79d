package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"keyturn/state"
)

// channel is what the replicas of a schema listen on.
func (s *Store) channel() string { return "keyturn_" + s.schema }

// beat says that this replica is well, prolongs its claims, wakes its workers
// and clears away what is over, until ctx ends.
func (s *Store) beat(ctx context.Context) {
	ticker := time.NewTicker(s.term / beats)
	defer ticker.Stop()
	var pruned time.Time
	unheard := false // said once for each time that the database is away
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		switch err := s.alive(ctx); {
		case err == nil && unheard:
			unheard = false
			s.log.Info("the database hears again that this replica is well")
		case err != nil && ctx.Err() == nil && !unheard:
			unheard = true
			s.log.Warn("the database does not hear that this replica is well; others take its jobs over if that goes on", "error", err)
		}
		if _, err := s.keepClaims(ctx); err != nil && ctx.Err() == nil && !unheard {
			s.log.Warn("the claims of this replica could not be prolonged; others take its jobs over if that goes on", "error", err)
		}
		s.wakeUp()
		if time.Since(pruned) >= time.Minute {
			pruned = time.Now()
			if err := s.prune(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("old records could not be removed", "error", err)
			}
		}
	}
}

// listen hears of other replicas' jobs, on a connection of its own, until ctx
// ends. Whenever it had none, workers are woken: something may have been missed.
func (s *Store) listen(ctx context.Context, config *pgx.ConnConfig) {
	for ctx.Err() == nil {
		err := s.hear(ctx, config)
		if ctx.Err() != nil {
			return
		}
		s.log.Warn("the database's notifications are lost; jobs of other replicas are found a little later until it is back", "error", err)
		pause := time.NewTimer(s.term / beats)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

func (s *Store) hear(ctx context.Context, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(last)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{s.channel()}.Sanitize()); err != nil {
		return err
	}
	for {
		s.wakeUp()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}

// most bounds what one round of prune removes of each sort.
const most = 1000

// prune removes what is over. It has the lock, so that nothing of it is being
// decided on.
func (s *Store) prune(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tx, err := s.begin(ctx, exclusive)
	if err != nil {
		return err
	}
	defer rollback(tx)
	now := s.now()
	for _, old := range []struct {
		sql    string
		before time.Time
	}{
		{"DELETE FROM deliveries WHERE key IN (SELECT key FROM deliveries WHERE at < $1 LIMIT $2)", now.Add(-state.KeepDeliveries)},
		{"DELETE FROM records WHERE (kind, tenant, key) IN (SELECT kind, tenant, key FROM records WHERE until < $1 LIMIT $2)", now},
		{"DELETE FROM incidents WHERE (tenant, id) IN (SELECT tenant, id FROM incidents WHERE resolved < $1 LIMIT $2)", now.Add(-s.keep.Incidents)},
		// The tenant of a run stays as long as objects of it are listed.
		{`WITH over AS (SELECT id FROM runs WHERE ended < $1 AND value IS NOT NULL LIMIT $2),
			bare AS (DELETE FROM runs r USING over WHERE r.id = over.id AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.run = r.id))
			UPDATE runs r SET value = NULL, ended = NULL FROM over WHERE r.id = over.id AND EXISTS (SELECT 1 FROM objects o WHERE o.run = r.id)`, now.Add(-s.keep.Runs)},
	} {
		if _, err := tx.Exec(ctx, old.sql, old.before, most); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "DELETE FROM replicas WHERE seen < clock_timestamp() - interval '1 hour'"); err != nil {
		return err
	}
	if err := s.pruneTrails(ctx, tx, now); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// Rewrite writes the tables in which people may be named anew, so that what
// removed and changed rows held is not in them any more. Each is locked while it is
// written. What the server keeps besides (its log of writes, archives, other
// servers that follow it) is the server's.
func (s *Store) Rewrite(ctx context.Context) error {
	for _, table := range []string{"records", "runs", "objects", "deliveries", "jobs"} {
		if _, err := s.pool.Exec(ctx, "VACUUM FULL "+pgx.Identifier{s.schema, table}.Sanitize()); err != nil {
			return fmt.Errorf("the table %s could not be written anew: %w", table, err)
		}
	}
	return nil
}
