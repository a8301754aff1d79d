package main

import (
	"encoding/json"
	"html"
	"slices"
	"strings"
	"time"

	"keyturn/bot/engine"
	"keyturn/sim"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// What people see in a house.

// expectPrivate waits for an answer that only this person sees, given since
// they last acted: an ephemeral, or a direct message where they asked there.
func (h *house) expectPrivate(who play.Person, words ...string) play.Card {
	h.Helper()
	var found play.Card
	h.until("a private answer to "+who.Name+": "+strings.Join(words, ", "), func(s *slack.State) bool {
		since := h.private[who.Slack]
		for _, e := range s.Ephemerals[since.ephemerals:] {
			if e.To == who.Slack && containsAll(drawn(e.Text, e.Blocks), words) {
				found = play.PrivateCard(e)
				return true
			}
		}
		for _, m := range s.Messages[since.messages:] {
			if m.Bot && h.place(s, m.Channel) == "to "+who.Slack && containsAll(drawn(m.Text, m.Blocks), words) {
				found = play.MessageCard(m)
				return true
			}
		}
		return false
	})
	return found
}

// expectCard waits for a direct message to a person as it reads now.
func (h *house) expectCard(who play.Person, words ...string) play.Card {
	h.Helper()
	var found play.Card
	h.until("a direct message to "+who.Name+": "+strings.Join(words, ", "), func(s *slack.State) bool {
		for _, m := range slices.Backward(s.Messages) {
			if m.Bot && !m.Deleted && h.place(s, m.Channel) == "to "+who.Slack && containsAll(drawn(m.Text, m.Blocks), words) {
				found = play.MessageCard(m)
				found.Text = drawn(m.Text, m.Blocks)
				return true
			}
		}
		return false
	})
	return found
}

// expectChannel waits for a message of the bot in a channel, in a thread or
// not.
func (h *house) expectChannel(channel string, words ...string) slack.Message {
	h.Helper()
	return h.message("a message in "+channel, channel, func(slack.Message) bool { return true }, words)
}

// expectThread waits for a reply of the bot in a thread of a channel.
func (h *house) expectThread(channel string, words ...string) slack.Message {
	h.Helper()
	return h.message("a reply in a thread of "+channel, channel, func(m slack.Message) bool { return m.ThreadTS != "" && m.ThreadTS != m.TS }, words)
}

// expectEdited waits for a message that was edited in place and now reads so.
func (h *house) expectEdited(channel string, words ...string) slack.Message {
	h.Helper()
	return h.message("an edited message in "+channel, channel, func(m slack.Message) bool { return m.Revisions > 0 }, words)
}

// expectChecklist waits for the newest checklist to read so.
func (h *house) expectChecklist(words ...string) slack.Message {
	h.Helper()
	var found slack.Message
	h.until("a checklist that says "+strings.Join(words, ", "), func(s *slack.State) bool {
		m, ok := h.newestChecklist(s)
		found = m
		return ok && containsAll(drawn(m.Text, m.Blocks), words)
	})
	return found
}

func (h *house) message(what, channel string, fits func(slack.Message) bool, words []string) slack.Message {
	h.Helper()
	var found slack.Message
	h.until(what+": "+strings.Join(words, ", "), func(s *slack.State) bool {
		for _, m := range slices.Backward(s.Messages) {
			if m.Bot && !m.Deleted && m.Channel == channel && fits(m) && containsAll(drawn(m.Text, m.Blocks), words) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// expectHome waits for the bot's own page of a person to read so.
func (h *house) expectHome(who play.Person, words ...string) play.Card {
	h.Helper()
	var found play.Card
	h.until("the Home of "+who.Name+": "+strings.Join(words, ", "), func(s *slack.State) bool {
		v, ok := s.Homes[who.Slack]
		if ok {
			found = play.ViewCard(v)
		}
		return ok && containsAll(found.Text, words)
	})
	return found
}

// expectForm waits for a form in front of a person that shows these words.
func (h *house) expectForm(who play.Person, words ...string) slack.View {
	h.Helper()
	var found slack.View
	h.until("a form of "+who.Name+": "+strings.Join(words, ", "), func(s *slack.State) bool {
		for _, v := range s.Views {
			if v.User == who.Slack && containsAll(every(v.Body), words) {
				found = v
				return true
			}
		}
		return false
	})
	return found
}

// drawn is everything that a message shows: its text for screen readers and
// the words in its blocks.
func drawn(text string, blocks json.RawMessage) string {
	return html.UnescapeString(text) + "\n" + every(blocks)
}

// every is every string of some JSON, a line each.
func every(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	var b strings.Builder
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			b.WriteString(html.UnescapeString(v) + "\n")
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(v)
	return b.String()
}

// expectReading waits until service health was read once.
func (h *house) expectReading() {
	h.Helper()
	deadline := time.After(patience)
	for {
		changed := h.world.Microsoft.Journal.Changed() // the next reading, at the latest
		good := false
		h.read(func(v engine.View) error {
			w, err := v.Watch("contoso")
			good = !w.Good.IsZero()
			return err
		})
		if good {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			h.fail("service health was not read")
		}
	}
}

// expectCall waits for a call to Microsoft or ServiceNow whose path contains
// part.
func (h *house) expectCall(method, part string) sim.Call {
	h.Helper()
	deadline := time.After(patience)
	for {
		ms, sn := h.world.Microsoft.Journal.Changed(), h.world.ServiceNow.Journal.Changed()
		for _, c := range h.served() {
			if c.Method == method && strings.Contains(c.Path, part) {
				return c
			}
		}
		select {
		case <-ms:
		case <-sn:
		case <-deadline:
			h.fail("waited for %s %s, and it was not called; these were:\n%s", method, part, calls(h.served()))
		}
	}
}

// served is what programs called at Microsoft and ServiceNow, in time order.
func (h *house) served() []sim.Call {
	var out []sim.Call
	for _, j := range h.journals() {
		list, _ := j.Since(h.calls[j])
		for _, c := range list {
			if !c.Out && api(c.Path) {
				out = append(out, c)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b sim.Call) int { return a.At.Compare(b.At) })
	return out
}

// api reports whether a path is one that programs call, not people.
func api(path string) bool {
	return strings.HasPrefix(path, "/graph/") || strings.HasPrefix(path, "/api/now/") || signIn(path)
}

// signIn reports whether a path is asked for tokens, which changes nothing.
func signIn(path string) bool {
	return strings.Contains(path, "/oauth2/") || strings.HasPrefix(path, "/oauth_token")
}

// writesMade is what programs changed at Microsoft and ServiceNow.
func (h *house) writesMade() []sim.Call {
	return slices.DeleteFunc(h.served(), func(c sim.Call) bool { return !c.Write || signIn(c.Path) })
}

// expectNoWrites says that nothing was changed outside since fromNow, or at
// all.
func (h *house) expectNoWrites() {
	h.Helper()
	h.idle()
	if w := h.writesMade(); len(w) > 0 {
		h.fail("something was changed outside:\n%s", calls(w))
	}
}

func calls(list []sim.Call) string {
	var b strings.Builder
	for _, c := range list {
		b.WriteString("  " + c.Method + " " + c.Path + " " + c.Note + "\n")
	}
	return b.String()
}
