package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// asProgram is what the test binary is when it runs as the program.
var asProgram = main

// TestMain lets the test binary be the program: the sessions under
// testdata/script run it as people and service managers do.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"keyturn": func() { asProgram() }})
}

func TestSessions(t *testing.T) {
	valid, err := os.ReadFile("testdata/valid.yaml")
	if err != nil {
		t.Fatal(err)
	}
	key, err := state.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("KEYTURN_KEY", key)
			e.Setenv("SLACK_SIGNING_SECRET", "canary-signing-secret")
			e.Setenv("SLACK_BOT_TOKEN", "xoxb-canary-token")
			return os.WriteFile(filepath.Join(e.WorkDir, "keyturn.yaml"), valid, 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready":   ready,
			"audited": audited,
		},
	})
}

// ready waits until the bot that keeps its state in a file answers on its
// socket.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready data-file")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	path := socketPath(ts.MkAbs(args[0]))
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://keyturn/", nil)
		ts.Check(err)
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			ts.Fatalf("the bot did not become ready: %v", err)
		}
	}
}

// audited writes audit entries into the state of a configuration, as the work
// of a setup does.
func audited(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: audited config tenant")
	}
	conf, err := parseConfig([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	// The configuration names files and variables of the session, not of this
	// process.
	if conf.State.set() {
		conf.State.value = bot.NewSecret(ts.Getenv("KEYTURN_STATE"))
	} else {
		conf.Data = ts.MkAbs(conf.Data)
	}
	conf.Key.value = bot.NewSecret(ts.Getenv("KEYTURN_KEY"))
	store, err := openState(conf)
	ts.Check(err)
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	err = store.Commit(context.Background(), func(engine.View) (engine.Changes, error) {
		return engine.Changes{Audit: []bot.AuditEntry{
			{Tenant: bot.TenantID(args[1]), At: at, Person: "sana", Act: "approve", Note: "the plan of the registration"},
			{Tenant: bot.TenantID(args[1]), At: at.Add(time.Second), Person: "sana", Act: "call", Status: 201},
			{Tenant: bot.TenantID(args[1]), At: at.Add(2 * time.Second), Act: "result", Note: "read back"},
		}}, nil
	})
	ts.Check(err)
	ts.Check(store.Close())
}
