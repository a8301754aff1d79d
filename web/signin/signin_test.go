package signin_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
	"keyturn/web/signin"
)

var update = flag.Bool("update", false, "write the golden pages anew")

const (
	key    = "k3y-of-one-sign-in"
	secret = "s3cret-value-of-the-provider"
)

// desk answers with what a test put down.
type desk struct {
	page    bot.SignInPage
	address string
	secret  bot.Secret
	err     error
	asked   []string
	last    bot.SignInReturn
	browser string
}

func (d *desk) note(what string) { d.asked = append(d.asked, what) }

func (d *desk) SignInPage(_ context.Context, t bot.TenantID, k string) (bot.SignInPage, error) {
	d.note("page " + string(t) + " " + k)
	return d.page, d.err
}

func (d *desk) BeginSignIn(_ context.Context, t bot.TenantID, k, browser, number string) (string, bot.SignInPage, error) {
	d.note("begin " + string(t) + " " + k + " " + number)
	d.browser = browser
	return d.address, d.page, d.err
}

func (d *desk) ReturnSignIn(_ context.Context, r bot.SignInReturn) (bot.SignInPage, error) {
	d.note("return " + string(r.System) + " " + string(r.Tenant) + " " + r.State)
	d.last = r
	return d.page, d.err
}

func (d *desk) SignInAfter(_ context.Context, t bot.TenantID, id, browser string) (bot.SignInPage, error) {
	d.note("after " + string(t) + " " + id)
	d.browser = browser
	return d.page, d.err
}

func (d *desk) Reveal(_ context.Context, t bot.TenantID, id, browser string) (bot.Secret, bot.SignInPage, error) {
	d.note("reveal " + string(t) + " " + id)
	d.browser = browser
	return d.secret, d.page, d.err
}

// visit is a browser in front of the pages.
type visit struct {
	t    *testing.T
	desk *desk
	log  strings.Builder
	srv  *httptest.Server
	c    *http.Client
}

func newVisit(t *testing.T, public string) *visit {
	t.Helper()
	v := &visit{t: t, desk: &desk{page: offered()}}
	h, err := signin.New(signin.Config{Desk: v.desk, Public: public, Log: slog.New(slog.NewTextHandler(&v.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	v.srv = httptest.NewServer(h)
	t.Cleanup(v.srv.Close)
	jar, _ := cookiejar.New(nil) // without options it cannot fail
	v.c = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return v
}

// offered is a sign-in that waits to be confirmed.
func offered() bot.SignInPage {
	return bot.SignInPage{Stage: bot.SignInOffered, ID: "0123456789abcdef", For: "contoso", Person: "Erin Vogel", Requester: "Rita Okafor", Tenant: "Contoso", Run: "run-7f3k2q",
		Steps: []string{"Registration for ServiceNow", "Client secret for ServiceNow"}, Change: "CHG0031337", System: "Microsoft Entra",
		Host: "login.microsoftonline.com", Origin: "https://login.microsoftonline.com", Account: "erin.admin@contoso.example", Numbers: []string{"18", "42", "77"},
		Until: time.Date(2026, 11, 23, 10, 57, 0, 0, time.UTC)}
}

type answer struct {
	status int
	body   string
	header http.Header
	to     string
}

func (v *visit) do(method, path string, form url.Values, headers ...string) answer {
	v.t.Helper()
	req, err := http.NewRequest(method, v.srv.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := v.c.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{resp.StatusCode, string(b), resp.Header, resp.Header.Get("Location")}
}

const goPath = "/signin/go/contoso/" + key

var checkIn = regexp.MustCompile(`name="check" value="([^"]+)"`)

// opens looks at the offer, and gives what the page's form would send.
func (v *visit) opens() (answer, url.Values) {
	v.t.Helper()
	a := v.do("GET", goPath, nil)
	m := checkIn.FindStringSubmatch(a.body)
	if m == nil {
		v.t.Fatalf("the page has no form: %d %s", a.status, a.body)
	}
	return a, url.Values{"check": {m[1]}, "number": {"42"}}
}

// Each page as people see it. Look at them: `go test ./web/signin -update`
// writes testdata/*.html, which a browser shows as it shows the real ones.
func TestThePages(t *testing.T) {
	end := func(stage bot.SignInStage, says, fix string) bot.SignInPage {
		p := offered()
		p.Stage, p.Says, p.Fix = stage, says, fix
		return p
	}
	revealing := end(bot.SignInDone, "You are signed in as sam.duarte.", "")
	revealing.System, revealing.Host, revealing.Origin = "ServiceNow", "contoso.service-now.com", "https://contoso.service-now.com"
	revealing.Reveal = &bot.RevealPage{What: "the client secret of the OAuth provider", Why: "ServiceNow did not take it by API.", Until: offered().Until}
	bare := offered()
	bare.Change, bare.Account, bare.Steps, bare.Tenant = "", "", []string{`<script>alert("x")</script> & "quotes"`}, "Łódź & Söhne"
	const after = "/signin/after/contoso/0123456789abcdef"
	for name, tt := range map[string]struct {
		page         bot.SignInPage
		method, path string
		secret       string
		status       int
	}{
		"offer":         {offered(), "GET", goPath, "", 200},
		"offer_strange": {bare, "GET", goPath, "", 200},
		"moment":        {end(bot.SignInReturned, "", ""), "GET", after, "", 200},
		"done":          {end(bot.SignInDone, "You are signed in as erin.admin@contoso.example.", "Close this page and go back to the chat: the card goes on there."), "GET", after, "", 200},
		"failed":        {end(bot.SignInFailed, "Conditional Access blocks this sign-in.", "The Entra admin can see the policy in the sign-in log and make an exception."), "GET", after, "", 200},
		"unlinked":      {end(bot.SignInUnlinked, "You signed in as erin.t0@contoso.example, which Keyturn does not know as an account of Erin Vogel. The sign-in was dropped.", "If it is yours, choose [Link this account] in the chat; an owner then confirms it."), "GET", after, "", 200},
		"reveal":        {revealing, "GET", after, "", 200},
		"shown":         {revealing, "POST", "/signin/reveal/contoso/0123456789abcdef", secret, 200},
		"gone":          {bot.SignInPage{Stage: bot.SignInGone}, "GET", after, "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVisit(t, "https://keyturn.contoso.com")
			v.desk.page, v.desk.secret = tt.page, bot.NewSecret(tt.secret)
			got := v.do(tt.method, tt.path, nil)
			if got.status != tt.status {
				t.Fatalf("status %d: %s", got.status, got.body)
			}
			body := checkIn.ReplaceAllString(got.body, `name="check" value="CHECK"`)
			golden := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(golden, []byte(body), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), body); d != "" {
				t.Errorf("the page changed (-want +got):\n%s", d)
			}
			if strings.Contains(body, "<script") || regexp.MustCompile(`(?i) on[a-z]+=|javascript:|type="password"`).MatchString(body) {
				t.Errorf("the page runs something, or asks for a password:\n%s", body)
			}
			csp := got.header.Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'sha256-"} {
				if !strings.Contains(csp, want) {
					t.Errorf("the policy lacks %s: %s", want, csp)
				}
			}
			for name, want := range map[string]string{"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000; includeSubDomains", "Cross-Origin-Opener-Policy": "same-origin"} {
				if got := got.header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestTheConfirmingClickLeadsToTheSystemAlone(t *testing.T) {
	v := newVisit(t, "http://127.0.0.1:8364")
	v.desk.address = "https://login.microsoftonline.com/tenant/oauth2/v2.0/authorize?state=s"
	_, form := v.opens()
	if a := v.do("POST", goPath, form); a.status != http.StatusSeeOther || a.to != v.desk.address {
		t.Errorf("the click led to %d %q", a.status, a.to)
	}
	if got := v.desk.asked[len(v.desk.asked)-1]; got != "begin contoso "+key+" 42" || len(v.desk.browser) != 43 {
		t.Errorf("the desk was asked %q by browser %q", got, v.desk.browser)
	}
	// The policy lets the form lead to Keyturn and to the host that the page names.
	a, _ := v.opens()
	if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://login.microsoftonline.com;") {
		t.Errorf("the policy is %s", csp)
	}
	v.desk.page.Origin = "https://x.example; script-src *"
	if a, _ := v.opens(); strings.Contains(a.header.Get("Content-Security-Policy"), "script-src") {
		t.Errorf("an origin wrote into the policy: %s", a.header.Get("Content-Security-Policy"))
	}
}

// What does not fit reaches no decision, or none that leads anywhere, and the
// one answer tells nothing.
func TestWhatDoesNotFitGetsOneAnswer(t *testing.T) {
	type row struct {
		method, path string
		form         func(url.Values)
		headers      []string
		desk         bool // whether the desk may be asked
	}
	post := func(form func(url.Values), headers ...string) row { return row{"POST", goPath, form, headers, false} }
	same := func(url.Values) {}
	for name, r := range map[string]row{
		"no check":                    post(func(q url.Values) { q.Del("check") }),
		"a guessed check":             post(func(q url.Values) { q.Set("check", "guess") }),
		"a form of another site":      post(same, "Origin", "https://evil.example"),
		"a form the browser names":    post(same, "Sec-Fetch-Site", "cross-site"),
		"a form of a sister host":     post(same, "Sec-Fetch-Site", "same-site"),
		"a key with a dot":            {"GET", "/signin/go/contoso/a.b", nil, nil, false},
		"a key that is endless":       {"GET", "/signin/go/contoso/" + strings.Repeat("a", 65), nil, nil, false},
		"a key that climbs":           {"GET", "/signin/go/contoso/..%2f..%2fetc", nil, nil, false},
		"an ID with a slash":          {"GET", "/signin/after/contoso/a%2Fb", nil, nil, false},
		"a reveal with a bad ID":      {"POST", "/signin/reveal/contoso/a%00b", nil, nil, false},
		"a reveal that is read":       {"GET", "/signin/reveal/contoso/0123456789abcdef", nil, nil, false},
		"another path":                {"GET", "/signin/", nil, nil, false},
		"a path below":                {"GET", "/signin/entra/x", nil, nil, false},
		"a posted return":             {"POST", "/signin/entra?state=s&code=c", nil, nil, false},
		"two states":                  {"GET", "/signin/entra?state=a&state=b&code=c", nil, nil, false},
		"two codes":                   {"GET", "/signin/entra?state=a&code=b&code=c", nil, nil, false},
		"two issuers":                 {"GET", "/signin/servicenow/contoso?state=a&code=b&iss=x&iss=y", nil, nil, false},
		"a return that leads nowhere": {"GET", "/signin/entra?state=a&code=b", nil, nil, true},
		"an after that is not there":  {"GET", "/signin/after/contoso/0123456789abcdef", nil, nil, true},
		"a reveal of nothing":         {"POST", "/signin/reveal/contoso/0123456789abcdef", nil, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVisit(t, "http://127.0.0.1:8364") // whose cookie the test's browser keeps without TLS
			var form url.Values
			if r.form != nil {
				_, form = v.opens()
				r.form(form)
			}
			v.desk.asked, v.desk.page, v.desk.address = nil, bot.SignInPage{Stage: bot.SignInGone, ID: ""}, "https://evil.example"
			a := v.do(r.method, r.path, form, r.headers...)
			if a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed || a.to != "" {
				t.Errorf("it was answered %d, to %q: %s", a.status, a.to, a.body)
			}
			if a.status == http.StatusNotFound && !strings.Contains(a.body, "It is over, was used already, or belongs to another browser.") {
				t.Errorf("the answer is another one: %s", a.body)
			}
			if !r.desk && len(v.desk.asked) > 0 {
				t.Errorf("the desk was asked %v", v.desk.asked)
			}
		})
	}
}

// The address that holds a code is left at once, and the desk gets what the
// system sent, cut.
func TestAReturnLeavesTheAddressWithTheCode(t *testing.T) {
	v := newVisit(t, "http://127.0.0.1:8364")
	v.opens()
	v.desk.page.Stage = bot.SignInReturned
	a := v.do("GET", "/signin/servicenow/contoso?state=st&code=co&error_description="+strings.Repeat("d", 3000), nil)
	if a.status != http.StatusSeeOther || a.to != "/signin/after/contoso/0123456789abcdef" || strings.Contains(a.body, "co&") {
		t.Errorf("it led to %d %q", a.status, a.to)
	}
	if r := v.desk.last; r.System != bot.ServiceNow || r.Tenant != "contoso" || r.Code.Reveal() != "co" || len(r.Description) != 1000 || len(r.Browser) != 43 {
		t.Errorf("the desk got %+v", r)
	}
}

// A browser's own secret is the host's alone where there is TLS, goes to no
// script, and is taken in its own form only.
func TestTheBrowsersCookie(t *testing.T) {
	for public, want := range map[string]string{
		"https://keyturn.contoso.com": "__Host-keyturn=…; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax",
		"http://127.0.0.1:8364":       "keyturn_browser=…; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax",
	} {
		v := newVisit(t, public)
		got := regexp.MustCompile(`=[A-Za-z0-9_-]{43};`).ReplaceAllString(v.do("GET", goPath, nil).header.Get("Set-Cookie"), "=…;")
		if got != want {
			t.Errorf("the cookie of %s is\n%s, want\n%s", public, got, want)
		}
	}
	v := newVisit(t, "http://127.0.0.1:8364")
	for _, bad := range []string{"short", strings.Repeat("a", 42), strings.Repeat("a", 44), strings.Repeat("a", 42) + "!"} {
		if a := v.do("GET", goPath, nil, "Cookie", "keyturn_browser="+bad); !strings.Contains(a.header.Get("Set-Cookie"), "keyturn_browser=") {
			t.Errorf("the cookie %q was taken", bad)
		}
	}
}

// A fault says nothing of itself, and whoever runs Keyturn finds it in the log.
func TestAFaultGivesNothingAway(t *testing.T) {
	v := newVisit(t, "http://127.0.0.1:8364")
	_, form := v.opens()
	v.desk.err = errors.New("the disk at /var/lib/keyturn is full")
	for _, p := range [][2]string{{"GET", goPath}, {"POST", goPath}, {"GET", "/signin/entra?state=s&code=canary-code"}, {"GET", "/signin/after/contoso/x"}, {"POST", "/signin/reveal/contoso/x"}} {
		a := v.do(p[0], p[1], form)
		if a.status != http.StatusServiceUnavailable || strings.Contains(a.body, "/var/lib") || !strings.Contains(a.body, "Nothing was run") {
			t.Errorf("%s %s: %d %s", p[0], p[1], a.status, a.body)
		}
	}
	if got := v.log.String(); strings.Count(got, "disk") != 5 || strings.Contains(got, "canary-code") {
		t.Errorf("the log says: %s", got)
	}
}
