package teams

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/infracloudio/msbotbuilder-go/connector/auth"
	"github.com/infracloudio/msbotbuilder-go/core"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// system names Teams in failures.
const system bot.System = "Microsoft Teams"

// Config is what an [Adapter] needs.
type Config struct {
	// AppID is the bot's application (client) ID. Without one nothing starts:
	// it is what Microsoft's tokens are checked against.
	AppID string
	// Directory is the Entra tenant that the app registration is in. Bots of
	// one tenant get their tokens there; "botframework.com" is for the
	// multi-tenant bots of before August 2025.
	Directory  string
	Credential Credential
	// Tenants are the Entra tenants whose conversations are served. Requests
	// of others are refused.
	Tenants []string

	// Cloud is Microsoft's cloud; what it leaves empty is [Public]'s.
	Cloud Cloud
	// ServiceHosts are more hosts that may be the Bot Connector (host or
	// host:port), for clouds that name one per tenant and for simulators.
	// Plain http is only spoken to this machine.
	ServiceHosts []string

	// HTTP makes the calls; nil is a client with a fifteen second time-out.
	// Its redirect policy is replaced: none is followed.
	HTTP *http.Client
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Desk decides. It may be nil for an adapter that only sends.
	Desk bot.Desk
	// Memory keeps where conversations and people are; nil forgets with the
	// process.
	Memory Memory
	// OpensForm, where set, says that an action is answered with a form. Its
	// buttons then open a dialog; without it forms are drawn in place of the
	// card, for the person who clicked.
	OpensForm func(action string) bool
	// Targeted sends private answers in channels as messages that only one
	// member sees, a feature that Microsoft had in preview until 2026. Without
	// it they go to the person's chat with the bot, and the channel says so.
	Targeted bool
	// Pictures gives pictures an address; without it their words are shown.
	Pictures Pictures
	// Log takes what an operator should know; nil is slog.Default.
	Log *slog.Logger
	// Count, where set, is told of every request that came in: what it was and
	// what became of it. For metrics.
	Count func(what, outcome string)
}

// Adapter is one Teams bot. It is safe for concurrent use.
type Adapter struct {
	appID    string
	tenants  []string
	cloud    Cloud
	hosts    pins
	shell    core.BotFrameworkAdapter // its client is set for each operation
	valid    *validator
	tokens   *login
	http     *http.Client
	now      func() time.Time
	desk     bot.Desk
	memory   Memory
	pictures Pictures
	dialog   func(action string) bool
	targeted bool
	log      *slog.Logger
	count    func(what, outcome string)
	refusals bot.Refusals

	learning sync.Mutex
	joined   lately // places that the bot was added to
	pointed  lately // where it was said that an answer is in the chat, and to whom
	unnamed  lately // teams that were asked what their channels are called

	mu    sync.Mutex
	cards map[string]json.RawMessage // what was last sent, by conversation and message
	order []string
	told  []string // deliveries whose words to everybody were said
}

var guid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// New makes an adapter. It calls nobody, and fails with a sentence for the
// operator where a bot could not be run safely.
func New(c Config) (*Adapter, error) {
	if !guid.MatchString(c.AppID) {
		return nil, fmt.Errorf("the Teams bot needs its app ID (a GUID, such as 00000000-0000-4000-8000-000000000000): %q is none, and without it nobody's token could be checked", c.AppID)
	}
	if len(c.Tenants) == 0 {
		return nil, errors.New("the Teams bot needs at least one tenant ID that it serves: without one every request would be refused")
	}
	for _, t := range c.Tenants {
		if !guid.MatchString(t) {
			return nil, fmt.Errorf("%q is no Entra tenant ID: it is a GUID, to be found in the Entra admin center under Overview", t)
		}
	}
	cloud := c.Cloud.with(Public)
	for what, address := range map[string]string{"sign-in service": cloud.LoginURL, "OpenID metadata": cloud.OpenIDURL, "Bot Connector": cloud.Service} {
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && !httpx.Loopback(address)) {
			return nil, fmt.Errorf("the address of the %s, %s, has to begin with https://", what, httpx.RedactString(address))
		}
	}
	a := &Adapter{
		appID: strings.ToLower(c.AppID), cloud: cloud, hosts: pins{cloud: cloud.Hosts, named: slices.Clone(c.ServiceHosts)},
		http: calm(c.HTTP), now: c.Now, memory: c.Memory, pictures: c.Pictures, dialog: c.OpensForm, targeted: c.Targeted,
		log: c.Log, count: c.Count, cards: map[string]json.RawMessage{},
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	a.desk = bot.Guard(c.Desk, deskTime, a.log)
	if a.memory == nil {
		a.memory = NewMemory()
	}
	if a.count == nil {
		a.count = func(string, string) {}
	}
	for _, t := range c.Tenants {
		a.tenants = append(a.tenants, strings.ToLower(t))
	}
	var err error
	if a.tokens, err = newLogin(c, cloud, a.http, a.now); err != nil {
		return nil, err
	}
	a.valid = &validator{appID: c.AppID, issuer: cloud.Issuer, now: a.now, hosts: a.hosts,
		keys: &keyring{address: cloud.OpenIDURL, issuer: cloud.Issuer, http: a.http, now: a.now, log: a.log}}
	a.shell = core.BotFrameworkAdapter{
		AdapterSetting: core.AdapterSetting{AppID: c.AppID, ChannelService: cloud.Issuer, OpenIDMetadata: cloud.OpenIDURL,
			CredentialProvider: auth.SimpleCredentialProvider{AppID: c.AppID}},
		TokenValidator: a.valid,
	}
	return a, nil
}

// Platform is [bot.Teams].
func (a *Adapter) Platform() bot.Platform { return bot.Teams }

// serves reports whether a tenant is configured.
func (a *Adapter) serves(tenant string) bool {
	return tenant != "" && slices.Contains(a.tenants, strings.ToLower(tenant))
}

// botID is what Teams calls the bot in conversations.
func (a *Adapter) botID() string { return "28:" + a.appID }

// calm is a client that follows no redirect.
func calm(c *http.Client) *http.Client {
	own := http.Client{Timeout: callTime}
	if c != nil {
		own = *c
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// maxCards is how many sent cards are remembered, so that a person who opened
// a form in place of one gets back to it.
const maxCards = 200

func (a *Adapter) keepCard(tenant, conversation, id string, card element) {
	if id == "" {
		return
	}
	key := tenant + "/" + conversation + "/" + id
	kept := bytes.Clone(encode(card)) // a tree of it takes several times as much, in small pieces
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.cards[key]; !known {
		a.order = append(a.order, key)
	}
	a.cards[key] = kept
	for len(a.order) > maxCards {
		delete(a.cards, a.order[0])
		a.order = a.order[1:]
	}
}

func (a *Adapter) card(tenant, conversation, id string) (json.RawMessage, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.cards[tenant+"/"+conversation+"/"+id]
	return c, ok
}
