package teams

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// memberJSON is a member of a roster. Lists say objectId where the single
// member says aadObjectId; Microsoft's own documents disagree in the same way.
func (s *Server) memberJSON(u *User, objectID string) map[string]any {
	given, sur, _ := strings.Cut(u.Name, " ")
	role := "user"
	if u.Guest {
		role = "guest"
	}
	return map[string]any{"id": u.TeamsID, "name": u.Name, objectID: u.ID, "givenName": given, "surname": sur,
		"email": u.UPN, "userPrincipalName": u.UPN, "tenantId": u.Tenant, "userRole": role}
}

// listMembers is the deprecated call that gives the whole roster at once.
func (s *Server) listMembers(c call) (result, *refusal) {
	p, no := s.reach(c, "read", readWindows)
	if no != nil {
		return result{}, no
	}
	if no := s.throttle("unpaged", p.id, []window{{unpagedPerMinute, time.Minute}}); no != nil {
		return result{}, no
	}
	s.violate(p.id, "", "the whole roster was asked for at once, which is deprecated; use pagedmembers")
	all := []any{}
	for _, id := range p.members() {
		all = append(all, s.memberJSON(s.user(id), "objectId"))
	}
	return result{http.StatusOK, all, "roster of " + p.name()}, nil
}

func (s *Server) pageMembers(c call) (result, *refusal) {
	p, no := s.reach(c, "read", readWindows)
	if no != nil {
		return result{}, no
	}
	q := c.r.URL.Query()
	size, err := strconv.Atoi(q.Get("pageSize"))
	if err != nil {
		size = pageMost
	}
	size = min(max(size, pageLeast), pageMost)
	all, from := p.members(), 0
	if token := q.Get("continuationToken"); token != "" {
		rest, ours := strings.CutPrefix(token, "next-")
		from, err = strconv.Atoi(rest)
		if !ours || err != nil || from < 0 || from > len(all) {
			return result{}, bad("The continuation token is not valid.")
		}
	}
	to := min(from+size, len(all))
	page := []any{}
	for _, id := range all[from:to] {
		page = append(page, s.memberJSON(s.user(id), "objectId"))
	}
	answer := map[string]any{"members": page, "totalCount": len(all)}
	if to < len(all) {
		answer["continuationToken"] = "next-" + strconv.Itoa(to)
	}
	return result{http.StatusOK, answer, "roster of " + p.name()}, nil
}

func (s *Server) getMember(c call) (result, *refusal) {
	p, no := s.reach(c, "read", readWindows)
	if no != nil {
		return result{}, no
	}
	u := s.known(c.path("member"))
	if u == nil || !slices.Contains(p.members(), u.ID) {
		return result{}, refuse("MemberNotFoundInConversation")
	}
	return result{http.StatusOK, s.memberJSON(u, "aadObjectId"), "member " + u.Name}, nil
}

// reachTeam finds the team of a call by its ID.
func (s *Server) reachTeam(c call) (*Team, *refusal) {
	id := c.path("team")
	if no := s.throttle("conversations", id, readWindows); no != nil {
		return nil, no
	}
	if no := s.scripted(id); no != nil {
		return nil, no
	}
	t := s.team(id)
	switch {
	case t == nil || t.Deleted:
		return nil, refuse("ConversationNotFound")
	case !t.Installed:
		return nil, refuse("BotNotInConversationRoster")
	}
	return t, nil
}

func (s *Server) team(id string) *Team {
	for i := range s.st.Teams {
		if s.st.Teams[i].ID == id {
			return &s.st.Teams[i]
		}
	}
	return nil
}

func (s *Server) getTeam(c call) (result, *refusal) {
	t, no := s.reachTeam(c)
	if no != nil {
		return result{}, no
	}
	return result{http.StatusOK, map[string]any{"id": t.ID, "name": t.Name, "type": "standard", "aadGroupId": t.GroupID, "tenantId": s.cfg.TenantID,
		"channelCount": len(channels(t)), "memberCount": len(t.Members)}, "team " + t.Name}, nil
}

func (s *Server) listChannels(c call) (result, *refusal) {
	t, no := s.reachTeam(c)
	if no != nil {
		return result{}, no
	}
	return result{http.StatusOK, map[string]any{"conversations": channels(t)}, "channels of " + t.Name}, nil
}

// channels are those of a team that still exist; General has no name.
func channels(t *Team) []any {
	all := []any{}
	for _, ch := range t.Channels {
		if ch.Deleted {
			continue
		}
		var name any
		if ch.Name != "" {
			name = ch.Name
		}
		all = append(all, map[string]any{"id": ch.ID, "name": name, "type": "standard"})
	}
	return all
}
