package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/sim"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// What a system refuses, and what the admin reads about it. A refusal is
// provoked at the system, read on the card, taken away at the system, and the
// step goes on.

// refusal is one row: how to provoke it, and the words that the card of the
// step has to show.
type refusal struct {
	name    string
	provoke func(h *house)
	mend    func(h *house) // nil takes every scripted fault away
	words   []string       // what was answered, what it means, who can mend it, code
}

// hasty has the pauses between two tries last a moment, and remembers how long
// they should have been.
func hasty(p *pauseLog) option {
	return func(s *setting) { s.haste = pauses{wait: p.wait, backoff: p.backoff} }
}

// pauseLog remembers the pauses that the bot wanted to take.
type pauseLog struct {
	mu    sync.Mutex
	taken []time.Duration
}

func (p *pauseLog) wait(ctx context.Context, d time.Duration) error {
	p.note(d)
	t := time.NewTimer(min(d/2000, 4*time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pauseLog) backoff(tries int) time.Duration {
	p.note(time.Second << (tries - 1))
	return time.Duration(tries) * 3 * time.Millisecond
}

func (p *pauseLog) note(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, d)
}

// took reports whether a pause of that length was wanted.
func (p *pauseLog) took(d time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.taken, d)
}

// in runs a part of a conversation as a subtest. When it fails the rest is of
// no use.
func (h *house) in(name string, part func()) {
	h.Helper()
	outer := h.T
	ok := outer.Run(name, func(t *testing.T) {
		h.T = t
		defer func() { h.T = outer }()
		part()
	})
	h.T = outer
	if !ok {
		h.FailNow()
	}
}

// section is the part of a person's newest card that is about one step: its
// words, and the labels of its buttons.
func (h *house) section(s *slack.State, who play.Person, step string) (words string, buttons []string) {
	for _, m := range slices.Backward(s.Messages) {
		if !m.Bot || m.Deleted || h.place(s, m.Channel) != "to "+who.Slack {
			continue
		}
		for _, part := range partsOf(m) {
			raw, _ := json.Marshal(part)
			for _, b := range play.MessageCard(slack.Message{Blocks: raw}).Buttons {
				if aims(b.Value, step) {
					buttons = append(buttons, b.Label)
				}
			}
			if len(buttons) > 0 {
				return every(raw), buttons
			}
		}
	}
	return "", nil
}

// expectRefusal waits for the card of a step to say that it failed, with these
// words, and with the buttons that go on.
func (h *house) expectRefusal(who play.Person, step string, words ...string) {
	h.Helper()
	var text string
	var buttons []string
	h.until(fmt.Sprintf("the step %s of %s to say %q", step, who.Name, words), func(s *slack.State) bool {
		text, buttons = h.section(s, who, step)
		return strings.Contains(text, "⛔") && containsAll(text, words)
	})
	if !slices.Contains(buttons, "Try again") && !slices.Contains(buttons, "Activated") && !slices.Contains(buttons, "I fixed it, check") {
		h.fail("the step %s failed, and its card has no way on: %v", step, buttons)
	}
	h.unharmed()
}

// unharmed says that a refusal is shown as one, and that the run goes on
// around it.
func (h *house) unharmed() {
	h.Helper()
	for _, m := range h.checklists() {
		if strings.Contains(m.Text, "cancelled") || strings.Contains(m.Text, "✅ finished") {
			h.fail("the run did not wait: %s", m.Text)
		}
	}
}

// expectApproval waits until a step waits for a person's word.
func (h *house) expectApproval(who play.Person, step string, words ...string) {
	h.Helper()
	h.until("the plan of "+step+" for "+who.Name+" with "+strings.Join(words, ", "), func(s *slack.State) bool {
		text, buttons := h.section(s, who, step)
		return slices.Contains(buttons, "Approve and run") && containsAll(text, words)
	})
}

// expectDone waits until a step is done and says how it was proved, in the part
// of a card that is about that step: other parts may say that theirs is done.
func (h *house) expectDone(who play.Person, title string, words ...string) {
	h.Helper()
	h.until(fmt.Sprintf("the card of %s to say that %s is done, with %q", who.Name, title, words), func(s *slack.State) bool {
		for _, m := range s.Messages {
			if m.Bot && !m.Deleted && h.place(s, m.Channel) == "to "+who.Slack && slices.ContainsFunc(partsOf(m), func(part []json.RawMessage) bool {
				raw, _ := json.Marshal(part)
				return containsAll(every(raw), append([]string{title, "✅ done"}, words...))
			}) {
				return true
			}
		}
		return false
	})
}

// partsOf cuts a message where it draws a line.
func partsOf(m slack.Message) [][]json.RawMessage {
	var blocks []json.RawMessage
	if json.Unmarshal(m.Blocks, &blocks) != nil {
		return nil
	}
	parts := [][]json.RawMessage{nil}
	for _, b := range blocks {
		var kind struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(b, &kind) == nil && kind.Type == "divider" {
			parts = append(parts, nil)
			continue
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], b)
	}
	return parts
}

// refusesWrites approves a step once for every refusal: the call fails, the
// card says why, and after the mending the plan is there again. It ends with
// the plan waiting.
func (h *house) refusesWrites(who play.Person, step string, rows []refusal) {
	h.Helper()
	for _, r := range rows {
		h.in(r.name, func() {
			h.expectApproval(who, step)
			r.provoke(h)
			h.clicks(who, "Approve and run", step)
			h.idle()
			h.expectRefusal(who, step, r.words...)
			h.mended(r)
			h.again(who, step)
			h.expectApproval(who, step)
		})
	}
}

// refusesReads has a failed or open step read once for every refusal. press is
// the button that reads: "Try again" or "I fixed it, check". It ends with the
// step failed, and mended.
func (h *house) refusesReads(who play.Person, step, press string, rows []refusal) {
	h.Helper()
	for _, r := range rows {
		h.in(r.name, func() {
			r.provoke(h)
			h.clicks(who, press, step)
			h.idle() // two rows may say the same: the card must be the one after this click
			h.expectRefusal(who, step, r.words...)
			h.mended(r)
		})
	}
}

func (h *house) mended(r refusal) {
	if r.mend != nil {
		r.mend(h)
		return
	}
	h.world.Microsoft.Faults.Clear()
	h.world.ServiceNow.Faults.Clear()
}

// again presses the button that tries a failed step again.
func (h *house) again(who play.Person, step string) {
	h.Helper()
	label := "Try again"
	h.until("a button to try "+step+" again", func(s *slack.State) bool {
		_, buttons := h.section(s, who, step)
		if slices.Contains(buttons, "Activated") {
			label = "Activated"
			return true
		}
		return slices.Contains(buttons, "Try again")
	})
	h.clicks(who, label, step)
}

// graphSays has Graph answer every matching call with a status and an error
// in its envelope.
func graphSays(method, path string, status int, code, message string) func(*house) {
	body, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "message": message, "innerError": map[string]string{
		"date": "2026-11-23T10:00:00", "request-id": "5f0c1e7a-8a51-4d55-9a53-5a1f6f0f4f3a", "client-request-id": "5f0c1e7a-8a51-4d55-9a53-5a1f6f0f4f3a"}}})
	return graphFault(sim.Fault{Method: method, Path: "/graph/v1.0" + path, Status: status, Body: string(body), Header: http.Header{"Request-Id": {"5f0c1e7a-8a51-4d55-9a53-5a1f6f0f4f3a"}}})
}

func graphFault(f sim.Fault) func(*house) {
	return func(h *house) { h.world.Microsoft.Faults.Add(f) }
}

// tokenSays has Microsoft sign-in refuse every token with an AADSTS number.
func tokenSays(status, number int, name, text string) func(*house) {
	body, _ := json.Marshal(map[string]any{"error": name, "error_codes": []int{number}, "timestamp": "2026-11-23 10:00:00Z",
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: 0d8f9e1c-6a61-4a1e-8a0b-0c3f1a2b0100 Correlation ID: 1c2f8a44-0000-4000-8000-000000000001 Timestamp: 2026-11-23 10:00:00Z", number, text),
		"trace_id":          "0d8f9e1c-6a61-4a1e-8a0b-0c3f1a2b0100", "correlation_id": "1c2f8a44-0000-4000-8000-000000000001"})
	return graphFault(sim.Fault{Method: "POST", Path: "/login/*/oauth2/v2.0/token", Status: status, Body: string(body)})
}

// nowSays has ServiceNow answer every matching call of its Table API with a
// status and an error in its envelope.
func nowSays(method, table string, status int, message, detail string) func(*house) {
	var d any
	if detail != "" {
		d = detail
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]any{"message": message, "detail": d}, "status": "failure"})
	return nowFault(sim.Fault{Method: method, Path: "/api/now/table/" + table + "/**", Status: status, Body: string(body)})
}

func nowFault(f sim.Fault) func(*house) {
	return func(h *house) { h.world.ServiceNow.Faults.Add(f) }
}
