package servicenow

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed pages
var pageFiles embed.FS

var (
	pageTemplates = template.Must(template.ParseFS(pageFiles, "pages/*.html"))
	pageStyle     = func() template.CSS { b, _ := pageFiles.ReadFile("pages/style.css"); return template.CSS(b) }()
)

// pageData is what every page knows.
type pageData struct {
	Title, Error, Notice string
	Body                 any

	// Filled by page.
	Host, User, Scope string
	App               bool
	Style             template.CSS
	Content           template.HTML
}

// option is one choice of a select.
type option struct {
	Value, Label string
	Chosen       bool
}

const sessionCookie = "glide_user"

// page writes one page inside the common frame.
func (s *Server) page(w http.ResponseWriter, r *http.Request, status int, name string, d pageData) {
	d.Host, d.Style = s.cfg.Host, pageStyle
	d.App = s.db.find(schema["sys_store_app"], appSysID) != nil
	if c := s.signedIn(r); c != nil {
		d.User, d.Scope = s.db.display(c.user), "Global"
		if scope := s.currentApp(c); scope != nil {
			d.Scope = scope.get("name")
		}
	}
	var content, out bytes.Buffer
	err := pageTemplates.ExecuteTemplate(&content, name, d)
	d.Content = template.HTML(content.String())
	if err == nil {
		err = pageTemplates.ExecuteTemplate(&out, "layout", d)
	}
	if err != nil {
		http.Error(w, fmt.Sprintf("the page %s cannot be drawn: %v", name, err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html;charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

// portal adds the pages.
func (s *Server) portal(mux *http.ServeMux) {
	mux.HandleFunc("/login.do", s.loginPage)
	mux.HandleFunc("/logout.do", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1})
		http.Redirect(w, r, "/login.do", http.StatusSeeOther)
	})
	mux.HandleFunc("/nav_to.do", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, localPath("/"+strings.TrimPrefix(r.URL.Query().Get("uri"), "/")), http.StatusSeeOther)
	})
	mux.HandleFunc("/application_picker.do", s.withPerson(s.pickerPage))
	mux.HandleFunc("/sys_store_app_list.do", s.withPerson(s.appsPage))
	mux.HandleFunc("/sys_store_app.do", s.withPerson(s.appsPage))
	mux.HandleFunc("/"+appScope+"_setup.do", s.withPerson(s.setupPage))
	mux.HandleFunc("/"+appScope+"_settings.do", s.withPerson(s.settingsPage))
	mux.HandleFunc("/"+appScope+"_insights.do", s.withPerson(s.insightsPage))
	mux.HandleFunc("/", s.withPerson(s.recordPages))
}

// withPerson lets only a signed-in person through. "as=<user name>" in the
// address signs in without a password: this is a simulator.
func (s *Server) withPerson(h func(http.ResponseWriter, *http.Request, *caller)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := s.signedIn(r)
		if c == nil {
			http.Redirect(w, r, "/login.do?to="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		if r.URL.Query().Has("as") {
			setSession(w, c.name())
		}
		note(r, c.name(), "")
		h(w, r, c)
	}
}

func setSession(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: url.QueryEscape(name), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// signedIn is the person behind a page request, or nil.
func (s *Server) signedIn(r *http.Request) *caller {
	name := r.URL.Query().Get("as")
	if cookie, err := r.Cookie(sessionCookie); name == "" && err == nil {
		name, _ = url.QueryUnescape(cookie.Value)
	}
	user := s.db.first("sys_user", "user_name", name)
	if name == "" || !interactive(user) {
		return nil
	}
	return s.callerFor(user)
}

func interactive(user *record) bool { return usable(user) && !user.yes("web_service_access_only") }

// checkPassword signs a person in; an account made without a password takes any.
func (s *Server) checkPassword(name, password string) *caller {
	user := s.db.first("sys_user", "user_name", name)
	if !interactive(user) || user.get("user_password") != "" && user.get("user_password") != hashPassword(password) {
		return nil
	}
	return s.callerFor(user)
}

// people are those who can sign in to pages.
func (s *Server) people() []option {
	var out []option
	for _, u := range s.db.where("sys_user") {
		if interactive(u) {
			out = append(out, option{Value: u.get("user_name"), Label: s.db.display(u) + " (" + u.get("user_name") + ")"})
		}
	}
	return out
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	to := localPath(r.FormValue("to"))
	d := pageData{Title: "Log in", Body: map[string]any{"To": to, "Users": s.people()}}
	if r.Method == http.MethodPost {
		if c := s.checkPassword(r.PostFormValue("user_name"), r.PostFormValue("user_password")); c != nil {
			setSession(w, c.name())
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		d.Error = "User name or password invalid"
	}
	s.page(w, r, http.StatusOK, "login", d)
}

// localPath keeps a redirect on this instance.
func localPath(p string) string {
	u, err := url.Parse(p)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.HasPrefix(p, `/\`) {
		return "/"
	}
	return p
}

// deny is the page for somebody without the right.
func (s *Server) deny(w http.ResponseWriter, r *http.Request) {
	note(r, "", "refused: no right to the page")
	s.page(w, r, http.StatusForbidden, "message", pageData{Title: "Access denied", Error: "Security constraints prevent access to requested page"})
}

func (s *Server) missing(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, http.StatusNotFound, "message", pageData{Title: "Page not found", Error: "The page you are looking for could not be found."})
}

func (s *Server) pickerPage(w http.ResponseWriter, r *http.Request, c *caller) {
	if !c.admin() {
		s.deny(w, r)
		return
	}
	if r.Method == http.MethodPost {
		scope := s.db.find(schema["sys_scope"], r.PostFormValue("scope"))
		if scope == nil {
			s.page(w, r, http.StatusBadRequest, "message", pageData{Title: "Application scope", Error: "There is no such application."})
			return
		}
		s.pick(c.user, scope.id())
		note(r, "", "application scope is "+scope.get("name"))
		http.Redirect(w, r, "/application_picker.do", http.StatusSeeOther)
		return
	}
	current := globalScope
	if scope := s.currentApp(c); scope != nil {
		current = scope.id()
	}
	var scopes []option
	for _, row := range s.db.all(schema["sys_scope"]) {
		scopes = append(scopes, option{row.id(), row.get("name"), row.id() == current})
	}
	s.page(w, r, http.StatusOK, "picker", pageData{Title: "Application scope", Body: scopes})
}

// pick moves a person's application picker.
func (s *Server) pick(user *record, scope string) {
	if pref := s.db.first("sys_user_preference", "user", user.id(), "name", currentAppPreference); pref != nil {
		pref.Values["value"] = scope
	} else {
		s.put("sys_user_preference", map[string]string{"user": user.id(), "name": currentAppPreference, "value": scope, "type": "string"})
	}
	s.changed()
}
