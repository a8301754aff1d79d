package teams

import (
	"fmt"
	"html"
	"time"
)

// MessageMenu uses a command that the app put into the menu of messages, on a
// message that the person sees, whoever wrote it. The bot need not be in the
// conversation.
func (s *Server) MessageMenu(user, conversation, message, command string) (Outcome, error) {
	p, err := s.prepareMenu(user, conversation, message, command)
	if err != nil {
		return Outcome{}, err
	}
	out, err := s.sendActivityTo(p.activity, p.place)
	if err != nil {
		return out, err
	}
	why := failed(&out)
	if why == "" {
		why = s.takeTaskAnswer(user, p.key, "", &out)
	}
	s.mu.Lock()
	if d := s.dialogOf(user); d != nil && why == "" {
		d.Command = command
	}
	s.mu.Unlock()
	s.finish(user, "the command "+command+" of a message's menu", why, &out)
	return out, nil
}

func (s *Server) prepareMenu(user, conversation, message, command string) (pressed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, p, err := s.inside(user, conversation)
	if err != nil {
		return pressed{}, err
	}
	m := s.message(p.id, message)
	if !s.visible(m, user) {
		return pressed{}, fmt.Errorf("%s sees no message %s in %s", u.Name, message, p.name())
	}
	name := m.From
	if by, err := s.person(m.From); err == nil {
		name = by.Name
	}
	a := s.invoke("composeExtension/fetchTask", u, p, "")
	a["value"] = map[string]any{"commandId": command, "commandContext": "message", "context": map[string]any{"theme": "default"},
		"messagePayload": map[string]any{"id": m.ID, "replyToId": nil, "createdDateTime": m.At.UTC().Format(time.RFC3339), "importance": "normal", "locale": "en-us", "subject": nil,
			"from":        map[string]any{"application": nil, "device": nil, "user": map[string]any{"userIdentityType": "aadUser", "id": m.From, "displayName": name}},
			"body":        map[string]any{"contentType": "html", "content": "<div><div>" + html.EscapeString(m.Text) + "</div></div>"},
			"attachments": []any{}, "mentions": []any{}, "reactions": []any{}}}
	return pressed{activity: a, place: p, key: Message{Conversation: p.id, Root: p.root}}, nil
}
