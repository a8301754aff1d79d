package teams

import (
	"net/http"
	"slices"
)

// sendActivity is "Send to Conversation" and "Reply to Activity".
func (s *Server) sendActivity(c call) (result, *refusal) {
	p, no := s.reachToWrite(c)
	if no != nil {
		return result{}, no
	}
	replyTo := c.path("activity")
	if replyTo != "" {
		m := s.message(p.id, replyTo)
		if m == nil || m.Deleted || m.To != "" {
			return result{}, refuse("ActivityNotFoundInConversation")
		}
		if p.team != nil && p.root == "" {
			p.root = m.ID
			if m.Root != "" {
				p.root = m.Root
			}
		}
	}
	how := sending
	if c.targeted() {
		how = sendingToOne
	}
	parts, no := s.readActivity(p, c.body, how)
	switch {
	case no != nil:
		return result{}, no
	case len(parts) == 0:
		return result{http.StatusAccepted, map[string]any{}, "typing in " + p.name()}, nil
	}
	var posted *Message
	for _, part := range parts {
		part.replyTo = replyTo
		posted = s.post(p, p.root, part)
	}
	note := "message in " + p.name()
	if posted.To != "" {
		note += " for " + s.user(posted.To).Name + " alone"
	}
	if len(parts) > 1 {
		s.violate(posted.Thread(), posted.ID, "a text and an attachment, or several attachments, in one activity became %d messages, and the bot knows the ID of none", len(parts))
		return result{http.StatusAccepted, map[string]any{}, note + ", in parts"}, nil
	}
	return result{http.StatusCreated, map[string]any{"id": posted.ID}, note}, nil
}

// post adds a message of the bot. s.mu is held.
func (s *Server) post(p place, root string, part part) *Message {
	s.st.Messages = append(s.st.Messages, Message{ID: s.nextMessageID(), Conversation: p.id, Root: root, From: s.cfg.BotAppID, Bot: true,
		At: s.cfg.Now(), Text: part.text, Activity: part.raw, ReplyTo: part.replyTo, To: part.to})
	m := &s.st.Messages[len(s.st.Messages)-1]
	for _, what := range part.faults {
		s.violate(m.Thread(), m.ID, "%s", what)
	}
	s.notify(p, m, part)
	return m
}

// own finds a message that the bot may change: its own, there, and with the
// flag if it is for one person.
func (s *Server) own(c call, p place) (*Message, *refusal) {
	m := s.message(p.id, c.path("activity"))
	switch {
	case m == nil || m.Deleted, p.root != "" && m.ID != p.root && m.Root != p.root:
		return nil, refuse("ActivityNotFoundInConversation")
	case (m.To != "") != c.targeted(), m.To != "" && s.expired(m):
		return nil, refuse("ActivityNotFoundInConversation")
	case !m.Bot:
		no := refuse("NotEnoughPermissions")
		no.message = "A bot may change its own messages only."
		return nil, no
	}
	return m, nil
}

func (s *Server) expired(m *Message) bool { return s.cfg.Now().Sub(m.At) >= targetLives }

// updateActivity is "Update Activity".
func (s *Server) updateActivity(c call) (result, *refusal) {
	p, no := s.reachToWrite(c)
	if no != nil {
		return result{}, no
	}
	m, no := s.own(c, p)
	if no != nil {
		return result{}, no
	}
	how := updating
	if c.targeted() {
		how = updatingToOne
	}
	parts, no := s.readActivity(p, c.body, how)
	switch {
	case no != nil:
		return result{}, no
	case len(parts) != 1:
		return result{}, bad("An update holds exactly one part: a text or one attachment.")
	}
	m.Text, m.Activity = parts[0].text, parts[0].raw
	m.Views, m.Refreshed = nil, nil
	m.Revisions++
	m.Changed = s.cfg.Now()
	for _, what := range parts[0].faults {
		s.violate(m.Thread(), m.ID, "%s", what)
	}
	return result{http.StatusOK, map[string]any{"id": m.ID}, "changed a message in " + p.name()}, nil
}

// deleteActivity is "Delete Activity".
func (s *Server) deleteActivity(c call) (result, *refusal) {
	p, no := s.reachToWrite(c)
	if no != nil {
		return result{}, no
	}
	m, no := s.own(c, p)
	if no != nil {
		return result{}, no
	}
	m.Deleted, m.Changed = true, s.cfg.Now()
	return result{http.StatusOK, nil, "deleted a message in " + p.name()}, nil
}

func (s *Server) addReaction(c call) (result, *refusal)    { return s.react(c, true) }
func (s *Server) removeReaction(c call) (result, *refusal) { return s.react(c, false) }

// react is the bot's own reaction to a message.
func (s *Server) react(c call, add bool) (result, *refusal) {
	p, no := s.reachToWrite(c)
	if no != nil {
		return result{}, no
	}
	m := s.message(p.id, c.path("activity"))
	if m == nil || m.Deleted || m.To != "" {
		return result{}, refuse("ActivityNotFoundInConversation")
	}
	m.setReaction(Reaction{User: s.cfg.BotAppID, Type: c.path("type")}, add)
	return result{http.StatusOK, nil, "reaction in " + p.name()}, nil
}

// setReaction reports whether anything changed.
func (m *Message) setReaction(r Reaction, add bool) bool {
	before := len(m.Reactions)
	m.Reactions = slices.DeleteFunc(slices.Clone(m.Reactions), func(o Reaction) bool { return o == r })
	if !add {
		return len(m.Reactions) != before
	}
	m.Reactions = append(m.Reactions, r)
	return len(m.Reactions) != before
}

// visible says whether a person's client shows a message.
func (s *Server) visible(m *Message, user string) bool {
	return m != nil && !m.Deleted && (m.To == "" || m.To == user && s.cfg.Now().Sub(m.At) < targetLives)
}

// Seen returns the messages of a conversation, a thread or all of them, that a
// person's client shows, oldest first.
func (s *Server) Seen(user, conversation string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var seen []Message
	for i := range s.st.Messages {
		m := &s.st.Messages[i]
		p, ok := s.base(m.Conversation)
		if !ok || !slices.Contains(p.members(), user) || !s.visible(m, user) {
			continue
		}
		if conversation == "" || conversation == m.Conversation || conversation == m.Thread() {
			seen = append(seen, *m)
		}
	}
	c := State{Messages: seen}
	return c.clone().Messages
}
