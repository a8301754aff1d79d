package graph

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// assertionType is the fixed value of client_assertion_type (RFC 7523).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const (
	assertionLife = 5 * time.Minute
	assertionSkew = time.Minute // before now, for a server whose clock is behind
)

// assert signs a client assertion for the token endpoint at path: PS256 with
// the certificate's thumbprint in x5t#S256, as the Microsoft identity
// platform's page on certificate credentials describes it.
func (c *Client) assert(path string, cred Credential) (string, error) {
	target, err := httpx.Target(c.cfg.LoginURL, path)
	if err != nil {
		return "", mine(bot.Login, "The sign-in was not made: "+err.Error()+".", "This is a fault in Keyturn or its configuration; report it.")
	}
	target.RawQuery = ""
	key, thumb, err := keyPair(cred)
	if err != nil {
		return "", &bot.Failure{Kind: bot.KindSignIn, System: bot.Login, Err: err,
			Says: "The key of this application cannot be used: " + err.Error() + ".",
			Fix:  "An operator has to replace the key and its certificate."}
	}
	now := c.cfg.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodPS256, jwt.RegisteredClaims{
		Issuer:    cred.ClientID,
		Subject:   cred.ClientID,
		Audience:  jwt.ClaimStrings{target.String()},
		ID:        c.cfg.NewID(),
		IssuedAt:  jwt.NewNumericDate(now),
		NotBefore: jwt.NewNumericDate(now.Add(-assertionSkew)),
		ExpiresAt: jwt.NewNumericDate(now.Add(assertionLife)),
	})
	token.Header["x5t#S256"] = thumb
	signed, err := token.SignedString(key)
	if err != nil {
		return "", mine(bot.Login, "The sign-in was not made: the key could not sign.", "An operator has to replace the key and its certificate.")
	}
	return signed, nil
}

// keyPair reads a credential's key and certificate. Its errors never quote
// the key.
func keyPair(cred Credential) (*rsa.PrivateKey, string, error) {
	kb, _ := pem.Decode([]byte(cred.Key.Reveal()))
	if kb == nil {
		return nil, "", errors.New("it is not PEM")
	}
	key, err := privateKey(kb)
	if err != nil {
		return nil, "", err
	}
	cb, _ := pem.Decode([]byte(cred.Cert))
	if cb == nil || cb.Type != "CERTIFICATE" {
		return nil, "", errors.New("its certificate is missing or not PEM")
	}
	cert, err := x509.ParseCertificate(cb.Bytes)
	if err != nil {
		return nil, "", errors.New("its certificate cannot be read")
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, "", errors.New("its certificate belongs to another key")
	}
	sum := sha256.Sum256(cb.Bytes)
	return key, base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

func privateKey(b *pem.Block) (*rsa.PrivateKey, error) {
	if b.Type == "RSA PRIVATE KEY" {
		if key, err := x509.ParsePKCS1PrivateKey(b.Bytes); err == nil {
			return key, nil
		}
		return nil, errors.New("the private key cannot be read")
	}
	any, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, errors.New("the private key cannot be read (an unencrypted PKCS #8 or PKCS #1 key is needed)")
	}
	key, ok := any.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the private key is not RSA, and Microsoft takes no other")
	}
	return key, nil
}
