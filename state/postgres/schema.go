package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
	"keyturn/state"
)

// steps set the schema up, one after another, each once. A step only adds: an
// older replica works beside a newer one while they are exchanged. A released
// step never changes.
var steps = []string{`
CREATE TABLE deliveries (key bytea PRIMARY KEY, at timestamptz NOT NULL, value bytea NOT NULL);
CREATE INDEX deliveries_at ON deliveries (at);
CREATE TABLE runs (id bytea PRIMARY KEY, tenant bytea NOT NULL, ended timestamptz, value bytea);
COMMENT ON COLUMN runs.value IS 'NULL once the run is forgotten: its objects still need its tenant';
CREATE INDEX runs_tenant ON runs (tenant, id);
CREATE INDEX runs_ended ON runs (ended) WHERE ended IS NOT NULL;
CREATE TABLE objects (tenant bytea, key bytea, run bytea NOT NULL, value bytea NOT NULL, PRIMARY KEY (tenant, key));
CREATE INDEX objects_run ON objects (run);
CREATE TABLE incidents (tenant bytea, id bytea, resolved timestamptz, value bytea NOT NULL, PRIMARY KEY (tenant, id));
COMMENT ON COLUMN incidents.resolved IS 'when it was last seen, of a resolved one; NULL while it is active';
CREATE INDEX incidents_active ON incidents (tenant) WHERE resolved IS NULL;
CREATE INDEX incidents_resolved ON incidents (resolved) WHERE resolved IS NOT NULL;
CREATE TABLE subscriptions (tenant bytea, id bytea, value bytea NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE watches (tenant bytea PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE bindings (platform bytea, team bytea, channel bytea, person bytea, tenant bytea NOT NULL,
	PRIMARY KEY (platform, team, channel, person));
CREATE TABLE sent (key bytea PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE secrets (name bytea PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE records (kind bytea, tenant bytea, key bytea, until timestamptz, value bytea NOT NULL, PRIMARY KEY (kind, tenant, key));
CREATE INDEX records_until ON records (until) WHERE until IS NOT NULL;
CREATE TABLE audit (tenant bytea, seq bigint, value bytea NOT NULL, PRIMARY KEY (tenant, seq));
CREATE TABLE audit_heads (tenant bytea PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE jobs (id bigint PRIMARY KEY, lane bytea NOT NULL, class integer NOT NULL, due timestamptz NOT NULL,
	tries integer NOT NULL, dead boolean NOT NULL, collapse bytea, value bytea NOT NULL,
	claim bigint, owner text, held_until timestamptz, begun boolean NOT NULL DEFAULT false);
CREATE INDEX jobs_lane ON jobs (lane, id);
CREATE INDEX jobs_due ON jobs (class, due, id) WHERE NOT dead;
CREATE INDEX jobs_collapse ON jobs (collapse) WHERE collapse IS NOT NULL;
CREATE INDEX jobs_owner ON jobs (owner) WHERE owner IS NOT NULL;
CREATE SEQUENCE job_ids;
CREATE SEQUENCE claim_numbers;
`, `
CREATE TABLE replicas (id text PRIMARY KEY, seen timestamptz NOT NULL, key bigint NOT NULL);
COMMENT ON COLUMN replicas.key IS 'the ID of the key that the replica seals with';
`}

// prepare sets a new schema up, or checks an old one and adds what it lacks.
func (s *Store) prepare(ctx context.Context) error {
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer rollback(tx)
	// Before the schema is there: two replicas that start together must not
	// both make it.
	if err := s.lock(ctx, tx, exclusive); err != nil {
		return err
	}
	var there bool // who may not make schemas can still use one that somebody made
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)", s.schema).Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+s.quoted()); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS meta (name text PRIMARY KEY, value bytea NOT NULL)"); err != nil {
		return err
	}
	layout, err := s.known(ctx, tx)
	if err != nil {
		return err
	}
	for _, step := range steps[min(layout, len(steps)):] {
		if _, err := tx.Exec(ctx, step); err != nil {
			return err
		}
	}
	if layout < len(steps) {
		if err := s.note(ctx, tx, "layout", []byte(strconv.Itoa(len(steps)))); err != nil {
			return err
		}
	}
	if err := s.signed(ctx, tx); err != nil {
		return err
	}
	if err := s.admitted(ctx, tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// ErrNone is a schema that nothing was kept in so far.
var ErrNone = errors.New("there is no state yet")

// look checks a schema that must be there, and changes nothing.
func (s *Store) look(ctx context.Context) error {
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer rollback(tx)
	var there bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", s.quoted()+".meta").Scan(&there); err != nil {
		return err
	}
	if !there {
		return ErrNone
	}
	layout, err := s.known(ctx, tx)
	if err != nil {
		return err
	}
	if layout < len(steps) {
		return errors.New("an older Keyturn set it up: start this one first (keyturn serve), which adds what is missing")
	}
	return s.signed(ctx, tx)
}

// known checks the form and the key of what is there and gives how many steps
// were made; it marks an empty schema as ours.
func (s *Store) known(ctx context.Context, tx pgx.Tx) (layout int, err error) {
	form, err := number(ctx, tx, "schema")
	if errors.Is(err, pgx.ErrNoRows) {
		mark, err := state.NewMark(s.sealer)
		if err != nil {
			return 0, err
		}
		return 0, errors.Join(s.note(ctx, tx, "schema", []byte(strconv.Itoa(state.Schema))), s.note(ctx, tx, "mark", mark))
	}
	if err != nil {
		return 0, err
	}
	if form > state.Schema {
		return 0, fmt.Errorf("%w (its form is %d, this one knows %d)", state.ErrNewer, form, state.Schema)
	}
	var mark []byte
	if err := tx.QueryRow(ctx, "SELECT value FROM meta WHERE name = 'mark'").Scan(&mark); err != nil {
		return 0, err
	}
	if err := state.CheckMark(s.sealer, mark); err != nil {
		return 0, err
	}
	return number(ctx, tx, "layout")
}

func number(ctx context.Context, tx pgx.Tx, name string) (int, error) {
	var value []byte
	if err := tx.QueryRow(ctx, "SELECT value FROM meta WHERE name = $1", name).Scan(&value); err != nil {
		return 0, err
	}
	return strconv.Atoi(string(value))
}

func (s *Store) note(ctx context.Context, tx pgx.Tx, name string, value []byte) error {
	_, err := tx.Exec(ctx, "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
	return err
}

// signed makes sure that every audit trail can go on with the keys at hand.
func (s *Store) signed(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, "SELECT tenant, value FROM audit_heads")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var tenant, value []byte
		if err := rows.Scan(&tenant, &value); err != nil {
			return err
		}
		head, err := decodeHead(bot.TenantID(tenant), value)
		if err != nil {
			return err
		}
		if err := s.auditor.Signed(head); err != nil {
			return err
		}
	}
	return rows.Err()
}
