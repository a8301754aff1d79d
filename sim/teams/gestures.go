package teams

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Edit changes a person's own message. The bot hears of it where it would have
// heard the message.
func (s *Server) Edit(user, conversation, activity, text string) (Outcome, error) {
	return s.revise(user, conversation, activity, "messageUpdate", "editMessage", func(m *Message, u *User, p place) (map[string]any, bool) {
		wire, rich, entities, named := s.encode(text)
		m.Text = wire
		a := s.messageActivity(m, u, p, wire, rich, entities)
		return a, named
	})
}

// Withdraw deletes a person's own message. The bot hears of it where it heard
// the message.
func (s *Server) Withdraw(user, conversation, activity string) (Outcome, error) {
	return s.revise(user, conversation, activity, "messageDelete", "softDeleteMessage", func(m *Message, u *User, p place) (map[string]any, bool) {
		var was struct {
			Entities json.RawMessage `json:"entities"`
		}
		_ = json.Unmarshal(m.Activity, &was) // the simulator's own
		named := slices.ContainsFunc(mentions(was.Entities), func(x mention) bool { return x.Mentioned.ID == s.botID() })
		m.Deleted = true
		return s.activity("messageDelete", m.ID, u, p), named
	})
}

func (s *Server) revise(user, conversation, activity, kind, event string, change func(*Message, *User, place) (map[string]any, bool)) (Outcome, error) {
	s.mu.Lock()
	u, p, msg, err := s.shown(user, conversation, activity)
	if err == nil && msg.From != user {
		err = fmt.Errorf("%s did not write message %s", u.Name, activity)
	}
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	msg.Revisions++
	msg.Changed = s.cfg.Now()
	a, named := change(msg, u, p)
	a["type"] = kind
	data, _ := a["channelData"].(map[string]any)
	data["eventType"] = event
	heard := named || p.kind() == "personal" || s.cfg.ReadsAll
	s.touch()
	s.mu.Unlock()
	if !heard {
		return Outcome{Unsent: "the message does not name the bot", Activity: activity, Conversation: p.full()}, nil
	}
	return s.sendActivityTo(a, p)
}

// React puts an emoji on a message or, with add false, takes it away. The bot
// hears of those on its own messages.
func (s *Server) React(user, conversation, activity, kind string, add bool) (Outcome, error) {
	s.mu.Lock()
	u, p, msg, err := s.shown(user, conversation, activity)
	if err == nil && msg.To != "" {
		err = errors.New("a message that only one person sees takes no reactions")
	}
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	changed := msg.setReaction(Reaction{User: user, Type: kind}, add)
	a := s.activity("messageReaction", "f:"+s.nextGUID(), u, p)
	a["replyToId"] = activity
	which := map[bool]string{true: "reactionsAdded", false: "reactionsRemoved"}[add]
	a[which] = []any{map[string]any{"type": kind}}
	bot := msg.Bot
	s.touch()
	s.mu.Unlock()
	if !bot || !changed {
		return Outcome{Unsent: "nothing that the bot hears of", Activity: activity, Conversation: p.full()}, nil
	}
	return s.sendActivityTo(a, p)
}

// Look scrolls a card into view. A card that refreshes itself for this person
// does so, at most once a minute ("Up to date cards").
func (s *Server) Look(user, conversation, activity string) (Outcome, error) {
	s.mu.Lock()
	u, p, msg, err := s.shown(user, conversation, activity)
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	action, wants := refreshFor(u, p, msg)
	now := s.cfg.Now()
	if last, was := msg.Refreshed[user]; was && now.Sub(last) < refreshPause {
		wants = false
	}
	if !wants {
		s.mu.Unlock()
		return Outcome{Unsent: "the card does not refresh itself now", Activity: activity, Conversation: p.full()}, nil
	}
	if msg.Refreshed == nil {
		msg.Refreshed = map[string]time.Time{}
	}
	msg.Refreshed[user] = now
	key := *msg
	a := s.invoke("adaptiveCard/action", u, p, msg.ID)
	a["value"] = map[string]any{"action": action, "trigger": "automatic"}
	s.touch()
	s.mu.Unlock()
	out, err := s.sendActivityTo(a, p)
	if err != nil {
		return out, err
	}
	why := failed(&out)
	out.Shown = "" // a refresh that fails leaves the card as it is
	if why == "" {
		why = s.takeActionAnswer(user, key, &out)
	}
	s.finish(user, "a refresh", why, &out)
	return out, nil
}

// refreshFor returns the action that a card refreshes itself with for a person.
func refreshFor(u *User, p place, msg *Message) (any, bool) {
	for _, raw := range msg.CardsFor(u.ID) {
		var card struct {
			Refresh *struct {
				Action  map[string]any `json:"action"`
				UserIDs []string       `json:"userIds"`
			} `json:"refresh"`
		}
		if json.Unmarshal(raw, &card) != nil || card.Refresh == nil || card.Refresh.Action == nil {
			continue
		}
		ids := card.Refresh.UserIDs
		if len(ids) == 0 && len(p.members()) <= refreshCrowd {
			return card.Refresh.Action, true
		}
		if slices.Contains(ids[:min(len(ids), refreshCrowd)], u.TeamsID) {
			return card.Refresh.Action, true
		}
	}
	return nil, false
}
