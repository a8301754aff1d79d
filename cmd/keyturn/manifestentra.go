package main

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"text/template"

	"keyturn/adapters/graph"
	"keyturn/bot/setup"
)

//go:embed manifest/entra.md.tmpl
var entraTemplate embed.FS

type entraManifestCmd struct {
	Config      string `help:"Configuration file; the tenant and public_url stand there." required:"" type:"existingfile"`
	Tenant      string `help:"Tenant. Without it the first."`
	Certificate string `help:"File with the certificate (PEM) to upload, where the configuration names none." type:"existingfile"`
	Body        bool   `help:"Print only the body of the registration, for a file."`
}

// signInUnique is the natural key of the sign-in registration, so that the same
// call made twice makes one.
const signInUnique = "keyturn-sign-in"

// msGraph is Microsoft Graph as a resource of every tenant.
const msGraph = "00000003-0000-0000-c000-000000000000"

// registration is an application as Microsoft Graph takes it.
type registration struct {
	Name     string `json:"displayName"`
	Audience string `json:"signInAudience"`
	Web      struct {
		Redirects []string `json:"redirectUris"`
	} `json:"web"`
	Access []resourceAccess `json:"requiredResourceAccess"`
	Keys   []keyCredential  `json:"keyCredentials,omitempty"`
}

type resourceAccess struct {
	Resource string      `json:"resourceAppId"`
	Access   []oneAccess `json:"resourceAccess"`
}

type oneAccess struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

type keyCredential struct {
	Type  string `json:"type"`
	Usage string `json:"usage"`
	Name  string `json:"displayName"`
	Key   string `json:"key"` // base64 DER
}

// signInRegistration is the registration that a tenant's people sign in with.
func signInRegistration(redirect, certificate string) (registration, error) {
	r := registration{Name: "Keyturn sign-in", Audience: "AzureADMyOrg"}
	r.Web.Redirects = []string{redirect}
	of := resourceAccess{Resource: msGraph}
	for _, p := range setup.SignInPermissions() {
		of.Access = append(of.Access, oneAccess{p.ID, "Scope"})
	}
	r.Access = []resourceAccess{of}
	if certificate != "" {
		if _, ok := certificateEnd(certificate); !ok {
			return r, errors.New("the certificate cannot be read: it has to be PEM (-----BEGIN CERTIFICATE-----), and not the private key")
		}
		block, _ := pem.Decode([]byte(certificate))
		r.Keys = []keyCredential{{"AsymmetricX509Cert", "Verify", "CN=Keyturn sign-in", base64.StdEncoding.EncodeToString(block.Bytes)}}
	}
	return r, nil
}

// Run prints the registration.
func (m entraManifestCmd) Run(c *console) error {
	conf, _, err := load(m.Config)
	if err != nil {
		return err
	}
	if conf.PublicURL == "" {
		return fmt.Errorf("%s names no public_url, and the registration needs the address that Entra sends browsers back to: add public_url: https://keyturn.example.com", m.Config)
	}
	t, err := conf.tenantOf(m.Tenant)
	if err != nil {
		return err
	}
	certificate := t.SignIn.EntraCertificate
	if m.Certificate != "" {
		b, err := os.ReadFile(m.Certificate)
		if err != nil {
			return fmt.Errorf("the certificate cannot be read: %w", err)
		}
		certificate = string(b)
	}
	r, err := signInRegistration(conf.redirect("entra"), certificate)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if m.Body {
		_, err = fmt.Fprintf(c.out, "%s\n", body)
		return err
	}
	page, err := template.ParseFS(entraTemplate, "manifest/entra.md.tmpl")
	if err != nil {
		return err
	}
	client := t.SignIn.EntraClientID
	consent := first(conf.Outside.Login, graph.DefaultLoginURL) + "/" + t.Directory + "/adminconsent?client_id=" + cmp.Or(client, "APP_ID") + "&redirect_uri=" + url.QueryEscape(conf.redirect("entra"))
	flags := ""
	if m.Tenant != "" {
		flags = " --tenant " + m.Tenant
	}
	if m.Certificate != "" {
		flags += " --certificate " + m.Certificate
	}
	var b bytes.Buffer
	err = page.Execute(&b, map[string]any{"ID": t.ID, "Name": cmp.Or(t.Name, t.ID), "Directory": t.Directory, "Certificate": certificate != "", "Flags": flags,
		"Graph": first(conf.Outside.Graph, graph.DefaultGraphURL), "Unique": signInUnique, "Display": r.Name, "Body": string(body), "Redirect": conf.redirect("entra"),
		"Permissions": setup.SignInPermissions(), "ClientID": client, "Consent": consent})
	if err != nil {
		return err
	}
	_, err = c.out.Write(b.Bytes())
	return err
}

// tenantOf finds a tenant by its ID; "" is the first.
func (c *config) tenantOf(id string) (*tenantConfig, error) {
	var known []string
	for i := range c.Tenants {
		if t := &c.Tenants[i]; id == "" || t.ID == id {
			return t, nil
		}
		known = append(known, c.Tenants[i].ID)
	}
	return nil, fmt.Errorf("the configuration has no tenant %q: it has %s", id, strings.Join(known, ", "))
}
