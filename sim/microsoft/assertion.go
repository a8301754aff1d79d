package microsoft

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// trustedKey is the public key of an outside issuer, PKIX.
type trustedKey []byte

// assertionSubject reads who an assertion says it is for, unverified: Entra
// lets client_id be left out next to an assertion.
func assertionSubject(assertion string) string {
	c := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(assertion, c); err != nil {
		return ""
	}
	sub, err := c.GetSubject()
	if err != nil {
		return ""
	}
	return sub
}

func badAssertion(format string, args ...any) *tokenError {
	return refuse("invalid_client", 700027, format, args...)
}

func malformedAssertion(why string) *tokenError {
	return refuse("invalid_request", 50027, "JWT token is invalid or malformed. %s", why)
}

// checkAssertion verifies a client assertion against the registration's
// certificates (RFC 7523; "Microsoft identity platform application
// authentication certificate credentials"), or against a federated credential.
func (s *Server) checkAssertion(req *tokenRequest) *tokenError {
	if req.form.Get("client_assertion_type") != assertionType {
		return missingParameter("client_assertion_type")
	}
	raw := req.form.Get("client_assertion")
	claims := jwt.MapClaims{}
	unverified, _, err := jwt.NewParser().ParseUnverified(raw, claims)
	if err != nil {
		return malformedAssertion("The client assertion is not a JWT.")
	}
	issuer, _ := claims.GetIssuer()
	if !strings.EqualFold(issuer, req.app.AppID) {
		return s.checkFederated(req, raw, claims)
	}
	key, failed := s.certificateFor(req.app, unverified.Header)
	if failed != nil {
		return failed
	}
	claims = jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(raw, claims, func(*jwt.Token) (any, error) { return key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithoutClaimsValidation())
	if err != nil {
		return badAssertion("The certificate with identifier used to sign the client assertion is not registered on application, or the client assertion contains an invalid signature. [Reason - The key was used but the signature does not match.]")
	}
	return s.checkClaims(req, claims)
}

// certificateFor finds the certificate that an assertion's header names.
func (s *Server) certificateFor(app *application, header map[string]any) (*x509.Certificate, *tokenError) {
	for _, k := range app.Keys {
		if !namesCertificate(header, k.Certificate) {
			continue
		}
		cert, err := x509.ParseCertificate(k.Certificate)
		if err != nil {
			return nil, badAssertion("The registered certificate cannot be read.")
		}
		if now := s.now(); now.Before(cert.NotBefore) || now.After(cert.NotAfter) || !now.Before(k.End) {
			return nil, badAssertion("The client assertion contains an invalid signature. [Reason - The key used is expired.]")
		}
		return cert, nil
	}
	return nil, badAssertion("The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.] Send x5t or x5t#S256 of a certificate of application '%s'.", app.AppID)
}

func namesCertificate(header map[string]any, der []byte) bool {
	one, two := sha1.Sum(der), sha256.Sum256(der)
	text := func(name string) string { v, _ := header[name].(string); return v }
	switch {
	case text("x5t#S256") != "":
		return text("x5t#S256") == base64.RawURLEncoding.EncodeToString(two[:])
	case text("x5t") != "":
		return text("x5t") == base64.RawURLEncoding.EncodeToString(one[:])
	}
	return strings.EqualFold(text("kid"), hex.EncodeToString(one[:]))
}

func (s *Server) checkClaims(req *tokenRequest, claims jwt.MapClaims) *tokenError {
	sub, _ := claims.GetSubject()
	if !strings.EqualFold(sub, req.app.AppID) {
		return refuse("invalid_client", 700021, "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials.")
	}
	aud, err := claims.GetAudience()
	if err != nil || !slices.ContainsFunc(aud, func(a string) bool { return s.isTokenAudience(a, req.base) }) {
		return refuse("invalid_client", 700023, "Client assertion audience claim does not match Realm issuer. Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials.")
	}
	exp, err := claims.GetExpirationTime()
	if err != nil || exp == nil {
		return malformedAssertion("The client assertion has no 'exp'.")
	}
	const skew = 5 * time.Minute
	now := s.now()
	early := false
	if nbf, err := claims.GetNotBefore(); err != nil {
		return malformedAssertion("'nbf' is not a number.")
	} else if nbf != nil {
		early = now.Before(nbf.Add(-skew))
	}
	if early || now.After(exp.Add(skew)) {
		return refuse("invalid_client", 700024, "Client assertion is not within its valid time range. Current time: %s, expiry time of assertion %s.", now.Format(time.RFC3339), exp.UTC().Format(time.RFC3339))
	}
	return s.spendAssertion(req.app.AppID, claims, exp.Add(skew))
}

// spendAssertion takes each jti once, as RFC 7523 section 3 allows.
func (s *Server) spendAssertion(appID string, claims jwt.MapClaims, until time.Time) *tokenError {
	jti, _ := claims["jti"].(string)
	if jti == "" {
		return malformedAssertion("The client assertion has no 'jti'.")
	}
	for k, t := range s.jtis {
		if s.now().After(t) {
			delete(s.jtis, k)
		}
	}
	if _, seen := s.jtis[appID+" "+jti]; seen {
		return malformedAssertion("The client assertion was used before: every request needs a 'jti' of its own.")
	}
	s.jtis[appID+" "+jti] = until
	return nil
}

func (s *Server) isTokenAudience(aud, base string) bool {
	for _, t := range []string{s.cfg.TenantID, s.cfg.Domain} {
		for _, p := range []string{"/oauth2/v2.0/token", "/oauth2/token", "/v2.0"} {
			if strings.EqualFold(aud, base+"/login/"+t+p) {
				return true
			}
		}
	}
	return false
}

// checkFederated verifies the token of an outside issuer against the
// registration's federated identity credentials.
func (s *Server) checkFederated(req *tokenRequest, raw string, claims jwt.MapClaims) *tokenError {
	issuer, _ := claims.GetIssuer()
	subject, _ := claims.GetSubject()
	aud, _ := claims.GetAudience()
	var issuers, subjects bool
	for _, f := range req.app.Federated {
		if f.Issuer != issuer {
			continue
		}
		issuers = true
		if f.Subject != subject {
			continue
		}
		subjects = true
		if !anyOf(aud, f.Audiences) {
			continue
		}
		if err := s.verifyFederated(raw, issuer); err != nil {
			return badAssertion("The client assertion of issuer '%s' is not valid: %v", issuer, err)
		}
		return nil
	}
	switch {
	case !issuers:
		return refuse("invalid_client", 700211, "No matching federated identity record found for presented assertion issuer '%s'.", issuer)
	case !subjects:
		return refuse("invalid_client", 700213, "No matching federated identity record found for presented assertion subject '%s'.", subject)
	}
	return refuse("invalid_client", 700212, "No matching federated identity record found for presented assertion audience '%s'.", strings.Join(aud, " "))
}

func (s *Server) verifyFederated(raw, issuer string) error {
	der, ok := s.st.Trusted[issuer]
	if !ok {
		return errors.New("its keys cannot be fetched")
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return err
	}
	_, err = jwt.Parse(raw, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{"RS256", "PS256", "ES256"}), jwt.WithTimeFunc(s.now), jwt.WithExpirationRequired())
	return err
}
