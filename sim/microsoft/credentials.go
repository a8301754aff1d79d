package microsoft

import (
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// passwordRequest is what a client may say about a secret.
type passwordRequest struct {
	DisplayName *string    `json:"displayName"`
	Start       *time.Time `json:"startDateTime"`
	End         *time.Time `json:"endDateTime"`
}

func (c *call) addPassword() (*reply, error) {
	a, err := c.changeable()
	if err != nil {
		return nil, err
	}
	if a.LagPassword > 0 {
		a.LagPassword--
		c.s.changed()
		return nil, missingResource(c.keys[0].value)
	}
	var body struct {
		Credential *passwordRequest `json:"passwordCredential"`
	}
	if c.r.ContentLength != 0 {
		if err := c.decode(&body); err != nil {
			return nil, err
		}
	}
	if body.Credential == nil {
		body.Credential = &passwordRequest{}
	}
	p, value, err := c.s.newPassword(a, *body.Credential)
	if err != nil {
		return nil, err
	}
	c.note("added secret " + p.KeyID + " to app " + a.AppID)
	c.s.changed()
	o := renderPassword(p)
	o["secretText"] = value
	return &reply{status: http.StatusOK, body: o, context: "microsoft.graph.passwordCredential"}, nil
}

// newPassword makes a client secret, if the tenant's policy lets it. The value
// is returned here and never again.
func (s *Server) newPassword(a *application, ask passwordRequest) (*password, string, error) {
	now := s.now()
	p := &password{KeyID: s.newID(), Start: now, Lag: s.st.Lag.Token}
	if ask.DisplayName != nil {
		p.DisplayName = *ask.DisplayName
	}
	if ask.Start != nil {
		p.Start = ask.Start.UTC()
	}
	p.End = p.Start.AddDate(2, 0, 0)
	if ask.End != nil {
		p.End = ask.End.UTC()
	}
	if !p.End.After(p.Start) || !p.End.After(now) {
		return nil, "", badRequest("Credential lifetime is invalid: endDateTime must lie after startDateTime and in the future.")
	}
	if err := s.st.Policy.allows(p.End.Sub(p.Start)); err != nil {
		return nil, "", err
	}
	value := s.token(3) + "8Q~" + s.token(34)
	p.Hint, p.Sum = value[:3], sum(value)
	a.Passwords = append(a.Passwords, p)
	return p, value, nil
}

// allows applies the default app management policy to a new secret.
func (p SecretPolicy) allows(lifetime time.Duration) error {
	text, code := "", p.Code
	switch {
	case !p.Enabled:
		return nil
	case p.ForbidSecrets:
		text = "Credential type not allowed as per assigned policy"
		if code == "" {
			code = "CredentialTypeNotAllowedAsPerAppPolicy"
		}
	case p.MaxLifetime > 0 && lifetime > p.MaxLifetime:
		text = "The credential lifetime exceeds the maximum value allowed as per assigned policy"
		if code == "" {
			code = "CredentialLifetimeExceedsMaxValueAsPerAppPolicy"
		}
	default:
		return nil
	}
	e := badCode(code, text)
	if p.Status != 0 {
		e.status = p.Status
	}
	return e
}

func (c *call) removePassword() (*reply, error) {
	a, err := c.changeable()
	if err != nil {
		return nil, err
	}
	var body struct {
		KeyID string `json:"keyId"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if !a.removeSecret(body.KeyID) {
		return nil, badRequest("No password credential found with keyId.")
	}
	c.note("removed secret " + body.KeyID + " from app " + a.AppID)
	c.s.changed()
	return &reply{status: http.StatusNoContent}, nil
}

func (a *application) removeSecret(keyID string) bool {
	before := len(a.Passwords)
	a.Passwords = slices.DeleteFunc(a.Passwords, func(p *password) bool { return strings.EqualFold(p.KeyID, keyID) })
	return len(a.Passwords) < before
}

func renderPassword(p *password) map[string]any {
	return map[string]any{"customKeyIdentifier": nil, "displayName": p.DisplayName, "hint": p.Hint, "keyId": p.KeyID,
		"startDateTime": p.Start.Format(stamp), "endDateTime": p.End.Format(stamp), "secretText": nil}
}

func renderPasswords(list []*password) []map[string]any {
	out := make([]map[string]any, len(list))
	for i, p := range list {
		out[i] = renderPassword(p)
	}
	return out
}

func renderKeys(list []*keyCredential, withKeys bool) []map[string]any {
	out := make([]map[string]any, len(list))
	for i, k := range list {
		out[i] = map[string]any{"customKeyIdentifier": thumbprint(k.Certificate), "displayName": k.DisplayName, "keyId": k.KeyID,
			"startDateTime": k.Start.Format(stamp), "endDateTime": k.End.Format(stamp), "type": "AsymmetricX509Cert", "usage": "Verify", "key": nil}
		if withKeys {
			out[i]["key"] = base64.StdEncoding.EncodeToString(k.Certificate)
		}
	}
	return out
}

func thumbprint(der []byte) string {
	h := sha1.Sum(der)
	return strings.ToUpper(hex.EncodeToString(h[:]))
}

// readPasswords takes the list of secrets of an update: it can drop some, and
// cannot add any.
func (s *Server) readPasswords(raw json.RawMessage, a *application) error {
	var list []struct {
		KeyID string `json:"keyId"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return badRequest("Invalid value specified for property 'passwordCredentials' of resource 'Application'.")
	}
	var kept []*password
	for _, item := range list {
		p := find(a.Passwords, func(p *password) bool { return strings.EqualFold(p.KeyID, item.KeyID) })
		if p == nil {
			return badRequest("New password credentials cannot be added through this request. Use addPassword.")
		}
		kept = append(kept, p)
	}
	a.Passwords = kept
	return nil
}

// readKeys takes the whole list of certificates of an update: those with a
// known keyId stay, those with a key are added, the rest is dropped.
func (s *Server) readKeys(raw json.RawMessage, a *application) error {
	var list []struct {
		KeyID       string  `json:"keyId"`
		DisplayName string  `json:"displayName"`
		Key         *string `json:"key"`
		Type        string  `json:"type"`
		Usage       string  `json:"usage"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return badRequest("Invalid value specified for property 'keyCredentials' of resource 'Application'.")
	}
	var next []*keyCredential
	for _, item := range list {
		if old := find(a.Keys, func(k *keyCredential) bool { return strings.EqualFold(k.KeyID, item.KeyID) }); old != nil {
			next = append(next, old)
			continue
		}
		if item.Key == nil || item.Type != "AsymmetricX509Cert" || item.Usage != "Verify" {
			return badRequest("A new key credential needs key, type AsymmetricX509Cert and usage Verify.")
		}
		k, err := s.newKey(*item.Key, item.DisplayName, item.KeyID)
		if err != nil {
			return err
		}
		next = append(next, k)
	}
	a.Keys = next
	return nil
}

func (s *Server) newKey(encoded, name, keyID string) (*keyCredential, error) {
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, badRequest("Key credential: 'key' is not base64.")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, badRequest("Key credential: 'key' is not a DER-encoded X.509 certificate.")
	}
	if !s.now().Before(cert.NotAfter) {
		return nil, badRequest("Key credential: the certificate has expired.")
	}
	if !isGUID(keyID) {
		keyID = s.newID()
	}
	if name == "" {
		name = cert.Subject.String()
	}
	return &keyCredential{KeyID: keyID, DisplayName: name, Start: cert.NotBefore.UTC(), End: cert.NotAfter.UTC(), Certificate: der}, nil
}

func (c *call) listFederated() (*reply, error) {
	a, err := c.app()
	if err != nil {
		return nil, err
	}
	return c.list("applications('"+a.ID+"')/federatedIdentityCredentials", documents(a.Federated, (*federated).render))
}

func (f *federated) render() map[string]any {
	return map[string]any{"id": f.ID, "name": f.Name, "issuer": f.Issuer, "subject": f.Subject, "audiences": f.Audiences, "description": f.Description}
}

func (c *call) createFederated() (*reply, error) {
	a, err := c.changeable()
	if err != nil {
		return nil, err
	}
	f := &federated{}
	if err := c.decode(f); err != nil {
		return nil, err
	}
	switch {
	case f.Name == "" || f.Issuer == "" || f.Subject == "" || len(f.Audiences) != 1:
		return nil, badRequest("A federated identity credential needs name, issuer, subject and exactly one audience.")
	case find(a.Federated, func(x *federated) bool { return x.Name == f.Name }) != nil:
		return nil, conflict(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "FederatedIdentityCredential with name "+f.Name+" already exists.", "name")
	case find(a.Federated, func(x *federated) bool { return x.Issuer == f.Issuer && x.Subject == f.Subject }) != nil:
		return nil, conflict(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "Another FederatedIdentityCredential with this issuer and subject already exists.", "subject")
	case len(a.Federated) >= 20:
		return nil, badRequest("An application can have at most 20 federated identity credentials.")
	}
	f.ID = c.s.newID()
	a.Federated = append(a.Federated, f)
	c.note("added federated credential " + f.Name + " to app " + a.AppID)
	c.s.changed()
	return &reply{status: http.StatusCreated, body: f.render(), context: "applications('" + a.ID + "')/federatedIdentityCredentials/$entity"}, nil
}

func (c *call) deleteFederated() (*reply, error) {
	a, err := c.changeable()
	if err != nil {
		return nil, err
	}
	before := len(a.Federated)
	a.Federated = slices.DeleteFunc(a.Federated, func(f *federated) bool { return f.ID == c.keys[1].value || f.Name == c.keys[1].value })
	if len(a.Federated) == before {
		return nil, missingResource(c.keys[1].value)
	}
	c.s.changed()
	return &reply{status: http.StatusNoContent}, nil
}
