package teams

import (
	"context"
	"net/http"
	"slices"

	"keyturn/bot"
)

// The types of an answer to a button. Source: Microsoft, "Work with Universal
// Actions for Adaptive Cards".
const (
	typeToast = "application/vnd.microsoft.activity.message"
	typeError = "application/vnd.microsoft.error"
)

// envelope is the answer to a button: HTTP is always 200, for at any other
// status the person sees nothing.
type envelope struct {
	Status int    `json:"statusCode"`
	Type   string `json:"type"`
	Value  any    `json:"value"`
}

// taskAnswer is the answer to a dialog. Source: Microsoft, "Dialogs".
type taskAnswer struct {
	Task task `json:"task"`
}

type task struct {
	Type  string `json:"type"` // continue or message
	Value any    `json:"value"`
}

func wrong(code int, name, words string) envelope {
	return envelope{Status: code, Type: typeError, Value: map[string]string{"code": name, "message": words}}
}

func toast(words string) envelope { return envelope{Status: 200, Type: typeToast, Value: words} }

func replacement(card any) envelope { return envelope{Status: 200, Type: cardType, Value: card} }

func dialog(title string, card element) taskAnswer {
	return taskAnswer{task{Type: "continue", Value: element{"title": first(bot.Shorten(title, maxLabel), "Keyturn"), "height": "medium", "width": "medium",
		"card": element{"contentType": cardType, "content": card}}}}
}

func dialogSays(words string) taskAnswer { return taskAnswer{task{Type: "message", Value: words}} }

// serveInvoke answers what waits for its answer.
func (a *Adapter) serveInvoke(w http.ResponseWriter, r *http.Request, v activity, body []byte) {
	var value invokeValue
	_ = read(v.Value, &value) // what is no object has no data of ours
	in := inbound{Request: a.request(v, body)}
	in.Inline = true
	switch v.Name {
	case "adaptiveCard/action":
		a.serveButton(w, r, v, value, in)
	case "task/fetch", "task/submit", "composeExtension/submitAction":
		a.serveDialog(w, r, v, value, in)
	case "composeExtension/fetchTask":
		a.serveMenu(w, r, v, value, in)
	default:
		a.count("invoke", skipKind)
		answer(w, wrong(http.StatusNotImplemented, "NotImplemented", "Keyturn does not know how to do this."))
	}
}

func (a *Adapter) serveButton(w http.ResponseWriter, r *http.Request, v activity, value invokeValue, in inbound) {
	if value.Trigger == "automatic" { // Keyturn's cards do not refresh themselves
		a.count("click", skipKind)
		answer(w, toast(""))
		return
	}
	p, typed, ok := readPressed(value.Action.Data)
	if !ok {
		a.count("click", skipData)
		answer(w, wrong(http.StatusBadRequest, "BadRequest", "This button is not one of Keyturn's, or it is from before an update. Type help to see what I can do."))
		return
	}
	a.press(&in, v, p, typed)
	if in.Skip != "" {
		a.count("click", in.Skip)
		answer(w, wrong(http.StatusBadRequest, "BadRequest", "Teams did not say who you are. Try again from the Teams app."))
		return
	}
	switch p.Kind {
	case pressBack:
		if c, ok := a.card(v.tenant(), v.Conversation.channel(), v.ReplyToID); ok {
			answer(w, replacement(c))
			return
		}
		in.Action = bot.DrawAnew // it was sent before this process began, or long ago
	case pressShow:
		a.showForm(w, in)
		return
	}
	reply, err := a.decide(r.Context(), clickOrForm(in), in.Request)
	if err != nil {
		answer(w, wrong(http.StatusInternalServerError, "InternalError", bot.Apology(in.Request, err).Words()))
		return
	}
	answer(w, a.inPlace(in, v, reply))
	a.afterwards(r.Context(), in, reply)
}

func clickOrForm(in inbound) string {
	if in.Kind == bot.Submitted {
		return "form"
	}
	return "click"
}

// showForm draws a form that was offered with its button.
func (a *Adapter) showForm(w http.ResponseWriter, in inbound) {
	f, err := unpack(in.pressed.Form)
	if err == nil {
		var card element
		if card, err = formCard(f, shape{here: in.Place.Channel}); err == nil {
			answer(w, replacement(card))
			return
		}
	}
	answer(w, wrong(http.StatusBadRequest, "BadRequest", "This form can no longer be opened. Ask for it again."))
}

// brief is the longest answer that is shown for a moment over the conversation.
const brief = 160

// short is a message's words where they can be shown for a moment: one
// paragraph without buttons.
func short(m bot.Message) (string, bool) {
	if len(m.Parts) != 1 {
		return "", false
	}
	p, ok := m.Parts[0].(bot.Paragraph)
	if !ok || slices.ContainsFunc(p.Text, func(s bot.Span) bool { return s.Link != "" || s.Code }) {
		return "", false
	}
	words := bot.OneLine(p.Text.Plain())
	return words, words != "" && bot.Units(words) <= brief
}

// inPlace is the answer to a button or to a form that was drawn in place of a
// card. What the person alone should see replaces the card for them alone, with
// a way back to it.
func (a *Adapter) inPlace(in inbound, v activity, reply bot.Reply) envelope {
	card, err := a.replyCard(in, reply, false)
	switch {
	case err != nil:
		a.log.Error("a reply could not be drawn", "request", in.Key, "error", err)
		return wrong(http.StatusInternalServerError, "InternalError", bot.Apology(in.Request, err).Words())
	case card != nil:
		return replacement(card)
	case len(reply.Errors) > 0:
		return wrong(http.StatusBadRequest, "BadRequest", errorWords(reply.Errors))
	case reply.Message != nil && !reply.InPlace:
		words, _ := short(*reply.Message)
		return toast(words)
	case in.Kind == bot.Submitted: // the form has to go, or it would be sent again
		if c, ok := a.card(v.tenant(), v.Conversation.channel(), v.ReplyToID); ok {
			return replacement(c)
		}
		d, err := a.draw(bot.Say(bot.T("Received.")))
		if err == nil {
			return replacement(d.card)
		}
	}
	return toast("")
}

// replyCard is the card that a reply is shown as, or nil where it needs none.
func (a *Adapter) replyCard(in inbound, reply bot.Reply, inDialog bool) (element, error) {
	s := shape{dialog: inDialog, here: in.Place.Channel}
	switch {
	case len(reply.Errors) > 0:
		f, err := unpack(in.pressed.Form)
		if err != nil {
			return nil, nil // without the form the sentences have to do
		}
		s.errs, s.typed = reply.Errors, in.Input
		if s.typed == nil {
			s.typed = map[string][]string{}
		}
		return formCard(f, s)
	case reply.Form != nil:
		return formCard(*reply.Form, s)
	case reply.Message == nil || reply.InPlace:
		return nil, nil
	case reply.Redraw && !inDialog:
		d, err := a.draw(*reply.Message)
		return d.card, err
	}
	if _, ok := short(*reply.Message); ok && !inDialog && in.Kind == bot.Clicked {
		return nil, nil
	}
	var below []element
	if !inDialog {
		below = []element{{"type": "ActionSet", "actions": []element{back()}}}
	}
	d, err := draw(a.placed(*reply.Message), a.dialog, below)
	return d.card, err
}

// afterwards says to everybody what a reply wants everybody to see. It tries
// once: the answer to the person who clicked has left.
func (a *Adapter) afterwards(ctx context.Context, in inbound, reply bot.Reply) {
	everybody := reply.Message != nil && (reply.InPlace || reply.Redraw && in.Message.Known())
	if !everybody || !a.once(in.Key) {
		return
	}
	ctx = context.WithoutCancel(ctx)
	var err error
	if reply.Redraw && in.Message.Known() {
		err = a.Edit(ctx, in.Message, *reply.Message)
	} else {
		_, err = a.Post(ctx, in.Place, *reply.Message)
	}
	if err != nil {
		a.log.Warn("an answer could not be shown to everybody", "request", in.Key, "error", err)
	}
}

func (a *Adapter) serveDialog(w http.ResponseWriter, r *http.Request, v activity, value invokeValue, in inbound) {
	p, typed, ok := readPressed(value.Data)
	if !ok {
		a.count("dialog", skipData)
		answer(w, dialogSays("This button is not one of Keyturn's, or it is from before an update. Type help to see what I can do."))
		return
	}
	a.press(&in, v, p, typed)
	if in.Skip != "" {
		a.count("dialog", in.Skip)
		answer(w, dialogSays("Teams did not say who you are. Try again from the Teams app."))
		return
	}
	in.Kind = bot.Submitted
	if v.Name == "task/fetch" {
		in.Kind = bot.Clicked
	}
	reply, err := a.decide(r.Context(), "dialog", in.Request)
	if err != nil {
		answer(w, dialogSays(bot.Apology(in.Request, err).Words()))
		return
	}
	card, err := a.replyCard(in, reply, true)
	title := ""
	if reply.Form != nil {
		title = reply.Form.Title
	} else if f, broken := unpack(p.Form); broken == nil {
		title = f.Title
	}
	switch {
	case err != nil:
		a.log.Error("a reply could not be drawn", "request", in.Key, "error", err)
		answer(w, dialogSays(bot.Apology(in.Request, err).Words()))
	case card != nil:
		answer(w, dialog(title, card))
	case len(reply.Errors) > 0:
		answer(w, dialogSays(errorWords(reply.Errors)))
	case v.Name == "task/fetch":
		answer(w, dialogSays("Done."))
	default:
		status(w, http.StatusOK) // closes the dialog
		flush(w)
	}
	a.afterwards(r.Context(), in, reply)
}
