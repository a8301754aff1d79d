package microsoft

import (
	"slices"
	"strings"
)

// Inventory is what exists in the tenant, in an order that does not depend on
// when it was made, so that two can be compared. It holds no secret value.
type Inventory struct {
	Apps        []InventoryApp        `json:"apps"`
	Deleted     []string              `json:"deleted,omitempty"` // client IDs of soft-deleted registrations
	Principals  []InventoryPrincipal  `json:"principals"`        // Microsoft's own left out
	AdminCenter InventoryAdminCenter  `json:"adminCenter"`
	Assignments []InventoryAssignment `json:"assignments"`
	Grants      []InventoryGrant      `json:"grants"`
}

// InventoryApp is one registration.
type InventoryApp struct {
	AppID        string   `json:"appId"`
	Name         string   `json:"name"`
	UniqueName   string   `json:"uniqueName,omitempty"`
	Audience     string   `json:"audience"`
	RedirectURIs []string `json:"redirectUris,omitempty"`
	Requested    []string `json:"requested,omitempty"`    // Graph permissions
	Secrets      []string `json:"secrets,omitempty"`      // "name keyId"
	Certificates []string `json:"certificates,omitempty"` // thumbprints
	Federated    []string `json:"federated,omitempty"`    // names
}

// InventoryPrincipal is one service principal.
type InventoryPrincipal struct {
	AppID   string `json:"appId"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
}

// InventoryAssignment is one granted application permission.
type InventoryAssignment struct {
	AppID      string `json:"appId"`
	Permission string `json:"permission"`
}

// InventoryGrant is one delegated consent.
type InventoryGrant struct {
	AppID  string `json:"appId"`
	User   string `json:"user,omitempty"` // empty: for everyone
	Scopes string `json:"scopes"`
}

// InventoryAdminCenter is what the Support integration panel holds.
type InventoryAdminCenter struct {
	Tool          string       `json:"tool,omitempty"`
	ApplicationID string       `json:"applicationId,omitempty"`
	Repositories  []Repository `json:"repositories,omitempty"`
}

// Repository is one repository of the Support integration panel.
type Repository struct {
	Name               string `json:"repository"`
	Endpoint           string `json:"endpoint"`
	AuthenticationType string `json:"authenticationType"`
	ClientID           string `json:"clientId"`
	RestUsername       string `json:"restUsername"`
	HasPassword        bool   `json:"hasPassword"`
}

// Inventory lists what exists now.
func (s *Server) Inventory() Inventory {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inventory()
}

func (s *Server) inventory() Inventory {
	var inv Inventory
	for _, a := range s.st.Apps {
		inv.Apps = append(inv.Apps, a.inventory())
	}
	for _, a := range s.deleted() {
		inv.Deleted = append(inv.Deleted, a.AppID)
	}
	for _, p := range s.st.Principals {
		if !p.Microsoft {
			inv.Principals = append(inv.Principals, InventoryPrincipal{p.AppID, p.DisplayName, !p.Disabled})
		}
	}
	for _, a := range s.st.Assignments {
		perm, _ := permissionByID(a.AppRoleID, "Role")
		inv.Assignments = append(inv.Assignments, InventoryAssignment{s.holder(a.PrincipalID), perm.value})
	}
	for _, g := range s.st.Grants {
		line := InventoryGrant{AppID: s.holder(g.ClientID), Scopes: sortedWords(g.Scope)}
		if u := s.st.userBy(g.PrincipalID); u != nil {
			line.User = u.UPN
		}
		inv.Grants = append(inv.Grants, line)
	}
	inv.AdminCenter = s.st.Admin.inventory()
	slices.SortFunc(inv.Apps, func(a, b InventoryApp) int { return strings.Compare(a.AppID, b.AppID) })
	slices.Sort(inv.Deleted)
	slices.SortFunc(inv.Principals, func(a, b InventoryPrincipal) int { return strings.Compare(a.AppID, b.AppID) })
	slices.SortFunc(inv.Assignments, func(a, b InventoryAssignment) int {
		return strings.Compare(a.AppID+a.Permission, b.AppID+b.Permission)
	})
	slices.SortFunc(inv.Grants, func(a, b InventoryGrant) int { return strings.Compare(a.AppID+a.User, b.AppID+b.User) })
	return inv
}

// holder names a principal by its client ID, or a person by the UPN.
func (s *Server) holder(id string) string {
	if p := s.st.principalByID(id); p != nil {
		return p.AppID
	}
	if u := s.st.userBy(id); u != nil {
		return u.UPN
	}
	return id
}

func (a *application) inventory() InventoryApp {
	out := InventoryApp{AppID: a.AppID, Name: a.DisplayName, UniqueName: a.UniqueName, Audience: a.SignInAudience,
		RedirectURIs: sorted(a.Web.RedirectURIs), Requested: sorted(append(requested(a, "Role"), requestedScopes(a)...))}
	for _, p := range a.Passwords {
		out.Secrets = append(out.Secrets, p.DisplayName+" "+p.KeyID)
	}
	for _, k := range a.Keys {
		out.Certificates = append(out.Certificates, thumbprint(k.Certificate))
	}
	for _, f := range a.Federated {
		out.Federated = append(out.Federated, f.Name)
	}
	slices.Sort(out.Secrets)
	return out
}

func sorted(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return out
}

func sortedWords(text string) string { return strings.Join(sorted(strings.Fields(text)), " ") }
