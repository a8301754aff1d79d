package slack

import (
	"fmt"
	"slices"
)

// MessageShortcut uses one of the app's shortcuts on a message that the person
// sees, whoever wrote it. Like Slack it ignores the body of a 200.
func (s *Server) MessageShortcut(user, channel, ts, callback string) (Outcome, error) {
	payload, trigger, err := s.prepareShortcut(user, channel, ts, callback)
	if err != nil {
		return Outcome{}, err
	}
	out := s.interact(payload)
	out.Trigger = trigger
	if out.Reason != "" {
		out.Shown = "This app responded with an error."
		s.trouble(user, out.Shown, fmt.Sprintf("%s (status %d) after the shortcut %s", out.Reason, out.Status, callback))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out.View = s.topID(user)
	return out, nil
}

func (s *Server) prepareShortcut(user, channel, ts, callback string) (map[string]any, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.person(user)
	if err != nil {
		return nil, "", err
	}
	if s.st.Uninstalled || !slices.Contains(s.cfg.Shortcuts, callback) || u.Stranger {
		return nil, "", fmt.Errorf("the message menu of %s has no %s", u.Name, callback)
	}
	ch, err := s.place(user, channel)
	if err != nil {
		return nil, "", err
	}
	m := s.message(ch.ID, ts)
	if m == nil {
		return nil, "", fmt.Errorf("%s sees no message %s in %s", user, ts, channel)
	}
	name := ch.Name
	switch ch.Kind {
	case Private:
		name = "privategroup"
	case Direct:
		name = "directmessage"
	}
	shown := s.messageJSON(*m)
	delete(shown, "bot_profile") // only the Web API's answers carry it
	trigger := s.newTrigger(user, "")
	payload := map[string]any{"type": "message_action", "token": "legacy", "action_ts": s.nextTS(), "team": s.teamOf(u), "user": userRef(u),
		"channel": map[string]any{"id": ch.ID, "name": name}, "is_enterprise_install": false, "enterprise": nil, "callback_id": callback,
		"trigger_id": trigger, "response_url": s.newHook("app", Hook{Channel: ch.ID, User: user}), "message_ts": m.TS, "message": shown}
	s.touch()
	return payload, trigger, nil
}
