package microsoft

import (
	"slices"
	"strings"
)

// protocolScopes are asked for by their bare names and are no Graph permission
// of an access token.
var protocolScopes = []string{"openid", "profile", "email", "offline_access"}

func joinScopes(scopes []string) string {
	out := make([]string, 0, len(scopes))
	for _, sc := range scopes {
		if sc != "offline_access" && sc != ".default" {
			out = append(out, sc)
		}
	}
	return strings.Join(out, " ")
}

// scopeAnswer is the token answer's scope: Graph permissions with their resource.
func scopeAnswer(scopes []string) string {
	out := make([]string, 0, len(scopes))
	for _, sc := range scopes {
		switch {
		case sc == "offline_access":
		case slices.Contains(protocolScopes, sc):
			out = append(out, sc)
		default:
			out = append(out, graphResource+"/"+sc)
		}
	}
	return strings.Join(out, " ")
}

// parseScopes reads a scope parameter of a sign-in: bare names and names of
// Graph, with or without the resource in front. ".default" stays as it is.
func (s *Server) parseScopes(raw, base string, app *application) ([]string, *tokenError) {
	var out []string
	for _, word := range strings.Fields(raw) {
		name := word
		if i := strings.LastIndex(word, "/"); i >= 0 {
			resource := strings.TrimRight(word[:i], "/")
			if !strings.EqualFold(resource, graphResource) && resource != GraphAppID && !strings.EqualFold(resource, base+"/graph") {
				return nil, refuse("invalid_resource", 500011, "The resource principal named %s was not found in the tenant named %s.", resource, s.cfg.Name)
			}
			name = word[i+1:]
		}
		if name != ".default" {
			p, err := permissionByName(name, "Scope")
			if err != nil {
				return nil, refuse("invalid_scope", 70011, "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope '%s' does not exist on '%s'.", word, app.DisplayName)
			}
			name = p.value
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out, nil
}

// requestedScopes lists the delegated Graph permissions in the registration.
func requestedScopes(app *application) []string { return requested(app, "Scope") }

func requested(app *application, kind string) []string {
	var out []string
	for _, ra := range app.Required {
		if !strings.EqualFold(ra.ResourceAppID, GraphAppID) {
			continue
		}
		for _, a := range ra.ResourceAccess {
			if p, ok := permissionByID(a.ID, kind); ok && strings.EqualFold(a.Type, kind) {
				out = append(out, p.value)
			}
		}
	}
	return out
}

// unconsented lists what a sign-in asks for and nobody agreed to.
func (s *Server) unconsented(app *application, sp *principal, u *user, scopes []string) []string {
	have := s.st.scopesOf(sp, u.ID)
	var out []string
	for _, want := range expandDefault(app, scopes) {
		if !slices.Contains(have, want) && !slices.Contains(protocolScopes, want) {
			out = append(out, want)
		}
	}
	return out
}

func expandDefault(app *application, scopes []string) []string {
	var out []string
	for _, sc := range scopes {
		if sc == ".default" {
			out = append(out, requestedScopes(app)...)
		} else {
			out = append(out, sc)
		}
	}
	return out
}

// grantedScopes is what the token carries: Entra puts every permission the
// person has with this client into it, not only those asked for.
func (s *Server) grantedScopes(sp *principal, u *user, scopes []string) []string {
	var out []string
	for _, sc := range append(slices.Clone(scopes), s.st.scopesOf(sp, u.ID)...) {
		if sc != ".default" && !slices.Contains(out, sc) {
			out = append(out, sc)
		}
	}
	return out
}

func needsAdmin(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(sc string) bool {
		p, err := permissionByName(sc, "Scope")
		return err == nil && !p.user
	})
}
