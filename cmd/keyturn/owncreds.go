package main

import (
	"strings"
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
	if t.SignIn.ServiceNowClientID != "" {
		out = append(out, bot.Object{Key: bot.ObjectKey(bot.ServiceNow, "key", setup.OwnServiceNow), System: bot.ServiceNow, Kind: "client", ID: setup.OwnServiceNow,
			Name: "with which people sign in at ServiceNow"})
	}
	return out
}

// ownSecrets lists the client secrets of the configuration that the tenant's
// directory knows. People are signed in with one that is watched anyway.
func (t *tenantConfig) ownSecrets(c *config) (out []bot.OwnSecret) {
	add := func(id, name, client string, s secret) {
		if v := s.value.Reveal(); len(v) >= 16 { // as long as Entra makes them; its hint is the first three characters
			out = append(out, bot.OwnSecret{ID: id, Name: name, Client: client, Hint: v[:3]})
		}
	}
	if t.Reader != nil {
		add(setup.OwnReader, "with which Keyturn reads service health", t.Reader.ClientID, t.Reader.Secret)
	}
	if c.Teams != nil && len(t.Teams) > 0 && strings.EqualFold(c.Teams.Directory, t.Directory) {
		add(setup.OwnTeams, "of Keyturn's Teams bot", c.Teams.AppID, c.Teams.Secret)
	}
	return out
}

func certificateEnd(text string) (time.Time, bool) {
	cert := certificateIn(text)
	if cert == nil {
		return time.Time{}, false
	}
	return cert.NotAfter, true
}
