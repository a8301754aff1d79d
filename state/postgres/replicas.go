package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
)

// errOtherKeys is a replica that seals with another key than this one would.
var errOtherKeys = errors.New("another replica runs with another newest key, and could not read what this one seals: stop every replica, then start them all with the same keys")

// join prepares the schema and becomes one of its replicas. One that died a
// moment ago still counts for a term; where only its key is in the way, that is
// waited for.
func (s *Store) join(ctx context.Context) error {
	pause := time.NewTicker(s.term / beats)
	defer pause.Stop()
	for range beats + 2 {
		err := s.prepare(ctx)
		if !errors.Is(err, errOtherKeys) {
			return err
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errOtherKeys
}

// admitted makes this one a replica, under the lock, unless others could not
// read what it seals.
func (s *Store) admitted(ctx context.Context, tx pgx.Tx) error {
	var other int
	err := tx.QueryRow(ctx, "SELECT count(*) FROM replicas WHERE key <> $1 AND seen > clock_timestamp() - make_interval(secs => $2)", int64(s.key), s.term.Seconds()).Scan(&other)
	if err != nil {
		return err
	}
	if other > 0 {
		return errOtherKeys
	}
	_, err = tx.Exec(ctx, sign, s.id, int64(s.key))
	return err
}

// sign is a replica's sign of life, by the clock of the server.
const sign = "INSERT INTO replicas (id, seen, key) VALUES ($1, clock_timestamp(), $2) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen"

// alive gives a sign of life, and counts who else gave one within a term.
func (s *Store) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.term)
	defer cancel()
	var b pgx.Batch
	b.Queue(sign, s.id, int64(s.key))
	b.Queue("SELECT count(*) FROM replicas WHERE seen > clock_timestamp() - make_interval(secs => $1)", s.term.Seconds())
	sent := s.pool.SendBatch(ctx, &b)
	defer sent.Close()
	if _, err := sent.Exec(); err != nil {
		return err
	}
	var n int
	if err := sent.QueryRow().Scan(&n); err != nil {
		return fmt.Errorf("counting the replicas: %w", err)
	}
	s.replicas.Store(int64(n))
	s.heard.Store(s.now().UnixNano())
	return nil
}

// leave takes this replica off the list: nobody has to wait for its term.
func (s *Store) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	// Where the server does not hear it, the term runs out.
	_, _ = s.pool.Exec(ctx, "DELETE FROM replicas WHERE id = $1", s.id)
}

// Replicas is how many replicas share the schema, this one too, as of the last
// beat.
func (s *Store) Replicas() int { return max(1, int(s.replicas.Load())) }

// Heard is when the server last heard that this replica is well. Once that is a
// term ago the others take its jobs over.
func (s *Store) Heard() time.Time { return time.Unix(0, s.heard.Load()) }

// Drop removes a schema with all that is in it.
func Drop(ctx context.Context, url bot.Secret, schema string) error {
	config, err := parse(url)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return fmt.Errorf("the database cannot be reached: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE"); err != nil {
		return fmt.Errorf("the schema %s cannot be dropped: %w", schema, err)
	}
	return nil
}
