package httpx_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	for v, want := range map[string]time.Duration{
		"0": 0, "7": 7 * time.Second, " 1.5 ": 1500 * time.Millisecond, "-3": 0, "99999999999999": 24 * time.Hour,
		"Mon, 23 Nov 2026 12:00:30 GMT": 30 * time.Second, "Mon, 23 Nov 2026 11:00:00 GMT": 0,
	} {
		d, ok := httpx.RetryAfter(http.Header{"Retry-After": {v}}, noon)
		if !ok || d != want {
			t.Errorf("%q: %v %v, want %v", v, d, ok, want)
		}
	}
	for _, v := range []string{"", "soon", "NaN", "Monday"} {
		if d, ok := httpx.RetryAfter(http.Header{"Retry-After": {v}}, noon); ok {
			t.Errorf("%q was read as %v", v, d)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"1", "1e300", "-Inf", "Mon, 23 Nov 2026 12:00:30 GMT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := httpx.RetryAfter(http.Header{"Retry-After": {s}}, noon); d < 0 || d > 24*time.Hour || (!ok && d != 0) {
			t.Errorf("%q: %v %v", s, d, ok)
		}
	})
}

func TestLoopback(t *testing.T) {
	for _, u := range []string{"http://127.0.0.1:8080/v1.0", "http://127.9.9.9", "https://[::1]:1", "http://LOCALHOST:1/x", "http://[::ffff:127.0.0.1]/"} {
		if !httpx.Loopback(u) {
			t.Errorf("%s is this machine", u)
		}
	}
	for _, u := range []string{"https://graph.microsoft.com", "http://localhost.evil.test", "http://127.0.0.1.evil.test", "http://localhost@evil.test",
		"http://2130706433", "http://0.0.0.0", "localhost", "", "http://10.0.0.1", "http://[::1", "http://127.1"} {
		if httpx.Loopback(u) {
			t.Errorf("%s is not this machine", u)
		}
	}
}

func TestTarget(t *testing.T) {
	const base = "https://graph.example.test/v1.0"
	for path, want := range map[string]string{
		"/applications(uniqueName='keyturn-x')?$select=id,appId":        base + "/applications(uniqueName='keyturn-x')?$select=id,appId",
		"/users?$filter=mail eq 'a@b.test'":                             base + "/users?$filter=mail%20eq%20'a@b.test'",
		"/api/now/table/x?sysparm_query=name=oauth_entity^element=type": base + "/api/now/table/x?sysparm_query=name=oauth_entity%5Eelement=type",
		"/x?q=100%&r=%41":   base + "/x?q=100%25&r=%41",
		"/@evil.test/x":     base + "/@evil.test/x",
		"//evil.test/x":     base + "//evil.test/x",
		"/groups/caf\u00e9": base + "/groups/caf%C3%A9",
	} {
		u, err := httpx.Target(base, path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if diff := cmp.Diff(want, u.String()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", path, diff)
		}
	}
	for _, path := range []string{"", "x", "@evil.test", "/../beta/x", "/a/%2e%2e/b", "/a\\..\\b", "/x#y", "/x\r\nHost: evil", "/%zz", "/a/./b", "/%2e%2e%2fb"} {
		if u, err := httpx.Target(base, path); err == nil {
			t.Errorf("%q became %s", path, u)
		}
	}
	for _, b := range []string{"", "graph", "ftp://x.test", "http://graph.example.test", "https://u:p@x.test", "https://x.test?a=b", "https://"} {
		if u, err := httpx.Target(b, "/x"); err == nil {
			t.Errorf("base %q became %s", b, u)
		}
	}
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{"/x?$filter=a eq 'b'", "/%2e%2e/x", "//a@b/c", "/\x00", "/a?b?c#d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		u, err := httpx.Target("https://host.test/base", path)
		if err != nil {
			return
		}
		if u.Host != "host.test" || u.User != nil || !strings.HasPrefix(u.EscapedPath(), "/base/") {
			t.Errorf("%q leads to %s", path, u)
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Host != "host.test" || strings.ContainsAny(u.String(), " \r\n") {
			t.Errorf("%q makes the address %q", path, u.String())
		}
	})
}

func TestSameOrigin(t *testing.T) {
	const base = "https://graph.example.test/v1.0"
	if !httpx.SameOrigin("https://GRAPH.example.test/v1.0/x?$skip=2", base) {
		t.Error("the same host in capitals is the same")
	}
	for _, u := range []string{"http://graph.example.test/x", "https://graph.example.test:8443/x", "https://evil.test/x", "/x", "https://graph.example.test@evil.test/", "%"} {
		if httpx.SameOrigin(u, base) {
			t.Errorf("%s is another origin", u)
		}
	}
}

func TestWordsFromOutsideFitOneLine(t *testing.T) {
	got := httpx.Plain(" Hello\r\n\tworld\u202e\u200b \x07end ", 80)
	if got != "Hello world end" {
		t.Errorf("%q", got)
	}
	if got := httpx.Plain("abcdefgh", 5); got != "abcd…" {
		t.Errorf("%q", got)
	}
}

func TestScrubTakesSecretsOut(t *testing.T) {
	s := bot.NewSecret("p@ss word~1")
	got := bot.Scrub("sent p@ss word~1 and p%40ss+word~1, port 1", s, bot.NewSecret("1"))
	if want := "sent [redacted] and [redacted], port 1"; got != want {
		t.Errorf("%q", got)
	}
	found := httpx.SecretsIn([]byte(`{"client_secret":"abc","token_url":"https://x","list":[{"password":"def"}]}`), map[string]string{"client_assertion": "ghi", "client_assertion_type": "urn"})
	if len(found) != 3 {
		t.Errorf("found %d secrets, want 3", len(found))
	}
}

func TestRedactedAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"https://u:p@x.test/a?$filter=mail+eq+'a'&k=v&raw": "https://x.test/a?$filter=…&k=…&…",
		"https://hooks.slack.com/services/T1/B1/secret":    "https://hooks.slack.com/[redacted]",
		"https://x.test/a": "https://x.test/a",
		"http://[bad":      "[redacted]",
	} {
		if got := httpx.RedactString(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	a, b := httpx.NewRequestID(), httpx.NewRequestID()
	if len(a) != 36 || a == b || a[14] != '4' {
		t.Errorf("%s %s", a, b)
	}
}

func TestManyAskersShareOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cache httpx.TokenCache
		var fetches atomic.Int32
		fetch := func(context.Context) (httpx.Token, error) {
			fetches.Add(1)
			time.Sleep(time.Second) // the bubble's clock
			now := time.Now()
			return httpx.Token{Value: bot.NewSecret("t"), Fetched: now, Expires: now.Add(time.Hour)}, nil
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if tok, err := cache.Get(t.Context(), "k", fetch); err != nil || tok.Value.Reveal() != "t" {
					t.Errorf("got %v, %v", tok, err)
				}
			})
		}
		wg.Wait()
		if n := fetches.Load(); n != 1 {
			t.Errorf("%d fetches for 20 askers", n)
		}
		time.Sleep(56 * time.Minute) // within five minutes of the end
		if _, err := cache.Get(t.Context(), "k", fetch); err != nil || fetches.Load() != 2 {
			t.Errorf("shortly before its end the token was not renewed: %d fetches, %v", fetches.Load(), err)
		}
	})
}

func TestAnAskerWhoGivesUpDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cache httpx.TokenCache
		fetch := func(ctx context.Context) (httpx.Token, error) {
			select {
			case <-time.After(time.Minute):
				return httpx.Token{Value: bot.NewSecret("t"), Fetched: time.Now(), Expires: time.Now().Add(time.Hour)}, nil
			case <-ctx.Done():
				return httpx.Token{}, ctx.Err()
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := cache.Get(ctx, "k", fetch); !errors.Is(err, context.Canceled) {
				t.Errorf("the one who gave up: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if tok, err := cache.Get(t.Context(), "k", fetch); err != nil || tok.Value.IsZero() {
				t.Errorf("the other: %v", err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
	})
}

func TestARefusedTokenIsForgottenButNotItsSuccessor(t *testing.T) {
	cache := httpx.TokenCache{Now: func() time.Time { return noon }}
	n := 0
	fetch := func(context.Context) (httpx.Token, error) {
		n++
		return httpx.Token{Value: bot.NewSecret(strings.Repeat("t", n)), Fetched: noon, Expires: noon.Add(time.Hour)}, nil
	}
	first, _ := cache.Get(t.Context(), "k", fetch)
	cache.Drop("k", first.Value)
	second, _ := cache.Get(t.Context(), "k", fetch)
	cache.Drop("k", first.Value) // a late refusal of the old one
	third, _ := cache.Get(t.Context(), "k", fetch)
	if n != 2 || third.Value != second.Value {
		t.Errorf("%d fetches", n)
	}
}

func TestTokenAnswers(t *testing.T) {
	for body, want := range map[string]time.Duration{
		`{"access_token":"a","expires_in":3599}`:   3599 * time.Second,
		`{"access_token":"a","expires_in":"1800"}`: 1800 * time.Second,
		`{"access_token":"a"}`:                     5 * time.Minute,
		`{"access_token":"a","expires_in":-4}`:     5 * time.Minute,
		`{"access_token":"a","expires_in":1e99}`:   24 * time.Hour,
	} {
		tok, err := httpx.ParseToken([]byte(body), noon)
		if err != nil || tok.Expires.Sub(noon) != want {
			t.Errorf("%s: %v %v", body, tok.Expires.Sub(noon), err)
		}
	}
	for _, body := range []string{`{}`, `<html>`, ``, `{"access_token":7}`} {
		if _, err := httpx.ParseToken([]byte(body), noon); err == nil {
			t.Errorf("%s is no token", body)
		}
	}
}

func TestRetryKnowsWhenToStop(t *testing.T) {
	var waited time.Duration
	wait := func(_ context.Context, d time.Duration) error { waited += d; return nil }
	until := func(f bot.Failure, lag bool) int {
		r := httpx.Retry{Wait: wait, Rand: func() float64 { return 1 }}
		waited = 0
		n := 0
		for n < 1000 && r.Again(t.Context(), &f, lag) {
			n++
		}
		return n
	}
	if n := until(bot.Failure{Kind: bot.KindThrottled, RetryAfter: 31 * time.Second}, false); n != 0 {
		t.Errorf("a long pause is the caller's: %d", n)
	}
	if n := until(bot.Failure{Kind: bot.KindThrottled, RetryAfter: 20 * time.Second}, false); n != 3 || waited != time.Minute {
		t.Errorf("throttled: %d times, %v", n, waited)
	}
	if n := until(bot.Failure{Kind: bot.KindThrottled}, false); n == 0 || n > 10 || waited > time.Minute {
		t.Errorf("throttled without a time: %d times, %v", n, waited)
	}
	if n := until(bot.Failure{Kind: bot.KindUnreachable}, false); n != 3 {
		t.Errorf("unreachable: %d", n)
	}
	if n := until(bot.Failure{Kind: bot.KindNotFound}, true); n < 4 || waited != time.Minute {
		t.Errorf("lag: %d times, %v", n, waited)
	}
	var heard []time.Duration
	ctx := bot.WithSlowed(t.Context(), func(_ context.Context, pause time.Duration) { heard = append(heard, pause) })
	for _, f := range []bot.Failure{{Kind: bot.KindThrottled, RetryAfter: 20 * time.Second}, {Kind: bot.KindThrottled, RetryAfter: time.Hour},
		{Kind: bot.KindThrottled}, {Kind: bot.KindUnreachable, RetryAfter: time.Minute}} {
		r := httpx.Retry{Wait: wait}
		r.Again(ctx, &f, false)
	}
	if !slices.Equal(heard, []time.Duration{20 * time.Second, time.Hour}) {
		t.Errorf("who listens hears of the pauses %v", heard)
	}
	for _, k := range []bot.Kind{bot.KindAmbiguous, bot.KindRefused, bot.KindForbidden, bot.KindNotFound, bot.KindMalformed} {
		if n := until(bot.Failure{Kind: k}, false); n != 0 {
			t.Errorf("%s was tried again %d times", k, n)
		}
	}
}

func TestTheResolverAsksTheServerItWasGiven(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	var asked atomic.Int32
	go serveDNS(pc, &asked)
	r, err := httpx.NewResolver(pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	addrs, err := r.LookupHost(t.Context(), "connector.example.test")
	if diff := cmp.Diff([]string{"192.0.2.7"}, addrs); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	_, err = r.LookupHost(t.Context(), "gone.example.test")
	var d *net.DNSError
	if !errors.As(err, &d) || !d.IsNotFound || d.Server != pc.LocalAddr().String() {
		t.Errorf("a name that does not exist: %v", err)
	}
	before := asked.Load()
	if _, err := r.LookupHost(t.Context(), "not a name"); err == nil || asked.Load() != before {
		t.Errorf("no name was looked up: %v", err)
	}
	if _, err := httpx.NewResolver("10.0.0.53"); err == nil {
		t.Error("a server without a port was taken")
	}
}

// serveDNS answers questions for connector.* with one address and says of any
// other name that it does not exist.
func serveDNS(pc net.PacketConn, asked *atomic.Int32) {
	buf := make([]byte, 1500)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return
		}
		asked.Add(1)
		q := buf[12:n]
		end := 0
		for q[end] != 0 {
			end += int(q[end]) + 1
		}
		question := q[:end+5] // name, zero, type, class
		kind := q[end+2]
		known := strings.Contains(string(question), "connector")
		flags, answers := byte(0x80), byte(0)
		if !known {
			flags = 0x83
		} else if kind == 1 {
			answers = 1
		}
		out := append([]byte{buf[0], buf[1], 0x81, flags, 0, 1, 0, answers, 0, 0, 0, 0}, question...)
		if answers == 1 {
			out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7)
		}
		_, _ = pc.WriteTo(out, from)
	}
}
