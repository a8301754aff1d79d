package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"keyturn/adapters/slack"
	"keyturn/bot"
	"keyturn/bot/setup"
)

//go:embed requestpack/*.md.tmpl
var requestTemplates embed.FS

// requestPages are the people who must agree before the first run.
var requestPages = []string{"slack", "teams", "azure", "entra", "servicenow", "network", "security"}

type packCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"existingfile"`
	Out    string `short:"o" help:"Folder for one file a page; without it all pages are printed."`
}

// Run writes what the people who must agree before the first run are asked for.
func (r packCmd) Run(c *console) error {
	conf, tenants, err := loadDraft(r.Config)
	if err != nil {
		return err
	}
	pages, err := requestPack(conf, tenants)
	if err != nil {
		return err
	}
	if r.Out == "" {
		for _, name := range requestPages {
			if _, err := io.WriteString(c.out, pages[name]+"\n"); err != nil {
				return fmt.Errorf("printing the pages: %w", err)
			}
		}
		return nil
	}
	if err := os.MkdirAll(r.Out, 0o755); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	for _, name := range requestPages {
		if err := os.WriteFile(filepath.Join(r.Out, name+".md"), []byte(pages[name]), 0o644); err != nil {
			return fmt.Errorf("writing the page: %w", err)
		}
	}
	fmt.Fprintf(c.out, "Wrote %d pages to %s: %s.\n", len(requestPages), r.Out, strings.Join(requestPages, ", "))
	return nil
}

type requestScope struct {
	Name, Why string
	Optional  bool
}

type requestTenant struct {
	Name, Directory, Instance, SignInEntra, Redirect, SignInServiceNow, SignInServiceNowURL, Reader string
	Owners, EntraAdmins, PrivilegedAdmins, ServiceNowAdmins                                         string
	FourEyes, Change                                                                                bool
	Knowledge                                                                                       bot.Knowledge
}

type requestData struct {
	Version, URL, Listen, Data, KeyRef, Proxy, CABundle, Resolver string
	Workspaces, TeamsTenants, NoProxy, Proxies, Secrets           []string
	TeamsApp, TeamsDirectory, HeadEvery, HeadTo, AuditKeep        string
	OwnTLS, HasSlack, SocketMode, HasTeams                        bool
	SlackScopes                                                   []requestScope
	BotKey                                                        bool // the bot proves itself with a key pair
	SignIn                                                        []setup.Permission
	Tenants                                                       []requestTenant
	In                                                            []struct{ From, To, Why string }
	Out                                                           []destination
}

// scopeWhy says what each scope of the Slack app is for, and of an optional one
// what is lost without it.
var scopeWhy = map[string]string{
	"app_mentions:read": "mentions of the bot in a channel, the way into threads",
	"channels:read":     "notices that a public channel was archived or that it was added or removed",
	"groups:read":       "the same for private channels that it is in",
	"chat:write":        "messages, edits, its own page",
	"commands":          "the command /keyturn",
	"im:history":        "what people write to it in a direct message",
	"im:write":          "opening a direct message, for hand-offs",
	"usergroups:read":   "who is in a user group that an owner declared admin-managed",
	"users:read":        "names of the people it talks to, and whether an account is deactivated",
	"channels:history":  "looks up whether a message whose sending broke off had arrived; without it, at most one is repeated",
	"groups:history":    "the same for private channels that it is in",
	"chat:write.public": "posts to public channels without being invited; without it, invite it",
	"files:write":       "pictures of incidents; without it they come as words",
}

func slackScopes() ([]requestScope, error) {
	b, err := slack.Manifest("https://keyturn.example.com")
	if err != nil {
		return nil, err
	}
	var m struct {
		OAuth struct {
			Scopes struct {
				Bot      []string `json:"bot"`
				Optional []string `json:"bot_optional"`
			} `json:"scopes"`
		} `json:"oauth_config"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("the manifest of the Slack app cannot be read: %w", err)
	}
	optional := map[string]bool{}
	for _, s := range m.OAuth.Scopes.Optional {
		optional[s] = true
	}
	var out []requestScope
	for _, s := range m.OAuth.Scopes.Bot {
		if scopeWhy[s] == "" {
			return nil, fmt.Errorf("nobody says what the Slack scope %s is for", s)
		}
		out = append(out, requestScope{s, scopeWhy[s], optional[s]})
	}
	return out, nil
}

// requestPack draws the pages.
func requestPack(c *config, tenants []*bot.Tenant) (map[string]string, error) {
	d, err := c.requestData(tenants)
	if err != nil {
		return nil, err
	}
	pages := map[string]string{}
	for _, name := range requestPages {
		t, err := template.New(name+".md.tmpl").Funcs(template.FuncMap{"list": listed}).ParseFS(requestTemplates, "requestpack/"+name+".md.tmpl")
		if err != nil {
			return nil, fmt.Errorf("the page %s: %w", name, err)
		}
		var b bytes.Buffer
		if err := t.Execute(&b, d); err != nil {
			return nil, fmt.Errorf("the page %s: %w", name, err)
		}
		pages[name] = tidy(b.String())
	}
	return pages, nil
}

// listed names things once each, as code.
func listed(names []string) string {
	var out []string
	for _, n := range names {
		if n = "`" + n + "`"; !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return strings.Join(out, ", ")
}

// merged lists each host and port once, with everything that it is for.
func merged(all []destination) (out []destination) {
	for _, at := range all {
		if at.Below {
			at.Host = "*." + at.Host
		}
		i := slices.IndexFunc(out, func(o destination) bool { return o.Host == at.Host && o.Port == at.Port })
		switch {
		case i < 0:
			out = append(out, at)
		case !strings.Contains(out[i].Why, at.Why):
			out[i].Why += "; " + at.Why
		}
	}
	return out
}

// tidy takes blanks at the ends of lines and the second of two empty lines away.
func tidy(s string) string {
	var out []string
	for _, line := range strings.Split(s, "\n") {
		line = strings.TrimRight(line, " ")
		if line == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, line)
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n") + "\n"
}

func (c *config) requestData(tenants []*bot.Tenant) (requestData, error) {
	d := requestData{Version: version, URL: first(c.PublicURL, "https://YOUR-HOST"), Listen: c.Listen, Data: c.Data, KeyRef: c.Key.ref, Proxy: c.Outside.proxyShown(), NoProxy: c.Outside.NoProxy,
		CABundle: c.Outside.CABundle, Resolver: c.Outside.Resolver, Proxies: c.Web.Proxies, OwnTLS: c.Web.Certificate != "", SignIn: setup.SignInPermissions(), Out: merged(c.egress()),
		HeadEvery: span(c.Audit.Heads.Every.or(time.Hour)), AuditKeep: "for good"}
	var err error
	if d.SlackScopes, err = slackScopes(); err != nil {
		return d, err
	}
	if k := time.Duration(c.Audit.Keep); k > 0 {
		d.AuditKeep = span(k)
	}
	var to []string
	if c.Audit.Heads.Log == nil || *c.Audit.Heads.Log {
		to = append(to, "the log")
	}
	if c.Audit.Heads.Syslog != "" {
		to = append(to, "a syslog collector")
	}
	if c.Audit.Heads.Webhook.URL.set() {
		to = append(to, "a webhook")
	}
	d.HeadTo = strings.Join(to, ", ")
	d.Secrets = append(d.Secrets, c.Key.ref)
	in := func(from, path, why string) {
		d.In = append(d.In, struct{ From, To, Why string }{from, d.URL + path, why})
	}
	d.HasSlack, d.HasTeams = c.Slack != nil, c.Teams != nil
	if d.HasSlack {
		d.Workspaces = sortedKeys(c.Slack.Workspaces)
		for _, s := range []secret{c.Slack.SigningSecret, c.Slack.AppToken} {
			if s.set() {
				d.Secrets = append(d.Secrets, s.ref)
			}
		}
		for _, w := range d.Workspaces {
			d.Secrets = append(d.Secrets, c.Slack.Workspaces[w].ref)
		}
		if d.SocketMode = c.Slack.AppToken.set(); !d.SocketMode {
			in("Slack (the internet; Slack publishes no address ranges)", "/slack/commands", "the command")
			in("the same", "/slack/interactions", "clicks and forms")
			in("the same", "/slack/events", "mentions, direct messages, channels that end")
		}
	}
	if t := c.Teams; t != nil {
		d.TeamsApp, d.TeamsDirectory, d.BotKey = t.AppID, t.Directory, t.PrivateKey.set()
		for _, s := range []secret{t.Secret, t.PrivateKey} {
			if s.set() {
				d.Secrets = append(d.Secrets, s.ref)
			}
		}
		in("Microsoft's Bot Connector (the service tag AzureBotService)", "/teams/messages", "messages, clicks and forms")
	}
	for i, t := range tenants {
		conf := c.Tenants[i]
		d.TeamsTenants = append(d.TeamsTenants, conf.Teams...)
		names := func(list []bot.PersonID) string {
			var out []string
			for _, id := range list {
				p, _ := t.Person(id)
				out = append(out, p.Name)
			}
			if len(out) == 0 {
				return "nobody yet"
			}
			return strings.Join(out, ", ")
		}
		if t.SignIn.EntraClientID != "" {
			in("the browsers of the admins", "/signin", "signing in to approve")
		}
		d.Tenants = append(d.Tenants, requestTenant{Name: t.Name, Directory: t.Directory, Instance: t.Instance, SignInEntra: t.SignIn.EntraClientID, Redirect: t.SignIn.EntraRedirect,
			SignInServiceNow: t.SignIn.ServiceNowClientID, SignInServiceNowURL: strings.TrimSuffix(d.URL, "/") + "/signin/servicenow/" + string(t.ID), Reader: t.Reader.ClientID, Owners: names(t.Owners), EntraAdmins: names(t.Holders[bot.EntraAdmin]),
			PrivilegedAdmins: names(t.Holders[bot.PrivilegedRoleAdmin]), ServiceNowAdmins: names(t.Holders[bot.ServiceNowAdmin]), FourEyes: t.FourEyes, Change: len(t.Changes) > 0, Knowledge: t.Knowledge})
	}
	return d, nil
}

// span is a time as people say it.
func span(d time.Duration) string {
	switch {
	case d == time.Hour:
		return "hour"
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return d.String()
}
