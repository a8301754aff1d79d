package servicenow

import (
	"fmt"
	"net/http"
	"time"
)

// World is what the support integration looks like from this instance.
type World int

const (
	// Alive1 has the app with its 1.x wizard, which asks for a repository ID
	// and ends with "Complete the Integration".
	Alive1 World = iota
	// Alive2 has the app with its 2.x wizard, which asks for the tenant's
	// domain and ends with "Test setup".
	Alive2
	// ShutDown is the time after Microsoft closed the service: the
	// connector's name does not resolve any more. The app may still be there.
	ShutDown
)

var worldNames = map[World]string{Alive1: "alive1", Alive2: "alive2", ShutDown: "shutdown"}

func (w World) String() string {
	if n, ok := worldNames[w]; ok {
		return n
	}
	return fmt.Sprintf("World(%d)", int(w))
}

// MarshalText writes "alive1", "alive2" or "shutdown".
func (w World) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (w *World) UnmarshalText(b []byte) error {
	for k, n := range worldNames {
		if n == string(b) {
			*w = k
			return nil
		}
	}
	return fmt.Errorf("no world %q; choose alive1, alive2 or shutdown", b)
}

// SecretWrite is what happens to a client secret written through the Table
// API with sysparm_input_display_value=true. Without that parameter a secret
// is always stored malformed, and a secret typed into the form is always
// stored well.
type SecretWrite string

const (
	SecretStored  SecretWrite = "stored"  // usable afterwards; the default
	SecretGarbled SecretWrite = "garbled" // accepted, but the token exchange fails with invalid_client
	SecretRefused SecretWrite = "refused" // answered with 403
)

// NotInstalled as Config.AppVersion leaves the support integration app out.
const NotInstalled = "none"

// User is one account on the instance.
type User struct {
	Name           string   `json:"name"` // sys_user.user_name
	Full           string   `json:"full,omitempty"`
	Email          string   `json:"email,omitempty"`
	Roles          []string `json:"roles,omitempty"`  // role names, granted directly
	Groups         []string `json:"groups,omitempty"` // group names, made where they do not exist
	Password       string   `json:"password,omitempty"`
	WebServiceOnly bool     `json:"webServiceOnly,omitempty"` // cannot sign in to pages; may use Basic authentication
	Inactive       bool     `json:"inactive,omitempty"`
	TimeZone       string   `json:"timeZone,omitempty"` // IANA name; "" is the instance's own
}

// Client is one inbound OAuth client: an oauth_entity row of type "client".
type Client struct {
	Name     string `json:"name"`
	ID       string `json:"id"`
	Secret   string `json:"secret,omitempty"`
	Grant    string `json:"grant,omitempty"`    // default_grant_type; "" is authorization_code
	User     string `json:"user,omitempty"`     // user_name of the OAuth application user, for client_credentials
	Redirect string `json:"redirect,omitempty"` // redirect URLs, separated by commas
	Public   bool   `json:"public,omitempty"`   // no secret, PKCE required
}

// Article is one text of the instance's knowledge bases.
type Article struct {
	Base    string `json:"base"`              // title of the knowledge base, made where it does not exist
	Readers string `json:"readers,omitempty"` // roles that may read that base, separated by commas; "" is everybody
	Title   string `json:"title"`
	Text    string `json:"text"`
	Draft   bool   `json:"draft,omitempty"`
}

// Config describes one instance.
type Config struct {
	// Host is the name inside links and redirect URLs, for example
	// contoso.service-now.com. The simulator itself listens elsewhere.
	Host  string
	World World
	// AppVersion of the support integration; "" is the one that suits the
	// world (none in ShutDown), NotInstalled leaves the app out.
	AppVersion string
	Users      []User // none: one admin named "admin"
	Clients    []Client
	Articles   []Article           // in its knowledge bases from the beginning
	Groups     map[string][]string // group name -> roles that its members inherit
	// Outbound maps a host that the instance calls itself to the base URL
	// that answers instead, for example "login.microsoftonline.com" to
	// "http://127.0.0.1:8080/login". A host that is not listed does not
	// resolve: a simulator never talks to the real service.
	Outbound map[string]string
	// Resource that the app asks a token for on a v1 token URL; "" is the
	// connector's.
	Resource      string
	SecretWrite   SecretWrite // "" is SecretStored
	TypeChoice    string      // stored value of "OAuth Provider": "oauth_provider" (default) or "consumer"
	CrossScope    CrossScope  // "" is CrossScopeClosed
	ProtectedLogs bool        // syslog and sys_outbound_http_log answer 403 to everybody
	// ClientCredentials sets the property that allows the inbound client
	// credentials grant; off by default, as on a new instance.
	ClientCredentials bool
	File              string // snapshot file; "" remembers nothing
	Now               func() time.Time
	Client            *http.Client // for the calls of the instance itself
}

// CrossScope says whether oauth_entity and oauth_entity_profile start out
// readable from other application scopes.
type CrossScope string

const (
	CrossScopeClosed CrossScope = "closed" // "Can read" is off on both tables; the default
	CrossScopeOpen   CrossScope = "open"
)

func (c *Config) complete() error {
	if c.Host == "" {
		c.Host = "contoso.service-now.com"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 15 * time.Second}
	}
	if c.Resource == "" {
		c.Resource = "https://" + connectorHost
	}
	if c.AppVersion == "" {
		c.AppVersion = map[World]string{Alive1: "1.0.11", Alive2: "2.1.0", ShutDown: NotInstalled}[c.World]
	}
	if c.TypeChoice == "" {
		c.TypeChoice = "oauth_provider"
	}
	if c.TypeChoice != "oauth_provider" && c.TypeChoice != "consumer" {
		return fmt.Errorf("the OAuth Provider type is stored as oauth_provider or consumer, not as %q", c.TypeChoice)
	}
	if c.SecretWrite == "" {
		c.SecretWrite = SecretStored
	}
	if c.CrossScope == "" {
		c.CrossScope = CrossScopeClosed
	}
	if len(c.Users) == 0 {
		c.Users = []User{{Name: "admin", Full: "System Administrator", Email: "admin@example.com", Roles: []string{"admin"}}}
	}
	return nil
}
