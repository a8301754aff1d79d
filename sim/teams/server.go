package teams

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"keyturn/sim"
)

// Server is one simulated tenant. It is safe for concurrent use.
type Server struct {
	// Faults is the script applied in front of the Connector, the token endpoint
	// and the keys; paths are those of the requests, unescaped.
	Faults sim.Faults
	// Journal holds every call in both directions.
	Journal sim.Journal

	cfg Config

	mu     sync.Mutex
	st     State
	rate   rates
	keys   keyring
	jtis   map[string]time.Time // client assertions that were used, until when they would count
	url    string
	botURL string
	keeper *sim.Keeper
}

// saved is the snapshot file: the state, and the keys that no reader of the
// state needs.
type saved struct {
	State
	Keys keyring `json:"keys"`
}

// New makes a tenant from the snapshot in Config.File or, where there is none,
// from the seed.
func New(cfg Config) (*Server, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, url: cfg.URL, botURL: cfg.BotURL, rate: rates{}, jtis: map[string]time.Time{}}
	s.keeper = sim.NewKeeper(cfg.File, s.image)
	var was saved
	found, err := sim.Load(cfg.File, &was)
	if err != nil {
		return nil, err
	}
	s.st, s.keys = was.State, was.Keys
	if !found {
		s.seed()
	}
	s.st.App = cfg
	return s, s.keys.complete()
}

// SetURL says where the simulator is reached.
func (s *Server) SetURL(u string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = strings.TrimRight(u, "/")
}

// SetBotURL says where the bot listens.
func (s *Server) SetBotURL(u string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.botURL = strings.TrimRight(u, "/")
}

// ServiceURL is what activities carry as serviceUrl: the simulator's address
// with a slash at its end, as Teams writes it.
func (s *Server) ServiceURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.serviceURL()
}

func (s *Server) serviceURL() string { return s.url + "/" }

// Handler serves the Connector, tokens, keys and the control paths.
func (s *Server) Handler() http.Handler {
	signIn := http.NewServeMux()
	signIn.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.serveToken)
	signIn.HandleFunc("GET /v1/.well-known/openidconfiguration", s.serveOpenID)
	signIn.HandleFunc("GET /v1/.well-known/keys", s.serveKeys)
	mux := http.NewServeMux()
	mux.Handle("/", s.Faults.Wrap(signIn))
	mux.Handle("/v3/", s.Faults.Wrap(s.routeConnector()))
	mux.Handle("/_sim/", s.control())
	return mux
}

// Snapshot returns a copy of everything the simulator knows.
func (s *Server) Snapshot() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.st.clone()
}

// Changed returns a channel that is closed at the next change of the state.
func (s *Server) Changed() <-chan struct{} { return s.keeper.Changed() }

// Shutdown writes the snapshot for the last time.
func (s *Server) Shutdown() error { return s.keeper.Close() }

// touch tells everyone who watches that something changed.
func (s *Server) touch() { s.keeper.Touch() }

func (s *Server) image() (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(saved{State: s.st, Keys: s.keys})
}

// nextMessageID returns the ID of a new message: milliseconds, and no two alike.
// s.mu is held.
func (s *Server) nextMessageID() string {
	milli := s.cfg.Now().UnixMilli()
	if milli <= s.st.LastMilli {
		milli = s.st.LastMilli + 1
	}
	s.st.LastMilli = milli
	return strconv.FormatInt(milli, 10)
}

// nextGUID returns an identifier that is the same in an equal walk. s.mu is held.
func (s *Server) nextGUID() string {
	s.st.Seq++
	return guid("seq", s.cfg.BotAppID, strconv.FormatInt(s.st.Seq, 10))
}

func guid(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	h := hex.EncodeToString(sum[:16])
	return fmt.Sprintf("%s-%s-4%s-8%s-%s", h[:8], h[8:12], h[13:16], h[17:20], h[20:])
}

// longID returns a name of Teams' look, n bytes long before it is written in
// base64.
func longID(n int, parts ...string) string {
	var all []byte
	for i := 0; len(all) < n; i++ {
		sum := sha256.Sum256([]byte(strings.Join(append(parts, strconv.Itoa(i)), "\x00")))
		all = append(all, sum[:]...)
	}
	return base64.RawURLEncoding.EncodeToString(all[:n])
}

func (s *Server) violate(conversation, activity, format string, args ...any) {
	s.st.Violations = append(s.st.Violations, Violation{At: s.cfg.Now(), Conversation: conversation, Activity: activity, What: fmt.Sprintf(format, args...)})
}

// trouble records a failure of the bot. s.mu is not held.
func (s *Server) trouble(user, what, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.Troubles = append(s.st.Troubles, Trouble{At: s.cfg.Now(), User: user, What: what, Why: why})
	s.touch()
}

func (s *Server) notice(n Notice) {
	n.At = s.cfg.Now()
	s.st.Notices = append(s.st.Notices, n)
}
