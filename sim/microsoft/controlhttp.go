package microsoft

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"keyturn/sim"
)

// controls serves /_sim/...: the control methods as JSON, so that another
// process can drive the simulator.
//
//	GET    /_sim/state                 the tenant, without any secret value
//	GET    /_sim/inventory             Inventory
//	GET    /_sim/journal?since=n       {"calls": [...], "total": n}
//	PUT    /_sim/world                 {"world": "alive" | "shutdown"}
//	PUT    /_sim/quirks, lag, policy   Quirks, Lag, SecretPolicy
//	PUT    /_sim/status                {"status", "title", "message", "drift"}
//	PUT    /_sim/services              [Service, ...]
//	PUT    /_sim/issues, messages      [JSON, ...] replaces all
//	POST   /_sim/issues, messages      one
//	DELETE /_sim/issues/{id}, messages/{id}
//	POST   /_sim/users, apps           User, App
//	POST   /_sim/activate, deactivate, assign, unassign   {"user", "role"}
//	POST   /_sim/block, disable        {"user", "on"}
//	POST   /_sim/revoke                {"user"}
//	POST   /_sim/disable-app           {"appId", "on"}
//	POST   /_sim/leftovers             {"host"}
//	POST   /_sim/faults, DELETE /_sim/faults
func (s *Server) controls() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/state", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.State()) })
	mux.HandleFunc("GET /_sim/inventory", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Inventory()) })
	mux.HandleFunc("GET /_sim/journal", s.serveJournal)
	on(mux, "PUT /_sim/world", func(b struct {
		World World `json:"world"`
	}) (any, error) {
		return nil, s.SetWorld(b.World)
	})
	on(mux, "PUT /_sim/quirks", func(b Quirks) (any, error) { return nil, s.SetQuirks(b) })
	on(mux, "PUT /_sim/lag", func(b Lag) (any, error) { return nil, s.SetLag(b) })
	on(mux, "PUT /_sim/policy", func(b SecretPolicy) (any, error) { return nil, s.SetPolicy(b) })
	on(mux, "PUT /_sim/status", func(b struct {
		Status, Title, Message string
		Drift                  Drift
	}) (any, error) {
		return nil, errors.Join(s.SetStatus(b.Status, b.Title, b.Message), s.SetDrift(b.Drift))
	})
	on(mux, "PUT /_sim/services", func(b []Service) (any, error) { return nil, s.SetServices(b) })
	on(mux, "PUT /_sim/issues", func(b []json.RawMessage) (any, error) { return nil, s.SetIssues(b) })
	on(mux, "POST /_sim/issues", func(b json.RawMessage) (any, error) { return nil, s.PutIssue(b) })
	on(mux, "PUT /_sim/messages", func(b []json.RawMessage) (any, error) { return nil, s.SetMessages(b) })
	on(mux, "POST /_sim/messages", func(b json.RawMessage) (any, error) { return nil, s.PutMessage(b) })
	mux.HandleFunc("DELETE /_sim/issues/{id}", func(w http.ResponseWriter, r *http.Request) { done(w, nil, s.DropIssue(r.PathValue("id"))) })
	mux.HandleFunc("DELETE /_sim/messages/{id}", func(w http.ResponseWriter, r *http.Request) { done(w, nil, s.DropMessage(r.PathValue("id"))) })
	on(mux, "POST /_sim/users", func(b User) (any, error) { return nil, s.AddUser(b) })
	on(mux, "POST /_sim/apps", func(b App) (any, error) {
		a, err := s.Register(b)
		return map[string]string{"appId": a.AppID}, err
	})
	type userRole struct{ User, Role string }
	on(mux, "POST /_sim/activate", func(b userRole) (any, error) { return nil, s.Activate(b.User, b.Role) })
	on(mux, "POST /_sim/deactivate", func(b userRole) (any, error) { return nil, s.Deactivate(b.User, b.Role) })
	on(mux, "POST /_sim/assign", func(b userRole) (any, error) { return nil, s.Assign(b.User, b.Role) })
	on(mux, "POST /_sim/unassign", func(b userRole) (any, error) { return nil, s.Unassign(b.User, b.Role) })
	type userSwitch struct {
		User string
		On   bool
	}
	on(mux, "POST /_sim/block", func(b userSwitch) (any, error) { return nil, s.Block(b.User, b.On) })
	on(mux, "POST /_sim/disable", func(b userSwitch) (any, error) { return nil, s.Disable(b.User, b.On) })
	on(mux, "POST /_sim/revoke", func(b userSwitch) (any, error) { return nil, s.RevokeSessions(b.User) })
	on(mux, "POST /_sim/disable-app", func(b struct {
		AppID string
		On    bool
	}) (any, error) {
		return nil, s.DisableApp(b.AppID, b.On)
	})
	on(mux, "POST /_sim/leftovers", func(b struct{ Host string }) (any, error) { return s.Leftovers(b.Host) })
	on(mux, "POST /_sim/faults", func(b sim.Fault) (any, error) {
		if b.Path == "" {
			return nil, errors.New("a fault needs a path")
		}
		s.Faults.Add(b)
		return nil, nil
	})
	mux.HandleFunc("DELETE /_sim/faults", func(w http.ResponseWriter, _ *http.Request) { s.Faults.Clear(); done(w, nil, nil) })
	return mux
}

// on serves one control that takes a JSON body.
func on[T any](mux *http.ServeMux, pattern string, f func(T) (any, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		var body T
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody)).Decode(&body); err != nil {
			done(w, nil, errors.New("the body is not the JSON that "+pattern+" takes: "+err.Error()))
			return
		}
		out, err := f(body)
		done(w, out, err)
	})
}

const maxControlBody = 32 << 20 // a tenant's whole message center

func done(w http.ResponseWriter, out any, err error) {
	switch {
	case err != nil:
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
	case out == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		writeJSON(w, http.StatusOK, out)
	}
}

func (s *Server) serveJournal(w http.ResponseWriter, r *http.Request) {
	since, err := strconv.Atoi(r.URL.Query().Get("since"))
	if err != nil || since < 0 {
		since = 0
	}
	calls, total := s.Journal.Since(since)
	if calls == nil {
		calls = []sim.Call{}
	}
	writeJSON(w, http.StatusOK, map[string]any{"calls": calls, "total": total})
}

// State is a tenant as an operator of the simulator sees it. It holds no
// secret value, nor the sum of one.
type State struct {
	TenantID      string       `json:"tenantId"`
	Domain        string       `json:"domain"`
	Name          string       `json:"name"`
	Now           time.Time    `json:"now"`
	World         World        `json:"world"`
	Lag           Lag          `json:"lag"`
	Quirks        Quirks       `json:"quirks"`
	Policy        SecretPolicy `json:"policy"`
	Users         []UserState  `json:"users"`
	Inventory     Inventory    `json:"inventory"`
	Services      []Service    `json:"services"`
	Issues        []string     `json:"issues"`   // IDs
	Messages      []string     `json:"messages"` // IDs
	Status        string       `json:"status"`   // of the public status page
	SnapshotError string       `json:"snapshotError,omitempty"`
}

// UserState is a person with the roles that count now.
type UserState struct {
	User
	ActiveNow []string `json:"activeNow"` // role names
	Blocked   bool     `json:"blocked,omitempty"`
}

// State shows the tenant.
func (s *Server) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := State{TenantID: s.cfg.TenantID, Domain: s.cfg.Domain, Name: s.cfg.Name, Now: s.now(), World: s.st.World, Lag: s.st.Lag,
		Quirks: s.st.Quirks, Policy: s.st.Policy, Inventory: s.inventory(), Services: s.st.Services, Status: s.st.Status.Status}
	for _, u := range s.st.Users {
		line := UserState{User: u.User, Blocked: u.Blocked, ActiveNow: []string{}}
		for _, r := range u.active(s.now()) {
			line.ActiveNow = append(line.ActiveNow, roleName(r))
		}
		out.Users = append(out.Users, line)
	}
	for _, a := range s.st.Issues {
		out.Issues = append(out.Issues, a.ID)
	}
	for _, a := range s.st.Messages {
		out.Messages = append(out.Messages, a.ID)
	}
	if s.saveErr != nil {
		out.SnapshotError = s.saveErr.Error()
	}
	return out
}
