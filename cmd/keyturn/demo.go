package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
	"keyturn/sim/play"
	"keyturn/web/chat"
)

type demoCmd struct {
	Script bool   `help:"Play a whole guide by itself and print what happens."`
	Guide  string `help:"The guide to play." enum:"direct,connector,cleanup" default:"direct"`
	On     string `name:"platform" help:"Where the people chat: slack, teams, or both with some people on one only." enum:"slack,teams,both" default:"slack"`
	Socket bool   `name:"socket-mode" help:"Slack in Socket Mode: the bot opens the connections, and Slack needs no address of it."`
	Issues string `help:"File of issues in Graph shape; they are published post by post in time order." type:"existingfile"`
	Addr   string `help:"Where the chat page listens. The simulators and the bot take the seven ports after it." default:"127.0.0.1:8365"`
	Dir    string `help:"Where the demo remembers. Default: a folder of its own in the user's cache; --script forgets." type:"path"`
	Fresh  bool   `help:"Begin anew: forget what an earlier demo left in its folder."`
	State  string `help:"A PostgreSQL database that the bot keeps its state in, as postgres://user@host/database. The demo makes a schema of its own in it, drops that in the end, and remembers nothing."`
	Count  int    `name:"replicas" help:"With --state: so many processes of the bot share the work, and a click reaches any of them." default:"1"`
	Kill   int    `help:"With --script: kill the bot (kill -9) after every so many lines of the transcript." hidden:""`
	Log    string `help:"How much the bot logs: debug, info, warn, error." default:"warn"`
}

// Run runs the demo until it is stopped, or the script to its end.
func (d demoCmd) Run(c *console) error {
	if err := forbidDumps(); err != nil {
		fmt.Fprintln(c.err, "keyturn:", err)
	}
	database, drop, err := d.database()
	if err != nil {
		return err
	}
	defer func() {
		if err := drop(); err != nil {
			fmt.Fprintln(c.err, "keyturn:", err)
		}
	}()
	if d.Script {
		return d.script(c, database)
	}
	dir, done, err := d.folder()
	if err != nil {
		return err
	}
	defer done()
	host, port, err := d.address()
	if err != nil {
		return err
	}
	world, err := play.Open(play.Options{Dir: filepath.Join(dir, "organisation"), SignIn: true, Host: host, Port: port, Left: d.Guide == "cleanup", On: play.Platform(d.On), Socket: d.Socket, Knowledge: true})
	if err != nil {
		return err
	}
	defer world.Close()
	stories, err := d.stories()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	go func() {
		if err := world.Feed(ctx, stories, feedEvery, filepath.Join(dir, "organisation", "published.json")); err != nil {
			fmt.Fprintln(c.err, "keyturn:", err)
		}
	}()
	bots, err := startFleet(ctx, world, dir, d.Log, c.err, d.share(database))
	if err != nil {
		return err
	}
	defer bots.stop()
	return d.page(ctx, c, world, bots, net.JoinHostPort(host, strconv.Itoa(port)))
}

// feedEvery is the time between two posts of the simulated Microsoft.
const feedEvery = 20 * time.Second

// page serves the chat page until ctx is done.
func (d demoCmd) page(ctx context.Context, c *console, world *play.World, bots *fleet, addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("the chat page cannot listen: %w (choose another address with --addr)", err)
	}
	conf, chats := chat.Config{Teams: world.Teams, ImageOrigins: []string{"http://" + world.BotAddr}, Title: "Keyturn demo", Portals: portals(world), Menu: []chat.MenuItem{{ID: recommend.ActMessage, Words: "Is this Microsoft?"}}, Try: []string{"/keyturn setup " + d.Guide, "/keyturn health", "/keyturn recommend onedrive files stay at sync pending", "/keyturn help"}}, "Teams"
	if world.Platform.Slack() {
		conf.Slack, chats = world.Slack, "Slack"
	}
	if world.Platform == play.Both {
		chats = "Slack, Teams"
	}
	srv := &http.Server{Handler: chat.New(conf), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = srv.Close()
	}()
	next := "the next start goes on where you were"
	if d.State != "" {
		next = "the next start begins anew"
	}
	fmt.Fprintf(c.out, "The demo is at http://%s\nIt runs the bot (%s) against simulated %s, Entra, Graph, ServiceNow and Microsoft Learn on this machine.\nBe each of the people in turn; /keyturn setup begins. Ctrl-C stops; %s.\n", l.Addr(), bots.processes(), chats, next)
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func portals(w *play.World) []chat.Portal {
	return []chat.Portal{
		{Name: "Microsoft Entra", URL: w.MicrosoftURL + "/entra/", Role: "Entra admin"},
		{Name: "Microsoft 365 admin center", URL: w.MicrosoftURL + "/admin/", Role: "Microsoft 365 admin"},
		{Name: "ServiceNow", URL: w.ServiceNowURL + "/", Role: "ServiceNow admin"},
	}
}

// database is the address of the demo's schema, and what drops it; a zero address
// where the state is a file.
func (d demoCmd) database() (at bot.Secret, drop func() error, err error) {
	switch {
	case d.Count < 1:
		return bot.Secret{}, nil, errors.New("--replicas is a number from 1 on")
	case d.State == "" && d.Count > 1:
		return bot.Secret{}, nil, errors.New("several replicas share a database: name one with --state postgres://user@host/database")
	case d.State == "":
		return bot.Secret{}, func() error { return nil }, nil
	}
	return ownSchema(d.State)
}

func (d demoCmd) share(database bot.Secret) sharing {
	if database.IsZero() {
		return sharing{}
	}
	return sharing{databases: slices.Repeat([]bot.Secret{database}, d.Count)}
}

// passing is a folder that is gone in the end.
func passing() (dir string, done func(), err error) {
	if dir, err = os.MkdirTemp("", "keyturn-demo-*"); err != nil {
		return "", nil, fmt.Errorf("making a folder for the demo: %w", err)
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

// folder is where the demo remembers between two starts. What the bot knows and
// what the simulators know belong together: where the former is dropped in the
// end, so is the latter.
func (d demoCmd) folder() (dir string, done func(), err error) {
	if d.State != "" {
		return passing()
	}
	dir, err = d.kept()
	return dir, func() {}, err
}

func (d demoCmd) kept() (string, error) {
	dir := d.Dir
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("there is no folder for the demo's memory: %w (choose one with --dir)", err)
		}
		dir = filepath.Join(cache, "keyturn", "demo-"+d.Guide)
	}
	if d.Fresh {
		for _, part := range []string{"simulators", "bot"} {
			if err := os.RemoveAll(filepath.Join(dir, part)); err != nil {
				return "", fmt.Errorf("forgetting the earlier demo: %w", err)
			}
		}
	}
	return dir, os.MkdirAll(dir, 0o700)
}

func (d demoCmd) address() (host string, port int, err error) {
	host, p, err := net.SplitHostPort(d.Addr)
	if err == nil {
		port, err = strconv.Atoi(p)
	}
	if err != nil {
		return "", 0, fmt.Errorf("--addr %q is no address: write 127.0.0.1:8365", d.Addr)
	}
	return host, port, nil
}

// stories are those of the file, or the samples.
func (d demoCmd) stories() ([][]json.RawMessage, error) {
	if d.Issues == "" {
		return incident.SampleStories(), nil
	}
	b, err := os.ReadFile(d.Issues)
	if err != nil {
		return nil, fmt.Errorf("the issues cannot be read: %w", err)
	}
	items, err := incident.Items(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Issues, err)
	}
	return play.Told(items)
}

// script plays a guide by itself.
func (d demoCmd) script(c *console, database bot.Secret) error {
	dir := d.Dir
	if dir == "" {
		var done func()
		var err error
		if dir, done, err = passing(); err != nil {
			return err
		}
		defer done()
	}
	world, err := play.Open(play.Options{SignIn: true, Left: d.Guide == "cleanup", On: play.Platform(d.On), Socket: d.Socket})
	if err != nil {
		return err
	}
	defer world.Close()
	stories, err := d.stories()
	if err != nil {
		return err
	}
	bots, err := startFleet(c.ctx, world, dir, d.Log, c.err, d.share(database))
	if err != nil {
		return err
	}
	defer bots.stop()
	s := play.Script{World: world, Guide: d.Guide, Out: c.out, Stories: stories}
	if d.Kill > 0 {
		s.After = bots.killEvery(d.Kill)
	}
	return s.Play(c.ctx)
}
