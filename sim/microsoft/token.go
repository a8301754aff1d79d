package microsoft

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authCode is what an authorization code stands for until it is redeemed.
type authCode struct {
	appID, userID, redirectURI, challenge, method, nonce string
	scopes                                               []string
	ends                                                 time.Time
	used                                                 bool
}

// tokenRequest is one request to a token endpoint, with the client known.
type tokenRequest struct {
	form url.Values
	base string
	v1   bool
	app  *application
	sp   *principal
}

func (s *Server) tokenEndpoint(w http.ResponseWriter, r *http.Request, v1 bool) {
	body, err := s.issueToken(r, v1)
	if err != nil {
		s.writeTokenError(w, r, err)
		return
	}
	w.Header().Set("Pragma", "no-cache")
	w.Header().Set("x-ms-request-id", s.newID())
	writeJSON(w, http.StatusOK, body)
}

func (s *Server) issueToken(r *http.Request, v1 bool) (map[string]any, *tokenError) {
	form, err := tokenForm(r)
	if err != nil {
		return nil, err
	}
	req := &tokenRequest{form: form, base: s.base(r), v1: v1}
	if form.Get("grant_type") == "" {
		return nil, missingParameter("grant_type")
	}
	if err := s.identify(r, req); err != nil {
		return nil, err
	}
	entry(r).Who = "app " + req.app.DisplayName
	switch form.Get("grant_type") {
	case "client_credentials":
		return s.clientCredentials(r, req)
	case "authorization_code":
		return s.redeemCode(r, req)
	case "refresh_token":
		return s.refresh(r, req)
	}
	return nil, refuse("unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", form.Get("grant_type"))
}

// tokenForm reads the form of a request and the client credentials of its
// Authorization header, which count as if they stood in the form.
func tokenForm(r *http.Request) (url.Values, *tokenError) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, missingParameter("grant_type")
	}
	if err := r.ParseForm(); err != nil {
		return nil, refuse("invalid_request", 9002313, "Invalid request. Request is malformed or invalid.")
	}
	form := r.PostForm
	if id, secret, ok := r.BasicAuth(); ok && form.Get("client_secret") == "" {
		id, err1 := url.QueryUnescape(id)
		secret, err2 := url.QueryUnescape(secret)
		if err1 != nil || err2 != nil {
			return nil, refuse("invalid_client", 7000215, "Invalid client secret provided. The Authorization header is not form-encoded.")
		}
		form.Set("client_id", id)
		form.Set("client_secret", secret)
	}
	return form, nil
}

// identify finds the application and checks its credential.
func (s *Server) identify(r *http.Request, req *tokenRequest) *tokenError {
	f := req.form
	id := f.Get("client_id")
	if id == "" {
		id = assertionSubject(f.Get("client_assertion"))
	}
	if id == "" {
		return missingParameter("client_id")
	}
	app, sp := s.st.appByAppID(id), s.st.principalByAppID(id)
	if app == nil || sp == nil {
		return appNotFound(id, s.cfg.Name)
	}
	if sp.Disabled {
		return refuse("unauthorized_client", 7000112, "Application '%s'(%s) is disabled.", app.AppID, app.DisplayName)
	}
	req.app, req.sp = app, sp
	switch {
	case f.Get("client_assertion") != "":
		return s.checkAssertion(req)
	case f.Get("client_secret") != "":
		return s.checkSecret(app, f.Get("client_secret"))
	case app.Public && f.Get("grant_type") != "client_credentials":
		return nil
	}
	return refuse("invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
}

func (s *Server) checkSecret(app *application, secret string) *tokenError {
	want := []byte(sum(secret))
	for _, p := range app.Passwords {
		if subtle.ConstantTimeCompare([]byte(p.Sum), want) != 1 {
			continue
		}
		if !s.now().Before(p.End) {
			return refuse("invalid_client", 7000222, "The provided client secret keys for app '%s' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.", app.AppID)
		}
		if p.Lag > 0 {
			p.Lag--
			s.changed()
			break
		}
		return nil
	}
	return refuse("invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", app.AppID)
}

func (s *Server) clientCredentials(r *http.Request, req *tokenRequest) (map[string]any, *tokenError) {
	audience, err := s.audience(req)
	if err != nil {
		return nil, err
	}
	entry(r).Note = "token for " + audience
	token := s.accessToken(req.base, audience, req.sp, nil, nil)
	if req.v1 {
		return s.v1Answer(token, req.form.Get("resource"), audience), nil
	}
	return s.v2Answer(token), nil
}

func (s *Server) v2Answer(token string) map[string]any {
	life := int(tokenLifetime / time.Second)
	return map[string]any{"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}
}

// v1Answer has its numbers as strings, as the v1 endpoint has.
func (s *Server) v1Answer(token, asked, audience string) map[string]any {
	life, now := strconv.Itoa(int(tokenLifetime/time.Second)), s.now()
	if asked == "" {
		asked = audience
	}
	return map[string]any{"token_type": "Bearer", "expires_in": life, "ext_expires_in": life,
		"expires_on": strconv.FormatInt(now.Add(tokenLifetime).Unix(), 10), "not_before": strconv.FormatInt(now.Unix(), 10),
		"resource": asked, "access_token": token}
}

// audience is the resource that an application's own token is for.
func (s *Server) audience(req *tokenRequest) (string, *tokenError) {
	if req.v1 {
		asked := req.form.Get("resource")
		if asked == "" {
			if s.st.Quirks.V1WithoutResource {
				return connectorResource, nil
			}
			return "", missingParameter("resource")
		}
		return s.resource(asked, req)
	}
	scope := strings.TrimSpace(req.form.Get("scope"))
	if scope == "" {
		return "", missingParameter("scope")
	}
	asked, ok := strings.CutSuffix(scope, "/.default")
	if !ok || strings.ContainsAny(asked, " ") {
		return "", refuse("invalid_scope", 70011, "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope %s is not valid.", scope)
	}
	return s.resource(asked, req)
}

// resource names a resource of the tenant by the audience of its tokens.
func (s *Server) resource(asked string, req *tokenRequest) (string, *tokenError) {
	name := strings.TrimRight(asked, "/")
	switch {
	case strings.EqualFold(name, graphResource), strings.EqualFold(name, req.base+"/graph"), strings.EqualFold(name, req.base+"/graph/v1.0"):
		return graphResource, nil
	case strings.EqualFold(name, GraphAppID):
		return GraphAppID, nil
	case strings.EqualFold(name, connectorResource), strings.EqualFold(name, req.base+"/connector"):
		return connectorResource, nil
	}
	if p := s.st.principalByAppID(strings.TrimPrefix(name, "api://")); p != nil && !p.Microsoft {
		return name, nil
	}
	return "", refuse("invalid_resource", 500011, "The resource principal named %s was not found in the tenant named %s. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.", asked, s.cfg.Name)
}

func (s *Server) redeemCode(r *http.Request, req *tokenRequest) (map[string]any, *tokenError) {
	f := req.form
	for _, name := range []string{"code", "redirect_uri"} {
		if f.Get(name) == "" {
			return nil, missingParameter(name)
		}
	}
	c := s.codes[sum(f.Get("code"))]
	switch {
	case c == nil || c.appID != req.app.AppID:
		return nil, refuse("invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
	case c.used:
		return nil, refuse("invalid_grant", 54005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.")
	case !s.now().Before(c.ends):
		return nil, refuse("invalid_grant", 70008, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.")
	case c.redirectURI != f.Get("redirect_uri"):
		return nil, refuse("invalid_grant", 50011, "The redirect URI '%s' specified in the request does not match the one the code was issued for.", f.Get("redirect_uri"))
	case !provesChallenge(c, f.Get("code_verifier")):
		return nil, refuse("invalid_grant", 501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
	}
	c.used = true
	u := s.st.userBy(c.userID)
	if err := s.mayStay(u); err != nil {
		return nil, err
	}
	return s.userTokens(r, req, u, c.scopes, c.nonce, s.now())
}

func provesChallenge(c *authCode, verifier string) bool {
	switch {
	case c.challenge == "":
		return true
	case c.method == "S256":
		h := sha256.Sum256([]byte(verifier))
		return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(h[:])), []byte(c.challenge)) == 1
	}
	return subtle.ConstantTimeCompare([]byte(verifier), []byte(c.challenge)) == 1
}

// mayStay says whether a person may sign in, or stay signed in.
func (s *Server) mayStay(u *user) *tokenError {
	switch {
	case u == nil:
		return refuse("invalid_grant", 50034, "The user account does not exist in the %s directory. To sign into this application, the account must be added to the directory.", s.cfg.Name)
	case u.Disabled:
		return refuse("invalid_grant", 50057, "The user account is disabled.")
	case u.Blocked:
		return blockedByPolicy()
	}
	return nil
}

func (s *Server) userTokens(r *http.Request, req *tokenRequest, u *user, scopes []string, nonce string, begun time.Time) (map[string]any, *tokenError) {
	if missing := s.unconsented(req.app, req.sp, u, scopes); len(missing) > 0 {
		return nil, notConsented(req.app.AppID, req.app.DisplayName)
	}
	entry(r).Who = u.UPN + " with " + req.app.DisplayName
	entry(r).Note = "token for " + graphResource
	body := s.v2Answer(s.accessToken(req.base, graphResource, req.sp, u, s.grantedScopes(req.sp, u, scopes)))
	body["scope"] = scopeAnswer(s.grantedScopes(req.sp, u, scopes))
	if slices.Contains(scopes, "openid") {
		body["id_token"] = s.idToken(req.base, req.app.AppID, u, nonce, slices.Contains(scopes, "email"))
	}
	if slices.Contains(scopes, "offline_access") {
		token := "1." + s.token(80)
		s.st.Refresh[sum(token)] = &session{AppID: req.app.AppID, UserID: u.ID, Scopes: scopes, Begun: begun, Ends: s.now().Add(refreshLifetime)}
		body["refresh_token"] = token
		s.changed()
	}
	return body, nil
}

func (s *Server) refresh(r *http.Request, req *tokenRequest) (map[string]any, *tokenError) {
	token := req.form.Get("refresh_token")
	if token == "" {
		return nil, missingParameter("refresh_token")
	}
	was := s.st.Refresh[sum(token)]
	if was == nil || was.AppID != req.app.AppID {
		return nil, refuse("invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
	}
	if !s.now().Before(was.Ends) {
		return nil, refuse("invalid_grant", 700082, "The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00.")
	}
	if !was.Revoked.IsZero() {
		return nil, refuse("invalid_grant", 50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '%s' and the TokensValidFrom date for this user is '%s'.", was.Begun.Format(time.RFC3339), was.Revoked.Format(time.RFC3339))
	}
	u := s.st.userBy(was.UserID)
	if err := s.mayStay(u); err != nil {
		return nil, err
	}
	scopes := was.Scopes
	if asked := req.form.Get("scope"); asked != "" {
		parsed, err := s.parseScopes(asked, req.base, req.app)
		if err != nil {
			return nil, err
		}
		scopes = parsed
		if !slices.Contains(scopes, "offline_access") && slices.Contains(was.Scopes, "offline_access") {
			scopes = append(scopes, "offline_access")
		}
	}
	return s.userTokens(r, req, u, scopes, "", was.Begun)
}
