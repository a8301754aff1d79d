package outward_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/adapters/httpx"
	"keyturn/adapters/outward"
	"keyturn/bot"
)

// site is an HTTPS server that is reached under every name, and what it was
// sent.
type site struct {
	client *http.Client
	log    bytes.Buffer
	got    []request
}

type request struct {
	method, path, body string
	header             http.Header
	http2              bool
}

func startSite(t *testing.T, answer http.HandlerFunc) *site {
	t.Helper()
	s := &site{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.got = append(s.got, request{r.Method, r.URL.RequestURI(), string(body), r.Header, r.ProtoMajor == 2})
		answer(w, r)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{newAuthority().cert}}
	server.EnableHTTP2 = true
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	var err error
	s.client, err = httpx.New(httpx.Config{CAFile: trust(t).file, Proxy: "none", Log: slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, server.Listener.Addr().String())
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

const (
	hookURL = "https://alerts.contoso.test/hooks/canary-path%2Fx/in?sig=canary-query&v=1"
	hookKey = "whsec_Y2FuYXJ5LTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=" // canary-0123456789012345678901
)

func hook(t *testing.T, s *site) *outward.Webhook {
	t.Helper()
	w, err := outward.NewWebhook(outward.WebhookConfig{URL: bot.NewSecret(hookURL), Bearer: bot.NewSecret(canary), SigningKey: bot.NewSecret(hookKey),
		HTTP: s.client, Now: func() time.Time { return at.Add(time.Minute) }})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAWebhookReceivesTheNoteSigned(t *testing.T) {
	s := startSite(t, ok)
	n := note()
	n.Text += "\r\n<b>\x00 & „ü“"
	for range 2 {
		if err := hook(t, s).Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	first := s.got[0]
	if first.method != "POST" || first.path != "/hooks/canary-path%2Fx/in?sig=canary-query&v=1" || !first.http2 {
		t.Errorf("%s %s, HTTP/2 %v", first.method, first.path, first.http2)
	}
	var body map[string]string
	if err := json.Unmarshal([]byte(first.body), &body); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"id": n.ID(), "tenant": "contoso", "kind": "alarm", "subject": "Chat cannot be reached",
		"text": "Chat cannot be reached since 10:02 UTC.\n<b> & „ü“", "at": "2026-11-24T10:42:00Z"}, body); d != "" {
		t.Error(d)
	}
	// As the Standard Webhooks specification has receivers verify it.
	id, stamp := first.header.Get("webhook-id"), first.header.Get("webhook-timestamp")
	mac := hmac.New(sha256.New, []byte("canary-0123456789012345678901"))
	mac.Write([]byte(id + "." + stamp + "." + first.body))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if got := first.header.Get("webhook-signature"); got != want || id != n.ID() || stamp != "1795516980" {
		t.Errorf("id %s, timestamp %s, signature %s instead of %s", id, stamp, got, want)
	}
	if first.header.Get("Authorization") != "Bearer "+canary || first.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", first.header)
	}
	if second := s.got[1]; second.body != first.body || second.header.Get("webhook-id") != id {
		t.Error("a repeat is not recognisable")
	}
	if log := s.log.String(); strings.Contains(log, "canary") || !strings.Contains(log, "alerts.contoso.test") {
		t.Errorf("the log: %s", log)
	}
}

func TestWhatAWebhookAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		kind   bot.Kind // "" is success
		words  string
		after  time.Duration
	}{
		"accepted":            {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) }, "", "", 0},
		"ok as HTML":          {func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", "text/html"); ok(w, r) }, "", "", 0},
		"an answer breaks":    {brokenOff, "", "", 0},
		"an endless answer":   {endless, "", "", 0},
		"a sign-in page":      {says(200, "<!DOCTYPE html><title>Sign in</title>"), bot.KindRefused, "web page", 0},
		"moved":               {moved, bot.KindRefused, "pointed to login.contoso.test", 0},
		"a wrong secret":      {says(401, `{"error":"invalid token"}`), bot.KindRefused, "invalid token", 0},
		"a removed hook":      {says(410, "no_service"), bot.KindRefused, "new one", 0},
		"not understood":      {says(400, "invalid_payload"), bot.KindRefused, `It said: "invalid_payload".`, 0},
		"throttled":           {retry(429), bot.KindThrottled, "slow down", 7 * time.Second},
		"down":                {retry(503), bot.KindUnreachable, "at the moment", 7 * time.Second},
		"fails half-way":      {says(500, "oops"), bot.KindAmbiguous, "may or may not", 0},
		"a gateway":           {says(502, "<html>Bad gateway</html>"), bot.KindAmbiguous, "same ID", 0},
		"no answer":           {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, bot.KindAmbiguous, "may or may not", 0},
		"echoes the bearer":   {says(403, "token "+strings.ToUpper(canary)+" is void"), bot.KindRefused, "did not accept", 0},
		"echoes the path":     {says(404, "no /hooks/canary-path/x here"), bot.KindRefused, "does not know", 0},
		"echoes the query":    {says(400, "sig canary-query?"), bot.KindRefused, "refused", 0},
		"echoes the key":      {says(400, strings.TrimPrefix(hookKey, "whsec_")), bot.KindRefused, "refused", 0},
		"echoes with a trick": {says(400, "can\u200bary-0123456789"), bot.KindRefused, "refused", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSite(t, c.answer)
			err := hook(t, s).Send(t.Context(), note())
			if c.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if f := fails(t, err, c.kind, c.words, "alerts.contoso.test"); f.RetryAfter != c.after {
				t.Errorf("again after %v", f.RetryAfter)
			}
			if len(s.got) != 1 || strings.Contains(s.log.String(), "canary") {
				t.Errorf("%d requests; the log: %s", len(s.got), s.log.String())
			}
		})
	}
}

func says(status int, words string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = io.WriteString(w, words) }
}

func retry(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
	}
}

func moved(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "https://login.contoso.test/canary")
	w.WriteHeader(307)
}

func brokenOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "ok")
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for b := bytes.Repeat([]byte("x"), 1<<16); ; {
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

func TestARequestIDThatRepeatsASecretIsLeftOut(t *testing.T) {
	for id, want := range map[string]string{"rq-1": "rq-1", canary: ""} {
		s := startSite(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Request-Id", id)
			w.WriteHeader(400)
		})
		if f := fails(t, hook(t, s).Send(t.Context(), note()), bot.KindRefused); f.RequestID != want {
			t.Errorf("request ID %q", f.RequestID)
		}
	}
}

func TestAWebhookThatIsNotThere(t *testing.T) {
	s := startSite(t, ok)
	stranger, err := httpx.New(httpx.Config{Proxy: "none", Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Name: "alerts.contoso.test", IsNotFound: true}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	f := fails(t, hook(t, &site{client: stranger}).Send(t.Context(), note()), bot.KindUnreachable, "does not exist")
	var dns *net.DNSError
	if !errors.As(f, &dns) {
		t.Errorf("the cause is lost: %v", f.Err)
	}
	// A client of another policy names the whole address in its errors.
	ordinary := &http.Client{Transport: &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no way to " + hookURL)
	}}}
	fails(t, hook(t, &site{client: ordinary}).Send(t.Context(), note()), bot.KindAmbiguous, "alerts.contoso.test")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fails(t, hook(t, s).Send(ctx, note()), bot.KindUnreachable, "called off")
	n := note()
	n.Key = ""
	fails(t, hook(t, s).Send(t.Context(), n), bot.KindBadRequest, "a key")
	if len(s.got) != 0 {
		t.Errorf("%d requests", len(s.got))
	}
}

// mute takes connections in memory and never answers.
func mute(t *testing.T) *http.Client {
	c, err := httpx.New(httpx.Config{Proxy: "none", Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, far); far.Close() }()
		return near, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestASilentServerIsGivenUpAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, here := mute(t), bot.NewSecret("http://127.0.0.1/x")
		w, err := outward.NewWebhook(outward.WebhookConfig{URL: here, HTTP: client})
		if err != nil {
			t.Fatal(err)
		}
		h, err := outward.NewHeartbeat(outward.HeartbeatConfig{URL: here, HTTP: client})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		fails(t, w.Send(t.Context(), note()), bot.KindAmbiguous)
		_, err = h.Beat(t.Context(), true, "fine")
		fails(t, err, bot.KindUnreachable, "in time")
		_, _, _, err = outward.PublicStatus(t.Context(), client, here.Reveal())
		fails(t, err, bot.KindUnreachable, "in time")
		if took := time.Since(began); took != 3*outward.Patience {
			t.Errorf("three calls took %v", took)
		}
	})
}

func TestAWebhookConfigurationIsCheckedBeforeItIsNeeded(t *testing.T) {
	for words, cfg := range map[string]outward.WebhookConfig{
		"has no address":    {},
		"not a URL":         {URL: bot.NewSecret("https:canary")},
		"URL with a host":   {URL: bot.NewSecret("https://canary\x7f/")},
		"not encrypted":     {URL: bot.NewSecret("http://alerts.contoso.test/canary")},
		"holds a user name": {URL: bot.NewSecret("https://canary:canary@alerts.contoso.test/")},
		"after \"#\"":       {URL: bot.NewSecret("https://alerts.contoso.test/#canary")},
		"two slashes":       {URL: bot.NewSecret("https://alerts.contoso.test//canary")},
		"bearer secret":     {URL: bot.NewSecret(hookURL), Bearer: bot.NewSecret("canary\r\nX: y")},
		"too short":         {URL: bot.NewSecret(hookURL), SigningKey: bot.NewSecret("canary")},
		"not base64":        {URL: bot.NewSecret(hookURL), SigningKey: bot.NewSecret("whsec_canary!")},
	} {
		if _, err := outward.NewWebhook(cfg); err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", words, err)
		}
	}
}
