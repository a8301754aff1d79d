package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"keyturn/sim"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
)

// says fails unless one finding of a state says all of it.
func (h *house) says(d *diagnosis, state condition, want ...string) {
	h.Helper()
	told := d.told(state)
	for line := range strings.Lines(told) {
		all := true
		for _, w := range want {
			all = all && strings.Contains(line, w)
		}
		if all {
			return
		}
	}
	h.Errorf("no finding says %q; told as %s:\n%s\nall that is broken:\n%s", want, state, told, d.told(broken))
}

// Where the bot has to speak it can be silenced by a click: the doctor looks at
// each channel that the configuration or somebody in chat chose.
func TestTheDoctorLooksAtEachChannel(t *testing.T) {
	h := open(t, withEverything, reword("  sign_in:", fmt.Sprintf("  admin_channel: %q\n  fallback: {channel: %q}\n  sign_in:", play.Ops, play.TeamsOps)))
	h.readable(true)
	if _, err := h.world.Teams.Install(play.Rita.Entra, play.TeamsTeam); err != nil {
		t.Fatal(err)
	}
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
	h.expectChannel(play.Incidents, "From now on")
	d := h.doctor(0, nil)
	h.says(d, fine, "Channels of contoso", "("+play.Ops+"), the admin channel", "Keyturn is in it", "everybody in it may post", "it is public")
	h.says(d, fine, "Channels of contoso", "("+play.Incidents+"), told of incidents", "Keyturn is in it")
	h.says(d, fine, "Channels of contoso", play.TeamsOps+", the fallback", "may post there", "people are in it")

	if _, err := h.world.Slack.RemoveBot(play.Ops); err != nil {
		t.Fatal(err)
	}
	h.says(h.doctor(0, nil), warned, "the admin channel", "only by chat:write.public", "/invite @Keyturn")
	h.world.Slack.Faults.Add(sim.Fault{Path: "/api/auth.test", Status: 200, Header: http.Header{"X-Oauth-Scopes": {"commands,chat:write,app_mentions:read,channels:read,groups:read,im:history,im:write,usergroups:read,users:read"}},
		Body: `{"ok":true,"url":"https://contoso.slack.com/","team":"Contoso","team_id":"` + play.Team + `","user_id":"U0KEYTURN","bot_id":"B0KEYTURN"}`})
	h.says(h.doctor(0, nil), broken, "the admin channel", "Keyturn is not in it", "/invite @Keyturn")
	h.world.Slack.Faults.Clear()

	if _, err := h.world.Slack.Archive(play.Ops); err != nil {
		t.Fatal(err)
	}
	if _, err := h.world.Teams.Uninstall(play.Rita.Entra, play.TeamsTeam); err != nil {
		t.Fatal(err)
	}
	d = h.doctor(0, nil)
	h.says(d, broken, "the admin channel", "It is archived", "another channel")
	h.says(d, broken, "the fallback", "Keyturn is not in this conversation", "Add to a team", "BotNotInConversationRoster")

	d = h.doctor(0, func(conf string) string {
		return strings.NewReplacer("admin_channel: \""+play.Ops, "admin_channel: \"C0NOWHERE", "channel: \""+play.TeamsOps, "channel: \"19:nowhere@thread.tacv2").Replace(conf)
	})
	h.says(d, broken, "C0NOWHERE, the admin channel", "no such channel", "/invite @Keyturn", "channel_not_found")
	h.says(d, broken, "19:nowhere@thread.tacv2, the fallback", "no such channel", "Get link to channel")
}

// Who may post in a channel is for its managers to say: a channel that only
// admins may post to takes nothing of the bot's.
func TestTheDoctorFindsAChannelThatIsReadOnly(t *testing.T) {
	h := open(t, withEverything, reword("  sign_in:", fmt.Sprintf("  admin_channel: %q\n  sign_in:", play.Ops)))
	h.world.Slack.Faults.Add(sim.Fault{Path: "/api/conversations.info", Status: 200,
		Body: `{"ok":true,"channel":{"id":"` + play.Ops + `","name":"it-ops","is_member":true,"is_read_only":true,"properties":{"posting_restricted_to":{"type":["admin"],"user":["U1","U2"]}}}}`})
	h.says(h.doctor(0, nil), broken, "#it-ops", "read-only for it", "admins of the workspace, 2 named accounts", "Posting permissions")
	h.world.Slack.Faults.Clear()
	h.world.Slack.Faults.Add(sim.Fault{Path: "/api/conversations.info", Status: 200,
		Body: `{"ok":true,"channel":{"id":"` + play.Ops + `","name":"it-ops","is_member":true,"is_private":true,"is_ext_shared":true}}`})
	h.says(h.doctor(0, nil), warned, "#it-ops", "other organisations", "admin_channel")
}

// What the sign-in registration needs is proved without anybody's sign-in as
// far as Microsoft lets it, and what is not proved is called so.
func TestTheDoctorLooksAtTheSignInRegistration(t *testing.T) {
	h := open(t, withEverything)
	address := strings.TrimPrefix(publicURL.FindString(h.conf), "public_url: ") + "/signin/entra"
	d := h.doctor(0, nil)
	h.says(d, fine, "its redirect address "+address, "sends browsers back")
	h.says(d, unproved, "its delegated permissions", "may not read itself", "User.Read, Application.ReadWrite.All", "Policy.Read.All", "each has to say Granted")

	if err := h.world.Microsoft.SetRedirects(play.SignInClient, "https://keyturn.contoso.example/signin/entra"); err != nil {
		t.Fatal(err)
	}
	h.says(h.doctor(0, nil), broken, "its redirect address "+address, "does not have it", "platform Web", "AADSTS50011")

	h.world.Microsoft.Faults.Add(sim.Fault{Path: "/login/" + play.Directory + "/oauth2/v2.0/authorize", Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html>Sign in to your account</html>"})
	h.says(h.doctor(0, nil), unproved, "its redirect address "+address, "did not say", "first sign-in")
	h.world.Microsoft.Faults.Clear()

	// A registration that may read itself is compared with what it has to be.
	for name, c := range map[string]struct {
		roles, scopes []string
		state         condition
		want          []string
	}{
		"complete":         {[]string{"Application.Read.All", "Directory.Read.All"}, []string{"User.Read", "Application.ReadWrite.All", "Policy.Read.All"}, fine, []string{"lists them", "has consented"}},
		"consents unknown": {[]string{"Application.Read.All"}, []string{"User.Read", "Application.ReadWrite.All"}, unproved, []string{"lists them", "only a sign-in tells"}},
		"without optional": {[]string{"Application.Read.All", "Directory.Read.All"}, []string{"User.Read", "Application.ReadWrite.All"}, warned, []string{"Policy.Read.All", "optional"}},
		"without a needed": {[]string{"Application.Read.All", "Directory.Read.All"}, []string{"User.Read"}, broken, []string{"does not list Application.ReadWrite.All", "API permissions"}},
	} {
		app, err := h.world.Microsoft.Register(microsoft.App{Name: "Sign-in, " + name, RedirectURIs: []string{address}, Secrets: []microsoft.Secret{{Name: "s", Value: "sign-in-secret"}}, Roles: c.roles, Scopes: c.scopes})
		if err != nil {
			t.Fatal(err)
		}
		d := h.doctor(0, func(conf string) string {
			conf = replacing(`entra_client_id: \S+`, fmt.Sprintf("entra_client_id: %q", app.AppID))(conf)
			conf = replacing(`(?m)^ *entra_certificate: .*\n`, "")(conf)
			return replacing(`entra_private_key: \S+`, "entra_secret: '"+h.secretFile("sign-in-secret")+"'")(conf)
		})
		h.says(d, c.state, append([]string{"its delegated permissions"}, c.want...)...)
		h.says(d, fine, "its redirect address")
	}
}
