package servicenow

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"keyturn/sim"
)

// control serves /_sim/: GET to look, POST with a JSON body to meddle.
//
//	GET  /_sim/state /_sim/inventory /_sim/journal?since=N
//	POST /_sim/modes {any of Modes}    /_sim/world {"world"}      /_sim/app {"version"}
//	     /_sim/outbound {"host","base"} /_sim/rate-limit {"perHour"}
//	     /_sim/user {User}              /_sim/client {Client}
//	     /_sim/grant {"user","role","held"} /_sim/pick {"user","scope"}
//	     /_sim/incident {"number","user","values"} /_sim/close {"number","user","notes"}
//	     /_sim/leftovers {Leftover}     /_sim/fault {sim.Fault}   /_sim/clear-faults {}
func (s *Server) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/state", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, http.StatusOK, s.state()) })
	mux.HandleFunc("GET /_sim/inventory", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, http.StatusOK, s.Inventory()) })
	mux.HandleFunc("GET /_sim/journal", func(w http.ResponseWriter, r *http.Request) {
		since, _ := strconv.Atoi(r.URL.Query().Get("since"))
		calls, total := s.Journal.Since(since)
		writeJSON(w, http.StatusOK, map[string]any{"calls": calls, "total": total})
	})
	mux.HandleFunc("POST /_sim/modes", func(w http.ResponseWriter, r *http.Request) {
		m := s.Modes() // what the body leaves out stays
		meddle(w, r, &m, func() error { return s.SetModes(m) })
	})
	mux.HandleFunc("POST /_sim/world", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ World World }
		meddle(w, r, &in, func() error { return s.SetWorld(in.World) })
	})
	mux.HandleFunc("POST /_sim/app", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Version string }
		meddle(w, r, &in, func() error { return s.SetApp(in.Version) })
	})
	mux.HandleFunc("POST /_sim/outbound", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Host, Base string }
		meddle(w, r, &in, func() error { return s.SetOutbound(in.Host, in.Base) })
	})
	mux.HandleFunc("POST /_sim/rate-limit", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ PerHour int }
		meddle(w, r, &in, func() error { return s.SetRateLimit(in.PerHour) })
	})
	s.controlPeople(mux)
	return mux
}

func (s *Server) controlPeople(mux *http.ServeMux) {
	mux.HandleFunc("POST /_sim/user", func(w http.ResponseWriter, r *http.Request) {
		var in User
		meddle(w, r, &in, func() error { return s.AddUser(in) })
	})
	mux.HandleFunc("POST /_sim/client", func(w http.ResponseWriter, r *http.Request) {
		var in Client
		meddle(w, r, &in, func() error { return s.AddClient(in) })
	})
	mux.HandleFunc("POST /_sim/grant", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			User, Role string
			Held       bool
		}
		meddle(w, r, &in, func() error { return s.Grant(in.User, in.Role, in.Held) })
	})
	mux.HandleFunc("POST /_sim/pick", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ User, Scope string }
		meddle(w, r, &in, func() error { return s.Pick(in.User, in.Scope) })
	})
	mux.HandleFunc("POST /_sim/incident", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Number, User string
			Values       map[string]string
		}
		meddle(w, r, &in, func() error { return s.EditIncident(in.Number, in.User, in.Values) })
	})
	mux.HandleFunc("POST /_sim/close", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Number, User, Notes string }
		meddle(w, r, &in, func() error { return s.CloseIncident(in.Number, in.User, in.Notes) })
	})
	mux.HandleFunc("POST /_sim/leftovers", func(w http.ResponseWriter, r *http.Request) {
		var in Leftover
		meddle(w, r, &in, func() error { return s.Leftovers(in) })
	})
	mux.HandleFunc("POST /_sim/fault", func(w http.ResponseWriter, r *http.Request) {
		var in sim.Fault
		meddle(w, r, &in, func() error {
			if in.Path == "" {
				return errors.New("a fault needs a path")
			}
			s.Faults.Add(in)
			return nil
		})
	})
	mux.HandleFunc("POST /_sim/clear-faults", func(w http.ResponseWriter, r *http.Request) {
		meddle(w, r, &struct{}{}, func() error { s.Faults.Clear(); return nil })
	})
}

// meddle decodes a control request and answers with what came of it. Unknown
// fields are an error: a typing mistake must not look like success.
func meddle(w http.ResponseWriter, r *http.Request, in any, run func() error) {
	dec := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	dec.DisallowUnknownFields()
	err := dec.Decode(in)
	if err == nil || errors.Is(err, io.EOF) {
		err = run()
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"ok": true})
}

// State is what /_sim/state shows. It holds no secret.
type State struct {
	Host      string           `json:"host"`
	World     World            `json:"world"`
	App       string           `json:"app"` // version, or "none"
	Now       time.Time        `json:"now"`
	Modes     Modes            `json:"modes"`
	Setup     Setup            `json:"setup"`
	AppID     string           `json:"outboundAppId,omitempty"`
	Endpoint  string           `json:"endpoint"`
	Tokens    int              `json:"tokens"` // access and refresh tokens given out and not expired
	Inventory Inventory        `json:"inventory"`
	Incidents []map[string]any `json:"incidents"`
	SaveError string           `json:"saveError,omitempty"`
}

func (s *Server) state() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.setup
	at.Step = s.step()
	st := State{Host: s.cfg.Host, World: s.cfg.World, App: s.cfg.AppVersion, Now: s.now(), Modes: s.modes, Setup: at,
		AppID: s.outboundAppID(), Endpoint: s.endpoint(), Inventory: s.inventory(), Incidents: []map[string]any{}}
	for _, t := range s.tokens {
		if s.now().Before(t.Expires) {
			st.Tokens++
		}
	}
	v := view{display: "true", noLinks: true, zone: time.UTC,
		fields: []string{"sys_id", "number", "short_description", "state", "priority", "assignment_group", "correlation_id", "sys_updated_on", "close_code"}}
	for _, r := range s.db.where("incident") {
		st.Incidents = append(st.Incidents, s.show(schema["incident"], r, v))
	}
	if s.saveErr != nil {
		st.SaveError = s.saveErr.Error()
	}
	return st
}
