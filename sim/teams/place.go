package teams

import (
	"fmt"
	"slices"
	"strings"
)

// threadMark separates a channel from the first message of a thread in it.
const threadMark = ";messageid="

func isChannel(conversation string) bool {
	return strings.HasSuffix(conversation, "@thread.tacv2") || strings.HasSuffix(conversation, "@thread.skype")
}

// place is a conversation that exists.
type place struct {
	id      string // channel or chat
	root    string // of the thread, "" for the channel itself and for chats
	team    *Team
	channel *Channel
	chat    *Chat
}

// full is the ID with the thread.
func (p place) full() string {
	if p.root == "" {
		return p.id
	}
	return p.id + threadMark + p.root
}

func (p place) members() []string {
	if p.team != nil {
		return p.team.Members
	}
	return p.chat.Members
}

func (p place) installed() bool {
	if p.team != nil {
		return p.team.Installed
	}
	return p.chat.Installed
}

func (p place) kind() string {
	switch {
	case p.team != nil:
		return "channel"
	case p.chat.Personal:
		return "personal"
	}
	return "groupChat"
}

func (p place) name() string {
	switch {
	case p.team != nil && p.channel.Name == "":
		return p.team.Name + " > General"
	case p.team != nil:
		return p.team.Name + " > " + p.channel.Name
	case p.chat.Personal:
		return "the chat with the bot"
	}
	return p.chat.Name
}

// find looks a conversation up by its ID, with or without a thread. A thread
// must have its first message. s.mu is held.
func (s *Server) find(conversation string) (place, bool) {
	id, root, threaded := strings.Cut(conversation, threadMark)
	p, ok := s.base(id)
	if !ok || !threaded {
		return p, ok
	}
	p.root = root
	first := s.message(id, root)
	if p.team == nil || first == nil || first.Root != "" || first.To != "" {
		return place{}, false
	}
	return p, true
}

func (s *Server) base(id string) (place, bool) {
	for i := range s.st.Teams {
		t := &s.st.Teams[i]
		for j := range t.Channels {
			if ch := &t.Channels[j]; ch.ID == id && !ch.Deleted && !t.Deleted {
				return place{id: id, team: t, channel: ch}, true
			}
		}
	}
	for i := range s.st.Chats {
		if c := &s.st.Chats[i]; c.ID == id {
			return place{id: id, chat: c}, true
		}
	}
	return place{}, false
}

func (s *Server) message(conversation, id string) *Message {
	for i := range s.st.Messages {
		if m := &s.st.Messages[i]; m.ID == id && m.Conversation == conversation {
			return m
		}
	}
	return nil
}

func (s *Server) user(id string) *User {
	for i := range s.st.Users {
		if s.st.Users[i].ID == id {
			return &s.st.Users[i]
		}
	}
	return nil
}

// known finds a person by Teams ID, object ID or user principal name.
func (s *Server) known(name string) *User {
	for i := range s.st.Users {
		u := &s.st.Users[i]
		if u.TeamsID == name || strings.EqualFold(u.ID, name) || u.UPN != "" && strings.EqualFold(u.UPN, name) {
			return u
		}
	}
	return nil
}

// person returns somebody who can use the client.
func (s *Server) person(id string) (*User, error) {
	if u := s.user(id); u != nil {
		return u, nil
	}
	return nil, fmt.Errorf("there is no user %q", id)
}

// inside returns a person and a conversation that they are a member of.
func (s *Server) inside(user, conversation string) (*User, place, error) {
	u, err := s.person(user)
	if err != nil {
		return nil, place{}, err
	}
	p, ok := s.find(conversation)
	if !ok {
		return nil, place{}, fmt.Errorf("there is no conversation %q", conversation)
	}
	if !slices.Contains(p.members(), user) {
		return nil, place{}, fmt.Errorf("%s is not a member of %s", u.Name, p.name())
	}
	return u, p, nil
}

// personal returns the chat of a person with the bot, and makes it where there
// is none yet.
func (s *Server) personal(u *User) (chat *Chat, fresh bool) {
	id := s.PersonalID(u.ID)
	for i := range s.st.Chats {
		if s.st.Chats[i].ID == id {
			return &s.st.Chats[i], false
		}
	}
	s.st.Chats = append(s.st.Chats, Chat{ID: id, Personal: true, Members: []string{u.ID}})
	return &s.st.Chats[len(s.st.Chats)-1], true
}

// PersonalID returns the conversation ID of a person's chat with the bot,
// whether or not it exists yet.
func (s *Server) PersonalID(user string) string {
	return "a:1" + longID(94, "chat", s.cfg.BotAppID, user)
}

// TeamsID returns the 29:… name of a person towards this bot, "" of nobody.
func (s *Server) TeamsID(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.user(user); u != nil {
		return u.TeamsID
	}
	return ""
}

func (s *Server) botID() string { return "28:" + s.cfg.BotAppID }
