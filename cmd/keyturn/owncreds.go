package main

import (
	"crypto/x509"
	"encoding/pem"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// own lists the credentials of the configuration whose end can be read from
// their certificates. A secret does not say when it ends: the directory does,
// where Keyturn may read it.
func (t *tenantConfig) own(c *config) []bot.Object {
	var out []bot.Object
	add := func(id, name, certificate string) {
		if end, ok := certificateEnd(certificate); ok {
			out = append(out, bot.Object{Key: bot.ObjectKey(bot.Graph, "key", id), System: bot.Graph, Kind: "key", ID: id, Name: name, Expires: end})
		}
	}
	if t.Reader != nil {
		add(setup.OwnReader, "with which Keyturn reads service health", t.Reader.Certificate)
	}
	if c.Teams != nil && len(t.Teams) > 0 {
		add(setup.OwnTeams, "of Keyturn's Teams bot", c.Teams.Certificate)
	}
	return out
}

func certificateEnd(text string) (time.Time, bool) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return time.Time{}, false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, false
	}
	return cert.NotAfter, true
}
