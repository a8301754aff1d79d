package bolt

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/state"
)

// refused opens what must not open and gives the sentence.
func refused(t *testing.T, c Config, words ...string) error {
	t.Helper()
	s, err := Open(c)
	if err == nil {
		_ = s.Close()
		t.Fatal("the store opened")
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not say %q: %v", w, err)
		}
	}
	return err
}

// filled is a closed data file with something in it.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keyturn.db")
	s := open(t, config(path))
	c := engine.Changes{
		Audit:   []bot.AuditEntry{{Tenant: "contoso", Act: "approve"}, {Tenant: "contoso", Act: "call"}},
		Jobs:    []bot.Job{{Lane: "l", Kind: "say", Payload: []byte(`{"a":1}`), Collapse: "c"}},
		Secrets: []engine.Sealed{{Name: "s", Value: bot.NewSecret("x")}},
		Incidents: []incident.Known{
			{Tenant: "contoso", Issue: incident.Issue{ID: "EX1"}},
			{Tenant: "contoso", Issue: incident.Issue{ID: "EX2", Resolved: true}}},
	}
	for i := range 200 {
		c.Sent = append(c.Sent, bot.Sent{Key: strings.Repeat("k", 100) + string(rune('a'+i%26)) + string(rune('a'+i/26))})
	}
	if err := errors.Join(commit(s, c), s.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// damage changes a closed file behind the store's back.
func damage(t *testing.T, path string, f func(tx *bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(f), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestASecondProcessIsTurnedAway(t *testing.T) {
	path := filled(t)
	open(t, config(path))
	refused(t, config(path), path, "in use", "Stop it first")
}

func TestAFileCutOffIsRefused(t *testing.T) {
	whole, err := os.ReadFile(filled(t))
	if err != nil {
		t.Fatal(err)
	}
	_, used := extent(bytes.NewReader(whole), int64(len(whole)))
	for _, n := range []int{1, 79, 80, 4095, 4096, 8191, 8192, 16384, int(used) / 2, int(used) - 1} {
		path := filepath.Join(t.TempDir(), "cut.db")
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, config(path), path, "go back to a backup")
	}
}

func TestForeignFilesAreRefusedAndLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"notes.txt": []byte("buy milk\n"),
		"big.bin":   bytes.Repeat([]byte("SQLite format 3\x00"), 4096),
		"zero.bin":  make([]byte, 64<<10),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, config(path), path, "not a data file of Keyturn")
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
			t.Errorf("%s was changed (%v)", name, err)
		}
	}
	other := filepath.Join(dir, "other.db")
	damage(t, other, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
	refused(t, config(other), other, "another program")
	refused(t, config(dir), dir, "folder")
	refused(t, config(filepath.Join(dir, "none", "keyturn.db")), "folder", "does not exist")
}

func TestDamagedPagesAreNoCrash(t *testing.T) {
	path := filled(t)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 2 * 4096; i < len(b); i++ {
		b[i] = 0xA5
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, config(path), path, "damaged", "backup")
}

func TestANewerFormIsRefused(t *testing.T) {
	path := filled(t)
	damage(t, path, func(tx *bbolt.Tx) error { return tx.Bucket(bMeta).Put(kSchema, []byte("2")) })
	if err := refused(t, config(path), path); !errors.Is(err, state.ErrNewer) {
		t.Errorf("the error is %v", err)
	}
}

func TestTheWrongKeyIsRefusedAndARotatedOneIsNot(t *testing.T) {
	path := filled(t)
	with := func(key string) Config {
		c := config(path)
		c.Sealer, c.Auditor = must(state.OpenSealer(key)), must(state.OpenAuditor(key))
		return c
	}
	err := refused(t, with(must(state.NewKey())), path, "sealing key", "does not belong")
	if !errors.Is(err, state.ErrSealed) {
		t.Errorf("the error is %v", err)
	}
	mixed := config(path)
	mixed.Auditor = must(state.OpenAuditor(must(state.NewKey())))
	refused(t, mixed, "contoso", "signed with key")
	refused(t, Config{Path: path}, "sealing key")

	s := open(t, with(must(state.AddKey(testKey))))
	if err := commit(s, engine.Changes{Audit: []bot.AuditEntry{{Tenant: "contoso", Act: "rotated"}}}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Reseal(t.Context()); err != nil || n != 2 {
		t.Errorf("resealing gave %d, %v", n, err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, config(path), "sealing key") // the old key alone opens nothing any more
}

func TestOpeningReadsNoIncidentAndListingActiveOnesNoResolvedOne(t *testing.T) {
	path := filled(t)
	damage(t, path, func(tx *bbolt.Tx) error {
		return errors.Join(
			tx.Bucket(bResolved).Put(tenantKey("contoso", "EX2"), []byte("{")),
			tx.Bucket(bJobs).Put(jobKey(1), []byte("{")))
	})
	s := open(t, config(path))
	err := s.Read(t.Context(), func(v engine.View) error {
		list, err := v.Incidents("contoso", false)
		if len(list) != 1 {
			t.Errorf("%d active incidents", len(list))
		}
		if _, err := v.Incidents("contoso", true); err == nil {
			t.Error("the damaged one was not read even when asked for")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if got := claim(t, s); len(got) != 0 {
		t.Errorf("claimed %v: a job that cannot be read stays where it is", got)
	}
}

func TestTheCheckFindsWhatIsWrong(t *testing.T) {
	bucket := func(name []byte, f func(*bbolt.Bucket) error) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return f(tx.Bucket(name)) }
	}
	del := func(name, key []byte) func(*bbolt.Tx) error {
		return bucket(name, func(b *bbolt.Bucket) error { return b.Delete(key) })
	}
	replace := func(name, key []byte, old, new string) func(*bbolt.Tx) error {
		return bucket(name, func(b *bbolt.Bucket) error {
			v := b.Get(key)
			if !bytes.Contains(v, []byte(old)) {
				return errors.New("there is nothing to damage")
			}
			return b.Put(key, bytes.Replace(v, []byte(old), []byte(new), 1))
		})
	}
	second := numbered("contoso", 2)
	for name, c := range map[string]struct {
		f    func(*bbolt.Tx) error
		says string
	}{
		"an audit entry changed": {replace(bAudit, second, "call", "fall"), "was changed"},
		"an audit entry dropped": {del(bAudit, numbered("contoso", 1)), "not what Keyturn wrote"},
		"the audit's end cut":    {del(bAudit, second), "missing"},
		"an audit head dropped":  {del(bHeads, []byte("contoso")), "head"},
		"a sealed value changed": {bucket(bSecrets, func(b *bbolt.Bucket) error { return b.Put([]byte("s"), []byte("no")) }), "does not open"},
		"a job without its lane": {del(bLanes, numbered("l", 1)), "disagree"},
		"a lane without its job": {del(bJobs, jobKey(1)), "disagree"},
		"a job without its name": {del(bCollapse, numbered("c", 1)), "disagree"},
		"an incident in both lists": {bucket(bActive, func(b *bbolt.Bucket) error {
			return b.Put(tenantKey("contoso", "EX2"), b.Get(tenantKey("contoso", "EX1")))
		}), "disagree"},
		"a record cut off": {replace(bActive, tenantKey("contoso", "EX1"), "}", ""), "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			if err := open(t, config(path)).Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, path, c.f)
			err := open(t, config(path)).Check(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the check says %v, expected %q", err, c.says)
			}
		})
	}
}
