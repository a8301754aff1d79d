package slack

import (
	"fmt"
	"slices"
)

// OpenHome opens the bot's Home tab.
func (s *Server) OpenHome(user string) (Outcome, error) {
	s.mu.Lock()
	if _, err := s.person(user); err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	ev := map[string]any{"type": "app_home_opened", "user": user, "channel": s.direct(user).ID, "tab": "home"}
	if home, ok := s.st.Homes[user]; ok {
		ev["view"] = s.viewJSON(home, surfaceHome)
	}
	s.touch()
	s.mu.Unlock()
	return s.emit("app_home_opened", ev), nil
}

// DirectID returns the ID of the direct message between the bot and a person.
func (s *Server) DirectID(user string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.person(user); err != nil {
		return "", err
	}
	before := len(s.st.Channels)
	id := s.direct(user).ID
	if len(s.st.Channels) != before {
		s.touch()
	}
	return id, nil
}

// Reload restarts a person's client, which forgets the ephemerals it showed.
func (s *Server) Reload(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.Ephemerals = slices.DeleteFunc(s.st.Ephemerals, func(e Ephemeral) bool { return e.To == user })
	s.drop(func(v View) bool { return v.User != user })
	s.touch()
}

// Uninstall removes the app: its token is dead from now on, and the bot gets
// tokens_revoked and app_uninstalled.
func (s *Server) Uninstall() Outcome {
	s.mu.Lock()
	s.st.Uninstalled = true
	s.touch()
	s.mu.Unlock()
	return s.announce("apps.uninstall")
}

// announce sends the events that follow from the app's own end.
func (s *Server) announce(method string) Outcome {
	if method != "apps.uninstall" && method != "auth.revoke" {
		return Outcome{}
	}
	out := s.emit("tokens_revoked", map[string]any{"type": "tokens_revoked",
		"tokens": map[string]any{"oauth": []string{}, "bot": []string{s.cfg.BotUserID}}})
	if method == "auth.revoke" || !out.OK() {
		return out
	}
	return s.emit("app_uninstalled", map[string]any{"type": "app_uninstalled"})
}

// Reinstall puts the app back with the same token and scopes.
func (s *Server) Reinstall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.Uninstalled, s.st.Revoked = false, false
	s.touch()
}

// change does something to a channel and tells the bot if it is a member. The
// event is named after a public or a private channel.
func (s *Server) change(id, event string, with func(ch *Channel) map[string]any) (Outcome, error) {
	s.mu.Lock()
	ch := s.channel(id)
	if ch == nil || ch.Kind == Direct {
		s.mu.Unlock()
		return Outcome{}, fmt.Errorf("there is no channel %q", id)
	}
	prefix := "channel"
	if ch.Kind == Private {
		prefix = "group"
	}
	member := slices.Contains(ch.Members, s.cfg.BotUserID)
	ev := with(ch)
	kind := prefix + event
	ev["type"] = kind
	if ev["channel"] == nil {
		ev["channel"] = id
	}
	s.touch()
	s.mu.Unlock()
	if !member {
		return Outcome{Unsent: "the bot is not in the channel"}, nil
	}
	return s.emit(kind, ev), nil
}

func (s *Server) someone() string {
	for _, u := range s.st.Users {
		if !u.Bot && !u.Deleted && !u.Guest && !u.Stranger {
			return u.ID
		}
	}
	return ""
}

// Archive archives a channel.
func (s *Server) Archive(channel string) (Outcome, error) {
	return s.change(channel, "_archive", func(ch *Channel) map[string]any {
		ch.Archived = true
		return map[string]any{"user": s.someone()}
	})
}

// Unarchive opens an archived channel again.
func (s *Server) Unarchive(channel string) (Outcome, error) {
	return s.change(channel, "_unarchive", func(ch *Channel) map[string]any {
		ch.Archived = false
		return map[string]any{"user": s.someone()}
	})
}

// DeleteChannel deletes a channel for good.
func (s *Server) DeleteChannel(channel string) (Outcome, error) {
	return s.change(channel, "_deleted", func(ch *Channel) map[string]any {
		ch.Deleted = true
		return map[string]any{}
	})
}

// Rename gives a channel another name.
func (s *Server) Rename(channel, name string) (Outcome, error) {
	return s.change(channel, "_rename", func(ch *Channel) map[string]any {
		ch.Name = name
		return map[string]any{"channel": map[string]any{"id": ch.ID, "name": name, "created": ch.Created}}
	})
}

// RemoveBot takes the bot out of a channel; it hears channel_left (group_left
// of a private one).
func (s *Server) RemoveBot(channel string) (Outcome, error) {
	return s.change(channel, "_left", func(ch *Channel) map[string]any {
		ch.Members = slices.DeleteFunc(ch.Members, func(m string) bool { return m == s.cfg.BotUserID })
		return map[string]any{"actor_id": s.someone()}
	})
}

// InviteBot puts the bot into a channel.
func (s *Server) InviteBot(channel, by string) (Outcome, error) {
	return s.Join(s.cfg.BotUserID, channel, by)
}

// Join adds a member to a channel; by may be empty where nobody invited them.
func (s *Server) Join(user, channel, by string) (Outcome, error) {
	s.mu.Lock()
	ch, u := s.channel(channel), s.user(user)
	if ch == nil || u == nil || ch.Kind == Direct {
		s.mu.Unlock()
		return Outcome{}, fmt.Errorf("there is no channel %q or no user %q", channel, user)
	}
	if slices.Contains(ch.Members, user) {
		s.mu.Unlock()
		return Outcome{Unsent: "already a member"}, nil
	}
	ch.Members = append(ch.Members, user)
	s.post(Message{Channel: channel, User: user, Subtype: "channel_join", Text: "<@" + user + "> has joined the channel"})
	inside := slices.Contains(ch.Members, s.cfg.BotUserID)
	ev := map[string]any{"type": "member_joined_channel", "user": user, "channel": channel, "channel_type": channelLetter(ch), "team": s.cfg.TeamID}
	if by != "" {
		ev["inviter"] = by
	}
	s.touch()
	s.mu.Unlock()
	if !inside {
		return Outcome{Unsent: "the bot is not in the channel"}, nil
	}
	return s.emit("member_joined_channel", ev), nil
}

// Leave takes a person out of a channel.
func (s *Server) Leave(user, channel string) (Outcome, error) {
	s.mu.Lock()
	ch := s.channel(channel)
	if ch == nil || !slices.Contains(ch.Members, user) {
		s.mu.Unlock()
		return Outcome{}, fmt.Errorf("%s is not in %q", user, channel)
	}
	ch.Members = slices.DeleteFunc(ch.Members, func(m string) bool { return m == user })
	inside := slices.Contains(ch.Members, s.cfg.BotUserID)
	ev := map[string]any{"type": "member_left_channel", "user": user, "channel": channel, "channel_type": channelLetter(ch), "team": s.cfg.TeamID}
	s.touch()
	s.mu.Unlock()
	if !inside {
		return Outcome{Unsent: "the bot is not in the channel"}, nil
	}
	return s.emit("member_left_channel", ev), nil
}

func channelLetter(ch *Channel) string {
	if ch.Kind == Private {
		return "G"
	}
	return "C"
}

// DeleteMessage deletes a message as an admin of the workspace would.
func (s *Server) DeleteMessage(channel, ts string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.message(channel, ts)
	if m == nil {
		return fmt.Errorf("there is no message %s in %s", ts, channel)
	}
	m.Deleted = true
	s.touch()
	return nil
}

// SetGroup replaces the members of a user group.
func (s *Server) SetGroup(id string, users []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.st.Groups, func(g Group) bool { return g.ID == id })
	if i < 0 {
		return fmt.Errorf("there is no user group %q", id)
	}
	s.st.Groups[i].Users = slices.Clone(users)
	s.touch()
	return nil
}

// Deactivate closes a person's account: they leave every channel and group.
func (s *Server) Deactivate(user string) (Outcome, error) {
	s.mu.Lock()
	u, err := s.person(user)
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	u.Deleted = true
	for i := range s.st.Channels {
		if ch := &s.st.Channels[i]; ch.Kind != Direct {
			ch.Members = slices.DeleteFunc(ch.Members, func(m string) bool { return m == user })
		}
	}
	for i := range s.st.Groups {
		g := &s.st.Groups[i]
		g.Users = slices.DeleteFunc(slices.Clone(g.Users), func(m string) bool { return m == user })
	}
	ev := map[string]any{"type": "user_change", "user": s.userJSON(*u)}
	s.touch()
	s.mu.Unlock()
	return s.emit("user_change", ev), nil
}
