package main

import (
	"strings"
	"testing"
	"time"

	"keyturn/sim"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// told counts the direct messages of the bot to a person that say all of this.
func (h *house) told(who play.Person, words ...string) (n int) {
	s := h.world.Slack.Snapshot()
	for _, m := range s.Messages {
		if m.Bot && !m.Deleted && h.place(&s, m.Channel) == "to "+who.Slack && containsAll(drawn(m.Text, m.Blocks), words) {
			n++
		}
	}
	return n
}

// slackSays has a method of Slack's Web API answer with an error.
func slackSays(method, code string, times int) sim.Fault {
	return sim.Fault{Path: "/api/" + method, Times: times, Status: 200, Body: `{"ok":false,"error":"` + code + `"}`}
}

// A channel that takes no messages stops the step, with what to do about it.
func TestAnIncidentChannelThatTakesNoMessages(t *testing.T) {
	for _, tt := range []struct {
		name       string
		gone, back func(h *house)
		words      []string
	}{
		{"archived", func(h *house) { _, _ = h.world.Slack.Archive(play.Incidents) }, func(h *house) { _, _ = h.world.Slack.Unarchive(play.Incidents) },
			[]string{"The channel is archived", "Unarchive it"}},
		{"the bot is not in it", func(h *house) { _, _ = h.world.Slack.RemoveBot(play.Incidents) }, func(h *house) { _, _ = h.world.Slack.InviteBot(play.Incidents, play.Rita.Slack) },
			[]string{"Keyturn is not in the channel", "/invite"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, withoutServiceNow, func(s *setting) { s.Asked = true }, hasty(&pauseLog{}))
			h.begins("direct", nil)
			tt.gone(h)
			h.everybodyUntilStep(play.Rita, "Try again", "channels")
			h.expectRefusal(play.Rita, "channels", append(tt.words, "skip this step", "/keyturn subscribe")...)
			tt.back(h)
			h.clicks(play.Rita, "Try again", "channels")
			h.expectChannel(play.Incidents, "From now on this channel is told")
			h.everybodyUntil("✅ finished")
			id := h.publishes(1)
			h.expectChannel(play.Incidents, id)
		})
	}
	t.Run("deleted, so the step is skipped and another channel subscribed", func(t *testing.T) {
		h := open(t, withoutServiceNow, hasty(&pauseLog{}))
		h.begins("direct", nil)
		if _, err := h.world.Slack.DeleteChannel(play.Incidents); err != nil {
			t.Fatal(err)
		}
		h.everybodyUntilStep(play.Rita, "Try again", "channels")
		h.expectRefusal(play.Rita, "channels", "The channel is gone", "skip this step")
		h.clicks(play.Rita, "Skip with reason", "channels")
		h.submits(play.Rita, map[string]any{"why": "that channel was deleted"})
		h.everybodyUntil("✅ finished")
		h.types(play.Rita, "/keyturn subscribe live")
		if s := h.world.Slack.Snapshot(); len(s.Views) > 0 {
			h.submits(play.Rita, map[string]any{})
		}
		id := h.publishes(0)
		h.expectChannel(play.Ops, id)
	})
}

// A subscribed channel that is closed later is not tried for ever: its
// subscription stops, and the admins are told once.
func TestASubscribedChannelThatIsClosedIsToldToTheAdminsOnce(t *testing.T) {
	for _, tt := range []struct {
		name  string
		gone  func(h *house)
		words string
	}{
		{"Slack says so by an event", func(h *house) { _, _ = h.world.Slack.Archive(play.Incidents) }, "archived or deleted"},
		{"only the next message finds out", func(h *house) { h.world.Slack.Faults.Add(slackSays("chat.postMessage", "is_archived", 1)) }, "The channel is archived"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, withReader, hasty(&pauseLog{}))
			h.readable(true)
			h.readable(true)
			h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
			h.expectChannel(play.Incidents, "From now on this channel is told")
			h.idle() // the next message is the incident
			tt.gone(h)
			h.publishes(0)
			for _, owner := range []play.Person{play.Omar, play.Olga} {
				h.expectCard(owner, "no longer reaches", tt.words, "/keyturn subscribe")
			}
			h.publishes(1)
			h.idle()
			if n := h.told(play.Omar, "no longer reaches"); n != 1 {
				t.Errorf("an owner was told %d times that the channel is closed, expected once", n)
			}
			_, _ = h.world.Slack.Unarchive(play.Incidents)
			h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
			h.becomes("the channel to be told again", func() bool { return !h.stopped(play.Incidents) })
		})
	}
}

// A run whose channel is closed goes on in the requester's direct messages.
func TestARunWhoseChannelIsClosedMovesToItsRequester(t *testing.T) {
	h := open(t, withoutServiceNow, hasty(&pauseLog{}))
	h.begins("direct", nil)
	h.everybodyUntilStep(play.Erin, "Approve and run", "reader-app")
	if _, err := h.world.Slack.Archive(play.Ops); err != nil {
		t.Fatal(err)
	}
	h.expectCard(play.Rita, "can no longer post in the channel of this run", "goes on here")
	h.expectCard(play.Rita, "asked for by", "Registration for reading service health")
	h.crew.Touch("reader-app")
	h.workUntil("the run to be finished in the direct message", func(s *slack.State) bool { return h.told(play.Rita, "✅ finished") > 0 })
	if n := h.told(play.Rita, "can no longer post in the channel"); n != 1 {
		t.Errorf("the requester was told %d times that the run moved", n)
	}
}

func TestWhatSlackDelaysOrLosesIsSaidOnce(t *testing.T) {
	pauses := &pauseLog{}
	h := open(t, withoutServiceNow, hasty(pauses))
	h.begins("direct", nil)
	h.expectChecklist("0 of")
	h.in("throttled", func() {
		h.world.Slack.Faults.Add(sim.Throttled("/api/chat.*", 4, time.Second))
		h.clicks(play.Rita, "Go on", "before")
		h.everybodyUntilStep(play.Erin, "Approve and run", "reader-app")
		h.expectChecklist("2 of")
	})
	h.in("accepted, then the connection broke", func() {
		h.idle()
		h.world.Slack.Faults.Add(sim.Fault{Path: "/api/chat.postMessage", Times: 2, Drop: true, After: true})
		h.clicks(play.Erin, "Approve and run", "reader-app")
		h.crew.Leave("reader-consent")
		h.everybodyUntilStep(play.Priya, "I did it, check", "reader-consent")
		h.idle()
		h.noTwins()
	})
	h.in("a deleted checklist is posted anew", func() {
		s := h.world.Slack.Snapshot()
		m, _ := h.newestChecklist(&s)
		if err := h.world.Slack.DeleteMessage(m.Channel, m.TS); err != nil {
			t.Fatal(err)
		}
		h.crew.Touch("reader-consent")
		h.everybodyUntil("✅ finished")
	})
}

// noTwins says that no message stands twice in one place.
func (h *house) noTwins() {
	h.Helper()
	seen := map[string]bool{}
	for _, m := range h.world.Slack.Snapshot().Messages {
		if !m.Bot || m.Deleted || m.Text == "" {
			continue
		}
		key := m.Channel + "/" + m.ThreadTS + "/" + m.Text
		if seen[key] {
			h.Errorf("this was said twice in %s, again at %s: %s", m.Channel, m.TS, clip(m.Text, 300))
		}
		seen[key] = true
	}
}

// A form lives for three seconds after a click. One that came too late is said,
// and the next click works.
func TestAFormThatDoesNotOpenInTime(t *testing.T) {
	h := open(t, withoutServiceNow, hasty(&pauseLog{}))
	for _, code := range []string{"trigger_expired", "internal_error"} {
		h.in(code, func() {
			h.world.Slack.Faults.Add(slackSays("views.open", code, 1))
			h.types(play.Rita, "/keyturn setup direct")
			h.expectPrivate(play.Rita, "The form did not open in time", "Nothing was changed", "again")
		})
	}
	h.begins("direct", nil)
	h.expectChecklist("0 of")
}

// An app that is uninstalled says nothing any more; put back, it goes on.
func TestAnAppThatIsUninstalledAndPutBack(t *testing.T) {
	h := open(t, withReader, hasty(&pauseLog{}))
	h.readable(true)
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
	h.expectChannel(play.Incidents, "From now on this channel is told")
	h.begins("cleanup", nil)
	h.expectChecklist("0 of")
	h.world.Slack.Uninstall()
	h.publishes(0)
	h.becomes("the subscription to stop", func() bool { return h.stopped(play.Incidents) })
	h.world.Slack.Reinstall()
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscriptions")
	h.expectPrivate(play.Rita, "Stopped", "uninstalled from the workspace")
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
	h.becomes("the channel to be told again", func() bool { return !h.stopped(play.Incidents) })
	id := h.publishes(1)
	h.expectChannel(play.Incidents, id)
	h.types(play.Rita, "/keyturn mine") // her card may have been lost meanwhile
	h.clicks(play.Rita, "Go on", "before")
	h.expectChecklist("confirmed by Rita Okafor") // what follows may be further already
}

// A token that is revoked without a word from Slack is named in the log.
func TestARevokedTokenIsNamedWithItsFix(t *testing.T) {
	h := open(t, withReader, hasty(&pauseLog{}))
	h.readable(true)
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
	h.expectChannel(play.Incidents, "From now on this channel is told")
	h.world.Slack.Faults.Add(slackSays("chat.*", "token_revoked", 0))
	h.publishes(0)
	h.becomes("the subscription to stop", func() bool { return h.stopped(play.Incidents) })
	h.becomes("the log to say what happened and what to do", func() bool {
		return strings.Contains(h.log.String(), "The app's token was revoked. Install the app in the workspace again and put its new token into the configuration.")
	})
	h.world.Slack.Faults.Clear()
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
	id := h.publishes(1)
	h.expectChannel(play.Incidents, id)
}
