package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	"keyturn/bot"
)

// heard is what has come in since the bot started, which proves the way from a
// platform better than anything that can be asked from here.
type heard struct {
	Taken   map[bot.Platform]int `json:"taken"`   // requests that the platform had signed
	Refused map[bot.Platform]int `json:"refused"` // and those that it had not, or not for this bot
	Lines   *int                 `json:"lines"`   // connections of Socket Mode; nil without it
}

// hear counts a request. What is passed over unread proves nothing.
func (m *metrics) hear(p bot.Platform, what, outcome string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case outcome == "handled", outcome == "failed" && what != "socket":
		m.heard.Taken[p]++
	case outcome == "refused" && (what == "request" || what == "activity"):
		m.heard.Refused[p]++
	}
}

// serveHeard answers the doctor from the running bot.
func (m *metrics) serveHeard(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	out := heard{Taken: maps.Clone(m.heard.Taken), Refused: maps.Clone(m.heard.Refused)}
	lines := m.lines
	m.mu.Unlock()
	if lines != nil {
		n := lines()
		out.Lines = &n
	}
	_ = json.NewEncoder(w).Encode(out)
}

// hears asks the running bot what came in. It reports false where none runs
// beside its state, and so nothing is known.
func (d *doctor) hears(ctx context.Context) (out heard, known bool) {
	var b bytes.Buffer
	running, err := ask(ctx, d.conf.Data, "/heard", &b)
	return out, running && err == nil && json.Unmarshal(b.Bytes(), &out) == nil
}

// cameIn is what the requests so far say of the way in, which is untried before
// the first: wrong is what a refusal means.
func (h heard) cameIn(from bot.Platform, untried, wrong finding) finding {
	taken, refused := h.Taken[from], h.Refused[from]
	switch {
	case taken > 0:
		untried.State, untried.Fix = fine, ""
		untried.Says = countOf(taken, "request was", "requests were") + " accepted since the start"
		if refused > 0 {
			untried.Says += fmt.Sprintf(", and %d refused: the log says why", refused)
		}
		return untried
	case refused > 0:
		wrong.State = broken
		wrong.Says = fmt.Sprintf("Nothing was accepted since the start, and %s refused: %s", countOf(refused, "request was", "requests were"), wrong.Says)
		return wrong
	}
	return untried
}

// connections says how many of Socket Mode's are open.
func (h heard) connections(of string) []finding {
	if h.Lines == nil {
		return nil
	}
	f := finding{Of: of, What: "the connections of Socket Mode", State: fine, Says: "Both are open"}
	switch *h.Lines {
	case 0:
		f.State, f.Says = broken, "None is open, so nothing comes in from Slack"
		f.Fix = "Look in the log for \"Slack refuses the connection\" and \"Slack could not be connected to\": they say what is in the way. A proxy has to let CONNECT through to every host below slack.com."
	case 1:
		f.State, f.Says, f.Fix = warned, "One of two is open; what Slack sends comes in", "Run keyturn doctor again in a minute: Slack ends each after some hours, and it is opened anew. If it stays, the log says what is in the way."
	}
	return []finding{f}
}
