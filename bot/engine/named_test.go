package engine_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

func aliased(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// Whatever a record is, somebody has said whether people may be named in it.
func TestEveryKindOfRecordSaysWhetherItNamesPeople(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	kind := regexp.MustCompile(`Kind\[[^\n]*\]\{Name: "([^"]+)"\}`)
	found := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range kind.FindAllStringSubmatch(string(b), -1) {
			found++
			if slices.Contains(engine.Personal, m[1]) == slices.Contains(engine.Impersonal, m[1]) {
				t.Errorf("%s: is somebody named in records of the kind %q? Put it into one of both lists", f, m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("%d kinds were found", found)
	}
}

func TestANameIsHiddenWhereItStandsAsAWord(t *testing.T) {
	erin := bot.Person{ID: "p-erin", Name: "Erin Vogel", Admin: map[bot.System]string{bot.Graph: "erin.admin@contoso.example", bot.ServiceNow: "erin"}}
	root := bot.Person{ID: "p-root", Name: `Bo "B" <Li>`, Admin: map[bot.System]string{bot.ServiceNow: "admin"}}
	people := []bot.Person{erin, root}
	for _, c := range []struct {
		text  string
		json  bool
		names int // hidden
		stays string
	}{
		{text: "Erin Vogel said so.", names: 1, stays: " said so."},
		{text: "Erin Vogels word", names: 0, stays: "Erin Vogels word"},
		{text: "running as erin.admin@contoso.example, not erin@elsewhere.example", names: 1, stays: ", not erin@elsewhere.example"},
		{text: "erin-test, erin.test and erin_2", names: 0, stays: "erin-test, erin.test and erin_2"},
		{text: "by erin.", names: 1, stays: "."},
		{text: "the admin consents", names: 0, stays: "the admin consents"}, // a word before it is a name
		{text: "admin", names: 1},
		{text: `{"erin":"erin","what":"said\nerin\u0026co"}`, json: true, names: 1, stays: `{"erin":"person-`},
		{text: `{"by":"Bo \"B\" \u003cLi\u003e"}`, json: true, names: 1, stays: `{"by":"person-`},
		{text: "Bérin und Erin Vogel", names: 1, stays: "Bérin und "},
	} {
		got, n := engine.Cloak(aliased, people, c.text, c.json)
		if n != c.names || !strings.Contains(got, c.stays) {
			t.Errorf("%s: %s, %d names", c.text, got, n)
		}
		if c.names > 0 && (strings.Contains(got, "Vogel") || strings.Contains(got, ":\"erin\"") || strings.Contains(got, `\nerin`)) {
			t.Errorf("%s: %s", c.text, got)
		}
	}
}

// What a decision writes is in the store without names, and read with them.
func TestADecisionReadsTheNamesThatTheStoreDoesNotHave(t *testing.T) {
	w := newWorld(t)
	w.env.Alias = aliased
	p := w.tenant.People[1]
	p.Admin = map[bot.System]string{bot.Graph: "somebody.admin@contoso.example"}
	w.tenant.People[1] = p
	named := engine.Named(w.store, w.env)
	run := setup.Run{ID: "r1", Guide: setup.Direct, Tenant: "contoso", State: setup.RunDone, Started: start, Ended: start, Why: p.Name + " stopped it",
		Facts: map[string]setup.Fact{"who": {Value: p.Admin[bot.Graph]}},
		Steps: []setup.Step{{ID: "make", State: setup.Done, Approval: &setup.Approval{Person: p.ID, Account: "Somebody.Admin@contoso.example"}}}}
	object := bot.Object{Key: "servicenow/role/1", Run: "r1", Name: "the role of " + p.Name, Before: `{"user":"somebody.admin@contoso.example"}`, At: start}
	reply := bot.Reply{Message: &bot.Message{Parts: []bot.Part{bot.Paragraph{Text: bot.B(p.Name)}}}}
	err := named.Commit(t.Context(), func(engine.View) (engine.Changes, error) {
		return engine.Changes{Runs: []setup.Run{run}, Objects: []bot.Object{object}, Delivery: &engine.Delivery{Key: "d1", Reply: reply, At: start},
			Audit: []bot.AuditEntry{{Tenant: "contoso", At: start, Act: "approve", Person: p.ID, Account: "Somebody.Admin@contoso.example", Note: "for " + p.Name}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if run.Steps[0].Approval.Account != "Somebody.Admin@contoso.example" || reply.Message.Parts[0].(bot.Paragraph).Text.Plain() != p.Name {
		t.Error("what the decision gave was changed under its hands")
	}
	look := func(s engine.Store) (out string) {
		err := s.Read(t.Context(), func(v engine.View) error {
			r, err := v.Run("r1")
			objects, err2 := v.Objects("contoso")
			answer, _, err3 := v.Reply("d1")
			if err := errors.Join(err, err2, err3); err != nil {
				return err
			}
			out = strings.Join([]string{r.Why, r.Facts["who"].Value, r.Steps[0].Approval.Account, objects[0].Name, objects[0].Before, answer.Message.Parts[0].(bot.Paragraph).Text.Plain()}, " | ")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if raw := look(w.store); strings.Contains(raw, p.Name) || strings.Contains(strings.ToLower(raw), "somebody.admin") || strings.Count(raw, "person-") != 6 {
		t.Errorf("the store has %s", raw)
	}
	want := strings.Join([]string{run.Why, "somebody.admin@contoso.example", "Somebody.Admin@contoso.example", object.Name, object.Before, p.Name}, " | ")
	if got := look(named); got != want {
		t.Errorf("a decision reads\n%s, not\n%s", got, want)
	}

	w.tenant.People = slices.Delete(w.tenant.People, 1, 2)
	done, err := engine.Erase(t.Context(), w.store, w.env, "contoso", p.ID, nil, start.Add(time.Hour))
	if err != nil || done.Names != 3 || done.Old != 0 || done.Records != 0 {
		t.Fatalf("erased %+v, %v", done, err)
	}
	gone := "erased person " + string(p.ID)
	if got := look(named); strings.Count(got, gone) != 6 {
		t.Errorf("a decision reads %s", got)
	}
}

// Somebody who is part of what goes on is not erased under its hands.
func TestAnOpenRunThatNamesSomebodyIsFinishedFirst(t *testing.T) {
	w := newWorld(t)
	w.env.Alias = aliased
	run := setup.Run{ID: "r1", Guide: setup.Direct, Tenant: "contoso", State: setup.RunOpen, Started: start, Facts: map[string]setup.Fact{"users": {Value: "nora.old"}}}
	if err := w.store.Commit(t.Context(), func(engine.View) (engine.Changes, error) { return engine.Changes{Runs: []setup.Run{run}}, nil }); err != nil {
		t.Fatal(err)
	}
	_, err := engine.Erase(t.Context(), w.store, w.env, "contoso", "p-nora", []string{"nora.old"}, start)
	if err == nil || !strings.Contains(err.Error(), "the run r1 is still open") {
		t.Errorf("erasing says %v", err)
	}
}

// Two replicas keep what they have read of the names, and neither misses one that
// the other has just learnt.
func TestANameThatOneReplicaLearntIsHiddenByTheOther(t *testing.T) {
	w := newWorld(t)
	w.env.Alias = aliased
	other := engine.Env{Tenants: w.env.Tenants, Alias: aliased}
	one, two := engine.Named(w.store, w.env), engine.Named(w.store, &other)
	answers := 0
	answer := func(s engine.Store, words string) (kept string) {
		t.Helper()
		answers++
		key := strings.Repeat("d", answers)
		reply := bot.Private(bot.Say(bot.T(words)))
		if err := s.Commit(t.Context(), func(engine.View) (engine.Changes, error) {
			return engine.Changes{Delivery: &engine.Delivery{Key: key, Reply: reply, At: start}}, nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := w.store.Read(t.Context(), func(v engine.View) error {
			r, _, err := v.Reply(key)
			if r.Message != nil {
				kept = r.Message.Parts[0].(bot.Paragraph).Text.Plain()
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return kept
	}
	signs := func(s engine.Store, person bot.PersonID, account string, fails error) {
		t.Helper()
		err := s.Commit(t.Context(), func(engine.View) (engine.Changes, error) {
			return engine.Changes{Audit: []bot.AuditEntry{{Tenant: "contoso", At: start, Act: "approve", Person: person, Account: account}}}, fails
		})
		if !errors.Is(err, fails) {
			t.Fatal(err)
		}
	}
	const first, second = "ada.second@contoso.example", "amir.second@contoso.example"
	for _, s := range []engine.Store{one, two} { // both have read the table
		if got := answer(s, "waits for Ada and "+first); strings.Contains(got, "Ada") || !strings.Contains(got, first) {
			t.Fatalf("a name of the configuration is hidden and no other: %s", got)
		}
	}
	signs(one, "ada", first, nil)
	signs(one, "amir", second, errors.New("not yet"))
	for _, s := range []engine.Store{one, two} {
		if got := answer(s, "waits for "+first+" and "+second); strings.Contains(got, first) || !strings.Contains(got, second) {
			t.Errorf("what was learnt is hidden, and what was taken back is not: %s", got)
		}
	}
	signs(two, "amir", second, nil)
	for _, s := range []engine.Store{one, two} {
		if got := answer(s, "waits for "+first+" and "+second); strings.Contains(got, first) || strings.Contains(got, second) {
			t.Errorf("both are hidden: %s", got)
		}
	}
}
