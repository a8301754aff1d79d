package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/sim/play"
)

// leaves takes somebody out of the configuration, as an operator does when they
// leave the organisation, and starts the bot anew.
func (h *house) leaves(who play.Person) {
	h.Helper()
	out := regexp.MustCompile(`(?m)^  - id: `+who.Entra+`\n(    .*\n)*`).ReplaceAllString(h.conf, "")
	for _, listed := range []string{`, "` + who.Name + `"`, `"` + who.Name + `", `} {
		out = strings.ReplaceAll(out, listed, "")
	}
	if strings.Contains(out, who.Name) || out == h.conf {
		h.Fatalf("%s still stands in the configuration:\n%s", who.Name, out)
	}
	h.halt()
	h.conf = out
	h.start()
}

// confFile is the configuration in a file.
func (h *house) confFile() string {
	h.Helper()
	path := filepath.Join(h.TempDir(), "keyturn.yaml")
	if err := os.WriteFile(path, []byte(h.conf), 0o600); err != nil {
		h.Fatal(err)
	}
	return path
}

// erases asks for somebody's names to be erased, as the command does, of the
// running bot or of its state.
func (h *house) erases(who play.Person, also ...string) (string, error) {
	h.Helper()
	var out bytes.Buffer
	err := eraseCmd{Config: h.confFile(), Person: who.Entra, Name: also}.Run(&console{ctx: context.Background(), out: &out, err: &out})
	return out.String(), err
}

// exported is the trail as keyturn audit export prints it.
func (h *house) exported(named bool) string {
	h.Helper()
	var out bytes.Buffer
	if err := (auditExportCmd{Config: h.confFile(), Named: named, Tenant: "contoso"}).Run(&console{ctx: context.Background(), out: &out, err: &out}); err != nil {
		h.Fatal(err)
	}
	return out.String()
}

// verifies says what keyturn audit verify says.
func (h *house) verifies() {
	h.Helper()
	var out bytes.Buffer
	err := auditVerifyCmd{Config: h.confFile(), Tenant: "contoso"}.Run(&console{ctx: context.Background(), out: &out, err: &out})
	if err != nil || !strings.Contains(out.String(), "is whole") {
		h.Fatalf("the trail does not verify: %v\n%s", err, out.String())
	}
}

// stateBytes is every byte of the data file.
func (h *house) stateBytes() []byte {
	h.Helper()
	b, err := os.ReadFile(h.data)
	if err != nil {
		h.Fatal(err)
	}
	return b
}

// reads looks into the state of a bot that does not run, as the bot does.
func (h *house) reads(f func(engine.View) error) {
	h.Helper()
	conf, tenants := h.config()
	env, err := conf.env(tenants)
	if err != nil {
		h.Fatal(err)
	}
	store, err := openFile(conf)
	if err != nil {
		h.Fatal(err)
	}
	if err := errors.Join(engine.Named(store, env).Read(context.Background(), f), store.Close()); err != nil {
		h.Fatal(err)
	}
}

// Erin approves, leaves and is erased. Until then people read her name and her
// admin account; then nobody does, and what rests on her word stays.
func TestSomebodyWhoLeftIsErasedAndTheTrailStaysWhole(t *testing.T) {
	h := open(t, withSignIn)
	h.finishes("direct")
	h.idle()
	names := []string{play.Erin.Name, play.Erin.UPN}

	raw := h.exported(false)
	for _, name := range names {
		if strings.Contains(raw, name) {
			t.Errorf("the trail has %q in clear", name)
		}
	}
	if named := h.exported(true); !strings.Contains(named, play.Erin.UPN) {
		t.Error("an export that people read does not say which account Erin used")
	}
	markdown, _ := h.report(h.audit())
	for _, name := range names {
		if !strings.Contains(markdown, name) {
			t.Errorf("the report does not name %q", name)
		}
	}
	if !bytes.Contains(h.stateBytes(), []byte(play.Erin.UPN)) {
		t.Fatal("the file does not have the account: nothing could be erased")
	}

	if said, err := h.erases(play.Erin); err == nil || !strings.Contains(err.Error(), "still stands in the configuration") {
		t.Errorf("somebody of the configuration was erased: %v\n%s", err, said)
	}
	h.leaves(play.Erin)
	h.types(play.Omar, "/keyturn inventory")
	h.expectPrivate(play.Omar, play.Erin.Name)
	h.verifies()
	before := len(h.audit())
	said, err := h.erases(play.Erin)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Erased person " + play.Erin.Entra + " in contoso: 2 names", "messages in Slack and Teams", "backups"} {
		if !strings.Contains(said, want) {
			t.Errorf("the command does not say %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "entries of the trail") {
		t.Errorf("entries have names in clear:\n%s", said)
	}

	h.verifies()
	trail := h.audit()
	last := trail[len(trail)-1]
	if len(trail) != before+1 || last.Act != "erase" || !strings.Contains(last.Note, play.Erin.Entra) || last.At.IsZero() {
		t.Errorf("the trail ends with %+v", last)
	}
	h.types(play.Omar, "/keyturn inventory")
	h.expectPrivate(play.Omar, "erased person "+play.Erin.Entra)
	markdown, html := h.report(trail[:len(trail)-1])
	if !strings.Contains(markdown, "erased person "+play.Erin.Entra) || !strings.Contains(markdown, play.Sam.Name) {
		t.Error("the report does not say that somebody was erased, or lost somebody else")
	}
	h.halt()
	outputs := map[string]string{"the report": markdown, "its page": html, "the export": h.exported(false), "the named export": h.exported(true), "the state": string(h.stateBytes())}
	for where, text := range outputs {
		for _, name := range append(names, strings.ToLower(play.Erin.Name)) {
			if n := strings.Count(text, name); n > 0 {
				at := strings.Index(text, name)
				t.Errorf("%q stands in %s %d times: %q", name, where, n, text[max(0, at-200):at+50])
			}
		}
	}
	h.start()
	if _, err := h.erases(play.Erin); err == nil || !strings.Contains(err.Error(), "nothing is kept under a name") {
		t.Errorf("a second erasure says %v", err)
	}
}

// Records from before names stood apart are found by the names that are given,
// and entries of that time are said to stay.
func TestNamesFromBeforeAreFoundByWhatTheyAre(t *testing.T) {
	h := open(t)
	h.finishes("direct")
	h.idle()
	h.leaves(play.Erin)
	h.halt()
	conf, _ := h.config()
	store, err := openFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	err = store.Commit(t.Context(), func(v engine.View) (engine.Changes, error) { // as an older Keyturn wrote
		runs, err := v.Runs("contoso")
		if err != nil || len(runs) == 0 {
			t.Fatalf("no run: %v", err)
		}
		runs[0].Why = "Vogel-Ortega said so (e.vogel)"
		return engine.Changes{Runs: runs[:1], Audit: []bot.AuditEntry{{Tenant: "contoso", At: h.now(), Act: "approve", Run: runs[0].ID, Person: bot.PersonID(play.Erin.Entra), Account: "e.vogel"}}}, nil
	})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	said, err := h.erases(play.Erin, "e.vogel", "Vogel-Ortega")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said, "1 entries of the trail, between number") || !strings.Contains(said, "1 records that had them from before") || !strings.Contains(said, "audit.keep") {
		t.Errorf("the command says:\n%s", said)
	}
	why := ""
	h.reads(func(v engine.View) error {
		runs, err := v.Runs("contoso")
		why = runs[0].Why
		return err
	})
	gone := "erased person " + play.Erin.Entra
	if want := gone + " said so (" + gone + ")"; why != want {
		t.Errorf("the run says %q, not %q", why, want)
	}
	h.verifies()
	h.start()
}
