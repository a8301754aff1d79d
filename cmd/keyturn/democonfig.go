package main

import (
	"fmt"
	"slices"
	"strings"

	"keyturn/sim/play"
)

// demoConfig is the bot's configuration against the simulators.
func demoConfig(w *play.World, at home, level string) []byte {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("listen: %q", at.listen)
	p("%s", at.state)
	if w.SignIn {
		p("public_url: %q", "http://"+w.BotAddr)
	}
	p("key: env:KEYTURN_KEY")
	p("log: %s", level)
	p("poll_every: 500ms")
	p("check_every: 300ms")
	p("learn: %q", w.LearnURL)
	p("checklist: {every: 1s, after_click: 400ms}")
	p("outside:")
	p("  proxy: none")
	p("  resolver: %q", w.DNS)
	p("  graph: %q", w.MicrosoftURL+"/graph/v1.0")
	p("  login: %q", w.MicrosoftURL+"/login")
	p("  status: %q", w.MicrosoftURL+"/status/api/posts/mac")
	p("  portals: {login: %q, entra: %q, admin: %q, servicenow: %q}", w.MicrosoftURL+"/login", w.MicrosoftURL+"/entra", w.MicrosoftURL+"/admin", w.ServiceNowURL)
	demoChats(p, w)
	p("tenants:")
	p("- id: contoso")
	p("  name: Contoso")
	p("  directory: %s", play.Directory)
	p("  domain: %s", play.Domain)
	p("  zone: Europe/Berlin")
	p("  working_hours: 00:00-24:00") // a demo is looked at whenever there is time for it
	p("  working_days: mon-sun")
	if w.Platform.Slack() {
		p("  slack: [%s]", play.Team)
	}
	if w.Platform.Teams() {
		p("  teams: [%s]", play.Directory)
	}
	p("  servicenow:")
	p("    host: %s", play.Instance)
	p("    url: %q", w.ServiceNowURL)
	if w.Knowledge {
		p("    knowledge: {as_asker: true}")
	}
	if w.SignIn {
		p("  sign_in:")
		p("    entra_client_id: %q", play.SignInClient)
		p("    entra_private_key: env:SIGN_IN_KEY")
		p("    entra_certificate: %q", w.Key.Certificate)
		p("    servicenow_client_id: %q", play.SignInNowClient)
		p("    servicenow_secret: env:SIGN_IN_SERVICENOW_SECRET")
	} else {
		p("    simulator: {client_id: %q, secret: env:SIM_SERVICENOW_SECRET}", play.ServiceNowClient)
		p("  simulator: {client_id: %q, secret: env:SIM_GRAPH_SECRET}", play.GraphClient)
		p("  sign_in: {entra_client_id: %q, entra_redirect: %q, servicenow_client_id: %q}", play.SignInClient, play.SignInRedirect, play.SignInNowClient)
	}
	demoPeople(p, w)
	return []byte(b.String())
}

// demoChats ends the section of addresses with those of the chat platforms,
// and writes the platforms' own.
func demoChats(p func(string, ...any), w *play.World) {
	if w.Platform.Slack() {
		p("  slack: %q", w.SlackURL+"/api/")
	}
	if w.Platform.Teams() {
		p("  teams: %q", w.Teams.ServiceURL())
		p("  teams_login: %q", w.TeamsURL)
		p("  teams_openid: %q", w.TeamsURL+"/v1/.well-known/openidconfiguration")
	}
	if w.Platform.Slack() {
		p("slack:")
		if w.Socket {
			p("  app_token: env:SLACK_APP_TOKEN")
		} else {
			p("  signing_secret: env:SLACK_SIGNING_SECRET")
		}
		p("  workspaces: {%s: env:SLACK_BOT_TOKEN}", play.Team)
		p("  unpaced: true")
	}
	if w.Platform.Teams() {
		p("teams:")
		p("  app_id: %s", play.TeamsApp)
		p("  directory: %s", play.Directory)
		p("  secret: env:TEAMS_SECRET")
		p("  service_hosts: [%q]", w.TeamsURL[strings.Index(w.TeamsURL, "//")+2:])
		p("  unpaced: true")
	}
}

func demoPeople(p func(string, ...any), w *play.World) {
	on := w.Platform
	roles := map[string][]string{}
	var owners []string
	p("  people:")
	for _, x := range play.Everybody() {
		if !x.Known {
			continue
		}
		p("  - id: %s", x.Entra)
		p("    name: %q", x.Name)
		p("    accounts: [%s]", quoted(on.Accounts(x)))
		if w.Knowledge {
			x.Now = x.NowAccount()
		}
		if x.Now != "" {
			p("    admin: {entra: %q, servicenow: %q}", x.UPN, x.Now)
		} else {
			p("    admin: {entra: %q}", x.UPN)
		}
		for _, r := range x.Roles {
			roles[r] = append(roles[r], fmt.Sprintf("%q", x.Name))
		}
		if x.Owner {
			owners = append(owners, fmt.Sprintf("%q", x.Name))
		}
	}
	p("  owners: [%s]", strings.Join(owners, ", "))
	p("  roles:")
	var names []string
	for r := range roles {
		names = append(names, r)
	}
	slices.Sort(names)
	for _, r := range names {
		p("    %s: [%s]", r, strings.Join(roles[r], ", "))
	}
	if on.Slack() {
		p("  groups: {entra-admin: {slack: S0ENTRA}, servicenow-admin: {slack: S0SERVICENOW}}")
	}
}

func quoted(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%q", s))
	}
	return strings.Join(out, ", ")
}

// demoSecrets is the environment of the bot: secrets that only simulators
// know, and the sealing key.
func demoSecrets(w *play.World, key string) []string {
	return []string{
		"KEYTURN_KEY=" + key,
		"SLACK_SIGNING_SECRET=" + play.SlackSigning,
		"SLACK_APP_TOKEN=" + play.SlackAppToken,
		"SLACK_BOT_TOKEN=" + play.SlackToken,
		"TEAMS_SECRET=" + play.TeamsSecret,
		"SIGN_IN_KEY=" + w.Key.Private,
		"SIGN_IN_SERVICENOW_SECRET=" + play.SignInNowSecret,
		"SIM_GRAPH_SECRET=" + play.GraphSecret,
		"SIM_SERVICENOW_SECRET=" + play.ServiceNowSecret,
	}
}
