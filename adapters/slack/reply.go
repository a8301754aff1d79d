package slack

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// formTime is how long opening a form may take if nothing else is said: a
// trigger lives three seconds.
const formTime = 2 * time.Second

// sorryTime is how long the attempt to say that something failed may take.
const sorryTime = 2 * time.Second

func (a *Adapter) serveCommand(w http.ResponseWriter, r *http.Request, body []byte) {
	in, form, err := a.parseCommand(body)
	if err != nil {
		a.count("command", "malformed")
		say(w, http.StatusBadRequest, err.Error())
		return
	}
	switch {
	case form.Get("ssl_check") == "1":
		w.WriteHeader(http.StatusOK)
		return
	case in.Skip != "":
		a.skip("command", in)
		a.message(w, in.Request, bot.Say(bot.T("This workspace is not in Keyturn's configuration. Ask the people who run Keyturn to add it.")), false)
		return
	case form.Get("command") != a.command:
		a.skip("command", inbound{Skip: skipKind, Request: in.Request})
		a.message(w, in.Request, bot.Say(bot.T("I answer to "), bot.C(a.command), bot.T(" only. Try "), bot.C(a.command+" help"), bot.T(".")), false)
		return
	}
	reply, err := a.decide(r.Context(), "command", in.Request)
	if err != nil {
		a.message(w, in.Request, bot.Apology(in.Request, err), false)
		return
	}
	if reply.Message != nil {
		a.message(w, in.Request, *reply.Message, reply.InPlace)
	} else {
		done(w, nil)
	}
	a.open(r.Context(), in.Request, reply.Form)
}

// message answers a slash command.
func (a *Adapter) message(w http.ResponseWriter, r bot.Request, m bot.Message, inPlace bool) {
	d, err := render(m, messageRoom)
	if err != nil {
		a.log.Error("a reply could not be drawn", "request", r.Key, "error", err)
		d, err = render(bot.Apology(r, err), messageRoom)
		inPlace = false
	}
	if err != nil {
		say(w, http.StatusOK, "Something went wrong inside Keyturn.")
		return
	}
	done(w, response{Type: visibility(inPlace), Text: d.Text, Blocks: d.Blocks})
}

// done acknowledges: with a body in JSON, or empty. The answer leaves at once,
// though the handler may go on.
func done(w http.ResponseWriter, body any) {
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			say(w, http.StatusInternalServerError, "Something went wrong inside Keyturn.")
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(b)
	_ = http.NewResponseController(w).Flush()
}

// open shows a form: one call, no second. The desk hears where that failed.
func (a *Adapter) open(ctx context.Context, r bot.Request, f *bot.Form) {
	if f == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if err := a.tryOpen(ctx, r, *f); err != nil {
		a.log.Warn("a form could not be opened", "request", r.Key, "error", err)
		a.count("form", "lost")
		a.desk.FormLost(ctx, r, err)
	}
}

func (a *Adapter) tryOpen(ctx context.Context, r bot.Request, f bot.Form) error {
	ctx, cancel := context.WithTimeout(ctx, a.forms)
	defer cancel()
	if r.Return.Trigger.IsZero() {
		return &bot.Failure{Kind: bot.KindRefused, System: system,
			Says: "Slack shows forms only after a click or a command.", Fix: "Click the button or type the command."}
	}
	v, err := modal(f, metaFor(f, r))
	if err != nil {
		return err
	}
	api, err := a.client(r.Place.Team)
	if err != nil {
		return err
	}
	_, err = api.OpenViewContext(ctx, r.Return.Trigger.Reveal(), *v)
	return failure(err)
}

func (a *Adapter) serveInteraction(w http.ResponseWriter, r *http.Request, body []byte) {
	in, err := a.parseInteraction(body)
	if err != nil {
		a.count("interaction", "malformed")
		say(w, http.StatusBadRequest, err.Error())
		return
	}
	if in.Skip != "" {
		a.skip("interaction", in)
		done(w, nil)
		return
	}
	if in.Kind == bot.Submitted {
		a.serveForm(w, r, in)
		return
	}
	reply, err := a.decide(r.Context(), "click", in.Request)
	done(w, nil)
	if err != nil {
		a.sorry(r.Context(), in.Request, err)
		return
	}
	a.open(r.Context(), in.Request, reply.Form)
}

// sorry tells the person about an error where the HTTP answer cannot. It tries
// once: the engine, which would do better, is what failed.
func (a *Adapter) sorry(ctx context.Context, r bot.Request, err error) {
	if r.From.ID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sorryTime)
	defer cancel()
	if lost := a.Answer(ctx, r.From, r.Place, r.Return, bot.Apology(r, err), false, false); lost != nil {
		a.log.Warn("somebody could not be told that their request failed", "request", r.Key, "error", lost)
	}
}

// viewAnswer is the answer to a submitted form. Source: Slack, "Modals".
type viewAnswer struct {
	Action string                  `json:"response_action"`
	Errors map[string]string       `json:"errors,omitempty"`
	View   *slack.ModalViewRequest `json:"view,omitempty"`
}

func (a *Adapter) serveForm(w http.ResponseWriter, r *http.Request, in inbound) {
	reply, err := a.decide(r.Context(), "form", in.Request)
	if err != nil {
		done(w, a.formError(in, map[string]string{"": bot.Apology(in.Request, err).Words()}))
		return
	}
	switch {
	case len(reply.Errors) > 0:
		done(w, a.formError(in, reply.Errors))
	case reply.Form != nil:
		v, err := modal(*reply.Form, metaFor(*reply.Form, in.Request))
		if err != nil {
			a.log.Error("a form could not be drawn", "request", in.Key, "error", err)
			done(w, a.formError(in, map[string]string{"": bot.Apology(in.Request, err).Words()}))
			return
		}
		done(w, viewAnswer{Action: "update", View: v})
	default:
		done(w, viewAnswer{Action: "clear"})
	}
}

// maxFormError is the longest error under an input that still reads as one.
const maxFormError = 600

// formError keeps the form open. Slack shows errors only under inputs of the
// form, so what belongs to none goes under the first; a form without inputs is
// replaced by the sentence.
func (a *Adapter) formError(in inbound, errs map[string]string) viewAnswer {
	if len(in.Fields) == 0 {
		f := bot.Form{Action: in.Action, Value: in.Value, Title: "That did not work"}
		for _, name := range sorted(errs) {
			f.Intro = append(f.Intro, bot.Paragraph{Text: bot.T(errs[name])})
		}
		if v, err := modal(f, metaFor(f, in.Request)); err == nil {
			return viewAnswer{Action: "update", View: v}
		}
		return viewAnswer{Action: "clear"}
	}
	has := map[string]bool{}
	for _, id := range in.Fields {
		has[id] = true
	}
	out := map[string]string{}
	for _, name := range sorted(errs) {
		id := inputPrefix + name
		if !has[id] {
			id = in.Fields[0]
		}
		text := errs[name]
		if out[id] != "" {
			text = out[id] + " " + text
		}
		out[id] = first(bot.Shorten(text, maxFormError), "Check this value.")
	}
	return viewAnswer{Action: "errors", Errors: out}
}

func (a *Adapter) serveEvent(w http.ResponseWriter, r *http.Request, body []byte) {
	in, challenge, err := a.parseEvent(body)
	if err != nil {
		a.count("event", "malformed")
		say(w, http.StatusBadRequest, err.Error())
		return
	}
	if challenge != "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, challenge)
		return
	}
	if in.Skip != "" {
		a.skip("event", in)
		done(w, nil)
		return
	}
	_, err = a.decide(r.Context(), "event", in.Request)
	switch {
	case bot.NothingDone(err):
		// Slack delivers the event again, at once, after a minute and after
		// five.
		say(w, http.StatusServiceUnavailable, "Nothing was done: deliver the event again.")
	case err != nil:
		done(w, nil)
		if in.Kind == bot.Typed {
			a.sorry(r.Context(), in.Request, err)
		}
	default:
		done(w, nil)
	}
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
