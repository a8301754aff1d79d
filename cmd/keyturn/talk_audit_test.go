package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/sim"
	"keyturn/sim/play"
	"keyturn/state"
)

func TestNoWriteWithoutAnEntryInTheTrailBefore(t *testing.T) {
	for _, guide := range []string{"direct", "connector", "cleanup"} {
		t.Run(guide, func(t *testing.T) {
			h := open(t, worldOf(guide)...)
			h.finishes(guide)
			trail := h.audit()
			approved := map[string]bool{}
			used := map[int]bool{}
			for _, e := range trail {
				if e.Act == "approve" {
					approved[e.Run+"/"+e.Step+"/"+e.Plan] = true
				}
			}
			writes := h.writesMade()
			if len(writes) == 0 {
				t.Fatal("the guide changed nothing")
			}
			for _, w := range writes {
				n := entryFor(trail, used, w)
				if n < 0 {
					t.Errorf("there is no entry for %s %s", w.Method, w.Path)
					continue
				}
				used[n] = true
				e := trail[n]
				if e.At.After(w.At) {
					t.Errorf("%s %s was called at %v, its entry is of %v", w.Method, w.Path, w.At, e.At)
				}
				if e.Plan == "" || e.Person == "" || e.Account == "" || e.Via == "" || !approved[e.Run+"/"+e.Step+"/"+e.Plan] {
					t.Errorf("the entry for %s %s lacks the plan, the person, the account or the approval: %+v", w.Method, w.Path, e)
				}
			}
		})
	}
}

// entryFor finds the first unused entry of a call to a path.
func entryFor(trail []bot.AuditEntry, used map[int]bool, w sim.Call) int {
	path, _, _ := strings.Cut(w.Path, "?")
	path = strings.TrimPrefix(path, "/graph/v1.0")
	for n, e := range trail {
		if e.Act != "call" || used[n] || e.Call == nil || e.Call.Method != w.Method {
			continue
		}
		planned, _, _ := strings.Cut(e.Call.Path, "?")
		if unfilled(planned) == unfilled(path) {
			return n
		}
	}
	return -1
}

func TestTheTrailIsExportedAndVerifiedWhileTheBotRunsAndAfter(t *testing.T) {
	h := open(t)
	h.asks()
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Read back")
	h.idle()
	conf, _ := h.config()
	export := func() []bot.AuditEntry {
		t.Helper()
		var out bytes.Buffer
		if err := exportAudit(context.Background(), conf, "contoso", &out); err != nil {
			t.Fatal(err)
		}
		entries, err := state.ReadAudit(&out)
		if err != nil {
			t.Fatal(err)
		}
		return entries
	}
	running := export()
	acts := map[string]int{}
	for _, e := range running {
		acts[e.Act]++
	}
	for _, want := range []string{"start", "confirm", "approve", "call", "result", "proved"} {
		if acts[want] == 0 {
			t.Errorf("the trail has no entry %q: %v", want, acts)
		}
	}
	auditor, err := state.OpenAuditor(conf.Key.value.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	head := state.HeadOf(running[len(running)-1])
	if err := auditor.Verify(running, head); err != nil {
		t.Errorf("the trail of the running bot: %v", err)
	}
	for n := range running { // whatever is changed, it shows
		forged := append([]bot.AuditEntry(nil), running...)
		forged[n].Note += " "
		if auditor.Verify(forged, head) == nil {
			t.Errorf("a changed entry %d (%s) goes unnoticed", n, forged[n].Act)
		}
	}
	if auditor.Verify(running[:len(running)-1], head) == nil {
		t.Error("a missing last entry goes unnoticed")
	}
	h.halt()
	stopped := export()
	if len(stopped) != len(running) {
		t.Errorf("the stopped bot's trail has %d entries, the running one's had %d", len(stopped), len(running))
	}
	h.start()
}

// responseAddress is where Slack takes an answer from whoever knows it.
const responseAddress = "a response address"

func TestNoSecretLeavesTheBot(t *testing.T) {
	for _, guide := range []string{"direct", "connector"} {
		t.Run(guide, func(t *testing.T) {
			h := open(t)
			var held []canary // secrets end with their run, so they are collected on the way
			h.crew.After(func(context.Context) error { held = append(held, h.secrets()...); return nil })
			h.crew.Leave("sn-unattended", "sn-oauth", "entra-secret", "reader-app")
			h.begins(guide, nil)
			for who, step := range map[*play.Person]string{&play.Sam: map[string]string{"direct": "sn-unattended"}[guide], &play.Erin: map[string]string{"direct": "reader-app", "connector": "entra-app"}[guide]} {
				if step != "" {
					h.everybodyUntilStep(*who, "Approve and run", step)
					h.clicks(*who, "Show exact calls", step)
					h.expectPrivate(*who, "Exact calls")
					h.clicks(*who, "Give me the script", step)
					h.expectPrivate(*who, "The same calls as a script")
					h.crew.Touch(step)
				}
			}
			h.crew.Touch("sn-unattended", "sn-oauth", "entra-secret", "reader-app")
			h.everybodyUntil("✅ finished")
			h.idle()
			held = append(held, h.secrets()...)

			names := h.noneOf(held)
			for _, want := range map[string][]string{"direct": {"reader.key", "sn.client_secret"}, "connector": {"reader.key", "entra.secret"}}[guide] {
				if !names[want] {
					t.Errorf("the secret %s was never held, so this test shows nothing: %v", want, names)
				}
			}
		})
	}
}

// files lists the bot's own files: its data, not the secrets that the test
// itself wrote beside it.
func files(t *testing.T, dir, data string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, filepath.Base(data)+"*"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range all {
		if info, err := os.Stat(f); err == nil && info.Mode().IsRegular() {
			out = append(out, f)
		}
	}
	return out
}

// forms is how a secret could stand somewhere: as it is, in base64, a line of
// a private key.
func forms(secret string) []string {
	out := []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))}
	for _, line := range strings.Split(secret, "\n") {
		if len(line) > 40 && !strings.HasPrefix(line, "-----") {
			return append(out, line)
		}
	}
	return out
}

// trail is the tenant's trail as people read it, oldest first.
func (h *house) trail() (out []bot.AuditEntry) {
	h.Helper()
	h.read(func(v engine.View) error {
		names, err := engine.NamesOf(v, "contoso")
		out = engine.Read(names, h.audit())
		return err
	})
	return out
}
