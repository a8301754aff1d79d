package chat

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"keyturn/sim/slack"
)

// quiet is how long events are gathered before the page is told: the bot often
// posts, edits and whispers in one breath.
const quiet = 80 * time.Millisecond

// events tells the page, by server-sent events, that something changed.
func (p *page) events(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	say := func(line string) bool {
		if _, err := io.WriteString(w, line+"\n\n"); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	here, there := p.changes()
	if !say("retry: 1000\ndata: hello") {
		return
	}
	alive := time.NewTicker(20 * time.Second)
	defer alive.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-alive.C:
			if !say(": still here") {
				return
			}
			continue
		case <-here:
		case <-there:
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(quiet):
		}
		here, there = p.changes()
		if !say("data: changed") {
			return
		}
	}
}

// changes are closed at the next change of either system; one that is not there
// never changes.
func (p *page) changes() (here, there <-chan struct{}) {
	if p.cfg.Slack != nil {
		here = p.cfg.Slack.Changed()
	}
	if p.cfg.Teams != nil {
		there = p.cfg.Teams.Changed()
	}
	return here, there
}

// asked is what the page sends for any action.
type asked struct {
	slack.Click
	Thread string         `json:"thread"`
	Text   string         `json:"text"`
	Values map[string]any `json:"values"`
	All    bool           `json:"all"`
	// Of a card of Teams: which of several buttons alike, and what stands in its inputs.
	Nth    int            `json:"nth"`
	Inputs map[string]any `json:"inputs"`
	Dialog string         `json:"dialog"`
	Where  string         `json:"where"`
}

// done is what the page hears back: something to tell the visitor, or nothing.
type done struct {
	Notice string `json:"notice,omitempty"`
	Error  bool   `json:"error,omitempty"`
}

// do takes one action of the visitor.
func (p *page) do(w http.ResponseWriter, r *http.Request) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		http.Error(w, "send the content type application/json", http.StatusUnsupportedMediaType)
		return
	}
	var a asked
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&a); err != nil {
		http.Error(w, "the request is not JSON: "+err.Error(), http.StatusBadRequest)
		return
	}
	answer, ok := p.act(r.PathValue("action"), a)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // a browser that went away cannot be told
}

// inBoth are the actions that the place decides on, whose they are.
var inBoth = map[string]bool{"type": true, "menu": true}

// act does one action in the system that it belongs to.
func (p *page) act(name string, a asked) (done, bool) {
	st, tm := p.states()
	who, known := chooseHuman(p.humans(&st, &tm), a.User)
	if !known || who.Slack.ID != a.User && who.Teams.ID != a.User {
		return done{Notice: sentence("there is nobody " + a.User), Error: true}, true
	}
	if act, ok := p.teamsActions()[name]; ok && p.cfg.Teams != nil && (!inBoth[name] || inTeams(a.Channel)) {
		a.User = who.Teams.ID
		return toldByTeams(act(a)), true
	}
	act, ok := p.actions()[name]
	if !ok || p.cfg.Slack == nil {
		return done{}, false
	}
	a.User = who.Slack.ID
	return toldBySlack(act(a)), true
}

func toldBySlack(out slack.Outcome, err error) done {
	switch {
	case err != nil:
		return done{Notice: sentence(err.Error()), Error: true}
	case out.Shown != "":
		return done{Notice: out.Shown, Error: true}
	case out.Unsent != "":
		return done{Notice: "The bot did not hear this: " + out.Unsent + ".", Error: true}
	case out.Reason != "":
		return done{Notice: fmt.Sprintf("The bot did not take this (%s). Slack tries again.", out.Reason), Error: true}
	}
	return done{}
}

func (p *page) actions() map[string]func(asked) (slack.Outcome, error) {
	s := p.cfg.Slack
	return map[string]func(asked) (slack.Outcome, error){
		"type": func(a asked) (slack.Outcome, error) {
			return s.Type(slack.Said{User: a.User, Channel: a.Channel, Thread: a.Thread, Text: a.Text})
		},
		"click":  func(a asked) (slack.Outcome, error) { return s.Click(a.Click) },
		"submit": func(a asked) (slack.Outcome, error) { return s.Submit(a.User, a.View, a.Values) },
		"close":  func(a asked) (slack.Outcome, error) { return s.Close(a.User, a.View, a.All) },
		"menu": func(a asked) (slack.Outcome, error) {
			return s.MessageShortcut(a.User, a.Channel, a.TS, a.Click.Action)
		},
		"home": func(a asked) (slack.Outcome, error) { return s.OpenHome(a.User) },
	}
}

func sentence(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
