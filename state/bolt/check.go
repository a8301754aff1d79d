package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
)

// maxFindings bounds what one check reports.
const maxFindings = 20

// Check reads the whole file as of the last commit: its pages, every record,
// the indexes against the records, every sealed value, and the audit chains.
// The error names what is wrong, up to twenty things. Commits go on meanwhile,
// but for the pages: what bbolt knows of those is of now, not of a reading that
// began before, so that they are compared while nobody writes.
func (s *Store) Check(ctx context.Context) error {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	var pages []error
	err := s.chore(ctx, func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			for err := range tx.Check() {
				if len(pages) < maxFindings {
					pages = append(pages, fmt.Errorf("the pages of the file: %w", err))
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return s.reading(func(tx *bolt.Tx) error {
		c := &checker{s: s, tx: tx, ctx: ctx, findings: pages}
		c.records()
		c.jobs()
		c.chains()
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(c.findings) > 0 {
			return fmt.Errorf("the data file %s is damaged: go back to a backup: %w", s.path, errors.Join(c.findings...))
		}
		return nil
	})
}

type checker struct {
	s        *Store
	tx       *bolt.Tx
	ctx      context.Context
	findings []error
}

func (c *checker) found(format string, args ...any) {
	if len(c.findings) < maxFindings {
		c.findings = append(c.findings, fmt.Errorf(format, args...))
	}
}

// all calls f for every pair of a bucket, and notes its errors.
func (c *checker) all(bucket []byte, f func(k, v []byte) error) {
	err := c.tx.Bucket(bucket).ForEach(func(k, v []byte) error {
		if err := f(k, v); err != nil {
			c.found("%s %q: %w", bucket, k, err)
		}
		return c.ctx.Err()
	})
	if err != nil && c.ctx.Err() == nil {
		c.found("%s: %w", bucket, err)
	}
}

func readable[T any](_, v []byte) error {
	_, err := state.Decode[T]("the record", v)
	return err
}

var errStray = errors.New("the index and the records disagree")

// has gives an error where another bucket lacks the key.
func (c *checker) has(bucket, key []byte) error {
	if c.tx.Bucket(bucket).Get(key) == nil {
		return errStray
	}
	return nil
}

func (c *checker) records() {
	c.all(bDeliveries, func(k, v []byte) error {
		d, err := state.DecodeDelivery(string(k), v)
		if err != nil {
			return err
		}
		return c.has(bDeliveriesAt, timed(d.At, k))
	})
	c.all(bRuns, func(_, v []byte) error {
		r, err := state.Decode[setup.Run]("the run", v)
		if err != nil {
			return err
		}
		if string(c.tx.Bucket(bRunOwner).Get([]byte(r.ID))) != string(r.Tenant) {
			return errStray
		}
		return nil
	})
	for _, in := range []struct{ one, other []byte }{{bActive, bResolved}, {bResolved, bActive}} {
		c.all(in.one, func(k, v []byte) error {
			known, err := state.Decode[incident.Known]("the incident", v)
			if err == nil && (known.Issue.Resolved != bytes.Equal(in.one, bResolved) || c.has(in.other, k) == nil) {
				err = errStray
			}
			return err
		})
	}
	c.all(bObjects, readable[bot.Object])
	c.all(bSubscriptions, readable[incident.Subscription])
	c.all(bWatches, readable[incident.Watch])
	c.all(bRecords, func(_, v []byte) error { _, err := state.DecodeRecord("", "", "", v); return err })
	c.all(bSent, readable[bot.Sent])
	c.all(bSecrets, func(k, v []byte) error {
		_, err := state.DecodeSecret(c.s.sealer, string(k), v)
		return err
	})
}

func (c *checker) jobs() {
	c.all(bJobs, func(k, v []byte) error {
		j, err := state.DecodeJob(c.s.sealer, jobID(k), v)
		if err != nil {
			return err
		}
		if !bytes.Equal(c.tx.Bucket(bLanes).Get(numbered(j.Lane, uint64(j.ID))), laneMark(j)) {
			return errStray
		}
		if j.Collapse != "" {
			return c.has(bCollapse, numbered(j.Collapse, uint64(j.ID)))
		}
		return nil
	})
	for _, index := range [][]byte{bLanes, bCollapse} {
		c.all(index, func(k, _ []byte) error {
			_, id, err := splitNumbered(k)
			if err != nil {
				return err
			}
			return c.has(bJobs, jobKey(bot.JobID(id)))
		})
	}
}

// chains verifies each tenant's chain up to the head that the file names. That
// file and head were not cut together, only a head kept elsewhere can show.
func (c *checker) chains() {
	prev := make(map[bot.TenantID]state.Head)
	c.all(bAudit, func(_, v []byte) error {
		e, err := state.DecodeAudit(v)
		if err != nil {
			return err
		}
		before, ok := prev[e.Tenant]
		if !ok {
			before.Tenant = e.Tenant
		}
		prev[e.Tenant] = state.HeadOf(e)
		return c.s.auditor.VerifyPart([]bot.AuditEntry{e}, before)
	})
	c.all(bHeads, func(k, _ []byte) error {
		head, err := readHead(c.tx, bot.TenantID(k))
		if err == nil && head != prev[head.Tenant] {
			err = fmt.Errorf("%w: the last entries of %s are missing", state.ErrTampered, k)
		}
		delete(prev, head.Tenant)
		return err
	})
	for tenant := range prev {
		c.found("%w: the head of %s is missing", state.ErrTampered, tenant)
	}
}
