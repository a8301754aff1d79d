package chat

import (
	"bytes"
	"cmp"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"keyturn/sim/slack"
	"keyturn/sim/teams"
)

// Config is what the page shows.
type Config struct {
	// Slack is the simulated workspace; the page calls its methods directly. Nil
	// shows a demo without Slack.
	Slack *slack.Server
	// Teams is the simulated tenant of Microsoft Teams. Nil shows a demo without.
	Teams *teams.Server
	// People says which accounts of Slack and Teams are the same person's. Those
	// that it does not name are joined by their name.
	People []Person
	Title  string // of the page, default "Keyturn demo"
	// Portals are the other systems of the demo, shown beside the chat.
	Portals []Portal
	// Try are lines offered above the composer, as Slack takes them: "/keyturn
	// setup". For Teams the command becomes a mention of the bot.
	Try []string
	// Menu is what the app put into the menu of messages, in both systems.
	Menu []MenuItem
	// ImageOrigins are the origins that pictures in messages may be loaded from
	// ("http://127.0.0.1:8080"). Pictures from elsewhere show their words only.
	ImageOrigins []string
	Now          func() time.Time // default time.Now
}

// MenuItem is a command in the menu of a message: the callback ID of a message
// shortcut in Slack, the command ID of a message action in Teams.
type MenuItem struct{ ID, Words string }

// Portal is a page of another simulated system.
type Portal struct {
	Name string
	URL  string // absolute; its server must allow this page to frame it
	Role string // who uses it, "Entra admin"
}

//go:embed static templates
var files embed.FS

// New returns the chat page. It listens nowhere by itself; mount it at the root
// of an address or below a path that ends with a slash (http.StripPrefix).
func New(cfg Config) http.Handler {
	cfg.Title = cmp.Or(cfg.Title, "Keyturn demo")
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &page{cfg: cfg, read: map[string]map[string]string{}, red: map[string]redLine{}, tmpl: template.Must(template.New("").ParseFS(files, "templates/*.html"))}
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.show)
	mux.HandleFunc("GET /events", p.events)
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.HandleFunc("POST /do/{action}", p.do)
	return p.secured(http.NewCrossOriginProtection().Handler(mux))
}

// page serves one demo.
type page struct {
	cfg  Config
	tmpl *template.Template

	mu   sync.Mutex
	read map[string]map[string]string // person -> channel -> ts of the newest message they saw
	red  map[string]redLine           // what went wrong at the last click on a card of Teams
}

func (p *page) secured(next http.Handler) http.Handler {
	var frames []string
	for _, portal := range p.cfg.Portals {
		if u, err := url.Parse(portal.URL); err == nil && u.Host != "" {
			frames = append(frames, u.Scheme+"://"+u.Host)
		}
	}
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
		"img-src 'self' data: " + strings.Join(p.cfg.ImageOrigins, " ") + "; frame-src 'self' " + strings.Join(frames, " ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

func (p *page) show(w http.ResponseWriter, r *http.Request) {
	view, err := p.view(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	var b bytes.Buffer
	if err := p.tmpl.ExecuteTemplate(&b, "page.html", view); err != nil {
		http.Error(w, "The page could not be drawn: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes()) // a browser that went away cannot be told
}
