package servicenow

import "net/http"

// setupPage is Microsoft 365 Support > Setup.
func (s *Server) setupPage(w http.ResponseWriter, r *http.Request, c *caller) {
	const title = "Microsoft 365 Support: Setup"
	switch {
	case s.db.find(schema["sys_store_app"], appSysID) == nil:
		s.missing(w, r)
		return
	case !c.admin():
		s.deny(w, r)
		return
	}
	if blocked := s.wizardBlocked(c); blocked != "" {
		note(r, "", "refused: "+blocked)
		s.page(w, r, http.StatusOK, "message", pageData{Title: title, Error: blocked})
		return
	}
	problem := ""
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			http.Error(w, "This form cannot be read.", http.StatusBadRequest)
			return
		}
		problem = s.advance(c, r.PostForm)
		note(r, "", "setup: "+r.PostForm.Get("step")+" -> "+s.step())
	}
	if problem == "" {
		problem = s.setup.Error
	}
	s.page(w, r, http.StatusOK, "setup", pageData{Title: title, Error: problem, Body: s.setupBody()})
}

func (s *Server) setupBody() map[string]any {
	var profiles, providers, inbound, users []option
	for _, p := range s.profilesForApp() {
		profiles = append(profiles, option{p.id(), p.get("name"), p.id() == s.setup.Profile})
		if p.yes("default") {
			entity := s.db.find(schema["oauth_entity"], p.get("oauth_entity"))
			providers = append(providers, option{entity.id(), entity.get("name"), p.id() == s.setup.Profile})
		}
	}
	for _, e := range s.db.where("oauth_entity", "type", "client") {
		inbound = append(inbound, option{e.id(), e.get("name"), e.id() == s.setup.Inbound})
	}
	for _, u := range s.db.where("sys_user", "web_service_access_only", "true") {
		users = append(users, option{u.id(), u.get("user_name"), u.id() == s.setup.User})
	}
	return map[string]any{
		"Step": s.step(), "Setup": s.setup, "Profiles": profiles, "Providers": providers, "Inbound": inbound, "Users": users,
		"AppID": s.outboundAppID(), "Endpoint": s.endpoint(), "Redirect": "https://" + s.cfg.Host + "/oauth_redirect.do",
	}
}

// settingsPage is Microsoft 365 Support > Settings, where Test Environment is
// unticked to go live.
func (s *Server) settingsPage(w http.ResponseWriter, r *http.Request, c *caller) {
	d := pageData{Title: "Microsoft 365 Support: Settings"}
	switch {
	case s.db.find(schema["sys_store_app"], appSysID) == nil:
		s.missing(w, r)
		return
	case !c.admin():
		s.deny(w, r)
		return
	}
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			http.Error(w, "This form cannot be read.", http.StatusBadRequest)
			return
		}
		if d.Error = s.takeSettings(r.PostForm); d.Error == "" {
			d.Notice = "Settings saved"
			note(r, "", "settings saved")
			s.changed()
		}
	}
	d.Body = s.setup
	s.page(w, r, http.StatusOK, "settings", d)
}

// m365Tab is the tab Microsoft 365 Support of an incident.
type m365Tab struct {
	ID, Text, Message       string
	Insights, Loaded, Cases bool
}

// tabFor is the tab as this person sees it, nil for those without a role of
// the app. The administrator role does not include the insights.
func (s *Server) tabFor(c *caller, incident *record) *m365Tab {
	sees, cases := c.roles[roleView], c.roles[roleManage]
	if !sees && !cases || s.db.find(schema["sys_store_app"], appSysID) == nil {
		return nil
	}
	tab := &m365Tab{ID: incident.id(), Text: incident.get("short_description"), Insights: sees, Cases: cases}
	switch {
	case s.step() == "done":
	case s.step() == "complete" || s.step() == "verify":
		tab.Message = finalOpen
	default:
		tab.Message = setupOpen
	}
	return tab
}

// insightsPage is the button Microsoft 365 Insights on an incident: the smoke
// test of the finished integration. When the connector does not answer,
// nothing shows up; the reason is in the logs.
func (s *Server) insightsPage(w http.ResponseWriter, r *http.Request, c *caller) {
	incident := s.db.find(schema["incident"], r.URL.Query().Get("sys_id"))
	if incident == nil || !s.canRead(c, incident) {
		s.missing(w, r)
		return
	}
	tab := s.tabFor(c, incident)
	if tab == nil || !tab.Insights {
		s.deny(w, r)
		return
	}
	if tab.Message == "" && (s.setup.Basic || s.smokeTest(c) == nil) {
		tab.Loaded = true
	}
	s.showForm(w, r, c, schema["incident"], incident, "", tab)
}
