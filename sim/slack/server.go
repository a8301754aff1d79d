package slack

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"keyturn/sim"
)

// Slackbot is the user who speaks for the client itself: failed commands and
// refusals that only the person sees.
const Slackbot = "USLACKBOT"

// Server is one simulated workspace. It is safe for concurrent use.
type Server struct {
	// Faults is the script applied in front of the Web API and the response
	// addresses; paths are those of the requests, "/api/chat.postMessage".
	Faults sim.Faults
	// Journal holds every call in both directions.
	Journal sim.Journal

	cfg   Config
	rate  rates
	lines sockets

	mu     sync.Mutex
	st     State
	url    string
	botURL string
	keeper *sim.Keeper

	// delivering keeps events in the order in which they happened.
	delivering sync.Mutex
}

// New makes a workspace from the snapshot in Config.File or, where there is
// none, from the seed.
func New(cfg Config) (*Server, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, url: cfg.URL, botURL: cfg.BotURL}
	s.keeper = sim.NewKeeper(cfg.File, s.image)
	found, err := sim.Load(cfg.File, &s.st)
	if err != nil {
		return nil, err
	}
	if !found {
		s.seed()
	}
	s.st.App = cfg
	s.makeMaps()
	return s, nil
}

// makeMaps makes what an empty snapshot leaves out.
func (s *Server) makeMaps() {
	if s.st.Homes == nil {
		s.st.Homes = map[string]View{}
	}
	if s.st.Hooks == nil {
		s.st.Hooks = map[string]Hook{}
	}
	if s.st.Triggers == nil {
		s.st.Triggers = map[string]Trigger{}
	}
	if s.st.Choices == nil {
		s.st.Choices = map[string]map[string]map[string]any{}
	}
	for i := range s.st.Views {
		if s.st.Views[i].Typed == nil {
			s.st.Views[i].Typed = map[string]map[string]any{}
		}
	}
}

func (s *Server) seed() {
	bot := User{ID: s.cfg.BotUserID, Name: strings.ToLower(s.cfg.BotName), RealName: s.cfg.BotName, Bot: true}
	s.st.Users = append(slices.Clone(s.cfg.Users), bot)
	for i := range s.st.Users {
		u := &s.st.Users[i]
		if u.TeamID == "" {
			u.TeamID = s.cfg.TeamID
		}
		if u.RealName == "" {
			u.RealName = u.Name
		}
		if u.TZ == "" {
			u.TZ = "UTC"
		}
	}
	s.st.Channels = slices.Clone(s.cfg.Channels)
	for i := range s.st.Channels {
		ch := &s.st.Channels[i]
		ch.Members = slices.Clone(ch.Members)
		if ch.Kind == "" {
			ch.Kind = Public
		}
		if ch.Created == 0 {
			ch.Created = s.cfg.Now().Unix()
		}
	}
	s.st.Groups = slices.Clone(s.cfg.Groups)
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

// Handler serves the Web API, the response addresses and the control paths.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/{method}", s.Faults.Wrap(http.HandlerFunc(s.serveAPI)))
	mux.Handle("POST /upload/v1/{ticket}", s.Faults.Wrap(http.HandlerFunc(s.serveUpload)))
	mux.Handle("/hooks/", s.Faults.Wrap(http.HandlerFunc(s.serveHook)))
	mux.HandleFunc("GET /link/", s.serveLink)
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

// Shutdown writes the snapshot for the last time. Pending events stay in it.
func (s *Server) Shutdown() error { return s.keeper.Close() }

// touch tells everyone who watches that something changed.
func (s *Server) touch() { s.keeper.Touch() }

func (s *Server) image() (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(&s.st)
}

// nextTS returns a message timestamp that no other message has. s.mu is held.
func (s *Server) nextTS() string {
	micro := s.cfg.Now().UnixMicro()
	if micro <= s.st.LastMicro {
		micro = s.st.LastMicro + 1
	}
	s.st.LastMicro = micro
	return fmt.Sprintf("%d.%06d", micro/1e6, micro%1e6)
}

// nextID returns an identifier of Slack's look. s.mu is held.
func (s *Server) nextID(prefix string) string {
	s.st.Seq++
	return fmt.Sprintf("%s%08X", prefix, 0x5A000000+s.st.Seq)
}

// nonce returns an unguessable word that is the same in an equal walk. s.mu is held.
func (s *Server) nonce() string {
	s.st.Seq++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", s.cfg.SigningSecret, s.cfg.BotToken, s.st.Seq))
	return hex.EncodeToString(sum[:12])
}

// shortID is what Slack makes up for a block or an element that has no ID.
func shortID(parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprintln(parts...)))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:5]
}

func (s *Server) violate(channel, ts, format string, args ...any) {
	s.st.Violations = append(s.st.Violations, Violation{At: s.cfg.Now(), Channel: channel, TS: ts, What: fmt.Sprintf(format, args...)})
}
