package slack

import (
	"slices"
	"strings"
	"time"
)

// page cuts a list by cursor and limit as Slack's lists do.
func page[T any](all []T, a args, fallback int) ([]T, reply) {
	limit := a.number("limit", fallback, 1000)
	start := 0
	if c := a.str("cursor"); c != "" {
		start = min(args{"n": []byte(strings.TrimPrefix(c, "next:"))}.number("n", 0, len(all)), len(all))
	}
	end := min(start+limit, len(all))
	next := ""
	if end < len(all) {
		next = "next:" + itoa(end)
	}
	return all[start:end], reply{"response_metadata": map[string]any{"next_cursor": next}, "has_more": next != ""}
}

func (s *Server) channelJSON(ch Channel) map[string]any {
	j := map[string]any{"id": ch.ID, "created": ch.Created, "is_archived": ch.Archived, "is_im": ch.Kind == Direct,
		"is_channel": ch.Kind == Public, "is_group": ch.Kind == Private, "is_private": ch.Kind != Public, "is_mpim": false,
		"is_general": false, "is_shared": ch.Shared, "is_ext_shared": ch.Shared, "is_org_shared": false, "context_team_id": s.cfg.TeamID}
	if ch.Kind == Direct {
		j["user"] = ch.Peer
		j["is_user_deleted"] = s.user(ch.Peer) == nil || s.user(ch.Peer).Deleted
		return j
	}
	j["name"], j["name_normalized"] = ch.Name, ch.Name
	j["is_member"] = slices.Contains(ch.Members, s.cfg.BotUserID)
	j["is_read_only"] = ch.ReadOnly // for the bot, which is no admin
	if ch.ReadOnly {
		j["properties"] = map[string]any{"posting_restricted_to": map[string]any{"type": []string{"admin"}, "user": []string{}}}
	}
	j["num_members"] = len(ch.Members)
	j["topic"] = map[string]any{"value": ch.Topic, "creator": "", "last_set": 0}
	j["purpose"] = map[string]any{"value": "", "creator": "", "last_set": 0}
	return j
}

// visible finds a channel that the bot may look at.
func (s *Server) visible(id, verb string) (*Channel, error) {
	ch := s.channel(id)
	if ch == nil || ch.Kind != Public && !slices.Contains(ch.Members, s.cfg.BotUserID) {
		return nil, refuse("channel_not_found")
	}
	return ch, s.scoped(ch, verb)
}

func (s *Server) convInfo(a args) (reply, error) {
	ch, err := s.visible(a.str("channel"), "read")
	if err != nil {
		return nil, err
	}
	return reply{"channel": s.channelJSON(*ch)}, nil
}

// listed gathers the channels of a list call: its types, each with its scope.
func (s *Server) listed(a args, keep func(Channel) bool) ([]map[string]any, error) {
	types := a.str("types")
	if types == "" {
		types = "public_channel"
	}
	kinds := map[string]Kind{"public_channel": Public, "private_channel": Private, "im": Direct}
	found := []map[string]any{}
	for t := range strings.SplitSeq(types, ",") {
		t = strings.TrimSpace(t)
		if t == "mpim" {
			continue
		}
		kind, ok := kinds[t]
		if !ok {
			return nil, refuse("invalid_types")
		}
		if err := s.scoped(&Channel{Kind: kind}, "read"); err != nil {
			return nil, err
		}
		for _, ch := range s.st.Channels {
			inside := slices.Contains(ch.Members, s.cfg.BotUserID)
			if ch.Kind == kind && !ch.Deleted && (kind == Public || inside) && !(ch.Archived && a.flag("exclude_archived")) && keep(ch) {
				found = append(found, s.channelJSON(ch))
			}
		}
	}
	return found, nil
}

func (s *Server) convList(a args) (reply, error) {
	all, err := s.listed(a, func(Channel) bool { return true })
	if err != nil {
		return nil, err
	}
	some, answer := page(all, a, 100)
	answer["channels"] = some
	return answer, nil
}

func (s *Server) usersConversations(a args) (reply, error) {
	user := a.str("user")
	if user == "" {
		user = s.cfg.BotUserID
	}
	if s.user(user) == nil {
		return nil, refuse("user_not_found")
	}
	all, err := s.listed(a, func(ch Channel) bool { return slices.Contains(ch.Members, user) })
	if err != nil {
		return nil, err
	}
	some, answer := page(all, a, 100)
	answer["channels"] = some
	return answer, nil
}

func (s *Server) convMembers(a args) (reply, error) {
	ch, err := s.visible(a.str("channel"), "read")
	if err != nil {
		return nil, err
	}
	some, answer := page(ch.Members, a, 100)
	answer["members"] = some
	return answer, nil
}

func (s *Server) convOpen(a args) (reply, error) {
	users := strings.Split(a.str("users"), ",")
	if a.str("channel") != "" {
		ch := s.channel(a.str("channel"))
		if ch == nil || ch.Kind != Direct {
			return nil, refuse("channel_not_found")
		}
		users = []string{ch.Peer}
	}
	if len(users) == 1 && users[0] == "" {
		return nil, refuse("users_list_not_supplied")
	}
	if len(users) > 1 {
		return nil, refuse("too_many_users")
	}
	u := s.user(users[0])
	switch {
	case !s.granted("im:write"):
		return nil, &refusal{code: "missing_scope", needed: "im:write"}
	case u == nil:
		return nil, refuse("user_not_found")
	case u.Deleted:
		return nil, refuse("user_disabled")
	case u.Bot:
		return nil, refuse("cannot_dm_bot")
	}
	return reply{"channel": map[string]any{"id": s.direct(u.ID).ID}}, nil
}

func (s *Server) convJoin(a args) (reply, error) {
	ch := s.channel(a.str("channel"))
	switch {
	case ch == nil:
		return nil, refuse("channel_not_found")
	case ch.Kind != Public:
		return nil, refuse("method_not_supported_for_channel_type")
	case ch.Archived:
		return nil, refuse("is_archived")
	}
	if !slices.Contains(ch.Members, s.cfg.BotUserID) {
		ch.Members = append(ch.Members, s.cfg.BotUserID)
		s.post(Message{Channel: ch.ID, User: s.cfg.BotUserID, Subtype: "channel_join", Text: "<@" + s.cfg.BotUserID + "> has joined the channel"})
	}
	return reply{"channel": s.channelJSON(*ch)}, nil
}

func (s *Server) convHistory(a args) (reply, error) {
	return s.history(a, func(m Message) bool { return m.ThreadTS == "" || m.Broadcast }, true)
}

func (s *Server) convReplies(a args) (reply, error) {
	ts := a.str("ts")
	if m := s.message(a.str("channel"), ts); m == nil {
		return nil, refuse("thread_not_found")
	} else if m.ThreadTS != "" {
		ts = m.ThreadTS
	}
	return s.history(a, func(m Message) bool { return m.TS == ts || m.ThreadTS == ts }, false)
}

func (s *Server) history(a args, keep func(Message) bool, newestFirst bool) (reply, error) {
	ch, err := s.visible(a.str("channel"), "history")
	if err != nil {
		return nil, err
	}
	if !slices.Contains(ch.Members, s.cfg.BotUserID) {
		return nil, refuse("not_in_channel")
	}
	oldest, latest, inclusive := a.str("oldest"), a.str("latest"), a.flag("inclusive")
	all := []map[string]any{}
	for _, m := range s.st.Messages {
		if m.Channel != ch.ID || m.Deleted || !keep(m) || !within(m.TS, oldest, latest, inclusive) {
			continue
		}
		j := s.messageJSON(m)
		if m.Metadata != nil {
			j["metadata"] = m.Metadata
			if !a.flag("include_all_metadata") {
				j["metadata"] = map[string]any{"event_type": eventType(m.Metadata)}
			}
		}
		all = append(all, j)
	}
	if newestFirst {
		slices.Reverse(all)
	}
	some, answer := page(all, a, 100)
	answer["messages"] = some
	return answer, nil
}

// within compares timestamps as numbers of microseconds.
func within(ts, oldest, latest string, inclusive bool) bool {
	if (ts == oldest || ts == latest) && !inclusive {
		return false
	}
	t := micros(ts)
	return (oldest == "" || t >= micros(oldest)) && (latest == "" || t <= micros(latest))
}

func (s *Server) userJSON(u User) map[string]any {
	zone, err := time.LoadLocation(u.TZ)
	if err != nil {
		zone = time.UTC
	}
	label, offset := s.cfg.Now().In(zone).Zone()
	profile := map[string]any{"real_name": u.RealName, "real_name_normalized": u.RealName, "display_name": u.Name,
		"display_name_normalized": u.Name, "title": u.Title, "team": u.TeamID}
	if s.granted("users:read.email") && u.Email != "" && !u.Stranger {
		profile["email"] = u.Email
	}
	j := map[string]any{"id": u.ID, "team_id": u.TeamID, "name": u.Name, "real_name": u.RealName, "deleted": u.Deleted, "profile": profile,
		"is_bot": u.Bot, "is_admin": u.Admin, "is_restricted": u.Guest, "is_ultra_restricted": false, "is_stranger": u.Stranger, "is_app_user": false}
	if !u.Deleted {
		j["tz"], j["tz_label"], j["tz_offset"] = u.TZ, label, offset
	}
	return j
}

func (s *Server) usersInfo(a args) (reply, error) {
	u := s.user(a.str("user"))
	if u == nil {
		return nil, refuse("user_not_found")
	}
	return reply{"user": s.userJSON(*u)}, nil
}

func (s *Server) usersList(a args) (reply, error) {
	all := []map[string]any{}
	for _, u := range s.st.Users {
		all = append(all, s.userJSON(u))
	}
	some, answer := page(all, a, 1000)
	answer["members"], answer["cache_ts"] = some, s.cfg.Now().Unix()
	return answer, nil
}

func (s *Server) usersLookup(a args) (reply, error) {
	email := strings.ToLower(a.str("email"))
	i := slices.IndexFunc(s.st.Users, func(u User) bool {
		return email != "" && strings.ToLower(u.Email) == email && !u.Deleted && !u.Stranger
	})
	if i < 0 {
		return nil, refuse("users_not_found")
	}
	return reply{"user": s.userJSON(s.st.Users[i])}, nil
}

func (s *Server) groupsList(a args) (reply, error) {
	all := []map[string]any{}
	for _, g := range s.st.Groups {
		if g.Disabled && !a.flag("include_disabled") {
			continue
		}
		j := map[string]any{"id": g.ID, "team_id": s.cfg.TeamID, "is_usergroup": true, "name": g.Name, "handle": g.Handle,
			"description": "", "is_external": false, "user_count": len(g.Users), "date_delete": 0}
		if g.Disabled {
			j["date_delete"] = s.cfg.Now().Unix()
		}
		if a.flag("include_users") {
			j["users"] = g.Users
		}
		all = append(all, j)
	}
	return reply{"usergroups": all}, nil
}

func (s *Server) groupsUsers(a args) (reply, error) {
	i := slices.IndexFunc(s.st.Groups, func(g Group) bool { return g.ID == a.str("usergroup") })
	if i < 0 || s.st.Groups[i].Disabled && !a.flag("include_disabled") {
		return nil, refuse("no_such_subteam")
	}
	return reply{"users": s.st.Groups[i].Users}, nil
}
