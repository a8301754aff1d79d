package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

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

func FuzzSignInReturn(f *testing.F) {
	f.Add("contoso."+strings.Repeat("a", 32)+"."+strings.Repeat("b", 43), "code", "", "")
	f.Add("", "", "access_denied", "https://login.example.com/contoso")
	f.Add("..", "x", "", "")
	b := newBegun(newFront(f))
	f.Add(b.state+"x", "code", "", "")
	f.Fuzz(func(t *testing.T, s, code, fault, issuer string) {
		if s == b.state {
			t.Skip("that is the one that fits")
		}
		if _, err := b.comes(t.Context(), bot.SignInReturn{System: bot.Graph, State: s, Code: bot.NewSecret(code), Error: fault, Issuer: issuer, Browser: b.mine}); err != nil {
			t.Error(err)
		}
	})
}

// begunSignIn is a sign-in from which Ada's browser has not come back yet.
type begunSignIn struct {
	*front
	state, mine string
}

func newBegun(f *front) *begunSignIn {
	b := &begunSignIn{front: f}
	b.anew()
	return b
}

// anew begins another one.
func (b *begunSignIn) anew() {
	b.t.Helper()
	c, state := b.begun()
	u, err := url.Parse(b.url)
	if err != nil {
		b.t.Fatal(err)
	}
	b.state, b.mine = state, c.Jar.Cookies(u)[0].Value
}

// comes reports whether what a browser comes back with is taken for the sign-in.
// Its error says that it was though it does not fit, or that a guess of the state
// was told anything.
func (b *begunSignIn) comes(ctx context.Context, r bot.SignInReturn) (taken bool, err error) {
	page, err := b.engine.ReturnSignIn(ctx, r)
	taken = page.Stage == bot.SignInReturned
	knows := r.State == b.state && r.System == bot.Graph && r.Browser == b.mine && (r.Tenant == "" || r.Tenant == "contoso")
	fits := knows && !r.Code.IsZero() && len(r.Code.Reveal()) <= 8192 && r.Error == "" && (r.Issuer == "" || r.Issuer == b.door.Issuer("contoso"))
	switch {
	case err != nil:
	case taken && !fits:
		err = fmt.Errorf("what does not fit was taken: %+v", r)
	case !knows && (page.Stage != bot.SignInGone || page.ID != ""):
		err = fmt.Errorf("a guess was answered: %+v", page)
	}
	return taken, err
}
