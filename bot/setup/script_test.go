package setup_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// script is the code part of the script for calls.
func script(t *testing.T, title string, calls ...bot.Call) string {
	t.Helper()
	r, g := at(setup.Planned)
	r.Step("make").Plan.Calls = calls
	spec := *mustStep(g, "make")
	spec.Title = title
	for _, p := range sceneOf(g, &r).Script(&spec, r.Step("make")).Parts {
		if c, ok := p.(bot.Code); ok {
			return c.Text
		}
	}
	t.Fatal("there is no script in the message")
	return ""
}

func TestTheScript(t *testing.T) {
	golden(t, "script.txt", script(t, "Make the application", sampleCalls()...))
}

// run lets a real shell run a script, with a curl that only writes its
// arguments down, a line each.
func run(t *testing.T, script string) (args []string, files []string) {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell to try the script in")
	}
	dir := t.TempDir()
	curl := "#!/bin/sh\nfor a in \"$@\"; do printf '%s\\036' \"$a\"; done >> \"$OUT\"\n"
	if err := os.WriteFile(filepath.Join(dir, "curl"), []byte(curl), 0o755); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sh, "-c", script)
	cmd.Dir = work
	cmd.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", "OUT=" + filepath.Join(dir, "out"), "GRAPH_TOKEN=graph-token", "SN_TOKEN=sn-token"}
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("the script fails: %v\n%s\n%s", err, out, script)
	}
	b, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(work)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		files = append(files, f.Name())
	}
	return strings.Split(strings.TrimSuffix(string(b), "\036"), "\036"), files
}

func TestTheScriptDoesInAShellWhatWasShown(t *testing.T) {
	args, _ := run(t, script(t, "Make it", sampleCalls()[1:]...))
	text := strings.Join(args, "\n")
	for _, want := range []string{"https://graph.microsoft.com/v1.0/applications", "Authorization: Bearer graph-token", "Authorization: Bearer sn-token",
		"Prefer: return=representation", "Keyturn's reader", "https://contoso.service-now.com/api/now/table/oauth_entity/APP_ID", "APP_SECRET"} {
		if !strings.Contains(text, want) {
			t.Errorf("curl was not given %q, but:\n%s", want, text)
		}
	}
}

func TestNoValueRunsAsACommand(t *testing.T) {
	for _, v := range []string{"$(touch pwned)", "`touch pwned`", "'; touch pwned; '", "\"; touch pwned; \"", "a\ntouch pwned\n", "\\'; touch pwned #", "$HOME", "!!", "~", "*", "a b",
		"x' -o pwned '", "&& touch pwned", "| touch pwned", "> pwned", "é😀", "\ttab", "\\", "{a,b}", "#", "--config=/etc/passwd", "%s%n"} {
		body, err := json.Marshal(map[string]string{"v": v})
		if err != nil {
			t.Fatal(err)
		}
		calls := []bot.Call{
			{System: bot.Graph, Method: "POST", Path: "/x?q=" + v, Header: map[string]string{"X-V": v}, Body: body, What: "Does " + v},
			{System: bot.ServiceNow, Method: "POST", Path: "/y", Form: map[string]string{"f": v}, What: "Sends a form"},
		}
		args, files := run(t, script(t, v, calls...))
		if len(files) > 0 {
			t.Errorf("%q made %v", v, files)
		}
		text := strings.Join(args, "\036")
		var pretty strings.Builder
		_ = json.NewEncoder(&pretty).Encode(v)
		for what, want := range map[string]string{"header": "X-V: " + v, "form": "f=" + v, "address": "/x?q=" + strings.ReplaceAll(v, " ", "%20")} {
			if !strings.Contains(text+"\036", want+"\036") {
				t.Errorf("%q: the %s came out otherwise:\n%q", v, what, text)
			}
		}
		var sent map[string]string
		for i, a := range args {
			if a == "-d" {
				if err := json.Unmarshal([]byte(args[i+1]), &sent); err != nil || sent["v"] != v {
					t.Errorf("%q: the body came out as %q (%v)", v, args[i+1], err)
				}
			}
		}
		if sent == nil {
			t.Errorf("%q: no body was sent", v)
		}
	}
}
