package signin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"

	"keyturn/bot"
)

//go:embed pages
var files embed.FS

var (
	templates = template.Must(template.New("").Funcs(template.FuncMap{"style": func() template.CSS { return style }}).ParseFS(files, "pages/*.html"))
	style     = func() template.CSS { b, _ := files.ReadFile("pages/style.css"); return template.CSS(b) }()
	styleSum  = func() string { s := sha256.Sum256([]byte(style)); return base64.StdEncoding.EncodeToString(s[:]) }()
)

// view is what a template draws.
type view struct {
	bot.SignInPage
	Title  string
	Own    string // Keyturn's own host, as the address bar shows it
	Action string
	Check  string
	Again  bool // the page asks again by itself how it went
	Secret string
}

// write answers with a page. The policy allows the one style that is in it, and
// forms that lead to Keyturn or to the system that the page names.
func (h *handler) write(w http.ResponseWriter, status int, name string, v view) {
	var out bytes.Buffer
	v.Own = h.own
	if err := templates.ExecuteTemplate(&out, name, v); err != nil {
		h.log.Error("a page could not be drawn", "page", name, "err", err)
		http.Error(w, "This page could not be drawn. Go back to the chat and try again.", http.StatusInternalServerError)
		return
	}
	forms := "'self'"
	if v.Origin != "" && !strings.ContainsAny(v.Origin, " ;,'\"") {
		forms += " " + v.Origin
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+styleSum+"'; form-action "+forms+"; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

// guard sets what every answer carries.
func (h *handler) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set := w.Header().Set
		set("Cache-Control", "no-store")
		set("Content-Security-Policy", "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
		set("Cross-Origin-Opener-Policy", "same-origin")
		set("Cross-Origin-Resource-Policy", "same-origin")
		set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		set("Referrer-Policy", "same-origin") // a code in an address goes to nobody else
		set("X-Content-Type-Options", "nosniff")
		set("X-Frame-Options", "DENY")
		if h.secure {
			set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
		next.ServeHTTP(w, r)
	})
}
