package teams

import (
	"context"
	"maps"
	"slices"
	"strings"

	"keyturn/bot"
)

// offer shows a form where Teams gives no answer to draw it in: after words, and
// after a button of an old client. In a chat with one person it is the form
// itself; elsewhere it is a button that draws it for whoever presses it, since
// everybody could fill in what everybody sees. The desk hears where it failed.
func (a *Adapter) offer(ctx context.Context, in inbound, reply bot.Reply) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	d, err := a.offering(in, reply)
	if err == nil {
		_, err = a.post(ctx, in.Place, d, false)
	}
	if err == nil {
		return
	}
	a.log.Warn("a form could not be shown", "request", in.Key, "error", err)
	a.count("form", "lost")
	a.desk.FormLost(ctx, in.Request, err)
}

func (a *Adapter) offering(in inbound, reply bot.Reply) (drawing, error) {
	f, errs := reply.Form, reply.Errors
	if f == nil {
		kept, err := unpack(in.pressed.Form)
		if err != nil {
			return a.draw(bot.Say(bot.T("Not taken: " + errorWords(errs) + " Please send the form again.")))
		}
		f = &kept
	}
	title := first(bot.Shorten(f.Title, maxLabel), "the form")
	if in.Place.Direct() {
		s := shape{errs: errs}
		if len(errs) > 0 {
			s.typed = in.Input
		}
		card, err := formCard(*f, s)
		if err != nil {
			return drawing{}, err
		}
		card["actions"] = card["actions"].([]element)[:1] // there is no card to go back to
		return drawing{card: card, summary: title}, nil
	}
	packed, err := pack(*f)
	if err != nil {
		return drawing{}, bad("The form "+bot.Quote(f.Title)+" cannot be written.", err)
	}
	button := act("Open: "+title, pressed{Action: f.Action, Value: f.Value, Kind: pressShow, Form: packed, Nonce: digest([]byte(packed))[7:17]}, false)
	delete(button, "fallback") // an old client cannot show it
	m := bot.Say(bot.Mention(in.From, first(bot.OneLine(in.Name), "you")), bot.T(": this needs a few values."))
	return draw(m, nil, []element{{"type": "ActionSet", "actions": []element{button}}})
}

// errorWords are the sentences about a form, in the order of its input names.
func errorWords(errs map[string]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(errs)) {
		if s := bot.Shorten(errs[name], maxError); s != "" {
			out = append(out, s)
		}
	}
	return first(strings.Join(out, " "), "Check what you entered.")
}
