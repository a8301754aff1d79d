package microsoft

import (
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

//go:embed pages
var pageFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"date": func(t time.Time) string { return t.Format("2006-01-02 15:04") },
	"day":  func(t time.Time) string { return t.Format("2006-01-02") },
	"thumb": func(k *keyCredential) string {
		return thumbprint(k.Certificate)
	},
	"lines": func(list []string) string { return strings.Join(list, "\n") },
	"roles": func(u *user, at time.Time) string { return roleNames(u.active(at)) },
	"style": func() template.CSS { b, _ := pageFiles.ReadFile("pages/style.css"); return template.CSS(b) },
	"hash":  func() template.JS { b, _ := pageFiles.ReadFile("pages/hash.js"); return template.JS(b) },
}).ParseFS(pageFiles, "pages/*.html"))

// pageData is what a page shows; each page uses some of it.
type pageData struct {
	Title, Text, Problem string
	Failed               bool
	Portal               string // "entra", "admin", "login"
	Org, Domain          string
	User                 *user
	Now                  time.Time

	// sign-in and consent
	App, AppID, Action   string
	Accounts             []*user
	Hidden               url.Values
	Items, Roles, Scopes []string
	Admin                bool

	// Entra portal
	Apps         []*application
	Registration *application
	TenantID     string
	Tab          string
	Notice       notice
	Permissions  []permissionRow
	RoleRows     []roleRow

	// admin center
	Alive     bool
	Admin365  adminCenter
	AuthTypes []string
	Form      url.Values
	Health    []healthRow
}

// Value is what was typed into a field of a form that is shown again.
func (d pageData) Value(name string) string { return d.Form.Get(name) }

// CSSPortal names the portal in the page's body class.
func (d pageData) CSSPortal() string {
	if d.Portal == "" {
		return "login"
	}
	return d.Portal
}

// page renders a page whole before any of it is sent.
func (s *Server) page(w http.ResponseWriter, r *http.Request, status int, name string, d pageData) {
	d.Org, d.Domain, d.Now = s.cfg.Name, s.cfg.Domain, s.now()
	if d.Portal == "" {
		for _, p := range []string{"entra", "admin"} {
			if strings.HasPrefix(r.URL.Path, "/"+p) {
				d.Portal = p
			}
		}
	}
	var b strings.Builder
	if err := pages.ExecuteTemplate(&b, name+".html", d); err != nil {
		http.Error(w, "this page cannot be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String()))
}

const asCookie = "as"

// signedIn tells who visits a portal: the query's or the form's "as", else the
// cookie's. Without one it shows the accounts to choose from and returns nil.
func (s *Server) signedIn(w http.ResponseWriter, r *http.Request, portal string) *user {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return nil
	}
	as := r.Form.Get("as") // empty asks for the choice again
	if c, err := r.Cookie(asCookie); err == nil && !r.Form.Has("as") {
		as, _ = url.QueryUnescape(c.Value)
	}
	if u := s.st.userBy(as); u != nil && !u.Disabled {
		if r.Form.Has("as") {
			http.SetCookie(w, &http.Cookie{Name: asCookie, Value: url.QueryEscape(u.UPN), Path: "/", SameSite: http.SameSiteLaxMode})
		}
		entry(r).Who = u.UPN
		return u
	}
	back := r.URL.EscapedPath()
	if r.Method != http.MethodGet {
		back = "/" + strings.SplitN(strings.TrimPrefix(back, "/"), "/", 2)[0] + "/"
	}
	status := http.StatusOK
	if r.Method != http.MethodGet {
		status = http.StatusUnauthorized
	}
	s.page(w, r, status, "choose", pageData{Title: "Pick an account", App: portal, Action: back, Accounts: slices.Clone(s.st.Users)})
	return nil
}
