package teams

import "time"

// activity makes the part of an inbound activity that all types share. s.mu is
// held.
func (s *Server) activity(kind, id string, u *User, p place) map[string]any {
	now := s.cfg.Now()
	return map[string]any{
		"type": kind, "id": id, "timestamp": now.UTC().Format("2006-01-02T15:04:05.0000000Z"), "channelId": "msteams", "serviceUrl": s.serviceURL(),
		"from":      map[string]any{"id": u.TeamsID, "name": u.Name, "aadObjectId": u.ID},
		"recipient": map[string]any{"id": s.botID(), "name": s.cfg.BotName}, "conversation": s.conversation(u, p), "channelData": s.channelData(u, p),
	}
}

func (s *Server) conversation(u *User, p place) map[string]any {
	c := map[string]any{"id": p.full(), "conversationType": p.kind(), "tenantId": s.tenantOf(u, p)}
	if p.kind() != "personal" {
		c["isGroup"] = true
	}
	return c
}

// tenantOf is the tenant that hosts a conversation: of a personal chat that of
// its person.
func (s *Server) tenantOf(u *User, p place) string {
	if p.kind() == "personal" && !u.Guest {
		return u.Tenant
	}
	return s.cfg.TenantID
}

func (s *Server) channelData(u *User, p place) map[string]any {
	d := map[string]any{"tenant": map[string]any{"id": s.tenantOf(u, p)}}
	if p.team != nil {
		d["teamsChannelId"], d["teamsTeamId"] = p.channel.ID, p.team.ID
		d["channel"], d["team"] = map[string]any{"id": p.channel.ID}, map[string]any{"id": p.team.ID}
	}
	return d
}

// system makes an activity that no person wrote: its team has a name, its sender
// none.
func (s *Server) system(kind string, u *User, p place) map[string]any {
	a := s.activity(kind, "f:"+s.nextGUID(), u, p)
	a["from"] = map[string]any{"id": u.TeamsID, "aadObjectId": u.ID}
	data := map[string]any{"tenant": map[string]any{"id": s.tenantOf(u, p)}}
	if p.team != nil {
		data["team"] = map[string]any{"id": p.team.ID, "name": p.team.Name, "aadGroupId": p.team.GroupID}
	}
	a["channelData"] = data
	return a
}

// addClient adds what the person's client tells of itself. The entities that a
// bot did not ask for are there as they are in real activities: it must bear
// with them.
func (s *Server) addClient(a map[string]any, u *User, entities ...any) {
	country := "US"
	if len(u.Locale) == 5 {
		country = u.Locale[3:]
	}
	info := map[string]any{"type": "clientInfo", "locale": u.Locale, "country": country, "platform": "Web", "timezone": u.TZ}
	a["entities"] = append(entities, info, map[string]any{"type": "ProductInfo", "id": "Teams"}, map[string]any{"type": "ClientCapabilities", "streaming": true})
	zone, err := time.LoadLocation(u.TZ)
	if err != nil {
		zone = time.UTC
	}
	a["locale"], a["localTimezone"] = u.Locale, u.TZ
	a["localTimestamp"] = s.cfg.Now().In(zone).Format("2006-01-02T15:04:05.0000000-07:00")
}
