package teams

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	turn "github.com/infracloudio/msbotbuilder-go/core/activity"
	"github.com/infracloudio/msbotbuilder-go/schema"

	"keyturn/bot"
)

// cardType is the content type of an Adaptive Card.
const cardType = "application/vnd.microsoft.card.adaptive"

// Post sends a new message. In a channel without a thread it begins one; in a
// chat, which has no threads, a reply is a message like any other. The
// reference holds the conversation where it landed, also for a direct message.
// Teams has no look-up: after a [bot.KindAmbiguous] a repeat may be a second
// message.
func (a *Adapter) Post(ctx context.Context, at bot.Place, m bot.Message) (bot.MessageRef, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	d, err := a.draw(a.ready(ctx, m))
	if err != nil {
		return bot.MessageRef{}, err
	}
	ref, err := a.post(ctx, at, d, m.Aloud)
	if err == nil {
		a.learnNames(ctx, bot.Say(bot.In(at)))
	}
	return ref, err
}

func (a *Adapter) post(ctx context.Context, at bot.Place, d drawing, aloud bool) (bot.MessageRef, error) {
	if err := a.mayAddress(at.Team); err != nil {
		return bot.MessageRef{}, err
	}
	v := message(d, aloud)
	if at.Direct() {
		return a.postDirect(ctx, at, v, d.card)
	}
	if at.Channel == "" {
		return bot.MessageRef{}, bad("The place names neither a channel nor a person.", nil)
	}
	ref := bot.MessageRef{Place: at}
	var err error
	if a.threaded(at.Team, at.Channel) && at.Thread == "" {
		ref.ID, err = a.begin(ctx, at, v)
	} else {
		ref.ID, err = a.say(ctx, at.Team, a.conversationOf(at), v)
	}
	if err != nil {
		return bot.MessageRef{}, goneFrom(at, err)
	}
	if ref.ID == "" {
		return bot.MessageRef{}, unnamed()
	}
	ref.Link = a.permalink(ref)
	a.keepCard(at.Team, at.Channel, ref.ID, d.card)
	return ref, nil
}

func (a *Adapter) postDirect(ctx context.Context, at bot.Place, v schema.Activity, card element) (bot.MessageRef, error) {
	who := bot.Account{Platform: bot.Teams, Team: at.Team, ID: at.User}
	for first := true; ; first = false {
		chat, known, err := a.chat(ctx, who)
		if err != nil {
			return bot.MessageRef{}, err
		}
		id, err := a.say(ctx, at.Team, chat, v)
		if known && first && codeOf(err) == "ConversationNotFound" {
			a.forgetChat(who)
			continue
		}
		if err != nil {
			return bot.MessageRef{}, err
		}
		if id == "" {
			return bot.MessageRef{}, unnamed()
		}
		ref := bot.MessageRef{Place: at, ID: id}
		ref.Place.Channel = chat
		a.keepCard(at.Team, chat, id, card)
		return ref, nil
	}
}

// goneFrom turns a root that has no channel any more into a place that is gone:
// what is posted there needs another one.
func goneFrom(at bot.Place, err error) error {
	if codeOf(err) != "ConversationNotFound" || at.Thread != "" {
		return err
	}
	return &bot.Failure{Kind: bot.KindGone, System: system, Status: http.StatusNotFound, Code: "ConversationNotFound",
		Says: "The channel does not exist any more, or Keyturn is not in its team.", Fix: fixNew, Err: err}
}

func unnamed() *bot.Failure {
	return &bot.Failure{Kind: bot.KindAmbiguous, System: system, Says: "Teams took the message and did not say which one it is."}
}

// message is the activity that carries a card. There is one part an activity:
// Teams would show more as several messages.
func message(d drawing, aloud bool) schema.Activity {
	v := schema.Activity{Type: schema.Message, Summary: d.summary, ChannelID: channel,
		Attachments: []schema.Attachment{{ContentType: cardType, Content: d.card}}}
	if aloud {
		v.ChannelData = map[string]any{"notification": map[string]any{"alert": true}}
	}
	return v
}

// threaded reports whether a conversation has threads: a channel has, a chat
// has none.
func (a *Adapter) threaded(tenant, conversation string) bool {
	if s, ok := recall[spot](a, "conversation", tenant, conversation); ok && s.Kind != "" {
		return s.Kind == kindChannel
	}
	return kindOf(conversation) == kindChannel
}

// conversationOf is the conversation of a place, with its thread.
func (a *Adapter) conversationOf(at bot.Place) string {
	if at.Thread != "" && a.threaded(at.Team, at.Channel) {
		return at.Channel + threadMark + at.Thread
	}
	return at.Channel
}

// service is the Bot Connector's address for a conversation: what its last
// activity said, else what the tenant's last one said, else the cloud's.
func (a *Adapter) service(tenant, conversation string) string {
	id, _, _ := strings.Cut(conversation, threadMark)
	if s, ok := recall[spot](a, "conversation", tenant, id); ok && a.hosts.allow(s.Service) {
		return s.Service
	}
	if t, ok := recall[roster](a, "tenant", tenant, ""); ok && a.hosts.allow(t.Service) {
		return t.Service
	}
	return a.cloud.Service
}

// elsewhere makes a call at a conversation's address, and once more where the
// answer is that it lives in the government cloud.
func (a *Adapter) elsewhere(tenant, conversation string, call func(service string) error) error {
	service := a.service(tenant, conversation)
	err := call(service)
	if codeOf(err) != "InvalidBotApiHost" || service == gccService || !a.hosts.allow(gccService) {
		return err
	}
	if err = call(gccService); err == nil {
		id, _, _ := strings.Cut(conversation, threadMark)
		if id == "" {
			return nil
		}
		a.learning.Lock()
		defer a.learning.Unlock()
		s, _ := recall[spot](a, "conversation", tenant, id)
		s.Service = gccService
		remember(a, "conversation", tenant, id, s)
	}
	return err
}

// say sends an activity to a conversation through the library's adapter.
func (a *Adapter) say(ctx context.Context, tenant, conversation string, v schema.Activity) (id string, err error) {
	err = a.elsewhere(tenant, conversation, func(service string) error {
		target, err := address(service, "conversations", conversation, "activities")
		if err != nil {
			return err
		}
		op := &operation{a: a, target: target}
		shell := a.shell
		shell.Client = op
		v := v
		v.ServiceURL = service
		v.Conversation = schema.ConversationAccount{ID: conversation}
		v.From = schema.ChannelAccount{ID: a.botID()}
		ref := schema.ConversationReference{ServiceURL: service, ChannelID: channel, Conversation: v.Conversation}
		err = shell.ProactiveMessage(ctx, ref, turn.HandlerFuncs{
			OnMessageFunc: func(*turn.TurnContext) (schema.Activity, error) { return v, nil }})
		id = op.id
		return bare(err)
	})
	return id, err
}

// Edit replaces a message that the bot posted. [bot.KindNotFound] means that it
// is gone and a new one is needed.
func (a *Adapter) Edit(ctx context.Context, ref bot.MessageRef, m bot.Message) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := a.mayAddress(ref.Place.Team); err != nil {
		return err
	}
	if !ref.Known() {
		return &bot.Failure{Kind: bot.KindNotFound, System: system, Says: "There is no message to edit."}
	}
	d, err := a.draw(a.ready(ctx, m))
	if err != nil {
		return err
	}
	at := ref.Place
	if at.Channel == "" {
		who := bot.Account{Platform: bot.Teams, Team: at.Team, ID: at.User}
		if at.Channel, _, err = a.chat(ctx, who); err != nil {
			return err
		}
	}
	conversation := a.conversationOf(at)
	err = a.elsewhere(at.Team, conversation, func(service string) error {
		target, err := address(service, "conversations", conversation, "activities", ref.ID)
		if err != nil {
			return err
		}
		shell := a.shell
		shell.Client = &operation{a: a, target: target}
		v := message(d, false)
		v.ID, v.ServiceURL = ref.ID, service
		v.Conversation = schema.ConversationAccount{ID: conversation}
		v.From = schema.ChannelAccount{ID: a.botID()}
		return bare(shell.UpdateActivity(ctx, v))
	})
	if err != nil {
		return err
	}
	a.keepCard(at.Team, at.Channel, ref.ID, d.card)
	return nil
}

// Home does nothing: Teams has no page of the bot's own. What it would say is
// the answer to "mine" in the personal chat.
func (a *Adapter) Home(context.Context, bot.Account, bot.Message) error { return nil }

func (a *Adapter) mayAddress(tenant string) error {
	if a.serves(tenant) {
		return nil
	}
	return &bot.Failure{Kind: bot.KindUninstalled, System: system,
		Says: "Keyturn does not serve the Teams tenant " + bot.Quote(tenant) + ".", Fix: "An operator adds it to the configuration."}
}

// permalink opens a channel message in Teams.
// Source: Microsoft, "Deep links to channels and messages".
func (a *Adapter) permalink(ref bot.MessageRef) string {
	if !a.threaded(ref.Place.Team, ref.Place.Channel) {
		return ""
	}
	q := url.Values{"tenantId": {ref.Place.Team}, "parentMessageId": {first(ref.Place.Thread, ref.ID)}}
	return "https://teams.microsoft.com/l/message/" + url.PathEscape(ref.Place.Channel) + "/" + url.PathEscape(ref.ID) + "?" + q.Encode()
}

// bare takes off what the library wraps around a failure.
func bare(err error) error {
	var f *bot.Failure
	if errors.As(err, &f) {
		return f
	}
	return err
}

// created is the answer to making a conversation.
type created struct {
	ID         string `json:"id"`
	ActivityID string `json:"activityId"`
}

// create makes a conversation, or finds the one that there is.
func (a *Adapter) create(ctx context.Context, tenant, near string, body any, effect bool) (c created, err error) {
	err = a.elsewhere(tenant, near, func(service string) error {
		target, err := address(service, "conversations")
		if err != nil {
			return err
		}
		answer, err := a.exchange(ctx, http.MethodPost, target, encode(body), effect)
		if err != nil {
			return err
		}
		if json.Unmarshal(answer, &c) != nil {
			return lost(nil, effect)
		}
		return nil
	})
	return c, err
}
