package bot

import (
	"fmt"
	"strings"
)

// Platform is a chat platform.
type Platform string

// The chat platforms.
const (
	Slack Platform = "slack"
	Teams Platform = "teams"
)

// Account is one chat account. Team is the Slack workspace ID or the Teams
// tenant ID; an ID is only unique together with it.
type Account struct {
	Platform Platform `json:"platform"`
	Team     string   `json:"team"`
	ID       string   `json:"id"`
}

// String is the form that configuration files use: slack:T0123:U0456.
func (a Account) String() string {
	if a == (Account{}) {
		return ""
	}
	return string(a.Platform) + ":" + a.Team + ":" + a.ID
}

// ParseAccount reads the form of [Account.String].
func ParseAccount(s string) (Account, error) {
	p := strings.SplitN(s, ":", 3)
	if len(p) != 3 || p[1] == "" || p[2] == "" || (Platform(p[0]) != Slack && Platform(p[0]) != Teams) {
		return Account{}, fmt.Errorf("%q is not a chat account: write slack:<workspace ID>:<user ID> or teams:<tenant ID>:<object ID>", s)
	}
	return Account{Platform: Platform(p[0]), Team: p[1], ID: p[2]}, nil
}

// PersonID is an Entra object ID: what approvals, four-eyes and the audit
// trail compare.
type PersonID string

// System is an outside system that calls go to.
type System string

// The outside systems.
const (
	Graph      System = "graph"      // Microsoft Graph
	Login      System = "login"      // Microsoft's sign-in service: token endpoints
	ServiceNow System = "servicenow" // the tenant's ServiceNow instance
	DNS        System = "dns"        // name look-ups, for probes
	// AdminCenter is Microsoft's portal, where people work by hand: it is never called.
	AdminCenter System = "admin-center"
)

// Name is how the system is called in chat.
func (s System) Name() string {
	switch s {
	case Graph:
		return "Microsoft Graph"
	case Login:
		return "Microsoft sign-in"
	case ServiceNow:
		return "ServiceNow"
	case DNS:
		return "DNS"
	case AdminCenter:
		return "the Microsoft 365 admin center"
	}
	return string(s)
}

// Person is somebody behind any number of chat accounts and admin accounts.
type Person struct {
	ID       PersonID          `json:"id"`
	Name     string            `json:"name"`
	Accounts []Account         `json:"accounts,omitempty"`
	Admin    map[System]string `json:"admin,omitempty"` // linked account per system, such as erin.admin@contoso.com
	// AdminID is that account's own ID, which is never given to another; "" takes
	// the ID of the first sign-in with it.
	AdminID map[System]string `json:"admin_id,omitempty"`
	Zone    string            `json:"zone,omitempty"` // IANA name; "" is the tenant's
}

// On returns the person's account in a workspace, and false where they have
// none. An empty team matches any of the platform.
func (p Person) On(platform Platform, team string) (Account, bool) {
	for _, a := range p.Accounts {
		if a.Platform == platform && (team == "" || a.Team == team) {
			return a, true
		}
	}
	return Account{}, false
}

// Role is what a step needs somebody to hold.
type Role string

// The roles.
const (
	EntraAdmin          Role = "entra-admin"
	PrivilegedRoleAdmin Role = "privileged-role-admin"
	ServiceNowAdmin     Role = "servicenow-admin"
	M365Admin           Role = "m365-admin"
	Requester           Role = "requester"
	Owner               Role = "owner"
)

// Roles lists every role, in the order in which chat shows them.
var Roles = []Role{EntraAdmin, PrivilegedRoleAdmin, ServiceNowAdmin, M365Admin, Requester, Owner}

// Title names a holder of the role: "Entra admin".
func (r Role) Title() string {
	switch r {
	case EntraAdmin:
		return "Entra admin"
	case PrivilegedRoleAdmin:
		return "Privileged Role Administrator"
	case ServiceNowAdmin:
		return "ServiceNow admin"
	case M365Admin:
		return "Microsoft 365 admin"
	case Requester:
		return "requester"
	case Owner:
		return "owner"
	}
	return string(r)
}

// Crew names the holders together, as public messages do: "the Entra team".
func (r Role) Crew() string {
	switch r {
	case EntraAdmin:
		return "the Entra team"
	case PrivilegedRoleAdmin:
		return "the Privileged Role Administrators"
	case ServiceNowAdmin:
		return "the ServiceNow team"
	case M365Admin:
		return "the Microsoft 365 team"
	case Requester:
		return "the requester"
	case Owner:
		return "the owners"
	}
	return string(r)
}

// Known reports whether r is one of [Roles].
func (r Role) Known() bool {
	for _, k := range Roles {
		if k == r {
			return true
		}
	}
	return false
}
