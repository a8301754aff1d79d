package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"keyturn/adapters/graph"
	"keyturn/adapters/httpx"
	"keyturn/adapters/slack"
	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/commands"
	"keyturn/web/about"
)

type serveCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"existingfile"`
}

// Run runs the bot until it is asked to stop.
func (s serveCmd) Run(c *console) error {
	conf, tenants, err := load(s.Config)
	if err != nil {
		return err
	}
	log := logger(c, conf.Log)
	if err := forbidDumps(); err != nil {
		log.Warn("a crash may leave secrets in a core file", "err", err)
	}
	b, err := build(conf, tenants, log, time.Now)
	if err != nil {
		return err
	}
	defer b.close()
	return b.serve(c.ctx)
}

type checkCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"existingfile"`
}

// Run prints what is wrong, or that nothing is.
func (s checkCmd) Run(c *console) error {
	conf, tenants, err := load(s.Config)
	if err != nil {
		return err
	}
	for _, w := range conf.unreached() {
		fmt.Fprintf(c.out, "warning: %s\n", w)
	}
	for _, t := range tenants {
		for _, n := range uncalled(t) {
			fmt.Fprintf(c.out, "note: %s: %s\n", t.ID, n)
		}
		for _, w := range warnings(t) {
			fmt.Fprintf(c.out, "warning: %s: %s\n", t.ID, w)
		}
	}
	fmt.Fprintf(c.out, "The configuration is complete: %d tenant(s).\n", len(tenants))
	return nil
}

// uncalled says what is lost where the configuration has Keyturn call nothing:
// a choice, and no mistake.
func uncalled(t *bot.Tenant) (out []string) {
	if t.Mode(bot.Graph) == bot.NoCalls {
		out = append(out, "sign_in.entra is none, or missing: nothing is called at Entra as somebody. Its steps are done by hand from a guide or a script, also those that replace a credential or clean up, and a person's word is what counts. "+
			"Reading service health needs no such call")
	}
	if t.Instance != "" && t.Mode(bot.ServiceNow) == bot.NoCalls {
		out = append(out, "sign_in.servicenow is none, or missing: nothing is called at ServiceNow as somebody. Its steps are done by hand, the guide direct makes no ServiceNow incidents, and no change is read there")
	}
	return out
}

// warnings says what works but will bite.
func warnings(t *bot.Tenant) (out []string) {
	gaps := t.Gaps()
	for _, k := range sortedKeys(gaps) {
		out = append(out, gaps[k])
	}
	for _, r := range bot.Roles {
		for _, id := range slices.Concat(t.Holders[r], t.Backups[r]) {
			if p, ok := t.Person(id); ok && len(p.Accounts) == 0 {
				out = append(out, p.Name+" has no chat account, so they cannot be reached")
			}
		}
	}
	return out
}

// load reads and checks a configuration.
func load(path string) (*config, []*bot.Tenant, error) {
	conf, err := readConfig(path)
	if err != nil {
		return nil, nil, err
	}
	tenants, f := conf.check()
	if len(f) > 0 {
		return nil, nil, &configError{path, f}
	}
	return conf, tenants, nil
}

// configError is everything that is wrong with a configuration.
type configError struct {
	path   string
	faults faults
}

// Error lists the faults, a line each.
func (e *configError) Error() string {
	return fmt.Sprintf("%s has %d error(s):\n  %s", e.path, len(e.faults), strings.Join(e.faults, "\n  "))
}

func logger(c *console, level string) *slog.Logger {
	l := slog.LevelInfo
	_ = l.UnmarshalText([]byte(level))
	return slog.New(logHandler(c.err, l))
}

// process is everything that serve runs.
type process struct {
	conf    *config
	tenants []*bot.Tenant
	store   store
	slack   *slack.Adapter // nil without Slack
	engine  *engine.Engine
	routes  *http.ServeMux
	metrics *metrics
	log     *slog.Logger
	door    net.Listener // open already; nil is opened at conf.Listen
}

// build wires the bot: the only place where an adapter meets the store.
func build(c *config, tenants []*bot.Tenant, log *slog.Logger, now func() time.Time) (*process, error) {
	store, err := c.openStore(log, now)
	if err != nil {
		return nil, err
	}
	if err := reseal(store, log); err != nil {
		store.Close()
		return nil, err
	}
	tokens := engine.Sessions{Store: store, Now: now}
	out, err := c.connect(tokens, log, now)
	if err != nil {
		store.Close()
		return nil, err
	}
	client, g, sn := out.http, out.graph, out.servicenow
	p := &process{conf: c, tenants: tenants, store: store, log: log, routes: http.NewServeMux(), metrics: newMetrics(tenants, c.Audit.Heads.Every.or(time.Hour), now)}
	p.metrics.store = store
	witness, err := c.Audit.witness(client, c.Outside.CABundle, log, now)
	if err != nil {
		store.Close()
		return nil, err
	}
	desk, table := &desk{}, commands.New("/keyturn")
	chats, err := p.platforms(desk, table, out, now)
	if err != nil {
		store.Close()
		return nil, err
	}
	ways, monitors, err := c.outward(client, now)
	if err != nil {
		store.Close()
		return nil, err
	}
	env, err := c.env(tenants)
	if err != nil {
		store.Close()
		return nil, err
	}
	p.engine = engine.New(engine.Config{
		Sent: p.metrics.sent, Ways: ways, Monitors: monitors, Public: c.publicStatus(client),
		Env:     env,
		Store:   store,
		Chats:   chats,
		Callers: map[bot.System]bot.Caller{bot.Graph: g, bot.Login: g, bot.DNS: g, bot.ServiceNow: sn},
		Health:  health{g},
		Witness: watched{witness, p.metrics},
		Library: c.library(client),
		Decide:  table.Decide,
		Now:     now, ID: httpx.NewRequestID, Keys: keyMaker{}, Pace: c.pace(store), Paint: paint, Log: log, Wait: c.pauses.wait, Backoff: c.pauses.backoff,
	})
	desk.Engine = p.engine
	if err := p.pages(map[bot.System]engine.Door{bot.Graph: g, bot.ServiceNow: sn}); err != nil {
		store.Close()
		return nil, err
	}
	p.routes.HandleFunc("GET /healthz", alive)
	p.routes.HandleFunc("GET /readyz", p.readyz)
	about.Serve(p.routes)
	return p, nil
}

// desk lets the chat adapter be made before the engine that it reports to.
type desk struct{ *engine.Engine }

// health reads service communications for the engine.
type health struct{ *graph.Client }

// Issues implements [engine.Health].
func (h health) Issues(ctx context.Context, t bot.TenantID, as bot.Reader, since time.Time) ([]json.RawMessage, error) {
	r, err := h.Client.Issues(ctx, t, as, since)
	return r.Items, err
}

// Messages implements [engine.MessageCenter].
func (h health) Messages(ctx context.Context, t bot.TenantID, as bot.Reader, since time.Time) ([]json.RawMessage, error) {
	r, err := h.Client.Messages(ctx, t, as, since)
	return r.Items, err
}

// Overviews implements [engine.Overviews].
func (h health) Overviews(ctx context.Context, t bot.TenantID, as bot.Reader) ([]json.RawMessage, error) {
	r, err := h.Client.Overviews(ctx, t, as)
	return r.Items, err
}

func (c *config) env(tenants []*bot.Tenant) (*engine.Env, error) {
	_, auditor, err := c.keys()
	if err != nil {
		return nil, err
	}
	return &engine.Env{Alias: auditor.Alias,
		Learns: c.Learn != "off", Tenants: tenants, Guide: setup.GuideFor, Base: c.base, Public: strings.TrimSuffix(c.PublicURL, "/"), Gate: c.gate,
		Pace: c.Checklist.Every.or(5 * time.Second), PaceAfterClick: c.Checklist.AfterClick.or(1500 * time.Millisecond),
		PollEvery: c.PollEvery.or(2 * time.Minute), CheckEvery: c.CheckEvery.or(15 * time.Second), HeadEvery: c.Audit.Heads.Every.or(time.Hour),
		SummaryAfter: c.SummaryAfter.or(incident.SummaryAfter)}, nil
}

// pace keeps to the platforms' limits, or to a replica's part of them.
func (c *config) pace(s store) engine.Pace {
	if (c.Slack == nil || c.Slack.Unpaced) && (c.Teams == nil || c.Teams.Unpaced) {
		return engine.NoLimits{}
	}
	limits := engine.NewLimits()
	if shared, ok := s.(interface{ Replicas() int }); ok {
		limits.Share = shared.Replicas
	}
	return limits
}

func (p *process) close() {
	if err := p.store.Close(); err != nil {
		p.log.Error("the store did not close cleanly", "err", err)
	}
}

// noticeTime is how long a replica that is not ready any more goes on answering:
// so much time has what distributes requests to notice.
const noticeTime = 2 * time.Second

// notice is for replicas alone. Where there is one process, nobody else could
// answer meanwhile.
func (p *process) notice() time.Duration {
	if p.conf.State.set() {
		return noticeTime
	}
	return 0
}

// serve listens and works until ctx is done, then drains: requests in flight
// are answered, jobs in flight finish or are given back, and new requests are
// told to come again, for as long as that takes and never longer than ten
// seconds in all.
func (p *process) serve(ctx context.Context) error {
	l, err := p.open()
	if err != nil {
		return err
	}
	socket, err := p.socket()
	if err != nil {
		l.Close()
		return err
	}
	defer socket()
	if err := p.serveMetrics(ctx); err != nil {
		l.Close()
		return err
	}
	srv := p.server()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	worked := make(chan error, 1)
	go func() {
		p.meet(ctx)
		worked <- p.engine.Run(ctx)
	}()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	fetched := p.fetch(ctx)
	p.log.Info("Keyturn is ready", "listen", l.Addr().String(), "version", version)
	select {
	case <-ctx.Done():
	case err = <-served:
	case err = <-worked:
		worked <- err
	}
	p.engine.Drain()
	noticed := time.After(p.notice())
	stop()
	<-fetched
	werr := <-worked
	<-noticed
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if srv.Shutdown(grace) != nil {
		srv.Close()
	}
	if err == nil || errors.Is(err, http.ErrServerClosed) {
		err = werr
	}
	p.log.Info("Keyturn has stopped")
	return err
}

// open is where the platforms come in.
func (p *process) open() (net.Listener, error) {
	if p.door != nil {
		return p.door, nil
	}
	l, err := net.Listen("tcp", p.conf.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w (is another Keyturn running, or the port taken?)", p.conf.Listen, err)
	}
	locked, err := p.conf.lock(l)
	if err != nil {
		l.Close()
	}
	return locked, err
}

// server answers the platforms. A slow or endless request holds no connection
// for long.
func (p *process) server() *http.Server {
	return &http.Server{Handler: p.conf.door(p.routes, time.Now), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelWarn)}
}

// meet has the chat platform say who the bot is before the first message goes
// out: without that a message has no link, and a wrong token shows late.
func (p *process) meet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for team := range p.conf.workspaces() {
		all.Go(func() {
			if _, err := p.slack.Identify(ctx, team); err != nil {
				p.log.Warn("Slack does not say who the bot is", "workspace", team, "err", err)
			}
		})
	}
	all.Wait()
}
