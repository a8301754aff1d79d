package servicenow

import "fmt"

// Leftover is what a person configured by hand years ago. Empty fields get
// believable values.
type Leftover struct {
	ClientID string   `json:"clientId,omitempty"` // of the old Entra registration
	Secret   string   `json:"secret,omitempty"`
	Tenant   string   `json:"tenant,omitempty"`  // in the token URL
	Name     string   `json:"name,omitempty"`    // of the registry entry
	By       string   `json:"by,omitempty"`      // who did it; the account may be gone
	Since    string   `json:"since,omitempty"`   // "2006-01-02 15:04:05", UTC
	Viewers  []string `json:"viewers,omitempty"` // user names that hold insights_user
	Managers []string `json:"managers,omitempty"`
	Version  string   `json:"version,omitempty"` // of the app, installed if it is not there
}

func (l *Leftover) complete() {
	set := func(field *string, otherwise string) {
		if *field == "" {
			*field = otherwise
		}
	}
	set(&l.ClientID, "5f2b1a3c-77de-4c0b-9a41-0d6c3a9be812")
	set(&l.Secret, "left-"+randomHex(12))
	set(&l.Tenant, "contoso.onmicrosoft.com")
	set(&l.Name, "M365 Support Prod OAuth")
	set(&l.By, "old.admin")
	set(&l.Since, "2022-03-14 09:26:53")
	set(&l.Version, "1.0.9")
}

// Leftovers puts an old setup on the instance: the app, a registry entry
// under a name of its own, both tables opened to all scopes, roles handed
// out, an integration user, and a finished wizard. Users named as viewers or
// managers are made where they do not exist.
func (s *Server) Leftovers(l Leftover) error {
	l.complete()
	return s.act(func() error {
		if s.db.first("oauth_entity", "name", l.Name) != nil {
			return fmt.Errorf("there is a registry entry %q already", l.Name)
		}
		if s.db.find(schema["sys_store_app"], appSysID) == nil {
			s.installApp(l.Version)
		}
		var made []*record
		entity := s.put("oauth_entity", map[string]string{
			"name": l.Name, "type": s.cfg.TypeChoice, "client_id": l.ClientID, "client_secret": l.Secret,
			"default_grant_type": "client_credentials", "token_url": "https://login.microsoftonline.com/" + l.Tenant + "/oauth2/token",
			"redirect_url": "https://" + s.cfg.Host + "/auth_redirect.do",
		})
		s.modesApart(func() { s.settle() })
		made = append(made, entity)
		profile := s.db.first("oauth_entity_profile", "oauth_entity", entity.id(), "default", "true")
		made = append(made, profile)
		for _, table := range []string{"oauth_entity", "oauth_entity_profile"} {
			obj := s.db.first("sys_db_object", "name", table)
			obj.Values["access"], obj.Values["read_access"] = "public", "true"
			obj.Values["sys_updated_by"], obj.Values["sys_updated_on"] = l.By, l.Since
		}
		made = append(made, s.leaveRoles(l)...)
		for _, r := range made {
			r.Values["sys_created_by"], r.Values["sys_updated_by"] = l.By, l.By
			r.Values["sys_created_on"], r.Values["sys_updated_on"] = l.Since, l.Since
		}
		steps := s.steps()
		s.setup = Setup{Step: steps[len(steps)-1], AgreedBy: l.By, Profile: profile.id(), InboundSkipped: true, UserSkipped: true,
			Repository: "ContosoProd", AdminEmail: "m365.admin@" + l.Tenant, Done: s.now()}
		return nil
	})
}

// modesApart runs something as if no mode delayed it.
func (s *Server) modesApart(run func()) {
	delay := s.modes.ProfileDelay
	s.modes.ProfileDelay = 0
	for i := range s.pending {
		s.pending[i].Due = s.now()
	}
	run()
	s.modes.ProfileDelay = delay
}

func (s *Server) leaveRoles(l Leftover) []*record {
	if len(l.Viewers) == 0 {
		l.Viewers = []string{"old.viewer"}
	}
	if len(l.Managers) == 0 {
		l.Managers = []string{"old.manager"}
	}
	var made []*record
	grant := func(user, role string) {
		u := s.db.first("sys_user", "user_name", user)
		if u == nil {
			u = s.addUser(User{Name: user})
		}
		r := s.role(role)
		if s.db.first("sys_user_has_role", "user", u.id(), "role", r.id(), "inherited", "false") == nil {
			made = append(made, s.put("sys_user_has_role", map[string]string{"user": u.id(), "role": r.id(), "inherited": "false"}))
		}
	}
	for _, name := range l.Viewers {
		grant(name, roleView)
	}
	for _, name := range l.Managers {
		grant(name, roleManage)
	}
	if s.db.first("sys_user", "user_name", "m365.integration") == nil {
		made = append(made, s.addUser(User{Name: "m365.integration", Full: "M365 Integration", WebServiceOnly: true, Roles: []string{"incident_manager"}}))
	}
	return made
}
