package main

import (
	"fmt"
	"slices"
	"strings"

	"keyturn/sim/play"
)

// demoConfig is the bot's configuration against the simulators.
func demoConfig(w *play.World, data, level string) []byte {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("listen: %q", w.BotAddr)
	p("data: %q", data)
	p("key: env:KEYTURN_KEY")
	p("log: %s", level)
	p("poll_every: 500ms")
	p("check_every: 300ms")
	p("checklist: {every: 1s, after_click: 400ms}")
	p("outside:")
	p("  proxy: none")
	p("  resolver: %q", w.DNS)
	p("  graph: %q", w.MicrosoftURL+"/graph/v1.0")
	p("  login: %q", w.MicrosoftURL+"/login")
	p("  slack: %q", w.SlackURL+"/api/")
	p("  portals: {login: %q, entra: %q, admin: %q, servicenow: %q}", w.MicrosoftURL+"/login", w.MicrosoftURL+"/entra", w.MicrosoftURL+"/admin", w.ServiceNowURL)
	p("slack:")
	p("  signing_secret: env:SLACK_SIGNING_SECRET")
	p("  workspaces: {%s: env:SLACK_BOT_TOKEN}", play.Team)
	p("  unpaced: true")
	p("tenants:")
	p("- id: contoso")
	p("  name: Contoso")
	p("  directory: %s", play.Directory)
	p("  domain: %s", play.Domain)
	p("  zone: Europe/Berlin")
	p("  slack: [%s]", play.Team)
	p("  servicenow:")
	p("    host: %s", play.Instance)
	p("    url: %q", w.ServiceNowURL)
	p("    simulator: {client_id: %q, secret: env:SIM_SERVICENOW_SECRET}", play.ServiceNowClient)
	p("  simulator: {client_id: %q, secret: env:SIM_GRAPH_SECRET}", play.GraphClient)
	p("  sign_in: {entra_client_id: %q, entra_redirect: %q, servicenow_client_id: %q}", play.SignInClient, play.SignInRedirect, play.SignInNowClient)
	demoPeople(p)
	return []byte(b.String())
}

func demoPeople(p func(string, ...any)) {
	roles := map[string][]string{}
	var owners []string
	p("  people:")
	for _, x := range play.Everybody() {
		if !x.Known {
			continue
		}
		p("  - id: %s", x.Entra)
		p("    name: %q", x.Name)
		p("    accounts: [%q]", "slack:"+play.Team+":"+x.Slack)
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
	p("  groups: {entra-admin: {slack: S0ENTRA}, servicenow-admin: {slack: S0SERVICENOW}}")
}

// demoSecrets is the environment of the bot: secrets that only simulators
// know, and the sealing key.
func demoSecrets(key string) []string {
	return []string{
		"KEYTURN_KEY=" + key,
		"SLACK_SIGNING_SECRET=" + play.SlackSigning,
		"SLACK_BOT_TOKEN=" + play.SlackToken,
		"SIM_GRAPH_SECRET=" + play.GraphSecret,
		"SIM_SERVICENOW_SECRET=" + play.ServiceNowSecret,
	}
}
