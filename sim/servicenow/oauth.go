package servicenow

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const clientCredentialsProperty = "glide.oauth.inbound.client.credential.grant_type.enabled"

// authCode is an authorization code waiting to be redeemed, once.
type authCode struct {
	Entity    string    `json:"entity"`
	User      string    `json:"user"`
	Redirect  string    `json:"redirect"`
	Challenge string    `json:"challenge,omitempty"` // S256
	Expires   time.Time `json:"expires"`
}

// oauthRefusal is an error answer of the token endpoint.
type oauthRefusal struct{ code, description string }

// accessDenied is the platform's answer to nearly everything that is wrong
// with credentials; it does not say which.
var accessDenied = &oauthRefusal{"server_error", "access_denied"}

// tokenEndpoint serves /oauth_token.do.
func (s *Server) tokenEndpoint(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	answer, no := s.token(r)
	if no != nil {
		note(r, "", "refused: "+no.code)
		body := map[string]any{"error": no.code}
		if no.description != "" {
			body["error_description"] = no.description
		}
		writeJSON(w, http.StatusUnauthorized, body)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) token(r *http.Request) (map[string]any, *oauthRefusal) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil, accessDenied
	}
	if err := r.ParseForm(); err != nil {
		return nil, accessDenied
	}
	form := r.PostForm
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	note(r, "client "+id, form.Get("grant_type"))
	entity := s.db.first("oauth_entity", "client_id", id, "type", "client", "active", "true")
	if entity == nil || !entity.yes("public_client") && (secret == "" || secret != entity.get("client_secret")) {
		return nil, &oauthRefusal{"invalid_client", "access_denied"}
	}
	switch grant := form.Get("grant_type"); grant {
	case "client_credentials":
		return s.grantClient(entity)
	case "password":
		user := s.db.first("sys_user", "user_name", form.Get("username"))
		if !usable(user) || user.get("user_password") == "" || user.get("user_password") != hashPassword(form.Get("password")) {
			return nil, accessDenied
		}
		return s.answerTokens(entity, user, grant, ""), nil
	case "authorization_code":
		return s.grantCode(entity, form)
	case "refresh_token":
		held, user, ok := s.holder(form.Get("refresh_token"), "refresh_token")
		if !ok || held.Entity != entity.id() {
			return nil, accessDenied
		}
		return s.answerTokens(entity, user, grant, form.Get("refresh_token")), nil
	case "":
		return nil, &oauthRefusal{"invalid_request", "Missing grant_type parameter value"}
	}
	return nil, &oauthRefusal{"unsupported_grant_type", "access_denied"}
}

// grantClient is the inbound client credentials grant: it needs the property,
// the registry entry's own grant type and its OAuth application user.
func (s *Server) grantClient(entity *record) (map[string]any, *oauthRefusal) {
	user := s.db.find(schema["sys_user"], entity.get("user"))
	switch {
	case s.property(clientCredentialsProperty) != "true":
		return nil, &oauthRefusal{"access_denied", "client_credentials grant type is not enabled on this instance"}
	case entity.get("default_grant_type") != "client_credentials":
		return nil, &oauthRefusal{"access_denied", "client_credentials is not the default grant type of this client"}
	case !usable(user):
		return nil, &oauthRefusal{"access_denied", "no OAuth application user set"}
	}
	return s.answerTokens(entity, user, "client_credentials", ""), nil
}

func (s *Server) grantCode(entity *record, form url.Values) (map[string]any, *oauthRefusal) {
	key := digest(form.Get("code"))
	code, ok := s.codes[key]
	delete(s.codes, key) // a code is good for one attempt
	invalid := &oauthRefusal{"invalid_grant", "access_denied"}
	if !ok || !s.now().Before(code.Expires) || code.Entity != entity.id() || code.Redirect != form.Get("redirect_uri") {
		return nil, invalid
	}
	if code.Challenge != "" {
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		if base64.RawURLEncoding.EncodeToString(sum[:]) != code.Challenge {
			return nil, invalid
		}
	}
	user := s.db.find(schema["sys_user"], code.User)
	if !usable(user) {
		return nil, invalid
	}
	return s.answerTokens(entity, user, "authorization_code", ""), nil
}

// answerTokens makes the success answer. The client credentials grant gets no
// refresh token; refreshing gives the same refresh token back.
func (s *Server) answerTokens(entity, user *record, grant, refresh string) map[string]any {
	life := lifespan(entity, "access_token_lifespan", 1800)
	answer := map[string]any{
		"access_token": s.issue("access_token", entity, user, grant, life),
		"scope":        "useraccount",
		"token_type":   "Bearer",
		"expires_in":   int(life/time.Second) - 1,
	}
	if refresh == "" && grant != "client_credentials" {
		refresh = s.issue("refresh_token", entity, user, grant, lifespan(entity, "refresh_token_lifespan", 8_640_000))
	}
	if refresh != "" {
		answer["refresh_token"] = refresh
	}
	return answer
}

// revokeEndpoint serves /oauth_revoke_token.do, which needs no
// authentication beyond the token itself.
func (s *Server) revokeEndpoint(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	if t, ok := s.tokens[digest(r.Form.Get("token"))]; ok {
		if row := s.db.find(schema["oauth_credential"], t.Credential); row != nil {
			s.db.drop(row)
		}
		s.forgetToken(t.Credential)
		s.changed()
		note(r, "", "revoked one "+t.Kind)
	}
	w.WriteHeader(http.StatusOK)
}

// authorizePage serves /oauth_auth.do: sign in as somebody, then allow or
// deny.
func (s *Server) authorizePage(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "This request cannot be read.", http.StatusBadRequest)
		return
	}
	entity := s.db.first("oauth_entity", "client_id", r.Form.Get("client_id"), "type", "client", "active", "true")
	redirect := r.Form.Get("redirect_uri")
	if entity == nil || redirect == "" || !slices.Contains(splitList(entity.get("redirect_url")), redirect) {
		s.page(w, r, http.StatusBadRequest, "message", pageData{Title: "Authorization", Error: "Invalid client_id or redirect_uri: this application is not registered with that redirect URL."})
		return
	}
	if problem := codeRequestProblem(entity, r.Form); problem != "" {
		sendBack(w, r, redirect, url.Values{"error": {"invalid_request"}, "error_description": {problem}})
		return
	}
	if r.Method != http.MethodPost {
		s.showAuthorize(w, r, entity, "")
		return
	}
	if r.PostForm.Get("decision") == "switch" { // one browser may belong to several people, as in the demo
		setSession(w, "")
		http.Redirect(w, r, "/oauth_auth.do?"+authorization(r).Encode(), http.StatusSeeOther)
		return
	}
	if r.PostForm.Get("decision") != "allow" {
		sendBack(w, r, redirect, url.Values{"error": {"access_denied"}})
		return
	}
	c := s.signedIn(r)
	if c == nil {
		if c = s.checkPassword(r.PostForm.Get("user_name"), r.PostForm.Get("user_password")); c == nil {
			s.showAuthorize(w, r, entity, "User name or password invalid")
			return
		}
		setSession(w, c.name())
	}
	note(r, c.name(), "allowed "+entity.get("name"))
	code := randomHex(24)
	s.codes[digest(code)] = authCode{entity.id(), c.id(), redirect, r.Form.Get("code_challenge"),
		s.now().Add(lifespan(entity, "auth_code_lifespan", 60))}
	s.changed()
	sendBack(w, r, redirect, url.Values{"code": {code}})
}

func codeRequestProblem(entity *record, form url.Values) string {
	switch {
	case form.Get("response_type") != "code":
		return "response_type must be code"
	case form.Get("code_challenge") == "" && entity.yes("public_client"):
		return "code_challenge is required for a public client"
	case form.Get("code_challenge") != "" && form.Get("code_challenge_method") != "S256":
		return "code_challenge_method must be S256"
	}
	return ""
}

// sendBack redirects to the application with its state.
func sendBack(w http.ResponseWriter, r *http.Request, redirect string, params url.Values) {
	if state := r.Form.Get("state"); state != "" {
		params.Set("state", state)
	}
	join := "?"
	if strings.Contains(redirect, "?") {
		join = "&"
	}
	http.Redirect(w, r, redirect+join+params.Encode(), http.StatusFound)
}

// authorization is what an application asks for, of a request's form.
func authorization(r *http.Request) url.Values {
	asked := url.Values{}
	for _, k := range []string{"client_id", "redirect_uri", "response_type", "state", "scope", "code_challenge", "code_challenge_method"} {
		if v := r.Form.Get(k); v != "" {
			asked.Set(k, v)
		}
	}
	return asked
}

func (s *Server) showAuthorize(w http.ResponseWriter, r *http.Request, entity *record, problem string) {
	hidden := map[string]string{}
	for k, v := range authorization(r) {
		hidden[k] = v[0]
	}
	s.page(w, r, http.StatusOK, "authorize", pageData{
		Title: "Allow access", Error: problem,
		Body: map[string]any{"App": entity.get("name"), "Hidden": hidden, "Users": s.people()},
	})
}

// splitList splits a list of values separated by commas, spaces or lines.
func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' })
}
