package main

import (
	"context"
	"net/url"
	"strings"

	"keyturn/adapters/graph"
	"keyturn/adapters/httpx"
	"keyturn/adapters/servicenow"
	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/web/signin"
)

// signInConfig says as whom a tenant's calls are made, by system, and names
// Keyturn's own registrations there.
type signInConfig struct {
	Entra      bot.Mode `yaml:"entra"`      // delegated, app or none
	ServiceNow bot.Mode `yaml:"servicenow"` // the same

	EntraClientID    string `yaml:"entra_client_id"`
	EntraRedirect    string `yaml:"entra_redirect"` // "" is public_url/signin/entra
	EntraPrivateKey  secret `yaml:"entra_private_key"`
	EntraCertificate string `yaml:"entra_certificate"`
	EntraSecret      secret `yaml:"entra_secret"`
	EntraFederated   string `yaml:"entra_federated_token_file"`

	ServiceNowClientID string `yaml:"servicenow_client_id"`
	ServiceNowSecret   secret `yaml:"servicenow_secret"`

	// EntraApp and ServiceNowApp make the calls in the mode app.
	EntraApp      *credential `yaml:"entra_app"`
	ServiceNowApp *credential `yaml:"servicenow_app"`
}

// modes are as whom calls are made where the configuration is silent: as the
// simulator's own client where there is one, as the approver where Keyturn has
// a registration to sign in with, and otherwise not at all.
func (t *tenantConfig) modes() map[bot.System]bot.Mode {
	guess := func(said bot.Mode, simulator *credential, client string) bot.Mode {
		switch {
		case said != "":
			return said
		case simulator != nil:
			return bot.AsApp
		case client != "":
			return bot.Delegated
		}
		return bot.NoCalls
	}
	out := map[bot.System]bot.Mode{bot.Graph: guess(t.SignIn.Entra, t.Simulator, t.SignIn.EntraClientID), bot.ServiceNow: bot.NoCalls}
	if t.ServiceNow != nil {
		out[bot.ServiceNow] = guess(t.SignIn.ServiceNow, t.ServiceNow.Simulator, t.SignIn.ServiceNowClientID)
	}
	return out
}

func (t *tenantConfig) checkSignIn(c *config, where string, f *faults) {
	s, modes := &t.SignIn, t.modes()
	where += ".sign_in"
	for _, m := range []struct {
		key  string
		mode bot.Mode
	}{{"entra", s.Entra}, {"servicenow", s.ServiceNow}} {
		switch m.mode {
		case "", bot.Delegated, bot.AsApp, bot.NoCalls:
		default:
			f.add("%s.%s: there is no mode %q: write delegated (calls run as whoever approves), app (as an application) or none (nothing is called)", where, m.key, m.mode)
		}
	}
	if modes[bot.Graph] == bot.Delegated {
		s.needs(f, c, where, "entra", s.EntraClientID)
		switch {
		case s.EntraPrivateKey.set():
			checkPair(f, where, "entra_", s.EntraPrivateKey, s.EntraCertificate)
		case s.EntraSecret.set():
			s.EntraSecret.need(f, where+".entra_secret", "")
		case s.EntraFederated == "":
			f.add("%s.entra_private_key: say how Keyturn proves itself to Entra: entra_private_key with entra_certificate, entra_federated_token_file, or entra_secret", where)
		}
		if r := s.EntraRedirect; r != "" && c.PublicURL != "" && r != c.redirect("entra") {
			f.add("%s.entra_redirect: %q is not where Keyturn's page is: leave it out, or write %s", where, r, c.redirect("entra"))
		}
	}
	if modes[bot.ServiceNow] == bot.Delegated {
		s.needs(f, c, where, "servicenow", s.ServiceNowClientID)
		if s.ServiceNowSecret.set() {
			s.ServiceNowSecret.need(f, where+".servicenow_secret", "")
		}
		if t.ServiceNow == nil {
			f.add("%s.servicenow: the tenant names no instance: add servicenow with its host", where)
		}
	}
	if s.Entra == bot.AsApp && s.EntraApp == nil && t.Simulator == nil {
		f.add("%s.entra_app: the mode app needs an application: give client_id with private_key and certificate, or secret", where)
	}
	if s.ServiceNow == bot.AsApp && s.ServiceNowApp == nil && (t.ServiceNow == nil || t.ServiceNow.Simulator == nil) {
		f.add("%s.servicenow_app: the mode app needs a client: give client_id and secret", where)
	}
	s.EntraApp.check(f, where+".entra_app")
	s.ServiceNowApp.check(f, where+".servicenow_app")
}

// needs finds what a sign-in needs at any system.
func (s *signInConfig) needs(f *faults, c *config, where, system, client string) {
	if client == "" {
		f.add("%s.%s_client_id: missing; name Keyturn's sign-in registration, or write %s: none", where, system, system)
	}
	u, err := url.Parse(c.PublicURL)
	switch {
	case c.PublicURL == "":
		f.add("public_url: missing; people sign in on Keyturn's own page, so say how their browsers reach it: https://keyturn.example.com")
	case err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		f.add("public_url: %q has to be a host alone, without a path: https://keyturn.example.com", c.PublicURL)
	case u.Scheme != "https" && !httpx.Loopback(c.PublicURL):
		f.add("public_url: %q is not encrypted, and people sign in there: write https://", c.PublicURL)
	}
}

// redirect is where a system's page sends browsers back to.
func (c *config) redirect(system string) string {
	return strings.TrimSuffix(c.PublicURL, "/") + "/signin/" + system
}

// gate is the page where a tenant's people sign in, as their browsers see it.
func (c *config) gate(id bot.TenantID, s bot.System) string {
	if s == bot.Graph {
		return c.base(id, bot.Login)
	}
	for _, t := range c.Tenants {
		if t.ID == string(id) && t.ServiceNow != nil && t.ServiceNow.URL != "" {
			return strings.TrimSuffix(t.ServiceNow.URL, "/")
		}
	}
	return c.base(id, s)
}

// entraTenant is what the connection to Microsoft knows of a tenant.
func (t *tenantConfig) entraTenant(c *config) graph.TenantConfig {
	out := graph.TenantConfig{Directory: t.Directory, AsApp: t.modes()[bot.Graph] != bot.Delegated}
	s := &t.SignIn
	switch {
	case s.EntraApp != nil && s.Entra == bot.AsApp:
		out.Writer, out.Standing = graph.Credential{ClientID: s.EntraApp.ClientID, Secret: s.EntraApp.Secret.value, Key: s.EntraApp.PrivateKey.value, Cert: s.EntraApp.Certificate}, true
	case t.Simulator != nil:
		out.Writer = graph.Credential{ClientID: t.Simulator.ClientID, Secret: t.Simulator.Secret.value, Key: t.Simulator.PrivateKey.value, Cert: t.Simulator.Certificate}
	}
	out.SignIn = graph.SignIn{Credential: graph.Credential{ClientID: s.EntraClientID, Secret: s.EntraSecret.value, Key: s.EntraPrivateKey.value, Cert: s.EntraCertificate}, Redirect: c.redirect("entra")}
	if file := s.EntraFederated; file != "" {
		out.SignIn.Assertion = func(context.Context) (bot.Secret, error) { return resolve("file:" + file) }
	}
	return out
}

// instance is what the connection to ServiceNow knows of a tenant.
func (t *tenantConfig) instance(c *config) servicenow.TenantConfig {
	out := servicenow.TenantConfig{Host: t.ServiceNow.Host, BaseURL: t.ServiceNow.URL, AsApp: t.modes()[bot.ServiceNow] != bot.Delegated}
	s := &t.SignIn
	switch w := t.ServiceNow.Simulator; {
	case s.ServiceNowApp != nil && s.ServiceNow == bot.AsApp:
		out.Writer, out.Standing = servicenow.Credential{ClientID: s.ServiceNowApp.ClientID, Secret: s.ServiceNowApp.Secret.value}, true
	case w != nil:
		out.Writer = servicenow.Credential{ClientID: w.ClientID, Secret: w.Secret.value}
	}
	out.SignIn = servicenow.SignIn{Credential: servicenow.Credential{ClientID: s.ServiceNowClientID, Secret: s.ServiceNowSecret.value}, Redirect: c.redirect("servicenow/" + t.ID)}
	return out
}

// pages serves Keyturn's own pages.
func (p *process) pages(doors map[bot.System]engine.Door) error {
	if p.conf.PublicURL == "" {
		return nil
	}
	p.engine.Doors = doors
	h, err := signin.New(signin.Config{Desk: p.engine, Public: p.conf.PublicURL, Log: p.log})
	if err != nil {
		return err
	}
	p.routes.Handle("/signin/", h)
	return nil
}
