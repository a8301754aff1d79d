package teams

import "slices"

// notify records whom a new message of the bot reaches for. Editing never
// notifies.
func (s *Server) notify(p place, m *Message, part part) {
	told := map[string]bool{}
	tell := func(u *User, why string) {
		if told[u.ID] || m.To != "" && u.ID != m.To {
			return
		}
		told[u.ID] = true
		n := Notification{At: m.At, Activity: m.ID, Conversation: m.Thread(), User: u.ID, Why: why}
		if !slices.Contains(p.members(), u.ID) {
			n.Missed = "not a member"
		}
		s.st.Notifications = append(s.st.Notifications, n)
	}
	for _, mention := range part.mention {
		if mention.Mentioned.ID == s.botID() {
			continue
		}
		u := s.known(mention.Mentioned.ID)
		if u == nil {
			s.violate(m.Thread(), m.ID, "%s mentions %q, which is nobody's ID", mention.Text, mention.Mentioned.ID)
			continue
		}
		if !slices.Contains(p.members(), u.ID) {
			s.violate(m.Thread(), m.ID, "%s is mentioned without being a member of %s", u.Name, p.name())
		}
		tell(u, "mention")
	}
	switch {
	case m.To != "":
		tell(s.user(m.To), "private")
	case part.alert:
		s.tellAll(p, tell, "alert")
	case p.team == nil:
		s.tellAll(p, tell, "chat")
	}
}

func (s *Server) tellAll(p place, tell func(*User, string), why string) {
	for _, id := range p.members() {
		tell(s.user(id), why)
	}
}
