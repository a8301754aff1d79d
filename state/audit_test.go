package state

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixedKey is a key of these tests alone, for results that never change.
const fixedKey = "eyJwcmltYXJ5S2V5SWQiOjM2NTgwNzEzNDUsICJrZXkiOlt7ImtleURhdGEiOnsidHlwZVVybCI6InR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLmNyeXB0by50aW5rLkFlc0djbUtleSIsICJ2YWx1ZSI6IkdpQWVKN3lGb0diTm5SeUx6YkhQVmk0aCsyV3RVVDRrc3ZXdmVDNWN2ak9rZEE9PSIsICJrZXlNYXRlcmlhbFR5cGUiOiJTWU1NRVRSSUMifSwgInN0YXR1cyI6IkVOQUJMRUQiLCAia2V5SWQiOjM2NTgwNzEzNDUsICJvdXRwdXRQcmVmaXhUeXBlIjoiVElOSyJ9XX0="

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// chain is a tenant's chain of n entries.
func chain(t testing.TB, a *Auditor, n int) []bot.AuditEntry {
	t.Helper()
	var list []bot.AuditEntry
	head := Head{Tenant: "contoso"}
	for i := range n {
		e, err := a.Chain(head, bot.AuditEntry{
			Tenant: "contoso", At: start.Add(time.Duration(i) * time.Second), Person: "p1", Act: "call", Note: fmt.Sprint("entry ", i),
			Call: &bot.Call{ID: "c", System: bot.Graph, Method: "POST", Path: "/applications", Body: []byte(`{"displayName":"K <&> ü"}`)},
		})
		if err != nil {
			t.Fatal(err)
		}
		list, head = append(list, e), HeadOf(e)
	}
	return list
}

func exported(t testing.TB, list []bot.AuditEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteAudit(&b, list); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// accept is what somebody does who checks an exported trail.
func accept(a *Auditor, file []byte, head Head) error {
	list, err := ReadAudit(bytes.NewReader(file))
	if err != nil {
		return err
	}
	return a.Verify(list, head)
}

func TestAnExportedTrailVerifies(t *testing.T) {
	a := must(OpenAuditor(must(NewKey())))
	list := chain(t, a, 5)
	if err := accept(a, exported(t, list), HeadOf(list[4])); err != nil {
		t.Error(err)
	}
	if err := accept(a, nil, Head{Tenant: "contoso"}); err != nil {
		t.Errorf("an empty trail: %v", err)
	}
	read, err := ReadAudit(bytes.NewReader(exported(t, list)))
	if d := cmp.Diff(list, read); err != nil || d != "" {
		t.Errorf("the trail reads differently: %v %s", err, d)
	}
}

// A trail that was exported once has to verify with every later Keyturn.
func TestAnOldTrailStillVerifies(t *testing.T) {
	const golden = "testdata/trail.jsonl"
	a := must(OpenAuditor(fixedKey))
	file := exported(t, chain(t, a, 3))
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(golden, file, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	list, err := ReadAudit(bytes.NewReader(old))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Verify(list, HeadOf(list[len(list)-1])); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(string(old), string(file)); d != "" {
		t.Errorf("the same entries are signed differently now (-then +now):\n%s", d)
	}
}

func TestEveryFlippedBitIsSeen(t *testing.T) {
	a := must(OpenAuditor(must(NewKey())))
	list := chain(t, a, 3)
	file, head := exported(t, list), HeadOf(list[2])
	for i := range file {
		for bit := range 8 {
			bad := bytes.Clone(file)
			bad[i] ^= 1 << bit
			if err := accept(a, bad, head); !errors.Is(err, ErrTampered) {
				t.Fatalf("bit %d of byte %d (%q) flipped: %v", bit, i, file[i], err)
			}
		}
	}
}

func TestEveryRearrangementIsSeen(t *testing.T) {
	a := must(OpenAuditor(must(NewKey())))
	list := chain(t, a, 6)
	head := HeadOf(list[5])
	bad := func(name string, list []bot.AuditEntry) {
		t.Helper()
		if err := accept(a, exported(t, list), head); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range list {
		bad(fmt.Sprint("without entry ", i), slices.Delete(slices.Clone(list), i, i+1))
		bad(fmt.Sprint("entry twice ", i), slices.Insert(slices.Clone(list), i, list[i]))
		bad(fmt.Sprint("cut after ", i), list[:i])
		if i > 0 {
			swapped := slices.Clone(list)
			swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
			bad(fmt.Sprint("swapped before ", i), swapped)
		}
	}
	more, err := a.Chain(head, bot.AuditEntry{Tenant: "contoso", Act: "later"})
	if err != nil {
		t.Fatal(err)
	}
	bad("more than expected", append(slices.Clone(list), more))
	forged := slices.Clone(list)
	forged[5].Note, forged[5].MAC = "another story", must(must(OpenAuditor(must(NewKey()))).Chain(HeadOf(list[4]), list[5])).MAC
	bad("signed by another key", forged)
}

func TestRandomDamageIsSeen(t *testing.T) {
	a := must(OpenAuditor(must(NewKey())))
	list := chain(t, a, 8)
	file, head := exported(t, list), HeadOf(list[7])
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		bad := bytes.Clone(file)
		i, j := r.IntN(len(bad)), r.IntN(len(bad))
		from, to := min(i, j), max(i, j)
		switch r.IntN(3) {
		case 0:
			bad = slices.Delete(bad, from, to)
		case 1:
			bad = slices.Insert(bad, from, bad[from:to]...)
		default:
			bad = append(append(bytes.Clone(bad[:from]), bytes.ToUpper(bad[from:to])...), bad[to:]...)
		}
		if bytes.Equal(bad, file) {
			continue
		}
		if err := accept(a, bad, head); !errors.Is(err, ErrTampered) {
			t.Fatalf("damage from %d to %d: %v", from, to, err)
		}
	}
}

func TestAChainBelongsToItsTenant(t *testing.T) {
	a := must(OpenAuditor(must(NewKey())))
	list := chain(t, a, 2)
	if _, err := a.Chain(HeadOf(list[1]), bot.AuditEntry{Tenant: "fabrikam"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("another tenant's entry follows: %v", err)
	}
	for i := range list {
		list[i].Tenant = "fabrikam"
	}
	if err := a.Verify(list, HeadOf(list[1])); !errors.Is(err, ErrTampered) {
		t.Errorf("the chain passes for another tenant's: %v", err)
	}
}

func TestAChainGoesOnOverARotation(t *testing.T) {
	oldKey := must(NewKey())
	before, after := must(OpenAuditor(oldKey)), must(OpenAuditor(must(AddKey(oldKey))))
	list := chain(t, before, 3)
	e, err := after.Chain(HeadOf(list[2]), bot.AuditEntry{Tenant: "contoso", Act: "rotated"})
	if err != nil {
		t.Fatal(err)
	}
	if err := after.Verify(append(list, e), HeadOf(e)); err != nil {
		t.Error(err)
	}
	if err := before.Verify(append(list, e), HeadOf(e)); err == nil {
		t.Error("the old key alone verifies what the new one signed")
	}
	if err := before.Signed(HeadOf(e)); err == nil {
		t.Error("a head that the key did not sign passes")
	}
	if err := errors.Join(after.Signed(HeadOf(e)), after.Signed(Head{Tenant: "contoso"})); err != nil {
		t.Error(err)
	}
}

func TestAPartOfAChainVerifiesFromWhatCameBefore(t *testing.T) {
	a := must(OpenAuditor(must(NewKey())))
	list := chain(t, a, 5)
	if err := a.VerifyPart(list[2:], HeadOf(list[1])); err != nil {
		t.Error(err)
	}
	if err := a.VerifyPart(list[3:], HeadOf(list[1])); !errors.Is(err, ErrTampered) {
		t.Errorf("with a gap: %v", err)
	}
}

func FuzzReadAudit(f *testing.F) {
	a := must(OpenAuditor(fixedKey))
	list := chain(f, a, 2)
	good := exported(f, list)
	f.Add(good)
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"tenant":"contoso","seq":1,"mac":"x"}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := ReadAudit(bytes.NewReader(b))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := WriteAudit(&again, entries); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Errorf("what was read is written differently: %v", err)
		}
		if a.Verify(entries, HeadOf(list[1])) == nil && !bytes.Equal(b, good) {
			t.Error("a forged trail verifies")
		}
	})
}
