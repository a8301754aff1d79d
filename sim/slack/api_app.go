package slack

import (
	"encoding/json"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// micros reads a message timestamp; what is none is zero.
func micros(ts string) int64 {
	whole, part, _ := strings.Cut(ts, ".")
	sec, _ := strconv.ParseInt(whole, 10, 64)
	sub, _ := strconv.ParseInt((part + "000000")[:6], 10, 64)
	return sec*1e6 + sub
}

func eventType(metadata json.RawMessage) string {
	var m struct {
		Type string `json:"event_type"`
	}
	_ = json.Unmarshal(metadata, &m) // checked when it came
	return m.Type
}

func (s *Server) authTest(args) (reply, error) {
	return reply{"url": "https://" + s.domain() + ".slack.com/", "team": s.cfg.TeamName, "team_id": s.cfg.TeamID, "user": strings.ToLower(s.cfg.BotName),
		"user_id": s.cfg.BotUserID, "bot_id": s.cfg.BotID, "is_enterprise_install": false}, nil
}

func (s *Server) authRevoke(a args) (reply, error) {
	if a.flag("test") {
		return reply{"revoked": false}, nil
	}
	s.st.Revoked = true
	return reply{"revoked": true}, nil
}

func (s *Server) appsUninstall(a args) (reply, error) {
	switch {
	case a.str("client_id") == "" || s.cfg.ClientID != "" && a.str("client_id") != s.cfg.ClientID:
		return nil, refuse("invalid_client_id")
	case a.str("client_secret") == "" || s.cfg.ClientSecret != "" && a.str("client_secret") != s.cfg.ClientSecret:
		return nil, refuse("bad_client_secret")
	}
	s.st.Uninstalled = true
	return nil, nil
}
