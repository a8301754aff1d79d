package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"time"

	"keyturn/bot"
)

// maxBody is the largest request that is read. Slack's are far smaller.
const maxBody = 1 << 20

// deskTime bounds one decision. Slack gave up long before.
const deskTime = 10 * time.Second

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// Handler serves POST /slack/commands, /slack/interactions and /slack/events.
func (a *Adapter) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slack/commands":
			a.guarded(w, r, formType, a.serveCommand)
		case "/slack/interactions":
			a.guarded(w, r, formType, a.serveInteraction)
		case "/slack/events":
			a.guarded(w, r, jsonType, a.serveEvent)
		default:
			say(w, http.StatusNotFound, "Slack's requests go to /slack/commands, /slack/interactions and /slack/events.")
		}
	})
}

// guarded lets a request through whose bytes Slack signed.
func (a *Adapter) guarded(w http.ResponseWriter, r *http.Request, want string, serve func(http.ResponseWriter, *http.Request, []byte)) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		say(w, http.StatusMethodNotAllowed, "Only POST is served here.")
		return
	}
	if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || got != want {
		say(w, http.StatusUnsupportedMediaType, "The body has to be "+want+".")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			say(w, http.StatusRequestEntityTooLarge, "The body is larger than 1 MiB.")
			return
		}
		say(w, http.StatusBadRequest, "The body could not be read.")
		return
	}
	if err := a.signed(r.Header, body); err != nil {
		code := http.StatusUnauthorized
		if errors.Is(err, errStale) {
			code = http.StatusForbidden
		}
		if n, tell := a.refusals.Tell(r.URL.Path+" "+err.Error(), a.now()); tell {
			a.log.Warn("requests were refused before they were read", "path", r.URL.Path, "reason", err, "times", n)
		}
		a.count("request", "refused")
		say(w, code, err.Error())
		return
	}
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("a panic while answering Slack", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			say(w, http.StatusInternalServerError, "Something went wrong inside Keyturn.")
		}
	}()
	serve(w, r, body)
}

// say answers with one plain sentence.
func say(w http.ResponseWriter, code int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, sentence+"\n")
}

// decide asks the desk and counts what came of it.
func (a *Adapter) decide(ctx context.Context, what string, r bot.Request) (bot.Reply, error) {
	reply, err := a.desk.Handle(ctx, r)
	if err != nil {
		a.count(what, "failed")
	} else {
		a.count(what, "handled")
	}
	return reply, err
}

// skip answers a request that is knowingly ignored.
func (a *Adapter) skip(what string, in inbound) {
	a.count(what, in.Skip)
	switch in.Skip {
	case skipWorkspace, skipRateLimited:
		a.log.Warn("a request from Slack goes no further", "what", what, "reason", in.Skip, "team", in.Place.Team)
	default:
		a.log.Debug("a request from Slack goes no further", "what", what, "reason", in.Skip, "team", in.Place.Team)
	}
}
