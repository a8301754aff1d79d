package httpx_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

func client(t *testing.T, cfg httpx.Config) *http.Client {
	t.Helper()
	c, err := httpx.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func server(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func request(t *testing.T, method, url string) *http.Request {
	t.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(`{"a":1}`)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestKeyturnSaysWhoItIs(t *testing.T) {
	var agent string
	s := server(t, func(w http.ResponseWriter, r *http.Request) { agent = r.UserAgent() })
	if _, err := httpx.Send(client(t, httpx.Config{Version: "1.2.3"}), request(t, "GET", s.URL)); err != nil {
		t.Fatal(err)
	}
	if agent != "Keyturn/1.2.3" {
		t.Errorf("User-Agent is %q", agent)
	}
}

func TestARedirectToAnotherHostIsNotFollowed(t *testing.T) {
	var visited bool
	other := server(t, func(w http.ResponseWriter, r *http.Request) { visited = true })
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/login?next=secret", http.StatusFound)
	})
	reply, err := httpx.Send(client(t, httpx.Config{}), request(t, "GET", s.URL))
	if err != nil {
		t.Fatal(err)
	}
	if visited || reply.Status != http.StatusFound || !strings.Contains(other.URL, reply.Moved()) {
		t.Errorf("visited %v, status %d, moved to %q", visited, reply.Status, reply.Moved())
	}
}

func TestARedirectOfAWriteIsNotFollowedEvenAtHome(t *testing.T) {
	calls := 0
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		if calls++; r.URL.Path == "/a" {
			http.Redirect(w, r, "/b", http.StatusTemporaryRedirect)
		}
	})
	reply, err := httpx.Send(client(t, httpx.Config{}), request(t, "POST", s.URL+"/a"))
	if err != nil || reply.Status != http.StatusTemporaryRedirect || calls != 1 {
		t.Errorf("status %d after %d calls, %v", reply.Status, calls, err)
	}
	calls = 0
	reply, err = httpx.Send(client(t, httpx.Config{}), request(t, "GET", s.URL+"/a"))
	if err != nil || reply.Status != http.StatusOK || calls != 2 {
		t.Errorf("a read at home: status %d after %d calls, %v", reply.Status, calls, err)
	}
}

func TestAnEndlessRedirectEnds(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) })
	reply, err := httpx.Send(client(t, httpx.Config{}), request(t, "GET", s.URL))
	if err != nil || reply.Status != http.StatusFound {
		t.Errorf("status %d, %v", reply.Status, err)
	}
}

func TestTheProxyIsAskedButNeverForThisMachine(t *testing.T) {
	var asked []string
	proxy := server(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		_, _ = w.Write([]byte(`{"via":"proxy"}`))
	})
	c := client(t, httpx.Config{Proxy: proxy.URL, NoProxy: []string{".inside.test"}})
	reply, err := httpx.Send(c, request(t, "GET", "http://graph.outside.test/v1.0/me"))
	if err != nil || !bytes.Contains(reply.Body, []byte("proxy")) {
		t.Fatalf("through the proxy: %s %v", reply.Body, err)
	}
	home := server(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(`{"via":"direct"}`)) })
	reply, err = httpx.Send(c, request(t, "GET", home.URL))
	if err != nil || !bytes.Contains(reply.Body, []byte("direct")) {
		t.Fatalf("to this machine: %s %v", reply.Body, err)
	}
	if _, err := httpx.Send(c, request(t, "GET", "http://snow.inside.test/")); httpx.OutcomeOf(err) != httpx.NotSent {
		t.Errorf("an exempt host: %v", err)
	}
	if len(asked) != 1 || asked[0] != "http://graph.outside.test/v1.0/me" {
		t.Errorf("the proxy saw %v", asked)
	}
}

func TestTheCABundleMakesAPrivateServerTrusted(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	_, err := httpx.Send(client(t, httpx.Config{}), request(t, "POST", s.URL))
	if httpx.OutcomeOf(err) != httpx.NotSent {
		t.Errorf("an untrusted server: %v", err)
	}
	if f := httpx.Lost(bot.Graph, true, "id", err); f.Kind != bot.KindUnreachable || !strings.Contains(f.Fix, "CA bundle") {
		t.Errorf("an operator reads: %v", f)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := httpx.Send(client(t, httpx.Config{CAFile: file}), request(t, "POST", s.URL)); err != nil {
		t.Errorf("with the bundle: %v", err)
	}
}

func TestAWrongConfigurationIsNamed(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cfg  httpx.Config
		says string
	}{
		"scheme":   {httpx.Config{Proxy: "ftp://proxy:21"}, "scheme"},
		"no host":  {httpx.Config{Proxy: "http://"}, "no host"},
		"password": {httpx.Config{Proxy: "http://u:hunter22@[bad"}, "cannot be read"},
		"absent":   {httpx.Config{CAFile: empty + ".not"}, "cannot be read"},
		"no PEM":   {httpx.Config{CAFile: empty}, "holds no certificate"},
	} {
		_, err := httpx.New(c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHowAnExchangeEnded(t *testing.T) {
	lost := server(t, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	cut := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"id":`))
		panic(http.ErrAbortHandler)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	l.Close()
	for name, c := range map[string]struct {
		url  string
		want httpx.Outcome
	}{
		"nobody listens":         {closed + "/x", httpx.NotSent},
		"no such host":           {"http://no-such-host.invalid/x", httpx.NotSent},
		"lost without an answer": {lost.URL, httpx.Ambiguous},
		"the answer breaks off":  {cut.URL, httpx.Ambiguous},
	} {
		_, err := httpx.Send(client(t, httpx.Config{}), request(t, "POST", c.url))
		if got := httpx.OutcomeOf(err); err == nil || got != c.want {
			t.Errorf("%s: %v (%v)", name, got, err)
		}
	}
	if httpx.OutcomeOf(nil) != httpx.Answered || httpx.OutcomeOf(errors.New("?")) != httpx.Ambiguous {
		t.Error("no error is an answer; an unknown one is to be treated with care")
	}
}

func TestASlowAnswerIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	_, err := httpx.Send(client(t, httpx.Config{Total: 50 * time.Millisecond}), request(t, "POST", s.URL))
	if !errors.Is(err, httpx.ErrTotal) || httpx.OutcomeOf(err) != httpx.Ambiguous {
		t.Errorf("got %v", err)
	}
	if f := httpx.Lost(bot.ServiceNow, true, "", err); f.Kind != bot.KindAmbiguous {
		t.Errorf("a write: %v", f)
	}
	if f := httpx.Lost(bot.ServiceNow, false, "", err); f.Kind != bot.KindUnreachable || !strings.Contains(f.Says, "in time") {
		t.Errorf("a read: %v", f)
	}
}

func TestACalledOffCallSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req := request(t, "GET", "http://127.0.0.1:9/").WithContext(ctx)
	_, err := httpx.Send(client(t, httpx.Config{}), req)
	if !errors.Is(err, context.Canceled) || httpx.OutcomeOf(err) != httpx.NotSent {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerThatIsTooLargeIsAnError(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), 1001)) })
	if _, err := httpx.Send(client(t, httpx.Config{MaxBody: 1000}), request(t, "GET", s.URL)); !errors.Is(err, httpx.ErrTooLarge) {
		t.Errorf("1001 of 1000: %v", err)
	}
	reply, err := httpx.Send(client(t, httpx.Config{MaxBody: 1001}), request(t, "GET", s.URL))
	if err != nil || len(reply.Body) != 1001 {
		t.Errorf("1001 of 1001: %d bytes, %v", len(reply.Body), err)
	}
}

func TestNoSecretIsInErrorsAndLogs(t *testing.T) {
	var log bytes.Buffer
	c := client(t, httpx.Config{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	s := server(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("request-id", "rq-1") })
	bad := server(t, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	for _, base := range []string{s.URL, bad.URL} {
		req := request(t, "POST", strings.Replace(base, "http://", "http://u:canary0@", 1)+"/x?token=canary1&canary2")
		req.Header.Set("Authorization", "Bearer canary3")
		if _, err := httpx.Send(c, req); err != nil {
			log.WriteString(err.Error())
		}
		// A vendor library sees the client's own, longer error.
		if _, err := c.Do(request(t, "POST", base+"/x?token=canary4")); err != nil {
			log.WriteString(httpx.Clean(err).Error())
		}
	}
	if strings.Contains(log.String(), "canary") {
		t.Errorf("a secret was written:\n%s", log.String())
	}
	if !strings.Contains(log.String(), "request=rq-1") || !strings.Contains(log.String(), "token=…") {
		t.Errorf("the log misses what an operator needs:\n%s", log.String())
	}
}
