package microsoft

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// World says whether the connector of the support integration still runs.
type World string

// The two worlds. Microsoft shut the service down on 2025-05-30.
const (
	Alive    World = "alive"
	ShutDown World = "shutdown"
)

// Config describes one simulated tenant.
type Config struct {
	TenantID string // GUID; empty is a fixed one
	Domain   string // verified domain; empty is contoso.example
	Name     string // display name; empty is Contoso

	Users []User
	Apps  []App // registrations that exist beforehand

	World  World // empty is Alive
	Lag    *Lag  // nil is TypicalLag
	Quirks Quirks
	Policy SecretPolicy

	BaseURL string           // how clients reach the listener, without a trailing slash; empty is taken from each request
	File    string           // snapshot; empty keeps nothing across a restart
	Now     func() time.Time // nil is time.Now
	Rand    io.Reader        // IDs and secrets; nil is crypto/rand
}

// User is a person of the tenant. Roles may be given by template ID or by
// display name ("Application Administrator").
type User struct {
	ID         string   `json:"id,omitempty"` // object ID; empty is derived from the UPN
	Name       string   `json:"name"`
	UPN        string   `json:"upn"`
	Mail       string   `json:"mail,omitempty"`       // empty: the account has no mailbox, as admin accounts often have none
	Active     []string `json:"active,omitempty"`     // permanently active roles
	Eligible   []string `json:"eligible,omitempty"`   // PIM: may be activated
	GroupRoles []string `json:"groupRoles,omitempty"` // active through a role-assignable group
	Disabled   bool     `json:"disabled,omitempty"`
}

// App is an app registration with its service principal, made beforehand.
type App struct {
	AppID        string   `json:"appId,omitempty"` // client ID; empty is generated
	Name         string   `json:"name"`
	UniqueName   string   `json:"uniqueName,omitempty"`
	RedirectURIs []string `json:"redirectUris,omitempty"`
	Secrets      []Secret `json:"secrets,omitempty"`
	Certificates [][]byte `json:"certificates,omitempty"` // DER
	Roles        []string `json:"roles,omitempty"`        // Graph application permissions, requested and granted
	Scopes       []string `json:"scopes,omitempty"`       // Graph delegated permissions, requested and consented for everyone
	Requested    []string `json:"requested,omitempty"`    // Graph application permissions, requested only
	Public       bool     `json:"public,omitempty"`       // public client: PKCE without a credential
	NoPrincipal  bool     `json:"noPrincipal,omitempty"`  // registration only, no service principal
}

// Secret is a client secret of a registration made beforehand.
type Secret struct {
	Name  string    `json:"name"`
	Value string    `json:"value"`
	Ends  time.Time `json:"ends"` // zero is two years from now
}

// Lag is replication lag, counted in calls: so many first calls that depend on
// something just created fail as they do in a real directory.
type Lag struct {
	Principal  int `json:"principal"`  // creating the service principal: 400 NoBackingApplicationObject
	Password   int `json:"password"`   // addPassword: 404 Request_ResourceNotFound
	Assignment int `json:"assignment"` // app role assignments of a new service principal: 404 Request_ResourceNotFound
	Token      int `json:"token"`      // the first tokens with a new secret: AADSTS7000215
}

// TypicalLag is what a new tenant has when its Config says nothing.
var TypicalLag = Lag{Principal: 2, Password: 1, Assignment: 1}

// Quirks switches behaviour that Microsoft's documents leave open, or that
// only some tenants show. The zero value is the friendlier reading of each.
type Quirks struct {
	UniqueNameStaysBusy bool `json:"uniqueNameStaysBusy,omitempty"` // a soft-deleted registration keeps its uniqueName
	UsersMayRegister    bool `json:"usersMayRegister,omitempty"`    // every user may create registrations
	NoIssueFilter       bool `json:"noIssueFilter,omitempty"`       // $filter on issues and messages answers 400
	NoIssueOrder        bool `json:"noIssueOrder,omitempty"`        // $orderby on issues and messages answers 400
	NoIssueTop          bool `json:"noIssueTop,omitempty"`          // $top on issues and messages answers 400
	PageOverlap         int  `json:"pageOverlap,omitempty"`         // so many items of a page come again on the next one
	Budget              bool `json:"budget,omitempty"`              // 240 requests in 60 s and 800 in an hour per app on serviceAnnouncement
	NoRetryAfter        bool `json:"noRetryAfter,omitempty"`        // the budget's 429 says nothing about when
	LimitedInfo         bool `json:"limitedInfo,omitempty"`         // memberships come with type and ID only
	UnknownIDStatus     int  `json:"unknownIdStatus,omitempty"`     // status for an unknown issue or message ID; 0 is 403
	V1WithoutResource   bool `json:"v1WithoutResource,omitempty"`   // the v1 token endpoint defaults `resource` instead of refusing
	OldDescriptions     bool `json:"oldDescriptions,omitempty"`     // CR LF before "Trace ID" as until 2023
	NoWids              bool `json:"noWids,omitempty"`              // tokens carry no wids claim
}

// SecretPolicy is the tenant's default app management policy.
type SecretPolicy struct {
	Enabled       bool          `json:"enabled"`
	ForbidSecrets bool          `json:"forbidSecrets"`
	MaxLifetime   time.Duration `json:"maxLifetime,omitempty"` // of a secret, whole days; 0 is unlimited
	Status        int           `json:"status,omitempty"`      // of a refusal; 0 is 400. Sources disagree between 400 and 403
	Code          string        `json:"code,omitempty"`        // of a refusal; empty is CredentialTypeNotAllowedAsPerAppPolicy
}

var guidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

func isGUID(s string) bool { return guidPattern.MatchString(s) }

// derivedID names the same thing by the same GUID across restarts.
func derivedID(parts ...string) string {
	h := sha1.Sum([]byte(strings.ToLower(strings.Join(parts, "\x00"))))
	return formatGUID(h[:16], 0x50)
}

func formatGUID(b []byte, version byte) string {
	b[6] = b[6]&0x0f | version
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func (c *Config) fill() error {
	if c.TenantID == "" {
		c.TenantID = "7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10"
	}
	if !isGUID(c.TenantID) {
		return fmt.Errorf("tenant ID %q is not a GUID", c.TenantID)
	}
	if c.Domain == "" {
		c.Domain = "contoso.example"
	}
	if c.Name == "" {
		c.Name = "Contoso"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.World == "" {
		c.World = Alive
	}
	if c.Lag == nil {
		l := TypicalLag
		c.Lag = &l
	}
	if err := c.World.check(); err != nil {
		return err
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	return nil
}

func (w World) check() error {
	if w != Alive && w != ShutDown {
		return fmt.Errorf("world %q is unknown: use %q or %q", w, Alive, ShutDown)
	}
	return nil
}

func (u User) check() error {
	switch {
	case u.UPN == "":
		return errors.New("a user needs a UPN")
	case u.ID != "" && !isGUID(u.ID):
		return fmt.Errorf("user %s: object ID %q is not a GUID", u.UPN, u.ID)
	}
	return nil
}
