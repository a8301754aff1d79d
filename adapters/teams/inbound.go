package teams

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"keyturn/bot"
)

// inbound is what an activity was mapped to: a request for the desk, or the
// reason why there is none.
type inbound struct {
	bot.Request
	Skip    string
	pressed pressed // of a click or a form
}

// Why something is ignored. The words are metric labels and log fields.
const (
	skipKind   = "a kind that Keyturn does not use"
	skipOther  = "it does not address the bot"
	skipBot    = "a bot said it"
	skipEmpty  = "there are no words in it"
	skipNobody = "it does not say who did it"
	skipMember = "it is about another member"
	skipTwice  = "the same was said a moment ago"
	skipData   = "its data is not Keyturn's"
)

// request is what every activity gives: who, where and the delivery key.
func (a *Adapter) request(v activity, body []byte) bot.Request {
	tenant := v.tenant()
	r := bot.Request{
		Key: deliveryKey(v.Conversation.ID, first(v.ID, digest(body))), At: v.at(a.now()),
		Name: v.From.Name, Place: a.placeOf(v),
	}
	r.From, r.Guest = who(v, tenant)
	r.Unsure = !r.Guest && r.From.ID != "" && v.From.UserRole == "" // most activities do not say
	return r
}

// visits reports whether an account says that it is a guest's.
func (m account) visits() bool {
	return m.UserRole == "guest" || m.UserRole == "anonymous" || strings.Contains(strings.ToUpper(m.UPN), "#EXT#")
}

// who is the account behind an activity. People of other organisations keep
// their own tenant, so that they can never be taken for somebody of this one.
func who(v activity, tenant string) (bot.Account, bool) {
	id := strings.ToLower(v.From.AadObjectID)
	guest := v.From.visits()
	home := tenant
	switch named := strings.ToLower(v.data().Tenant.ID); {
	case v.From.foreign(tenant):
		home, guest = strings.ToLower(v.From.TenantID), true
	case v.From.TenantID == "" && named != "" && named != tenant:
		home, guest = named, true
	}
	if id == "" { // no directory object: somebody from outside, or a very old event
		id, guest = v.From.ID, true
	}
	if id == "" {
		return bot.Account{}, false
	}
	return bot.Account{Platform: bot.Teams, Team: home, ID: id}, guest
}

// placeOf is where an activity happened: a channel with its thread, a group
// chat, or the direct message with a person.
func (a *Adapter) placeOf(v activity) bot.Place {
	p := bot.Place{Platform: bot.Teams, Team: v.tenant()}
	switch v.Conversation.kind() {
	case kindPersonal:
		p.User = strings.ToLower(first(v.From.AadObjectID, v.From.ID))
	case kindGroup:
		p.Channel = v.Conversation.channel()
	default:
		p.Channel, p.Thread = v.Conversation.channel(), v.Conversation.thread()
	}
	return p
}

// understand maps an activity that is no invoke.
func (a *Adapter) understand(v activity, body []byte) []inbound {
	in := inbound{Request: a.request(v, body)}
	switch v.Type {
	case "message":
		a.said(&in, v)
	case "installationUpdate":
		return a.installed(in, v)
	case "conversationUpdate":
		return a.changed(in, v)
	default: // reactions, edits, deletions, typing, events, and what comes next year
		in.Skip = skipKind
	}
	return []inbound{in}
}

// said maps a message: words, or a button of a client too old to be answered
// in place.
func (a *Adapter) said(in *inbound, v activity) {
	in.Kind = bot.Typed
	if p, typed, ok := readPressed(v.Value); ok && strings.TrimSpace(v.Text) == "" {
		a.press(in, v, p, typed)
		if p.Kind == pressBack || p.Kind == pressShow { // nothing to answer them in
			in.Skip = skipData
		}
		return
	}
	own, addressed := false, v.Conversation.kind() == kindPersonal || string(v.Recipient.Targeted) == "true"
	in.Text, own = a.typedWords(v)
	switch {
	case v.From.Role == "bot" || strings.HasPrefix(v.From.ID, "28:"):
		in.Skip = skipBot
	case in.From.ID == "":
		in.Skip = skipNobody
	case v.Conversation.ID == "":
		in.Skip = skipOther
	case !own && !addressed: // a permission to read everything is no reason to answer it
		in.Skip = skipOther
	case in.Text == "" && !own:
		in.Skip = skipEmpty
		if len(v.Value) > 0 && string(v.Value) != "null" {
			in.Skip = skipData
		}
	}
}

// press maps a button or a form.
func (a *Adapter) press(in *inbound, v activity, p pressed, typed map[string][]string) {
	in.Kind, in.Action, in.Value, in.Input, in.pressed = bot.Clicked, p.Action, p.Value, typed, p
	if p.Kind == pressSubmit {
		in.Kind = bot.Submitted
	}
	in.Key = deliveryKey(in.Key[len("teams/"):], bot.Shorten(p.Nonce, 40))
	if v.ReplyToID != "" {
		held := in.Place
		held.Channel = v.Conversation.channel()
		in.Message = bot.MessageRef{Place: held, ID: v.ReplyToID}
		in.Return.URL = backTo(in.Message)
	}
	if in.From.ID == "" {
		in.Skip = skipNobody
	}
}

// joinPause is how long after one word of it a second word of the same
// installation is not news: Teams says it in two activities.
const joinPause = time.Minute

// once reports whether a delivery's words to everybody are still to be said:
// a repeat of it gets the same answer, and they are not said twice.
func (a *Adapter) once(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if slices.Contains(a.told, key) {
		return false
	}
	a.told = append(a.told, key)
	if len(a.told) > maxCards {
		a.told = slices.Clone(a.told[len(a.told)-maxCards:])
	}
	return true
}

// lately remembers what was said within the last minute.
type lately struct {
	mu   sync.Mutex
	said map[string]time.Time
}

// claims reports whether something is news, and marks it as said in the same
// moment: two activities come at once.
func (l *lately) claims(what string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, when := range l.said {
		if now.Sub(when) > joinPause {
			delete(l.said, key)
		}
	}
	if _, told := l.said[what]; told {
		return false
	}
	if l.said == nil {
		l.said = map[string]time.Time{}
	}
	l.said[what] = now
	return true
}

// disclaims takes back a claim whose word did not get through.
func (l *lately) disclaims(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.said, what)
}

// installed maps that the app was added or removed.
// Source: Microsoft, "Installation update event".
func (a *Adapter) installed(in inbound, v activity) []inbound {
	switch v.Action {
	case "add":
		return []inbound{a.joins(in, v)}
	case "remove":
		return a.leaves(in, v)
	}
	in.Skip = skipKind // an upgrade changes nothing
	return []inbound{in}
}

// changed maps that members came or went, or that a team or channel is gone.
// Source: Microsoft, "Conversation events in your Teams bot".
func (a *Adapter) changed(in inbound, v activity) []inbound {
	d := v.data()
	self := func(m account) bool {
		return m.ID != "" && (m.ID == v.Recipient.ID || strings.EqualFold(m.ID, a.botID()))
	}
	switch d.EventType {
	case "channelDeleted":
		in.Kind = bot.Left
		if in.Place.Channel, in.Place.Thread = d.Channel.ID, ""; d.Channel.ID == "" {
			in.Skip = skipKind
		}
		return []inbound{in}
	case "teamDeleted", "teamHardDeleted", "teamArchived":
		return a.leaves(in, v)
	}
	switch {
	case slices.ContainsFunc(v.Added, self):
		return []inbound{a.joins(in, v)}
	case slices.ContainsFunc(v.Removed, self):
		return a.leaves(in, v)
	case len(v.Added)+len(v.Removed) > 0:
		in.Skip = skipMember
	default:
		in.Skip = skipKind
	}
	return []inbound{in}
}

// joins is that the bot came to a place: the channel that was chosen for it
// where there is one.
func (a *Adapter) joins(in inbound, v activity) inbound {
	in.Kind = bot.Joined
	in.Place.Thread = ""
	if selected := v.data().Settings.Selected.ID; selected != "" && !in.Place.Direct() {
		in.Place.Channel = selected
	}
	if in.Place.Channel == "" && in.Place.User == "" {
		in.Skip = skipNobody
	}
	return in
}

// leaves is that the bot is out of a place. Out of a team it is out of every
// channel of it, so each that is known gets a request of its own.
func (a *Adapter) leaves(in inbound, v activity) []inbound {
	in.Kind = bot.Left
	in.Place.Thread = ""
	team := v.data().teamID()
	if in.Place.Direct() || team == "" || v.Conversation.kind() == kindGroup {
		if in.Place.Direct() {
			a.forgetChat(bot.Account{Platform: bot.Teams, Team: in.Place.Team, ID: in.Place.User})
		}
		return []inbound{in}
	}
	known, _ := recall[roster](a, "team", in.Place.Team, team)
	channels := []string{team}
	if at := in.Place.Channel; at != team && at != "" {
		channels = append(channels, at)
	}
	for _, c := range known.Channels {
		if !slices.Contains(channels, c) {
			channels = append(channels, c)
		}
	}
	var out []inbound
	for _, c := range channels {
		one := in
		one.Place.Channel = c
		if c != team {
			one.Key = deliveryKey(in.Key[len("teams/"):], c)
		}
		out = append(out, one)
	}
	return out
}

// invokeValue is what is read of an invoke's value.
type invokeValue struct {
	Action struct {
		Type string          `json:"type"`
		Verb string          `json:"verb"`
		Data json.RawMessage `json:"data"`
	} `json:"action"`
	Trigger string          `json:"trigger"`
	Data    json.RawMessage `json:"data"` // of a dialog
	// Of the menu of a message.
	CommandID string `json:"commandId"`
	Message   quoted `json:"messagePayload"`
}
