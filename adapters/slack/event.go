package slack

import (
	"errors"
	"slices"
	"strings"

	"keyturn/bot"
)

// parseEvent parses a body to /slack/events. The challenge is set for
// url_verification alone.
func (a *Adapter) parseEvent(body []byte) (in inbound, challenge string, err error) {
	var e envelope
	if read(body, &e) != nil {
		return inbound{}, "", errors.New("The body is no JSON object.")
	}
	switch e.Type {
	case "url_verification":
		return inbound{Skip: skipKind}, e.Challenge, nil
	case "app_rate_limited":
		return inbound{Skip: skipRateLimited}, "", nil
	case "event_callback":
	default:
		return inbound{Skip: skipKind}, "", nil
	}
	team := installed(e)
	own := a.own(e, team)
	if len(own) == 0 && strings.HasPrefix(e.Event.Type, "member_") {
		// Before there were authorizations, this said for whom an event is. It
		// names people too, so it says nothing about who wrote a message.
		own = e.AuthedUsers
	}
	in = happened(e.Event, team, own, e.EnterpriseID)
	in.At = a.now()
	// The ID is the same in all deliveries of an event, as are its bytes.
	in.Key = deliveryKey("ev", first(e.EventID, digest(body)))
	if in.Skip != "" {
		return in, "", nil
	}
	if !a.knows(team) {
		in.Skip = skipWorkspace
		return in, "", nil
	}
	// In a channel shared with another organisation, whoever does not say
	// which workspace they are of counts as a guest.
	if e.Shared && first(e.Event.UserTeam, e.Event.SourceTeam, e.Event.Team.ID) == "" {
		in.Guest, in.Unsure = true, false
	}
	if direct(e.Event.Channel.ID) {
		a.meetDM(team, e.Event.User.ID, e.Event.Channel.ID)
	}
	return in, "", nil
}

// installed is the workspace that the event was delivered for. In channels
// shared between organisations team_id may be the other one.
func installed(e envelope) string {
	for _, z := range e.Authorizations {
		if z.TeamID != "" {
			return z.TeamID
		}
	}
	return first(e.TeamID, e.EnterpriseID)
}

// own lists the user IDs that are the bot's.
func (a *Adapter) own(e envelope, team string) []string {
	var ids []string
	for _, z := range e.Authorizations {
		if z.IsBot && z.UserID != "" {
			ids = append(ids, z.UserID)
			a.learn(team, z.UserID)
		}
	}
	if id := a.identity(team).User; id != "" {
		ids = append(ids, id)
	}
	return ids
}

// happened maps one event. Source: Slack, "Events reference".
func happened(ev event, team string, own []string, enterprise string) inbound {
	who, guest := account(team, first(ev.UserTeam, ev.SourceTeam, ev.Team.ID), enterprise, ev.User.ID)
	if ev.User.ID == "" {
		who = bot.Account{}
		guest = false
	}
	in := inbound{Request: bot.Request{
		From: who, Guest: guest, Unsure: !guest && who.ID != "",
		Place: bot.Place{Platform: bot.Slack, Team: team, Channel: ev.Channel.ID},
	}}
	switch ev.Type {
	case "app_mention":
		said(&in, ev, team, own)
	case "message":
		if ev.ChannelType != "im" && !(ev.ChannelType == "" && direct(ev.Channel.ID)) {
			in.Skip = skipOther
			return in
		}
		said(&in, ev, team, own)
	case "app_home_opened":
		in.Kind = bot.HomeOpened
		in.Place = bot.Place{Platform: bot.Slack, Team: team, User: ev.User.ID}
		if ev.Tab != "" && ev.Tab != "home" {
			in.Skip = skipTab
		} else if ev.User.ID == "" {
			in.Skip = skipNobody
		}
	case "member_joined_channel", "member_left_channel":
		in.Kind = bot.Joined
		if ev.Type == "member_left_channel" {
			in.Kind = bot.Left
		}
		if !slices.Contains(own, ev.User.ID) {
			in.Skip = skipMember
		}
		// Who brought the bot, where Slack says so; never the bot itself.
		in.From, in.Guest, in.Unsure = bot.Account{}, false, false
		if ev.Inviter.ID != "" {
			in.From = bot.Account{Platform: bot.Slack, Team: team, ID: ev.Inviter.ID}
		}
	case "channel_left", "group_left", "channel_archive", "group_archive", "channel_deleted", "group_deleted":
		in.Kind = bot.Left
	case "app_uninstalled":
		in.Kind = bot.Uninstalled
	case "tokens_revoked":
		in.Kind = bot.Revoked
		if len(ev.Tokens.Bot) == 0 {
			in.Skip = skipUserTokens
		}
	default:
		in.Skip = skipKind
	}
	if in.Skip == "" && (in.Kind == bot.Joined || in.Kind == bot.Left) && ev.Channel.ID == "" {
		in.Skip = skipKind
	}
	return in
}

// said maps words that are meant for the bot.
func said(in *inbound, ev event, team string, own []string) {
	in.Kind = bot.Typed
	in.Place = place(team, ev.Channel.ID, ev.ThreadTS, ev.User.ID)
	words := ev.Text
	for _, id := range own {
		words = withoutMention(id, words)
	}
	if ev.Type == "app_mention" && len(own) == 0 {
		words = withoutMention("", words)
	}
	in.Text = typedWords(team, words)
	switch {
	case ev.BotID != "" || ev.Subtype == "bot_message":
		in.Skip = skipBot
	case ev.Subtype != "" && ev.Subtype != "file_share" && ev.Subtype != "thread_broadcast":
		in.Skip = skipSubtype
	case ev.User.ID == "":
		in.Skip = skipNobody
	case slices.Contains(own, ev.User.ID):
		in.Skip = skipSelf
	case ev.Channel.ID == "":
		in.Skip = skipOther
	case in.Text == "" && ev.Type == "message":
		in.Skip = skipEmpty
	}
}
