package teams

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/sim"
)

// issuer is who signs what the Connector sends to bots, also to bots of a
// single tenant.
const issuer = "https://api.botframework.com"

// deliveryLives is how long the token of a delivery holds.
const deliveryLives = time.Hour

// keyring holds private keys, PKCS#8.
type keyring struct {
	Channel []byte `json:"channel"` // signs deliveries; endorsed for msteams
	Other   []byte `json:"other"`   // listed beside it, endorsed for other channels only
	Tenant  []byte `json:"tenant"`  // signs the tokens of the tenant

	channel, other, tenant *rsa.PrivateKey
}

// firstKeys spare the simulators of a process their own key generation.
var firstKeys = sync.OnceValues(func() ([3][]byte, error) {
	var all [3][]byte
	for i := range all {
		b, err := newKey()
		if err != nil {
			return all, err
		}
		all[i] = b
	}
	return all, nil
})

func newKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

func (k *keyring) complete() error {
	if len(k.Channel) == 0 {
		first, err := firstKeys()
		if err != nil {
			return err
		}
		k.Channel, k.Other, k.Tenant = first[0], first[1], first[2]
	}
	var err1, err2, err3 error
	k.channel, err1 = parseKey(k.Channel)
	k.other, err2 = parseKey(k.Other)
	k.tenant, err3 = parseKey(k.Tenant)
	return errors.Join(err1, err2, err3)
}

func parseKey(b []byte) (*rsa.PrivateKey, error) {
	k, err := x509.ParsePKCS8PrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("a signing key of the snapshot is damaged (delete the snapshot to start afresh): %w", err)
	}
	key, ok := k.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("a signing key of the snapshot is not RSA (delete the snapshot to start afresh)")
	}
	return key, nil
}

func keyID(key *rsa.PrivateKey) string {
	h := sha1.Sum(x509.MarshalPKCS1PublicKey(&key.PublicKey))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// RotateKeys makes a new key for deliveries. From now on only tokens of the new
// one are sent, and the old one is listed no more.
func (s *Server) RotateKeys() error {
	b, err := newKey()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.Channel = b
	s.touch()
	return s.keys.complete()
}

// SetOutage takes the OpenID document and the keys off the air, or puts them
// back.
func (s *Server) SetOutage(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.Outage = down
	s.touch()
}

// serveOpenID is the metadata document that "Authenticate requests from the Bot
// Connector service to your bot" begins with.
func (s *Server) serveOpenID(w http.ResponseWriter, r *http.Request) {
	s.serveMetadata(w, r, func() any {
		s.st.Fetches.Documents++
		return map[string]any{
			"issuer": issuer, "authorization_endpoint": "https://invalid.botframework.com", "jwks_uri": s.url + "/v1/.well-known/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "token_endpoint_auth_methods_supported": []string{"private_key_jwt"},
		}
	})
}

func (s *Server) serveKeys(w http.ResponseWriter, r *http.Request) {
	s.serveMetadata(w, r, func() any {
		s.st.Fetches.Keys++
		others := []string{"directline", "email", "sms", "telegram", "webchat", "line"}
		return map[string]any{"keys": []any{
			jwk(s.keys.other, others), jwk(s.keys.channel, append(slices.Clone(others), "msteams", "skype")),
		}}
	})
}

func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request, make func() any) {
	s.mu.Lock()
	down := s.st.Outage
	answer := make()
	s.touch()
	s.mu.Unlock()
	status := http.StatusOK
	if down {
		status, answer = http.StatusServiceUnavailable, envelope("ServiceUnavailable", "The keys cannot be read at the moment.")
	}
	s.Journal.Add(sim.Call{At: s.cfg.Now(), Method: r.Method, Path: r.URL.Path, Status: status})
	sim.WriteJSON(w, status, answer)
}

func jwk(key *rsa.PrivateKey, endorsements []string) map[string]any {
	id := keyID(key)
	return map[string]any{"kty": "RSA", "use": "sig", "kid": id, "x5t": id, "endorsements": endorsements,
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())}
}

// claims are those of a token on its way to the bot. s.mu is held.
func (s *Server) claims() jwt.MapClaims {
	now := s.cfg.Now()
	return jwt.MapClaims{"serviceurl": s.serviceURL(), "nbf": now.Unix(), "exp": now.Add(deliveryLives).Unix(), "iss": issuer, "aud": s.cfg.BotAppID}
}

func sign(key *rsa.PrivateKey, claims jwt.MapClaims) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	t.Header["kid"], t.Header["x5t"] = keyID(key), keyID(key)
	token, err := t.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return token, nil
}
