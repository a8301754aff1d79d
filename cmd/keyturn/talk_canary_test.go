package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/sim"
	"keyturn/sim/play"
)

// Secrets that the bot holds on the way, and everything that it puts out.

// collects has the secrets of every moment collected: they end with their run.
func (h *house) collects() *[]canary {
	var held []canary
	h.crew.After(func(context.Context) error { held = append(held, h.secrets()...); return nil })
	return &held
}

// outputs is all that the bot has put out: to chat, to the log, to its files,
// to auditors, to monitoring. It ends the bot.
func (h *house) outputs() map[string][]byte {
	h.Helper()
	encoded := func(v any) []byte {
		h.Helper()
		b, err := json.Marshal(v)
		if err != nil {
			h.Fatal(err)
		}
		return b
	}
	s := h.world.Slack.Snapshot()
	s.Hooks, s.Last = nil, nil // what the simulator itself knows, not what the bot said
	out := map[string][]byte{"Slack": encoded(s), "the trail": encoded(h.audit())}
	if h.world.Teams != nil {
		out["Teams"] = encoded(h.world.Teams.Snapshot().Messages)
	}
	if at := h.bot.conf.Metrics; at != "" {
		resp, err := http.Get("http://" + at + "/metrics")
		if err != nil {
			h.Fatal(err)
		}
		defer resp.Body.Close()
		if out["the metrics"], err = io.ReadAll(resp.Body); err != nil || len(out["the metrics"]) < 1000 {
			h.Fatalf("the metrics cannot be read: %d bytes, %v", len(out["the metrics"]), err)
		}
	}
	for _, path := range []string{"/", "/privacy", "/terms", "/healthz", "/readyz", "/signin/entra?state=x&code=y"} {
		resp, err := http.Get("http://" + h.bot.conf.Listen + path)
		if err != nil {
			h.Fatal(err)
		}
		defer resp.Body.Close()
		if out["the page "+path], err = io.ReadAll(resp.Body); err != nil {
			h.Fatal(err)
		}
	}
	if len(h.audit()) > 0 {
		markdown, html := h.report(h.audit())
		out["the report"], out["the report's page"] = []byte(markdown), []byte(html)
	}
	h.halt()
	out["the log"] = []byte(h.log.String())
	for _, f := range files(h.T, filepath.Dir(h.data), h.data) {
		b, err := os.ReadFile(f)
		if err != nil {
			h.Fatal(err)
		}
		out["the file "+filepath.Base(f)] = b
	}
	return out
}

// noneOf says that none of the secrets stands in any output, and gives the
// names of those that were looked for. The bot is started again.
func (h *house) noneOf(held []canary) map[string]bool {
	h.Helper()
	for _, hook := range h.world.Slack.Snapshot().Hooks {
		held = append(held, canary{responseAddress, hook.ID})
	}
	outputs, names, seen := h.outputs(), map[string]bool{}, map[canary]bool{}
	for _, c := range held {
		names[c.name] = true
		if seen[c] || c.value == "" {
			continue
		}
		seen[c] = true
		for where, b := range outputs {
			if c.name == responseAddress && where == "the log" {
				continue // logs leave out the paths of Slack's own hosts for them, not of a simulator's
			}
			for _, form := range forms(c.value) {
				if bytes.Contains(b, []byte(form)) {
					h.Errorf("%s stands in %s", c.name, where)
				}
			}
		}
	}
	h.start()
	return names
}

// withMetrics serves metrics at an address of its own.
func withMetrics(t *testing.T) option {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	return reword("poll_every: ", fmt.Sprintf("metrics: %q\npoll_every: ", address))
}

// What a run made is replaced, and then cleaned up: new secrets beside old ones.
func TestNoSecretLeavesWhileItIsReplacedAndRemoved(t *testing.T) {
	h := open(t, withMetrics(t))
	held := h.collects()
	h.finishes("connector")
	old := h.inventory("secret")
	if len(old) != 1 {
		t.Fatalf("the inventory has %+v", old)
	}
	h.types(play.Omar, "/keyturn inventory replace "+old[0].ID)
	h.submits(play.Omar, nil)
	h.clicks(play.Erin, "Approve and run", "entra-secret")
	h.expectCard(play.Sam, "OAuth provider in Application Registry", "Approve and run")
	*held = append(*held, h.secrets()...)
	h.clicks(play.Sam, "Approve and run", "sn-oauth")
	h.clicks(play.Sam, "I did it, check", "rotate-use")
	h.clicks(play.Erin, "Approve and run", "rotate-remove")
	h.expectCard(play.Omar, "✅ finished")
	h.finishes("cleanup")
	*held = append(*held, h.secrets()...)
	secrets := map[string]bool{}
	for _, c := range *held {
		if c.name == "entra.secret" {
			secrets[c.value] = true
		}
	}
	if len(secrets) != 2 {
		t.Errorf("%d client secrets were held, the old and the new one make two", len(secrets))
	}
	h.noneOf(*held)
}

func TestNoSecretLeavesToTeams(t *testing.T) {
	h := openOn(t, play.OnTeams, withMetrics(t))
	held := h.collects()
	h.plays("direct")
	names := h.noneOf(append(*held, canary{"the secret of the Teams bot", play.TeamsSecret}))
	for _, want := range []string{"reader.key", "sn.client_secret"} {
		if !names[want] {
			t.Errorf("the secret %s was never held, so this test shows nothing: %v", want, names)
		}
	}
}

// A system repeats in its error what it was sent, and a bug panics with it.
func TestNoSecretLeavesInAnErrorOrAPanic(t *testing.T) {
	var bug *buggy
	h := open(t, hasty(&pauseLog{}), func(s *setting) {
		s.ports = func(e *engine.Engine) {
			bug = &buggy{Caller: e.Callers[bot.ServiceNow]}
			e.Callers[bot.ServiceNow] = bug
		}
	})
	held := h.collects()
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-oauth")
	*held = append(*held, h.secrets()...)
	secret := ""
	for _, c := range *held {
		if c.name == "entra.secret" {
			secret = c.value
		}
	}
	if secret == "" {
		t.Fatal("no client secret is held, so this test shows nothing")
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]any{"message": "Operation Failed", "detail": "Error during insert: value '" + secret + "' of client_secret is not valid"}, "status": "failure"})
	h.world.ServiceNow.Faults.Add(sim.Fault{Method: "POST", Path: "/api/now/table/oauth_entity", Status: 403, Body: string(body)})
	h.clicks(play.Sam, "Approve and run", "sn-oauth")
	h.expectRefusal(play.Sam, "sn-oauth", "Error during insert: value '"+bot.Redacted+"' of client_secret is not valid")
	h.mended(refusal{})
	h.again(play.Sam, "sn-oauth")
	h.expectApproval(play.Sam, "sn-oauth")

	bug.bites(true)
	h.clicks(play.Sam, "Approve and run", "sn-oauth")
	h.expectRefusal(play.Sam, "sn-oauth", "Something went wrong inside Keyturn, so this step stopped")
	bug.bites(false)
	if log := h.log.String(); !strings.Contains(log, "a bug in Keyturn stopped a job") || !strings.Contains(log, "cannot handle") {
		t.Errorf("the log does not say what happened:\n%s", tail(log, 2000))
	}
	h.noneOf(*held)
}

// buggy is a connection with a bug that quotes what it was given.
type buggy struct {
	bot.Caller
	biting atomic.Bool
}

func (b *buggy) bites(on bool) { b.biting.Store(on) }

func (b *buggy) Call(ctx context.Context, t bot.TenantID, c bot.Call, as bot.CallIdentity) (bot.Answer, error) {
	if b.biting.Load() && c.Write() {
		panic(fmt.Sprintf("cannot handle %s %s", c.Path, c.Body))
	}
	return b.Caller.Call(ctx, t, c, as)
}
