package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"keyturn/sim"
	"keyturn/sim/play"
	"keyturn/state"
)

// withEverything is a tenant with a reader, on both platforms, in which people
// sign in.
var withEverything option = func(s *setting) {
	s.SignIn, s.On = true, play.Both
	withReader(s)
}

// doctor examines the house, after changes of its configuration and clock.
func (h *house) doctor(ahead time.Duration, edit func(string) string) *diagnosis {
	h.Helper()
	conf := h.conf
	if edit != nil {
		if conf = edit(conf); conf == h.conf {
			h.Fatal("the configuration was not changed")
		}
	}
	c, err := parseConfig([]byte(conf))
	if err != nil {
		h.Fatal(err)
	}
	tenants, wrong := c.check()
	if len(wrong) > 0 {
		h.Fatalf("the configuration is wrong: %s", wrong)
	}
	d, err := newDoctor(c, tenants, slog.New(slog.DiscardHandler), func() time.Time { return h.now().Add(ahead) })
	if err != nil {
		h.Fatal(err)
	}
	return d.examine(h.Context(), patience, func(int, int, string, []string) {})
}

// told is everything that has a state, as text.
func (d *diagnosis) told(state condition) string {
	var b strings.Builder
	for _, f := range d.Findings {
		if f.State == state {
			b.WriteString(f.Of + ": " + f.What + ": " + f.Says + " Fix: " + f.Fix + " (" + f.Code + ")\n")
		}
	}
	return b.String()
}

// secretFile is the reference of a secret in a file of its own.
func (h *house) secretFile(value string) string {
	h.Helper()
	path := filepath.Join(h.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
		h.Fatal(err)
	}
	return "file:" + path
}

func replacing(pattern, with string) func(string) string {
	return func(conf string) string { return regexp.MustCompile(pattern).ReplaceAllString(conf, with) }
}

func TestTheDoctorFindsAHealthyHouseFine(t *testing.T) {
	h := open(t, withEverything)
	d := h.doctor(0, nil)
	if d.Broken > 0 {
		t.Errorf("broken in a healthy house:\n%s", d.told(broken))
	}
	fine := d.told(fine)
	for _, want := range []string{"bot token: Accepted in Contoso", "13 of 13 were granted", "Slack knows all", "Microsoft Teams: the bot", "keys were read",
		"sign-in registration", "It reads service health", "message center: It can be read", "ServiceNow of contoso: the sign-in client", "Keyturn answers at http://",
		"Clock: this machine's: It agrees", "The state is sound", "Ways out: 127.0.0.1:"} {
		if !strings.Contains(fine, want) {
			t.Errorf("%q is not told as fine, but:\n%s", want, fine)
		}
	}
	if t.Failed() {
		t.Logf("warnings:\n%sunproved:\n%s", d.told(warned), d.told(unproved))
	}
}

// What is broken is found where it is, with its cause and its fix, and nothing
// else is called broken.
func TestTheDoctorFindsWhatIsBroken(t *testing.T) {
	h := open(t, withEverything)
	secret := h.secretFile
	for name, c := range map[string]struct {
		edit  func(string) string
		fault func()
		ahead time.Duration
		state condition
		want  []string // all of one finding
	}{
		"a wrong Slack token": {edit: replacing(`workspaces: .*`, "workspaces: {"+play.Team+": '"+secret("xoxb-other")+"'}"),
			want: []string{"Slack, workspace " + play.Team, "bot token", "does not accept", "OAuth & Permissions"}},
		"the token of another workspace": {edit: func(conf string) string {
			return strings.ReplaceAll(conf, play.Team, "T0ELSEWHERE")
		}, want: []string{"another workspace", play.Team, "slack.workspaces"}},
		"a missing scope": {fault: func() {
			h.world.Slack.Faults.Add(sim.Fault{Path: "/api/auth.test", Status: 200, Header: http.Header{"X-Oauth-Scopes": {"commands,chat:write,app_mentions:read,channels:read,groups:read,im:history,im:write,usergroups:read"}},
				Body: `{"ok":true,"url":"https://contoso.slack.com/","team":"Contoso","team_id":"` + play.Team + `","user_id":"U0KEYTURN","bot_id":"B0KEYTURN"}`})
		}, want: []string{"the scope users:read", "names of the people", "manifest", "install the app again"}},
		"a clock that is behind":       {ahead: -10*time.Minute - 30*time.Second, want: []string{"Clock", "10m", "behind", "refused", "chrony"}},
		"a certificate that has ended": {ahead: 20 * 365 * 24 * time.Hour, want: []string{"the certificate with which people of contoso sign in", "It ended on", "Fix: Make a new key pair"}},
		"a wrong app ID":               {edit: replacing(`entra_client_id: \S+`, `entra_client_id: "99999999-0000-4000-8000-000000000000"`), want: []string{"Entra and Graph of contoso", "99999999", "not known in the tenant", "AADSTS700016"}},
		"a wrong tenant": {edit: func(conf string) string {
			return strings.Replace(conf, "  directory: "+play.Directory+"\n  domain", "  directory: 99999999-0000-4000-8000-00000000dead\n  domain", 1)
		}, want: []string{"the tenant 99999999", "does not know"}},
		"a health reader with a wrong secret": {edit: replacing(`reader: \{client_id: ("[^"]*"), secret: [^}]*\}`, "reader: {client_id: $1, secret: '"+secret("wrong")+"'}"),
			want: []string{"the health reader", "client secret is wrong", "Value", "AADSTS7000215"}},
		"a refused permission": {fault: func() {
			h.world.Microsoft.Faults.Add(sim.Fault{Path: "/graph/v1.0/admin/serviceAnnouncement/healthOverviews", Status: 403, Body: `{"error":{"code":"UnknownError","message":"Missing required permissions"}}`})
		}, want: []string{"the health reader", "ServiceHealth.Read.All", "Privileged Role Administrator"}},
		"a message center that is refused": {state: warned, fault: func() {
			h.world.Microsoft.Faults.Add(sim.Fault{Path: "/graph/v1.0/admin/serviceAnnouncement/messages", Status: 403, Body: `{"error":{"code":"UnknownError","message":"Missing required permissions"}}`})
		}, want: []string{"message center", "ServiceMessage.Read.All", "Announcements are not posted"}},
		"a wrong secret at ServiceNow":      {edit: replacing(`servicenow_secret: \S+`, "servicenow_secret: '"+secret("wrong")+"'"), want: []string{"ServiceNow of contoso", "does not know Keyturn's sign-in client", "Application Registry"}},
		"a wrong secret of the Teams bot":   {edit: replacing(`  secret: file:\S+TEAMS_SECRET`, "  secret: '"+secret("wrong")+"'"), want: []string{"Microsoft Teams", "the bot", "secret is wrong", "AADSTS7000215"}},
		"a host that nobody can reach":      {edit: replacing(`  url: "http://[^"]*"`, `  url: "http://127.0.0.1:1"`), want: []string{"ServiceNow of contoso", "could not be reached", "Fix: Check the network and firewall"}},
		"a way out that is closed":          {state: warned, edit: replacing(`  status: "http://[^"]*"`, `  status: "http://127.0.0.1:1/"`), want: []string{"Ways out", "127.0.0.1:1", "public status page"}},
		"a Slack that nobody can reach":     {edit: replacing(`  slack: "http://[^"]*"`, `  slack: "http://127.0.0.1:1/"`), want: []string{"the bot token", "could not be reached", "Fix: Check the network and firewall"}},
		"a Learn that does not answer":      {state: warned, edit: replacing(`learn: "[^"]*"`, `learn: "http://127.0.0.1:1"`), want: []string{"Microsoft Learn", `learn: "off"`}},
		"pages that something else answers": {edit: func(conf string) string { return publicURL.ReplaceAllString(conf, "public_url: "+h.world.SlackURL) }, want: []string{"Keyturn's own pages", "is not Keyturn", "TLS"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.state == "" {
				c.state = broken
			}
			if c.fault != nil {
				c.fault()
			}
			d := h.doctor(c.ahead, c.edit)
			h.world.Slack.Faults.Clear()
			h.world.Microsoft.Faults.Clear()
			told := d.told(c.state)
			found := false
			for line := range strings.Lines(told) {
				all := true
				for _, w := range c.want {
					all = all && strings.Contains(line, w)
				}
				found = found || all
			}
			if !found {
				t.Errorf("no finding says %q; told as %s:\n%s\nall that is broken:\n%s", c.want, c.state, told, d.told(broken))
			}
		})
	}
}

// The program prints a line for everything, ends with 1 where something is
// broken, and shows no secret in either form.
func TestTheDoctorAsACommand(t *testing.T) {
	h := open(t, withEverything)
	examine := func(conf string, args ...string) (code int, out, complaint string) {
		file := filepath.Join(t.TempDir(), "keyturn.yaml")
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		var o, e strings.Builder
		code = run(t.Context(), append([]string{"doctor", "--config", file}, args...), &o, &e)
		for _, s := range []string{play.SlackToken, play.SlackSigning, play.TeamsSecret, play.ReaderSecret, play.SignInNowSecret, "eyJhbGciOi"} {
			if strings.Contains(o.String()+e.String(), s) {
				t.Errorf("a secret is printed")
			}
		}
		return code, o.String(), e.String()
	}
	code, out, complaint := examine(h.conf)
	if code != 0 || !strings.Contains(out, " 0 broken") || !strings.Contains(complaint, "] Slack, workspace "+play.Team) {
		t.Errorf("a healthy house ends with %d:\n%s\n%s", code, out, complaint)
	}
	code, out, complaint = examine(strings.Replace(h.conf, h.world.ServiceNowURL, "http://127.0.0.1:1", -1), "--json")
	var d diagnosis
	if err := json.Unmarshal([]byte(out), &d); err != nil || d.Broken == 0 || code != 1 || !strings.Contains(complaint, "broken; each with its fix above") {
		t.Errorf("a broken house ends with %d, %v:\n%s\n%s", code, err, out, complaint)
	}
	code, out, _ = examine(strings.Replace(h.conf, "zone: Europe/Berlin", "zone: Berlin", 1))
	if code != 1 || !strings.Contains(out, "is no time zone") {
		t.Errorf("half a configuration ends with %d:\n%s", code, out)
	}
	h.halt()
	key, err := state.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(other, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ = examine(replacing(`(?m)^key: \S+`, "key: file:"+other)(h.conf))
	if code != 1 || !strings.Contains(out, "put that one back") {
		t.Errorf("another key ends with %d:\n%s", code, out)
	}
	h.start()
}

// What runs have made is looked at through the running bot: the configuration
// names no reader, and the doctor still reads with the one of the guide.
func TestTheDoctorLooksAtWhatRunsHaveMade(t *testing.T) {
	h := open(t, withSignIn)
	h.finishes("direct")
	told := h.doctor(0, nil).told(fine)
	for _, want := range []string{"Standing rights of contoso: the health reader", "the last reading: Read at", "the dedicated user at ServiceNow"} {
		if !strings.Contains(told, want) {
			t.Errorf("%q is not told as fine, but:\n%s", want, told)
		}
	}
}
