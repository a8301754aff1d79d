package playground

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/sim/play"
)

const (
	appID    = "44444444-0000-4000-8000-000000000001"
	botName  = "Keyturn"
	botToken = "a-token-for-the-bot-of-this-test"
	keyName  = "key-of-this-test"
	issuer   = "https://api.botframework.com"
)

// relay stands between the Playgrounds and the bot, in the places of the Bot
// Connector, of its keys and of the bot's sign-in service. Each window has its
// own path, which is the serviceUrl of its conversations.
//
//	/of/<window>/api/messages   from the Playground, signed and passed on to the bot
//	/of/<window>/_connector/... from the bot, passed on to the Playground
//	/openid, /keys           what the bot checks signatures with
//	/login/...               where the bot gets its token
type relay struct {
	t    *testing.T
	addr string // host:port
	key  *rsa.PrivateKey
	bot  string // URL of the bot's endpoint

	// busy is held while a person does something: the Playground's page stops
	// following a conversation when it is answered before it has drawn the
	// question, which no bot that is far away is fast enough for.
	busy sync.RWMutex

	mu      sync.Mutex
	windows map[string]*url.URL // of the Playgrounds, by window
	sent    []string            // bodies that the bot posted or edited
	taken   [][]byte            // activities as the Playgrounds sent them
}

func startRelay(t *testing.T, bot string) *relay {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, addr: l.Addr().String(), key: key, bot: bot, windows: map[string]*url.URL{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /openid", r.openID)
	mux.HandleFunc("GET /keys", r.keys)
	mux.HandleFunc("POST /login/{directory}/oauth2/v2.0/token", r.token)
	mux.HandleFunc("HEAD /of/{window}/api/messages", func(http.ResponseWriter, *http.Request) {}) // is anybody there?
	mux.HandleFunc("POST /of/{window}/api/messages", r.inward)
	mux.HandleFunc("/of/{window}/_connector/", r.outward)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Close() })
	return r
}

func (r *relay) url(path string) string { return "http://" + r.addr + path }

func (r *relay) openID(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{"issuer": issuer, "jwks_uri": r.url("/keys"), "id_token_signing_alg_values_supported": []string{"RS256"}})
}

func (r *relay) keys(w http.ResponseWriter, _ *http.Request) {
	raw := base64.RawURLEncoding
	writeJSON(w, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "use": "sig", "kid": keyName, "endorsements": []string{"msteams"},
		"n": raw.EncodeToString(r.key.N.Bytes()), "e": raw.EncodeToString(big.NewInt(int64(r.key.E)).Bytes())}}})
}

// token is the sign-in service: it knows this bot alone.
func (r *relay) token(w http.ResponseWriter, q *http.Request) {
	if q.PathValue("directory") != play.Directory || q.FormValue("client_id") != appID || q.FormValue("client_secret") != botSecret {
		http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
		return
	}
	writeJSON(w, map[string]any{"token_type": "Bearer", "expires_in": 3600, "access_token": botToken})
}

func (r *relay) inward(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(io.LimitReader(q.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.taken = append(r.taken, body)
	r.mu.Unlock()
	body, service, err := completed(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	resp, err := r.toBot(body, r.signed(service))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body) // a Playground that hung up needs no answer
}

// toBot posts an activity to the bot, with a token or without.
func (r *relay) toBot(body []byte, token string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodPost, r.bot, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return http.DefaultClient.Do(req)
}

// signed is a token as the Bot Connector sends it.
func (r *relay) signed(service string) string {
	now := time.Now()
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"iss": issuer, "aud": appID, "serviceurl": service,
		"nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix()})
	t.Header["kid"] = keyName
	s, err := t.SignedString(r.key)
	if err != nil {
		panic(err) // the key is ours
	}
	return s
}

// completed adds what Teams always says and the Playground sometimes leaves
// out: the tenant of a conversation and the directory object of a person.
func completed(body []byte) (out []byte, service string, err error) {
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, "", fmt.Errorf("the Playground sent no activity: %w", err)
	}
	if c, ok := v["conversation"].(map[string]any); ok && c["tenantId"] == nil {
		c["tenantId"] = play.Directory
	}
	if from, ok := v["from"].(map[string]any); ok {
		for _, p := range play.Everybody() {
			if from["id"] == teamsID(p) && from["aadObjectId"] == nil {
				from["aadObjectId"] = p.Entra
			}
		}
	}
	service, _ = v["serviceUrl"].(string)
	out, err = json.Marshal(v)
	return out, service, err
}

// outward passes a call of the bot on to the window's Playground.
func (r *relay) outward(w http.ResponseWriter, q *http.Request) {
	if q.Header.Get("Authorization") != "Bearer "+botToken {
		http.Error(w, "the bot's token is missing", http.StatusUnauthorized)
		return
	}
	window := q.PathValue("window")
	body, err := io.ReadAll(q.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.busy.RLock()
	defer r.busy.RUnlock()
	r.mu.Lock()
	to := r.windows[window]
	r.sent = append(r.sent, string(body))
	r.mu.Unlock()
	if to == nil {
		http.NotFound(w, q)
		return
	}
	q.Body = io.NopCloser(bytes.NewReader(body))
	proxy := &httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(to)
		p.Out.Header.Del("Authorization")
	}}
	http.StripPrefix("/of/"+window, proxy).ServeHTTP(w, q)
}

// lastSent is the newest of what the bot sent that holds all the texts.
func (r *relay) lastSent(texts ...string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
search:
	for i := len(r.sent) - 1; i >= 0; i-- {
		for _, s := range texts {
			if !strings.Contains(r.sent[i], s) {
				continue search
			}
		}
		return r.sent[i]
	}
	return ""
}

// firstTaken is the first activity that a Playground sent, as it sent it.
func (r *relay) firstTaken() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.taken) == 0 {
		return nil
	}
	return r.taken[0]
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that hung up needs no answer
}
