package slack

import (
	"context"
	"errors"
	"strings"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// metaEvent is the event type of the metadata that carries a message's key.
const metaEvent = "keyturn"

// messageRoom is what a message may hold.
var messageRoom = room{blocks: maxBlocks, text: maxMessageText}

// Post sends a new message. The reference holds the channel where it landed,
// also for a direct message, and the message's ts as its ID. A reply whose
// thread is gone is taken back and is a [bot.KindNotFound].
func (a *Adapter) Post(ctx context.Context, at bot.Place, m bot.Message) (bot.MessageRef, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	api, err := a.client(at.Team)
	if err != nil {
		return bot.MessageRef{}, err
	}
	have, err := a.uploads(ctx, api, at.Team, m)
	if err != nil {
		return bot.MessageRef{}, err
	}
	d, err := renderWith(m, messageRoom, have)
	if err != nil {
		return bot.MessageRef{}, err
	}
	a.meet(ctx, at.Team)
	channel, err := a.conversation(ctx, api, at)
	if err != nil {
		return bot.MessageRef{}, err
	}
	landed, ts, sent, err := api.PostMessageWithResponseContext(ctx, channel, posting(d, m, at.Thread)...)
	if err != nil {
		return bot.MessageRef{}, a.notReady(at.Team, have, a.whyNot(ctx, api, at, postFailure(err)))
	}
	if ts == "" {
		return bot.MessageRef{}, unclear("Slack did not say where the message landed.", true, bot.KindMalformed, nil)
	}
	if at.Thread != "" && sent.Timestamp != "" && sent.ThreadTimestamp == "" {
		return bot.MessageRef{}, a.takeBack(ctx, api, landed, ts)
	}
	ref := bot.MessageRef{Place: at, ID: ts}
	ref.Place.Channel = first(landed, channel)
	if at.Direct() {
		a.meetDM(at.Team, at.User, ref.Place.Channel)
	}
	ref.Link = a.permalink(ref)
	return ref, nil
}

// whyNot finds out why a direct message is refused whose conversation was open
// before: of a deactivated account Slack only says that the channel is not
// there, and says why when it is asked to open the conversation again.
func (a *Adapter) whyNot(ctx context.Context, api *slack.Client, at bot.Place, refused error) error {
	if !at.Direct() || bot.KindOf(refused) != bot.KindGone {
		return refused
	}
	_, _, _, err := api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{at.User}})
	var f *bot.Failure
	if errors.As(failure(err), &f) && f.Away {
		return f
	}
	return refused
}

// posting is what every new message is posted with: no link or picture is
// unfurled, and the key travels in the metadata.
func posting(d drawing, m bot.Message, thread string) []slack.MsgOption {
	o := []slack.MsgOption{
		slack.MsgOptionText(d.Text, false),
		slack.MsgOptionBlocks(d.Blocks...),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
	}
	if m.Key != "" {
		o = append(o, slack.MsgOptionMetadata(metadata(m.Key)))
	}
	if thread != "" {
		o = append(o, slack.MsgOptionTS(thread))
		if m.Aloud {
			o = append(o, slack.MsgOptionBroadcast())
		}
	}
	return o
}

func metadata(key string) slack.SlackMetadata {
	return slack.SlackMetadata{EventType: metaEvent, EventPayload: map[string]any{"key": key}}
}

// takeBack deletes a reply that Slack put into the channel because the thread
// was deleted.
func (a *Adapter) takeBack(ctx context.Context, api *slack.Client, channel, ts string) error {
	f := &bot.Failure{Kind: bot.KindNotFound, System: system, Says: "The first message of the thread was deleted."}
	if _, _, err := api.DeleteMessageContext(ctx, channel, ts); err != nil {
		f.Err = failure(err)
		a.log.Warn("a reply whose thread is gone stands in the channel, and Slack did not take it back",
			"channel", channel, "ts", ts, "error", f.Err)
	}
	return f
}

// Remove takes a message of the bot away. One that is not there is no error.
func (a *Adapter) Remove(ctx context.Context, ref bot.MessageRef) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	api, err := a.client(ref.Place.Team)
	if err != nil {
		return err
	}
	if _, _, err := api.DeleteMessageContext(ctx, ref.Place.Channel, ref.ID); err != nil {
		if f := failure(err); bot.KindOf(f) != bot.KindNotFound {
			return f
		}
	}
	return nil
}

// conversation is the channel to post to; a direct message is opened once.
func (a *Adapter) conversation(ctx context.Context, api *slack.Client, at bot.Place) (string, error) {
	if at.Channel != "" {
		return at.Channel, nil
	}
	if at.User == "" {
		return "", bad("The place names neither a channel nor a person.", nil)
	}
	a.mu.Lock()
	known := a.dms[at.Team+"/"+at.User]
	a.mu.Unlock()
	if known != "" {
		return known, nil
	}
	c, _, _, err := api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{at.User}})
	if err != nil {
		err = failure(err)
		// Slack also takes a user's ID for a channel, which needs no scope to
		// open conversations.
		if bot.KindOf(err) == bot.KindForbidden {
			return at.User, nil
		}
		return "", err
	}
	if c == nil || c.ID == "" {
		return "", &bot.Failure{Kind: bot.KindMalformed, System: system, Says: "Slack opened a direct message without naming it."}
	}
	a.meetDM(at.Team, at.User, c.ID)
	return c.ID, nil
}

// permalink is built from what is known; Slack forms it as
// https://contoso.slack.com/archives/C0123/p1700000000123456.
func (a *Adapter) permalink(ref bot.MessageRef) string {
	home := a.identity(ref.Place.Team).URL
	if home == "" {
		return ""
	}
	link := strings.TrimSuffix(home, "/") + "/archives/" + ref.Place.Channel + "/p" + strings.ReplaceAll(ref.ID, ".", "")
	if ref.Place.Thread != "" {
		link += "?thread_ts=" + ref.Place.Thread + "&cid=" + ref.Place.Channel
	}
	return link
}

// Edit replaces a message that the bot posted. [bot.KindNotFound] means that it
// is gone or can no longer be edited, and a new one is needed.
func (a *Adapter) Edit(ctx context.Context, ref bot.MessageRef, m bot.Message) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	api, err := a.client(ref.Place.Team)
	if err != nil {
		return err
	}
	if !ref.Known() {
		return &bot.Failure{Kind: bot.KindNotFound, System: system, Says: "There is no message to edit."}
	}
	have, err := a.uploads(ctx, api, ref.Place.Team, m)
	if err != nil {
		return err
	}
	d, err := renderWith(m, messageRoom, have)
	if err != nil {
		return err
	}
	channel, err := a.conversation(ctx, api, ref.Place)
	if err != nil {
		return err
	}
	o := []slack.MsgOption{slack.MsgOptionText(d.Text, false), slack.MsgOptionBlocks(d.Blocks...)}
	if m.Key != "" {
		o = append(o, slack.MsgOptionMetadata(metadata(m.Key)))
	}
	_, _, _, err = api.UpdateMessageContext(ctx, channel, ref.ID, o...)
	return a.notReady(ref.Place.Team, have, failure(err))
}

// Home draws the App Home of one person.
func (a *Adapter) Home(ctx context.Context, who bot.Account, m bot.Message) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	api, err := a.client(who.Team)
	if err != nil {
		return err
	}
	v, err := home(m)
	if err != nil {
		return err
	}
	_, err = api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: who.ID, View: v})
	return failure(err)
}

func home(m bot.Message) (slack.HomeTabViewRequest, error) {
	d, err := render(m, room{blocks: maxViewBlocks, text: maxViewText})
	if err != nil {
		return slack.HomeTabViewRequest{}, err
	}
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: d.Blocks}}, nil
}

// pages is how far back Find looks: an ambiguous send is minutes old.
const (
	pages    = 5
	pageSize = 100
)

// Find looks up a message of the bot's own by its key. It needs the history
// scope of the kind of conversation; without it the error is a
// [bot.KindForbidden] that names the scope.
func (a *Adapter) Find(ctx context.Context, at bot.Place, key string) (bot.MessageRef, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	api, err := a.client(at.Team)
	if err != nil {
		return bot.MessageRef{}, false, err
	}
	a.meet(ctx, at.Team)
	channel, err := a.conversation(ctx, api, at)
	if err != nil {
		return bot.MessageRef{}, false, err
	}
	cursor := ""
	for range pages {
		var found []slack.Message
		if found, cursor, err = page(ctx, api, channel, at.Thread, cursor); err != nil {
			return bot.MessageRef{}, false, failure(err)
		}
		for _, m := range found {
			if m.Metadata.EventType == metaEvent && m.Metadata.EventPayload["key"] == key && a.ours(at.Team, m) {
				ref := bot.MessageRef{Place: at, ID: m.Timestamp}
				ref.Place.Channel = channel
				ref.Link = a.permalink(ref)
				return ref, true, nil
			}
		}
		if cursor == "" {
			break
		}
	}
	return bot.MessageRef{}, false, nil
}

func page(ctx context.Context, api *slack.Client, channel, thread, cursor string) ([]slack.Message, string, error) {
	if thread != "" {
		found, _, next, err := api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: channel, Timestamp: thread, Cursor: cursor, Limit: pageSize, IncludeAllMetadata: true})
		return found, next, err
	}
	r, err := api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
		ChannelID: channel, Cursor: cursor, Limit: pageSize, IncludeAllMetadata: true})
	if err != nil {
		return nil, "", err
	}
	return r.Messages, r.ResponseMetaData.NextCursor, nil
}

// ours reports whether the bot itself wrote a message: any app can put any
// metadata on a message of its own.
func (a *Adapter) ours(team string, m slack.Message) bool {
	id := a.identity(team)
	switch {
	case id.Bot != "" && m.BotID != "":
		return m.BotID == id.Bot
	case id.User != "" && m.User != "":
		return m.User == id.User
	}
	return true
}

// Members lists the user IDs in a user group. It needs usergroups:read.
func (a *Adapter) Members(ctx context.Context, team, group string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	api, err := a.client(team)
	if err != nil {
		return nil, err
	}
	users, err := api.GetUserGroupMembersContext(ctx, group, slack.GetUserGroupMembersOptionTeamID(team))
	if err != nil {
		return nil, failure(err)
	}
	return users, nil
}
