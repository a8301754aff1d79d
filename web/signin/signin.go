package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"keyturn/bot"
)

// Desk is whom the pages ask. Its decisions are committed before it answers.
type Desk interface {
	// SignInPage is what the page of a link says. It changes nothing.
	SignInPage(ctx context.Context, t bot.TenantID, key string) (bot.SignInPage, error)
	// BeginSignIn is the confirming click. It gives the address of the system's
	// own page, or none and a page that says why.
	BeginSignIn(ctx context.Context, t bot.TenantID, key, browser, number string) (string, bot.SignInPage, error)
	// ReturnSignIn takes what the system sent a browser back with.
	ReturnSignIn(ctx context.Context, r bot.SignInReturn) (bot.SignInPage, error)
	// SignInAfter is how a sign-in goes on, for the browser that began it.
	SignInAfter(ctx context.Context, t bot.TenantID, id, browser string) (bot.SignInPage, error)
	// Reveal shows a secret once, to the browser that signed in for it.
	Reveal(ctx context.Context, t bot.TenantID, id, browser string) (bot.Secret, bot.SignInPage, error)
}

// Config is what [New] needs.
type Config struct {
	Desk   Desk
	Public string // Keyturn's address as browsers reach it: https://keyturn.contoso.com
	Log    *slog.Logger
}

type handler struct {
	desk   Desk
	own    string
	secure bool
	cookie string
	log    *slog.Logger
}

// New serves the pages below /signin/.
func New(c Config) (http.Handler, error) {
	u, err := url.Parse(c.Public)
	if err != nil {
		return nil, err
	}
	h := &handler{desk: c.Desk, own: u.Host, secure: u.Scheme == "https", cookie: "keyturn_browser", log: c.Log}
	if h.secure {
		h.cookie = "__Host-keyturn" // browsers take it over https only, for this host alone
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /signin/go/{tenant}/{key}", h.offered)
	mux.HandleFunc("POST /signin/go/{tenant}/{key}", h.confirm)
	mux.HandleFunc("GET /signin/entra", h.back(bot.Graph))
	mux.HandleFunc("GET /signin/servicenow/{tenant}", h.back(bot.ServiceNow))
	mux.HandleFunc("GET /signin/after/{tenant}/{id}", h.after)
	mux.HandleFunc("POST /signin/reveal/{tenant}/{id}", h.reveal)
	mux.HandleFunc("/signin/", func(w http.ResponseWriter, _ *http.Request) { h.nothing(w) })
	same := http.NewCrossOriginProtection() // a form of another site sends nothing here
	if err := same.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
		return nil, err
	}
	same.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { h.nothing(w) }))
	return h.guard(same.Handler(mux)), nil
}

// nothing is the one answer to whatever does not fit.
func (h *handler) nothing(w http.ResponseWriter) {
	h.write(w, http.StatusNotFound, "end", view{Title: "This sign-in cannot be used", SignInPage: bot.SignInPage{Stage: bot.SignInGone,
		Says: "It is over, was used already, or belongs to another browser.", Fix: "Go back to the chat and choose [Sign in] on your card again. Nothing was run."}})
}

func (h *handler) broken(w http.ResponseWriter, what string, err error) {
	h.log.Error("a sign-in page could not be answered", "what", what, "err", err)
	h.write(w, http.StatusServiceUnavailable, "end", view{Title: "Not now", SignInPage: bot.SignInPage{Stage: bot.SignInFailed,
		Says: "Keyturn cannot do this at the moment. Nothing was run.", Fix: "Try again from the chat in a minute; whoever runs Keyturn finds the cause in its log."}})
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// offered shows what a sign-in is for.
func (h *handler) offered(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	if !plain.MatchString(key) {
		h.nothing(w)
		return
	}
	page, err := h.desk.SignInPage(r.Context(), bot.TenantID(r.PathValue("tenant")), key)
	switch {
	case err != nil:
		h.broken(w, "offer", err)
	case page.Stage != bot.SignInOffered && page.Stage != bot.SignInBegun:
		h.nothing(w)
	default:
		browser := h.browser(r)
		if browser == "" {
			browser = fresh()
			h.remember(w, browser)
		}
		h.write(w, http.StatusOK, "offer", view{SignInPage: page, Title: "Sign in at " + page.System, Action: r.URL.EscapedPath(), Check: check(browser, key)})
	}
}

// confirm is the confirming click.
func (h *handler) confirm(w http.ResponseWriter, r *http.Request) {
	key, browser := r.PathValue("key"), h.browser(r)
	if r.ParseForm() != nil || browser == "" || !plain.MatchString(key) || subtle.ConstantTimeCompare([]byte(r.PostForm.Get("check")), []byte(check(browser, key))) != 1 {
		h.nothing(w)
		return
	}
	address, page, err := h.desk.BeginSignIn(r.Context(), bot.TenantID(r.PathValue("tenant")), key, browser, r.PostForm.Get("number"))
	switch {
	case err != nil:
		h.broken(w, "begin", err)
	case address == "" && page.Stage == bot.SignInFailed:
		h.write(w, http.StatusForbidden, "end", view{SignInPage: page, Title: "Not signed in"})
	case address == "":
		h.nothing(w)
	default:
		http.Redirect(w, r, address, http.StatusSeeOther)
	}
}

// back is where a system's own page sends a browser.
func (h *handler) back(system bot.System) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		for _, name := range []string{"state", "code", "error", "iss"} { // who adds a second one is guessing
			if len(q[name]) > 1 {
				h.nothing(w)
				return
			}
		}
		page, err := h.desk.ReturnSignIn(r.Context(), bot.SignInReturn{System: system, Tenant: bot.TenantID(r.PathValue("tenant")), State: q.Get("state"),
			Code: bot.NewSecret(q.Get("code")), Error: cut(q.Get("error"), 100), Description: cut(q.Get("error_description"), 1000), Issuer: cut(q.Get("iss"), 300), Browser: h.browser(r)})
		switch {
		case err != nil:
			h.broken(w, "return", err)
		case page.Stage == bot.SignInGone || page.ID == "":
			h.nothing(w)
		default: // the address with the code in it is left at once
			http.Redirect(w, r, "/signin/after/"+url.PathEscape(string(page.For))+"/"+page.ID, http.StatusSeeOther)
		}
	}
}

// after shows how a sign-in went.
func (h *handler) after(w http.ResponseWriter, r *http.Request) {
	if !plain.MatchString(r.PathValue("id")) {
		h.nothing(w)
		return
	}
	page, err := h.desk.SignInAfter(r.Context(), bot.TenantID(r.PathValue("tenant")), r.PathValue("id"), h.browser(r))
	v := view{SignInPage: page}
	switch {
	case err != nil:
		h.broken(w, "after", err)
		return
	case page.Stage == bot.SignInBegun, page.Stage == bot.SignInReturned:
		v.Title, v.Again = "One moment", true
		v.Says = "Keyturn looks who signed in."
	case page.Stage == bot.SignInDone && page.Reveal != nil:
		v.Title, v.Action = "Show the secret once", "/signin/reveal/"+url.PathEscape(string(page.For))+"/"+page.ID
		h.write(w, http.StatusOK, "reveal", v)
		return
	case page.Stage == bot.SignInDone:
		v.Title = "Signed in"
	case page.Stage == bot.SignInFailed, page.Stage == bot.SignInUnlinked:
		v.Title = "Not signed in"
	default:
		h.nothing(w)
		return
	}
	h.write(w, http.StatusOK, "end", v)
}

// reveal shows a secret, once.
func (h *handler) reveal(w http.ResponseWriter, r *http.Request) {
	if !plain.MatchString(r.PathValue("id")) {
		h.nothing(w)
		return
	}
	secret, page, err := h.desk.Reveal(r.Context(), bot.TenantID(r.PathValue("tenant")), r.PathValue("id"), h.browser(r))
	switch {
	case err != nil:
		h.broken(w, "reveal", err)
	case secret.IsZero():
		h.nothing(w)
	default:
		h.write(w, http.StatusOK, "shown", view{SignInPage: page, Title: "The secret, once", Secret: secret.Reveal()})
	}
}

// browser is the browser's own secret, or "".
func (h *handler) browser(r *http.Request) string {
	c, err := r.Cookie(h.cookie)
	if err != nil || len(c.Value) != 43 || !plain.MatchString(c.Value) {
		return ""
	}
	return c.Value
}

// remember gives the browser its secret. It comes along when a system's page
// sends the browser back here, which Strict would not allow.
func (h *handler) remember(w http.ResponseWriter, browser string) {
	http.SetCookie(w, &http.Cookie{Name: h.cookie, Value: browser, Path: "/", MaxAge: 3600, HttpOnly: true, Secure: h.secure, SameSite: http.SameSiteLaxMode})
}

func fresh() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program where the system has no randomness
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// check ties a page's form to the browser that it was shown to.
func check(browser, key string) string {
	s := sha256.Sum256([]byte(browser + "/" + key))
	return base64.RawURLEncoding.EncodeToString(s[:])
}

func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
