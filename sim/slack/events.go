package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// eventScopes names what an event needs besides a subscription; any one of
// them is enough.
var eventScopes = map[string][]string{
	"app_mention":           {"app_mentions:read"},
	"message.im":            {"im:history"},
	"member_joined_channel": {"channels:read", "groups:read"},
	"member_left_channel":   {"channels:read", "groups:read"},
	"channel_left":          {"channels:read"},
	"group_left":            {"groups:read"},
	"channel_archive":       {"channels:read"},
	"channel_unarchive":     {"channels:read"},
	"channel_deleted":       {"channels:read"},
	"channel_rename":        {"channels:read"},
	"group_archive":         {"groups:read"},
	"group_unarchive":       {"groups:read"},
	"group_deleted":         {"groups:read"},
	"group_rename":          {"groups:read"},
	"user_change":           {"users:read"},
}

// emit sends an event to the bot. A failed delivery is repeated at once and,
// when Tick or Run finds it due, after one and after five minutes. kind is the
// name of the subscription.
func (s *Server) emit(kind string, event map[string]any) Outcome {
	s.delivering.Lock()
	defer s.delivering.Unlock()
	s.mu.Lock()
	if why := s.unsubscribed(kind); why != "" {
		s.mu.Unlock()
		return Outcome{Unsent: why}
	}
	p := s.envelope(kind, event)
	s.mu.Unlock()
	out := s.attempt(p, "")
	for out.Reason != "" && out.Repeats >= 0 && p.Done < len(retryAfter) && retryAfter[p.Done] == 0 {
		p.Done++
		out = s.attempt(p, out.Reason)
	}
	refused := out.Repeats < 0
	out.Repeats = p.Done
	if out.Reason != "" && !refused {
		s.mu.Lock()
		p.Reason = out.Reason
		s.st.Pending = append(s.st.Pending, p)
		s.touch()
		s.mu.Unlock()
	}
	return out
}

func (s *Server) unsubscribed(kind string) string {
	switch scopes := eventScopes[kind]; {
	case s.st.Uninstalled && kind != "app_uninstalled" && kind != "tokens_revoked":
		return "the app is not installed"
	case !slices.Contains(s.cfg.Events, kind):
		return "the app does not subscribe to " + kind
	case len(scopes) > 0 && !slices.ContainsFunc(scopes, s.granted):
		return "the app lacks the scope " + scopes[0]
	}
	return ""
}

// envelope wraps an event as the Events API does. s.mu is held.
func (s *Server) envelope(kind string, event map[string]any) Pending {
	now := s.cfg.Now()
	id := s.nextID("Ev")
	ev := maps.Clone(event)
	if ev["event_ts"] == nil && kind != "app_uninstalled" && kind != "tokens_revoked" {
		ev["event_ts"] = s.nextTS()
	}
	body, _ := json.Marshal(map[string]any{ // made of strings and blocks that were parsed before
		"token": "legacy", "team_id": s.cfg.TeamID, "api_app_id": s.cfg.AppID, "event": ev, "type": "event_callback",
		"event_id": id, "event_time": now.Unix(), "is_ext_shared_channel": false,
		"authorizations": []any{map[string]any{"enterprise_id": nil, "team_id": s.cfg.TeamID, "user_id": s.cfg.BotUserID,
			"is_bot": true, "is_enterprise_install": false}},
		"event_context": fmt.Sprintf("4-%s-%s", kind, id),
	})
	return Pending{EventID: id, Type: kind, Body: body, First: now}
}

func (s *Server) attempt(p Pending, reason string) Outcome {
	d := Delivery{Path: eventsPath, Type: jsonType, Body: string(p.Body)}
	if p.Done > 0 {
		d.Header = map[string]string{"X-Slack-Retry-Num": itoa(p.Done), "X-Slack-Retry-Reason": reason}
	}
	return s.deliver(d)
}

// Tick repeats every undelivered event that is due by Config.Now and returns
// how many it tried. After the last repetition an event is lost.
func (s *Server) Tick() int {
	s.delivering.Lock()
	defer s.delivering.Unlock()
	s.mu.Lock()
	now := s.cfg.Now()
	due := []Pending{}
	s.st.Pending = slices.DeleteFunc(s.st.Pending, func(p Pending) bool {
		ready := !now.Before(p.First.Add(retryAfter[p.Done]))
		if ready {
			due = append(due, p)
		}
		return ready
	})
	s.mu.Unlock()
	for _, p := range due {
		p.Done++
		out := s.attempt(p, p.Reason)
		if out.Reason == "" || out.Repeats < 0 {
			continue
		}
		p.Reason = out.Reason
		if p.Done < len(retryAfter) {
			s.mu.Lock()
			s.st.Pending = append(s.st.Pending, p)
			s.mu.Unlock()
			continue
		}
		s.trouble("", "an event was lost: "+p.Type, "the bot did not take it after three repetitions: "+p.Reason)
	}
	return len(due)
}

// Run calls Tick every second until ctx ends, for a simulator that lives in
// real time.
func (s *Server) Run(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.Tick()
		}
	}
}
