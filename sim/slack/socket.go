package slack

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// pingEvery is how often a connection of Socket Mode is pinged.
const pingEvery = 10 * time.Second

// socketLife is what the hello of a connection says of its life, in seconds.
const socketLife = 18060

// maxSockets is how many connections an app may have. Source: Slack, "Using
// Socket Mode".
const maxSockets = 10

// maxAck is from where on an acknowledgement with a payload is dropped without
// a word. Source: slack-go, which measured it.
const maxAck = 20 << 10

// sockets are the connections of an app in Socket Mode.
type sockets struct {
	mu      sync.Mutex
	tickets map[string]bool
	open    []*socket
	next    int // whose turn it is
	waiting map[string]chan ack
}

// socket is one connection.
type socket struct {
	conn *websocket.Conn
	mu   sync.Mutex // of writing
}

// ack is an acknowledgement with its payload.
type ack struct {
	Envelope string          `json:"envelope_id"`
	Payload  json.RawMessage `json:"payload"`
}

// Sockets is how many connections are open.
func (s *Server) Sockets() int {
	s.lines.mu.Lock()
	defer s.lines.mu.Unlock()
	return len(s.lines.open)
}

// Disconnect tells every connection that it ends, as Slack does before it is
// renewed ("refresh_requested", "warning") or when Socket Mode is switched off
// ("link_disabled"), and ends it.
func (s *Server) Disconnect(reason string) {
	for _, c := range s.lines.all() {
		_ = c.write(map[string]any{"type": "disconnect", "reason": reason, "debug_info": map[string]any{"host": "simulator"}})
		s.lines.leave(c)
	}
}

// Cut breaks every connection without a word.
func (s *Server) Cut() {
	for _, c := range s.lines.all() {
		s.lines.leave(c)
		_ = c.conn.NetConn().Close()
	}
}

func (l *sockets) all() []*socket {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.open)
}

// leave takes a connection out of those that are sent to.
func (l *sockets) leave(c *socket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = slices.DeleteFunc(l.open, func(o *socket) bool { return o == c })
}

func (c *socket) write(v any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
	return c.conn.WriteJSON(v)
}

func (c *socket) ping() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn.WriteControl(websocket.PingMessage, []byte("Ping from simulator"), time.Now().Add(5*time.Second))
}

// connectionsOpen is apps.connections.open: an address for one connection.
func (s *Server) connectionsOpen(token string) (reply, error) {
	switch {
	case token == "":
		return nil, refuse("not_authed")
	case s.cfg.AppToken == "" || token != s.cfg.AppToken:
		if token == s.cfg.BotToken {
			return nil, refuse("not_allowed_token_type")
		}
		return nil, refuse("invalid_auth")
	}
	ticket := rand.Text()
	s.mu.Lock()
	base := strings.Replace(s.url, "http", "ws", 1)
	s.mu.Unlock()
	s.lines.mu.Lock()
	defer s.lines.mu.Unlock()
	if s.lines.tickets == nil {
		s.lines.tickets = map[string]bool{}
	}
	s.lines.tickets[ticket] = true
	return reply{"url": base + "/link/?ticket=" + ticket + "&app_id=" + url.QueryEscape(s.cfg.AppID)}, nil
}

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }, WriteBufferSize: 64 << 10}

// serveLink is the other end of a connection.
func (s *Server) serveLink(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	s.lines.mu.Lock()
	known := s.lines.tickets[ticket]
	delete(s.lines.tickets, ticket) // it is good for one connection
	full := len(s.lines.open) >= maxSockets
	s.lines.mu.Unlock()
	if !known || full {
		http.Error(w, "no such ticket, or too many connections", http.StatusForbidden)
		return
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // answered by the upgrader
	}
	defer conn.Close()
	c := &socket{conn: conn}
	s.lines.mu.Lock()
	n := len(s.lines.open) + 1
	s.lines.mu.Unlock()
	if c.write(map[string]any{"type": "hello", "num_connections": n, "connection_info": map[string]any{"app_id": s.cfg.AppID},
		"debug_info": map[string]any{"host": "simulator", "build_number": 1, "approximate_connection_time": socketLife}}) != nil || c.ping() != nil {
		return
	}
	s.lines.mu.Lock()
	s.lines.open = append(s.lines.open, c)
	s.lines.mu.Unlock()
	defer s.lines.leave(c)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		t := time.NewTicker(pingEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				_ = c.ping()
			case <-ended:
				return
			}
		}
	}()
	for {
		_, b, err := conn.ReadMessage()
		if err != nil {
			return
		}
		var a ack
		if len(b) >= maxAck || json.Unmarshal(b, &a) != nil {
			continue // dropped without a word
		}
		s.lines.mu.Lock()
		to := s.lines.waiting[a.Envelope]
		delete(s.lines.waiting, a.Envelope)
		s.lines.mu.Unlock()
		if to != nil {
			to <- a
		}
	}
}

// overSocket delivers a request in an envelope and waits for its
// acknowledgement.
func (s *Server) overSocket(d Delivery) Outcome {
	id := rand.Text()
	got := make(chan ack, 1)
	s.lines.mu.Lock()
	if len(s.lines.open) == 0 {
		s.lines.mu.Unlock()
		return Outcome{Reason: "connection_failed"}
	}
	c := s.lines.open[s.lines.next%len(s.lines.open)]
	s.lines.next++
	if s.lines.waiting == nil {
		s.lines.waiting = map[string]chan ack{}
	}
	s.lines.waiting[id] = got
	s.lines.mu.Unlock()
	kind, payload := enveloped(d)
	envelope := map[string]any{"envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": kind != "events_api"}
	if n := d.Header["X-Slack-Retry-Num"]; n != "" {
		envelope["retry_attempt"], envelope["retry_reason"] = json.RawMessage(n), d.Header["X-Slack-Retry-Reason"]
	}
	if c.write(envelope) != nil {
		return Outcome{Reason: "connection_failed"}
	}
	t := time.NewTimer(s.cfg.AckTimeout)
	defer t.Stop()
	select {
	case a := <-got:
		return Outcome{Status: http.StatusOK, Body: string(a.Payload)}
	case <-t.C:
		s.lines.mu.Lock()
		delete(s.lines.waiting, id)
		s.lines.mu.Unlock()
		return Outcome{Reason: "http_timeout"}
	}
}

// enveloped is what a request's body becomes in an envelope: JSON, whatever it
// was.
func enveloped(d Delivery) (kind string, payload json.RawMessage) {
	switch d.Path {
	case commandsPath:
		form, _ := url.ParseQuery(d.Body)
		fields := map[string]string{}
		for name := range form {
			fields[name] = form.Get(name)
		}
		b, _ := json.Marshal(fields) // strings
		return "slash_commands", b
	case interactionsPath:
		form, _ := url.ParseQuery(d.Body)
		return "interactive", json.RawMessage(form.Get("payload"))
	}
	return "events_api", json.RawMessage(d.Body)
}
