package slack

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"keyturn/bot"
)

// parseInteraction parses the payload of /slack/interactions. Only the body is
// read: what the signature does not cover is nothing that Slack said.
func (a *Adapter) parseInteraction(body []byte) (inbound, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("payload") == "" {
		return inbound{}, errors.New("The form has no payload.")
	}
	var p interaction
	if err := read([]byte(form.Get("payload")), &p); err != nil {
		return inbound{}, errors.New("The payload is no JSON object.")
	}
	in := a.interacted(p)
	if in.Skip == "" && !a.knows(in.Place.Team) {
		in.Skip = skipWorkspace
	}
	return in, nil
}

func (a *Adapter) interacted(p interaction) inbound {
	team := a.workspace(p)
	who, guest := account(team, p.User.TeamID, p.Enterprise.ID, p.User.ID)
	in := inbound{Request: bot.Request{
		At: a.now(), From: who, Guest: guest, Unsure: !guest, Name: p.User.Name,
		Place:  bot.Place{Platform: bot.Slack, Team: team, User: p.User.ID},
		Return: a.back(p.ResponseURL, first(p.TriggerID, p.Interactivity.Pointer)),
	}}
	switch p.Type {
	case "block_actions":
		a.clicked(&in, p)
	case "view_submission":
		submitted(&in, p)
	case "shortcut", "message_action":
		shortcut(&in, p)
	case "view_closed":
		in.Skip = skipClosed
	default:
		in.Skip = skipKind
	}
	if in.Skip == "" && (p.User.ID == "" || team == "") {
		in.Skip = skipNobody
	}
	return in
}

// workspace is the team that has the app. Org-wide installs send a null team,
// and a view may have been opened from another workspace than the app's.
func workspace(p interaction) string {
	return first(p.View.InstalledTeam, p.Team.ID, p.TeamID, p.View.TeamID, p.User.TeamID)
}

// workspace is [workspace], but for somebody of another organisation who clicks
// in a shared channel: their payload names their own workspace, and the message
// that they clicked is one of ours.
func (a *Adapter) workspace(p interaction) string {
	team := workspace(p)
	for _, ours := range []string{p.Message.BotProfile.TeamID, p.Message.Team} {
		if !a.knows(team) && ours != "" && a.knows(ours) {
			return ours
		}
	}
	return team
}

func (a *Adapter) clicked(in *inbound, p interaction) {
	if len(p.Actions) == 0 {
		in.Skip = skipNoAction
		return
	}
	if len(p.Actions) > 1 {
		a.log.Warn("Slack sent several actions at once; the first is taken", "actions", len(p.Actions))
	}
	act := p.Actions[0]
	in.Kind = bot.Clicked
	in.Action = verb(act.ActionID)
	if in.Action == openPage {
		in.Skip = skipLink
		return
	}
	chosen := act.values()
	if len(chosen) > 0 {
		in.Value = chosen[0]
	}
	in.Input = inputs(p.State)
	if in.Input == nil {
		in.Input = inputs(p.View.State)
	}
	if len(chosen) > 1 {
		if in.Input == nil {
			in.Input = map[string][]string{}
		}
		in.Input[in.Action] = chosen
	}
	channel := first(p.Container.ChannelID, p.Channel.ID)
	thread := first(p.Container.ThreadTS, p.Message.ThreadTS)
	ts := first(p.Container.MessageTS, p.Message.TS)
	in.Place = place(in.Place.Team, channel, thread, p.User.ID)
	// An ephemeral message has a ts that no method takes: the response_url is
	// the only way to it.
	if ts != "" && channel != "" && !p.Container.IsEphemeral {
		held := in.Place
		held.Channel = channel
		in.Message = bot.MessageRef{Place: held, ID: ts}
		a.meetDM(in.Place.Team, p.User.ID, channel)
	}
	// Forms keep the place that they were opened from.
	if m, ok := readMeta(p.View); ok {
		in.Place = place(in.Place.Team, m.Channel, m.Thread, p.User.ID)
	}
	in.Key = deliveryKey("act", in.Place.Team, first(p.TriggerID, p.Interactivity.Pointer, p.Container.ViewID, ts),
		first(act.ActionTS, p.ActionTS), p.User.ID)
}

func submitted(in *inbound, p interaction) {
	in.Kind = bot.Submitted
	in.Input = inputs(p.View.State)
	if in.Input == nil {
		in.Input = inputs(p.State)
	}
	in.Action = p.View.CallbackID
	if m, ok := readMeta(p.View); ok {
		in.Action, in.Value = m.Action, m.Value
		in.Place = place(in.Place.Team, m.Channel, m.Thread, p.User.ID)
		if m.Message != "" {
			held := in.Place
			held.Channel = m.Channel
			in.Message = bot.MessageRef{Place: held, ID: m.Message}
		}
	}
	for _, b := range p.View.Blocks {
		if b.Type == "input" && b.BlockID != "" {
			in.Fields = append(in.Fields, b.BlockID)
		}
	}
	// A corrected form comes with the same view and hash as the one that was
	// refused, and with a new trigger.
	once := first(p.TriggerID, p.Interactivity.Pointer)
	if once == "" {
		once = first(p.View.Hash, p.Hash) + "-" + digest(p.View.State)
	}
	in.Key = deliveryKey("form", in.Place.Team, p.View.ID, once, p.User.ID)
}

// shortcut makes a shortcut the same as typing its callback ID, and one on a
// message the same as clicking a button of that name whose value is what the
// message says. The message is somebody's, and never ours to edit.
func shortcut(in *inbound, p interaction) {
	in.Kind = bot.Typed
	in.Action = p.CallbackID
	in.Text = p.CallbackID
	if p.Type == "message_action" {
		in.Kind, in.Text, in.Value = bot.Clicked, "", typedWords(in.Place.Team, called.ReplaceAllString(p.Message.Text, ""))
	}
	if p.Channel.ID != "" {
		in.Place = place(in.Place.Team, p.Channel.ID, p.Message.ThreadTS, p.User.ID)
	}
	in.Key = deliveryKey("short", in.Place.Team, first(p.TriggerID, p.Interactivity.Pointer), p.ActionTS, p.User.ID)
}

// called are the people and groups that a message calls by their IDs: they say
// nothing of what is wrong.
var called = regexp.MustCompile(`<[@!][^>]*>`)

// openPage is the action of buttons that only open a page: Slack tells us of
// the click all the same.
const openPage = "keyturn.open-page"

// actionID makes a verb unique within its message.
func actionID(verb string, n int) string { return verb + "~" + strconv.Itoa(n) }

// verb is the verb of an action ID.
func verb(actionID string) string {
	i := strings.LastIndexByte(actionID, '~')
	if i < 0 || i == len(actionID)-1 {
		return actionID
	}
	for _, c := range []byte(actionID[i+1:]) {
		if c < '0' || c > '9' {
			return actionID
		}
	}
	return actionID[:i]
}

// formMeta is what a form carries through Slack: its verb and value and where
// it was opened. Whoever opened the form can read it.
type formMeta struct {
	Action  string `json:"a"`
	Value   string `json:"v,omitempty"`
	Channel string `json:"c,omitempty"`
	Thread  string `json:"t,omitempty"`
	Message string `json:"m,omitempty"`
}

// formID is the callback_id of Keyturn's forms.
const formID = "keyturn.form"

func readMeta(v view) (formMeta, bool) {
	var m formMeta
	if v.CallbackID != formID || json.Unmarshal([]byte(v.PrivateMetadata), &m) != nil {
		return formMeta{}, false
	}
	return m, true
}

// metaFor remembers with a form what led to it.
func metaFor(f bot.Form, from bot.Request) formMeta {
	m := formMeta{Action: f.Action, Value: f.Value, Channel: from.Place.Channel, Thread: from.Place.Thread, Message: from.Message.ID}
	if m.Channel == "" {
		m.Channel = from.Message.Place.Channel
	}
	return m
}
