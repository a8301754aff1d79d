package microsoft

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// sharedKey spares every simulator of a process its own key generation.
var sharedKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func (s *Server) loadKey() error {
	if len(s.st.Key) > 0 {
		k, err := x509.ParsePKCS8PrivateKey(s.st.Key)
		if err != nil {
			return fmt.Errorf("the snapshot's signing key is damaged (delete the snapshot to start afresh): %w", err)
		}
		key, ok := k.(*rsa.PrivateKey)
		if !ok {
			return errors.New("the snapshot's signing key is not RSA (delete the snapshot to start afresh)")
		}
		s.key = key
	} else {
		key, err := sharedKey()
		if err != nil {
			return fmt.Errorf("making a signing key: %w", err)
		}
		s.key = key
		if s.st.Key, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
			return fmt.Errorf("making a signing key: %w", err)
		}
	}
	h := sha1.Sum(x509.MarshalPKCS1PublicKey(&s.key.PublicKey))
	s.keyID = base64.RawURLEncoding.EncodeToString(h[:])
	return nil
}

func (s *Server) sign(claims jwt.MapClaims) string {
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	t.Header["kid"], t.Header["x5t"] = s.keyID, s.keyID
	out, err := t.SignedString(s.key)
	if err != nil {
		panic(fmt.Sprintf("signing a token: %v", err)) // an RSA key in memory does not fail
	}
	return out
}

// verify reads a token that this tenant signed.
func (s *Server) verify(token string) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return &s.key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(s.now), jwt.WithExpirationRequired())
	return claims, err
}

func (s *Server) jwks(base string) map[string]any {
	pub := s.key.PublicKey
	return map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "kid": s.keyID, "x5t": s.keyID,
		"n":      base64.RawURLEncoding.EncodeToString(pub.N.Bytes()),
		"e":      base64.RawURLEncoding.EncodeToString(big.NewInt(int64(pub.E)).Bytes()),
		"issuer": s.issuer(base),
	}}}
}

func (s *Server) issuer(base string) string { return base + "/login/" + s.cfg.TenantID + "/v2.0" }

const (
	tokenLifetime   = 3599 * time.Second // as Entra writes it
	refreshLifetime = 90 * 24 * time.Hour
	codeLifetime    = 10 * time.Minute
)

// accessToken makes a token for a resource. u is nil for an application's own.
func (s *Server) accessToken(base, audience string, p *principal, u *user, scopes []string) string {
	now := s.now()
	c := jwt.MapClaims{
		"aud": audience, "iss": s.issuer(base), "tid": s.cfg.TenantID, "ver": "1.0",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(tokenLifetime).Unix(),
		"appid": p.AppID, "app_displayname": p.DisplayName, "uti": s.token(22),
	}
	if u == nil {
		c["oid"], c["sub"], c["idtyp"] = p.ID, p.ID, "app"
		if audience == graphResource || audience == GraphAppID {
			if roles := s.st.rolesOf(p); len(roles) > 0 {
				c["roles"] = roles
			}
		}
		return s.sign(c)
	}
	c["oid"], c["sub"], c["idtyp"] = u.ID, derivedID("subject", u.ID, p.AppID), "user"
	c["name"], c["upn"], c["unique_name"] = u.Name, u.UPN, u.UPN
	c["scp"] = joinScopes(scopes)
	s.addRoles(c, u)
	return s.sign(c)
}

func (s *Server) idToken(base string, appID string, u *user, nonce string, withEmail bool) string {
	now := s.now()
	c := jwt.MapClaims{
		"aud": appID, "iss": s.issuer(base), "tid": s.cfg.TenantID, "ver": "2.0",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(tokenLifetime).Unix(),
		"oid": u.ID, "sub": derivedID("subject", u.ID, appID), "name": u.Name, "preferred_username": u.UPN,
	}
	if nonce != "" {
		c["nonce"] = nonce
	}
	if withEmail && u.Mail != "" {
		c["email"] = u.Mail
	}
	s.addRoles(c, u)
	return s.sign(c)
}

// addRoles puts the person's active directory roles into wids. Entra adds one
// more template that every member has.
func (s *Server) addRoles(c jwt.MapClaims, u *user) {
	if s.st.Quirks.NoWids {
		return
	}
	c["wids"] = append(u.active(s.now()), "b79fbf4d-3ef9-4689-8143-76b194e85509")
}
