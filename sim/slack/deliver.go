package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"keyturn/sim"
)

// The addresses of the bot, below Config.BotURL.
const (
	commandsPath     = "/slack/commands"
	interactionsPath = "/slack/interactions"
	eventsPath       = "/slack/events"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// Delivery is one request to the bot.
type Delivery struct {
	Path   string            `json:"path"`
	Type   string            `json:"type"` // content type
	Body   string            `json:"body"`
	Header map[string]string `json:"header,omitempty"`
	// Timestamp and Signature replace the right ones, for tests of the door.
	Timestamp string `json:"timestamp,omitempty"`
	Signature string `json:"signature,omitempty"`
}

// Outcome is what came of one action of a person.
type Outcome struct {
	// Status is the bot's HTTP status, 0 where it did not answer or was not asked.
	Status int    `json:"status"`
	Body   string `json:"body,omitempty"`
	// Reason is why the delivery failed, in the words of Slack's retry header:
	// http_timeout, connection_failed, http_error, too_many_redirects,
	// ssl_error, unknown_error. Empty where it did not.
	Reason string `json:"reason,omitempty"`
	// Shown is what Slack's client tells the person when the bot failed.
	Shown string `json:"shown,omitempty"`
	// Repeats counts the event retries made so far.
	Repeats int `json:"repeats,omitempty"`
	// Unsent says why an event was not sent at all: no subscription, no scope.
	Unsent string `json:"unsent,omitempty"`
	// Trigger is the trigger_id of the payload.
	Trigger string `json:"trigger,omitempty"`
	// TS is the message that the person posted, if they posted one.
	TS string `json:"ts,omitempty"`
	// Errors are those of a submitted form, by block ID.
	Errors map[string]string `json:"errors,omitempty"`
	// View is the modal in front of the person afterwards, "" without one.
	View string `json:"view,omitempty"`
}

// OK says whether the bot took the delivery and nobody saw a failure.
func (o Outcome) OK() bool {
	return o.Reason == "" && o.Shown == "" && o.Unsent == "" && len(o.Errors) == 0
}

// Sign returns Slack's request signature of a body (scheme v0 of "Verifying
// requests from Slack").
func Sign(secret, timestamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, "v0:"+timestamp+":"+body) // a hash never fails
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// deliver makes one request and remembers it for Resend. s.mu is not held.
func (s *Server) deliver(d Delivery) Outcome {
	s.mu.Lock()
	s.st.Last = &d
	base := s.botURL
	s.touch()
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.AckTimeout)
	defer cancel()
	var out Outcome
	if s.cfg.AppToken != "" {
		out = s.overSocket(d)
	} else {
		out = s.send(ctx, base, d)
	}
	s.Journal.Add(sim.Call{At: s.cfg.Now(), Out: true, Method: http.MethodPost, Path: d.Path, Status: out.Status,
		Who: "Slack", Note: strings.TrimSpace(d.Header["X-Slack-Retry-Num"] + " " + out.Reason), Write: true})
	return out
}

func (s *Server) send(ctx context.Context, base string, d Delivery) Outcome {
	if base == "" {
		return Outcome{Reason: "connection_failed"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+d.Path, strings.NewReader(d.Body))
	if err != nil {
		return Outcome{Reason: "unknown_error"}
	}
	stamp := d.Timestamp
	if stamp == "" {
		stamp = strconv.FormatInt(s.cfg.Now().Unix(), 10)
	}
	signature := d.Signature
	if signature == "" {
		signature = Sign(s.cfg.SigningSecret, stamp, d.Body)
	}
	req.Header.Set("Content-Type", d.Type)
	req.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", signature)
	for k, v := range d.Header {
		req.Header.Set(k, v)
	}
	resp, err := s.cfg.Client.Do(req)
	if err != nil {
		return Outcome{Reason: failure(err)}
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(io.LimitReader(resp.Body, maxRequest)); err != nil {
		return Outcome{Reason: failure(err)}
	}
	out := Outcome{Status: resp.StatusCode, Body: body.String()}
	if resp.StatusCode/100 != 2 {
		out.Reason = "http_error"
		if resp.Header.Get("X-Slack-No-Retry") == "1" {
			out.Repeats = -1 // read by the event queue alone
		}
	}
	return out
}

func failure(err error) string {
	var netErr interface{ Timeout() bool }
	switch {
	case errors.As(err, &netErr) && netErr.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "http_timeout"
	case strings.Contains(err.Error(), "redirects"):
		return "too_many_redirects"
	case strings.Contains(err.Error(), "tls:"), strings.Contains(err.Error(), "x509:"):
		return "ssl_error"
	}
	return "connection_failed"
}

// interact sends an interaction payload.
func (s *Server) interact(payload map[string]any) Outcome {
	b, err := json.Marshal(payload)
	if err != nil {
		return Outcome{Reason: "unknown_error", Shown: err.Error()}
	}
	return s.deliver(Delivery{Path: interactionsPath, Type: formType, Body: url.Values{"payload": {string(b)}}.Encode()})
}

// Resend delivers the newest request once more, with a fresh signature, as a
// network that repeats itself would.
func (s *Server) Resend() (Outcome, error) {
	s.mu.Lock()
	last := s.st.Last
	s.mu.Unlock()
	if last == nil {
		return Outcome{}, errors.New("nothing was delivered to the bot yet")
	}
	return s.deliver(*last), nil
}

// SendRaw delivers any request to the bot: a forged signature, a stale
// timestamp, a body that is no payload.
func (s *Server) SendRaw(d Delivery) (Outcome, error) {
	if !strings.HasPrefix(d.Path, "/") {
		return Outcome{}, fmt.Errorf("the path %q does not begin with a slash", d.Path)
	}
	return s.deliver(d), nil
}

// newTrigger makes a ticket for one modal. s.mu is held.
func (s *Server) newTrigger(user, view string) string {
	now := s.cfg.Now()
	for id, t := range s.st.Triggers {
		if now.Sub(t.Until) > time.Hour {
			delete(s.st.Triggers, id)
		}
	}
	s.st.Seq++
	id := fmt.Sprintf("%d.%d.%s", now.UnixMilli(), 480000000000+s.st.Seq, s.nonce())
	s.st.Triggers[id] = Trigger{ID: id, User: user, View: view, Until: now.Add(s.cfg.AckTimeout)}
	return id
}

// newHook makes a response address. s.mu is held.
func (s *Server) newHook(kind string, h Hook) string {
	now := s.cfg.Now()
	for id, old := range s.st.Hooks {
		if now.Sub(old.Until) > time.Hour {
			delete(s.st.Hooks, id)
		}
	}
	s.st.Seq++
	h.ID = fmt.Sprintf("%s/%s/%d/%s", kind, s.cfg.TeamID, 900000000000+s.st.Seq, s.nonce())
	h.Until = now.Add(hookLives)
	s.st.Hooks[h.ID] = h
	return s.url + "/hooks/" + h.ID
}

// trouble records a failure that a person saw. s.mu is not held.
func (s *Server) trouble(user, what, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.Troubles = append(s.st.Troubles, Trouble{At: s.cfg.Now(), User: user, What: what, Why: why})
	s.touch()
}
