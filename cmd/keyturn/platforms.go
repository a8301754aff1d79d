package main

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"keyturn/adapters/slack"
	"keyturn/adapters/teams"
	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/commands"
)

// platforms makes the configured chat adapters and puts their addresses into
// the process's routes.
func (p *process) platforms(d *desk, table *commands.Table, out connections, now func() time.Time) (map[bot.Platform]engine.Chat, error) {
	chats := map[bot.Platform]engine.Chat{}
	if p.conf.Slack != nil {
		conf := p.conf.slackApp(d, out, p.log, now)
		conf.Count = p.metrics.requested(bot.Slack)
		a := slack.New(conf)
		chats[bot.Slack] = a
		p.slack = a
		if !p.conf.Slack.AppToken.set() {
			p.routes.Handle("/slack/", a.Handler())
		}
	}
	if t := p.conf.Teams; t != nil {
		conf := p.conf.teamsBot(d, table, memory{p.store, p.log}, out.http, p.log, now)
		conf.Count = p.metrics.requested(bot.Teams)
		if p.conf.PublicURL != "" {
			pics := &pictures{store: p.store, base: strings.TrimSuffix(p.conf.PublicURL, "/"), now: now, log: p.log}
			p.routes.Handle("GET /picture/{address}", pics)
			conf.Pictures = pics
		}
		a, err := teams.New(conf)
		if err != nil {
			return nil, err
		}
		chats[bot.Teams] = a
		p.routes.Handle("/teams/", a.Handler())
	}
	return chats, nil
}

func (c *config) slackApp(d *desk, out connections, log *slog.Logger, now func() time.Time) slack.Config {
	return slack.Config{SigningSecret: c.Slack.SigningSecret.value, AppToken: c.Slack.AppToken.value, Network: out.network, Workspaces: c.workspaces(), APIURL: c.Outside.Slack, HTTP: out.http,
		Desk: d, Log: log, Now: now, FormTime: c.pauses.form}
}

// fetch takes Slack's requests over connections of Socket Mode, where it is
// configured, until ctx is done. The channel is closed when it has ended.
func (p *process) fetch(ctx context.Context) <-chan struct{} {
	ended := make(chan struct{})
	if p.slack == nil || !p.conf.Slack.AppToken.set() {
		close(ended)
		return ended
	}
	go func() {
		defer close(ended)
		p.metrics.connected(p.slack.Lines)
		p.slack.Connect(ctx)
	}()
	return ended
}

func (c *config) teamsBot(d *desk, table *commands.Table, m teams.Memory, client *http.Client, log *slog.Logger, now func() time.Time) teams.Config {
	t := c.Teams
	conf := teams.Config{AppID: t.AppID, Directory: t.Directory, HTTP: client, Now: now, Desk: d, Memory: m, OpensForm: table.OpensForm, Log: log,
		Credential:   teams.Credential{Secret: t.Secret.value, Key: t.PrivateKey.value, Cert: t.Certificate},
		Cloud:        teams.Cloud{LoginURL: c.Outside.TeamsLogin, OpenIDURL: c.Outside.TeamsOpenID, Service: c.Outside.Teams},
		ServiceHosts: t.ServiceHosts, Targeted: t.Targeted}
	if file := t.FederatedToken; file != "" {
		conf.Credential.Assertion = func(context.Context, string) (bot.Secret, error) { return resolve("file:" + file) }
	}
	for _, tenant := range c.Tenants {
		conf.Tenants = append(conf.Tenants, tenant.Teams...)
	}
	return conf
}

// memory keeps in the ledger what Teams says only in passing.
type memory struct {
	store engine.Store
	log   *slog.Logger
}

const memoryPrefix = "teams/memory/"

// Recall implements [teams.Memory].
func (m memory) Recall(key string) (value string, ok bool) {
	err := m.store.Read(context.Background(), func(v engine.View) error {
		s, found, err := v.Sent(memoryPrefix + key)
		value, ok = s.Ref.ID, found
		return err
	})
	if err != nil {
		m.log.Warn("what Teams said earlier cannot be read", "key", key, "err", err)
	}
	return value, ok && err == nil
}

// Remember implements [teams.Memory].
func (m memory) Remember(key, value string) error {
	return m.store.Commit(context.Background(), func(engine.View) (engine.Changes, error) {
		if value == "" {
			return engine.Changes{Unsent: []string{memoryPrefix + key}}, nil
		}
		return engine.Changes{Sent: []bot.Sent{{Key: memoryPrefix + key, Ref: bot.MessageRef{Place: bot.Place{Platform: bot.Teams}, ID: value}, At: time.Now()}}}, nil
	})
}
