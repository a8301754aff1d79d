package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// keyLives is how long the certificate of a key pair made here is valid.
// Entra takes longer ones; a year makes rotation a habit.
const keyLives = 365 * 24 * time.Hour

// keyMaker makes the key pairs and random secrets that steps ask for. Entra
// takes RSA keys of at least 2048 bits in an X.509 certificate ("Certificate
// credentials for application authentication").
type keyMaker struct{}

// Make implements [engine.KeyMaker].
func (keyMaker) Make(name, run string, now time.Time) (engine.MadeKey, error) {
	if secret, ok := strings.CutPrefix(name, "random:"); ok {
		b := make([]byte, 32)
		if _, err := rand.Read(b); err != nil {
			return engine.MadeKey{}, fmt.Errorf("reading random bytes: %w", err)
		}
		return engine.MadeKey{Name: secret, Secret: bot.NewSecret(base64.RawURLEncoding.EncodeToString(b))}, nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return engine.MadeKey{}, fmt.Errorf("making a key pair: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return engine.MadeKey{}, fmt.Errorf("making a serial number: %w", err)
	}
	until := now.Add(keyLives).UTC().Truncate(time.Second)
	cert := x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "Keyturn " + name + " " + run},
		NotBefore: now.Add(-5 * time.Minute).UTC().Truncate(time.Second), NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, &cert, &cert, &key.PublicKey, key)
	if err != nil {
		return engine.MadeKey{}, fmt.Errorf("making a certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return engine.MadeKey{}, fmt.Errorf("encoding the private key: %w", err)
	}
	return engine.MadeKey{
		Name:   name,
		Secret: bot.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))),
		Facts: map[string]string{
			name + ".cert":  string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
			name + ".der":   base64.StdEncoding.EncodeToString(der),
			name + ".until": until.Format(time.RFC3339),
		},
	}, nil
}
