package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"keyturn/sim/play"
)

type simCmd struct {
	Slack      simSlackCmd      `cmd:"" help:"Slack."`
	Teams      simTeamsCmd      `cmd:"" help:"Microsoft Teams: the Bot Connector, its tokens and keys, and what people do."`
	Microsoft  simMicrosoftCmd  `cmd:"" help:"Entra, Graph, the admin center and the public status page."`
	Servicenow simServiceNowCmd `cmd:"" help:"ServiceNow."`
	Learn      simLearnCmd      `cmd:"" help:"Microsoft Learn: its MCP server and its search."`
}

// simFlags are what every simulator takes.
type simFlags struct {
	Addr string `help:"Where to listen." default:"127.0.0.1:8370"`
	File string `help:"Where it remembers; without it, it forgets." type:"path"`
}

type simSlackCmd struct {
	simFlags
	Bot string `help:"Address of the bot that it talks to." default:"http://127.0.0.1:8364"`
}

// Run serves the simulator until it is stopped.
func (s simSlackCmd) Run(c *console) error {
	return s.serve(c, "Slack", func(url string) (http.Handler, func() error, error) { return play.OnlySlack(s.File, s.Bot, url) })
}

type simTeamsCmd struct {
	simFlags
	Bot string `help:"Address of the bot that it talks to." default:"http://127.0.0.1:8364"`
}

// Run serves the simulator until it is stopped.
func (s simTeamsCmd) Run(c *console) error {
	return s.serve(c, "Teams", func(url string) (http.Handler, func() error, error) { return play.OnlyTeams(s.File, s.Bot, url) })
}

type simMicrosoftCmd struct{ simFlags }

// Run serves the simulator until it is stopped.
func (s simMicrosoftCmd) Run(c *console) error {
	return s.serve(c, "Microsoft", func(url string) (http.Handler, func() error, error) { return play.OnlyMicrosoft(s.File, url) })
}

type simServiceNowCmd struct {
	simFlags
	Microsoft string `help:"Address of the Microsoft simulator that it asks for tokens." default:"http://127.0.0.1:8371"`
}

// Run serves the simulator until it is stopped.
func (s simServiceNowCmd) Run(c *console) error {
	return s.serve(c, "ServiceNow", func(string) (http.Handler, func() error, error) {
		return play.OnlyServiceNow(s.File, s.Microsoft)
	})
}

type simLearnCmd struct {
	Addr string `help:"Where to listen." default:"127.0.0.1:8370"`
}

// Run serves the simulator until it is stopped.
func (s simLearnCmd) Run(c *console) error {
	return simFlags{Addr: s.Addr}.serve(c, "Microsoft Learn", func(url string) (http.Handler, func() error, error) {
		return play.OnlyLearn(url), func() error { return nil }, nil
	})
}

func (s simFlags) serve(c *console, name string, open func(url string) (http.Handler, func() error, error)) error {
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", s.Addr, err)
	}
	defer l.Close()
	url := "http://" + l.Addr().String()
	h, closeSim, err := open(url)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-c.ctx.Done()
		_ = srv.Close()
	}()
	fmt.Fprintf(c.out, "The %s simulator is at %s\n", name, url)
	err = srv.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, closeSim())
}
