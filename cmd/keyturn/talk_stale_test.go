package main

import (
	"strings"
	"testing"

	"keyturn/sim/play"
	"keyturn/sim/slack"
)

func TestButtonsOfADecidedStepDoNothingAndSaySo(t *testing.T) {
	h := open(t)
	h.asks()
	erin, emil := h.copyOf(play.Erin), h.copyOf(play.Emil)
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectThread(play.Ops, "✅", "Registration for reading service health")
	h.idle()
	h.fromNow()
	for _, b := range []string{"Approve and run", "I did it by hand, check", "I take it", "Not me", "Reject", "Remind me tomorrow 09:00"} {
		h.clicksOn(play.Emil, emil, b, "reader-app")
		h.expectPrivate(play.Emil, "This was decided by Erin Vogel", "I have not run anything again", "My steps", "Status")
	}
	h.clicksOn(play.Erin, erin, "Approve and run", "reader-app")
	h.expectPrivate(play.Erin, "This was decided by Erin Vogel")
	h.expectNoWrites()
}

func TestButtonsOfAFinishedRunDoNothingAndSaySo(t *testing.T) {
	h := open(t)
	h.asks()
	emil := h.copyOf(play.Emil)
	list := play.MessageCard(h.checklists()[0])
	h.types(play.Rita, "/keyturn cancel")
	h.clicks(play.Rita, "Cancel the run", "")
	h.expectChecklist("cancelled")
	h.clicksOn(play.Emil, emil, "Approve and run", "reader-app")
	h.expectPrivate(play.Emil, "This run was cancelled, so I have not run anything.")
	cancel, _ := list.Has("Cancel", "")
	h.types(play.Rita, "/keyturn setup")
	h.clicks(play.Rita, "cleanup", "cleanup") // any click, to send another like it
	h.shuts(play.Rita)
	h.forges(play.Rita, cancel.Action[:strings.LastIndex(cancel.Action, "~")], cancel.Value)
	h.expectPrivate(play.Rita, "This run is over already.")
	h.expectNoWrites()
}

func TestButtonsOfAChangedPlanDoNothingAndSaySo(t *testing.T) {
	h := open(t)
	h.crew.Leave("sn-unattended", "sn-incidents")
	h.begins("direct", nil)
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-unattended")
	h.clicks(play.Sam, "Approve and run", "sn-unattended")
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-incidents")
	old := h.copyOf(play.Sam)
	h.clicks(play.Sam, "Reject", "sn-incidents")
	h.submits(play.Sam, map[string]any{"why": "The category is wrong."})
	h.expectCard(play.Sam, "⛔ failed", "Rejected by Sam Duarte: The category is wrong.")
	h.clicksOn(play.Sam, old, "Approve and run", "sn-incidents")
	h.expectPrivate(play.Sam, "I have not run anything")

	// The group changes its name: the plan is another one then.
	h.clicks(play.Sam, "Try again", "sn-incidents")
	h.expectCard(play.Sam, "A test incident in ServiceNow", "Approve and run")
	b, _ := old.Has("Approve and run", "sn-incidents")
	h.clicks(play.Sam, "Show exact calls", "sn-incidents")
	h.forges(play.Sam, "step-approve", b.Value[:strings.LastIndex(b.Value, "/")+1]+"0123456789abcdef01234567")
	h.expectPrivate(play.Sam, "The calls have changed since this card was drawn, so I have not run anything. Look at the new ones.")
	h.forges(play.Sam, "step-approve", b.Value[:strings.LastIndex(b.Value, "/")])
	h.expectPrivate(play.Sam, "I have not run anything")
}

func TestWhatNobodyKnowsGetsAnAnswer(t *testing.T) {
	h := open(t)
	h.types(play.Rita, "/keyturn subscrbe")
	h.expectPrivate(play.Rita, "I do not know", "subscrbe", "Did you mean", "subscribe", "[Help]")
	h.types(play.Rita, "/keyturn xyzzyplugh")
	h.expectPrivate(play.Rita, "I do not know", "xyzzyplugh", "/keyturn help")
	h.types(play.Rita, "/keyturn setup everything")
	h.expectPrivate(play.Rita, "There is no guide “everything”", "[direct]", "[connector]", "[cleanup]")
	h.types(play.Rita, "/keyturn")
	h.expectPrivate(play.Rita, "What can I do for you?")
	h.clicks(play.Rita, "Help", "")
	h.expectPrivate(play.Rita, "/keyturn setup direct", "You are Rita Okafor")
	h.forges(play.Rita, "a-button-of-1999", "x")
	h.expectPrivate(play.Rita, "This button is from an older version of Keyturn and does nothing now")
	for _, value := range []string{"", "run-nosuchrun", "run-nosuchrun/reader-app/0", "///", strings.Repeat("x", 1999)} {
		h.forges(play.Rita, "step-approve", value)
		h.expectPrivate(play.Rita, "")
	}
	h.expectNoWrites()
	if tr := h.world.Slack.Snapshot().Troubles; len(tr) > 0 {
		t.Errorf("somebody saw a failure: %+v", tr)
	}
}

func TestStrangersGetNothingButAKindWord(t *testing.T) {
	h := open(t)
	h.asks()
	h.types(play.Max, "/keyturn setup direct")
	h.expectPrivate(play.Max, "I do not know your account for Contoso, so I have done nothing", "Omar Haddad or Olga Brandt")
	for _, b := range []string{"Status", "My steps", "Nudge", "Cancel"} {
		h.clicks(play.Max, b, "")
		h.expectPrivate(play.Max, "so I have done nothing")
	}
	h.types(play.Max, "/keyturn health")
	h.expectPrivate(play.Max, "health")
	h.types(play.Max, "/keyturn help")
	h.expectPrivate(play.Max, "I do not know your account for Contoso, so you can ask", "The rest is for others: people whom the configuration names have subscribe")

	// Somebody whom the bot knows, but whose step it is not.
	card := h.copyOf(play.Erin)
	b, _ := card.Has("Approve and run", "reader-app")
	h.clicks(play.Omar, "Show my steps", "")
	h.expectPrivate(play.Omar, "Nothing waits for you")
	h.forges(play.Omar, "step-approve", b.Value)
	h.expectPrivate(play.Omar, "This step belongs to", "Entra", "I have not run anything", "[Ask them]")
	h.clicks(play.Omar, "Ask them", "")
	h.expectPrivate(play.Omar, "Reminded: Emil Sato, Erin Vogel.")
	h.expectNoWrites()
}

func TestCommandsWorkInDirectMessagesAndMentionsInThreads(t *testing.T) {
	h := open(t)
	h.asks()
	h.writes(play.Erin, "mine")
	h.expectPrivate(play.Erin, "Registration for reading service health", "Approve and run", "Set something up") // as her page says
	h.typesDirectly(play.Erin, "/keyturn status")
	h.expectPrivate(play.Erin, "waiting for Erin Vogel and Emil Sato")
	list := h.checklists()[0]
	h.mentions(play.Erin, play.Ops, list.TS, "status")
	answer := h.expectPrivate(play.Erin, "waiting for Erin Vogel and Emil Sato")
	if answer.Thread != list.TS {
		t.Errorf("the answer to a mention in a thread stands in %q, not in the thread", answer.Thread)
	}
	h.typesDirectly(play.Rita, "/keyturn subscribe")
	h.expectPrivate(play.Rita, "Type this in the channel that should be told")
}

func TestARunStartedInADirectMessageStaysThere(t *testing.T) {
	h := open(t)
	h.typesDirectly(play.Rita, "/keyturn setup direct")
	h.submits(play.Rita, map[string]any{"channel": play.Incidents, "instance": "none"})
	h.expectCard(play.Rita, "asked for by Rita Okafor", "0 of ")
	if n := len(h.checklists()); n != 0 {
		t.Errorf("the checklist of a direct message stands in a channel")
	}
	h.clicks(play.Rita, "Go on", "before")
	h.expectCard(play.Erin, "Registration for reading service health", "Approve and run")
}

func TestAWorkspaceOfTwoTenantsAsksWhichOne(t *testing.T) {
	h := open(t, withTwoTenants)
	h.types(play.Rita, "/keyturn status")
	h.expectPrivate(play.Rita, "Which tenant is this about?", "[Contoso]", "[Fabrikam]")
	h.clicks(play.Rita, "Contoso", "")
	h.expectPrivate(play.Rita, "Nothing is being set up now")
	h.types(play.Rita, "/keyturn status") // the channel is Contoso's from now on
	h.expectPrivate(play.Rita, "Nothing is being set up now")
	h.begins("direct", map[string]any{"instance": "none", "channel": play.Ops})
	h.clicks(play.Rita, "Go on", "before")
	h.expectCard(play.Erin, "Registration for reading service health", "Approve and run")
	card := h.copyOf(play.Erin)

	// In a channel of the other tenant, a button of this one does nothing.
	h.typesIn(play.Rita, play.Incidents, "/keyturn status")
	h.clicks(play.Rita, "Fabrikam", "")
	h.expectPrivate(play.Rita, "Nothing is being set up now")
	b, _ := card.Has("Approve and run", "reader-app")
	h.forges(play.Rita, "step-approve", b.Value)
	h.expectPrivate(play.Rita, "belongs to another tenant", "Nothing was done")

	// In a direct message the button itself says which tenant it is about.
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Approved by Erin Vogel", "Read back")
	h.fromNow()
	h.typesDirectly(play.Rita, "/keyturn setup direct")
	h.clicks(play.Rita, "Fabrikam", "")
	h.submitsInVain(play.Rita, map[string]any{"channel": play.Ops}, "channel", "another tenant")
	h.submits(play.Rita, map[string]any{"channel": play.Incidents})
	h.expectCard(play.Rita, "Fabrikam · asked for by Rita")
	h.typesIn(play.Erin, play.Incidents, "/keyturn mine")
	h.expectPrivate(play.Erin, "I do not know your account for Fabrikam")
	h.expectNoWrites()
}

// stranger is somebody of another workspace who shares the channel.
var stranger = play.Person{Name: "Gus Partner", Slack: "U0GUS"}

func withStranger(s *setting) {
	s.Also = append(s.Also, slack.User{ID: stranger.Slack, Name: "gus", RealName: stranger.Name, Stranger: true, TeamID: "T0PARTNER"})
}

// visits is a guest of the workspace, which only Slack itself can tell.
var visits = play.Person{Name: "Gabi Visit", Slack: "U0GABI"}

func TestGuestsOfTheWorkspaceAreToldThatNothingWasDone(t *testing.T) {
	h := open(t, func(s *setting) {
		s.Also = append(s.Also, slack.User{ID: visits.Slack, Name: "gabi", RealName: visits.Name, Guest: true})
	})
	h.asks()
	if _, err := h.world.Slack.OpenHome(visits.Slack); err != nil {
		t.Fatal(err)
	}
	h.expectHome(visits, "I only answer members of this organisation")
	h.types(visits, "/keyturn health")
	h.expectPrivate(visits, "I only answer members of this organisation. Nothing was done.")
	h.clicks(visits, "Status", "")
	h.expectPrivate(visits, "I only answer members of this organisation. Nothing was done.")
	h.types(play.Max, "/keyturn health") // a member whom the configuration does not know
	h.idle()
	h.types(play.Max, "/keyturn health")
	h.expectPrivate(play.Max, "health")
}

func TestPeopleOfOtherOrganisationsAreToldThatNothingWasDone(t *testing.T) {
	h := open(t, withStranger)
	h.asks()
	before := len(h.audit())
	for _, b := range []string{"Status", "Nudge", "Cancel"} {
		h.clicks(stranger, b, "")
	}
	h.idle()
	if after := len(h.audit()); after != before {
		t.Errorf("clicks of a stranger left %d entries in the trail", after-before)
	}
	h.mentions(stranger, play.Ops, "", "health")
	h.expectPrivate(stranger, "I only answer members of this organisation")
}
