package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// response is a message in an HTTP answer or at a response_url.
// Source: Slack, "Handling user interaction".
type response struct {
	Type    string        `json:"response_type,omitempty"`
	Replace *bool         `json:"replace_original,omitempty"`
	Thread  string        `json:"thread_ts,omitempty"`
	Text    string        `json:"text"`
	Blocks  []slack.Block `json:"blocks,omitempty"`
}

type metadataBody struct {
	Type    string            `json:"event_type"`
	Payload map[string]string `json:"event_payload"`
}

func visibility(inPlace bool) string {
	if inPlace {
		return "in_channel"
	}
	return "ephemeral"
}

// Answer says something to one person: by the request's return way while it
// lasts, else as a message in the channel that only they see, else as a direct
// message. inPlace shows it to everybody; redraw puts it in place of the
// clicked message, which only the return way can do.
func (a *Adapter) Answer(ctx context.Context, to bot.Account, at bot.Place, back bot.Return, m bot.Message, redraw, inPlace bool) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	d, err := render(m, messageRoom)
	if err != nil {
		return err
	}
	if a.usable(back) {
		r := response{Type: visibility(inPlace), Replace: &redraw, Text: d.Text, Blocks: d.Blocks}
		if !redraw {
			r.Thread = at.Thread
		}
		used, err := a.respond(ctx, back.URL, r)
		if err != nil || used {
			return err
		}
	}
	team := first(at.Team, to.Team)
	if at.Channel != "" && !at.Direct() {
		if inPlace {
			_, err := a.Post(ctx, at, m)
			return err
		}
		err := a.whisper(ctx, team, at, to, d)
		if bot.KindOf(err) != bot.KindGone {
			return err
		}
	}
	dm := bot.Place{Platform: bot.Slack, Team: team, User: to.ID}
	if at.Direct() && at.User == to.ID {
		dm.Thread = at.Thread
	}
	_, err = a.Post(ctx, dm, m)
	return err
}

// usable reports whether the return way still works. The margin covers the
// call itself.
func (a *Adapter) usable(back bot.Return) bool {
	return !back.URL.IsZero() && a.mayAnswerAt(back.URL.Reveal()) && a.now().Add(5*time.Second).Before(back.Expires)
}

// respond posts to a response_url. It reports false where Slack no longer
// takes anything there, so that another way is tried.
func (a *Adapter) respond(ctx context.Context, url bot.Secret, r response) (bool, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return false, bad("The answer cannot be written as JSON.", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url.Reveal(), bytes.NewReader(body))
	if err != nil {
		return false, nil // no address, so not an error of the caller's
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, said, err := exchange(a.http, req, !*r.Replace)
	if err != nil {
		return false, err
	}
	code := refusal(said)
	switch {
	case resp.StatusCode == http.StatusOK && code == "":
		return true, nil
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return false, status(resp, !*r.Replace)
	case spent(resp.StatusCode, code):
		return false, nil
	}
	f := judged(slack.SlackErrorResponse{Err: first(code, "HTTP "+strconv.Itoa(resp.StatusCode))}, false)
	return false, f
}

// spent reports that a response_url was used up or has expired.
func spent(status int, code string) bool {
	return status == http.StatusNotFound || status == http.StatusGone ||
		code == "used_url" || code == "expired_url" || code == "cant_find_response_url"
}

// refusal is the error in the answer of a response_url, which is "ok", JSON,
// or an error's bare name.
func refusal(said []byte) string {
	text := strings.TrimSpace(string(said))
	if text == "" || text == "ok" {
		return ""
	}
	var a struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if json.Unmarshal(said, &a) == nil {
		if a.OK {
			return ""
		}
		return first(bot.Shorten(a.Error, 60), "unknown")
	}
	return bot.Shorten(text, 60)
}

// whisper posts a message that one member of a channel sees.
func (a *Adapter) whisper(ctx context.Context, team string, at bot.Place, to bot.Account, d drawing) error {
	api, err := a.client(team)
	if err != nil {
		return err
	}
	o := []slack.MsgOption{slack.MsgOptionText(d.Text, false), slack.MsgOptionBlocks(d.Blocks...)}
	if at.Thread != "" {
		o = append(o, slack.MsgOptionTS(at.Thread))
	}
	_, err = api.PostEphemeralContext(ctx, at.Channel, to.ID, o...)
	return postFailure(err)
}

// PreviewPayload is the JSON body that chat.postMessage would get for a
// message, without channel and token.
func PreviewPayload(m bot.Message) ([]byte, error) {
	d, err := render(m, messageRoom)
	if err != nil {
		return nil, err
	}
	body := struct {
		Text        string        `json:"text"`
		Blocks      []slack.Block `json:"blocks"`
		UnfurlLinks bool          `json:"unfurl_links"`
		UnfurlMedia bool          `json:"unfurl_media"`
		Metadata    *metadataBody `json:"metadata,omitempty"`
	}{Text: d.Text, Blocks: d.Blocks}
	if m.Key != "" {
		body.Metadata = &metadataBody{Type: metaEvent, Payload: map[string]string{"key": m.Key}}
	}
	return json.MarshalIndent(body, "", "  ")
}
