package state

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"keyturn/bot"
)

// WriteAudit writes entries as lines of JSON, one entry a line: the form in
// which an audit trail leaves the store.
func WriteAudit(w io.Writer, entries []bot.AuditEntry) error {
	for _, e := range entries {
		b, err := EncodeAudit(e)
		if err != nil {
			return err
		}
		if _, err := w.Write(append(b, '\n')); err != nil {
			return fmt.Errorf("the audit trail could not be written: %w", err)
		}
	}
	return nil
}

// ReadAudit reads what [WriteAudit] wrote, and nothing else: a line that says
// the same in other bytes is an [ErrTampered] too, so that together with
// [Auditor.Verify] no byte of a file can change unseen.
func ReadAudit(r io.Reader) ([]bot.AuditEntry, error) {
	in := bufio.NewReader(r)
	var entries []bot.AuditEntry
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return entries, nil
		}
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: line %d has no end: the file was cut off", ErrTampered, n)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d of the audit trail could not be read: %w", n, err)
		}
		e, err := DecodeAudit(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		entries = append(entries, e)
	}
}

// EncodeAudit is the one form of an entry that [Auditor.Chain] gave.
func EncodeAudit(e bot.AuditEntry) ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("audit entry %d of %s cannot be encoded: %w", e.Seq, e.Tenant, err)
	}
	return b, nil
}

// DecodeAudit reads what [EncodeAudit] wrote. Anything else, even if it means
// the same, is an [ErrTampered].
func DecodeAudit(b []byte) (bot.AuditEntry, error) {
	var e bot.AuditEntry
	if err := json.Unmarshal(b, &e); err != nil {
		return e, fmt.Errorf("%w: an entry cannot be read: %w", ErrTampered, err)
	}
	again, err := EncodeAudit(e)
	if err != nil || !bytes.Equal(again, b) {
		return bot.AuditEntry{}, fmt.Errorf("%w: entry %d of %s is not in the form that it was written in", ErrTampered, e.Seq, e.Tenant)
	}
	return e, nil
}
