package microsoft

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// permit is what an operation asks of a token. Each list is "one of these
// will do"; "A+B" asks for both.
type permit struct {
	app   []string // application permissions; empty: no application alone may call it
	scope []string // delegated permissions
	roles []string // delegated calls: directory roles, one of which must be active; empty: any user
}

// caller is who a Graph token speaks for.
type caller struct {
	sp     *principal
	user   *user // nil for an application on its own
	roles  []string
	scopes []string
	owned  bool // the application may touch only what it created
}

func (c *caller) name() string {
	if c.user == nil {
		return "app " + c.sp.DisplayName
	}
	return c.user.UPN + " with " + c.sp.DisplayName
}

// authenticate reads the bearer token of a Graph call.
func (s *Server) authenticate(r *http.Request) (*caller, error) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") || token == "" {
		return nil, invalidToken("Access token is empty.")
	}
	claims, err := s.verify(token)
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return nil, invalidToken("Lifetime validation failed, the token is expired.")
	case errors.Is(err, jwt.ErrTokenMalformed):
		return nil, invalidToken("IDX14100: JWT is not well formed, there are no dots (.). The token needs to be in JWS or JWE Compact Serialization Format.")
	case err != nil:
		return nil, invalidToken("Access token validation failure. Invalid signature.")
	}
	if aud, _ := claims["aud"].(string); aud != graphResource && aud != GraphAppID {
		return nil, invalidToken("Access token validation failure. Invalid audience.")
	}
	appID, _ := claims["appid"].(string)
	sp := s.st.principalByAppID(appID)
	if sp == nil || sp.Disabled {
		return nil, invalidToken("The identity of the calling application could not be established.")
	}
	c := &caller{sp: sp, roles: stringsOf(claims["roles"])}
	if claims["idtyp"] == "app" {
		return c, nil
	}
	oid, _ := claims["oid"].(string)
	if c.user = s.st.userBy(oid); c.user == nil || c.user.Disabled {
		return nil, invalidToken("The user of the token does not exist or is disabled.")
	}
	scp, _ := claims["scp"].(string)
	c.scopes = strings.Fields(scp)
	return c, nil
}

func stringsOf(v any) []string {
	list, _ := v.([]any)
	out := make([]string, 0, len(list))
	for _, x := range list {
		if t, ok := x.(string); ok {
			out = append(out, t)
		}
	}
	return out
}

// permits checks a token against an operation, and notes whether an
// application holds no more than the right to its own objects.
func (c *caller) permits(p permit, now time.Time) error {
	if c.user == nil {
		held := satisfied(c.roles, p.app)
		if len(held) == 0 {
			return denied()
		}
		c.owned = len(held) == 1 && held[0] == "Application.ReadWrite.OwnedBy"
		return nil
	}
	if len(satisfied(c.scopes, p.scope)) == 0 {
		return denied()
	}
	if len(p.roles) > 0 && !anyOf(c.user.active(now), p.roles) {
		return denied()
	}
	return nil
}

func satisfied(have, choices []string) []string {
	var out []string
	for _, choice := range choices {
		if !slices.ContainsFunc(strings.Split(choice, "+"), func(p string) bool { return !slices.Contains(have, p) }) {
			out = append(out, choice)
		}
	}
	return out
}

// mayChange says whether the caller may change an application or a service
// principal with that owner: by role, as its owner, or as the app that made it.
func (c *call) mayChange(ownerApp, ownerUser string, roles []string) error {
	who := c.caller
	switch {
	case who.user == nil && !who.owned:
		return nil
	case who.user == nil && ownerApp == who.sp.AppID:
		return nil
	case who.user != nil && (anyOf(who.user.active(c.s.now()), roles) || ownerUser == who.user.ID):
		return nil
	}
	return denied()
}
