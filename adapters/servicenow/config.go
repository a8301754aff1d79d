package servicenow

import (
	"context"
	"net/http"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// Config is what [New] needs. HTTP should come from httpx.New.
type Config struct {
	HTTP    *http.Client
	Tenants map[bot.TenantID]TenantConfig
	Tokens  Tokens // the approvers' own tokens; nil where they cannot sign in

	Now  func() time.Time                           // nil is time.Now
	Wait func(context.Context, time.Duration) error // nil is httpx.Wait
	Rand func() float64                             // jitter; nil is random
}

// TenantConfig is what belongs to one tenant's instance.
type TenantConfig struct {
	Host    string     // contoso.service-now.com
	BaseURL string     // instead of https://Host, for simulators
	Writer  Credential // makes the calls without an identity, where AsApp says so or nobody can sign in
	// AsApp has Writer make the calls in place of those who approved them, and
	// Standing lets it write anywhere; otherwise it writes in simulators.
	AsApp, Standing bool
	SignIn          SignIn // where approvers sign in
}

// Credential is an OAuth client of the instance's Application Registry that
// may use the client credentials grant.
type Credential struct {
	ClientID string
	Secret   bot.Secret
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

// Client makes calls. It is safe for concurrent use.
type Client struct {
	cfg   Config
	cache httpx.TokenCache
}

// New makes a client. A tenant that cannot be used shows at the first call, as
// a failure that names it.
func New(cfg Config) *Client {
	if cfg.HTTP == nil {
		cfg.HTTP, _ = httpx.New(httpx.Config{}) // the zero configuration names no file and no proxy, so it cannot fail
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Wait == nil {
		cfg.Wait = httpx.Wait
	}
	c := &Client{cfg: cfg}
	c.cache.Now = cfg.Now
	return c
}

// instance is a tenant's instance with its address.
type instance struct {
	TenantConfig
	id   bot.TenantID
	base string
}

func (c *Client) instance(id bot.TenantID) (instance, *bot.Failure) {
	t, ok := c.cfg.Tenants[id]
	if !ok || (t.Host == "" && t.BaseURL == "") {
		return instance{}, mine("Keyturn's configuration names no ServiceNow instance for the tenant "+string(id)+".",
			"An operator of Keyturn has to add its host.")
	}
	in := instance{t, id, t.BaseURL}
	if in.base != "" {
		return in, nil
	}
	if !httpx.HostName(t.Host) {
		return instance{}, mine("The ServiceNow instance of the tenant "+string(id)+" is not a host name.",
			"An operator of Keyturn has to enter it like contoso.service-now.com, without https:// and without a path.")
	}
	in.base = "https://" + t.Host
	return in, nil
}

// mine is a failure of Keyturn's own call or configuration: nothing was sent.
func mine(says, fix string) *bot.Failure {
	return &bot.Failure{Kind: bot.KindBadRequest, System: bot.ServiceNow, Says: says, Fix: fix}
}
