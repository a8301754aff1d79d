package main

import (
	"strings"
	"testing"

	"keyturn/sim/microsoft"
	"keyturn/sim/play"
	"keyturn/sim/servicenow"
	"keyturn/sim/slack"
)

// retired is what is said about the connector before anything else.
const retired = "Microsoft says that it shut this connector down on 2025-05-30"

func TestTheConnectorIsStartedWithEyesOpen(t *testing.T) {
	h := open(t)
	h.types(play.Rita, "/keyturn setup connector")
	h.expectForm(play.Rita, retired, "no cases with Microsoft support")
	h.submits(play.Rita, map[string]any{"channel": play.Incidents, "insights_users": play.Max.Now})

	list := h.expectChecklist(retired,
		"Before anything starts",
		"Keyturn's sign-in at Entra", "Keyturn's sign-in at ServiceNow",
		"Whether the app and its service still exist", "Whether the Support integration panel is there",
		"App registration for ServiceNow", "Client secret for ServiceNow",
		"OAuth provider in Application Registry", "Cross-scope read of the OAuth registry", "Switch scope and open Setup",
		"Ready for the wizard (ServiceNow admin)", "Ready for the wizard (Microsoft 365 admin)", "The app's wizard, up to its last page", "Read out the wizard's last page",
		"Verify the three values", "Admin center: basic information", "Admin center: repository",
		"Finish the wizard and test", "Who sees service health in ServiceNow", "Go live: untick Test Environment",
		"Registration for reading service health", "Consent to reading service health", "Channels and a test message", "The record")
	if strings.Contains(list.Text, "✅") {
		t.Errorf("something is done before anybody has said go on:\n%s", list.Text)
	}
}

func TestTheConnectorNamesEachTrapWhereItBites(t *testing.T) {
	h := open(t)
	h.crew.Leave("entra-app", "sn-crossscope", "sn-oauth", "ready-servicenow", "ready-m365", "m365-basic", "m365-repository")
	h.begins("connector", nil)

	h.everybodyUntilStep(play.Erin, "Approve and run", "entra-app")
	h.expectCard(play.Erin, "There are two redirect URLs on purpose", "auth_redirect.do", "oauth_redirect.do")
	h.crew.Touch("entra-app")
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-crossscope")
	h.expectCard(play.Sam, "Every scoped app on the instance can then read both tables", "Read operation against 'oauth_entity'")
	h.crew.Touch("sn-crossscope")
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-oauth")
	h.expectCard(play.Sam, "must be in the Global scope")
	h.crew.Touch("sn-oauth")

	// It is one wizard left open: it starts when both are ready.
	h.workUntil("both are asked whether they are ready", func(s *slack.State) bool {
		m, ok := h.newestChecklist(s)
		return ok && strings.Contains(m.Text, "🔵 waiting for the ServiceNow team · Ready for the wizard") && strings.Contains(m.Text, "🔵 waiting for the Microsoft 365 team · Ready for the wizard")
	})
	h.expectChecklist("⚪ open · The app's wizard")
	h.clicks(play.Sam, "I am ready", "ready-servicenow")
	h.expectChecklist("☑️ confirmed by Sam Duarte, no check exists · Ready for the wizard")
	h.idle()
	h.expectChecklist("⚪ open · The app's wizard")
	h.crew.Touch("ready-m365")
	h.everybodyUntilStep(play.Sam, "I am on the last page", "sn-wizard")
	h.expectCard(play.Sam, "The inbound parts are skipped on purpose", "Do NOT press Next (2.x: Test setup) yet", "Outbound OAuth Provider", "Repository ID")
	h.brings(play.Sam, "sn-wizard")

	h.everybodyUntilStep(play.Sam, "Enter the three values", "sn-step6")
	h.expectCard(play.Sam, "A wrong Outbound App ID means that the wizard was given the wrong OAuth profile", "Do NOT press Next")
	h.clicks(play.Sam, "Enter the three values", "sn-step6")
	h.submitsInVain(play.Sam, map[string]any{"outbound": "99999999-0000-4000-8000-000000000009", "repository": "keyturn-contoso", "endpoint": "https://contoso.service-now.com/api"},
		"outbound", "That is another application: the wizard's step for the outbound provider chose the wrong OAuth profile.")
	h.submitsInVain(play.Sam, map[string]any{"outbound": "Ab8Q~cDeFgHiJkLmNoPqRsTuVwXyZ0123456789a"}, "outbound", "That looks like a client secret. I have not kept it")
	h.shuts(play.Sam)
	h.brings(play.Sam, "sn-step6")

	h.everybodyUntilStep(play.Mona, "I saved it", "m365-basic")
	h.expectCard(play.Mona, "Application ID to issue Auth Token", "Do NOT enter a client secret anywhere in the admin center")
	h.crew.Touch("m365-basic")
	h.everybodyUntilStep(play.Mona, "I saved it", "m365-repository")
	h.expectCard(play.Mona, "ignored", "Authentication type", "AAD Auth", "Rest user password")
	h.clicks(play.Mona, "I saved it", "m365-repository")
	h.submitsInVain(play.Mona, map[string]any{"repository": "keyturn-contoso2", "endpoint": "https://elsewhere.example", "auth": "basic"}, "repository", "Edit the repository so that both are the same")
	h.shuts(play.Mona)
	h.brings(play.Mona, "m365-repository")

	h.everybodyUntil("✅ finished")
	h.expectChecklist("What exists now", "secret", "expires")
	inv := h.world.ServiceNow.Inventory()
	for _, r := range inv["roles"] {
		if strings.Contains(r, "administrator") {
			t.Errorf("somebody holds the app's administrator role: %s", r)
		}
	}
	if h.world.ServiceNow.Setup().TestEnvironment {
		t.Error("the run is finished and Test Environment is still ticked")
	}
}

// gone makes a world in which Microsoft has shut the connector down.
func (h *house) gone() {
	h.Helper()
	if err := h.world.Microsoft.SetWorld(microsoft.ShutDown); err != nil {
		h.Fatal(err)
	}
	if err := h.world.ServiceNow.SetWorld(servicenow.ShutDown); err != nil {
		h.Fatal(err)
	}
}

func TestWhereTheServiceIsGoneTheConnectorStopsBeforeItWrites(t *testing.T) {
	h := open(t)
	h.gone()
	h.begins("connector", nil)
	h.clicks(play.Rita, "Go on", "before")
	h.expectThread(play.Ops, "connector.rave.microsoft.com has no address any more", "Nothing was written", "[End this run]", "[Go on, to rehearse]")
	h.expectNoWrites()

	h.clicks(play.Sam, "Go on, to rehearse", "preflight")
	h.expectPrivate(play.Sam, "Only Rita Okafor, who asked for the run, or an owner can say go on")
	h.clicks(play.Max, "End this run", "preflight")
	h.expectPrivate(play.Max, "done nothing")
	h.clicks(play.Sam, "End this run", "preflight")
	h.expectPrivate(play.Sam, "Only Rita Okafor", "Nothing was done")

	h.clicks(play.Rita, "End this run", "preflight")
	ended := h.expectChecklist("ended: the service is gone", "The guide direct works today", "[Set up direct]", "[Clean up]")
	if strings.Contains(ended.Text, "waiting for") {
		t.Errorf("somebody is waited for in a run that is over:\n%s", ended.Text)
	}
	h.expectCard(play.Mona, "Nothing waits for you here", "⚪ open")
	h.expectPrivate(play.Rita, "Ended: the service is gone.", "nothing to clean up", "[Set up direct]")
	h.expectNoWrites()

	h.clicks(play.Rita, "Go on, to rehearse", "preflight")
	h.expectPrivate(play.Rita, "This run is finished, so I have not run anything.")
	h.types(play.Rita, "/keyturn setup direct") // the way on is open
	h.expectForm(play.Rita, "Set up: direct")
}

func TestTheRequesterMayRehearseWhereTheServiceIsGone(t *testing.T) {
	h := open(t)
	h.gone()
	h.crew.Leave("preflight-panel")
	h.begins("connector", nil)
	h.clicks(play.Rita, "Go on", "before")
	h.clicks(play.Rita, "Go on, to rehearse", "preflight")
	h.expectChecklist("✅ done, read back · Whether the app and its service still exist")
	h.clicks(play.Mona, "Say what is there", "preflight-panel")
	h.submits(play.Mona, map[string]any{"panel": "no"})
	h.expectCard(play.Erin, "App registration for ServiceNow", "Approve and run")
}
