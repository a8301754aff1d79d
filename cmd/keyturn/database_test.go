package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"keyturn/bot"
	"keyturn/state"
)

// ownDatabase is the address of a schema of the test's own, dropped after it, in
// the database that KEYTURN_TEST_POSTGRES names.
func ownDatabase(t *testing.T) bot.Secret {
	t.Helper()
	at := os.Getenv("KEYTURN_TEST_POSTGRES")
	if at == "" {
		t.Skip("KEYTURN_TEST_POSTGRES names no database: set it to a postgres:// address where schemas may be made")
	}
	url, drop, err := ownSchema(at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return url
}

func TestSessionsWithADatabase(t *testing.T) {
	ownDatabase(t) // or skip
	valid, err := os.ReadFile("testdata/valid.yaml")
	if err != nil {
		t.Fatal(err)
	}
	key, err := state.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	conf := regexp.MustCompile(`(?m)^data: .*$`).ReplaceAllString(string(valid), "state: env:KEYTURN_STATE")
	conf = regexp.MustCompile(`(?m)^listen: .*\n`).ReplaceAllString(conf, "")
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/database",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("KEYTURN_KEY", key)
			e.Setenv("KEYTURN_STATE", ownDatabase(t).Reveal())
			e.Setenv("SLACK_SIGNING_SECRET", "canary-signing-secret")
			e.Setenv("SLACK_BOT_TOKEN", "xoxb-canary-token")
			for file, name := range map[string]string{"keyturn.yaml": "ONE", "second.yaml": "TWO", "third.yaml": "THREE"} {
				addr, err := freeAddr("127.0.0.1:0")
				if err != nil {
					return err
				}
				e.Setenv(name, "http://"+addr)
				if err := os.WriteFile(filepath.Join(e.WorkDir, file), []byte("listen: "+addr+"\n"+conf), 0o600); err != nil {
					return err
				}
			}
			addr := strings.TrimPrefix(e.Getenv("THREE"), "http://")
			inFile := strings.Replace(conf, "state: env:KEYTURN_STATE", "data: old.db", 1)
			return os.WriteFile(filepath.Join(e.WorkDir, "file.yaml"), []byte("listen: "+addr+"\n"+inFile), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"answers": answers,
			"audited": audited,
			"newkey": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv("KEYTURN_KEY", strings.TrimSpace(ts.ReadFile(args[0])))
			},
		},
	})
}

// answers waits until an address answers 200.
func answers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: answers URL")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
		ts.Check(err)
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			ts.Fatalf("%s does not answer: %v", args[0], err)
		}
	}
}
