package microsoft

import (
	"net/http"
	"slices"
	"strings"
)

// login serves /login/{tenant}/...
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	rest := strings.TrimPrefix(r.URL.Path, "/login/")
	if rest == "error" {
		s.errorLookup(w, r)
		return
	}
	tenant, path, _ := strings.Cut(rest, "/")
	known := s.isTenant(tenant)
	switch {
	case path == "oauth2/v2.0/token" || path == "oauth2/token":
		if !allow(w, r, http.MethodPost) {
			return
		}
		if !known {
			s.writeTokenError(w, r, tenantNotFound(tenant))
			return
		}
		s.tokenEndpoint(w, r, path == "oauth2/token")
	case !known && (path == "v2.0/.well-known/openid-configuration" || path == ".well-known/openid-configuration"):
		s.writeTokenError(w, r, tenantNotFound(tenant))
	case !known:
		s.signInError(w, r, tenantNotFound(tenant))
	case path == "oauth2/v2.0/authorize":
		if allow(w, r, http.MethodGet, http.MethodPost) {
			s.authorize(w, r)
		}
	case path == "adminconsent" || path == "v2.0/adminconsent":
		if allow(w, r, http.MethodGet, http.MethodPost) {
			s.adminConsent(w, r)
		}
	case path == "v2.0/.well-known/openid-configuration" || path == ".well-known/openid-configuration":
		writeJSON(w, http.StatusOK, s.metadata(s.base(r)))
	case path == "discovery/v2.0/keys" || path == "discovery/keys":
		writeJSON(w, http.StatusOK, s.jwks(s.base(r)))
	case path == "oauth2/v2.0/logout":
		s.page(w, r, http.StatusOK, "message", pageData{Title: "Signed out", Text: "You signed out of your account."})
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) isTenant(name string) bool {
	return strings.EqualFold(name, s.cfg.TenantID) || strings.EqualFold(name, s.cfg.Domain)
}

func allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) || (r.Method == http.MethodHead && slices.Contains(methods, http.MethodGet)) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	http.Error(w, "this address takes "+strings.Join(methods, " or "), http.StatusMethodNotAllowed)
	return false
}

func (s *Server) metadata(base string) map[string]any {
	t := base + "/login/" + s.cfg.TenantID
	return map[string]any{
		"issuer":                                s.issuer(base),
		"authorization_endpoint":                t + "/oauth2/v2.0/authorize",
		"token_endpoint":                        t + "/oauth2/v2.0/token",
		"jwks_uri":                              t + "/discovery/v2.0/keys",
		"end_session_endpoint":                  t + "/oauth2/v2.0/logout",
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic", "private_key_jwt"},
		"claims_supported":                      []string{"sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "oid", "ver", "email", "wids"},
		"code_challenge_methods_supported":      []string{"S256", "plain"},
	}
}

// errorLookup is the page that error_uri points to.
func (s *Server) errorLookup(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, http.StatusOK, "message", pageData{Title: "Error look-up",
		Text: "AADSTS" + r.URL.Query().Get("code") + ": see the error_description of the answer that named this code."})
}
