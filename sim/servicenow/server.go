package servicenow

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"keyturn/sim"
)

// Server is one simulated instance. It is safe for concurrent use.
type Server struct {
	Journal sim.Journal // every call served and made
	Faults  sim.Faults  // scripted misbehaviour; never applies to /_sim/

	mu      sync.Mutex
	cfg     Config
	db      *store
	tokens  map[string]issued   // by digest of the token
	codes   map[string]authCode // by digest of the code
	pending []dueProfile
	modes   Modes
	setup   Setup
	counted time.Time // hour that counts belong to
	counts  map[string]int
	dirty   bool
	saveErr error
}

// Modes are the ways in which instances differ, and can be changed while the
// simulator runs.
type Modes struct {
	Hibernating           bool          `json:"hibernating"` // every address answers 200 with text/html
	SecretWrite           SecretWrite   `json:"secretWrite"`
	ProtectedLogs         bool          `json:"protectedLogs"`
	UnknownColumnsIgnored bool          `json:"unknownColumnsIgnored"` // otherwise a query that names one is refused with 403
	SingleForbidden       bool          `json:"singleForbidden"`       // a row hidden by rights answers 403 instead of 404
	ExplicitScopeSticks   bool          `json:"explicitScopeSticks"`   // sys_scope in a POST is honoured instead of the picker
	ProfileDelay          time.Duration `json:"profileDelay"`          // until a new provider's default profile appears
	ProfileGrant          string        `json:"profileGrant"`          // grant type of that profile; "" is the entry's own
	Mandatory             []string      `json:"mandatory"`             // incident columns that the data policy asks for
	Refusals              []Refusal     `json:"refusals"`
}

// snapshot is what survives a restart. It holds what the instance needs to go
// on working, client secrets included; tokens only as digests.
type snapshot struct {
	World   World               `json:"world"`
	Version string              `json:"version"`
	Store   *store              `json:"store"`
	Tokens  map[string]issued   `json:"tokens"`
	Codes   map[string]authCode `json:"codes"`
	Pending []dueProfile        `json:"pending"`
	Modes   Modes               `json:"modes"`
	Setup   Setup               `json:"setup"`
}

// New makes an instance, from its snapshot file where there is one: then the
// world, app, users, clients and modes are those of the file, and Config
// brings only what is not kept (host, outbound map, clock). It fails on a
// configuration it cannot hold and on a damaged snapshot.
func New(cfg Config) (*Server, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, db: newStore(), tokens: map[string]issued{}, codes: map[string]authCode{}}
	var saved snapshot
	found, err := sim.Load(cfg.File, &saved)
	if err != nil {
		return nil, err
	}
	if found && saved.Store != nil {
		s.restore(saved)
		return s, nil
	}
	s.modes = Modes{SecretWrite: cfg.SecretWrite, ProtectedLogs: cfg.ProtectedLogs}
	s.seed()
	s.save()
	return s, s.saveErr
}

func (s *Server) restore(saved snapshot) {
	s.cfg.World, s.cfg.AppVersion = saved.World, saved.Version
	s.db, s.pending, s.modes, s.setup = saved.Store, saved.Pending, saved.Modes, saved.Setup
	if saved.Tokens != nil {
		s.tokens = saved.Tokens
	}
	if saved.Codes != nil {
		s.codes = saved.Codes
	}
}

func (s *Server) now() time.Time { return s.cfg.Now() }

// changed marks the state for the next save.
func (s *Server) changed() { s.dirty = true }

func (s *Server) save() {
	s.dirty = false
	s.saveErr = sim.Save(s.cfg.File, snapshot{s.cfg.World, s.cfg.AppVersion, s.db, s.tokens, s.codes, s.pending, s.modes, s.setup})
}

// Handler serves the instance: the Table API, OAuth, the pages, and under
// /_sim/ what a test or a demo uses to look and to meddle.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/oauth_token.do", s.tokenEndpoint)
	mux.HandleFunc("/oauth_revoke_token.do", s.revokeEndpoint)
	mux.HandleFunc("/oauth_auth.do", s.authorizePage)
	mux.HandleFunc("/api/now/", s.tableAPI)
	s.portal(mux)

	outer := http.NewServeMux()
	outer.Handle("/", s.journaled(s.Faults.Wrap(s.locked(mux))))
	outer.Handle("/_sim/", s.control())
	return outer
}

// locked runs one request at a time. The body is read before the lock is
// taken, so that a slow sender holds up nobody else.
func (s *Server) locked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 10<<20))
		if err != nil {
			http.Error(w, "the request's body cannot be read", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.modes.Hibernating {
			note(r, "", "hibernating")
			s.page(w, r, http.StatusOK, "hibernating", pageData{Title: "Instance Hibernating"})
			return
		}
		s.settle()
		next.ServeHTTP(w, r)
		if s.dirty {
			s.save()
		}
	})
}

type noteKey struct{}

// callNote is what a handler has to say about a call, for the journal.
type callNote struct{ who, what string }

// note sets what the journal says about a call; empty parts leave what was
// there before.
func note(r *http.Request, who, what string) {
	if n, ok := r.Context().Value(noteKey{}).(*callNote); ok {
		if who != "" {
			n.who = who
		}
		if what != "" {
			n.what = what
		}
	}
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// journaled records every call, also one whose answer a fault threw away.
func (s *Server) journaled(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &callNote{}
		rec := &recorder{ResponseWriter: w}
		finished := false
		defer func() {
			if !finished && n.what != "" {
				n.what += "; "
			}
			if !finished {
				n.what += "the answer was dropped"
			} else if rec.status == 0 {
				rec.status = http.StatusOK
			}
			s.Journal.Add(sim.Call{At: s.now(), Method: r.Method, Path: safePath(r.URL), Status: rec.status, Who: n.who, Note: n.what,
				Write: r.Method != http.MethodGet && r.Method != http.MethodHead})
		}()
		next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), noteKey{}, n)))
		finished = true
	})
}

// safePath is path and query without anything that is or may be a secret.
func safePath(u *url.URL) string {
	q, hid := u.Query(), false
	for k, values := range q {
		named := strings.Contains(k, "secret") || strings.Contains(k, "password") || strings.HasSuffix(k, "token") || k == "code" || k == "code_verifier"
		asked := strings.Contains(values[0], "secret") || strings.Contains(values[0], "password")
		if named || asked {
			q.Set(k, "redacted")
			hid = true
		}
	}
	if hid {
		return u.Path + "?" + q.Encode()
	}
	return u.RequestURI()
}
