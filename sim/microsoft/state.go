package microsoft

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// state is everything that a restart keeps. Secret values are in it as
// SHA-256 sums only; the signing key is the simulator's own.
type state struct {
	World       World                 `json:"world"`
	Lag         Lag                   `json:"lag"`
	Quirks      Quirks                `json:"quirks"`
	Policy      SecretPolicy          `json:"policy"`
	Users       []*user               `json:"users"`
	Apps        []*application        `json:"apps"`
	Deleted     []*application        `json:"deleted"`
	Principals  []*principal          `json:"principals"`
	Assignments []*assignment         `json:"assignments"`
	Grants      []*scopeGrant         `json:"grants"`
	Admin       adminCenter           `json:"admin"`
	Status      statusPage            `json:"status"`
	Services    []Service             `json:"services"`
	Issues      []announcement        `json:"issues"`
	Messages    []announcement        `json:"messages"`
	Reports     map[string][]byte     `json:"reports"`
	Refresh     map[string]*session   `json:"refresh"` // by the sum of the refresh token
	Trusted     map[string]trustedKey `json:"trusted"` // by issuer
	Key         []byte                `json:"key"`     // PKCS #8
}

type user struct {
	User
	Activated map[string]time.Time `json:"activated,omitempty"` // role -> until
	Blocked   bool                 `json:"blocked,omitempty"`   // by Conditional Access
}

// active lists the roles that count now, direct ones first.
func (u *user) active(now time.Time) []string {
	roles := u.direct(now)
	for _, r := range u.GroupRoles {
		if !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles
}

// direct lists the active roles assigned to the person and not to a group.
func (u *user) direct(now time.Time) []string {
	roles := slices.Clone(u.Active)
	for _, r := range u.Eligible {
		if now.Before(u.Activated[r]) && !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles
}

func (u *user) groupID() string { return derivedID("role group", u.ID) }

type application struct {
	ID             string                     `json:"id"`
	AppID          string                     `json:"appId"`
	UniqueName     string                     `json:"uniqueName,omitempty"`
	DisplayName    string                     `json:"displayName"`
	SignInAudience string                     `json:"signInAudience"`
	Web            web                        `json:"web"`
	Public         bool                       `json:"public,omitempty"`
	Required       []resourceAccess           `json:"required"`
	Passwords      []*password                `json:"passwords"`
	Keys           []*keyCredential           `json:"keys"`
	Federated      []*federated               `json:"federated"`
	Created        time.Time                  `json:"created"`
	Deleted        *time.Time                 `json:"deleted,omitempty"`
	OwnerApp       string                     `json:"ownerApp,omitempty"`
	OwnerUser      string                     `json:"ownerUser,omitempty"`
	Other          map[string]json.RawMessage `json:"other,omitempty"` // properties that are kept and not interpreted

	LagPrincipal int `json:"lagPrincipal,omitempty"`
	LagPassword  int `json:"lagPassword,omitempty"`

	// The service principal that a soft delete took along.
	TakenPrincipal   *principal    `json:"takenPrincipal,omitempty"`
	TakenAssignments []*assignment `json:"takenAssignments,omitempty"`
}

type web struct {
	RedirectURIs []string `json:"redirectUris"`
	HomePageURL  *string  `json:"homePageUrl"`
	LogoutURL    *string  `json:"logoutUrl"`
}

type resourceAccess struct {
	ResourceAppID  string     `json:"resourceAppId"`
	ResourceAccess []accessID `json:"resourceAccess"`
}

type accessID struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

type password struct {
	KeyID       string    `json:"keyId"`
	DisplayName string    `json:"displayName"`
	Hint        string    `json:"hint"`
	Start       time.Time `json:"start"`
	End         time.Time `json:"end"`
	Sum         string    `json:"sum"`
	Lag         int       `json:"lag,omitempty"`
}

type keyCredential struct {
	KeyID       string    `json:"keyId"`
	DisplayName string    `json:"displayName"`
	Start       time.Time `json:"start"`
	End         time.Time `json:"end"`
	Certificate []byte    `json:"certificate"` // DER
}

type federated struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Issuer      string   `json:"issuer"`
	Subject     string   `json:"subject"`
	Audiences   []string `json:"audiences"`
	Description *string  `json:"description"`
}

type principal struct {
	ID          string                     `json:"id"`
	AppID       string                     `json:"appId"`
	DisplayName string                     `json:"displayName"`
	Disabled    bool                       `json:"disabled,omitempty"`
	Created     time.Time                  `json:"created"`
	OwnerApp    string                     `json:"ownerApp,omitempty"`
	OwnerUser   string                     `json:"ownerUser,omitempty"`
	Other       map[string]json.RawMessage `json:"other,omitempty"`
	Microsoft   bool                       `json:"microsoft,omitempty"` // belongs to Microsoft, has no registration here
	Lag         int                        `json:"lag,omitempty"`
}

type assignment struct {
	ID          string    `json:"id"`
	AppRoleID   string    `json:"appRoleId"`
	PrincipalID string    `json:"principalId"`
	ResourceID  string    `json:"resourceId"`
	Created     time.Time `json:"created"`
}

type scopeGrant struct {
	ID          string `json:"id"`
	ClientID    string `json:"clientId"`    // service principal
	ConsentType string `json:"consentType"` // AllPrincipals, Principal
	PrincipalID string `json:"principalId,omitempty"`
	ResourceID  string `json:"resourceId"`
	Scope       string `json:"scope"`
}

type announcement struct {
	ID  string          `json:"id"`
	Raw json.RawMessage `json:"raw"`
}

// session is what a refresh token stands for.
type session struct {
	AppID   string    `json:"appId"`
	UserID  string    `json:"userId"`
	Scopes  []string  `json:"scopes"`
	Begun   time.Time `json:"begun"`
	Ends    time.Time `json:"ends"`
	Revoked time.Time `json:"revoked"`
}

func sum(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

func (st *state) userBy(id string) *user {
	for _, u := range st.Users {
		if strings.EqualFold(u.ID, id) || strings.EqualFold(u.UPN, id) {
			return u
		}
	}
	return nil
}

func (st *state) appByID(id string) *application {
	return find(st.Apps, func(a *application) bool { return strings.EqualFold(a.ID, id) })
}

func (st *state) appByAppID(id string) *application {
	return find(st.Apps, func(a *application) bool { return strings.EqualFold(a.AppID, id) })
}

func (st *state) appByUniqueName(name string) *application {
	return find(st.Apps, func(a *application) bool { return a.UniqueName != "" && a.UniqueName == name })
}

func (st *state) principalByID(id string) *principal {
	return find(st.Principals, func(p *principal) bool { return strings.EqualFold(p.ID, id) })
}

func (st *state) principalByAppID(id string) *principal {
	return find(st.Principals, func(p *principal) bool { return strings.EqualFold(p.AppID, id) })
}

func (st *state) assigned(principalID, resourceID, roleID string) *assignment {
	return find(st.Assignments, func(a *assignment) bool {
		return a.PrincipalID == principalID && a.ResourceID == resourceID && strings.EqualFold(a.AppRoleID, roleID)
	})
}

// rolesOf lists the Graph application permissions granted to a service principal.
func (st *state) rolesOf(p *principal) []string {
	graph := st.principalByAppID(GraphAppID)
	var out []string
	for _, a := range st.Assignments {
		if a.PrincipalID != p.ID || a.ResourceID != graph.ID {
			continue
		}
		if perm, ok := permissionByID(a.AppRoleID, "Role"); ok {
			out = append(out, perm.value)
		}
	}
	slices.Sort(out)
	return out
}

// scopesOf lists the delegated permissions consented for a person with an app.
func (st *state) scopesOf(p *principal, userID string) []string {
	var out []string
	for _, g := range st.Grants {
		if g.ClientID == p.ID && (g.ConsentType == "AllPrincipals" || g.PrincipalID == userID) {
			out = append(out, strings.Fields(g.Scope)...)
		}
	}
	return out
}

func find[T any](list []*T, ok func(*T) bool) *T {
	for _, v := range list {
		if ok(v) {
			return v
		}
	}
	return nil
}
