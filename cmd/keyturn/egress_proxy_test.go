package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/sim"
	"keyturn/sim/play"
	"keyturn/state"
)

// outsideOnly takes away what holds for simulators on this machine alone.
func outsideOnly(conf string) string {
	return regexp.MustCompile(`(?m)^  (unpaced: true|graph: "https://.*")\n`).ReplaceAllString(conf, "")
}

// behindGateway is an organisation whose systems are reached through the gateway
// alone, and the receiver of its notes and beats too.
func behindGateway(t *testing.T, g *gateway, r *receiver) option {
	t.Helper()
	dir := t.TempDir()
	file := func(name, value string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		return "file:" + path
	}
	g.behind["monitor.outside.test"] = r
	return func(s *setting) {
		s.Named, s.world = true, g.leads
		reword("  proxy: none\n", fmt.Sprintf("  proxy: %q\n  ca_bundle: %q\n", file("proxy", g.address), g.authority))(s)
		reword("  sign_in:", fmt.Sprintf("  fallback: {webhook: {url: %q}}\n  heartbeat: {url: %q}\n  sign_in:",
			file("note", "https://monitor.outside.test/note"), file("beat", "https://monitor.outside.test/beat")))(s)
		s.edit = append(s.edit, outsideOnly)
	}
}

// Where nothing leaves but through a proxy that asks for a password, and all
// certificates are of the organisation's own authority, everything still does its
// work: Slack over Socket Mode, Teams, Graph, Learn, the webhook and the monitor.
// Where the proxy is the fault, that is what each of them says.
func TestEverythingLeavesThroughTheProxy(t *testing.T) {
	g, r := opened(t), &receiver{}
	h := openOn(t, play.Both, withReader, withSocketMode, withSignIn, hasty(&pauseLog{}), behindGateway(t, g, r))
	h.readable(true)
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe")
	h.expectChannel(play.Incidents, "From now on this channel is told")
	h.typesOn(play.OnTeams, play.Mona, "", "health", "fine")
	h.passes(time.Minute + time.Second)
	h.becomes("a beat", func() bool { return r.heard() > 0 })
	h.types(play.Rita, "/keyturn recommend onedrive shows sync pending")
	h.becomes("a question to Learn", func() bool { return g.carried("learn.outside.test") > 0 })
	d := h.doctor(0, nil)
	if told := d.told(fine); d.Broken > 0 || !strings.Contains(told, "ServiceNow of contoso: the sign-in client") || !strings.Contains(told, "Both are open") ||
		!strings.Contains(told, "the messaging endpoint: ") || !strings.Contains(told, "accepted since the start") {
		t.Errorf("the doctor says:\n%s\n%s", d.told(broken), told)
	}
	h.world.Slack.Faults.Add(sim.Fault{Path: "/api/**", Status: 503})
	h.microsoftWrites("SP900001", "SharePoint Online", 2)
	h.becomes("a look at how long chat is silent", func() bool { return h.pending("fallback") })
	h.passes(11 * time.Minute)
	h.becomes("the note", func() bool { return r.got("Chat cannot be reached", "SP900001") > 0 })
	h.world.Slack.Faults.Clear()
	h.passes(11 * time.Minute)
	h.expectChannel(play.Incidents, "SP900001")
	for host := range h.world.Behind {
		if g.carried(host) == 0 {
			t.Errorf("%s was not reached through the proxy", host)
		}
	}
	g.set(func() {
		if g.refused > 0 || len(g.astray) > 0 {
			t.Errorf("the proxy refused %d for want of a password, and was asked for %q", g.refused, g.astray)
		}
	})

	for status, says := range map[int]string{http.StatusForbidden: "did not let the call through (HTTP 403)", http.StatusBadGateway: "The proxy itself did not reach"} {
		g.says(status)
		h.blamesTheProxy(h.doctor(0, nil), says)
		g.says(0)
	}
	other := replacing(`  proxy: \S+`, "  proxy: "+h.secretFile(strings.Replace(g.address, gatewayPassword, "other", 1)))
	h.blamesTheProxy(h.doctor(0, other), "asks for a name and a password")
	h.blamesTheProxy(h.doctor(0, replacing(`  proxy: \S+`, "  proxy: http://127.0.0.1:1")), "could not be reached")
	h.says(h.doctor(0, replacing(`  ca_bundle: \S+\n`, "")), broken, "Slack", "not signed by an authority that this server trusts", "CA bundle")
}

// blamesTheProxy expects that all that is broken is broken at the proxy, each
// time with what it said and how it is mended.
func (h *house) blamesTheProxy(d *diagnosis, says string) {
	h.Helper()
	of := map[string]bool{}
	for _, f := range d.Findings {
		if f.State != broken {
			continue
		}
		of[f.Of] = true
		if !strings.Contains(f.Says, says) || !strings.Contains(strings.ToLower(f.Fix), "proxy") {
			h.Errorf("%s: %s is broken and does not blame the proxy (%s): %s Fix: %s", f.Of, f.What, says, f.Says, f.Fix)
		}
	}
	for _, want := range []string{"Slack, workspace " + play.Team, "Slack, the way in", "Microsoft Teams", "Entra and Graph of contoso", "ServiceNow of contoso", "Ways out"} {
		if !of[want] {
			h.Errorf("with a proxy of which is said %q nothing of %s is broken:\n%s", says, want, d.told(fine))
		}
	}
	if all := d.told(broken) + d.told(warned); strings.Contains(all, gatewayPassword) {
		h.Errorf("the proxy's password is told:\n%s", all)
	}
}

// The proxy of the environment, as a real process has it, carries everything but
// what NO_PROXY names, the connections of Socket Mode too.
func TestTheEnvironmentsProxyCarriesAProcess(t *testing.T) {
	t.Parallel()
	g, dir := opened(t), t.TempDir()
	world, err := play.Open(play.Options{On: play.Both, Named: true, Socket: true, SignIn: true, Slow: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { world.Close() })
	g.leads(world)
	conf := string(demoConfig(world, home{world.BotAddr, fmt.Sprintf("data: %q", filepath.Join(dir, "keyturn.db"))}, "info"))
	conf = strings.Replace(outsideOnly(conf), "  proxy: none\n", fmt.Sprintf("  ca_bundle: %q\n", g.authority), 1)
	file := filepath.Join(dir, "keyturn.yaml")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := state.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var log safeBuffer
	program := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), exe, args...)
		cmd.Args[0] = "keyturn"
		cmd.Env = slices.Concat(os.Environ(), demoSecrets(world, key), []string{"HTTPS_PROXY=" + g.address, "NO_PROXY=learn.outside.test"})
		cmd.Stderr = &log
		return cmd
	}
	bot := program("serve", "--config", file)
	if err := bot.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- bot.Wait() }()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for deadline := time.After(patience); world.Slack.Sockets() < 2; {
		select {
		case <-again.C:
		case err := <-ended:
			t.Fatalf("the bot ended: %v\n%s", err, log.String())
		case <-deadline:
			t.Fatalf("the bot did not connect to Slack through the proxy:\n%s", log.String())
		}
	}
	out, err := program("doctor", "--json", "--config", file).Output()
	var d diagnosis
	if err := errors.Join(err, json.Unmarshal(out, &d)); err != nil || d.Broken > 0 {
		t.Errorf("the doctor ends with %v:\n%s", err, d.told(broken))
	}
	if told := d.told(warned); !strings.Contains(told, "Microsoft Learn: articles") || g.carried("learn.outside.test") > 0 {
		t.Errorf("what NO_PROXY names was asked for at the proxy %d times; warned is\n%s", g.carried("learn.outside.test"), told)
	}
	for _, host := range []string{realGraph, "slack.outside.test", "microsoft.outside.test", "servicenow.outside.test", "teams.outside.test"} {
		if g.carried(host) == 0 {
			t.Errorf("%s was not reached through the proxy of the environment", host)
		}
	}
	if strings.Contains(log.String()+string(out), gatewayPassword) {
		t.Errorf("the proxy's password is told:\n%s\n%s", log.String(), out)
	}
	if err := bot.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the bot ended with %v:\n%s", err, log.String())
	}
}
