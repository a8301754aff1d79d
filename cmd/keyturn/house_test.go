package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/sim"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
	"keyturn/state"
)

// patience is how long a test waits for what it expects. Only a test that fails
// waits so long, and a busy machine may need much of it.
const patience = 60 * time.Second

// publicURL is the bot's own address in a configuration: each life has another.
var publicURL = regexp.MustCompile(`public_url: \S+`)

// house is the organisation's simulators with the real bot beside them, in
// this process. Tests talk in it as people do: they type, click and fill in
// forms, and expect what people see. Every expectation waits for what
// has not come yet, and fails with what Slack shows instead.
type house struct {
	*testing.T
	world *play.World
	crew  *play.Crew
	conf  string // the configuration, as a file would hold it
	data  string
	ahead atomic.Int64 // how far everybody's clock is ahead of the wall's
	disk  func(engine.Store) engine.Store
	ports func(*engine.Engine) // between the bot and its store; nil is none
	haste pauses               // between two tries; real ones where it is zero
	log   safeBuffer
	story safeBuffer // the crew's transcript

	bot *running

	private map[string]mark // by person: what they had seen before their last act
	calls   map[*sim.Journal]int
}

// running is one life of the bot.
type running struct {
	*process
	stop  context.CancelFunc
	ended chan error
}

// setting changes a house before it opens.
type setting struct {
	play.Options
	edit  []func(conf string) string
	world func(*play.World) // once the simulators are there
	disk  func(engine.Store) engine.Store
	ports func(*engine.Engine)
	haste pauses
}

type option func(*setting)

// reword replaces a part of the configuration, which must be there.
func reword(old, now string) option {
	return func(s *setting) {
		s.edit = append(s.edit, func(conf string) string {
			if !strings.Contains(conf, old) {
				panic(fmt.Sprintf("the configuration has no %q:\n%s", old, conf))
			}
			return strings.Replace(conf, old, now, 1)
		})
	}
}

// The ways in which the houses of tests differ.
var (
	// withSignIn has people sign in at the systems: the bot has no credential of
	// its own that writes.
	withSignIn option = func(s *setting) { s.SignIn = true }
	// withLeftovers is a world in which somebody set the connector up by hand,
	// years ago.
	withLeftovers option = func(s *setting) { s.Left = true }
	// withSocketMode has the bot open the connections to Slack.
	withSocketMode option = func(s *setting) { s.Socket = true }
	// withLag has Entra replicate as slowly as it really does.
	withLag option = func(s *setting) { s.Lag = nil }
	// withSlackLimits has Slack refuse what comes too fast, and the bot pace
	// itself.
	withSlackLimits option = func(s *setting) { s.Limit = true; reword("  unpaced: true\n", "")(s) }
	// withChangeNumbers has the tenant ask for a change number.
	withChangeNumbers = reword("  sign_in:", "  change: {required: true, pattern: 'CHG[0-9]{7}', example: CHG0031337}\n  sign_in:")
	// withoutFourEyes lets the requester approve their own steps.
	withoutFourEyes = reword("  sign_in:", "  four_eyes: false\n  sign_in:")
	// withReader has the configuration name a credential for service health.
	withReader = reword("  sign_in:", fmt.Sprintf("  reader: {client_id: %q, secret: env:READER_SECRET}\n  sign_in:", play.ReaderClient))
	// withoutServiceNow is a tenant that has no ServiceNow.
	withoutServiceNow option = func(s *setting) {
		s.edit = append(s.edit, func(conf string) string {
			before, rest, _ := strings.Cut(conf, "  servicenow:\n")
			_, after, ok := strings.Cut(rest, "  simulator: {client_id: \""+play.GraphClient)
			if !ok {
				panic("the configuration of the demo has changed")
			}
			return before + "  simulator: {client_id: \"" + play.GraphClient + after
		})
	}
	// withTwoTenants adds a second tenant for which the same workspace speaks.
	withTwoTenants option = func(s *setting) {
		s.edit = append(s.edit, func(conf string) string {
			return conf + fmt.Sprintf(`- id: fabrikam
  name: Fabrikam
  directory: 8d4e0f52-1d0b-4a63-9f0e-5a2f1c9b7d11
  domain: fabrikam.example
  slack: [%s]
  people:
  - {id: %s, name: Rita, accounts: ["slack:%s:%s"]}
  owners: [Rita]
  roles: {requester: [Rita]}
`, play.Team, play.Rita.Entra, play.Team, play.Rita.Slack)
		})
	}
)

// holdsToo gives a person of the configuration one more role.
func holdsToo(who play.Person, role string) option {
	return func(s *setting) {
		s.edit = append(s.edit, func(conf string) string {
			head := "    " + role + ": ["
			if !strings.Contains(conf, head) {
				panic("nobody holds " + role + " in the demo's configuration")
			}
			return strings.Replace(conf, head, head+fmt.Sprintf("%q, ", who.Name), 1)
		})
	}
}

// open starts the simulators and the bot, beside other tests. Both end with
// the test.
func open(t *testing.T, options ...option) *house {
	t.Helper()
	t.Parallel()
	return openHere(t, options...)
}

// openHere is open for a test that runs beside others already.
func openHere(t *testing.T, options ...option) *house {
	t.Helper()
	h := &house{T: t, private: map[string]mark{}, calls: map[*sim.Journal]int{}}
	s := setting{Options: play.Options{Lag: &microsoft.Lag{}, Now: h.now, Slow: true}}
	reword("poll_every: 500ms", "poll_every: 100ms")(&s)
	reword("check_every: 300ms", "check_every: 60ms")(&s)
	reword("{every: 1s, after_click: 400ms}", "{every: 40ms, after_click: 20ms}")(&s)
	for _, o := range options {
		o(&s)
	}
	h.haste, h.disk, h.ports = s.haste, s.disk, s.ports
	var err error
	if h.world, err = play.Open(s.Options); err != nil {
		t.Fatal(err)
	}
	if s.world != nil {
		s.world(h.world)
	}
	dir, err := os.MkdirTemp("", "keyturn") // short: a socket's path has at most 104 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Cleanup(func() { h.world.Close() })
	h.data = filepath.Join(dir, "keyturn.db")
	h.conf = string(demoConfig(h.world, home{h.world.BotAddr, fmt.Sprintf("data: %q", h.data)}, "debug"))
	for _, edit := range s.edit {
		h.conf = edit(h.conf)
	}
	h.keep(dir)
	h.crew = play.NewCrew(h.world, &h.story)
	h.start()
	t.Cleanup(func() {
		if h.bot != nil {
			h.halt()
		}
		if t.Failed() {
			t.Logf("what the people did and saw:\n%s", tail(h.story.String(), 12000))
			t.Logf("what the bot logged:\n%s", tail(h.logged("DEBUG"), 4000))
		}
	})
	return h
}

// keep puts the secrets into files and has the configuration name those, so
// that tests share no environment.
func (h *house) keep(dir string) {
	key, err := state.NewKey()
	if err != nil {
		h.Fatal(err)
	}
	for _, pair := range append(demoSecrets(h.world, key), "READER_SECRET="+play.ReaderSecret) {
		name, value, _ := strings.Cut(pair, "=")
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			h.Fatal(err)
		}
		h.conf = strings.ReplaceAll(h.conf, "env:"+name, "file:"+path)
	}
}

// now is the time on everybody's clock.
func (h *house) now() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }

// later moves everybody's clock.
func (h *house) later(d time.Duration) { h.ahead.Add(int64(d)) }

// config reads the house's configuration anew.
func (h *house) config() (*config, []*bot.Tenant) {
	h.Helper()
	conf, err := parseConfig([]byte(h.conf))
	if err != nil {
		h.Fatal(err)
	}
	tenants, wrong := conf.check()
	if len(wrong) > 0 {
		h.Fatalf("the configuration is wrong:\n%s", strings.Join(wrong, "\n"))
	}
	return conf, tenants
}

// start begins a life of the bot and waits until it answers. The port is a
// fresh one, and open from the beginning: nobody else may take it between two
// lives.
func (h *house) start() {
	h.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.Fatal(err)
	}
	h.conf = publicURL.ReplaceAllString(h.conf, "public_url: http://"+l.Addr().String())
	conf, tenants := h.config()
	conf.Listen, conf.pauses = l.Addr().String(), h.haste
	conf.pauses.form = patience
	logs := slog.New(logHandler(&h.log, slog.LevelDebug))
	p, err := build(conf, tenants, logs, h.now)
	if err != nil {
		l.Close()
		h.Fatalf("the bot did not start: %v", err)
	}
	p.door = l
	if h.disk != nil {
		p.engine.Store = h.disk(p.engine.Store)
	}
	if h.ports != nil {
		h.ports(p.engine)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{process: p, stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- p.serve(ctx) }()
	if err := r.ready(); err != nil {
		stop()
		p.close()
		h.Fatalf("the bot did not start: %v", err)
	}
	if err := h.world.BotAt("http://" + conf.Listen); err != nil {
		h.Fatal(err)
	}
	if h.world.Teams != nil {
		h.world.Teams.SetBotURL("http://" + conf.Listen)
	}
	if h.world.Socket {
		h.connected()
	}
	h.bot = r
}

func (r *running) ready() error {
	deadline := time.After(patience)
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for {
		resp, err := http.Get("http://" + r.conf.Listen + "/healthz")
		if err == nil {
			resp.Body.Close()
			return nil
		}
		select {
		case err := <-r.ended:
			return fmt.Errorf("the bot ended: %w", err)
		case <-deadline:
			return err
		case <-again.C:
		}
	}
}

// halt ends the bot as SIGTERM does: what is in flight is finished.
func (h *house) halt() {
	h.Helper()
	b := h.bot
	h.bot = nil
	b.stop()
	select {
	case err := <-b.ended:
		if err != nil {
			h.Errorf("the bot ended with: %v", err)
		}
	case <-time.After(patience):
		h.Error("the bot did not end")
	}
	b.close()
}

// restart ends the bot and starts it again with the same state.
func (h *house) restart() {
	h.Helper()
	h.halt()
	h.start()
}

// cut ends the bot as a lost disk would: nothing that is in flight is
// committed any more. Then it starts again.
func (h *house) cut() {
	h.Helper()
	h.fall(func() {})
}

// fall ends the bot as cut does, and has something done before it starts again.
func (h *house) fall(meanwhile func()) {
	h.Helper()
	b := h.bot
	h.bot = nil
	b.close()
	b.stop()
	<-b.ended
	meanwhile()
	h.start()
}

// read looks into the bot's store.
func (h *house) read(f func(engine.View) error) {
	h.Helper()
	if err := engine.Named(h.bot.store, h.bot.engine.Env).Read(context.Background(), f); err != nil {
		h.Fatal(err)
	}
}

// audit is the tenant's trail as it was signed, oldest first: with pseudonyms.
func (h *house) audit() (out []bot.AuditEntry) {
	h.Helper()
	h.read(func(v engine.View) (err error) { out, err = v.Audit("contoso", allAudit); return err })
	return out
}

// idle waits until the bot has nothing left to do now. A job that only looks
// again from time to time is not work.
func (h *house) idle() {
	h.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	quiet := 0
	for {
		busy := ""
		h.read(func(v engine.View) error {
			jobs, err := v.Jobs("")
			for _, j := range jobs {
				waits := j.Kind == "poll" || j.Kind == "messages" || j.Kind == "tickets" || (j.Kind == "step" && j.Tries == 0 && j.Due.Sub(j.Made) > 0)
				if !j.Dead && !waits && j.Due.Before(h.now().Add(time.Second)) {
					busy = j.Lane + " " + j.Kind
				}
			}
			return err
		})
		if busy == "" {
			quiet++
		} else {
			quiet = 0
		}
		if quiet == 3 {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			h.fail("the bot is still at work: %s", busy)
		}
	}
}
