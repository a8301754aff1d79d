package teams

import (
	"cmp"
	"encoding/json"
	"errors"
	"html"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Said is a line that a person writes.
type Said struct {
	User string `json:"user"`
	// Conversation is a channel (a new post), a thread of a channel
	// ("<channel>;messageid=<first message>") or a chat. Empty is the person's
	// chat with the bot.
	Conversation string `json:"conversation,omitempty"`
	// Text may name people and the bot as "@Name".
	Text string `json:"text"`
	// Mention puts the bot's name in front where the text does not name it.
	Mention bool `json:"mention,omitempty"`
	// Slash sends the line as a slash command: only the bot and the person see it.
	Slash bool `json:"slash,omitempty"`
}

// Say writes a line. In a channel or a group chat the bot hears it only if it
// is named, with "@" and its name.
func (s *Server) Say(user, conversation, text string) (Outcome, error) {
	return s.Write(Said{User: user, Conversation: conversation, Text: text})
}

// Mention writes a line that names the bot.
func (s *Server) Mention(user, conversation, text string) (Outcome, error) {
	return s.Write(Said{User: user, Conversation: conversation, Text: text, Mention: true})
}

// Slash picks a command of the bot from the slash menu of a channel or a group
// chat. Only the person sees the message ("Targeted messages").
func (s *Server) Slash(user, conversation, text string) (Outcome, error) {
	return s.Write(Said{User: user, Conversation: conversation, Text: text, Slash: true})
}

// DM writes to the bot in the person's chat with it.
func (s *Server) DM(user, text string) (Outcome, error) {
	return s.Write(Said{User: user, Text: text})
}

// Write is the composer of the client.
func (s *Server) Write(line Said) (Outcome, error) {
	a, p, unsent, err := s.prepareSay(line)
	if err != nil {
		return Outcome{}, err
	}
	if unsent != "" {
		id, _ := a["id"].(string)
		return Outcome{Unsent: unsent, Activity: id, Conversation: p.full()}, nil
	}
	out, err := s.sendActivityTo(a, p)
	if err == nil && out.Reason != "" {
		s.trouble(line.User, "", "a message to the bot is lost: "+out.Reason+" "+cut(out.Body))
	}
	return out, err
}

func (s *Server) prepareSay(line Said) (a map[string]any, p place, unsent string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.TrimSpace(line.Text)
	if text == "" {
		return nil, p, "", errors.New("there is nothing to send")
	}
	u, p, err := s.composer(line)
	if err != nil {
		return nil, p, "", err
	}
	if line.Mention && !strings.Contains(text, "@"+s.cfg.BotName) {
		text = "@" + s.cfg.BotName + " " + text
	}
	text, rich, entities, named := s.encode(text)
	named = named || p.kind() == "personal"
	m := s.postAs(u, p, text)
	if line.Slash {
		m.To = u.ID
	}
	if p.team != nil {
		p.root = m.Root
		if p.root == "" {
			p.root = m.ID
		}
	}
	a = s.messageActivity(m, u, p, text, rich, entities)
	if line.Slash {
		recipient, _ := a["recipient"].(map[string]any)
		recipient["isTargeted"] = true
	}
	m.Activity, err = json.Marshal(a)
	s.touch()
	switch {
	case err != nil:
	case !p.installed():
		unsent = "the bot is not in " + p.name()
	case !named && !line.Slash && !s.cfg.ReadsAll:
		unsent = "the message does not name the bot"
	}
	return a, p, unsent, err
}

// composer finds where a line goes and whether the person may write there.
func (s *Server) composer(line Said) (*User, place, error) {
	conversation := line.Conversation
	if conversation == "" {
		conversation = s.PersonalID(line.User)
		if _, ok := s.find(conversation); !ok {
			return nil, place{}, errors.New("the bot is not installed for this person; install it in the personal scope first")
		}
	}
	u, p, err := s.inside(line.User, conversation)
	switch {
	case err != nil:
		return nil, p, err
	case p.kind() == "personal" && !p.installed():
		return nil, p, errors.New("the bot is not installed for this person any more; install it in the personal scope first")
	case p.team != nil && p.team.Archived:
		return nil, p, errors.New("the team is archived; nobody can write in it")
	case line.Slash && p.kind() == "personal":
		return nil, p, errors.New("a private message belongs into a channel or a group chat")
	}
	return u, p, nil
}

// postAs adds a person's message. s.mu is held.
func (s *Server) postAs(u *User, p place, text string) *Message {
	s.st.Messages = append(s.st.Messages, Message{ID: s.nextMessageID(), Conversation: p.id, Root: p.root, From: u.ID, At: s.cfg.Now(), Text: text})
	return &s.st.Messages[len(s.st.Messages)-1]
}

func (s *Server) messageActivity(m *Message, u *User, p place, text, rich string, entities []any) map[string]any {
	a := s.activity("message", m.ID, u, p)
	a["textFormat"], a["text"] = "plain", text
	s.addClient(a, u, entities...)
	if p.kind() != "personal" {
		a["text"] = text + "\n" // as clients send a message that names somebody
		a["attachments"] = []any{map[string]any{"contentType": "text/html", "content": "<div><div>" + rich + "</div>\n</div>"}}
	}
	return a
}

// encode turns a typed line into Teams' wire form: "@Name" of the bot and of
// people becomes an <at> tag with its entity. It reports whether the bot is
// named.
func (s *Server) encode(text string) (wire, rich string, entities []any, named bool) {
	ids := map[string]string{s.cfg.BotName: s.botID()}
	for _, u := range s.st.Users {
		ids[u.Name] = u.TeamsID
	}
	names := slices.Collect(maps.Keys(ids))
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }) // "Ann Lee" before "Ann"
	var b, h strings.Builder
	for text != "" {
		i := strings.IndexByte(text, '@')
		if i < 0 {
			i = len(text)
		}
		b.WriteString(text[:i])
		h.WriteString(html.EscapeString(text[:i]))
		if text = text[i:]; text == "" {
			break
		}
		at := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(text[1:], n) })
		if at < 0 {
			b.WriteByte('@')
			h.WriteByte('@')
			text = text[1:]
			continue
		}
		name := names[at]
		tag := "<at>" + name + "</at>"
		entities = append(entities, map[string]any{"type": "mention", "text": tag, "mentioned": map[string]any{"id": ids[name], "name": name}})
		named = named || ids[name] == s.botID()
		b.WriteString(tag)
		h.WriteString(`<span itemscope="" itemtype="http://schema.skype.com/Mention" itemid="` + strconv.Itoa(len(entities)-1) + `">` + html.EscapeString(name) + `</span>`)
		text = text[1+len(name):]
	}
	return b.String(), h.String(), entities, named
}

func cut(text string) string {
	if len(text) > 300 {
		return text[:300] + "…"
	}
	return text
}
