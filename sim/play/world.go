package play

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"keyturn/sim/learn"
	"keyturn/sim/microsoft"
	"keyturn/sim/servicenow"
	"keyturn/sim/slack"
	"keyturn/sim/teams"
)

// Options say what a world begins with.
type Options struct {
	Dir    string // where the simulators remember; "" forgets everything
	Host   string // host to listen on; "" is 127.0.0.1
	Port   int    // the first of eight ports in a row; 0 takes any
	Bot    string // address of the bot, when it is known already
	Left   bool   // somebody set the connector up by hand years ago
	Lag    *microsoft.Lag
	Asked  bool             // the app posts only where it was invited: nobody granted chat:write.public
	Unread bool             // the app may not read Slack's channels: nobody granted the history scopes
	Limit  bool             // Slack's rate limits with 429
	Slow   bool             // the chat platforms wait long for an answer, for a machine that has other work too
	Now    func() time.Time // nil is the clock on the wall
	Also   []slack.User     // people of other workspaces who share the channels
	On     Platform         // where people chat; "" is Slack
	Socket bool             // Slack in Socket Mode: the bot opens the connections
	Guest  []teams.User     // people of other organisations, and guests, in the team
	// Named has each simulator go by a name, over TLS: whoever ends that and has
	// the names lead there finds in World.Behind where it listens.
	Named bool
	// SignIn has people sign in at the systems themselves: the bot holds no
	// credential that writes, admins have accounts of their own for it, and
	// Erin's role has to be activated first.
	SignIn bool
	// Knowledge has everybody hold an account in ServiceNow, where articles are.
	Knowledge bool
	Type      string // how the instance stores the type "OAuth Provider"; "" is oauth_provider

	key SignInKey
}

// World is the simulators with everybody in place.
type World struct {
	Slack      *slack.Server
	Microsoft  *microsoft.Server
	ServiceNow *servicenow.Server
	Teams      *teams.Server // nil where nobody is on Teams
	Learn      *learn.Server
	Platform   Platform // where people chat
	Socket     bool     // Slack is in Socket Mode
	Unread     bool     // the app may not read Slack's channels

	SlackURL, MicrosoftURL, ServiceNowURL string
	TeamsURL, LearnURL                    string
	DNS                                   string // host:port
	BotAddr                               string // host:port that is free for the bot
	SignIn                                bool   // whether people sign in at the systems
	Knowledge                             bool   // whether everybody has an account in ServiceNow, where articles are
	Key                                   SignInKey

	Behind map[string]string // where simulators that go by a name listen

	servers []*http.Server
	dns     net.PacketConn
	cancel  context.CancelFunc
}

// Open starts the simulators.
func Open(o Options) (*World, error) {
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the demo's folder: %w", err)
		}
	}
	if o.On == "" {
		o.On = OnSlack
	}
	if err := o.On.check(); err != nil {
		return nil, err
	}
	w := &World{Platform: o.On, SignIn: o.SignIn, Knowledge: o.Knowledge, Socket: o.Socket, Unread: o.Unread, Key: oneKey(), Behind: map[string]string{}}
	if o.SignIn && o.Dir != "" {
		var err error
		if w.Key, err = keptKey(filepath.Join(o.Dir, "sign-in-key.pem")); err != nil {
			return nil, err
		}
	}
	if err := w.open(o); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *World) open(o Options) error {
	port := func(n int) string {
		if o.Port == 0 {
			return net.JoinHostPort(o.Host, "0")
		}
		return net.JoinHostPort(o.Host, strconv.Itoa(o.Port+n))
	}
	ports := []int{1, 2, 3, 7}
	if o.On.Teams() {
		ports = append(ports, 6)
	}
	listeners := make([]net.Listener, len(ports))
	for i := range listeners {
		l, err := net.Listen("tcp", port(ports[i]))
		if err != nil {
			return fmt.Errorf("a simulator cannot listen: %w (is another demo running? choose another port with --addr)", err)
		}
		listeners[i] = l
	}
	for i, url := range []*string{&w.SlackURL, &w.MicrosoftURL, &w.ServiceNowURL, &w.LearnURL, &w.TeamsURL}[:len(ports)] {
		*url = "http://" + listeners[i].Addr().String()
		if o.Named {
			name := [...]string{"slack", "microsoft", "servicenow", "learn", "teams"}[i] + ".outside.test"
			*url, w.Behind[name] = "https://"+name, listeners[i].Addr().String()
		}
	}
	var err error
	if w.BotAddr, err = free(port(4)); err != nil {
		return err
	}
	if w.dns, err = net.ListenPacket("udp", port(5)); err != nil {
		return fmt.Errorf("the simulated name server cannot listen: %w", err)
	}
	w.DNS = w.dns.LocalAddr().String()
	if err := w.people(o); err != nil {
		return err
	}
	w.Learn = learn.New(w.LearnURL, learn.Samples())
	handlers := []http.Handler{w.Slack.Handler(), w.Microsoft.Handler(), w.ServiceNow.Handler(), w.Learn}
	if w.Teams != nil {
		handlers = append(handlers, w.Teams.Handler())
	}
	for i, h := range handlers {
		srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
		w.servers = append(w.servers, srv)
		go func() { _ = srv.Serve(listeners[i]) }()
	}
	go func() { _ = w.Microsoft.ServeDNS(w.dns) }()
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	go w.Slack.Run(ctx)
	return nil
}

// free finds an address that nothing listens on now.
func free(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("the bot's port is taken: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (w *World) people(o Options) error {
	file := func(name string) string {
		if o.Dir == "" {
			return ""
		}
		return filepath.Join(o.Dir, name+".json")
	}
	bot := o.Bot
	if bot == "" {
		bot = "http://" + w.BotAddr
	}
	o.key, o.Bot = w.Key, bot
	var err error
	if w.Slack, err = slack.New(slackWorld(file("slack"), bot, w.SlackURL, o)); err != nil {
		return err
	}
	if o.On.Teams() {
		if w.Teams, err = teams.New(teamsWorld(file("teams"), bot, w.TeamsURL, o)); err != nil {
			return err
		}
	}
	known := exists(file("microsoft"))
	if w.Microsoft, err = microsoft.New(microsoftWorld(file("microsoft"), w.MicrosoftURL, o)); err != nil {
		return err
	}
	if w.ServiceNow, err = servicenow.New(serviceNowWorld(file("servicenow"), w.MicrosoftURL, o)); err != nil {
		return err
	}
	if o.SignIn {
		if err := w.BotAt(bot); err != nil {
			return err
		}
	}
	if o.Left && !known {
		return w.Leave()
	}
	return nil
}

// Join has the bot's app installed in Teams, as an administrator would: in the
// team, and for everybody whom Keyturn knows and who is there. The bot has to
// listen: it hears of each. Where it is in place already nothing happens.
func (w *World) Join() error {
	if w.Teams == nil {
		return nil
	}
	join := func(who Person, where string) error {
		out, err := w.Teams.Install(who.Entra, where)
		if err == nil && out.Reason != "" {
			err = fmt.Errorf("%s (status %d)", out.Reason, out.Status)
		}
		if err != nil {
			return fmt.Errorf("installing the app in Teams for %s: %w", who.Name, err)
		}
		return nil
	}
	if err := join(Omar, TeamsTeam); err != nil {
		return err
	}
	for _, p := range Everybody() {
		if p.Known && (w.Platform == OnTeams || !p.onlySlack()) {
			if err := join(p, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return path != "" && err == nil
}

// Leave puts in place what somebody set up by hand years ago.
func (w *World) Leave() error {
	left, err := w.Microsoft.Leftovers(Instance)
	if err != nil {
		return fmt.Errorf("leaving things behind in Entra: %w", err)
	}
	if err := w.ServiceNow.Leftovers(servicenow.Leftover{ClientID: left.AppID, Secret: left.LiveSecret, Tenant: Domain}); err != nil {
		return fmt.Errorf("leaving things behind in ServiceNow: %w", err)
	}
	return nil
}

// Close stops the simulators; what they remember is written.
func (w *World) Close() error {
	if w.cancel != nil {
		w.cancel()
	}
	var errs []error
	for _, s := range w.servers {
		errs = append(errs, s.Close())
	}
	if w.dns != nil {
		w.dns.Close()
	}
	if w.Slack != nil {
		errs = append(errs, w.Slack.Shutdown())
	}
	if w.Teams != nil {
		errs = append(errs, w.Teams.Shutdown())
	}
	return errors.Join(errs...)
}
