package microsoft

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// entraPortal serves the Entra portal: app registrations and PIM.
func (s *Server) entraPortal() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, serve func(http.ResponseWriter, *http.Request, *user)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if u := s.signedIn(w, r, "Microsoft Entra admin center"); u != nil {
				serve(w, r, u)
			}
		})
	}
	home := func(w http.ResponseWriter, r *http.Request, u *user) {
		s.page(w, r, http.StatusOK, "entrahome", pageData{Title: "Microsoft Entra admin center", User: u})
	}
	handle("GET /entra", home)
	handle("GET /entra/{$}", home)
	handle("GET /entra/apps", func(w http.ResponseWriter, r *http.Request, u *user) { s.appList(w, r, u, "") })
	handle("POST /entra/apps", s.portalRegister)
	handle("GET /entra/apps/{app}", s.onApp("overview", nil))
	handle("POST /entra/apps/{app}/delete", s.portalDelete)
	for _, tab := range []string{"authentication", "credentials", "permissions"} {
		handle("GET /entra/apps/{app}/"+tab, s.onApp(tab, nil))
	}
	handle("POST /entra/apps/{app}/authentication", s.onApp("authentication", s.portalRedirects))
	handle("POST /entra/apps/{app}/credentials", s.onApp("credentials", s.portalSecret))
	handle("POST /entra/apps/{app}/credentials/delete", s.onApp("credentials", s.portalDeleteSecret))
	handle("POST /entra/apps/{app}/credentials/certificate", s.onApp("credentials", s.portalCertificate))
	handle("POST /entra/apps/{app}/permissions", s.onApp("permissions", s.portalPermission))
	handle("POST /entra/apps/{app}/permissions/consent", s.onApp("permissions", s.portalConsent))
	handle("GET /entra/pim", func(w http.ResponseWriter, r *http.Request, u *user) { s.pim(w, r, u, "") })
	handle("POST /entra/pim/activate", s.portalActivate)
	return mux
}

func (s *Server) appList(w http.ResponseWriter, r *http.Request, u *user, problem string) {
	status := http.StatusOK
	if problem != "" {
		status, entry(r).Note = http.StatusBadRequest, "refused: "+problem
	}
	s.page(w, r, status, "apps", pageData{Title: "App registrations", User: u, Apps: s.st.Apps, Problem: problem, Form: r.PostForm})
}

func (s *Server) portalRegister(w http.ResponseWriter, r *http.Request, u *user) {
	if !s.st.Quirks.UsersMayRegister && !anyOf(u.active(s.now()), createsApps) {
		s.appList(w, r, u, "Your account may not register applications.")
		return
	}
	a := &application{SignInAudience: "AzureADMyOrg"}
	body := properties{"displayName": marshal(r.PostFormValue("name"))}
	if uri := strings.TrimSpace(r.PostFormValue("redirectUri")); uri != "" {
		body["web"] = marshal(map[string]any{"redirectUris": []string{uri}})
	}
	if err := s.apply(body, a); err != nil {
		s.appList(w, r, u, portalText(err))
		return
	}
	s.addApp(a, "", u.ID)
	sp := s.addPrincipal(a, "", u.ID) // the portal makes both at once
	sp.Lag, a.LagPrincipal = 0, 0
	entry(r).Note = "created app " + a.AppID + " " + a.DisplayName
	s.changed()
	s.seeOther(w, "/entra/apps/"+a.AppID)
}

func portalText(err error) string {
	var e *graphError
	if errors.As(err, &e) {
		return e.text
	}
	return err.Error()
}

// onApp shows one page of a registration, after an action where there is one.
// An action returns what to show above the page; changing needs the right to.
func (s *Server) onApp(tab string, act func(*http.Request, *user, *application) (notice, error)) func(http.ResponseWriter, *http.Request, *user) {
	return func(w http.ResponseWriter, r *http.Request, u *user) {
		a := s.st.appByAppID(r.PathValue("app"))
		if a == nil {
			s.page(w, r, http.StatusNotFound, "message", pageData{Title: "Not found", User: u, Portal: "entra", Failed: true, Text: "There is no app registration with client ID " + r.PathValue("app") + "."})
			return
		}
		data := pageData{Title: a.DisplayName, User: u, Tab: tab, Registration: a, Now: s.now(), TenantID: s.cfg.TenantID, Permissions: s.permissionRows(a)}
		status := http.StatusOK
		if act != nil {
			if err := s.portalMay(u, a, tab, r); err != nil {
				status, data.Problem = http.StatusForbidden, err.Error()
			} else if n, err := act(r, u, a); err != nil {
				status, data.Problem = http.StatusBadRequest, portalText(err)
			} else {
				data.Notice, data.Permissions = n, s.permissionRows(a)
				s.changed()
			}
			if data.Problem != "" {
				entry(r).Note = "refused: " + data.Problem
			}
		}
		s.page(w, r, status, "app", data)
	}
}

// portalMay checks a change: managing takes a role or ownership, consent for
// the organisation takes more.
func (s *Server) portalMay(u *user, a *application, tab string, r *http.Request) error {
	roles := u.active(s.now())
	if strings.HasSuffix(r.URL.Path, "/consent") {
		if !anyOf(roles, consenters(a)) {
			return errors.New("Grant admin consent needs one of these roles active: " + roleNames(consenters(a)) + ".")
		}
		return nil
	}
	if anyOf(roles, managesApps) || a.OwnerUser == u.ID {
		return nil
	}
	return errors.New("Your account may not change this app registration.")
}

// notice is what an action shows once.
type notice struct{ Text, Secret string }

func (s *Server) portalDelete(w http.ResponseWriter, r *http.Request, u *user) {
	a := s.st.appByAppID(r.PathValue("app"))
	if a == nil || s.portalMay(u, a, "", r) != nil {
		s.appList(w, r, u, "Your account may not delete this app registration, or it is gone.")
		return
	}
	s.dropApp(a)
	entry(r).Note = "deleted app " + a.AppID + " " + a.DisplayName
	s.changed()
	s.seeOther(w, "/entra/apps")
}

func (s *Server) portalRedirects(r *http.Request, _ *user, a *application) (notice, error) {
	uris := strings.Fields(r.PostFormValue("redirectUris"))
	err := s.apply(properties{"web": marshal(map[string]any{"redirectUris": nonNil(uris)})}, a)
	entry(r).Note = "saved redirect URIs of app " + a.AppID
	return notice{Text: "Saved."}, err
}

func (s *Server) portalSecret(r *http.Request, _ *user, a *application) (notice, error) {
	months := map[string]int{"6": 6, "12": 12, "24": 24}[r.PostFormValue("expires")]
	if months == 0 {
		months = 6
	}
	name := r.PostFormValue("description")
	end := s.now().AddDate(0, months, 0)
	p, value, err := s.newPassword(a, passwordRequest{DisplayName: &name, End: &end})
	if err != nil {
		return notice{}, err
	}
	p.Lag = 0
	entry(r).Note = "added secret " + p.KeyID + " to app " + a.AppID
	return notice{Text: "Copy the value now: it is not shown again.", Secret: value}, nil
}

func (s *Server) portalDeleteSecret(r *http.Request, _ *user, a *application) (notice, error) {
	id := r.PostFormValue("keyId")
	if !a.removeSecret(id) {
		before := len(a.Keys)
		a.Keys = slices.DeleteFunc(a.Keys, func(k *keyCredential) bool { return k.KeyID == id })
		if len(a.Keys) == before {
			return notice{}, errors.New("There is no credential with that ID.")
		}
	}
	entry(r).Note = "removed credential " + id + " from app " + a.AppID
	return notice{Text: "Deleted."}, nil
}

func (s *Server) portalCertificate(r *http.Request, _ *user, a *application) (notice, error) {
	block, _ := pem.Decode([]byte(r.PostFormValue("certificate")))
	if block == nil || block.Type != "CERTIFICATE" {
		return notice{}, errors.New("Paste a certificate in PEM form, beginning with -----BEGIN CERTIFICATE-----.")
	}
	k, err := s.newKey(base64.StdEncoding.EncodeToString(block.Bytes), r.PostFormValue("description"), "")
	if err != nil {
		return notice{}, err
	}
	a.Keys = append(a.Keys, k)
	entry(r).Note = "added certificate " + k.KeyID + " to app " + a.AppID
	return notice{Text: "Uploaded."}, nil
}

func (s *Server) portalPermission(r *http.Request, _ *user, a *application) (notice, error) {
	kind := r.PostFormValue("type")
	p, err := permissionByName(r.PostFormValue("permission"), kind)
	if err != nil {
		return notice{}, err
	}
	want := accessID{p.id(kind), kind}
	required := slices.Clone(a.Required)
	i := slices.IndexFunc(required, func(x resourceAccess) bool { return x.ResourceAppID == GraphAppID })
	if i < 0 {
		required, i = append(required, resourceAccess{ResourceAppID: GraphAppID}), len(required)
	}
	if !slices.Contains(required[i].ResourceAccess, want) {
		required[i].ResourceAccess = append(slices.Clone(required[i].ResourceAccess), want)
	}
	entry(r).Note = "requested " + p.value + " for app " + a.AppID
	return notice{Text: "Added " + p.value + "."}, s.apply(properties{"requiredResourceAccess": json.RawMessage(marshal(required))}, a)
}

func (s *Server) portalConsent(r *http.Request, u *user, a *application) (notice, error) {
	s.grantConsent(a, u)
	entry(r).Note = "granted admin consent to " + a.DisplayName
	return notice{Text: "Admin consent was granted for " + s.cfg.Name + "."}, nil
}

// permissionRow is one line of the API permissions page.
type permissionRow struct {
	Name, Type string
	Granted    bool
}

func (s *Server) permissionRows(a *application) []permissionRow {
	var out []permissionRow
	sp := s.st.principalByAppID(a.AppID)
	for _, kind := range []string{"Role", "Scope"} {
		for _, name := range requested(a, kind) {
			row := permissionRow{Name: name, Type: map[string]string{"Role": "Application", "Scope": "Delegated"}[kind]}
			if sp != nil && kind == "Role" {
				row.Granted = slices.Contains(s.st.rolesOf(sp), name)
			} else if sp != nil {
				row.Granted = slices.Contains(s.st.scopesOf(sp, ""), name)
			}
			out = append(out, row)
		}
	}
	return out
}

// roleRow is one line of the PIM page.
type roleRow struct {
	ID, Name, State string
	Until           time.Time
	Activatable     bool
}

func (s *Server) pim(w http.ResponseWriter, r *http.Request, u *user, problem string) {
	var rows []roleRow
	now := s.now()
	for _, t := range u.Eligible {
		row := roleRow{ID: t, Name: roleName(t), State: "Eligible", Activatable: true}
		if until := u.Activated[t]; now.Before(until) {
			row.State, row.Until, row.Activatable = "Activated", until, false
		}
		rows = append(rows, row)
	}
	for _, t := range append(slices.Clone(u.Active), u.GroupRoles...) {
		rows = append(rows, roleRow{ID: t, Name: roleName(t), State: "Active"})
	}
	status := http.StatusOK
	if problem != "" {
		status = http.StatusBadRequest
	}
	s.page(w, r, status, "pim", pageData{Title: "My roles", User: u, RoleRows: rows, Problem: problem})
}

func (s *Server) portalActivate(w http.ResponseWriter, r *http.Request, u *user) {
	if strings.TrimSpace(r.PostFormValue("reason")) == "" {
		s.pim(w, r, u, "Activation needs a reason.")
		return
	}
	if err := s.activate(u, r.PostFormValue("role")); err != nil {
		s.pim(w, r, u, err.Error())
		return
	}
	entry(r).Note = "activated " + roleName(r.PostFormValue("role"))
	s.changed()
	s.seeOther(w, "/entra/pim")
}
