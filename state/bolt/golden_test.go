package bolt

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
	"keyturn/state/statetest"
)

var update = flag.Bool("update", false, "write the data file of this version anew; a released one never changes")

// oneOfEach is one record of every sort, as the first version wrote it.
func oneOfEach() engine.Changes {
	at := statetest.Start
	channel := bot.Place{Platform: bot.Slack, Team: "T1", Channel: "C1"}
	c := engine.Changes{
		Delivery: &engine.Delivery{Key: "d1", At: at, Reply: bot.Private(bot.Say(bot.T("Approved.")))},
		Runs: []setup.Run{{ID: "r1", Tenant: "contoso", Guide: setup.Direct, State: setup.RunOpen, Started: at, Place: channel, Requester: "rita",
			Facts: map[string]setup.Fact{"client_id": {Value: "42", Step: "make", At: at}}, Steps: []setup.Step{{ID: "make", State: setup.Open}}}},
		Objects:       []bot.Object{{Key: "graph/application/1", System: bot.Graph, Kind: "application", ID: "1", Name: "Keyturn", Run: "r1", At: at}},
		Incidents:     []incident.Known{{Tenant: "contoso", First: at, Seen: at, Issue: incident.Issue{ID: "EX1", Title: "Mail is slow", Modified: at}}, {Tenant: "contoso", Seen: at, Issue: incident.Issue{ID: "EX2", Resolved: true, Modified: at}}},
		Subscriptions: []incident.Subscription{{ID: "s1", Tenant: "contoso", Place: channel, Made: at}},
		Watches:       []incident.Watch{{Tenant: "contoso", Seeded: true, Good: at}},
		Bindings:      []engine.Binding{{Place: channel, Tenant: "contoso"}},
		Sent:          []bot.Sent{{Key: "run/r1/checklist", At: at, Ref: bot.MessageRef{Place: channel, ID: "1700.1"}, Digest: "abc"}},
		Secrets:       []engine.Sealed{{Name: "run/r1/secret", Value: bot.NewSecret("a word that nobody sees")}},
		Audit:         []bot.AuditEntry{{Tenant: "contoso", At: at, Person: "rita", Act: "start", Run: "r1"}, {Tenant: "contoso", At: at, Person: "ada", Act: "approve", Run: "r1", Step: "make"}},
		Jobs:          []bot.Job{{Lane: "chat/1", Kind: "deliver", Due: at, Made: at, Payload: []byte(`{"key":"m"}`)}, {Lane: "poll/contoso", Kind: "poll", Due: at, Made: at, Collapse: "poll/contoso"}},
	}
	engine.Kind[note]{Name: "note"}.Put(&c, "contoso", "n1", note{"remembered"})
	return c
}

type note struct{ Text string }

// everything is what a store has of [oneOfEach], as a reader sees it.
func everything(v engine.View) (map[string]any, error) {
	out := map[string]any{}
	var errs []error
	put := func(name string, what any, err error) {
		out[name] = what
		errs = append(errs, err)
	}
	reply, _, err := v.Reply("d1")
	put("reply", reply, err)
	runs, err := v.Runs("contoso")
	put("runs", runs, err)
	objects, err := v.Objects("contoso")
	put("objects", objects, err)
	known, err := v.Incidents("contoso", true)
	put("incidents", known, err)
	subs, err := v.Subscriptions("contoso")
	put("subscriptions", subs, err)
	watch, err := v.Watch("contoso")
	put("watch", watch, err)
	tenant, _, err := v.Bound(bot.Place{Platform: bot.Slack, Team: "T1", Channel: "C1"})
	put("bound", tenant, err)
	sent, err := v.SentUnder("")
	put("ledger", sent, err)
	secret, err := v.Secret("run/r1/secret")
	put("secret", secret.Reveal(), err)
	jobs, err := v.Jobs("")
	put("jobs", jobs, err)
	notes, err := engine.Kind[note]{Name: "note"}.All(v, "contoso")
	put("records", notes, err)
	trail, err := v.Audit("contoso", 10)
	var acts []string
	for _, e := range trail {
		acts = append(acts, e.Act+" "+e.Step)
	}
	put("audit", acts, err)
	return out, errors.Join(errs...)
}

// TestTheDataFileOfEveryVersionOpens opens what each version wrote, with all
// that was in it. A released file is never written anew: what it holds is what
// people have.
func TestTheDataFileOfEveryVersionOpens(t *testing.T) {
	kept := func() string {
		b, err := os.ReadFile("testdata/key")
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	if *update {
		writeGolden(t)
	}
	old := testKey
	testKey = kept()
	defer func() { testKey = old }()
	want := read(t, func() *Store {
		s := fresh(t)
		if err := commit(s, oneOfEach()); err != nil {
			t.Fatal(err)
		}
		return s
	}())
	for _, name := range []string{"testdata/form1.db.gz"} {
		path := filepath.Join(t.TempDir(), "keyturn.db")
		packed, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer packed.Close()
		unpacked, err := gzip.NewReader(packed)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(unpacked)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, config(path))
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, read(t, s)); d != "" {
			t.Errorf("%s (-as it is written now +as it is read):\n%s", name, d)
		}
		if got := claim(t, s); len(got) != 2 {
			t.Errorf("%s: the lanes %v are free", name, got)
		}
	}
}

func read(t *testing.T, s *Store) (all map[string]any) {
	t.Helper()
	if err := s.Read(t.Context(), func(v engine.View) (err error) { all, err = everything(v); return err }); err != nil {
		t.Fatal(err)
	}
	return all
}

func writeGolden(t *testing.T) {
	t.Helper()
	key := must(state.NewKey())
	old := testKey
	testKey = key
	defer func() { testKey = old }()
	s := fresh(t)
	if err := commit(s, oneOfEach()); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if err := errors.Join(s.Backup(t.Context(), z), z.Close(), os.MkdirAll("testdata", 0o755),
		os.WriteFile("testdata/key", []byte(key+"\n"), 0o600), os.WriteFile("testdata/form1.db.gz", out.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}
