package teams

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// createConversation is "Create Conversation": a chat with one person, or a new
// thread in a channel.
func (s *Server) createConversation(c call) (result, *refusal) {
	var in struct {
		IsGroup  bool            `json:"isGroup"`
		TenantID string          `json:"tenantId"`
		Activity json.RawMessage `json:"activity"`
		Members  []struct {
			ID string `json:"id"`
		} `json:"members"`
		ChannelData struct {
			Tenant  struct{ ID string }
			Channel struct{ ID string }
		} `json:"channelData"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return result{}, bad("The body is not the JSON of a conversation.")
	}
	tenant := in.TenantID
	if tenant == "" {
		tenant = in.ChannelData.Tenant.ID
	}
	if channel := in.ChannelData.Channel.ID; channel != "" {
		if tenant != "" && tenant != s.cfg.TenantID {
			return result{}, bad("The tenant %s is not that of the channel.", tenant)
		}
		return s.createThread(channel, in.Activity)
	}
	switch {
	case len(in.Members) != 1:
		return result{}, bad("A conversation needs exactly one member, or channelData.channel.id.")
	case tenant == "":
		return result{}, bad("Neither tenantId nor channelData.tenant.id is given.")
	}
	if len(in.Activity) > 0 && string(in.Activity) != "null" {
		s.violate("", "", "a first activity was given with a new personal chat; Teams takes it for channels only, and it was not posted")
	}
	return s.createChat(in.Members[0].ID, tenant)
}

func (s *Server) createChat(member, tenant string) (result, *refusal) {
	if no := s.throttle("create", member, writeWindows); no != nil {
		return result{}, no
	}
	i := slices.IndexFunc(s.st.Users, func(u User) bool { return u.TeamsID == member })
	switch {
	case !strings.HasPrefix(member, "29:"):
		return result{}, bad("Bot and user IDs are those of Teams (28:…, 29:…), not %q.", member)
	case i < 0:
		return result{}, refuse("MemberNotFoundInConversation")
	case s.st.Users[i].Tenant != tenant && tenant != s.cfg.TenantID:
		return result{}, bad("The tenant %s is not that of the member.", tenant)
	}
	u := &s.st.Users[i]
	if no := s.scripted(s.PersonalID(u.ID)); no != nil {
		return result{}, no
	}
	if !s.meets(u.ID) {
		return result{}, refuse("ForbiddenOperationException")
	}
	chat, fresh := s.personal(u)
	if fresh {
		chat.Installed = true // Teams puts the bot there with its first word
	}
	status := http.StatusOK
	if fresh {
		status = http.StatusCreated
	}
	return result{status, map[string]any{"id": chat.ID}, "chat with " + u.Name}, nil
}

// meets says whether the bot shares an installation with a person: their own,
// or a team or group chat that they are in ("Send proactive messages").
func (s *Server) meets(user string) bool {
	for _, c := range s.st.Chats {
		if c.Personal && slices.Contains(c.Members, user) {
			return c.Installed || c.Blocked // uninstalled by the person: not even through a team
		}
	}
	return slices.ContainsFunc(s.st.Chats, func(c Chat) bool { return c.Installed && slices.Contains(c.Members, user) }) ||
		slices.ContainsFunc(s.st.Teams, func(t Team) bool {
			return t.Installed && !t.Deleted && slices.Contains(t.Members, user)
		})
}

func (s *Server) createThread(channel string, activity json.RawMessage) (result, *refusal) {
	if no := s.throttle("create", channel, writeWindows); no != nil {
		return result{}, no
	}
	if no := s.scripted(channel); no != nil {
		return result{}, no
	}
	p, ok := s.base(channel)
	switch {
	case !ok || p.team == nil:
		return result{}, refuse("ConversationNotFound")
	case !p.team.Installed:
		return result{}, refuse("BotNotInConversationRoster")
	case p.team.Archived:
		return result{}, refuse("MessageWritesBlocked")
	}
	parts, no := s.readActivity(p, activity, sending)
	switch {
	case no != nil:
		return result{}, no
	case len(parts) == 0:
		return result{}, bad("A thread begins with a message, not with typing.")
	}
	first := s.post(p, "", parts[0])
	id := first.ID
	for _, part := range parts[1:] {
		s.post(p, id, part)
	}
	if len(parts) > 1 {
		s.violate(channel+threadMark+id, id, "the first activity of a thread became %d messages, and the bot knows the ID of the first only", len(parts))
	}
	return result{http.StatusCreated, map[string]any{"id": channel + threadMark + id, "activityId": id}, "thread in " + p.name()}, nil
}
