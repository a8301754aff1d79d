package teams

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/sim"
)

const (
	connectorScope = "https://api.botframework.com/.default"
	assertionType  = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	tokenLives     = 3599 * time.Second // as Entra writes it
	tokenSkew      = 5 * time.Minute
)

// tokenError is a refusal of the sign-in service (Microsoft Entra
// authentication and authorization error codes).
type tokenError struct {
	oauth string
	code  int
	text  string
}

func noToken(oauth string, code int, format string, args ...any) *tokenError {
	return &tokenError{oauth, code, fmt.Sprintf(format, args...)}
}

// serveToken grants client credentials ("Authenticate requests from your bot to
// the Bot Connector service"). A bot of a single tenant asks its own tenant.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	token, refused := s.grant(r)
	call := sim.Call{At: s.cfg.Now(), Method: r.Method, Path: r.URL.Path, Status: http.StatusOK, Who: r.PostForm.Get("client_id"), Note: "token for the Connector"}
	w.Header().Set("Cache-Control", "no-store, no-cache")
	if refused == nil {
		s.Journal.Add(call)
		life := int(tokenLives / time.Second)
		sim.WriteJSON(w, call.Status, map[string]any{"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token})
		return
	}
	call.Status, call.Note = http.StatusBadRequest, fmt.Sprintf("refused: AADSTS%d", refused.code)
	if refused.oauth == "invalid_client" {
		call.Status = http.StatusUnauthorized
	}
	s.mu.Lock()
	trace, correlation := s.nextGUID(), s.nextGUID()
	s.mu.Unlock()
	stamp := s.cfg.Now().UTC().Format("2006-01-02 15:04:05Z")
	s.Journal.Add(call)
	w.Header().Set("x-ms-request-id", trace)
	sim.WriteJSON(w, call.Status, map[string]any{
		"error":             refused.oauth,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", refused.code, refused.text, trace, correlation, stamp),
		"error_codes":       []int{refused.code}, "timestamp": stamp, "trace_id": trace, "correlation_id": correlation,
	})
}

func (s *Server) grant(r *http.Request) (string, *tokenError) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	r.Body = http.MaxBytesReader(nil, r.Body, maxRequest)
	if kind != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		r.PostForm = url.Values{}
		return "", missing("grant_type")
	}
	f := r.PostForm
	if id, secret, ok := r.BasicAuth(); ok && f.Get("client_secret") == "" {
		f.Set("client_id", unescaped(id))
		f.Set("client_secret", unescaped(secret))
	}
	switch f.Get("grant_type") {
	case "":
		return "", missing("grant_type")
	case "client_credentials":
	default:
		return "", noToken("unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", f.Get("grant_type"))
	}
	if refused := s.identify(r.PathValue("tenant"), f); refused != nil {
		return "", refused
	}
	switch scope := strings.TrimSpace(f.Get("scope")); {
	case scope == "":
		return "", missing("scope")
	case scope != connectorScope && strings.HasSuffix(scope, "/.default"):
		return "", noToken("invalid_resource", 500011, "The resource principal named %s was not found in the tenant named %s. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.", strings.TrimSuffix(scope, "/.default"), s.cfg.TenantName)
	case scope != connectorScope:
		return "", noToken("invalid_scope", 1002012, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", scope)
	}
	return s.issue()
}

func (s *Server) issue() (string, *tokenError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	token, err := sign(s.keys.tenant, jwt.MapClaims{"aud": issuer, "iss": "https://sts.windows.net/" + s.cfg.TenantID + "/", "tid": s.cfg.TenantID,
		"appid": s.cfg.BotAppID, "ver": "1.0", "idtyp": "app", "uti": s.nextGUID(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(tokenLives).Unix()})
	if err != nil {
		return "", noToken("server_error", 90033, "A transient error has occurred. Please try again.")
	}
	s.st.Fetches.Tokens++
	s.touch()
	return token, nil
}

func missing(name string) *tokenError {
	return noToken("invalid_request", 900144, "The request body must contain the following parameter: '%s'.", name)
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// identify checks tenant, application and credential.
func (s *Server) identify(tenant string, f url.Values) *tokenError {
	id := f.Get("client_id")
	switch {
	case id == "":
		return missing("client_id")
	case strings.EqualFold(tenant, "botframework.com"):
		return noToken("unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory 'Bot Framework'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", id)
	case !strings.EqualFold(tenant, s.cfg.TenantID):
		return noToken("invalid_tenant", 90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", tenant)
	case !strings.EqualFold(id, s.cfg.BotAppID):
		return noToken("unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", id, s.cfg.TenantName)
	case f.Get("client_assertion") != "":
		return s.checkAssertion(f)
	case f.Get("client_secret") == "":
		return noToken("invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	case s.cfg.BotSecret == "" || subtle.ConstantTimeCompare([]byte(f.Get("client_secret")), []byte(s.cfg.BotSecret)) != 1:
		return noToken("invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", id)
	}
	return nil
}

// checkAssertion verifies a client assertion ("Microsoft identity platform
// application authentication certificate credentials").
func (s *Server) checkAssertion(f url.Values) *tokenError {
	if f.Get("client_assertion_type") != assertionType {
		return missing("client_assertion_type")
	}
	var unknown *tokenError
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(f.Get("client_assertion"), claims, func(t *jwt.Token) (any, error) {
		for _, der := range s.cfg.BotCertificates {
			if cert, err := x509.ParseCertificate(der); err == nil && namesCertificate(t.Header, der) {
				return cert.PublicKey, nil
			}
		}
		unknown = noToken("invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]")
		return nil, jwt.ErrTokenUnverifiable
	}, jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithoutClaimsValidation())
	switch {
	case unknown != nil:
		return unknown
	case err != nil:
		return noToken("invalid_client", 700027, "The client assertion contains an invalid signature.")
	}
	return s.checkClaims(claims)
}

func namesCertificate(header map[string]any, der []byte) bool {
	one, two := sha1.Sum(der), sha256.Sum256(der)
	return header["x5t#S256"] == base64.RawURLEncoding.EncodeToString(two[:]) || header["x5t"] == base64.RawURLEncoding.EncodeToString(one[:])
}

func (s *Server) checkClaims(claims jwt.MapClaims) *tokenError {
	iss, _ := claims.GetIssuer() // what cannot be read compares as wrong
	sub, _ := claims.GetSubject()
	aud, _ := claims.GetAudience()
	exp, _ := claims.GetExpirationTime()
	jti, _ := claims["jti"].(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	here := []string{s.url + "/" + s.cfg.TenantID + "/oauth2/v2.0/token", s.url + "/" + s.cfg.TenantID + "/v2.0"}
	now := s.cfg.Now()
	maps.DeleteFunc(s.jtis, func(_ string, until time.Time) bool { return now.After(until) })
	switch {
	case iss != s.cfg.BotAppID || sub != s.cfg.BotAppID:
		return noToken("invalid_client", 700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	case !slices.ContainsFunc(aud, func(a string) bool { return slices.Contains(here, a) }):
		return noToken("invalid_client", 700023, "Client assertion audience claim does not match Realm issuer.")
	case exp == nil || now.After(exp.Add(tokenSkew)):
		return noToken("invalid_client", 700024, "Client assertion is not within its valid time range.")
	case jti == "" || !s.jtis[jti].IsZero():
		return noToken("invalid_request", 50027, "JWT token is invalid or malformed. Every client assertion needs a 'jti' of its own.")
	}
	s.jtis[jti] = exp.Add(tokenSkew)
	return nil
}

// authorise checks the bearer token of a call to the Connector. s.mu is held.
func (s *Server) authorise(header string) *refusal {
	raw, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return refuse("Unauthorized")
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(raw, claims, func(*jwt.Token) (any, error) { return &s.keys.tenant.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(s.cfg.Now), jwt.WithExpirationRequired(), jwt.WithLeeway(tokenSkew), jwt.WithAudience(issuer))
	if err != nil || claims["appid"] != s.cfg.BotAppID {
		return refuse("Unauthorized")
	}
	return nil
}
