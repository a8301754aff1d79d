package playground

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/sim/play"
	"keyturn/state"
)

const (
	// patience is how long the test waits for what it expects. Only one that
	// fails waits so long, and a browser on a busy machine may need much of it.
	patience  = 75 * time.Second
	botSecret = "the-secret-of-this-test"

	team      = "19:operations@thread.tacv2"
	incidents = "19:incidents@thread.tacv2"
)

// office is an organisation that uses Keyturn in Microsoft's client.
type office struct {
	*testing.T
	tools tools
	world *play.World
	relay *relay
	shots string

	browser *browser
	log     buffer // of the bot
	taken   int    // screenshots
}

// teamsID is what Teams calls a person.
func teamsID(p play.Person) string { return "29:" + p.Slack }

// home is a person's chat with the bot.
func home(p play.Person) string { return "a:" + p.Slack }

// startOffice starts the simulators, the bot, a Playground for each person and
// the browser. All of it ends with the test.
func startOffice(t *testing.T, people ...play.Person) *office {
	t.Helper()
	o := &office{T: t, tools: findTools(t), shots: os.Getenv("KEYTURN_SHOTS")}
	if o.shots == "" {
		o.shots = t.TempDir()
	} else if err := os.MkdirAll(o.shots, 0o755); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.world, err = play.Open(play.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.world.Close() })
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the bot logged:\n%s", o.log.tail(6000))
		}
	})
	o.relay = startRelay(t, "http://"+o.world.BotAddr+"/teams/messages")
	o.startBot()
	o.browser = startBrowser(t, o.tools)
	for _, p := range people {
		o.startPlayground(p)
	}
	return o
}

// start runs a program until the test ends.
func (o *office) start(cmd *exec.Cmd, out io.Writer) {
	o.Helper()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: its status says nothing
	})
}

func (o *office) startBot() {
	o.Helper()
	dir, err := os.MkdirTemp("", "keyturn") // short: a socket's path has at most 104 bytes
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { os.RemoveAll(dir) })
	exe := filepath.Join(dir, "keyturn")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", exe, "keyturn/cmd/keyturn").CombinedOutput(); err != nil {
		o.Fatalf("the bot cannot be built: %v\n%s", err, out)
	}
	conf := filepath.Join(dir, "keyturn.yaml")
	if err := os.WriteFile(conf, o.botConfig(filepath.Join(dir, "keyturn.db")), 0o600); err != nil {
		o.Fatal(err)
	}
	key, err := state.NewKey()
	if err != nil {
		o.Fatal(err)
	}
	cmd := exec.Command(exe, "serve", "--config", conf)
	cmd.Env = append(os.Environ(), "KEYTURN_KEY="+key, "TEAMS_SECRET="+botSecret, "SIM_GRAPH_SECRET="+play.GraphSecret)
	o.start(cmd, &o.log)
	o.answers("the bot", "http://"+o.world.BotAddr+"/healthz")
}

// botConfig is a tenant of two people: Rita asks, Priya is the admin.
func (o *office) botConfig(data string) []byte {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("listen: %q", o.world.BotAddr)
	p("data: %q", data)
	p("key: env:KEYTURN_KEY")
	p("log: debug")
	p("poll_every: 300ms")
	p("check_every: 200ms")
	p("checklist: {every: 500ms, after_click: 200ms}")
	p("outside:")
	p("  proxy: none")
	p("  resolver: %q", o.world.DNS)
	p("  graph: %q", o.world.MicrosoftURL+"/graph/v1.0")
	p("  login: %q", o.world.MicrosoftURL+"/login")
	p("  teams: %q", o.relay.url("/of/rita/_connector"))
	p("  teams_login: %q", o.relay.url("/login"))
	p("  teams_openid: %q", o.relay.url("/openid"))
	p("  portals: {login: %q, entra: %q, admin: %q}", o.world.MicrosoftURL+"/login", o.world.MicrosoftURL+"/entra", o.world.MicrosoftURL+"/admin")
	p("teams:")
	p("  app_id: %s", appID)
	p("  directory: %s", play.Directory)
	p("  secret: env:TEAMS_SECRET")
	p("  service_hosts: [%q]", o.relay.addr)
	p("  unpaced: true")
	p("tenants:")
	p("- id: contoso")
	p("  name: Contoso")
	p("  directory: %s", play.Directory)
	p("  domain: %s", play.Domain)
	p("  zone: Europe/Berlin")
	p("  teams: [%s]", play.Directory)
	p("  simulator: {client_id: %q, secret: env:SIM_GRAPH_SECRET}", play.GraphClient)
	p("  sign_in: {entra_client_id: %q, entra_redirect: %q}", play.SignInClient, play.SignInRedirect)
	p("  people:")
	for _, x := range []play.Person{play.Rita, play.Priya} {
		p("  - {id: %s, name: %q, accounts: [%q], admin: {entra: %q}}", x.Entra, x.Name, "teams:"+play.Directory+":"+x.Entra, x.UPN)
	}
	p("  owners: [%q]", play.Rita.Name)
	p("  roles: {requester: [%q], entra-admin: [%q], privileged-role-admin: [%q]}", play.Rita.Name, play.Priya.Name, play.Priya.Name)
	return []byte(b.String())
}

// startPlayground starts Microsoft's client for one person and opens it.
func (o *office) startPlayground(who play.Person) {
	o.Helper()
	dir := o.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".m365agentsplayground.yml"), playgroundConfig(who), 0o600); err != nil {
		o.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		o.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	at := fmt.Sprintf("http://127.0.0.1:%d", port)
	window := windowOf(who)
	o.relay.opens(window, at)
	cmd := exec.Command(o.tools.node, filepath.Join(o.tools.dir, "node_modules", "@microsoft", "m365agentsplayground", "cli.js"),
		"-e", o.relay.url("/of/"+window+"/api/messages"), "-c", "msteams", "-p", fmt.Sprint(port),
		"--service-url", o.relay.url("/of/"+window+"/_connector"), "--disable-telemetry")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TEAMSAPPTESTER_BROWSER=none")
	said := &buffer{}
	o.start(cmd, said)
	o.Cleanup(func() {
		if o.Failed() {
			o.Logf("what %s's Playground said:\n%s", who.Name, said.tail(2000))
		}
	})
	o.answers(who.Name+"'s Playground", at+"/_debug/ping")
	o.browser.do(command{Do: "open", Window: window, URL: at + "/"})
	o.browser.do(command{Do: "onlyTheChat", Window: window})
}

// playgroundConfig is an organisation as the Playground wants it: the person
// at the screen and exactly five others.
func playgroundConfig(who play.Person) []byte {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	person := func(x play.Person) string {
		given, family, _ := strings.Cut(x.Name, " ")
		return fmt.Sprintf("{id: %q, name: %q, userPrincipleName: %q, aadObjectId: %q, givenName: %q, surname: %q, email: %q}", teamsID(x), x.Name, x.UPN, x.Entra, given, family, x.UPN)
	}
	p(`version: "0.1.1"`)
	p("tenantId: %s", play.Directory)
	p("bot: {id: %q, name: %q}", "28:"+appID, botName)
	p("currentUser: %s", person(who))
	p("users:")
	others := 0
	for _, x := range play.Everybody() {
		if x.Name != who.Name && others < 5 {
			p("- %s", person(x))
			others++
		}
	}
	p("personalChat: {id: %q}", home(who))
	p("groupChat: {id: %q, name: War room}", "19:warroom@thread.v2")
	p("team:")
	p("  id: %q", team)
	p("  name: IT operations")
	p("  aadGroupId: 55555555-0000-4000-8000-000000000001")
	p("  channels: [{id: %q, name: incidents}]", incidents)
	return []byte(b.String())
}

// answers waits until something answers at an address.
func (o *office) answers(what, address string) {
	o.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			o.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			return
		}
		select {
		case <-ctx.Done():
			o.Fatalf("%s does not answer at %s: %v", what, address, err)
		case <-again.C:
		}
	}
}

// buffer is a buffer for several writers.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) tail(n int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.b.String()
	return s[max(0, len(s)-n):]
}
