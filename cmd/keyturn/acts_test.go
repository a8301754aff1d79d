package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"keyturn/sim"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// What people do in a house.

// mark is how much Slack showed at a moment.
type mark struct{ ephemerals, messages int }

// seen notes what a person has seen before they act, so that an answer is
// not mistaken for an older one.
func (h *house) seen(who play.Person) {
	s := h.world.Slack.Snapshot()
	h.private[who.Slack] = mark{len(s.Ephemerals), len(s.Messages)}
}

func (h *house) took(who play.Person, what string, out slack.Outcome, err error) slack.Outcome {
	h.Helper()
	if err != nil {
		h.fail("%s %s: %v", who.Name, what, err)
	}
	if out.Shown != "" {
		h.fail("%s %s, and Slack showed: %s", who.Name, what, out.Shown)
	}
	return out
}

// types types a command in #it-ops.
func (h *house) types(who play.Person, text string) { h.Helper(); h.typesIn(who, play.Ops, text) }

// typesIn types a command in a channel.
func (h *house) typesIn(who play.Person, channel, text string) {
	h.Helper()
	h.seen(who)
	out, err := h.world.Slack.Slash(who.Slack, channel, text)
	h.took(who, "types "+text, out, err)
}

// typesDirectly types a command in the direct message with the bot.
func (h *house) typesDirectly(who play.Person, text string) {
	h.Helper()
	id, err := h.world.Slack.DirectID(who.Slack)
	if err != nil {
		h.Fatal(err)
	}
	h.typesIn(who, id, text)
}

// writes writes to the bot in their direct message.
func (h *house) writes(who play.Person, text string) {
	h.Helper()
	h.seen(who)
	out, err := h.world.Slack.DM(who.Slack, text)
	h.took(who, "writes "+text, out, err)
}

// mentions mentions the bot in a channel, or in a thread of it.
func (h *house) mentions(who play.Person, channel, thread, text string) {
	h.Helper()
	h.seen(who)
	out, err := h.world.Slack.Mention(who.Slack, channel, thread, text)
	h.took(who, "mentions the bot: "+text, out, err)
}

// form waits for the form in front of a person.
func (h *house) form(who play.Person) slack.View {
	h.Helper()
	var found slack.View
	h.until("a form in front of "+who.Name, func(s *slack.State) bool {
		for _, v := range s.Views {
			if v.User == who.Slack {
				found = v
			}
		}
		return found.ID != ""
	})
	return found
}

// submits fills in the form in front of a person, which has to be taken.
func (h *house) submits(who play.Person, values map[string]any) {
	h.Helper()
	if wrong := h.submit(who, values); len(wrong) > 0 {
		h.fail("the form of %s was not taken: %v", who.Name, wrong)
	}
}

// submitsInVain fills in the form in front of a person; it has to stay open
// and say something about the field.
func (h *house) submitsInVain(who play.Person, values map[string]any, field, says string) {
	h.Helper()
	wrong := h.submit(who, values)
	if !strings.Contains(wrong["in:"+field], says) {
		h.fail("the form of %s says about %s: %v; expected %q", who.Name, field, wrong, says)
	}
}

func (h *house) submit(who play.Person, values map[string]any) map[string]string {
	h.Helper()
	v := h.form(who)
	filled := map[string]any{}
	for name, value := range values {
		filled["in:"+name] = value
	}
	h.seen(who)
	out, err := h.world.Slack.Submit(who.Slack, v.ID, filled)
	return h.took(who, "submits a form", out, err).Errors
}

// cards is everything with buttons that a person sees, newest first: what only
// they see, their direct messages, channels, their Home.
func (h *house) cards(s *slack.State, who play.Person) []play.Card {
	var direct, only, open []play.Card
	for _, e := range s.Ephemerals {
		if e.To == who.Slack {
			only = append(only, play.PrivateCard(e))
		}
	}
	for _, m := range s.Messages {
		if !m.Bot || m.Deleted {
			continue
		}
		for _, c := range s.Channels {
			switch {
			case c.ID != m.Channel:
			case c.Kind == slack.Direct && c.Peer == who.Slack:
				direct = append(direct, play.MessageCard(m))
			case c.Kind != slack.Direct && slices.Contains(c.Members, who.Slack):
				open = append(open, play.MessageCard(m))
			}
		}
	}
	slices.Reverse(direct)
	slices.Reverse(only)
	slices.Reverse(open)
	out := slices.Concat(direct, only, open)
	if home, ok := s.Homes[who.Slack]; ok {
		out = append(out, play.ViewCard(home))
	}
	return out
}

// button waits until a person sees a button: by its label and, where that is
// not enough, a part of its value such as the step.
func (h *house) button(who play.Person, label, part string) (play.Card, play.Button) {
	h.Helper()
	var card play.Card
	var found play.Button
	h.until("a button ["+label+"] "+part+" for "+who.Name, func(s *slack.State) bool {
		for _, c := range h.cards(s, who) {
			for _, b := range c.Buttons {
				if b.Label == label && aims(b.Value, part) {
					card, found = c, b
					return true
				}
			}
		}
		return false
	})
	return card, found
}

// aims reports whether a button's value names a step, or contains a part.
func aims(value, part string) bool {
	return part == "" || slices.Contains(strings.Split(value, "/"), part)
}

// clicks presses a button that a person sees, the newest of those that fit.
func (h *house) clicks(who play.Person, label, part string) {
	h.Helper()
	h.seen(who)
	for tries := 0; ; tries++ {
		c, b := h.button(who, label, part)
		out, err := h.press(who, c, b)
		if err != nil && tries < 50 {
			continue // the card was redrawn between the look and the click
		}
		h.took(who, "clicks ["+label+"] "+part, out, err)
		return
	}
}

// clicksOn presses a button of a card that a person looked at before, whatever
// has happened since. A private copy of a card stays as it was drawn.
func (h *house) clicksOn(who play.Person, c play.Card, label, part string) {
	h.Helper()
	h.seen(who)
	for _, b := range c.Buttons {
		if b.Label == label && aims(b.Value, part) {
			out, err := h.press(who, c, b)
			h.took(who, "clicks ["+label+"] "+part, out, err)
			return
		}
	}
	h.fail("the card of %s has no button [%s] %s:\n%s", who.Name, label, part, c.Text)
}

func (h *house) press(who play.Person, c play.Card, b play.Button) (slack.Outcome, error) {
	return h.world.Slack.Click(slack.Click{User: who.Slack, Channel: c.Channel, TS: c.TS, View: c.View, Action: b.Action, Block: b.Block})
}

// copyOf has a person ask for their steps, and gives the private copy of the
// card, which nobody redraws.
func (h *house) copyOf(who play.Person) play.Card {
	h.Helper()
	h.types(who, "/keyturn mine")
	return h.expectPrivate(who)
}

// begins starts a guide: command and form, with the usual values.
func (h *house) begins(guide string, more map[string]any) {
	h.Helper()
	h.types(play.Rita, "/keyturn setup "+guide)
	values := map[string]any{}
	if guide != "cleanup" {
		values["channel"] = play.Incidents
	}
	if guide == "connector" {
		values["insights_users"] = play.Max.Now
	}
	for k, v := range more {
		values[k] = v
	}
	h.submits(play.Rita, values)
}

// brings does a guided step in the portals, and fills in its form.
func (h *house) brings(who play.Person, step string) {
	h.Helper()
	c, b := h.answerButton(who, step)
	values, err := h.crew.ByHand(h.Context(), who, step, c)
	if err != nil {
		h.fail("%s does %s by hand: %v", who.Name, step, err)
	}
	if values == nil {
		return
	}
	h.clicks(who, b.Label, step)
	if len(values) > 0 {
		h.submits(who, plain(values))
	}
}

// plain leaves out what a form keeps as it is.
func plain(values map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range values {
		switch v.(type) {
		case string, []string, nil:
			out[k] = v
		}
	}
	return out
}

func (h *house) answerButton(who play.Person, step string) (card play.Card, button play.Button) {
	h.Helper()
	h.until("the card of "+who.Name+" with "+step, func(s *slack.State) bool {
		for _, c := range h.cards(s, who) {
			for _, b := range c.Buttons {
				if (strings.HasPrefix(b.Action, "step-answer") || b.Label == "I did it, check") && aims(b.Value, step) {
					card, button = c, b
					return true
				}
			}
		}
		return false
	})
	return card, button
}

// fromNow has the expectations about calls count only what comes after this.
func (h *house) fromNow() {
	for _, j := range h.journals() {
		_, h.calls[j] = j.Since(0)
	}
}

func (h *house) journals() []*sim.Journal {
	return []*sim.Journal{&h.world.Microsoft.Journal, &h.world.ServiceNow.Journal}
}

// shuts closes the form in front of a person without sending it.
func (h *house) shuts(who play.Person) {
	h.Helper()
	v := h.form(who)
	if _, err := h.world.Slack.Close(who.Slack, v.ID, true); err != nil {
		h.Fatal(err)
	}
}

const hour = time.Hour

// refuses has Graph refuse a call until its faults are cleared, as it does
// where a role is missing. Once would not do: a refused call is made again with
// a fresh token where the one it had is no longer new.
func (h *house) refuses(method, path string) {
	h.world.Microsoft.Faults.Add(sim.Fault{Method: method, Path: path, Status: 403,
		Body: `{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation.","innerError":{"request-id":"5f0c1e7a-8a51-4d55-9a53-5a1f6f0f4f3a"}}}`})
}

// forges sends a person's last click once more, as a new one with another
// action and value: what a button of an older version would send.
func (h *house) forges(who play.Person, action, value string) {
	h.Helper()
	last := h.world.Slack.Snapshot().Last
	form, err := url.ParseQuery(last.Body)
	if err != nil {
		h.Fatal(err)
	}
	var payload map[string]any
	if err := json.Unmarshal([]byte(form.Get("payload")), &payload); err != nil {
		h.Fatal(err)
	}
	if user, ok := payload["user"].(map[string]any); !ok || user["id"] != who.Slack {
		h.Fatalf("the last click is not of %s", who.Name)
	}
	act := payload["actions"].([]any)[0].(map[string]any)
	act["action_id"], act["value"], act["action_ts"] = action+"~0", value, fmt.Sprintf("%d.000001", h.now().UnixNano())
	raw, err := json.Marshal(payload)
	if err != nil {
		h.Fatal(err)
	}
	again := *last
	again.Body = url.Values{"payload": {string(raw)}}.Encode()
	h.seen(who)
	out, err := h.world.Slack.SendRaw(again)
	h.took(who, "forges a click on "+action, out, err)
}
