package teams

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"keyturn/bot"
)

// Path is where Teams posts to.
const Path = "/teams/messages"

const (
	// maxBody is the largest activity that is read. Teams' are far smaller.
	maxBody = 256 << 10
	// deskTime bounds one decision. Teams gives up after ten to fifteen
	// seconds.
	deskTime = 8 * time.Second
)

// Handler serves POST /teams/messages.
func (a *Adapter) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != Path:
			status(w, http.StatusNotFound)
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			status(w, http.StatusMethodNotAllowed)
		default:
			a.take(w, r)
		}
	})
}

// take lets an activity through that Microsoft sent to this bot, for a tenant
// that is served. The token is proved before the body is read.
func (a *Adapter) take(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		status(w, http.StatusUnsupportedMediaType)
		return
	}
	header := r.Header.Get("Authorization")
	if len(r.Header.Values("Authorization")) > 1 {
		a.refuse(w, errShape)
		return
	}
	p, err := a.valid.prove(r.Context(), header)
	if err != nil {
		a.refuse(w, err)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			status(w, http.StatusRequestEntityTooLarge)
			return
		}
		status(w, http.StatusBadRequest)
		return
	}
	var v activity
	if read(body, &v) != nil {
		a.count("activity", "malformed")
		status(w, http.StatusBadRequest)
		return
	}
	ctx := context.WithValue(r.Context(), proofKey{}, p)
	minimal := schema.Activity{Type: schema.ActivityTypes(v.Type), ID: v.ID, ChannelID: v.ChannelID, ServiceURL: v.ServiceURL,
		Conversation: schema.ConversationAccount{ID: v.Conversation.ID, TenantID: v.Conversation.TenantID},
		From:         schema.ChannelAccount{ID: v.From.ID}, Recipient: schema.ChannelAccount{ID: v.Recipient.ID}}
	if _, err := a.shell.AuthenticateRequest(ctx, minimal, header, a.shell.CredentialProvider, a.shell.ChannelService); err != nil {
		a.refuse(w, err)
		return
	}
	if !a.serves(v.tenant()) {
		a.refuse(w, errTenant)
		return
	}
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("a panic while answering Teams", "type", v.Type, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			status(w, http.StatusOK) // Teams takes 5xx for a bot that is broken
		}
	}()
	a.learn(v)
	a.serve(w, r, v, body)
}

var errTenant = errors.New("the conversation belongs to a tenant that is not configured")

// refuse answers 403 and nothing else: whoever forges tokens learns nothing.
func (a *Adapter) refuse(w http.ResponseWriter, why error) {
	a.count("activity", "refused")
	if n, tell := a.refusals.Tell(why.Error(), a.now()); tell {
		a.log.Warn("requests to the Teams endpoint were refused", "reason", why, "times", n)
	}
	status(w, http.StatusForbidden)
}

// serve maps the activity and answers it. What needs no answer gets 200
// whatever becomes of it: Teams stops delivering to bots that answer 5xx.
func (a *Adapter) serve(w http.ResponseWriter, r *http.Request, v activity, body []byte) {
	if v.Type == "invoke" {
		a.serveInvoke(w, r, v, body)
		return
	}
	all := a.understand(v, body)
	for _, in := range all {
		if in.Kind == bot.Left {
			a.joined.disclaims(in.Place.Root().String()) // whoever adds it again is news at once
		}
		if in.Skip == "" && in.Kind == bot.Joined && !a.joined.claims(in.Place.Root().String(), a.now()) {
			in.Skip = skipTwice
		}
		if in.Skip != "" {
			a.count("activity", in.Skip)
			a.log.Debug("an activity from Teams goes no further", "type", v.Type, "reason", in.Skip)
			continue
		}
		reply, err := a.decide(r.Context(), string(in.Kind), in.Request)
		if err != nil {
			if in.Kind == bot.Joined {
				a.joined.disclaims(in.Place.Root().String())
			}
			status(w, http.StatusOK)
			flush(w)
			if in.Kind == bot.Typed || in.Kind == bot.Clicked || in.Kind == bot.Submitted {
				a.sorry(r.Context(), in.Request, err)
			}
			return
		}
		if reply.Form != nil || len(reply.Errors) > 0 {
			status(w, http.StatusOK)
			flush(w)
			if a.once(in.Key) {
				a.offer(r.Context(), in, reply)
			}
			return
		}
	}
	status(w, http.StatusOK)
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

// sorryTime is how long the attempt to say that something failed may take.
const sorryTime = 5 * time.Second

// sorry tells the person about an error where the HTTP answer cannot. It tries
// once: the engine, which would do better, is what failed.
func (a *Adapter) sorry(ctx context.Context, r bot.Request, err error) {
	if r.From.ID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sorryTime)
	defer cancel()
	if lost := a.Answer(ctx, r.From, r.Place, bot.Return{}, bot.Apology(r, err), false, false); lost != nil {
		a.log.Warn("somebody could not be told that their request failed", "request", r.Key, "error", lost)
	}
}

func status(w http.ResponseWriter, code int) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(code)
}

// answer writes the body of an invoke's answer. It leaves at once, though the
// handler may go on.
func answer(w http.ResponseWriter, body any) {
	b := encode(body)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(b)
	flush(w)
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }
