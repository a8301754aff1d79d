package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// knock sends one request through a door and says who the routes saw.
func knock(d *door, from string, header map[string]string) (code int, saw string, left http.Header, answer http.Header) {
	d.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { saw, left = r.RemoteAddr, r.Header.Clone() })
	r := httptest.NewRequest(http.MethodPost, "/slack/events", nil)
	r.RemoteAddr = from
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Code, saw, left, w.Header()
}

func doorOf(web string) *door {
	c, err := parseConfig([]byte("public_url: https://keyturn.contoso.com\nweb: " + web + "\n"))
	if err != nil {
		panic(err)
	}
	return c.door(nil, time.Now)
}

func TestOnlyATrustedProxySaysWhoTheClientIs(t *testing.T) {
	for _, c := range []struct{ name, web, from, forwarded, want string }{
		{"nobody is trusted", "{}", "203.0.113.9:5", "198.51.100.1", "203.0.113.9:0"},
		{"a stranger says it", "{trusted_proxies: [10.0.0.7]}", "203.0.113.9:5", "198.51.100.1", "203.0.113.9:0"},
		{"the proxy says it", "{trusted_proxies: [10.0.0.7]}", "10.0.0.7:5", "198.51.100.1", "198.51.100.1:0"},
		{"the client said something first", "{trusted_proxies: [10.0.0.7]}", "10.0.0.7:5", "127.0.0.1, 198.51.100.1", "198.51.100.1:0"},
		{"two proxies", "{trusted_proxies: [10.0.0.0/24]}", "10.0.0.7:5", "1.2.3.4, 198.51.100.1, 10.0.0.8", "198.51.100.1:0"},
		{"nonsense", "{trusted_proxies: [10.0.0.7]}", "10.0.0.7:5", "198.51.100.1, <script>", "10.0.0.7:0"},
		{"a proxy that says nothing", "{trusted_proxies: [10.0.0.7]}", "10.0.0.7:5", "", "10.0.0.7:0"},
		{"an address in another form", "{trusted_proxies: [10.0.0.7]}", "[::ffff:10.0.0.7]:5", "198.51.100.1", "198.51.100.1:0"},
	} {
		_, saw, left, _ := knock(doorOf(c.web), c.from, map[string]string{"X-Forwarded-For": c.forwarded, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example",
			"Forwarded": "for=127.0.0.1", "X-Original-Url": "/healthz", "X-Real-Ip": "127.0.0.1"})
		if saw != c.want {
			t.Errorf("%s: the routes saw %s, want %s", c.name, saw, c.want)
		}
		for name := range left {
			if strings.HasPrefix(name, "X-") || name == "Forwarded" {
				t.Errorf("%s: the routes could read %s", c.name, name)
			}
		}
	}
}

func TestAnAddressThatFloodsIsSlowedAndNobodyElse(t *testing.T) {
	d := doorOf("{requests_per_second: 2, burst: 10}")
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	d.now = func() time.Time { return now }
	taken := 0
	for range 100 {
		code, _, _, answer := knock(d, "203.0.113.9:5", nil)
		if code == http.StatusOK {
			taken++
		} else if code != http.StatusTooManyRequests || answer.Get("Retry-After") == "" {
			t.Fatalf("got %d", code)
		}
	}
	if taken != 10 {
		t.Errorf("%d of 100 requests at once were taken, want 10", taken)
	}
	if code, _, _, _ := knock(d, "203.0.113.10:5", nil); code != http.StatusOK {
		t.Errorf("another address got %d", code)
	}
	now = now.Add(time.Second)
	if code, _, _, _ := knock(d, "203.0.113.9:5", nil); code != http.StatusOK {
		t.Errorf("a second later it got %d", code)
	}
	d.burst = 1
	for i := range 20 { // one machine, many addresses of its own network
		knock(d, fmt.Sprintf("[2001:db8::%x]:5", i+1), nil)
	}
	if code, _, _, _ := knock(d, "[2001:db8::ffff]:5", nil); code != http.StatusTooManyRequests {
		t.Errorf("another address of the same /64 got %d", code)
	}
	for i := range strangers + 50 { // what is remembered stays bounded
		knock(d, fmt.Sprintf("10.%d.%d.%d:5", i>>16, i>>8&255, i&255), nil)
	}
	if len(d.seen) > strangers {
		t.Errorf("%d addresses are remembered", len(d.seen))
	}
	for range 500 { // a proxy on this machine that nobody declared
		if code, _, _, _ := knock(d, "127.0.0.1:5", nil); code != http.StatusOK {
			t.Fatalf("this machine got %d", code)
		}
	}
}

func TestWithoutASignatureThereIsNothingButHealthAndPages(t *testing.T) {
	h := open(t)
	base := "http://" + h.bot.conf.Listen
	public := map[string]bool{"/healthz": true, "/": true, "/privacy": true, "/terms": true}
	for _, path := range []string{"/healthz", "/", "/privacy", "/terms", "/slack/commands", "/slack/interactions", "/slack/events", "/slack", "/slack/", "/slack/../healthz", "/slack/commands/",
		"/slack/commands?skip=/healthz", "/Slack/Commands", "//slack/commands", "/slack//commands", "/slack/%63ommands", "/teams/messages", "/api/messages", "/healthz/", "/healthz/..;/slack/commands", "/HEALTHZ",
		"/backup", "/audit/contoso", "/run/x", "/metrics", "/debug/pprof/", "/debug/vars", "/.git/config", "/.env", "/keyturn.yaml", "/keyturn.db", "/admin", "/signin", "/reveal"} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"} {
			req, err := http.NewRequest(method, base, strings.NewReader("payload={}"))
			if err != nil {
				t.Fatal(err)
			}
			req.URL.Opaque = path
			req.Header.Set("User-Agent", "kube-probe/1.30") // no door opens for a name
			req.Header.Set("X-Forwarded-For", "127.0.0.1")
			req.Header.Set("X-Original-URL", "/healthz")
			resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode < 300 && !(public[path] && method == "GET") {
				t.Errorf("%s %s was answered with %d", method, path, resp.StatusCode)
			}
			if path == "/healthz" && method == "GET" && string(body) != "ok\n" {
				t.Errorf("health says %q", body)
			}
			if kind := resp.Header.Get("Content-Type"); len(body) > 0 && resp.StatusCode != http.StatusBadRequest && !strings.HasSuffix(kind, "charset=utf-8") {
				t.Errorf("%s %s: the type is %q", method, path, kind)
			}
			for _, name := range []string{"Access-Control-Allow-Origin", "Set-Cookie", "Server", "X-Powered-By"} {
				if got := resp.Header.Get(name); got != "" {
					t.Errorf("%s %s: %s is %q", method, path, name, got)
				}
			}
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'"} {
				if got := resp.Header.Get(name); !strings.HasPrefix(got, want) && resp.StatusCode != http.StatusBadRequest {
					t.Errorf("%s %s: %s is %q", method, path, name, got)
				}
			}
		}
	}
	if n := len(h.audit()); n != 0 {
		t.Errorf("strangers left %d entries in the trail", n)
	}
}

// certified writes a certificate for this machine, and says its serial number.
func certified(t *testing.T, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "keyturn"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, &c, &c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pem.Block{"key.pem": {Type: "PRIVATE KEY", Bytes: private}, "cert.pem": {Type: "CERTIFICATE", Bytes: der}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Unix(1700000000+serial, 0) // another time, however coarse the file system's clock
	if err := os.Chtimes(filepath.Join(dir, "cert.pem"), at, at); err != nil {
		t.Fatal(err)
	}
}

// The private key can be a credential of the systemd unit, whose folder has
// another name for every command.
func TestTheKeyOfTheDoorCanBeACredential(t *testing.T) {
	dir := t.TempDir()
	certified(t, dir, 1)
	if err := os.Rename(filepath.Join(dir, "key.pem"), filepath.Join(dir, "secret_web-key")); err != nil {
		t.Fatal(err)
	}
	c := config{Web: doorConfig{Certificate: filepath.Join(dir, "cert.pem"), Key: "credential:secret_web-key"}}
	for folder, faultless := range map[string]bool{dir: true, t.TempDir(): false} {
		t.Setenv("CREDENTIALS_DIRECTORY", folder)
		var f faults
		if c.checkDoor(&f); (len(f) == 0) != faultless {
			t.Errorf("in %s check says %q", folder, f)
		}
	}
}

func TestTheDoorSpeaksTLSAndTakesARenewedCertificate(t *testing.T) {
	dir := t.TempDir()
	certified(t, dir, 1)
	c := config{Web: doorConfig{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}}
	var f faults
	if c.checkDoor(&f); len(f) > 0 {
		t.Fatal(f)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	locked, err := c.lock(l)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: c.door(http.NotFoundHandler(), time.Now)}
	go func() { _ = srv.Serve(locked) }()
	defer srv.Close()
	serial := func(max uint16) (int64, string, error) {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MaxVersion: max}}}
		resp, err := client.Get("https://" + l.Addr().String() + "/")
		if err != nil {
			return 0, "", err
		}
		resp.Body.Close()
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64(), resp.Header.Get("Strict-Transport-Security"), nil
	}
	if n, hsts, err := serial(0); err != nil || n != 1 || hsts != "max-age=31536000; includeSubDomains" {
		t.Fatalf("certificate %d, HSTS %q, %v", n, hsts, err)
	}
	certified(t, dir, 2)
	if n, _, err := serial(0); err != nil || n != 2 {
		t.Errorf("after the renewal certificate %d, %v", n, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, _, err := serial(0); err != nil || n != 2 {
		t.Errorf("while it is written certificate %d, %v", n, err)
	}
	if _, _, err := serial(tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	c.Web.Key = ""
	if c.checkDoor(&f); len(f) == 0 {
		t.Error("a certificate without a key is taken")
	}
}
