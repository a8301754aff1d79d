package about

import (
	"embed"
	"net/http"
)

// The addresses of the pages, below the one at which Keyturn is reached.
const (
	FrontPath   = "/"
	PrivacyPath = "/privacy"
	TermsPath   = "/terms"
)

//go:embed pages
var pages embed.FS

// Serve adds the pages to a server's routes.
func Serve(routes *http.ServeMux) {
	for path, name := range map[string]string{FrontPath + "{$}": "front.html", PrivacyPath: "privacy.html", TermsPath: "terms.html"} {
		page, err := pages.ReadFile("pages/" + name)
		if err != nil {
			panic(err) // it is in the program
		}
		routes.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Content-Type", "text/html; charset=utf-8")
			h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("Cache-Control", "public, max-age=3600")
			_, _ = w.Write(page) // a reader that hung up needs no answer
		})
	}
}
