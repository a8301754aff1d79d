package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// sockets is how many connections are open at the same time. Slack ends each
// after some hours and sends to any that is open, so while one is opened anew
// the other takes what comes.
const sockets = 2

// atOnce is how many envelopes are worked on at the same time.
const atOnce = 64

// largestAck is the largest acknowledgement with its envelope. What is larger
// Slack drops without a word. Source: slack-go, which measured it.
const largestAck = 20<<10 - 512

// socketAgain is the time between two tries after Slack refused the token.
const socketAgain = time.Minute

// drainTime is what acknowledgements that are written already have to leave.
const drainTime = 200 * time.Millisecond

// Connect takes Slack's requests over connections that Keyturn opens (Socket
// Mode) until ctx is done. It goes on for ever: a connection that ends is
// opened again, and a refused token is tried again every minute, with a line
// in the log. No signature is needed, since the connections are Keyturn's own.
//
// An envelope is acknowledged when the desk has committed what it asks for, with
// the answer in the acknowledgement where Slack takes one there. What could not
// be committed is not acknowledged: Slack delivers events again, with the same
// delivery key.
func (a *Adapter) Connect(ctx context.Context) {
	line := &socket{Adapter: a, slots: make(chan struct{}, atOnce)}
	open, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var all sync.WaitGroup
	for range sockets {
		all.Go(func() { line.keep(open) })
	}
	<-ctx.Done()
	line.closing.Store(true)
	line.busy.Wait()
	pause(open, drainTime)
	stop()
	all.Wait()
}

// Lines is how many connections of Socket Mode are open: two while all is well,
// one for a moment while another is opened anew.
func (a *Adapter) Lines() int { return int(a.lines.Load()) }

// ProveSocket asks Slack for a connection of Socket Mode, which proves the
// app-level token, and looks whether the host that Slack names for it is reached:
// it is another one than the API's. It does not open the connection, which would
// be sent what people do.
func (a *Adapter) ProveSocket(ctx context.Context) error {
	_, at, err := a.socketClient().StartSocketModeContext(ctx)
	if err != nil {
		return failure(err)
	}
	u, err := url.Parse(at)
	if err != nil {
		return broken(errors.New("the address that Slack named cannot be read"), false)
	}
	host := url.URL{Scheme: map[string]string{"wss": "https", "ws": "http"}[u.Scheme], Host: u.Host, Path: "/"}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, host.String(), nil)
	if err != nil {
		return broken(err, false)
	}
	resp, err := a.http.Do(req)
	if err != nil && httpx.OutcomeOf(err) != httpx.NotSent {
		return nil // reached: what it says to a request like this one does not matter
	}
	if err != nil {
		f := broken(err, false)
		f.Says = "The token is accepted, but " + u.Hostname() + ", which Slack names for the connection, is not reached."
		f.Fix = reachAllOfSlack
		return f
	}
	return resp.Body.Close()
}

func (a *Adapter) socketClient() *slack.Client {
	return slack.New("", slack.OptionAppLevelToken(a.app.Reveal()), slack.OptionAPIURL(a.api.String()), slack.OptionHTTPClient(doer{http: a.http, token: a.app}))
}

// socket is the way in over connections.
type socket struct {
	*Adapter
	slots   chan struct{}
	busy    sync.WaitGroup
	closing atomic.Bool
}

// keep holds one connection open.
func (s *socket) keep(ctx context.Context) {
	for ctx.Err() == nil {
		c := socketmode.New(s.socketClient(), socketmode.OptionLog(log.New(io.Discard, "", 0)), socketmode.OptionReadLimit(maxBody),
			socketmode.OptionDialer(&websocket.Dialer{Proxy: s.network.Proxy, TLSClientConfig: s.network.TLS, NetDialContext: s.network.Dial,
				HandshakeTimeout: callTime, WriteBufferSize: 32 << 10})) // one frame for each acknowledgement
		own, end := context.WithCancel(ctx)
		var heard sync.WaitGroup
		heard.Go(func() { s.hear(own, c) })
		err := c.RunContext(own)
		end()
		heard.Wait()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.log.Error("Slack refuses the connection of Socket Mode, so nothing comes in from Slack: check slack.app_token (xapp-…, with the scope connections:write), and that Socket Mode is switched on in the app's settings", "error", notConnected(err))
			s.count("socket", "refused")
		}
		pause(ctx, socketAgain)
	}
}

// notConnected says why there is no connection.
func notConnected(err error) error {
	var refused slack.SlackErrorResponse
	var known *bot.Failure
	if errors.As(err, &refused) || errors.As(err, &known) {
		return failure(err)
	}
	f := broken(err, false)
	if sent := new(httpx.Error); errors.As(err, &sent) {
		lost := httpx.Lost(system, false, "", sent)
		f.Says, f.Fix = lost.Says, lost.Fix
		return f
	}
	// It is the connection itself, to a host that only Slack knew before.
	f.Says, f.Fix = "The host that Slack named for the connection could not be reached.", reachAllOfSlack
	return f
}

const reachAllOfSlack = "Let this server reach every host below slack.com, port 443, or have the proxy let CONNECT through to them: Slack names another one each time."

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// hear takes what one connection says.
func (s *socket) hear(ctx context.Context, c *socketmode.Client) {
	open := false
	is := func(now bool) {
		if now != open {
			s.lines.Add(map[bool]int32{true: 1, false: -1}[now])
		}
		open = now
	}
	defer is(false)
	for {
		select {
		case <-ctx.Done():
			return
		case ev := <-c.Events:
			switch ev.Type {
			case socketmode.EventTypeConnecting: // whatever ended the one before
				is(false)
			case socketmode.EventTypeHello:
				is(true)
				s.log.Info("Slack is connected", "way", "Socket Mode")
				s.count("socket", "connected")
			case socketmode.EventTypeConnectionError:
				is(false)
				if e, ok := ev.Data.(*slack.ConnectionErrorEvent); ok {
					s.log.Warn("Slack could not be connected to; it is tried again", "in", e.Backoff, "error", notConnected(e.ErrorObj))
				}
				s.count("socket", "failed")
			case socketmode.EventTypeErrorBadMessage:
				// The library reads more of a payload than is used here.
				var r socketmode.Request
				if e, ok := ev.Data.(*socketmode.ErrorBadMessage); ok && json.Unmarshal(e.Message, &r) == nil {
					s.take(ctx, c, r)
				}
			default:
				if ev.Request != nil {
					s.take(ctx, c, *ev.Request)
				}
			}
		}
	}
}

// take works on an envelope beside the others.
func (s *socket) take(ctx context.Context, c *socketmode.Client, r socketmode.Request) {
	if r.EnvelopeID == "" || s.closing.Load() { // what is not acknowledged comes again
		return
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	s.busy.Go(func() {
		defer func() { <-s.slots }()
		w := &acknowledgement{header: http.Header{}}
		w.send = func() { s.acknowledge(ctx, c, r, w.body.Bytes()) }
		s.serve(ctx, w, r)
		w.Flush()
	})
}

// serve has an envelope answered as the request that Slack would have posted.
func (s *socket) serve(ctx context.Context, w *acknowledgement, e socketmode.Request) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a panic while answering Slack", "envelope", e.Type, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			w.status = http.StatusInternalServerError
		}
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/slack", nil)
	if err != nil {
		return
	}
	switch e.Type {
	case socketmode.RequestTypeSlashCommands:
		form, err := formOf(e.Payload)
		if err != nil {
			s.count("command", "malformed")
			return
		}
		s.serveCommand(w, r, []byte(form.Encode()))
	case socketmode.RequestTypeInteractive:
		s.serveInteraction(w, r, []byte(url.Values{"payload": {string(e.Payload)}}.Encode()))
	case socketmode.RequestTypeEventsAPI:
		s.serveEvent(w, r, e.Payload)
	default:
		s.count("envelope", skipKind)
		done(w, nil)
	}
}

// formOf is the form of a command, whose fields the envelope has as JSON.
func formOf(payload json.RawMessage) (url.Values, error) {
	var fields map[string]any
	if err := read(payload, &fields); err != nil {
		return nil, errors.New("The payload is no JSON object.")
	}
	form := url.Values{}
	for name, v := range fields {
		switch v := v.(type) {
		case string:
			form.Set(name, v)
		case bool:
			form.Set(name, fmt.Sprint(v))
		}
	}
	return form, nil
}

// acknowledge tells Slack that an envelope was taken. An answer that is too
// large for it goes the ways that a later one would.
func (s *socket) acknowledge(ctx context.Context, c *socketmode.Client, e socketmode.Request, body []byte) {
	var payload any
	var later func()
	switch {
	case len(body) == 0 || !json.Valid(body):
	case len(body) <= largestAck:
		payload = json.RawMessage(body)
	case e.Type == socketmode.RequestTypeSlashCommands:
		later = func() { s.answerLater(ctx, e.Payload, body) }
	default:
		payload, later = s.formLater(ctx, e.Payload, body)
	}
	if err := c.AckCtx(ctx, e.EnvelopeID, payload); err != nil {
		s.log.Warn("an envelope of Slack could not be acknowledged; it comes again", "envelope", e.Type, "error", err)
	}
	if later != nil {
		later()
	}
}

// answerLater posts the answer to a command to its response_url.
func (s *socket) answerLater(ctx context.Context, payload json.RawMessage, body []byte) {
	var p struct {
		URL string `json:"response_url"`
	}
	if read(payload, &p) != nil || !s.mayAnswerAt(p.URL) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, said, err := exchange(s.http, req, true)
	if err == nil && (resp.StatusCode != http.StatusOK || refusal(said) != "") {
		err = &bot.Failure{Kind: bot.KindRefused, System: system, Status: resp.StatusCode, Says: "Slack took no answer there.", Code: refusal(said)}
	}
	if err != nil {
		s.log.Warn("the answer to a command could not be given", "error", err)
	}
}

// formLater keeps the form open with a word and puts the large one in its place
// by a call.
func (s *socket) formLater(ctx context.Context, payload json.RawMessage, body []byte) (any, func()) {
	var p interaction
	var answer struct {
		View json.RawMessage `json:"view"`
	}
	if read(payload, &p) != nil || json.Unmarshal(body, &answer) != nil || len(answer.View) == 0 {
		return nil, nil
	}
	var view slack.ModalViewRequest
	if err := json.Unmarshal(answer.View, &view); err != nil {
		s.log.Error("a form could not be drawn", "error", err)
		return nil, nil
	}
	wait, err := modal(bot.Form{Title: "One moment", Intro: []bot.Part{bot.Paragraph{Text: bot.T("The form is on its way.")}}}, formMeta{})
	if err != nil {
		return nil, nil
	}
	return viewAnswer{Action: "update", View: wait}, func() {
		api, err := s.client(workspace(p))
		if err == nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
			defer cancel()
			_, err = api.UpdateViewContext(ctx, view, "", "", p.View.ID)
		}
		if err != nil {
			s.log.Warn("a form could not be shown", "error", failure(err))
		}
	}
}

// acknowledgement is the answer to an envelope. It leaves when it is flushed,
// though whoever writes it may go on, and only where it says that the envelope
// was taken.
type acknowledgement struct {
	header http.Header
	status int
	body   bytes.Buffer
	sent   bool
	send   func()
}

// Header implements [http.ResponseWriter].
func (w *acknowledgement) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *acknowledgement) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements [http.ResponseWriter].
func (w *acknowledgement) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Flush implements [http.Flusher].
func (w *acknowledgement) Flush() {
	if !w.sent && w.status == http.StatusOK {
		w.sent = true
		w.send()
	}
}
