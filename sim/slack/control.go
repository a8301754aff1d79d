package slack

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"

	"keyturn/sim"
)

// control serves /_sim: what people do, for another process.
//
//	GET    /_sim/state            State
//	GET    /_sim/journal?since=n  {"calls": [...], "next": n}
//	POST   /_sim/faults           adds a sim.Fault     DELETE clears them
//	POST   /_sim/<action>         JSON in, Outcome out
//
// A refusal by the simulated client is 422 with {"error": "..."}.
func (s *Server) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/state", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Snapshot()) })
	mux.HandleFunc("GET /_sim/journal", func(w http.ResponseWriter, r *http.Request) {
		since, _ := strconv.Atoi(r.URL.Query().Get("since")) // what is no number means everything
		calls, next := s.Journal.Since(since)
		writeJSON(w, http.StatusOK, map[string]any{"calls": calls, "next": next})
	})
	mux.HandleFunc("DELETE /_sim/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.Faults.Clear()
		writeJSON(w, http.StatusOK, map[string]any{"ok": true})
	})
	for name, action := range s.actions() {
		mux.HandleFunc("POST /_sim/"+name, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
			var result any
			if err == nil {
				result, err = action(body)
			}
			if err != nil {
				writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"error": err.Error()})
				return
			}
			writeJSON(w, http.StatusOK, result)
		})
	}
	return onlyJSON(mux)
}

// onlyJSON keeps other web pages from acting through a visitor's browser: they
// can send a form without asking, but neither JSON nor a matching Origin.
func onlyJSON(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if r.Method == http.MethodPost && kind != jsonType {
			http.Error(w, "send the content type application/json", http.StatusUnsupportedMediaType)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// ask is the body of the twins that need no type of their own.
type ask struct {
	User    string         `json:"user"`
	Channel string         `json:"channel"`
	Thread  string         `json:"thread"`
	TS      string         `json:"ts"`
	Text    string         `json:"text"`
	View    string         `json:"view"`
	Values  map[string]any `json:"values"`
	All     bool           `json:"all"`
	By      string         `json:"by"`
	Name    string         `json:"name"`
	Group   string         `json:"group"`
	Users   []string       `json:"users"`
}

type action func(body []byte) (any, error)

func twin[T, R any](run func(T) (R, error)) action {
	return func(body []byte) (any, error) {
		var in T
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		return run(in)
	}
}

func (s *Server) actions() map[string]action {
	done := map[string]any{"ok": true}
	outcome := func(run func(a ask) (Outcome, error)) action { return twin(run) }
	return map[string]action{
		"type":           twin(s.Type),
		"click":          twin(s.Click),
		"raw":            twin(s.SendRaw),
		"slash":          outcome(func(a ask) (Outcome, error) { return s.slashTwin(a) }),
		"mention":        outcome(func(a ask) (Outcome, error) { return s.Mention(a.User, a.Channel, a.Thread, a.Text) }),
		"dm":             outcome(func(a ask) (Outcome, error) { return s.DM(a.User, a.Text) }),
		"post":           outcome(func(a ask) (Outcome, error) { return s.PostAs(a.User, a.Channel, a.Thread, a.Text) }),
		"submit":         outcome(func(a ask) (Outcome, error) { return s.Submit(a.User, a.View, a.Values) }),
		"close":          outcome(func(a ask) (Outcome, error) { return s.Close(a.User, a.View, a.All) }),
		"home":           outcome(func(a ask) (Outcome, error) { return s.OpenHome(a.User) }),
		"resend":         outcome(func(ask) (Outcome, error) { return s.Resend() }),
		"archive":        outcome(func(a ask) (Outcome, error) { return s.Archive(a.Channel) }),
		"unarchive":      outcome(func(a ask) (Outcome, error) { return s.Unarchive(a.Channel) }),
		"delete-channel": outcome(func(a ask) (Outcome, error) { return s.DeleteChannel(a.Channel) }),
		"rename":         outcome(func(a ask) (Outcome, error) { return s.Rename(a.Channel, a.Name) }),
		"remove-bot":     outcome(func(a ask) (Outcome, error) { return s.RemoveBot(a.Channel) }),
		"invite-bot":     outcome(func(a ask) (Outcome, error) { return s.InviteBot(a.Channel, a.By) }),
		"join":           outcome(func(a ask) (Outcome, error) { return s.Join(a.User, a.Channel, a.By) }),
		"leave":          outcome(func(a ask) (Outcome, error) { return s.Leave(a.User, a.Channel) }),
		"deactivate":     outcome(func(a ask) (Outcome, error) { return s.Deactivate(a.User) }),
		"uninstall":      outcome(func(ask) (Outcome, error) { return s.Uninstall(), nil }),
		"reinstall":      twin(func(ask) (any, error) { s.Reinstall(); return done, nil }),
		"reload":         twin(func(a ask) (any, error) { s.Reload(a.User); return done, nil }),
		"delete-message": twin(func(a ask) (any, error) { return done, s.DeleteMessage(a.Channel, a.TS) }),
		"group":          twin(func(a ask) (any, error) { return done, s.SetGroup(a.Group, a.Users) }),
		"disconnect":     twin(func(a ask) (any, error) { s.Disconnect(a.Name); return done, nil }),
		"tick":           twin(func(ask) (any, error) { return map[string]any{"tried": s.Tick()}, nil }),
		"faults":         twin(func(f sim.Fault) (any, error) { s.Faults.Add(f); return done, nil }),
		"direct": twin(func(a ask) (any, error) {
			id, err := s.DirectID(a.User)
			return map[string]any{"channel": id}, err
		}),
	}
}

func (s *Server) slashTwin(a ask) (Outcome, error) {
	if a.Thread != "" {
		return s.SlashInThread(a.User, a.Channel, a.Thread, a.Text)
	}
	return s.Slash(a.User, a.Channel, a.Text)
}
