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
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/web/signin"
)

const (
	canaryCode  = "canary-code-5b1e"
	canaryToken = "canary-token-8d20"
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

var (
	linkIn   = regexp.MustCompile(`http://127\.0\.0\.1:\d+/signin/go/contoso/[A-Za-z0-9_-]+`)
	numberIn = regexp.MustCompile(`number: (\d\d)`)
	checkIn  = regexp.MustCompile(`name="check" value="([^"]+)"`)
)

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
	link, number := f.ask("UADA")
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

func TestAPersonSignsInAndTheStepGoesOnAsThem(t *testing.T) {
	f := newFront(t)
	link, number := f.ask("UADA")
	c := browser()
	page := f.get(c, link)
	for _, want := range []string{"Ada", "Rita", "Make it", "r1", "login.example.com", "ada.admin@contoso.com", ">" + number + "<"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page does not name %q:\n%s", want, page.body)
		}
	}
	for _, h := range []string{"Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "Cache-Control", "X-Content-Type-Options"} {
		if page.header.Get(h) == "" {
			t.Errorf("the page has no %s", h)
		}
	}
	s := f.confirm(c, link, number)
	q := s.to.Query()
	if s.status != http.StatusSeeOther || q.Get("nonce") == "" || q.Get("code_challenge") == "" || q.Get("login_hint") != "ada.admin@contoso.com" {
		t.Fatalf("the confirming click led to %d %v", s.status, s.to)
	}
	s = f.get(c, back(q.Get("state")))
	if s.status != http.StatusSeeOther || !strings.HasPrefix(s.to.Path, "/signin/after/contoso/") || s.to.RawQuery != "" {
		t.Fatalf("the return led to %d %v", s.status, s.to)
	}
	after := s.to.String()
	if s = f.get(c, after); !strings.Contains(s.body, "One moment") {
		t.Fatalf("before the code is redeemed: %s", s.body)
	}
	f.pass(10 * time.Second)
	if s = f.get(c, after); !strings.Contains(s.body, "You are signed in as ada.admin@contoso.com") {
		t.Fatalf("after it: %s", s.body)
	}
	if s = f.get(browser(), after); s.status != http.StatusNotFound {
		t.Fatalf("another browser sees %d %s", s.status, s.body)
	}
	if n := len(f.door.codes); n != 1 || f.door.codes[0].Code.Reveal() != canaryCode || f.door.codes[0].Nonce != q.Get("nonce") {
		t.Fatalf("%d codes were redeemed: %+v", n, f.door.codes)
	}
	f.wantStep("make", setup.Planned)
	f.approve()
	f.pass(time.Minute)
	f.wantStep("make", setup.Done)
	for _, x := range f.graph.calls {
		if x.Identity.Person != "ada" || x.Identity.Account != "ada.admin@contoso.com" {
			t.Errorf("%s %s ran as %+v", x.Method, x.Path, x.Identity)
		}
	}
	f.canaries()
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

func TestAVisitEndsWithItsLastStep(t *testing.T) {
	f := newFront(t)
	f.signIn("UADA")
	if f.token("ada").IsZero() {
		t.Fatal("Ada is signed in and has no token")
	}
	f.click(f.id(), "URITA", "run-really-cancel", "r1")
	f.pass(time.Minute)
	if s := f.token("ada"); !s.IsZero() {
		t.Error("the run is over, and Ada's token is still there")
	}
	f.read(func(v engine.View) error {
		if s, err := v.Secret("session/contoso/ada/graph"); err == nil {
			t.Errorf("the token is still kept: %v", s)
		}
		return nil
	})
}

func (f *front) signIn(who string) {
	f.t.Helper()
	c, state := f.begun()
	f.get(c, back(state))
	f.pass(10 * time.Second)
}

func TestATokenEndsByItsTime(t *testing.T) {
	f := newFront(t)
	f.signIn("UADA")
	f.wantStep("make", setup.Planned)
	f.pass(2 * time.Hour)
	if said := asJSON(f.click(f.id(), "UADA", setup.ActApprove, "r1/make/"+f.step("make").Plan.Digest)); !strings.Contains(said, "you are not signed in now, so I have not run anything") || !linkIn.MatchString(said) {
		t.Errorf("Ada was answered: %s", said)
	}
	f.wantStep("make", setup.Planned)
}

func TestSomebodyElseMustSignInThemselvesToApprove(t *testing.T) {
	f := newFront(t)
	f.signIn("UADA")
	if said := asJSON(f.click(f.id(), "UAMIR", setup.ActApprove, "r1/make/"+f.step("make").Plan.Digest)); !strings.Contains(said, "you are not signed in now") {
		t.Errorf("Amir was answered: %s", said)
	}
	f.wantStep("make", setup.Planned)
}

func TestARevokedTokenWaitsForItsApprover(t *testing.T) {
	f := newFront(t)
	f.signIn("UADA")
	f.graph.before = func(c bot.Call) error {
		if c.Write() {
			return &bot.Failure{Kind: bot.KindSignIn, System: bot.Graph, Status: 401, Says: "The sign-in was revoked.", Fix: "Sign in again."}
		}
		return nil
	}
	f.approve()
	f.pass(time.Minute)
	s := f.wantStep("make", setup.Unsigned)
	if s.Approval == nil || s.SignIn.Back != setup.Running || !strings.Contains(s.SignIn.Why, "revoked") {
		t.Fatalf("the step is %+v", s)
	}
	if !f.token("ada").IsZero() {
		t.Error("the refused token is still there")
	}
	f.graph.before = nil
	f.signIn("UADA")
	f.pass(time.Minute)
	f.wantStep("make", setup.Done)
}

func TestAnUnknownAccountIsLinkedOnceAnOwnerAgrees(t *testing.T) {
	f := newFront(t)
	f.door.in.Account, f.door.in.Object = "ada.second@contoso.com", "ada-second"
	f.signIn("UADA")
	f.wantStep("make", setup.Unsigned)
	if !f.token("ada").IsZero() {
		t.Fatal("a sign-in with an unknown account was taken")
	}
	var id string
	f.read(func(v engine.View) error {
		all, err := v.Records("sign-in", "contoso")
		if len(all) == 1 {
			id = all[0].Key
		}
		return err
	})
	f.click(f.id(), "UAMIR", setup.ActLink, id) // it is not his
	f.click(f.id(), "UADA", setup.ActLink, id)
	f.click(f.id(), "UADA", setup.ActLinkYes, id) // she is no owner
	f.settle()
	f.signIn("UADA")
	if !f.token("ada").IsZero() {
		t.Fatal("the account was taken before an owner agreed")
	}
	f.click(f.id(), "UOLGA", setup.ActLinkYes, id)
	f.settle()
	f.signIn("UADA")
	if f.token("ada").IsZero() {
		t.Fatal("an owner agreed, and the account is not taken")
	}
	f.wantStep("make", setup.Planned)
}

func TestHostileSignIns(t *testing.T) {
	flip := func(s string, i int) string {
		b := []byte(s)
		if i < 0 {
			i += len(b)
		}
		if b[i] == 'a' {
			b[i] = 'b'
		} else {
			b[i] = 'a'
		}
		return string(b)
	}
	part := func(state string, n int, v string) string {
		p := strings.Split(state, ".")
		p[n] = v
		return strings.Join(p, ".")
	}
	ret := func(of func(f *front, c *http.Client, state string)) func(f *front) {
		return func(f *front) {
			c, state := f.begun()
			of(f, c, state)
		}
	}
	query := func(change func(url.Values)) func(f *front) {
		return ret(func(f *front, c *http.Client, state string) {
			q := url.Values{"state": {state}, "code": {canaryCode}}
			change(q)
			f.get(c, "/signin/entra?"+q.Encode())
		})
	}
	state := func(change func(string) string) func(f *front) {
		return query(func(q url.Values) { q.Set("state", change(q.Get("state"))) })
	}
	link := func(of func(f *front, link, number string)) func(f *front) {
		return func(f *front) {
			l, n := f.ask("UADA")
			of(f, l, n)
		}
	}
	form := func(headers ...string) func(f *front) {
		return link(func(f *front, l, n string) {
			c := browser()
			check := checkIn.FindStringSubmatch(f.get(c, l).body)
			if s := f.post(c, l, url.Values{"check": {check[1]}, "number": {n}}, headers...); s.status == http.StatusSeeOther {
				f.t.Errorf("it was taken: %v", s.to)
			}
		})
	}
	as := func(in bot.SignedIn, err error) func(f *front) {
		return func(f *front) {
			in.Until = f.clock.Now().Add(time.Hour)
			f.door.in, f.door.err = in, err
			c, state := f.begun()
			f.get(c, back(state))
		}
	}
	for name, attack := range map[string]func(f *front){
		"no state":                    query(func(q url.Values) { q.Del("state") }),
		"an empty code":               query(func(q url.Values) { q.Set("code", "") }),
		"no code":                     query(func(q url.Values) { q.Del("code") }),
		"an endless code":             query(func(q url.Values) { q.Set("code", strings.Repeat("x", 9000)) }),
		"two states":                  query(func(q url.Values) { q.Add("state", q.Get("state")) }),
		"two codes":                   query(func(q url.Values) { q.Add("code", "injected") }),
		"two errors":                  query(func(q url.Values) { q["error"] = []string{"a", "b"} }),
		"a code beside an error":      query(func(q url.Values) { q.Set("error", "access_denied") }),
		"another issuer":              query(func(q url.Values) { q.Set("iss", "https://evil.example") }),
		"an issuer that begins alike": query(func(q url.Values) { q.Set("iss", "https://login.example.com/contoso.evil") }),
		"two issuers":                 query(func(q url.Values) { q["iss"] = []string{"https://login.example.com/contoso", "https://evil.example"} }),
		"a guessed state":             state(func(s string) string { return flip(s, -1) }),
		"another sign-in's ID":        state(func(s string) string { return part(s, 1, strings.Repeat("0", 32)) }),
		"another tenant":              state(func(s string) string { return part(s, 0, "fabrikam") }),
		"a tenant that climbs":        state(func(s string) string { return part(s, 0, "../contoso") }),
		"half a state":                state(func(s string) string { return s[:len(s)/2] }),
		"a state with more":           state(func(s string) string { return s + ".more" }),
		"a state with a zero byte":    state(func(s string) string { return s + "\x00" }),
		"an endless state":            state(func(s string) string { return strings.Repeat(s, 100) }),
		"a state in capitals":         state(strings.ToUpper),
		"a state in another browser":  ret(func(f *front, _ *http.Client, s string) { f.get(browser(), back(s)) }),
		"a browser that is at another sign-in": ret(func(f *front, _ *http.Client, s string) {
			l, n := f.ask("UAMIR")
			c := browser()
			f.confirm(c, l, n)
			f.get(c, back(s))
		}),
		"another system's address": ret(func(f *front, c *http.Client, s string) {
			f.get(c, strings.Replace(back(s), "entra", "servicenow/contoso", 1))
		}),
		"another tenant's address": ret(func(f *front, c *http.Client, s string) {
			f.get(c, strings.Replace(back(s), "entra", "servicenow/fabrikam", 1))
		}),
		"a posted answer":               ret(func(f *front, c *http.Client, s string) { f.post(c, f.url+back(s), nil) }),
		"an answer that comes too late": ret(func(f *front, c *http.Client, s string) { f.pass(16 * time.Minute); f.get(c, back(s)) }),
		"an answer after a refusal": ret(func(f *front, c *http.Client, s string) {
			f.get(c, "/signin/entra?error=access_denied&state="+s)
			f.get(c, back(s))
		}),
		"a state before it was made": link(func(f *front, l, _ string) {
			f.get(browser(), back("contoso."+strings.Repeat("a", 32)+"."+strings.Repeat("b", 43)))
		}),
		"the wrong number":         link(func(f *front, l, n string) { f.confirm(browser(), l, "00") }),
		"no number":                link(func(f *front, l, n string) { f.confirm(browser(), l, "") }),
		"the right number, second": link(func(f *front, l, n string) { c := browser(); f.confirm(c, l, "00"); f.confirm(c, l, n) }),
		"a form from nowhere":      link(func(f *front, l, n string) { f.post(browser(), l, url.Values{"number": {n}}) }),
		"a form with a guessed check": link(func(f *front, l, n string) {
			c := browser()
			f.get(c, l)
			f.post(c, l, url.Values{"number": {n}, "check": {"guess"}})
		}),
		"a form of another site":                form("Origin", "https://evil.example"),
		"a form that the browser calls foreign": form("Sec-Fetch-Site", "cross-site"),
		"a form of a sister site":               form("Sec-Fetch-Site", "same-site"),
		"a link that is too old":                link(func(f *front, l, n string) { f.pass(16 * time.Minute); f.confirm(browser(), l, n) }),
		"a guessed link":                        link(func(f *front, l, n string) { f.confirm(browser(), flip(l, -1), n) }),
		"a link of another tenant":              link(func(f *front, l, n string) { f.confirm(browser(), strings.Replace(l, "contoso", "fabrikam", 1), n) }),
		"a link that another browser has begun": link(func(f *front, l, n string) { f.confirm(browser(), l, n); f.confirm(browser(), l, n) }),
		"a link that asks to lead elsewhere": link(func(f *front, l, n string) {
			c := browser()
			if s := f.confirm(c, l+"?next=https://evil.example&redirect_uri=https://evil.example", n); s.to != nil && s.to.Host == "evil.example" {
				f.t.Errorf("it led to %v", s.to)
			}
		}),
		"an address that is another host": func(f *front) {
			if s := f.get(browser(), f.url+"//evil.example/signin/entra"); s.to != nil && s.to.Host == "evil.example" {
				f.t.Errorf("it led to %v", s.to)
			}
		},
		"a reveal that nobody asked for": ret(func(f *front, c *http.Client, s string) {
			if got := f.post(c, f.url+"/signin/reveal/contoso/"+strings.Split(s, ".")[1], nil); got.status != http.StatusNotFound {
				f.t.Errorf("it was answered: %d %s", got.status, got.body)
			}
		}),
		"somebody else's account":      as(bot.SignedIn{Account: "amir@contoso.com", Object: "amir"}, nil),
		"an account nobody knows":      as(bot.SignedIn{Account: "ada.admin@contoso.com.evil.example", Object: "x"}, nil),
		"an account without an ID":     as(bot.SignedIn{Account: "ada.admin@contoso.com"}, nil),
		"an account of another tenant": as(bot.SignedIn{}, &bot.Failure{Kind: bot.KindSignIn, Says: "The account is of another organisation.", Fix: "Sign in with yours."}),
		"a policy that says no":        as(bot.SignedIn{}, &bot.Failure{Kind: bot.KindPolicy, Says: "Conditional Access blocks this sign-in.", Fix: "Ask the Entra admin."}),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			attack(f)
			f.pass(10 * time.Second)
			for _, p := range []bot.PersonID{"ada", "amir"} {
				if !f.token(p).IsZero() {
					t.Errorf("%s is signed in", p)
				}
			}
			f.wantStep("make", setup.Unsigned)
			f.canaries()
			f.door.err, f.door.in = nil, bot.SignedIn{Account: "ada.admin@contoso.com", Object: "ada-admin", Until: f.clock.Now().Add(time.Hour)}
			f.signIn("UADA")
			f.wantStep("make", setup.Planned) // the run waited unharmed
		})
	}
}

func TestACodeIsRedeemedOnce(t *testing.T) {
	f := newFront(t)
	c, state := f.begun()
	for range 5 {
		f.get(c, back(state))
	}
	f.pass(10 * time.Second)
	f.get(c, back(state))
	f.pass(10 * time.Second)
	if n := len(f.door.codes); n != 1 {
		t.Errorf("the code was redeemed %d times", n)
	}
}

func TestACodeLostInACrashMeansToSignInAgain(t *testing.T) {
	f := newFront(t)
	c, state := f.begun()
	s := f.get(c, back(state))
	f.door.err = &bot.Failure{Kind: bot.KindSignIn, Says: "The code was redeemed already.", Fix: "Sign in again."} // by the life that ended
	f.pass(10 * time.Second)
	if p := f.get(c, s.to.String()); !strings.Contains(p.body, "Sign in again") {
		t.Errorf("the page says: %s", p.body)
	}
	f.wantStep("make", setup.Unsigned)
	f.door.err = nil
	f.signIn("UADA")
	f.wantStep("make", setup.Planned)
}

func FuzzSignInReturn(f *testing.F) {
	f.Add("contoso."+strings.Repeat("a", 32)+"."+strings.Repeat("b", 43), "code", "", "")
	f.Add("", "", "access_denied", "https://login.example.com/contoso")
	f.Add("..", "x", "", "")
	fr := newFront(f)
	c, state := fr.begun()
	u, err := url.Parse(fr.url)
	if err != nil {
		f.Fatal(err)
	}
	mine := c.Jar.Cookies(u)[0].Value
	f.Add(state+"x", "code", "", "")
	f.Fuzz(func(t *testing.T, s, code, fault, issuer string) {
		if s == state {
			t.Skip("that is the one that fits")
		}
		page, err := fr.engine.ReturnSignIn(t.Context(), bot.SignInReturn{System: bot.Graph, State: s, Code: bot.NewSecret(code), Error: fault, Issuer: issuer, Browser: mine})
		if err != nil || page.Stage != bot.SignInGone || page.ID != "" {
			t.Errorf("a guess was answered: %+v %v", page, err)
		}
	})
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

// A name can be given to somebody else once its account is gone; an ID cannot.
func TestAnAccountThatWasMadeAgainUnderItsNameIsAnother(t *testing.T) {
	f := newFront(t)
	f.signIn("UADA")
	f.wantStep("make", setup.Planned)
	f.pass(2 * time.Hour)
	f.door.in = bot.SignedIn{Account: "ADA.admin@contoso.com", Object: "made-again", Until: f.clock.Now().Add(time.Hour)}
	f.signIn("UADA")
	if !f.token("ada").IsZero() {
		t.Fatal("the other account was taken")
	}
	if said := f.words(); !strings.Contains(said, "That is the name of your account, but its ID is another than the one I know") {
		t.Errorf("Ada reads:\n%s", said)
	}
	f.door.in = bot.SignedIn{Account: "ada.admin@contoso.com", Object: "ada-admin", Until: f.clock.Now().Add(time.Hour)}
	f.signIn("UADA")
	if f.token("ada").IsZero() {
		t.Error("her own account is no longer taken")
	}
}

func TestAnAccountThatTheConfigurationPinsCountsByItsID(t *testing.T) {
	f := newFront(t)
	for i := range f.tenant.People {
		if f.tenant.People[i].ID == "ada" {
			f.tenant.People[i].AdminID = map[bot.System]string{bot.Graph: "ADA-ADMIN"}
		}
	}
	f.door.in.Object = "somebody-else"
	f.signIn("UADA")
	if !f.token("ada").IsZero() {
		t.Fatal("an account with another ID was taken")
	}
	f.door.in.Object = "ada-admin"
	f.signIn("UADA")
	f.wantStep("make", setup.Planned)
}
