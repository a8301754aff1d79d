package state

import (
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"time"

	"keyturn/bot"
)

// Checkpoint is what a store leaves in the place of the oldest entries of a
// chain when it removes them after their time: signed like an entry, with the
// number and the MAC of the last of them, so that the rest of the chain still
// follows from something that only the holder of the key can have written.
//
//	1 ─ 2 ─ 3 ─ 4 ─ 5 ─ 6      3 removed
//	        [3] ─ 4 ─ 5 ─ 6    [3] is the checkpoint: Seq 3, Prev the MAC of 3
//
// last is the last entry that is removed, or the checkpoint before it.
func (a *Auditor) Checkpoint(last bot.AuditEntry, now time.Time) (bot.AuditEntry, error) {
	head := HeadOf(last)
	return a.sign(bot.AuditEntry{
		Tenant: head.Tenant, Seq: head.Count, At: now, Act: bot.AuditCheckpoint, Prev: head.MAC,
		Note: fmt.Sprintf("The entries 1 to %d were kept as long as configured and then removed.", head.Count),
	})
}

// trailSlack is how much longer than asked the oldest entry of a trail may stay,
// so that a checkpoint is signed once a day and not with every commit.
const trailSlack = 24 * time.Hour

// Outdated decides what of a trail has been kept long enough: up to most of its
// oldest entries are gone, and the mark takes the place of the last of them. The
// numbers gone are those to remove besides. The sequence is the trail from its
// beginning without its newest entry, which always stays; ok is false where
// nothing is over.
func (a *Auditor) Outdated(oldest iter.Seq2[bot.AuditEntry, error], keep time.Duration, now time.Time, most int) (mark bot.AuditEntry, gone []uint64, ok bool, err error) {
	limit := now.Add(-keep)
	var last bot.AuditEntry
	old := false // whether there is anything but a checkpoint that had its time, and a day
	for e, err := range oldest {
		if err != nil {
			return bot.AuditEntry{}, nil, false, err
		}
		if e.Act != bot.AuditCheckpoint {
			if !e.At.Before(limit) {
				break
			}
			old = old || e.At.Before(limit.Add(-trailSlack))
		}
		if last.Seq > 0 {
			gone = append(gone, last.Seq)
		}
		last = e
		if len(gone) == most {
			break
		}
	}
	if !old {
		return bot.AuditEntry{}, nil, false, nil
	}
	mark, err = a.Checkpoint(last, now)
	return mark, gone, err == nil, err
}

// VerifySince checks that the entries are a whole chain of the tenant, and
// that each head that was noted outside lies in it: what it names was neither
// changed nor cut off since. It gives how many of the heads could be compared;
// one that lies before the checkpoint says nothing any more.
func (a *Auditor) VerifySince(tenant bot.TenantID, entries []bot.AuditEntry, outside []Head) (compared int, err error) {
	if err := a.VerifyPart(entries, Head{Tenant: tenant}); err != nil {
		return 0, err
	}
	macs := make(map[uint64]string, len(entries))
	var first, last uint64
	for i, e := range entries {
		h := HeadOf(e)
		macs[h.Count], last = h.MAC, h.Count
		if i == 0 {
			first = h.Count
		}
	}
	for _, h := range outside {
		switch {
		case h.Tenant != tenant:
			continue
		case h.Count > last:
			return compared, fmt.Errorf("%w: the chain of %s has %d entries, and a head that was noted outside names %d: the end was cut off", ErrTampered, tenant, last, h.Count)
		case h.Count < first:
			continue
		case macs[h.Count] != h.MAC:
			return compared, fmt.Errorf("%w: entry %d of %s is not the one that was noted outside: the chain was written anew", ErrTampered, h.Count, tenant)
		}
		compared++
	}
	return compared, nil
}

var headLike = regexp.MustCompile(`\b([a-z0-9][a-z0-9-]*) ([0-9]{1,19}):([0-9a-f]{8}:[0-9a-f]{64})\b`)

// FindHeads gives the heads in any text that holds them as [Head.String]
// writes them: a log, what a collector received, a note.
func FindHeads(text string) []Head {
	var out []Head
	for _, m := range headLike.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseUint(m[2], 10, 64)
		if err != nil || n == 0 {
			continue
		}
		out = append(out, Head{Tenant: bot.TenantID(m[1]), Count: n, MAC: m[3]})
	}
	return out
}
