package servicenow

import (
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setup is where the support integration's wizard stands. There is one for
// the whole instance, left open between visits. Its values are not in any
// table that the Table API serves.
type Setup struct {
	Step            string    `json:"step"` // "" is the first; see steps1 and steps2
	AgreedBy        string    `json:"agreedBy,omitempty"`
	Profile         string    `json:"profile,omitempty"` // oauth_entity_profile
	InboundSkipped  bool      `json:"inboundSkipped,omitempty"`
	Inbound         string    `json:"inbound,omitempty"` // oauth_entity
	UserSkipped     bool      `json:"userSkipped,omitempty"`
	User            string    `json:"user,omitempty"` // sys_user
	Repository      string    `json:"repository,omitempty"`
	SSO             bool      `json:"sso,omitempty"`
	AdminEmail      string    `json:"adminEmail,omitempty"`
	TestEnvironment bool      `json:"testEnvironment,omitempty"`
	Domain          string    `json:"domain,omitempty"`
	Basic           bool      `json:"basic,omitempty"` // 2.x: continued without any setup
	Done            time.Time `json:"done,omitzero"`
	Error           string    `json:"error,omitempty"`
	Detail          string    `json:"detail,omitempty"`
}

// The pages of the wizard in their order, by generation of the app.
var (
	steps1 = []string{"agree", "outbound", "inbound", "inbound_user", "repository", "settings", "complete", "done"}
	steps2 = []string{"agree", "environment", "domain", "app", "provider", "verify", "done"}
)

// steps are the pages of the installed version.
func (s *Server) steps() []string {
	major, _, _ := strings.Cut(s.cfg.AppVersion, ".")
	if n, err := strconv.Atoi(major); err == nil && n >= 2 {
		return steps2
	}
	return steps1
}

func (s *Server) step() string {
	if s.setup.Step == "" {
		return s.steps()[0]
	}
	return s.setup.Step
}

// endpoint is the address the wizard shows for the admin center.
func (s *Server) endpoint() string {
	return "https://" + s.cfg.Host + "/api/" + appScope + "/m365_support"
}

// outboundAppID is the client ID behind the chosen profile.
func (s *Server) outboundAppID() string {
	profile := s.db.find(schema["oauth_entity_profile"], s.setup.Profile)
	if profile == nil {
		return ""
	}
	return s.db.valueAt(profile, "oauth_entity.client_id")
}

// readableFromApp reports whether the app's scope may read a Global table:
// the table must be open to all application scopes with "Can read", and the
// app must have its privilege.
func (s *Server) readableFromApp(table string) bool {
	obj := s.db.first("sys_db_object", "name", table)
	if obj == nil || obj.get("access") != "public" || !obj.yes("read_access") {
		return false
	}
	return s.db.first("sys_scope_privilege", "source_scope", appSysID, "target_name", table, "operation", "read", "status", "allowed") != nil
}

// wizardBlocked says why the wizard cannot be used right now, "" if it can.
func (s *Server) wizardBlocked(c *caller) string {
	if app := s.currentApp(c); app == nil || app.id() != appSysID {
		return "Your application scope is not " + appName + ". Choose it under the globe icon > Application scope, then open Setup again."
	}
	if !s.readableFromApp("oauth_entity") {
		return "Read operation against 'oauth_entity' from scope '" + appScope + "' has been refused due to the table's cross-scope access policy"
	}
	return ""
}

// profilesForApp are the outbound profiles the wizard can offer: none while
// oauth_entity_profile is not readable for the app.
func (s *Server) profilesForApp() []*record {
	if !s.readableFromApp("oauth_entity_profile") {
		return nil
	}
	var out []*record
	for _, p := range s.db.where("oauth_entity_profile") {
		if e := s.db.find(schema["oauth_entity"], p.get("oauth_entity")); e != nil && e.get("type") == s.cfg.TypeChoice {
			out = append(out, p)
		}
	}
	return out
}

// advance takes one press of a wizard button. It returns what is wrong with
// the input, "" if the wizard moved on or a test ran.
func (s *Server) advance(c *caller, form url.Values) string {
	step := s.step()
	if form.Get("step") != step {
		return "This page is out of date: somebody has moved the wizard on. This is where it stands now."
	}
	s.setup.Error, s.setup.Detail = "", ""
	defer s.changed()
	at := slices.Index(s.steps(), step)
	if form.Get("action") == "back" {
		if at > 0 && step != "done" {
			s.setup.Step = s.steps()[at-1]
		}
		return ""
	}
	if step == "complete" || step == "verify" {
		s.finish(c, step)
		return ""
	}
	if step == "done" {
		if form.Get("action") == "restart" {
			s.setup = Setup{}
		}
		return ""
	}
	if problem := s.take(c, step, form); problem != "" {
		return problem
	}
	if !s.setup.Basic {
		s.setup.Step = s.steps()[at+1]
	}
	return ""
}

// finish is Next on the last page of 1.x, Test setup on that of 2.x.
func (s *Server) finish(c *caller, step string) {
	bad := s.smokeTest(c)
	if s.setup.Step != step {
		return // the lock was away: somebody else finished or went back
	}
	if bad != nil {
		s.setup.Error, s.setup.Detail = bad.message, bad.detail
		return
	}
	s.setup.Step, s.setup.Done = "done", s.now()
}

// take stores what a page asked for.
func (s *Server) take(c *caller, step string, form url.Values) string {
	switch step {
	case "agree":
		s.setup.AgreedBy, s.setup.TestEnvironment = c.name(), true
	case "outbound":
		id := form.Get("outbound_profile")
		if !slices.ContainsFunc(s.profilesForApp(), func(p *record) bool { return p.id() == id }) {
			return "Select an outbound OAuth profile."
		}
		s.setup.Profile = id
	case "inbound":
		s.setup.InboundSkipped = form.Get("skip_inbound") == "true"
		s.setup.Inbound = form.Get("inbound_provider")
		if !s.setup.InboundSkipped && s.db.first("oauth_entity", "sys_id", s.setup.Inbound, "type", "client") == nil {
			return "Select an inbound OAuth provider, or tick Skip current step."
		}
	case "inbound_user":
		s.setup.UserSkipped = form.Get("skip_user") == "true"
		s.setup.User = form.Get("inbound_user")
		if !s.setup.UserSkipped && s.db.first("sys_user", "sys_id", s.setup.User, "web_service_access_only", "true") == nil {
			return "Select an integration user with web service access only, or tick Skip current step."
		}
	case "repository":
		if s.setup.Repository = strings.TrimSpace(form.Get("repository_id")); s.setup.Repository == "" {
			return "Type a Repository ID."
		}
	case "settings":
		return s.takeSettings(form)
	case "environment":
		s.setup.TestEnvironment = form.Get("test_environment") == "true"
		if s.setup.Basic = form.Get("action") == "basic"; s.setup.Basic {
			s.setup.Step, s.setup.Done = "done", s.now()
		}
	case "domain":
		if s.setup.Domain = strings.TrimSpace(form.Get("tenant_domain")); !strings.Contains(s.setup.Domain, ".") {
			return "Type the domain of your Microsoft 365 tenant, for example contoso.onmicrosoft.com."
		}
	case "provider":
		return s.takeProvider(form.Get("oauth_provider"))
	}
	return ""
}

func (s *Server) takeSettings(form url.Values) string {
	email := strings.TrimSpace(form.Get("admin_email"))
	if _, err := mail.ParseAddress(email); err != nil {
		return "Type the Microsoft 365 admin email."
	}
	s.setup.AdminEmail = email
	s.setup.SSO = form.Get("sso") == "true"
	s.setup.TestEnvironment = form.Get("test_environment") == "true"
	return ""
}

// takeProvider chooses the ServiceNow OAuth application of the 2.x wizard,
// which then names the repository itself.
func (s *Server) takeProvider(id string) string {
	for _, p := range s.profilesForApp() {
		if p.get("oauth_entity") == id && p.yes("default") {
			s.setup.Profile = p.id()
			s.setup.Repository = strings.SplitN(s.cfg.Host, ".", 2)[0] + "-" + id[:8]
			return ""
		}
	}
	return "Select the ServiceNow OAuth application."
}
