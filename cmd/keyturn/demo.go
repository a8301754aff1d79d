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
	"strconv"
	"time"

	"keyturn/bot/incident"
	"keyturn/sim/play"
	"keyturn/web/chat"
)

type demoCmd struct {
	Script bool   `help:"Play a whole guide by itself and print what happens."`
	Guide  string `help:"The guide to play." enum:"direct,connector,cleanup" default:"direct"`
	On     string `name:"platform" help:"Where the people chat: slack, teams, or both with some people on one only." enum:"slack,teams,both" default:"slack"`
	Issues string `help:"File of issues in Graph shape; they are published post by post in time order." type:"existingfile"`
	Addr   string `help:"Where the chat page listens. The simulators and the bot take the seven ports after it." default:"127.0.0.1:8365"`
	Dir    string `help:"Where the demo remembers. Default: a folder of its own in the user's cache; --script forgets." type:"path"`
	Fresh  bool   `help:"Begin anew: forget what an earlier demo left in its folder."`
	Kill   int    `help:"With --script: kill the bot (kill -9) after every so many lines of the transcript." hidden:""`
	Log    string `help:"How much the bot logs: debug, info, warn, error." default:"warn"`
}

// Run runs the demo until it is stopped, or the script to its end.
func (d demoCmd) Run(c *console) error {
	if d.Script {
		return d.script(c)
	}
	dir, err := d.folder()
	if err != nil {
		return err
	}
	host, port, err := d.address()
	if err != nil {
		return err
	}
	world, err := play.Open(play.Options{Dir: filepath.Join(dir, "organisation"), SignIn: true, Host: host, Port: port, Left: d.Guide == "cleanup", On: play.Platform(d.On)})
	if err != nil {
		return err
	}
	defer world.Close()
	raw, err := d.issues()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	go func() {
		if err := world.Feed(ctx, raw, feedEvery, filepath.Join(dir, "organisation", "published.json")); err != nil {
			fmt.Fprintln(c.err, "keyturn:", err)
		}
	}()
	child, err := startBot(ctx, world, dir, d.Log, c.err)
	if err != nil {
		return err
	}
	defer child.stop()
	return d.page(ctx, c, world, child, net.JoinHostPort(host, strconv.Itoa(port)))
}

// feedEvery is the time between two posts of the simulated Microsoft.
const feedEvery = 20 * time.Second

// page serves the chat page until ctx is done.
func (d demoCmd) page(ctx context.Context, c *console, world *play.World, child *child, addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("the chat page cannot listen: %w (choose another address with --addr)", err)
	}
	conf, chats := chat.Config{Teams: world.Teams, Title: "Keyturn demo", Portals: portals(world), Try: []string{"/keyturn setup " + d.Guide, "/keyturn health", "/keyturn recommend onedrive files stay at sync pending", "/keyturn help"}}, "Teams"
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
	fmt.Fprintf(c.out, "The demo is at http://%s\nIt runs the bot (process %d) against simulated %s, Entra, Graph, ServiceNow and Microsoft Learn on this machine.\nBe each of the people in turn; /keyturn setup begins. Ctrl-C stops; the next start goes on where you were.\n", l.Addr(), child.pid(), chats)
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

// folder is where the demo remembers between two starts.
func (d demoCmd) folder() (string, error) {
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

// issues are those of the file, or the samples.
func (d demoCmd) issues() ([]json.RawMessage, error) {
	if d.Issues == "" {
		return incident.Samples(), nil
	}
	b, err := os.ReadFile(d.Issues)
	if err != nil {
		return nil, fmt.Errorf("the issues cannot be read: %w", err)
	}
	items, err := incident.Items(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Issues, err)
	}
	return items, nil
}

// script plays a guide by itself.
func (d demoCmd) script(c *console) error {
	dir := d.Dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "keyturn-script-*"); err != nil {
			return fmt.Errorf("making a folder for the script: %w", err)
		}
		defer os.RemoveAll(dir)
	}
	world, err := play.Open(play.Options{SignIn: true, Left: d.Guide == "cleanup", On: play.Platform(d.On)})
	if err != nil {
		return err
	}
	defer world.Close()
	raw, err := d.issues()
	if err != nil {
		return err
	}
	child, err := startBot(c.ctx, world, dir, d.Log, c.err)
	if err != nil {
		return err
	}
	defer child.stop()
	s := play.Script{World: world, Guide: d.Guide, Out: c.out, Issues: raw}
	if d.Kill > 0 {
		s.After = child.killEvery(d.Kill)
	}
	return s.Play(c.ctx)
}
