package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
)

// cut is a chain of which the first n entries were removed after their time.
func cut(t testing.TB, a *Auditor, list []bot.AuditEntry, n int) []bot.AuditEntry {
	t.Helper()
	mark, err := a.Checkpoint(list[n-1], start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return append([]bot.AuditEntry{mark}, list[n:]...)
}

func TestATrailWhoseOldestEntriesWereRemovedStillVerifies(t *testing.T) {
	a := must(OpenAuditor(must(NewKey())))
	list := chain(t, a, 8)
	head := HeadOf(list[7])
	short := cut(t, a, list, 3)
	if err := accept(a, exported(t, short), head); err != nil {
		t.Error(err)
	}
	shorter := cut(t, a, short, 4) // the checkpoint itself goes on
	if err := accept(a, exported(t, shorter), head); err != nil {
		t.Error(err)
	}
	if shorter[0].Seq != 6 {
		t.Errorf("the second checkpoint stands for %d entries", shorter[0].Seq)
	}
	next, err := a.Chain(HeadOf(shorter[len(shorter)-1]), bot.AuditEntry{Tenant: "contoso", Act: "later"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Verify(append(shorter, next), HeadOf(next)); err != nil {
		t.Errorf("the chain does not go on: %v", err)
	}
}

func TestNobodyRemovesEntriesWithoutTheKey(t *testing.T) {
	a, thief := must(OpenAuditor(must(NewKey()))), must(OpenAuditor(must(NewKey())))
	list := chain(t, a, 6)
	head := HeadOf(list[5])
	good := cut(t, a, list, 3)
	bad := func(name string, list []bot.AuditEntry) {
		t.Helper()
		if err := accept(a, exported(t, list), head); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad("no checkpoint", list[3:])
	bad("a checkpoint of another key", cut(t, thief, list, 3))
	bad("the checkpoint alone", good[:1])
	bad("one entry too many removed", slices.Concat(good[:1], good[2:]))
	bad("the checkpoint after the first entry", slices.Concat(list[:3], good))
	bad("two checkpoints", slices.Concat(good[:1], good))
	bad("an older checkpoint before newer entries", slices.Concat(cut(t, a, list, 2)[:1], list[3:]))
	renamed := slices.Clone(list[2:])
	renamed[0].Act = bot.AuditCheckpoint
	bad("an entry that says it is a checkpoint", renamed)
	if _, err := a.Chain(head, bot.AuditEntry{Tenant: "contoso", Act: bot.AuditCheckpoint}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a checkpoint was added as an entry: %v", err)
	}
	file := exported(t, good)
	for i := range file {
		changed := slices.Clone(file)
		changed[i] ^= 1
		if err := accept(a, changed, head); !errors.Is(err, ErrTampered) {
			t.Fatalf("byte %d (%q) changed: %v", i, file[i], err)
		}
	}
}

// Whoever holds the key can write a whole new trail. What was noted outside
// shows it, and shows a tail that was cut off.
func TestHeadsNotedOutsideShowWhatTheKeyCannot(t *testing.T) {
	a := must(OpenAuditor(must(NewKey())))
	list := chain(t, a, 6)
	noted := FindHeads(fmt.Sprintf("… %s …\n<110>1 - - keyturn - - - %s", HeadOf(list[1]), HeadOf(list[4])))
	if len(noted) != 2 {
		t.Fatalf("found %v", noted)
	}
	if n, err := a.VerifySince("contoso", list, noted); err != nil || n != 2 {
		t.Errorf("the trail that was noted: %d, %v", n, err)
	}
	if n, err := a.VerifySince("contoso", cut(t, a, list, 3), noted); err != nil || n != 1 {
		t.Errorf("after a removal: %d, %v", n, err)
	}
	if _, err := a.VerifySince("contoso", list[:4], noted); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("a cut tail: %v", err)
	}
	var anew []bot.AuditEntry
	head := Head{Tenant: "contoso"}
	for i := range 6 {
		e := must(a.Chain(head, bot.AuditEntry{Tenant: "contoso", At: start, Act: "call", Note: fmt.Sprint("another story ", i)}))
		anew, head = append(anew, e), HeadOf(e)
	}
	if err := a.Verify(anew, head); err != nil {
		t.Fatalf("the key signs what it likes: %v", err)
	}
	if _, err := a.VerifySince("contoso", anew, noted); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "anew") {
		t.Errorf("a trail written anew: %v", err)
	}
	if n, err := a.VerifySince("fabrikam", nil, noted); err != nil || n != 0 {
		t.Errorf("another tenant's heads count: %d, %v", n, err)
	}
}

func FuzzFindHeads(f *testing.F) {
	f.Add("contoso 42:0badf00d:" + strings.Repeat("0a", 32))
	f.Add("x 18446744073709551616:0badf00d:" + strings.Repeat("0a", 32))
	f.Fuzz(func(t *testing.T, text string) {
		for _, h := range FindHeads(text) {
			if h.Count == 0 || !strings.Contains(text, string(h.Tenant)+" ") || len(FindHeads(h.String())) != 1 {
				t.Errorf("found %q", h)
			}
		}
	})
}
