package microsoft

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	toolServiceNow = "ServiceNow"
	authAAD        = "AAD Auth"
	authBasic      = "Basic Auth"
)

// adminCenter is what the Support integration panel keeps.
type adminCenter struct {
	Tool          string            `json:"tool,omitempty"`
	ApplicationID string            `json:"applicationId,omitempty"`
	Repositories  []savedRepository `json:"repositories,omitempty"`
}

type savedRepository struct {
	Repository
	PasswordSum string `json:"passwordSum,omitempty"`
}

func (a adminCenter) inventory() InventoryAdminCenter {
	out := InventoryAdminCenter{Tool: a.Tool, ApplicationID: a.ApplicationID}
	for _, r := range a.Repositories {
		out.Repositories = append(out.Repositories, r.Repository)
	}
	slices.SortFunc(out.Repositories, func(x, y Repository) int { return strings.Compare(x.Name, y.Name) })
	return out
}

const (
	organizationProfile = "/admin/settings/organization-profile"
	supportIntegration  = organizationProfile + "/support-integration"
)

// adminPortal serves the Microsoft 365 admin center.
func (s *Server) adminPortal() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, serve func(http.ResponseWriter, *http.Request, *user)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.asAdmin(w, r, serve) })
	}
	home := func(w http.ResponseWriter, r *http.Request, u *user) {
		s.page(w, r, http.StatusOK, "adminhome", pageData{Title: "Microsoft 365 admin center", User: u})
	}
	handle("GET /admin", home)
	handle("GET /admin/{$}", home)
	handle("GET /admin/Adminportal/Home", home)
	handle("GET /admin/settings", s.showProfile)
	handle("GET "+organizationProfile, s.showProfile)
	handle("GET "+supportIntegration, s.showSupport)
	handle("POST "+supportIntegration+"/basic", s.saveBasic)
	handle("POST "+supportIntegration+"/basic/clear", s.clearBasic)
	handle("POST "+supportIntegration+"/repositories", s.saveRepository)
	handle("POST "+supportIntegration+"/repositories/delete", s.deleteRepository)
	handle("GET /admin/servicehealth", s.showHealth)
	handle("GET /admin/servicehealth/{id}", s.showIssue)
	return mux
}

// asAdmin lets only people in who may open the admin center.
func (s *Server) asAdmin(w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request, *user)) {
	u := s.signedIn(w, r, "Microsoft 365 admin center")
	if u == nil {
		return
	}
	if !anyOf(u.active(s.now()), opensAdminCenter) {
		entry(r).Note = "refused: no admin role"
		s.page(w, r, http.StatusForbidden, "message", pageData{Title: "You don't have permission to access this page", User: u, Portal: "admin", Failed: true,
			Text: "The Microsoft 365 admin center opens to accounts with one of these roles active: " + roleNames(opensAdminCenter) + "."})
		return
	}
	serve(w, r, u)
}

func (s *Server) showProfile(w http.ResponseWriter, r *http.Request, u *user) {
	s.page(w, r, http.StatusOK, "profile", pageData{Title: "Org settings", User: u, Alive: s.st.World == Alive})
}

// panel answers 404 where the support integration has been shut down.
func (s *Server) panel(w http.ResponseWriter, r *http.Request, u *user) bool {
	if s.st.World == Alive {
		return true
	}
	entry(r).Note = "refused: the panel does not exist"
	s.page(w, r, http.StatusNotFound, "message", pageData{Title: "We can't find that page", User: u, Portal: "admin", Failed: true,
		Text: "There is no Support integration panel in Org settings > Organization profile."})
	return false
}

func (s *Server) showSupport(w http.ResponseWriter, r *http.Request, u *user) {
	if s.panel(w, r, u) {
		s.support(w, r, u, http.StatusOK, "", nil)
	}
}

func (s *Server) support(w http.ResponseWriter, r *http.Request, u *user, status int, problem string, form url.Values) {
	if problem != "" {
		entry(r).Note = "refused: " + problem
	}
	s.page(w, r, status, "support", pageData{Title: "Support integration", User: u, Admin365: s.st.Admin, Problem: problem, Form: form,
		AuthTypes: []string{authAAD, authBasic}})
}

func (s *Server) saveBasic(w http.ResponseWriter, r *http.Request, u *user) {
	if !s.panel(w, r, u) {
		return
	}
	tool, id := r.PostFormValue("tool"), strings.TrimSpace(r.PostFormValue("applicationId"))
	switch {
	case tool != toolServiceNow:
		s.support(w, r, u, http.StatusBadRequest, "Choose the support tool ServiceNow.", r.PostForm)
	case !isGUID(id):
		s.support(w, r, u, http.StatusBadRequest, "Application ID to issue Auth Token must be a GUID.", r.PostForm)
	default:
		s.st.Admin.Tool, s.st.Admin.ApplicationID = tool, strings.ToLower(id)
		entry(r).Note = "saved application ID " + id
		s.changed()
		s.seeOther(w, supportIntegration)
	}
}

func (s *Server) clearBasic(w http.ResponseWriter, r *http.Request, u *user) {
	if !s.panel(w, r, u) {
		return
	}
	s.st.Admin.Tool, s.st.Admin.ApplicationID = "", ""
	entry(r).Note = "cleared the application ID"
	s.changed()
	s.seeOther(w, supportIntegration)
}

func (s *Server) saveRepository(w http.ResponseWriter, r *http.Request, u *user) {
	if !s.panel(w, r, u) {
		return
	}
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	repo := savedRepository{Repository: Repository{Name: field("repository"), Endpoint: field("endpoint"), AuthenticationType: field("authenticationType"),
		ClientID: field("clientId"), RestUsername: field("restUsername")}}
	if pw := r.PostFormValue("restUserPassword"); pw != "" {
		repo.HasPassword, repo.PasswordSum = true, sum(pw)
	}
	if problem := s.repositoryProblem(repo.Repository); problem != "" {
		r.PostForm.Del("restUserPassword")
		s.support(w, r, u, http.StatusBadRequest, problem, r.PostForm)
		return
	}
	s.st.Admin.Repositories = append(s.st.Admin.Repositories, repo)
	entry(r).Note = "saved repository " + repo.Name
	s.changed()
	s.seeOther(w, supportIntegration)
}

func (s *Server) repositoryProblem(r Repository) string {
	endpoint, err := url.Parse(r.Endpoint)
	switch {
	case r.Name == "":
		return "Repository is required."
	case slices.ContainsFunc(s.st.Admin.Repositories, func(x savedRepository) bool { return strings.EqualFold(x.Name, r.Name) }):
		return "There is a repository " + r.Name + " already."
	case err != nil || endpoint.Host == "" || (endpoint.Scheme != "https" && endpoint.Hostname() != "127.0.0.1" && endpoint.Hostname() != "localhost"):
		return "Endpoint must be an https address."
	case r.AuthenticationType != authAAD && r.AuthenticationType != authBasic:
		return "Choose the Authentication type: AAD Auth or Basic Auth."
	case r.ClientID == "" || r.RestUsername == "" || !r.HasPassword:
		return "Client ID, Rest username and Rest user password are required."
	}
	return ""
}

func (s *Server) deleteRepository(w http.ResponseWriter, r *http.Request, u *user) {
	if !s.panel(w, r, u) {
		return
	}
	name := r.PostFormValue("repository")
	before := len(s.st.Admin.Repositories)
	s.st.Admin.Repositories = slices.DeleteFunc(s.st.Admin.Repositories, func(x savedRepository) bool { return x.Name == name })
	if len(s.st.Admin.Repositories) == before {
		s.support(w, r, u, http.StatusNotFound, "There is no repository "+name+".", nil)
		return
	}
	entry(r).Note = "deleted repository " + name
	s.changed()
	s.seeOther(w, supportIntegration)
}

func (s *Server) seeOther(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// healthRow is one issue as the service health page shows it.
type healthRow struct {
	ID, Title, Service, Status, Kind, Impact, Modified string
	Resolved                                           bool
	Posts                                              []string
}

func (s *Server) healthRows() []healthRow {
	var out []healthRow
	for _, a := range s.st.Issues {
		d := decoded(a.Raw)
		text := func(k string) string { v, _ := d[k].(string); return v }
		row := healthRow{ID: a.ID, Title: text("title"), Service: text("service"), Status: text("status"), Kind: text("classification"),
			Impact: text("impactDescription"), Modified: text("lastModifiedDateTime")}
		row.Resolved, _ = d["isResolved"].(bool)
		posts, _ := d["posts"].([]any)
		for _, p := range posts {
			if c, ok := lookup(map[string]any{"p": p}, []string{"p", "description", "content"}).(string); ok {
				row.Posts = append(row.Posts, c)
			}
		}
		out = append(out, row)
	}
	return out
}

func (s *Server) showHealth(w http.ResponseWriter, r *http.Request, u *user) {
	s.page(w, r, http.StatusOK, "health", pageData{Title: "Service health", User: u, Health: s.healthRows()})
}

func (s *Server) showIssue(w http.ResponseWriter, r *http.Request, u *user) {
	for _, row := range s.healthRows() {
		if row.ID == r.PathValue("id") {
			s.page(w, r, http.StatusOK, "issue", pageData{Title: row.ID, User: u, Health: []healthRow{row}})
			return
		}
	}
	s.page(w, r, http.StatusNotFound, "message", pageData{Title: "We can't find that issue", User: u, Portal: "admin", Failed: true,
		Text: "Service health has no issue " + r.PathValue("id") + " for this organization."})
}
