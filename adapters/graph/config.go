package graph

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// The addresses of Microsoft's global cloud.
const (
	DefaultGraphURL = "https://graph.microsoft.com/v1.0"
	DefaultLoginURL = "https://login.microsoftonline.com"
)

// Config is what [New] needs. HTTP should come from httpx.New.
type Config struct {
	GraphURL string // with the version; "" is [DefaultGraphURL]
	LoginURL string // "" is [DefaultLoginURL]
	// Scope is what tokens are asked for; "" is the Graph host's /.default,
	// which in simulators is that of graph.microsoft.com.
	Scope string

	HTTP     *http.Client
	Tenants  map[bot.TenantID]TenantConfig
	Tokens   Tokens   // the approvers' own tokens; nil where they cannot sign in
	Resolver Resolver // nil: DNS calls fail

	// PageSize is how many items of service communications are asked for at a
	// time, 1 to 1000; 0 is 100.
	PageSize int

	Now   func() time.Time                           // nil is time.Now
	Wait  func(context.Context, time.Duration) error // nil is httpx.Wait
	Rand  func() float64                             // jitter; nil is random
	NewID func() string                              // request IDs of reads; nil is httpx.NewRequestID
}

// TenantConfig is what belongs to one tenant.
type TenantConfig struct {
	Directory string     // Entra tenant ID (GUID) or a verified domain
	Writer    Credential // makes the calls without an identity, where AsApp says so or nobody can sign in
	// AsApp has Writer make the calls in place of those who approved them, and
	// Standing lets it write anywhere; otherwise it writes in simulators.
	AsApp, Standing bool
	SignIn          SignIn // where approvers sign in
}

// Credential is an application's: its ID with a secret, or with a PEM private
// key and the certificate that belongs to it. It converts from [bot.Reader].
type Credential struct {
	ClientID string
	Secret   bot.Secret
	Key      bot.Secret
	Cert     string
}

// Tokens gives the token that the person behind an approval signed in for.
// Its errors are shown to that person: a *bot.Failure of KindSignIn says that
// a sign-in is missing.
type Tokens interface {
	Token(ctx context.Context, tenant bot.TenantID, system bot.System, id bot.CallIdentity) (bot.Secret, error)
}

// Voider is a [Tokens] that wants to know of tokens that were refused, to give
// another one the next time.
type Voider interface {
	Void(tenant bot.TenantID, system bot.System, id bot.CallIdentity, refused bot.Secret)
}

// Resolver looks a host name up. A *net.DNSError with IsNotFound says that the
// name does not exist.
type Resolver interface {
	LookupHost(ctx context.Context, name string) ([]string, error)
}

// Client makes calls. It is safe for concurrent use.
type Client struct {
	cfg   Config
	cache httpx.TokenCache
	doors doors

	mu      sync.Mutex
	budgets map[string]*budget
	plain   map[string]bool // lists that refused $filter, by tenant and path
}

// New makes a client. A tenant or address that cannot be used shows at the
// first call, as a failure that names it.
func New(cfg Config) *Client {
	if cfg.GraphURL == "" {
		cfg.GraphURL = DefaultGraphURL
	}
	if cfg.LoginURL == "" {
		cfg.LoginURL = DefaultLoginURL
	}
	if cfg.Scope == "" {
		cfg.Scope = scopeOf(cfg.GraphURL)
	}
	if cfg.HTTP == nil {
		cfg.HTTP, _ = httpx.New(httpx.Config{}) // the zero configuration names no file and no proxy, so it cannot fail
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Wait == nil {
		cfg.Wait = httpx.Wait
	}
	if cfg.NewID == nil {
		cfg.NewID = httpx.NewRequestID
	}
	if cfg.PageSize <= 0 {
		cfg.PageSize = 100
	}
	cfg.PageSize = min(cfg.PageSize, 1000)
	c := &Client{cfg: cfg, budgets: make(map[string]*budget), plain: make(map[string]bool)}
	c.cache.Now = cfg.Now
	return c
}

func scopeOf(graphURL string) string {
	const global = "https://graph.microsoft.com/.default"
	u, err := url.Parse(graphURL)
	if err != nil || u.Host == "" || httpx.Loopback(graphURL) {
		return global
	}
	return u.Scheme + "://" + u.Host + "/.default"
}

// tenant is a tenant's configuration with its name.
type tenant struct {
	TenantConfig
	id bot.TenantID
}

func (c *Client) tenant(id bot.TenantID, system bot.System) (tenant, *bot.Failure) {
	t, ok := c.cfg.Tenants[id]
	if !ok {
		return tenant{}, mine(system, "Keyturn's configuration has no Microsoft settings for the tenant "+string(id)+".",
			"An operator of Keyturn has to add them.")
	}
	if !httpx.HostName(t.Directory) {
		return tenant{}, mine(system, "Keyturn's configuration names no Entra tenant for "+string(id)+".",
			"An operator of Keyturn has to enter its tenant ID or domain.")
	}
	return tenant{t, id}, nil
}

// mine is a failure of Keyturn's own call or configuration: nothing was sent.
func mine(system bot.System, says, fix string) *bot.Failure {
	return &bot.Failure{Kind: bot.KindBadRequest, System: system, Says: says, Fix: strings.TrimSpace(fix)}
}
