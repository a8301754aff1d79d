package slack

import (
	"encoding/json"
	"regexp"
	"slices"
)

var (
	codeSpan     = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	userMention  = regexp.MustCompile(`<@([UW][A-Z0-9]+)(?:\|[^>]*)?>`)
	groupMention = regexp.MustCompile(`<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>`)
	everybody    = regexp.MustCompile(`<!(channel|here|everyone)(?:\|[^>]*)?>`)
	bareEverbody = regexp.MustCompile(`(?:^|\s)@(channel|here|everyone)\b`)
)

// mentions is whom a message names.
type mentions struct {
	users, groups []string
	everybody     bool
}

func (m *mentions) scan(text string, autoParsed bool) {
	text = codeSpan.ReplaceAllString(text, " ")
	for _, hit := range userMention.FindAllStringSubmatch(text, -1) {
		m.users = append(m.users, hit[1])
	}
	for _, hit := range groupMention.FindAllStringSubmatch(text, -1) {
		m.groups = append(m.groups, hit[1])
	}
	m.everybody = m.everybody || everybody.MatchString(text) || autoParsed && bareEverbody.MatchString(text)
}

// walk collects mentions from Block Kit JSON: mrkdwn texts, markdown blocks and
// the elements of rich text. Plain text never mentions anybody.
func (m *mentions) walk(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			m.walk(item)
		}
	case map[string]any:
		switch v["type"] {
		case "mrkdwn", "markdown":
			text, _ := v["text"].(string)
			verbatim, _ := v["verbatim"].(bool)
			m.scan(text, !verbatim)
		case "user":
			id, _ := v["user_id"].(string)
			m.users = append(m.users, id)
		case "usergroup":
			id, _ := v["usergroup_id"].(string)
			m.groups = append(m.groups, id)
		case "broadcast":
			m.everybody = true
		}
		for _, inner := range v {
			m.walk(inner)
		}
	}
}

// mentioned reads what the message shows: its blocks where it has any (the text
// then only serves notifications), else its text.
func mentioned(m Message) mentions {
	var found mentions
	if m.Blocks == nil {
		found.scan(m.Text, false)
	} else {
		var blocks any
		_ = json.Unmarshal(m.Blocks, &blocks) // checked when it came
		found.walk(blocks)
	}
	var attachments any
	if json.Unmarshal(m.Attachments, &attachments) == nil {
		found.walk(attachments)
	}
	return found
}

// notify records whom a new message reaches for. Editing never notifies.
func (s *Server) notify(m Message) {
	ch := s.channel(m.Channel)
	if ch == nil || m.Subtype != "" {
		return
	}
	told := map[string]bool{m.User: true, s.cfg.BotUserID: true}
	tell := func(user, why string) {
		if told[user] {
			return
		}
		told[user] = true
		n := Notification{TS: m.TS, Channel: m.Channel, User: user, Why: why}
		switch u := s.user(user); {
		case u == nil:
			n.Missed = "there is no such user"
		case u.Deleted:
			n.Missed = "deactivated"
		case !slices.Contains(ch.Members, user):
			n.Missed = "not in the channel"
		}
		s.st.Notifications = append(s.st.Notifications, n)
	}
	found := mentioned(m)
	for _, u := range found.users {
		tell(u, "mention")
	}
	for _, id := range found.groups {
		i := slices.IndexFunc(s.st.Groups, func(g Group) bool { return g.ID == id && !g.Disabled })
		if i < 0 {
			s.violate(m.Channel, m.TS, "mentions the user group %s, which does not exist", id)
			continue
		}
		for _, u := range s.st.Groups[i].Users {
			tell(u, "group")
		}
	}
	if ch.Kind == Direct && m.Bot {
		tell(ch.Peer, "dm")
	}
	if found.everybody && m.Bot {
		s.violate(m.Channel, m.TS, "mentions everybody in the channel")
	}
}
