package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// checkPair finds what is wrong with a private key and its certificate, which
// Entra would tell only once they are used, and then of the signature alone.
func checkPair(f *faults, where, prefix string, private secret, certificate string) {
	private.need(f, where+"."+prefix+"private_key", "")
	if strings.TrimSpace(certificate) == "" {
		f.add("%s.%scertificate: the certificate (PEM) of the private key is missing", where, prefix)
		return
	}
	cert := certificateIn(certificate)
	if cert == nil {
		f.add("%s.%scertificate: it cannot be read: paste all of the PEM file, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, every line indented as far as the first", where, prefix)
	}
	text := private.value.Reveal()
	if text == "" {
		return // said already
	}
	key, ok := rsaKeyIn(text)
	switch {
	case strings.Contains(text, "ENCRYPTED"):
		f.add("%s.%sprivate_key: it is encrypted, and nobody is there to type a passphrase: make it with openssl's -nodes", where, prefix)
	case !ok:
		f.add("%s.%sprivate_key: it cannot be read: it has to be an RSA key in PEM, from -----BEGIN PRIVATE KEY----- on, as openssl req -newkey rsa:3072 -nodes makes it", where, prefix)
	case cert != nil && !key.PublicKey.Equal(cert.PublicKey):
		f.add("%s.%scertificate: it belongs to another private key: name the two files that one call of openssl made, and upload that certificate", where, prefix)
	}
}

// certificateIn is the first certificate of a text, nil where there is none.
func certificateIn(text string) *x509.Certificate {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return cert
}

func rsaKeyIn(text string) (*rsa.PrivateKey, bool) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, false
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, true
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, false
	}
	key, ok := parsed.(*rsa.PrivateKey)
	return key, ok
}
