package teams

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"keyturn/bot"
)

// begin posts the first message of a new thread in a channel and gives its ID.
func (a *Adapter) begin(ctx context.Context, at bot.Place, v schema.Activity) (string, error) {
	raw, err := prune(v)
	if err != nil {
		return "", bad("The message cannot be written as JSON.", err)
	}
	data := element{"channel": element{"id": at.Channel}, "tenant": element{"id": at.Team}}
	body := element{"isGroup": true, "bot": element{"id": a.botID()}, "tenantId": at.Team, "channelData": data, "activity": json.RawMessage(raw)}
	c, err := a.create(ctx, at.Team, at.Channel, body, true)
	if err != nil {
		return "", err
	}
	_, root, _ := strings.Cut(c.ID, threadMark)
	return first(c.ActivityID, root), nil
}

// chat is the personal conversation with somebody. known says that it was
// remembered and not asked for.
func (a *Adapter) chat(ctx context.Context, who bot.Account) (conversation string, known bool, err error) {
	c, _ := recall[contact](a, "person", who.Team, strings.ToLower(who.ID))
	if c.Chat != "" {
		return c.Chat, true, nil
	}
	id := c.ID
	if id == "" {
		id = a.lookUp(ctx, who)
	}
	made, err := a.create(ctx, who.Team, "", element{
		"isGroup": false, "bot": element{"id": a.botID()}, "members": []element{{"id": id}},
		"tenantId": who.Team, "channelData": element{"tenant": element{"id": who.Team}},
	}, false)
	if err != nil {
		return "", false, unreachable(err)
	}
	if made.ID == "" {
		return "", false, &bot.Failure{Kind: bot.KindMalformed, System: system, Says: "Teams opened a chat without naming it."}
	}
	a.learning.Lock()
	defer a.learning.Unlock()
	c, _ = recall[contact](a, "person", who.Team, strings.ToLower(who.ID))
	c.Chat = made.ID
	c.ID = first(c.ID, id)
	remember(a, "person", who.Team, strings.ToLower(who.ID), c)
	remember(a, "conversation", who.Team, made.ID, spot{Service: a.service(who.Team, ""), Kind: kindPersonal})
	return made.ID, false, nil
}

// unreachable says what it means that no chat with a person could be opened.
func unreachable(err error) error {
	var f *bot.Failure
	if !errors.As(err, &f) {
		return err
	}
	switch f.Kind {
	case bot.KindForbidden, bot.KindNotFound, bot.KindBadRequest:
		return &bot.Failure{Kind: bot.KindGone, System: system, Status: f.Status, Code: f.Code, RequestID: f.RequestID, Err: err,
			Says: "Keyturn cannot write to this person yet.", Fix: fixPersonal}
	}
	return err
}

// lookUp asks the rosters of the tenant's teams for Teams' own ID of a person
// who has not written yet. Without one the object ID has to do.
func (a *Adapter) lookUp(ctx context.Context, who bot.Account) string {
	m, ok, _ := a.member(ctx, who)
	if !ok {
		return who.ID
	}
	return m.ID
}

// member is somebody as the rosters of the tenant's teams have them, and false
// where none has. The error is of the last roster that could not be read.
func (a *Adapter) member(ctx context.Context, who bot.Account) (m account, ok bool, err error) {
	all, _ := recall[roster](a, "tenant", who.Team, "")
	for _, team := range all.Teams {
		target, wrong := address(a.service(who.Team, team), "conversations", team, "members", who.ID)
		if wrong != nil {
			return account{}, false, wrong
		}
		answer, failed := a.exchange(ctx, http.MethodGet, target, nil, false)
		if failed != nil {
			if bot.KindOf(failed) != bot.KindNotFound {
				err = failed
			}
			continue
		}
		var m account
		if json.Unmarshal(answer, &m) == nil && m.ID != "" && strings.EqualFold(first(m.AadObjectID, m.ObjectID, who.ID), who.ID) {
			return m, true, nil
		}
	}
	return account{}, false, err
}

// Guest asks the rosters of the tenant's teams whether somebody is a guest of
// the tenant: what a person sends does not say so.
func (a *Adapter) Guest(ctx context.Context, who bot.Account) (bool, error) {
	m, ok, err := a.member(ctx, who)
	switch {
	case ok:
		return m.visits() || m.foreign(strings.ToLower(who.Team)), nil
	case err != nil:
		return false, err
	}
	return false, &bot.Failure{Kind: bot.KindNotFound, System: system, Says: "No team that Keyturn is in has this person.", Fix: "Nothing has to be done; it is asked again tomorrow."}
}

// backTo is the return way of a request from a card: the message that held it.
// It is no capability, only an address; it has no end.
func backTo(ref bot.MessageRef) bot.Secret {
	if !ref.Known() {
		return bot.Secret{}
	}
	return bot.NewSecret(string(encode(ref)))
}

// cameFrom is the message that a return way names.
func cameFrom(back bot.Return, team string) (bot.MessageRef, bool) {
	var ref bot.MessageRef
	if back.URL.IsZero() || json.Unmarshal([]byte(back.URL.Reveal()), &ref) != nil {
		return bot.MessageRef{}, false
	}
	return ref, ref.Known() && strings.EqualFold(ref.Place.Team, team)
}

// Answer says something to one person: in the chat where they asked, else as a
// message in the channel that only they see (where that is switched on), else
// in their chat with the bot, and then a word where they asked says so. Where
// that chat does not exist yet, the word says how to get it, and nothing of the
// answer. inPlace shows the answer to everybody; redraw puts it in place of the
// clicked message.
func (a *Adapter) Answer(ctx context.Context, to bot.Account, at bot.Place, back bot.Return, m bot.Message, redraw, inPlace bool) error {
	if ref, ok := cameFrom(back, first(at.Team, to.Team)); ok && redraw {
		err := a.Edit(ctx, ref, m)
		if bot.KindOf(err) != bot.KindNotFound {
			return err
		}
	}
	if inPlace || at.Direct() && strings.EqualFold(at.User, to.ID) {
		_, err := a.Post(ctx, at, m)
		return err
	}
	if a.targeted && at.Channel != "" {
		err := a.whisper(ctx, at, to, m)
		switch bot.KindOf(err) {
		case bot.KindForbidden, bot.KindNotFound, bot.KindBadRequest, bot.KindGone:
		default:
			return err
		}
	}
	_, err := a.Post(ctx, bot.DM(to), m)
	if err == nil && at.Channel != "" && a.pointed.claims(at.String()+" "+to.ID, a.now()) {
		// The answer is there, so that this may fail without anything being lost.
		if _, lost := a.Post(ctx, at, bot.Say(bot.T(answeredElsewhere))); lost != nil {
			a.log.Warn("nothing in the channel says that the answer is in the chat", "place", at.String(), "error", lost)
		}
	}
	if bot.KindOf(err) != bot.KindGone || at.Channel == "" {
		return err
	}
	_, err = a.Post(ctx, at, bot.Say(bot.Mention(to, "you"), bot.T(", I answer privately, and I cannot write to you yet. "+fixPersonal+" Then ask again.")))
	return err
}

// answeredElsewhere is what stands where somebody asked. It mentions nobody: who
// asked is looking there.
const answeredElsewhere = "I answered you in our chat, where only you see it."

// whisper posts a message that one member of a conversation sees.
// Source: Microsoft, "Targeted messages".
func (a *Adapter) whisper(ctx context.Context, at bot.Place, to bot.Account, m bot.Message) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := a.mayAddress(at.Team); err != nil {
		return err
	}
	d, err := a.draw(a.ready(ctx, m))
	if err != nil {
		return err
	}
	c, _ := recall[contact](a, "person", at.Team, strings.ToLower(to.ID))
	v := message(d, false)
	v.From = schema.ChannelAccount{ID: a.botID()}
	v.Recipient = schema.ChannelAccount{ID: first(c.ID, to.ID)}
	body, err := prune(v)
	if err != nil {
		return bad("The message cannot be written as JSON.", err)
	}
	conversation := a.conversationOf(at)
	return a.elsewhere(at.Team, conversation, func(service string) error {
		target, err := address(service, "conversations", conversation, "activities")
		if err != nil {
			return err
		}
		target.RawQuery = "isTargetedActivity=true"
		_, err = a.exchange(ctx, http.MethodPost, target, body, true)
		return err
	})
}
