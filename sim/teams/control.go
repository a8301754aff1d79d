package teams

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
	for name, act := range s.twins() {
		mux.HandleFunc("POST /_sim/"+name, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
			var result any
			if err == nil {
				result, err = act(body)
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
		if r.Method == http.MethodPost && kind != "application/json" {
			http.Error(w, "send the content type application/json", http.StatusUnsupportedMediaType)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// ask is the body of the twins that need no type of their own. Where is a team, a
// channel or a chat; "" is the person's own scope.
type ask struct {
	User         string         `json:"user"`
	Conversation string         `json:"conversation"`
	Activity     string         `json:"activity"`
	Text         string         `json:"text"`
	Dialog       string         `json:"dialog"`
	Action       string         `json:"action"`
	Inputs       map[string]any `json:"inputs"`
	Type         string         `json:"type"`
	Remove       bool           `json:"remove"`
	Where        string         `json:"where"`
	By           string         `json:"by"`
	Name         string         `json:"name"`
	Down         bool           `json:"down"`
	Raw          map[string]any `json:"raw"`
}

type act func(body []byte) (any, error)

func twin[T, R any](run func(T) (R, error)) act {
	return func(body []byte) (any, error) {
		var in T
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		return run(in)
	}
}

func (s *Server) twins() map[string]act {
	done := map[string]any{"ok": true}
	outcome := func(run func(a ask) (Outcome, error)) act { return twin(run) }
	plain := func(run func(a ask) error) act {
		return twin(func(a ask) (any, error) { return done, run(a) })
	}
	return map[string]act{
		"say":             twin(s.Write),
		"click":           twin(s.Click),
		"submit":          outcome(func(a ask) (Outcome, error) { return s.Press(a.User, a.Dialog, a.Action, a.Inputs) }),
		"dismiss":         plain(func(a ask) error { return s.Dismiss(a.User, a.Dialog) }),
		"look":            outcome(func(a ask) (Outcome, error) { return s.Look(a.User, a.Conversation, a.Activity) }),
		"edit":            outcome(func(a ask) (Outcome, error) { return s.Edit(a.User, a.Conversation, a.Activity, a.Text) }),
		"withdraw":        outcome(func(a ask) (Outcome, error) { return s.Withdraw(a.User, a.Conversation, a.Activity) }),
		"react":           outcome(func(a ask) (Outcome, error) { return s.React(a.User, a.Conversation, a.Activity, a.Type, !a.Remove) }),
		"install":         outcome(func(a ask) (Outcome, error) { return s.Install(a.User, a.Where) }),
		"uninstall":       outcome(func(a ask) (Outcome, error) { return s.Uninstall(a.User, a.Where) }),
		"upgrade":         outcome(func(a ask) (Outcome, error) { return s.Upgrade(a.User, a.Where) }),
		"block":           plain(func(a ask) error { return s.Block(a.User, !a.Remove) }),
		"add-member":      outcome(func(a ask) (Outcome, error) { return s.AddMember(a.User, a.Where, a.By) }),
		"remove-member":   outcome(func(a ask) (Outcome, error) { return s.RemoveMember(a.User, a.Where, a.By) }),
		"create-channel":  outcome(func(a ask) (Outcome, error) { return s.CreateChannel(a.Where, a.Name) }),
		"delete-channel":  outcome(func(a ask) (Outcome, error) { return s.DeleteChannel(a.Where) }),
		"restore-channel": outcome(func(a ask) (Outcome, error) { return s.RestoreChannel(a.Where) }),
		"rename-channel":  outcome(func(a ask) (Outcome, error) { return s.RenameChannel(a.Where, a.Name) }),
		"rename-team":     outcome(func(a ask) (Outcome, error) { return s.RenameTeam(a.Where, a.Name) }),
		"archive-team":    outcome(func(a ask) (Outcome, error) { return s.ArchiveTeam(a.Where) }),
		"unarchive-team":  outcome(func(a ask) (Outcome, error) { return s.UnarchiveTeam(a.Where) }),
		"delete-team":     outcome(func(a ask) (Outcome, error) { return s.DeleteTeam(a.Where) }),
		"activity":        outcome(func(a ask) (Outcome, error) { return s.SendActivity(a.User, a.Conversation, a.Raw) }),
		"raw":             twin(s.SendRaw),
		"resend":          outcome(func(ask) (Outcome, error) { return s.Resend() }),
		"refuse":          twin(func(r Refusal) (any, error) { return done, s.Refuse(r) }),
		"allow":           plain(func(a ask) error { s.Allow(a.Conversation); return nil }),
		"rotate-keys":     plain(func(ask) error { return s.RotateKeys() }),
		"outage":          plain(func(a ask) error { s.SetOutage(a.Down); return nil }),
		"faults":          twin(func(f sim.Fault) (any, error) { s.Faults.Add(f); return done, nil }),
		"personal":        twin(func(a ask) (any, error) { return map[string]any{"conversation": s.PersonalID(a.User)}, nil }),
	}
}
