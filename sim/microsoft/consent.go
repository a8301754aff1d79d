package microsoft

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// adminConsent serves the tenant-wide consent page of a registration.
func (s *Server) adminConsent(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.signInError(w, r, refuse("invalid_request", 9002313, "Invalid request. Request is malformed or invalid."))
		return
	}
	app, failed := s.consentApp(r.Form)
	if failed != nil {
		s.signInError(w, r, failed)
		return
	}
	entry(r).Who = "admin consent for " + app.DisplayName
	if r.PostFormValue("action") == "cancel" {
		s.consentAnswer(w, r, url.Values{"error": {"permission_denied"}, "error_subcode": {"cancel"},
			"error_description": {"AADSTS65004: The admin canceled the request."}}, "Nothing was granted.")
		return
	}
	u := s.st.userBy(r.Form.Get("account"))
	data := pageData{Title: "Permissions requested", App: app.DisplayName, AppID: app.AppID, User: u, Accounts: s.accounts(r.Form.Get("login_hint")),
		Hidden: hiddenFields(r.Form), Action: r.URL.EscapedPath(), Roles: requested(app, "Role"), Scopes: requestedScopes(app)}
	switch {
	case u == nil:
		data.Title = "Pick an account"
		s.page(w, r, http.StatusOK, "adminconsent", data)
	case s.mayStay(u) != nil:
		s.signInError(w, r, s.mayStay(u))
	case !anyOf(u.active(s.now()), consenters(app)):
		entry(r).Who, entry(r).Note = u.UPN, "refused: needs "+roleNames(consenters(app))
		s.page(w, r, http.StatusOK, "needadmin", pageData{Title: "Need admin approval", App: app.DisplayName, User: u,
			Items: append(data.Roles, data.Scopes...),
			Text:  "AADSTS90094: This account cannot grant these permissions. Approval is required from an account with one of these roles active: " + roleNames(consenters(app)) + "."})
	case r.Method == http.MethodPost && r.PostFormValue("action") == "accept":
		entry(r).Who, entry(r).Write = u.UPN, true
		s.grantConsent(app, u)
		entry(r).Note = "granted admin consent to " + app.DisplayName
		s.changed()
		s.consentAnswer(w, r, url.Values{"admin_consent": {"True"}, "tenant": {s.cfg.TenantID}}, "Admin consent was granted to "+app.DisplayName+".")
	default:
		s.page(w, r, http.StatusOK, "adminconsent", data)
	}
}

func (s *Server) consentApp(f url.Values) (*application, *tokenError) {
	if f.Get("client_id") == "" {
		return nil, missingParameter("client_id")
	}
	app := s.st.appByAppID(f.Get("client_id"))
	if app == nil {
		return nil, appNotFound(f.Get("client_id"), s.cfg.Name)
	}
	if uri := f.Get("redirect_uri"); uri != "" && !slices.Contains(app.Web.RedirectURIs, uri) {
		return nil, wrongRedirect(uri, app)
	}
	return app, nil
}

// consenters lists the roles that may consent to all a registration asks for.
func consenters(app *application) []string {
	if len(requested(app, "Role")) > 0 {
		return consentsToGraph
	}
	return consentsToScopes
}

// grantConsent makes the grants equal to what the registration asks for, with
// the service principal where it is missing. What was granted earlier and is no
// longer asked for is revoked (Microsoft Entra, "Grant tenant-wide admin consent").
func (s *Server) grantConsent(app *application, by *user) {
	sp := s.st.principalByAppID(app.AppID)
	if sp == nil {
		sp = s.addPrincipal(app, "", by.ID)
	}
	graph := s.st.principalByAppID(GraphAppID)
	roles := requested(app, "Role")
	s.st.Assignments = slices.DeleteFunc(s.st.Assignments, func(a *assignment) bool {
		p, ok := permissionByID(a.AppRoleID, "Role")
		return a.PrincipalID == sp.ID && a.ResourceID == graph.ID && ok && !slices.Contains(roles, p.value)
	})
	for _, value := range roles {
		if p, err := permissionByName(value, "Role"); err == nil && s.st.assigned(sp.ID, graph.ID, p.role) == nil {
			s.addAssignment(p.role, sp.ID, graph.ID)
		}
	}
	s.st.Grants = slices.DeleteFunc(s.st.Grants, func(g *scopeGrant) bool {
		return g.ClientID == sp.ID && g.ResourceID == graph.ID && g.ConsentType == "AllPrincipals"
	})
	if scopes := requestedScopes(app); len(scopes) > 0 {
		s.addScopes(sp, "AllPrincipals", "", scopes)
	}
}

func (s *Server) addAssignment(roleID, principalID, resourceID string) *assignment {
	a := &assignment{ID: s.token(43), AppRoleID: strings.ToLower(roleID), PrincipalID: principalID, ResourceID: resourceID, Created: s.now()}
	s.st.Assignments = append(s.st.Assignments, a)
	return a
}

func (s *Server) consentAnswer(w http.ResponseWriter, r *http.Request, answer url.Values, text string) {
	if state := r.Form.Get("state"); state != "" {
		answer.Set("state", state)
	}
	if uri := r.Form.Get("redirect_uri"); uri != "" {
		redirect(w, uri, answer, false)
		return
	}
	s.page(w, r, http.StatusOK, "message", pageData{Title: "Admin consent", Text: text + " You can close this page."})
}
