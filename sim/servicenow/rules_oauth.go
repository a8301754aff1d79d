package servicenow

import "time"

const profileRule = "Validate OAuth entity profile"

// beforeEntity fills what the platform makes up for a registry entry.
func (s *Server) beforeEntity(old, next *record) *refusal {
	if next == nil {
		return nil
	}
	if old == nil {
		next.Values["client_uuid"] = randomHex(16)
		if next.get("type") == "" {
			next.Values["type"] = "client"
		}
		if next.get("type") == "client" {
			if next.get("client_id") == "" {
				next.Values["client_id"] = randomHex(16)
			}
			if next.get("client_secret") == "" && !next.yes("public_client") {
				next.Values["client_secret"] = randomHex(16)
			}
		}
	}
	if next.get("type") == s.cfg.TypeChoice && next.get("redirect_url") == "" {
		next.Values["redirect_url"] = "https://" + s.cfg.Host + "/oauth_redirect.do"
	}
	return nil
}

// afterEntity makes the default profile of a new provider, at once or after
// the delay that the modes ask for.
func (s *Server) afterEntity(old, next *record) {
	if old == nil && next.get("type") == s.cfg.TypeChoice {
		s.pending = append(s.pending, dueProfile{Entity: next.id(), Due: s.now().Add(s.modes.ProfileDelay)})
		s.settle()
	}
}

// dueProfile is a default profile that the platform has not made yet.
type dueProfile struct {
	Entity string    `json:"entity"`
	Due    time.Time `json:"due"`
}

// settle makes the default profiles whose time has come.
func (s *Server) settle() {
	var later []dueProfile
	for _, p := range s.pending {
		if s.now().Before(p.Due) {
			later = append(later, p)
			continue
		}
		entity := s.db.find(schema["oauth_entity"], p.Entity)
		if entity == nil || s.db.first("oauth_entity_profile", "oauth_entity", p.Entity, "default", "true") != nil {
			continue
		}
		grant := entity.get("default_grant_type")
		if s.modes.ProfileGrant != "" {
			grant = s.modes.ProfileGrant
		}
		s.put("oauth_entity_profile", map[string]string{
			"name":         entity.get("name") + " default_profile",
			"oauth_entity": p.Entity,
			"default":      "true",
			"grant_type":   grant,
			"sys_scope":    entity.get("sys_scope"),
		})
	}
	s.pending = later
}

// beforeProfile holds that a provider has one default profile at most.
func (s *Server) beforeProfile(old, next *record) *refusal {
	if next == nil || !next.yes("default") {
		return nil
	}
	for _, other := range s.db.where("oauth_entity_profile", "oauth_entity", next.get("oauth_entity"), "default", "true") {
		if other.id() != next.id() {
			return aborted("oauth_entity_profile", profileRule, ruleID(profileRule), "Only one default profile is allowed for an OAuth provider")
		}
	}
	// A default that is still on its way counts as one.
	if old == nil {
		for _, p := range s.pending {
			if p.Entity == next.get("oauth_entity") && s.now().Before(p.Due) {
				return aborted("oauth_entity_profile", profileRule, ruleID(profileRule), "Only one default profile is allowed for an OAuth provider")
			}
		}
	}
	return nil
}
