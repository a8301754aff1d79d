package microsoft

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"keyturn/sim"
)

// Server is one simulated tenant. Its methods are safe for concurrent use, and
// those that change something save the snapshot before they return.
type Server struct {
	Journal sim.Journal // every request but those to /_sim/
	Faults  sim.Faults  // applied to every request but those to /_sim/

	cfg     Config
	key     *rsa.PrivateKey
	keyID   string
	entra   http.Handler
	admin   http.Handler
	control http.Handler

	mu      sync.Mutex
	st      state
	codes   map[string]*authCode   // by sum; live for minutes, not kept across a restart
	jtis    map[string]time.Time   // client assertions seen, until they expire
	budget  map[string][]time.Time // serviceAnnouncement requests by app
	saveErr error
}

// New sets up a tenant, from the snapshot where there is one. Users and apps
// of the configuration that the snapshot does not know are added to it.
func New(cfg Config) (*Server, error) {
	if err := cfg.fill(); err != nil {
		return nil, fmt.Errorf("setting up the Microsoft simulator: %w", err)
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	s := &Server{cfg: cfg, codes: map[string]*authCode{}, jtis: map[string]time.Time{}, budget: map[string][]time.Time{}}
	s.st = state{World: cfg.World, Lag: *cfg.Lag, Quirks: cfg.Quirks, Policy: cfg.Policy}
	found, err := sim.Load(cfg.File, &s.st)
	if err != nil {
		return nil, err
	}
	if err := s.seed(found); err != nil {
		return nil, fmt.Errorf("setting up the Microsoft simulator: %w", err)
	}
	s.entra, s.admin, s.control = s.entraPortal(), s.adminPortal(), s.controls()
	if err := s.save(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) seed(found bool) error {
	if err := s.loadKey(); err != nil {
		return err
	}
	if s.st.Refresh == nil {
		s.st.Refresh = map[string]*session{}
	}
	if s.st.Trusted == nil {
		s.st.Trusted = map[string]trustedKey{}
	}
	if s.st.Reports == nil {
		s.st.Reports = map[string][]byte{}
	}
	if !found {
		s.st.Services = append([]Service(nil), DefaultServices...)
		s.st.Status = statusPage{Status: "Available", At: s.now()}
		s.addMicrosoftPrincipal(GraphAppID, "Microsoft Graph")
		s.addMicrosoftPrincipal(derivedID("connector"), "Microsoft 365 support integration connector")
	}
	for _, u := range s.cfg.Users {
		if s.st.userBy(u.UPN) == nil {
			if err := s.addUser(u); err != nil {
				return err
			}
		}
	}
	for _, a := range s.cfg.Apps {
		if a.AppID == "" || s.st.appByAppID(a.AppID) == nil {
			if _, err := s.register(a); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) addMicrosoftPrincipal(appID, name string) {
	s.st.Principals = append(s.st.Principals, &principal{ID: derivedID("principal", s.cfg.TenantID, appID),
		AppID: appID, DisplayName: name, Microsoft: true, Created: s.now()})
}

func (s *Server) now() time.Time { return s.cfg.Now().UTC() }

func (s *Server) newID() string {
	b := make([]byte, 16)
	if _, err := io.ReadFull(s.cfg.Rand, b); err != nil {
		panic(fmt.Sprintf("the source of randomness failed: %v", err))
	}
	return formatGUID(b, 0x40)
}

// token returns an unguessable string of n letters and digits.
func (s *Server) token(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	b := make([]byte, n)
	if _, err := io.ReadFull(s.cfg.Rand, b); err != nil {
		panic(fmt.Sprintf("the source of randomness failed: %v", err))
	}
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

func (s *Server) save() error {
	s.saveErr = sim.Save(s.cfg.File, &s.st)
	return s.saveErr
}

// changed saves after a request changed something; a failure shows in /_sim/state.
func (s *Server) changed() { _ = s.save() }

type entryKey struct{}

// entry is the journal's line about a request; handlers fill in who and what.
func entry(r *http.Request) *sim.Call {
	if c, ok := r.Context().Value(entryKey{}).(*sim.Call); ok {
		return c
	}
	return &sim.Call{}
}

// Handler serves the whole tenant.
func (s *Server) Handler() http.Handler {
	served := s.Faults.Wrap(http.HandlerFunc(s.serve))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/_sim/") {
			s.control.ServeHTTP(w, r)
			return
		}
		line := &sim.Call{At: s.now(), Method: r.Method, Path: journalPath(r.URL), Write: writes(r)}
		watched := &statusWriter{ResponseWriter: w}
		defer func() {
			line.Status = watched.status
			if line.Status == 0 {
				line.Note = strings.TrimPrefix(line.Note+"; connection dropped", "; ")
			}
			s.Journal.Add(*line)
		}()
		served.ServeHTTP(watched, r.WithContext(context.WithValue(r.Context(), entryKey{}, line)))
	})
}

// writes says whether a request asks for a change to the directory or to a
// portal's settings. Signing in does not; a consent says so when it is given.
func writes(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	for _, p := range []string{"/graph/", "/entra/", "/admin/"} {
		if strings.HasPrefix(r.URL.Path, p) {
			return true
		}
	}
	return false
}

var secretParameters = []string{"client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "access_token", "password"}

func journalPath(u *url.URL) string {
	if u.RawQuery == "" {
		return u.EscapedPath()
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return u.EscapedPath() + "?[unreadable]"
	}
	hidden := false
	for _, p := range secretParameters {
		if q.Has(p) {
			q.Set(p, "[redacted]")
			hidden = true
		}
	}
	if hidden {
		return u.EscapedPath() + "?" + q.Encode()
	}
	return u.EscapedPath() + "?" + u.RawQuery
}

const maxBody = 4 << 20

// serve reads the request, decides under the lock, and writes afterwards: a
// client that reads slowly holds up nobody else.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the request body cannot be read or is larger than 4 MB", http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := &buffer{header: http.Header{}}
	s.locked(func() { s.route(answer, r) })
	for k, v := range answer.header {
		w.Header()[k] = v
	}
	if answer.status == 0 {
		answer.status = http.StatusOK
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes())
}

func (s *Server) locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	p := r.URL.Path
	switch {
	case strings.HasPrefix(p, "/login/"):
		s.login(w, r)
	case strings.HasPrefix(p, "/graph/"):
		s.graph(w, r)
	case strings.HasPrefix(p, "/entra/") || p == "/entra":
		s.entra.ServeHTTP(w, r)
	case strings.HasPrefix(p, "/admin/") || p == "/admin":
		s.admin.ServeHTTP(w, r)
	case strings.HasPrefix(p, "/status/"):
		s.statusSite(w, r)
	case strings.HasPrefix(p, "/connector/"):
		s.connector(w, r)
	default:
		http.Error(w, "nothing is simulated here; see /entra/, /admin/, /graph/v1.0/, /login/, /status/, /connector/ and /_sim/", http.StatusNotFound)
	}
}

// base is how the client reaches the listener.
func (s *Server) base(r *http.Request) string {
	if s.cfg.BaseURL != "" {
		return s.cfg.BaseURL
	}
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

type buffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header         { return b.header }
func (b *buffer) Write(p []byte) (int, error) { return b.body.Write(p) }
func (b *buffer) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}
