package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"keyturn/adapters/httpx"
	"keyturn/adapters/slack"
	"keyturn/bot"
)

// chatProbes are those of the chat platforms.
func (d *doctor) chatProbes() []probe {
	var out []probe
	if d.slack != nil {
		for _, team := range sortedKeys(d.conf.Slack.Workspaces) {
			out = append(out, probe{"Slack, workspace " + team, func(ctx context.Context) []finding { return d.workspace(ctx, team) }})
		}
		out = append(out, probe{"Slack, the way in", d.slackComesIn})
	}
	if d.teams != nil {
		out = append(out, probe{"Microsoft Teams", d.teamsBot})
	}
	return out
}

// workspace looks at a workspace's token and at what hangs on it.
func (d *doctor) workspace(ctx context.Context, team string) []finding {
	of, what := "Slack, workspace "+team, "the bot token"
	s, err := d.slack.Standing(ctx, team)
	if err != nil {
		f := failed(of, what, err, "")
		if f.Code == "invalid_auth" {
			f.Fix = "Copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions of the app into " + d.conf.Slack.Workspaces[team].ref + "."
		}
		return []finding{f}
	}
	if s.Team != team && s.Org == "" {
		return []finding{{Of: of, What: what, State: broken, Says: fmt.Sprintf("It is the token of another workspace: %s (%s)", s.Team, s.Name),
			Fix: "Write the token of " + team + " there, or name the workspace " + s.Team + " under slack.workspaces and the tenant's slack."}}
	}
	out := []finding{{Of: of, What: what, State: fine, Says: "Accepted in " + s.Name}}
	out = append(out, scopesOf(of, s.Scopes)...)
	for i, t := range d.tenants {
		if slices.Contains(d.conf.Tenants[i].Slack, team) {
			out = append(out, d.peopleOf(ctx, of, team, t)...)
		}
	}
	return out
}

// scopesOf compares what the app was granted with what its manifest asks for.
func scopesOf(of string, granted []string) []finding {
	asked, err := slackScopes()
	if err != nil {
		return []finding{failed(of, "the scopes", err, "")}
	}
	var out []finding
	have := 0
	for _, s := range asked {
		switch {
		case slices.Contains(granted, s.Name):
			have++
		case s.Optional:
			out = append(out, finding{Of: of, What: "the scope " + s.Name, State: warned, Says: "It was not granted. It is optional: " + s.Why,
				Fix: "To have it, add it under OAuth & Permissions of the app, and install the app again."})
		default:
			out = append(out, finding{Of: of, What: "the scope " + s.Name, State: broken, Says: "The app lacks it. It is for: " + s.Why,
				Fix: "Put the manifest that keyturn manifest slack prints into App Manifest of the app's settings, and install the app again."})
		}
	}
	return append([]finding{{Of: of, What: "the scopes", State: fine, Says: fmt.Sprintf("%d of %d were granted", have, len(asked))}}, out...)
}

// peopleOf looks whether those who have to be reached can be.
func (d *doctor) peopleOf(ctx context.Context, of, team string, t *bot.Tenant) []finding {
	var out []finding
	seen := 0
	for _, p := range t.People {
		for _, a := range p.Accounts {
			if a.Platform != bot.Slack || a.Team != team {
				continue
			}
			seen++
			err := d.slack.Alive(ctx, a)
			if err == nil {
				continue
			}
			f := failed(of, p.Name+" ("+a.ID+")", err, "")
			if busy(err) {
				f.State = unproved
			}
			out = append(out, f)
		}
	}
	if seen > 0 && len(out) == 0 {
		out = append(out, finding{Of: of, What: "people of " + string(t.ID), State: fine, Says: fmt.Sprintf("Slack knows all %d accounts", seen)})
	}
	return out
}

// slackComesIn looks at the way in: what can be asked from here, and what the
// running bot has heard.
func (d *doctor) slackComesIn(ctx context.Context) []finding {
	const of = "Slack, the way in"
	heard, known := d.hears(ctx)
	if !d.conf.Slack.AppToken.set() {
		const what = "the signing secret"
		return []finding{heard.cameIn(bot.Slack,
			finding{Of: of, What: what, State: unproved, Says: "Slack proves it with its first request. A wrong one shows in the log as \"" + slack.Unsigned + "\"", Fix: "Type /keyturn help in Slack while keyturn serve runs."},
			finding{Of: of, What: what, Says: "signed with another secret, or not by Slack, or this machine's clock is wrong",
				Fix: "Copy the Signing Secret from Basic Information of this app into " + d.conf.Slack.SigningSecret.ref + ", restart Keyturn, and type /keyturn help in Slack. The log says of each why it was refused."})}
	}
	f := judged(of, "the app-level token of Socket Mode", "Slack gives connections for it", d.slack.ProveSocket(ctx))
	if f.State == broken && f.Code != "" {
		f.Fix = "Make an app-level token with the scope connections:write under Basic Information of the app's settings, switch Socket Mode on, and write the token to " + d.conf.Slack.AppToken.ref + "."
	}
	out := []finding{f}
	if known {
		out = append(out, heard.connections(of)...)
	}
	return out
}

// teamsBot looks at the bot's registration, at Microsoft's keys and at the way in.
func (d *doctor) teamsBot(ctx context.Context) []finding {
	const of, what = "Microsoft Teams", "the messaging endpoint"
	out := []finding{judged(of, "the bot "+d.conf.Teams.AppID, "Its credential is accepted in "+d.conf.Teams.Directory, d.teams.Prove(ctx))}
	n, err := d.teams.Keys(ctx)
	out = append(out, judged(of, "the keys that sign Microsoft's requests", fmt.Sprintf("%s read", countOf(n, "key was", "keys were")), err))
	heard, _ := d.hears(ctx)
	at := strings.TrimSuffix(d.conf.PublicURL, "/") + "/teams/messages"
	return append(out, heard.cameIn(bot.Teams,
		finding{Of: of, What: what, State: unproved, Says: "The first message proves that the Azure Bot sends to " + at, Fix: "Write help to the bot in Teams while keyturn serve runs."},
		finding{Of: of, What: what, Says: "signed for another bot, or not by Microsoft",
			Fix: "Compare the app ID of the Azure Bot with teams.app_id (" + d.conf.Teams.AppID + "). The log says of each why it was refused."}))
}

// pages looks whether browsers and platforms can come to Keyturn, from here.
func (d *doctor) pages(ctx context.Context) []finding {
	const of, what = "Keyturn's own pages", "public_url"
	if d.conf.PublicURL == "" {
		return nil // said of the configuration
	}
	// Beside a database it may run on another machine: then only the address tells.
	running, err := ask(ctx, d.conf.Data, "/healthz", io.Discard)
	if err == nil && !running && !d.conf.State.set() {
		return []finding{{Of: of, What: what, State: unproved, Says: "Keyturn does not run, so nothing answers at " + d.conf.PublicURL, Fix: "Start keyturn serve, then run keyturn doctor again."}}
	}
	address := strings.TrimSuffix(d.conf.PublicURL, "/") + "/healthz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return []finding{failed(of, what, err, "Write public_url as https://keyturn.example.com.")}
	}
	own := d.conf.policy(nil) // the bot itself never asks its own address
	own.Hosts = append(own.Hosts, httpx.Host{Name: req.URL.Hostname(), Port: first(req.URL.Port(), map[string]string{"http": "80", "https": "443"}[req.URL.Scheme])})
	client, err := httpx.New(own)
	if err != nil {
		return []finding{failed(of, what, err, "")}
	}
	reply, err := httpx.Send(client, req)
	switch {
	case err != nil:
		f := failed(of, what, httpx.Lost("public_url", false, "", err), "")
		f.State = warned
		f.Says = "It cannot be reached from this machine: " + f.Says + " If browsers elsewhere can, all is well"
		f.Fix = "Look at " + address + " in a browser: it says ok. If it does not, look at DNS, the certificate, and whatever ends TLS before " + d.conf.Listen + "."
		return []finding{f}
	case !reply.OK() || strings.TrimSpace(string(reply.Body)) != "ok":
		return []finding{failed(of, what, fmt.Errorf("what answers at %s is not Keyturn (HTTP %d)", address, reply.Status), "Have whatever ends TLS there pass requests on to "+d.conf.Listen+".")}
	}
	return []finding{{Of: of, What: what, State: fine, Says: "Keyturn answers at " + d.conf.PublicURL}}
}
