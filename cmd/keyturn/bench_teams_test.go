//go:build unix

package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/state"
)

const benchTeams = `
listen: 127.0.0.1:0
data: DATA
key: env:KEYTURN_KEY
outside: {proxy: none, teams: "SERVER/", teams_login: "SERVER", teams_openid: "SERVER/openid"}
teams:
  app_id: 22222222-0000-4000-8000-0000000000aa
  directory: 7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10
  secret: env:TEAMS_SECRET
  service_hosts: ["HOST"]
  unpaced: true
tenants:
- id: contoso
  directory: 7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10
  teams: [7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10]
  owners: [Ada]
  people:
  - {id: 11111111-0000-4000-8000-000000000001, name: Ada, accounts: ["teams:7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10:11111111-0000-4000-8000-000000000001"]}
`

// BenchmarkTeamsMessage measures messages with an RS256 token until their
// answer, which is sent when they are on the disk, beside a handler that
// verifies the token and decodes the activity and nothing else. Fetches of
// keys are counted: after the first there are none.
func BenchmarkTeamsMessage(b *testing.B) {
	m := newTeamsService(b)
	p := m.process(b)
	for _, connections := range []int{1, 32} {
		var bare float64
		b.Run(fmt.Sprintf("bare/connections=%d", connections), func(b *testing.B) {
			bare = loadServer(b, &http.Server{Handler: http.HandlerFunc(m.onlyVerified)}, connections, m.request, "")
		})
		b.Run(fmt.Sprintf("keyturn/connections=%d", connections), func(b *testing.B) {
			before := m.fetches.Load()
			rate := loadServer(b, p.server(), connections, m.request, "")
			b.ReportMetric(float64(m.fetches.Load()-before), "fetches")
			if bare > 0 {
				b.ReportMetric(100*rate/bare, "%-of-bare")
			}
		})
	}
}

// teamsService is as much of Microsoft as a message needs: keys and a token.
type teamsService struct {
	server  *httptest.Server
	key     *rsa.PrivateKey
	token   string
	fetches atomic.Int64
	sent    atomic.Int64
}

func newTeamsService(b *testing.B) *teamsService {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	m := &teamsService{key: key}
	m.server = httptest.NewServer(http.HandlerFunc(m.keys))
	b.Cleanup(m.server.Close)
	now := time.Now()
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"iss": "https://api.botframework.com", "aud": "22222222-0000-4000-8000-0000000000aa",
		"serviceurl": m.server.URL + "/", "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(30 * time.Minute).Unix()})
	t.Header["kid"] = "bench"
	if m.token, err = t.SignedString(key); err != nil {
		b.Fatal(err)
	}
	return m
}

func (m *teamsService) keys(w http.ResponseWriter, r *http.Request) {
	m.fetches.Add(1)
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/openid" {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": "https://api.botframework.com", "jwks_uri": m.server.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
		return
	}
	n := base64.RawURLEncoding.EncodeToString(m.key.N.Bytes())
	e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(m.key.E)).Bytes())
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{"kty": "RSA", "use": "sig", "kid": "bench", "n": n, "e": e, "endorsements": []string{"msteams"}}}})
}

// process is everything that serve runs for Teams, with a store that waits for
// the disk.
func (m *teamsService) process(b *testing.B) *process {
	b.Helper()
	key, err := state.NewKey()
	if err != nil {
		b.Fatal(err)
	}
	b.Setenv("KEYTURN_KEY", key)
	b.Setenv("TEAMS_SECRET", "for-measuring")
	c, err := parseConfig([]byte(strings.NewReplacer("DATA", filepath.Join(b.TempDir(), "keyturn.db"), "SERVER", m.server.URL, "HOST", strings.TrimPrefix(m.server.URL, "http://")).Replace(benchTeams)))
	if err != nil {
		b.Fatal(err)
	}
	tenants, wrong := c.check()
	if len(wrong) > 0 {
		b.Fatal(wrong)
	}
	p, err := build(c, tenants, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.close)
	return p
}

// request is one message of a personal chat. Each has an ID of its own, or it
// would be answered as a repeat.
func (m *teamsService) request(string) []byte {
	n := m.sent.Add(1)
	body, err := json.Marshal(map[string]any{"type": "message", "id": fmt.Sprint("1:", n), "channelId": "msteams", "serviceUrl": m.server.URL + "/", "text": "status",
		"from":         map[string]any{"id": "29:ada", "name": "Ada", "aadObjectId": "11111111-0000-4000-8000-000000000001"},
		"recipient":    map[string]any{"id": "28:22222222-0000-4000-8000-0000000000aa"},
		"conversation": map[string]any{"id": "a:ada", "conversationType": "personal", "tenantId": "7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10"},
		"channelData":  map[string]any{"tenant": map[string]any{"id": "7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10"}}})
	if err != nil {
		panic(err) // our own map always can be written
	}
	return fmt.Appendf(nil, "POST /teams/messages HTTP/1.1\r\nHost: keyturn\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", m.token, len(body), body)
}

// onlyVerified costs what any bot costs at least.
func (m *teamsService) onlyVerified(w http.ResponseWriter, r *http.Request) {
	_, err := jwt.Parse(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), func(*jwt.Token) (any, error) { return &m.key.PublicKey, nil }, jwt.WithValidMethods([]string{"RS256"}))
	var activity map[string]any
	if err != nil || json.NewDecoder(r.Body).Decode(&activity) != nil {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.WriteHeader(http.StatusOK)
}
