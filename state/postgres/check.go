package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
)

// maxFindings bounds what one check reports.
const maxFindings = 20

// errStray is a record whose columns say something else than it does.
var errStray = errors.New("the columns and the record disagree")

// Check reads the whole schema as of one moment: every record, its columns, every
// sealed value, and the audit chains. The error names what is wrong, up to
// twenty things. Commits go on meanwhile. Whether the server's own files are
// sound only the server can say.
func (s *Store) Check(ctx context.Context) error {
	if s.closed() {
		return state.ErrClosed
	}
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return s.told("checking", err)
	}
	defer rollback(tx)
	c := &checker{s: s, ctx: ctx, tx: tx}
	c.records()
	c.incidents()
	c.jobs()
	c.chains()
	if c.err != nil {
		return s.told("checking", c.err)
	}
	if len(c.findings) > 0 {
		return fmt.Errorf("the schema %s of the database is damaged: go back to a backup: %w", s.schema, errors.Join(c.findings...))
	}
	return nil
}

type checker struct {
	s        *Store
	ctx      context.Context
	tx       pgx.Tx
	findings []error
	err      error // the first of the server
}

// row is what a check reads of a record: names, and what the columns say of it.
type row struct {
	A, B  []byte
	N     int64
	At    *time.Time
	Value []byte
}

// all calls f for every row, and notes its errors. The query gives five columns.
func (c *checker) all(what, sql string, f func(r row) error) {
	if c.err != nil {
		return
	}
	rows, err := c.tx.Query(c.ctx, sql)
	if err != nil {
		c.err = err
		return
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if c.err = rows.Scan(&r.A, &r.B, &r.N, &r.At, &r.Value); c.err != nil {
			return
		}
		if err := f(r); err != nil && len(c.findings) < maxFindings {
			c.findings = append(c.findings, fmt.Errorf("%s %q %q %d: %w", what, r.A, r.B, r.N, err))
		}
	}
	c.err = rows.Err()
}

func readable[T any](r row) error {
	_, err := state.Decode[T]("the record", r.Value)
	return err
}

func (c *checker) records() {
	c.all("delivery", "SELECT key, NULL::bytea, 0, at, value FROM deliveries", func(r row) error {
		_, err := state.DecodeDelivery(string(r.A), r.Value)
		return err
	})
	c.all("run", "SELECT id, tenant, 0, ended, value FROM runs WHERE value IS NOT NULL", func(r row) error {
		run, err := state.Decode[setup.Run]("the run", r.Value)
		if err == nil && (run.ID != string(r.A) || string(run.Tenant) != string(r.B)) {
			err = errStray
		}
		return err
	})
	c.all("object", "SELECT tenant, key, 0, NULL::timestamptz, value FROM objects", readable[bot.Object])
	c.all("subscription", "SELECT tenant, id, 0, NULL::timestamptz, value FROM subscriptions", readable[incident.Subscription])
	c.all("watch", "SELECT tenant, NULL::bytea, 0, NULL::timestamptz, value FROM watches", readable[incident.Watch])
	c.all("ledger entry", "SELECT key, NULL::bytea, 0, NULL::timestamptz, value FROM sent", readable[bot.Sent])
	c.all("record", "SELECT kind, key, 0, until, value FROM records", func(r row) error {
		rec, err := state.DecodeRecord("", "", "", r.Value)
		if err == nil && rec.Until.IsZero() != (r.At == nil) {
			err = errStray
		}
		return err
	})
	c.all("secret", "SELECT name, NULL::bytea, 0, NULL::timestamptz, value FROM secrets", func(r row) error {
		_, err := state.DecodeSecret(c.s.sealer, string(r.A), r.Value)
		return err
	})
}

func (c *checker) incidents() {
	c.all("incident", "SELECT tenant, id, 0, resolved, value FROM incidents", func(r row) error {
		known, err := state.Decode[incident.Known]("the incident", r.Value)
		if err == nil && known.Issue.Resolved != (r.At != nil) {
			err = errStray
		}
		return err
	})
}

func (c *checker) jobs() {
	c.all("job", "SELECT lane, collapse, id, due, value FROM jobs", func(r row) error {
		j, err := state.DecodeJob(c.s.sealer, bot.JobID(r.N), r.Value)
		if err == nil && (j.Lane != string(r.A) || j.Collapse != string(r.B) || !ceil(j.Due).Equal(*r.At)) {
			err = errStray
		}
		return err
	})
}

// chains verifies each tenant's chain up to the head that the schema names. That
// entries and head were not cut together, only a head kept elsewhere can show.
func (c *checker) chains() {
	prev := make(map[bot.TenantID]state.Head)
	c.all("audit entry", "SELECT tenant, NULL::bytea, seq, NULL::timestamptz, value FROM audit ORDER BY tenant, seq", func(r row) error {
		e, err := state.DecodeAudit(r.Value)
		if err != nil {
			return err
		}
		before, ok := prev[e.Tenant]
		if !ok {
			before.Tenant = e.Tenant
		}
		prev[e.Tenant] = state.HeadOf(e)
		if e.Seq != uint64(r.N) || string(e.Tenant) != string(r.A) {
			return errStray
		}
		return c.s.auditor.VerifyPart([]bot.AuditEntry{e}, before)
	})
	c.all("audit head", "SELECT tenant, NULL::bytea, 0, NULL::timestamptz, value FROM audit_heads", func(r row) error {
		head, err := decodeHead(bot.TenantID(r.A), r.Value)
		if err == nil && head != prev[head.Tenant] {
			err = fmt.Errorf("%w: the last entries are missing", state.ErrTampered)
		}
		delete(prev, bot.TenantID(r.A))
		return err
	})
	for tenant := range prev {
		c.findings = append(c.findings, fmt.Errorf("%w: the head of %s is missing", state.ErrTampered, tenant))
	}
}
