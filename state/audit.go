package state

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"keyturn/bot"
)

// Head names the end of a tenant's audit chain: what has to be known outside
// the store to prove that nothing was cut off.
type Head struct {
	Tenant bot.TenantID `json:"tenant"`
	Count  uint64       `json:"count"` // entries in the chain; also the Seq of the last
	MAC    string       `json:"mac,omitempty"`
}

// HeadOf is the head of a chain that ends with e.
func HeadOf(e bot.AuditEntry) Head {
	if e.Act == bot.AuditCheckpoint {
		return Head{Tenant: e.Tenant, Count: e.Seq, MAC: e.Prev} // of the last entry that it stands for
	}
	return Head{Tenant: e.Tenant, Count: e.Seq, MAC: e.MAC}
}

// String is a head as it is noted outside: the tenant, the count, the MAC.
// [FindHeads] finds it in any text.
func (h Head) String() string { return fmt.Sprintf("%s %d:%s", h.Tenant, h.Count, h.MAC) }

// Auditor signs and verifies audit chains. It may be used by several
// goroutines.
type Auditor struct {
	secrets map[uint32][]byte
	newest  uint32
	oldest  uint32

	mu   sync.Mutex
	keys map[tenantKey][]byte // derived once
}

type tenantKey struct {
	id     uint32
	tenant bot.TenantID
}

// OpenAuditor derives the audit keys from the keyset that also seals. What it
// derives is of no use for opening what is sealed.
func OpenAuditor(key string) (*Auditor, error) {
	h, err := readKeyset(key)
	if err != nil {
		return nil, err
	}
	secrets, newest, oldest, err := signingKeys(h)
	if err != nil {
		return nil, err
	}
	return &Auditor{secrets: secrets, newest: newest, oldest: oldest, keys: make(map[tenantKey][]byte)}, nil
}

// Chain gives the entry as it follows prev: with Seq, Prev and MAC set, and in
// the form that it has after being stored and read. The zero Head with the
// tenant's ID is the start of a chain.
func (a *Auditor) Chain(prev Head, e bot.AuditEntry) (bot.AuditEntry, error) {
	if prev.Tenant != e.Tenant {
		return bot.AuditEntry{}, fmt.Errorf("an audit entry of tenant %q cannot follow the chain of %q: %w", e.Tenant, prev.Tenant, ErrInvalid)
	}
	if e.Act == bot.AuditCheckpoint {
		return bot.AuditEntry{}, fmt.Errorf("a checkpoint stands for entries and is none: %w", ErrInvalid)
	}
	e.Seq, e.Prev, e.MAC = prev.Count+1, prev.MAC, ""
	return a.sign(e)
}

// sign gives the entry in the form that it has after being stored, with its
// MAC.
func (a *Auditor) sign(e bot.AuditEntry) (bot.AuditEntry, error) {
	e, err := settled(e)
	if err != nil {
		return bot.AuditEntry{}, err
	}
	sum, err := a.sum(a.newest, e)
	if err != nil {
		return bot.AuditEntry{}, err
	}
	e.MAC = fmt.Sprintf("%08x:%s", a.newest, hex.EncodeToString(sum))
	return e, nil
}

// Verify checks that the entries are the chain of head's tenant from its first
// entry, or from the checkpoint that stands for its oldest, to head: every byte
// of every entry, none missing, none moved, none added. Where no head is known from outside, [Auditor.VerifyPart] checks the
// rest. The error is an [ErrTampered] and says where.
func (a *Auditor) Verify(entries []bot.AuditEntry, head Head) error {
	if err := a.VerifyPart(entries, Head{Tenant: head.Tenant}); err != nil {
		return err
	}
	last := Head{Tenant: head.Tenant}
	if n := len(entries); n > 0 {
		last = HeadOf(entries[n-1])
	}
	switch {
	case last.Count < head.Count:
		return fmt.Errorf("%w: the chain of %s has %d entries where %d were expected: the end was cut off", ErrTampered, head.Tenant, last.Count, head.Count)
	case last.Count > head.Count:
		return fmt.Errorf("%w: the chain of %s has %d entries where %d were expected: is the expected head an older one?", ErrTampered, head.Tenant, last.Count, head.Count)
	case last.MAC != head.MAC:
		return fmt.Errorf("%w: the last entry of %s, number %d, is not the one expected", ErrTampered, head.Tenant, last.Count)
	}
	return nil
}

// VerifyPart checks that the entries are an unbroken part of a chain that
// follows prev. It cannot know whether more entries followed.
func (a *Auditor) VerifyPart(entries []bot.AuditEntry, prev Head) error {
	for i, e := range entries {
		if e.Act == bot.AuditCheckpoint && e.Tenant == prev.Tenant {
			if i > 0 || prev.Count > 0 {
				return fmt.Errorf("%w: a checkpoint stands after entry %d of %s, where only an entry can", ErrTampered, prev.Count, prev.Tenant)
			}
			if err := a.genuine(e); err != nil {
				return err
			}
			prev = HeadOf(e)
			continue
		}
		if e.Tenant != prev.Tenant {
			return fmt.Errorf("%w: entry %d belongs to tenant %q, not to %q", ErrTampered, e.Seq, e.Tenant, prev.Tenant)
		}
		if e.Seq != prev.Count+1 {
			return fmt.Errorf("%w: after entry %d of %s comes number %d: entries were dropped, moved or added", ErrTampered, prev.Count, prev.Tenant, e.Seq)
		}
		if e.Prev != prev.MAC {
			return fmt.Errorf("%w: entry %d of %s does not follow the one before it", ErrTampered, e.Seq, e.Tenant)
		}
		if err := a.genuine(e); err != nil {
			return err
		}
		prev = HeadOf(e)
	}
	return nil
}

// Signed gives an error where the key that signed the head is not in the
// keyset, so that its chain can neither be verified nor trusted to go on.
func (a *Auditor) Signed(h Head) error {
	if h.Count == 0 {
		return nil
	}
	id, _, err := readMAC(h.MAC)
	if err != nil {
		return fmt.Errorf("%w: the head of %s cannot be read", ErrTampered, h.Tenant)
	}
	if _, ok := a.secrets[id]; !ok {
		return fmt.Errorf("the audit trail of %s was last signed with key %08x, which the keyset does not hold: give the keyset that holds it", h.Tenant, id)
	}
	return nil
}

func (a *Auditor) genuine(e bot.AuditEntry) error {
	id, want, err := readMAC(e.MAC)
	if err != nil {
		return fmt.Errorf("%w: the signature of entry %d of %s cannot be read", ErrTampered, e.Seq, e.Tenant)
	}
	if _, ok := a.secrets[id]; !ok {
		return fmt.Errorf("%w, or the key is missing: entry %d of %s names key %08x, which the keyset does not hold", ErrTampered, e.Seq, e.Tenant, id)
	}
	got, err := a.sum(id, e)
	if err != nil {
		return err
	}
	if !hmac.Equal(got, want) {
		return fmt.Errorf("%w: entry %d of %s was changed", ErrTampered, e.Seq, e.Tenant)
	}
	return nil
}

// sum is the entry's MAC under one key of the keyset. The entry's own MAC is
// left out of it.
func (a *Auditor) sum(id uint32, e bot.AuditEntry) ([]byte, error) {
	e.MAC = ""
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("audit entry %d of %s cannot be encoded: %w", e.Seq, e.Tenant, err)
	}
	key, err := a.key(tenantKey{id, e.Tenant})
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, key)
	m.Write(b)
	return m.Sum(nil), nil
}

func (a *Auditor) key(k tenantKey) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if key, ok := a.keys[k]; ok {
		return key, nil
	}
	key, err := hkdf.Expand(sha256.New, a.secrets[k.id], "tenant "+string(k.tenant), sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("the audit key of %s could not be derived: %w", k.tenant, err)
	}
	a.keys[k] = key
	return key, nil
}

// readMAC reads "<key ID>:<MAC>", both in lower-case hexadecimal: exactly as
// written, or a changed byte could go unseen.
func readMAC(s string) (id uint32, sum []byte, err error) {
	head, tail, _ := strings.Cut(s, ":")
	n, err := strconv.ParseUint(head, 16, 32)
	if err != nil {
		return 0, nil, err
	}
	if sum, err = hex.DecodeString(tail); err != nil {
		return 0, nil, err
	}
	if s != fmt.Sprintf("%08x:%x", n, sum) {
		return 0, nil, fmt.Errorf("%q is not how a MAC is written", s)
	}
	return uint32(n), sum, nil
}

// settled gives the entry as it reads after being stored, so that what is
// signed is what will be read: times lose their monotonic part, bytes that are
// no UTF-8 become U+FFFD.
func settled(e bot.AuditEntry) (bot.AuditEntry, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return bot.AuditEntry{}, fmt.Errorf("%w: an audit entry of %s (%s) cannot be encoded: %w", ErrInvalid, e.Tenant, e.Act, err)
	}
	var out bot.AuditEntry
	if err := json.Unmarshal(b, &out); err != nil {
		return bot.AuditEntry{}, fmt.Errorf("an audit entry of %s (%s) cannot be read back: %w", e.Tenant, e.Act, err)
	}
	return out, nil
}
