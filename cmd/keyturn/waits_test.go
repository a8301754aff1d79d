package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// everybodyUntil lets everybody do what their cards ask, until a person would
// see all these words in the channel's newest checklist.
func (h *house) everybodyUntil(words ...string) {
	h.Helper()
	h.workUntil("a checklist that says "+strings.Join(words, ", "), func(s *slack.State) bool {
		m, ok := h.newestChecklist(s)
		return ok && containsAll(m.Text, words)
	})
}

// everybodyUntilStep lets everybody work, but nobody touches these steps, until
// each of them waits for somebody with that button.
func (h *house) everybodyUntilStep(who play.Person, label, step string) {
	h.Helper()
	h.everybodyUntilAny(who, step, label)
}

// everybodyUntilAny is the first label of a button that stands on a step.
func (h *house) everybodyUntilAny(who play.Person, step string, labels ...string) (seen string) {
	h.Helper()
	h.crew.Leave(step)
	h.workUntil("["+strings.Join(labels, "] or [")+"] of "+step, func(s *slack.State) bool {
		for _, c := range h.cards(s, who) {
			for _, b := range c.Buttons {
				if slices.Contains(labels, b.Label) && aims(b.Value, step) {
					seen = b.Label
					return true
				}
			}
		}
		return false
	})
	return seen
}

// everybodyUntilApprovable signs somebody in for a step where what they did
// before it is over by then; a visit that goes on needs no second sign-in.
func (h *house) everybodyUntilApprovable(who play.Person, step string) {
	h.Helper()
	if h.everybodyUntilAny(who, step, "Sign in", "Approve and run") == "Sign in" {
		h.signsIn(who, "Sign in", step, who.Now)
	}
}

func (h *house) workUntil(what string, done func(*slack.State) bool) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 3*patience)
	defer cancel()
	if err := h.crew.WorkUntil(ctx, what, done); err != nil {
		h.Fatal(err)
	}
}

// finishes plays a guide from its command to its record.
func (h *house) finishes(guide string) {
	h.Helper()
	before := len(h.checklists())
	h.begins(guide, nil)
	h.workUntil("the record of "+guide, func(*slack.State) bool {
		all := h.checklists()
		return len(all) > before && strings.Contains(all[len(all)-1].Text, "✅ finished")
	})
	h.idle()
}

func (h *house) checklists() []slack.Message {
	s := h.world.Slack.Snapshot()
	var out []slack.Message
	for _, m := range s.Messages {
		if checklist(m) {
			out = append(out, m)
		}
	}
	return out
}

func checklist(m slack.Message) bool {
	return m.Bot && !m.Deleted && m.Channel == play.Ops && (m.ThreadTS == "" || m.ThreadTS == m.TS) && strings.Contains(m.Text, "asked for by")
}

func (h *house) newestChecklist(s *slack.State) (slack.Message, bool) {
	for _, m := range slices.Backward(s.Messages) {
		if checklist(m) {
			return m, true
		}
	}
	return slack.Message{}, false
}

// until waits for the workspace to look as expected.
func (h *house) until(what string, ok func(*slack.State) bool) {
	h.Helper()
	deadline := time.After(patience)
	for {
		changed := h.world.Slack.Changed()
		s := h.world.Slack.Snapshot()
		if ok(&s) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			h.fail("waited for %s, and it did not come", what)
		}
	}
}

func containsAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
