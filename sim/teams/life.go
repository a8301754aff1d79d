package teams

import (
	"fmt"
	"slices"
	"strings"
)

// Install adds the bot: to a team (where is the team, or the channel that is
// selected for its first words), to a group chat, or with "" to the person's own
// scope. The bot hears installationUpdate and conversationUpdate.
func (s *Server) Install(user, where string) (Outcome, error) {
	s.mu.Lock()
	u, p, err := s.scope(user, where, true)
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	if p.installed() {
		s.mu.Unlock()
		return Outcome{Unsent: "the bot is there already", Conversation: p.id}, nil
	}
	s.setInstalled(p, true)
	first, second := s.installation(u, p, "add"), s.arrival(u, p, "membersAdded", "teamMemberAdded", map[string]any{"id": s.botID()})
	if p.team != nil {
		data, _ := second["channelData"].(map[string]any)
		data["settings"] = selected(p)
	}
	s.touch()
	s.mu.Unlock()
	return s.sendBoth(p, first, second)
}

// Uninstall removes the bot; where is as for Install. From a person's own scope
// the bot hears installationUpdate alone.
func (s *Server) Uninstall(user, where string) (Outcome, error) {
	s.mu.Lock()
	u, p, err := s.scope(user, where, false)
	if err == nil && !p.installed() {
		err = fmt.Errorf("the bot is not installed in %s", p.name())
	}
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	s.setInstalled(p, false)
	all := []map[string]any{s.installation(u, p, "remove")}
	if p.kind() != "personal" {
		all = append(all, s.arrival(u, p, "membersRemoved", "teamMemberRemoved", map[string]any{"id": s.botID()}))
	}
	s.touch()
	s.mu.Unlock()
	return s.sendBoth(p, all...)
}

// Upgrade gives a conversation a newer version of the app: the bot hears
// installationUpdate with add-upgrade.
func (s *Server) Upgrade(user, where string) (Outcome, error) {
	s.mu.Lock()
	u, p, err := s.scope(user, where, false)
	if err == nil && !p.installed() {
		err = fmt.Errorf("the bot is not installed in %s", p.name())
	}
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	a := s.installation(u, p, "add-upgrade")
	s.mu.Unlock()
	return s.sendBoth(p, a)
}

// Block makes a person's chat refuse the bot, or with block false take it again.
// The bot is not told.
func (s *Server) Block(user string, block bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.person(user)
	if err != nil {
		return err
	}
	chat, _ := s.personal(u)
	chat.Blocked = block
	s.touch()
	return nil
}

// scope finds where an installation is about.
func (s *Server) scope(user, where string, fresh bool) (*User, place, error) {
	u, err := s.person(user)
	if err != nil {
		return nil, place{}, err
	}
	if where == "" {
		where = s.PersonalID(user)
		if fresh {
			s.personal(u)
		}
	}
	return s.inside(user, where)
}

// setInstalled changes the team or the chat behind p. s.mu is held.
func (s *Server) setInstalled(p place, in bool) {
	if p.team != nil {
		p.team.Installed = in
		return
	}
	p.chat.Installed = in
}

func selected(p place) map[string]any {
	return map[string]any{"selectedChannel": map[string]any{"id": p.channel.ID}}
}

func (s *Server) installation(u *User, p place, action string) map[string]any {
	a := s.system("installationUpdate", u, p)
	a["action"], a["locale"] = action, u.Locale
	a["entities"] = []any{map[string]any{"type": "clientInfo", "locale": u.Locale}}
	data, _ := a["channelData"].(map[string]any)
	data["source"] = map[string]any{"name": "message"}
	if p.team != nil {
		data["channel"], data["settings"] = map[string]any{"id": p.channel.ID}, selected(p)
	}
	return a
}

// arrival is a conversationUpdate about members. In chats it has no eventType.
func (s *Server) arrival(u *User, p place, property, event string, member map[string]any) map[string]any {
	a := s.system("conversationUpdate", u, p)
	a[property] = []any{member}
	if p.team != nil {
		data, _ := a["channelData"].(map[string]any)
		data["eventType"] = event
	}
	return a
}

// sendBoth delivers activities one after another. The outcome is that of the
// first that failed, or of the last.
func (s *Server) sendBoth(p place, all ...map[string]any) (Outcome, error) {
	var out Outcome
	for _, a := range all {
		o, err := s.sendActivityTo(a, p)
		if err != nil {
			return o, err
		}
		if out.Reason == "" {
			out = o
		}
		if o.Reason != "" {
			kind, _ := a["type"].(string)
			s.trouble("", "", kind+" is lost: "+o.Reason+" "+cut(o.Body))
		}
	}
	return out, nil
}

// AddMember adds a person to a team or a group chat.
func (s *Server) AddMember(user, where, by string) (Outcome, error) {
	return s.changeMembers(user, where, by, true)
}

// RemoveMember takes a person out of a team or a group chat.
func (s *Server) RemoveMember(user, where, by string) (Outcome, error) {
	return s.changeMembers(user, where, by, false)
}

func (s *Server) changeMembers(user, where, by string, add bool) (Outcome, error) {
	s.mu.Lock()
	u, err := s.person(user)
	if err == nil && by != "" {
		_, err = s.person(by)
	}
	p, ok := s.base(where)
	if err == nil && (!ok || p.kind() == "personal") {
		err = fmt.Errorf("there is no team or group chat %q", where)
	}
	if err == nil && slices.Contains(p.members(), user) == add {
		err = fmt.Errorf("%s: %s; nothing changes", u.Name, map[bool]string{true: "a member already", false: "not a member"}[add])
	}
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	list := slices.DeleteFunc(slices.Clone(p.members()), func(id string) bool { return id == user })
	property, event := "membersRemoved", "teamMemberRemoved"
	if add {
		list = append(list, user)
		property, event = "membersAdded", "teamMemberAdded"
	}
	if p.team != nil {
		p.team.Members = list
		p, _ = s.base(p.team.ID)
	} else {
		p.chat.Members = list
	}
	actor := u
	if by != "" {
		actor = s.user(by)
	}
	a := s.arrival(actor, p, property, event, map[string]any{"id": u.TeamsID, "aadObjectId": u.ID})
	return s.tell(p, a)
}

// tell ends a change: the bot hears of it where it is installed. s.mu is held,
// and released.
func (s *Server) tell(p place, all ...map[string]any) (Outcome, error) {
	there, unsent := p.installed(), "the bot is not in "+p.name()
	s.touch()
	s.mu.Unlock()
	if !there {
		return Outcome{Unsent: unsent, Conversation: p.id}, nil
	}
	return s.sendBoth(p, all...)
}

// someone acts where no actor is named: the first member.
func (s *Server) someone(t *Team) *User {
	for _, id := range t.Members {
		if u := s.user(id); u != nil {
			return u
		}
	}
	return &User{}
}

// teamChange is a conversationUpdate about a team or one of its channels; its
// conversation is always the team's own.
func (s *Server) teamChange(t *Team, event string, ch *Channel) (place, map[string]any) {
	p := place{id: t.ID, team: t, channel: &t.Channels[0]}
	if i := slices.IndexFunc(t.Channels, func(c Channel) bool { return c.ID == t.ID }); i >= 0 {
		p.channel = &t.Channels[i]
	}
	a := s.system("conversationUpdate", s.someone(t), p)
	data, _ := a["channelData"].(map[string]any)
	data["eventType"] = event
	if ch != nil {
		data["channel"] = map[string]any{"id": ch.ID, "name": ch.Name}
	}
	return p, a
}

// CreateChannel adds a channel to a team; the Outcome's Conversation is its ID.
func (s *Server) CreateChannel(team, name string) (Outcome, error) {
	s.mu.Lock()
	t := s.team(team)
	if t == nil || t.Deleted || strings.TrimSpace(name) == "" {
		s.mu.Unlock()
		return Outcome{}, fmt.Errorf("there is no team %q, or the channel has no name", team)
	}
	ch := Channel{ID: "19:" + strings.ReplaceAll(s.nextGUID(), "-", "") + "@thread.tacv2", Name: name}
	t.Channels = append(t.Channels, ch)
	p, a := s.teamChange(t, "channelCreated", &ch)
	out, err := s.tell(p, a)
	out.Conversation = ch.ID
	return out, err
}

// DeleteChannel deletes a channel; RestoreChannel brings it back.
func (s *Server) DeleteChannel(channel string) (Outcome, error) {
	return s.changeChannel(channel, "channelDeleted", func(ch *Channel) { ch.Deleted = true })
}

// RestoreChannel brings a deleted channel back.
func (s *Server) RestoreChannel(channel string) (Outcome, error) {
	return s.changeChannel(channel, "channelRestored", func(ch *Channel) { ch.Deleted = false })
}

// RenameChannel gives a channel another name.
func (s *Server) RenameChannel(channel, name string) (Outcome, error) {
	return s.changeChannel(channel, "channelRenamed", func(ch *Channel) { ch.Name = name })
}

func (s *Server) changeChannel(id, event string, change func(*Channel)) (Outcome, error) {
	s.mu.Lock()
	for i := range s.st.Teams {
		t := &s.st.Teams[i]
		for j := range t.Channels {
			ch := &t.Channels[j]
			if ch.ID != id || t.Deleted || ch.ID == t.ID || ch.Deleted != (event == "channelRestored") {
				continue
			}
			change(ch)
			p, a := s.teamChange(t, event, ch)
			return s.tell(p, a)
		}
	}
	s.mu.Unlock()
	return Outcome{}, fmt.Errorf("there is no channel %q that this can be done to (General cannot be renamed or deleted)", id)
}

// RenameTeam gives a team another name.
func (s *Server) RenameTeam(team, name string) (Outcome, error) {
	return s.changeTeam(team, "teamRenamed", func(t *Team) { t.Name = name })
}

// ArchiveTeam makes a team read-only.
func (s *Server) ArchiveTeam(team string) (Outcome, error) {
	return s.changeTeam(team, "teamArchived", func(t *Team) { t.Archived = true })
}

// UnarchiveTeam opens an archived team again.
func (s *Server) UnarchiveTeam(team string) (Outcome, error) {
	return s.changeTeam(team, "teamUnarchived", func(t *Team) { t.Archived = false })
}

// DeleteTeam deletes a team with its channels.
func (s *Server) DeleteTeam(team string) (Outcome, error) {
	return s.changeTeam(team, "teamDeleted", func(t *Team) { t.Deleted = true })
}

func (s *Server) changeTeam(id, event string, change func(*Team)) (Outcome, error) {
	s.mu.Lock()
	t := s.team(id)
	if t == nil || t.Deleted {
		s.mu.Unlock()
		return Outcome{}, fmt.Errorf("there is no team %q", id)
	}
	change(t)
	p, a := s.teamChange(t, event, nil)
	return s.tell(p, a)
}
