package main

import (
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"keyturn/adapters/graph"
	"keyturn/adapters/httpx"
	"keyturn/adapters/learn"
	"keyturn/adapters/slack"
	"keyturn/adapters/teams"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// destination is a host that Keyturn calls.
type destination struct {
	Host, Port, Why, scheme string
	Below                   bool // and every host below
	spare                   bool // Keyturn does its work without it
}

// policy is how the bot reaches other systems: whatever it is given to call, it
// reaches the hosts of the configuration and no other.
func (c *config) policy(log *slog.Logger) httpx.Config {
	return httpx.Config{Version: version, Proxy: c.Outside.Proxy.value.Reveal(), NoProxy: c.Outside.NoProxy, CAFile: c.Outside.CABundle, Hosts: c.hosts(), Log: log}
}

// proxyShown is the proxy of the configuration as a page may show it: without
// the name and the password that it asks for.
func (o *outside) proxyShown() string {
	if p := o.Proxy.value.Reveal(); p != "" && p != "none" {
		return httpx.RedactString(p)
	}
	return o.Proxy.value.Reveal()
}

// hosts are the only ones that the bot's client sends requests to.
func (c *config) hosts() []httpx.Host {
	out := []httpx.Host{}
	for _, d := range c.egress() {
		out = append(out, httpx.Host{Name: d.Host, Port: d.Port, Below: d.Below})
	}
	return out
}

// What can be done without.
const (
	learnWhy  = "Microsoft Learn: articles, asked for with product words and error codes"
	statusWhy = "Microsoft's public status page, when Graph cannot be read"
)

// egress lists every host that a configuration has Keyturn call, with the
// reason. A leading dot takes in the hosts below.
func (c *config) egress() []destination {
	var out []destination
	add := func(address, why string) {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			return
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"https": "443", "http": "80", "tls": "6514"}[u.Scheme]
		}
		below := strings.HasPrefix(u.Hostname(), ".")
		if below {
			why += ", with all hosts below"
		}
		d := destination{strings.TrimPrefix(u.Hostname(), "."), port, why, u.Scheme, below, why == learnWhy || why == statusWhy}
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	add(first(c.Outside.Graph, graph.DefaultGraphURL), "Microsoft Graph: service health, and the directory on approval")
	add(first(c.Outside.Login, graph.DefaultLoginURL), "Microsoft's sign-in service: tokens")
	if c.Slack != nil {
		add(first(c.Outside.Slack, slack.DefaultAPIURL), "Slack's Web API: messages and forms")
		if api := first(c.Outside.Slack, slack.DefaultAPIURL); !httpx.Loopback(api) {
			host := setup.HostOf(api) // slack.com, or the Slack of the United States government
			add("https://hooks."+host, "Slack: answers to a click or a command, for half an hour after it")
			add("https://files."+host, "Slack: pictures")
			if c.Slack.AppToken.set() {
				add("https://."+host, "Slack: the connections of Socket Mode, of which Slack names the host each time")
			}
		}
	}
	if c.Teams != nil {
		add(first(c.Outside.TeamsLogin, teams.Public.LoginURL), "Microsoft's sign-in service: the bot's token")
		add(first(c.Outside.TeamsOpenID, teams.Public.OpenIDURL), "the keys that sign Microsoft's requests")
		add(first(c.Outside.Teams, teams.Public.Service), "Bot Connector: messages in Teams")
		for _, h := range append(slices.Clone(teams.Public.Hosts), c.Teams.ServiceHosts...) {
			if !httpx.Loopback(c.Outside.Teams) {
				add("https://"+h, "Bot Connector, as each conversation names it")
			}
		}
	}
	for _, t := range c.Tenants {
		if t.ServiceNow != nil {
			add(first(t.ServiceNow.URL, "https://"+t.ServiceNow.Host), "ServiceNow of "+t.ID+": steps on approval, and incidents")
		}
	}
	if c.Learn != "off" {
		add(first(c.Learn, learn.Base), learnWhy)
	}
	if c.Outside.Status != "none" {
		add(first(c.Outside.Status, incident.PublicAddress), statusWhy)
	}
	for _, t := range c.Tenants {
		if f := t.Fallback; f != nil && f.Webhook != nil {
			add(f.Webhook.URL.value.Reveal(), "the webhook of "+t.ID+", when chat is silent")
		}
		if f := t.Fallback; f != nil && f.Mail != nil {
			add("smtp://"+f.Mail.Server, "mail of "+t.ID+", when chat is silent")
		}
		if h := t.Heartbeat; h != nil {
			add(h.URL.value.Reveal(), "the monitor of "+t.ID)
			add(h.Fail.value.Reveal(), "the monitor of "+t.ID)
		}
	}
	if c.Audit.Heads.Syslog != "" {
		add(c.Audit.Heads.Syslog, "the heads of the audit trails, hourly")
	}
	add(c.Audit.Heads.Webhook.URL.value.Reveal(), "the heads of the audit trails, hourly")
	return out
}
