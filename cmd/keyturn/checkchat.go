package main

import (
	"strings"

	"keyturn/adapters/httpx"
)

// checkChats finds what is wrong with the chat platforms.
func (c *config) checkChats(f *faults) {
	if c.Slack == nil && c.Teams == nil {
		f.add("slack, teams: no chat platform is configured, so nobody could talk to Keyturn: add slack with workspaces and signing_secret or app_token, or teams with app_id, directory and a credential")
	}
	if s := c.Slack; s != nil {
		switch {
		case s.AppToken.set():
			s.AppToken.need(f, "slack.app_token", "")
			if v := s.AppToken.value.Reveal(); v != "" && !strings.HasPrefix(v, "xapp-") {
				f.add("slack.app_token: it is no app-level token, which begins with xapp-: make one with the scope connections:write under Basic Information of the app's settings")
			}
			if strings.HasPrefix(c.Outside.Proxy.value.Reveal(), "https:") {
				f.add("outside.proxy: Socket Mode goes through an http or socks5 proxy: write http://, or leave slack.app_token out and have Slack come to public_url")
			}
		default:
			s.SigningSecret.need(f, "slack.signing_secret", "it stands in the Slack app's Basic Information; with Socket Mode write slack.app_token instead")
		}
		if len(s.Workspaces) == 0 {
			f.add("slack.workspaces: name at least one workspace: <workspace ID>: env:SLACK_BOT_TOKEN")
		}
		for _, id := range sortedKeys(s.Workspaces) {
			s.Workspaces[id].need(f, "slack.workspaces."+id, "it is the Bot User OAuth Token of the installed app")
		}
		if s.Unpaced && !httpx.Loopback(c.Outside.Slack) {
			f.add("slack.unpaced: only for a simulator on this machine; Slack itself refuses what is sent too fast")
		}
	}
	if t := c.Teams; t != nil {
		t.check(c, f)
	}
}

// unreached says what is lost where Keyturn has no address of its own.
func (c *config) unreached() []string {
	switch {
	case c.PublicURL != "":
		return nil
	case c.Slack != nil && c.Slack.AppToken.set():
		return []string{"public_url is not set. Slack needs none in Socket Mode, but without it nobody can sign in, so every step is done by hand or as an application; no secret can be shown once; and the pages on privacy and terms have no address. It need not be reachable from the internet: the browsers of your admins are enough."}
	case c.Slack != nil:
		return []string{"public_url is not set, so nobody can sign in: every step is done by hand or as an application, and no secret can be shown once."}
	}
	return nil
}

func (t *teamsConfig) check(c *config, f *faults) {
	if !guidLike.MatchString(t.AppID) {
		f.add("teams.app_id: write the bot's application (client) ID, a GUID from its app registration")
	}
	if !guidLike.MatchString(t.Directory) {
		f.add("teams.directory: write the Entra tenant ID of the bot's app registration, a GUID")
	}
	switch {
	case t.FederatedToken != "":
		if _, err := resolve("file:" + t.FederatedToken); err != nil {
			f.add("teams.federated_token_file: %v", err)
		}
		if t.Secret.set() || t.PrivateKey.set() {
			f.add("teams: give one credential: federated_token_file, private_key with certificate, or secret")
		}
	case t.Secret.set():
		t.Secret.need(f, "teams.secret", "")
	case t.PrivateKey.set():
		checkPair(f, "teams", "", t.PrivateKey, t.Certificate)
	default:
		f.add("teams: give federated_token_file, private_key with certificate, or secret")
	}
	if t.Unpaced && !httpx.Loopback(c.Outside.Teams) {
		f.add("teams.unpaced: only for a simulator on this machine; Teams itself refuses what is sent too fast")
	}
}
