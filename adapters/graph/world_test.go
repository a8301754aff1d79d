package graph_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/adapters/graph"
	"keyturn/adapters/httpx"
	"keyturn/bot"
)

const canary = "canary-9f2c"

// world is a small Microsoft: a token endpoint, and a Graph whose answers the
// test scripts.
type world struct {
	*httptest.Server
	t *testing.T

	mu     sync.Mutex
	now    time.Time
	waited time.Duration
	asked  []*http.Request
	bodies []string
	tokens int
	graph  http.HandlerFunc
	login  http.HandlerFunc // nil gives a token
}

func newWorld(t *testing.T, answer http.HandlerFunc) *world {
	w := &world{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), graph: answer}
	w.Server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.Close)
	return w
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "/oauth2/") {
		w.mu.Lock()
		w.tokens++
		n := w.tokens
		login := w.login
		w.mu.Unlock()
		if login != nil {
			login(rw, r)
			return
		}
		_, _ = rw.Write([]byte(`{"token_type":"Bearer","expires_in":3599,"access_token":"` + canary + `-token-` + strconv.Itoa(n) + `"}`))
		return
	}
	var body json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&body)
	w.mu.Lock()
	w.asked = append(w.asked, r.Clone(context.WithoutCancel(r.Context())))
	w.bodies = append(w.bodies, string(body))
	answer := w.graph
	w.mu.Unlock()
	answer(rw, r)
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) wait(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	w.waited += d
	return ctx.Err()
}

func (w *world) calls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.asked)
}

func (w *world) request(i int) *http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[i]
}

// fetched is how many tokens were asked for.
func (w *world) fetched() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tokens
}

// later moves the clock on.
func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// script changes what the world answers.
func (w *world) script(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *world) client(change ...func(*graph.Config)) *graph.Client {
	w.t.Helper()
	hc, err := httpx.New(httpx.Config{Version: "test"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(hc.CloseIdleConnections)
	cfg := graph.Config{
		GraphURL: w.URL + "/v1.0", LoginURL: w.URL, HTTP: hc, Now: w.clock, Wait: w.wait,
		Rand: func() float64 { return 1 },
		Tenants: map[bot.TenantID]graph.TenantConfig{"contoso": {
			Directory: "contoso.onmicrosoft.com",
			Writer:    graph.Credential{ClientID: "writer", Secret: bot.NewSecret(canary + "-writer")},
		}},
	}
	for _, c := range change {
		c(&cfg)
	}
	return graph.New(cfg)
}

var (
	reader   = bot.Reader{ClientID: "reader", Secret: bot.NewSecret(canary + "-reader")}
	identity = bot.CallIdentity{RequestID: "11111111-2222-4333-8444-555555555555", ClientID: "made", Secret: bot.NewSecret(canary + "-made")}
	get      = bot.Call{System: bot.Graph, Method: "GET", Path: "/applications(appId='x')"}
	post     = bot.Call{System: bot.Graph, Method: "POST", Path: "/applications", Body: json.RawMessage(`{"displayName":"x"}`)}
)

// answers gives the scripted answers one after another, and the last for ever.
func answers(list ...func(http.ResponseWriter)) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		a := list[0]
		if len(list) > 1 {
			list = list[1:]
		}
		mu.Unlock()
		a(w)
	}
}

func says(status int, body string, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func hangsUp(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func graphError(status int, code, message string, header ...string) func(http.ResponseWriter) {
	b, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "message": message,
		"innerError": map[string]string{"request-id": "ms-1"}}})
	return says(status, string(b), header...)
}

func failure(t *testing.T, err error) *bot.Failure {
	t.Helper()
	var f *bot.Failure
	if !errors.As(err, &f) {
		t.Fatalf("this is no failure: %v", err)
	}
	if strings.Contains(f.Error(), canary) || strings.Contains(f.RequestID, canary) || f.Err != nil && strings.Contains(f.Err.Error(), canary) {
		t.Errorf("the failure tells a secret: %v (%v)", f, f.Err)
	}
	if f.Says == "" || f.Fix == "" || !strings.HasSuffix(f.Says, ".") || !strings.HasSuffix(f.Fix, ".") {
		t.Errorf("the failure is no pair of sentences: %q %q", f.Says, f.Fix)
	}
	return f
}

// pair makes a key with its certificate.
func pair(t *testing.T) (key bot.Secret, cert string, public *x509.Certificate) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "reader"},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	public, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pk, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return bot.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pk}))),
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), public
}
