package teams

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/sim"
)

// messagesPath is where the bot takes activities, below Config.BotURL.
const messagesPath = "/teams/messages"

// Why a delivery failed.
const (
	reasonTimeout    = "timeout"
	reasonConnection = "connection_failed"
	reasonStatus     = "http_error"
)

// Delivery is one request to the bot. The zero values of the forging fields
// make a right one.
type Delivery struct {
	Body         string `json:"body"`
	Conversation string `json:"conversation,omitempty"` // for the routing hint in a header

	// Authorization replaces the whole header; NoAuthorization leaves it out.
	Authorization   string `json:"authorization,omitempty"`
	NoAuthorization bool   `json:"no_authorization,omitempty"`
	// Claims replaces claims of the token; null takes one away.
	Claims map[string]any `json:"claims,omitempty"`
	// Unendorsed signs with a key that is listed, but for other channels.
	Unendorsed bool `json:"unendorsed,omitempty"`
	// Algorithm is none, or HS256 with the public key as the shared secret.
	Algorithm string `json:"algorithm,omitempty"`
	// KeyID replaces the kid of the token.
	KeyID string `json:"key_id,omitempty"`
}

// Outcome is what came of one action of a person.
type Outcome struct {
	// Status is the bot's HTTP status, 0 where it did not answer or was not asked.
	Status int    `json:"status"`
	Body   string `json:"body,omitempty"`
	// Reason is why the delivery failed: timeout, connection_failed or
	// http_error. Empty where it did not.
	Reason string `json:"reason,omitempty"`
	// Attempts counts the deliveries of the activity.
	Attempts int `json:"attempts,omitempty"`
	// Unsent says why nothing was sent to the bot: it was not named, it is not
	// installed, the client does this alone.
	Unsent string `json:"unsent,omitempty"`
	// Activity is the ID of the activity: of the message that the person posted,
	// or of the invoke.
	Activity string `json:"activity,omitempty"`
	// Conversation is where it happened, with the thread.
	Conversation string `json:"conversation,omitempty"`
	// Shown is what the client tells the person when the bot failed, and the red
	// line that the bot answered.
	Shown string `json:"shown,omitempty"`
	// Code is that of the red line.
	Code string `json:"code,omitempty"`
	// Toast is the line that the bot answered.
	Toast string `json:"toast,omitempty"`
	// Replaced says that the card is another one now, for this person.
	Replaced bool `json:"replaced,omitempty"`
	// Errors are those of the client's own check of inputs, by input ID. The bot
	// heard nothing then.
	Errors map[string]string `json:"errors,omitempty"`
	// Dialog is the dialog in front of the person afterwards, "" without one.
	Dialog string `json:"dialog,omitempty"`
	// Link is the address that the button opened.
	Link string `json:"link,omitempty"`
}

// OK says whether the bot took the delivery and nobody saw a failure.
func (o Outcome) OK() bool {
	return o.Reason == "" && o.Shown == "" && o.Unsent == "" && len(o.Errors) == 0
}

// deliver makes one request and remembers it for Resend. An answer that does not
// come within AckTimeout is asked for once more, with the same activity ID.
// s.mu is not held.
func (s *Server) deliver(d Delivery) Outcome {
	s.mu.Lock()
	s.st.Last = &d
	s.touch()
	s.mu.Unlock()
	out := s.try(d, "")
	if out.Reason == reasonTimeout {
		out = s.try(d, "once more")
		out.Attempts = 2
	}
	return out
}

func (s *Server) try(d Delivery, note string) Outcome {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.AckTimeout)
	defer cancel()
	out := s.send(ctx, d)
	out.Attempts = 1
	s.Journal.Add(sim.Call{At: s.cfg.Now(), Out: true, Method: http.MethodPost, Path: messagesPath, Status: out.Status, Who: "Teams",
		Note: strings.TrimSpace(strings.Join([]string{kindOf(d.Body), note, out.Reason}, " ")), Write: true})
	return out
}

// kindOf names an activity for the journal.
func kindOf(body string) string {
	var a struct{ Type, Name, Action string }
	if json.Unmarshal([]byte(body), &a) != nil {
		return "no JSON"
	}
	return strings.TrimSpace(a.Type + " " + a.Name + a.Action)
}

func (s *Server) send(ctx context.Context, d Delivery) Outcome {
	s.mu.Lock()
	base := s.botURL
	authorization, err := s.authorization(d)
	cv := s.nextGUID()
	s.mu.Unlock()
	if base == "" || err != nil {
		return Outcome{Reason: reasonConnection}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+messagesPath, strings.NewReader(d.Body))
	if err != nil {
		return Outcome{Reason: reasonConnection}
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)")
	req.Header.Set("MS-CV", cv[:8]+".1.1")
	req.Header.Set("x-ms-tenant-id", s.cfg.TenantID)
	req.Header.Set("x-ms-conversation-id", d.Conversation)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
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
		out.Reason = reasonStatus
	}
	return out
}

func failure(err error) string {
	var timed interface{ Timeout() bool }
	if errors.As(err, &timed) && timed.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return reasonTimeout
	}
	return reasonConnection
}

// authorization is the header of a delivery, forged where d says so. s.mu is held.
func (s *Server) authorization(d Delivery) (string, error) {
	if d.NoAuthorization || d.Authorization != "" {
		return d.Authorization, nil
	}
	claims := s.claims()
	maps.Copy(claims, d.Claims)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	key := s.keys.channel
	if d.Unendorsed {
		key = s.keys.other
	}
	method, with := jwt.SigningMethod(jwt.SigningMethodRS256), any(key)
	switch strings.ToLower(d.Algorithm) {
	case "none":
		method, with = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType
	case "hs256":
		method, with = jwt.SigningMethodHS256, []byte(base64.RawURLEncoding.EncodeToString(key.N.Bytes()))
	}
	t := jwt.NewWithClaims(method, claims)
	t.Header["kid"], t.Header["x5t"] = keyID(key), keyID(key)
	if d.KeyID != "" {
		t.Header["kid"] = d.KeyID
	}
	token, err := t.SignedString(with)
	if err != nil {
		return "", fmt.Errorf("signing a delivery: %w", err)
	}
	return "Bearer " + token, nil
}

// Resend delivers the newest activity once more, with a fresh token, as a
// network that repeats itself would. What the bot answers changes nothing.
func (s *Server) Resend() (Outcome, error) {
	s.mu.Lock()
	last := s.st.Last
	s.mu.Unlock()
	if last == nil {
		return Outcome{}, errors.New("nothing was delivered to the bot yet")
	}
	return s.try(*last, "again"), nil
}

// SendRaw delivers any request to the bot: a forged token, an unknown activity
// type, a body that is no activity. What the bot answers changes nothing.
func (s *Server) SendRaw(d Delivery) (Outcome, error) {
	return s.try(d, "raw"), nil
}

// SendActivity delivers an activity with a right token. What stands in activity
// replaces what Teams would send for this person in this conversation; a null
// takes a property away.
func (s *Server) SendActivity(user, conversation string, activity map[string]any) (Outcome, error) {
	s.mu.Lock()
	u, p, err := s.inside(user, conversation)
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	a := s.activity("message", "f:"+s.nextGUID(), u, p)
	maps.Copy(a, activity)
	maps.DeleteFunc(a, func(_ string, v any) bool { return v == nil })
	s.mu.Unlock()
	return s.sendActivityTo(a, p)
}

// sendActivityTo delivers an activity that is about a conversation.
func (s *Server) sendActivityTo(a map[string]any, p place) (Outcome, error) {
	body, err := json.Marshal(a)
	if err != nil {
		return Outcome{}, fmt.Errorf("writing the activity: %w", err)
	}
	out := s.deliver(Delivery{Body: string(body), Conversation: p.full()})
	out.Conversation = p.full()
	out.Activity, _ = a["id"].(string)
	return out, nil
}
