package engine_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/web/signin"
)

// door is a system's sign-in as the tests say it is.
type door struct {
	mu    sync.Mutex
	in    bot.SignedIn
	err   error
	codes []bot.SignInCode
}

func (d *door) Address(_ bot.TenantID, r bot.SignInRequest) (string, error) {
	return "https://login.example.com/authorize?" + url.Values{"state": {r.State}, "nonce": {r.Nonce}, "code_challenge": {r.Challenge}, "login_hint": {r.Account}}.Encode(), nil
}

func (d *door) Redeem(_ context.Context, _ bot.TenantID, c bot.SignInCode) (bot.SignedIn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.codes = append(d.codes, c)
	in := d.in
	in.Token = bot.NewSecret(canaryToken)
	return in, d.err
}

func (d *door) Issuer(bot.TenantID) string { return "https://login.example.com/contoso" }

func (d *door) Explain(code, _ string) *bot.Failure {
	return &bot.Failure{Kind: bot.KindForbidden, Says: "The consent was declined.", Fix: "A Privileged Role Administrator has to accept.", Code: code}
}

// front is a world whose people sign in on Keyturn's own pages.
type front struct {
	*world
	url   string
	door  *door
	now   *door // ServiceNow's
	pages http.Handler
}

func newFront(t testing.TB) *front {
	f := &front{world: newWorld(t), door: &door{}, now: &door{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.pages.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	f.url = srv.URL
	f.tenant.Modes = map[bot.System]bot.Mode{bot.Graph: bot.Delegated}
	f.env.Public = srv.URL
	f.env.Gate = func(bot.TenantID, bot.System) string { return "https://login.example.com" }
	f.engine.Doors = map[bot.System]engine.Door{bot.Graph: f.door, bot.ServiceNow: f.now}
	pages, err := signin.New(signin.Config{Desk: f.engine, Public: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	f.pages = pages
	f.door.in = bot.SignedIn{Account: "ada.admin@contoso.com", Object: "ada-admin", Until: f.clock.Now().Add(time.Hour)}
	f.begin()
	f.click("agree", "URITA", setup.ActAnswer, "r1/agree/")
	f.pass(10 * time.Second)
	f.wantStep("make", setup.Unsigned)
	return f
}

// browser follows no redirect: what it is sent to is looked at.
func browser() *http.Client {
	jar, _ := cookiejar.New(nil) // without options it cannot fail
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type seen struct {
	status int
	body   string
	header http.Header
	to     *url.URL
}

func (f *front) do(c *http.Client, r *http.Request) seen {
	f.t.Helper()
	resp, err := c.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	to, _ := resp.Location() // none is nil
	return seen{resp.StatusCode, string(b), resp.Header, to}
}

func (f *front) get(c *http.Client, address string) seen {
	f.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = f.url + address
	}
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.do(c, r)
}

func (f *front) post(c *http.Client, address string, form url.Values, headers ...string) seen {
	f.t.Helper()
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return f.do(c, r)
}

// ask has a person choose [Sign in], and gives the link and the number.
func (f *front) ask(who string) (link, number string) {
	f.t.Helper()
	digest := ""
	if p := f.step("make").Plan; p != nil {
		digest = p.Digest
	}
	reply := f.click(f.id(), who, setup.ActSignIn, "r1/make/"+digest)
	said := asJSON(reply)
	link, m := linkIn.FindString(said), numberIn.FindStringSubmatch(reply.Message.Words())
	if link == "" || m == nil {
		f.t.Fatalf("%s was answered: %s", who, said)
	}
	return link, m[1]
}

func (f *front) confirm(c *http.Client, link, number string) seen {
	f.t.Helper()
	page := f.get(c, link)
	check := checkIn.FindStringSubmatch(page.body)
	if check == nil {
		return page
	}
	return f.post(c, link, url.Values{"check": {check[1]}, "number": {number}})
}

// begun brings Ada's own browser to the system's page. It gives the state.
func (f *front) begun() (c *http.Client, state string) {
	f.t.Helper()
	return f.begins("UADA")
}

func (f *front) begins(who string) (c *http.Client, state string) {
	f.t.Helper()
	link, number := f.ask(who)
	c = browser()
	s := f.confirm(c, link, number)
	if s.status != http.StatusSeeOther || s.to.Host != "login.example.com" {
		f.t.Fatalf("the confirming click led to %d %v: %s", s.status, s.to, s.body)
	}
	return c, s.to.Query().Get("state")
}

func back(state string) string {
	return "/signin/entra?" + url.Values{"state": {state}, "code": {canaryCode}}.Encode()
}

func (f *front) token(p bot.PersonID) bot.Secret {
	s, err := engine.Sessions{Store: f.store, Now: f.clock.Now}.Token(f.t.Context(), "contoso", bot.Graph, bot.CallIdentity{Person: p})
	if err != nil && bot.KindOf(err) != bot.KindSignIn {
		f.t.Fatal(err)
	}
	return s
}

// canaries looks for codes and tokens wherever something is kept or said.
func (f *front) canaries() {
	f.t.Helper()
	b, err := os.ReadFile(f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	f.chat.mu.Lock()
	defer f.chat.mu.Unlock()
	said := strings.Join(f.chat.answers, "\n") + strings.Join(f.chat.homes, "\n")
	for _, m := range f.chat.messages {
		said += m.Words
	}
	for _, c := range []string{canaryCode, canaryToken} {
		if bytes.Contains(b, []byte(c)) || strings.Contains(said, c) {
			f.t.Errorf("%s is in clear in the store or in chat", c)
		}
	}
}

func (f *front) signIn(who string) {
	f.t.Helper()
	c, state := f.begins(who)
	f.get(c, back(state))
	f.pass(10 * time.Second)
}

// words is everything that the bot has said to somebody.
func (f *front) words() string {
	f.chat.mu.Lock()
	defer f.chat.mu.Unlock()
	var b strings.Builder
	for _, m := range f.chat.messages {
		b.WriteString(m.Words + "\n")
	}
	return b.String()
}
