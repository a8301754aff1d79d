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
		a.log.Warn("a request was refused before it was read", "path", r.URL.Path, "reason", err)
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

// decide asks the desk. A panic there costs this request alone. The decision
// does not end when Slack hangs up: what it commits was asked for.
func (a *Adapter) decide(ctx context.Context, what string, r bot.Request) (reply bot.Reply, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deskTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("a panic while deciding", "request", r.Key, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			reply, err = bot.Reply{}, errPanic
		}
		outcome := "handled"
		if err != nil {
			outcome = "failed"
			a.log.Error("a request failed", "request", r.Key, "kind", string(r.Kind), "error", err)
		}
		a.count(what, outcome)
	}()
	if a.desk == nil {
		return bot.Reply{}, errors.New("there is no desk: this adapter only sends")
	}
	return a.desk.Handle(ctx, r)
}

var errPanic = errors.New("a panic while deciding")

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

// nothingDone reports whether an error says that the request had no effect.
func nothingDone(err error) bool {
	return errors.Is(err, bot.ErrNoCommit) || errors.Is(err, bot.ErrDraining)
}

// calm is what a person reads about an error.
func calm(r bot.Request, err error) bot.Message {
	switch {
	case errors.Is(err, bot.ErrDraining):
		return bot.Say(bot.T("Nothing was done: I am being restarted. Try again in a moment."))
	case errors.Is(err, bot.ErrNoCommit):
		return bot.Say(bot.T("Nothing was done: I could not write the change to disk. Try again in a moment."))
	}
	return bot.Say(
		bot.T("Something went wrong on my side, and I cannot say whether it took effect. Look at the status before you try again. The log has more under "),
		bot.C(reference(r)), bot.T("."))
}

// reference names a request to an operator without giving its key away.
func reference(r bot.Request) string { return digest([]byte(r.Key))[len("sha256-"):][:8] }
