package slack

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// DefaultAPIURL is where Slack's Web API is.
const DefaultAPIURL = "https://slack.com/api/"

// Config is what an [Adapter] needs.
type Config struct {
	// SigningSecret is the app's signing secret. Without one every request
	// from Slack is refused.
	SigningSecret bot.Secret
	// AppToken is the app-level token (xapp-…) of Socket Mode: with it
	// [Adapter.Connect] fetches Slack's requests over connections that Keyturn
	// opens, and Slack sends none to the [Adapter.Handler].
	AppToken bot.Secret
	// Network is how the connections of Socket Mode leave this machine.
	Network httpx.Network
	// Workspaces holds the bot token of each workspace, by team ID. With an
	// org-wide install list each workspace with the org's token. Requests of
	// other workspaces are answered but go no further.
	Workspaces map[string]bot.Secret
	// APIURL is the Web API's base; "" is [DefaultAPIURL].
	APIURL string
	// HTTP makes the calls; nil is a client with a ten second time-out. Its
	// redirect policy is replaced: none is followed.
	HTTP *http.Client
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Desk decides. It may be nil for an adapter that only sends.
	Desk bot.Desk
	// Log takes what an operator should know; nil is slog.Default.
	Log *slog.Logger
	// FormTime is how long opening a form may take; 0 is two seconds of the
	// three that a trigger lives.
	FormTime time.Duration
	// Command is the slash command's name; "" is "/keyturn".
	Command string
	// Count, where set, is told of every request that came in: what it was
	// ("command", "click", "form", "event") and what became of it ("handled",
	// "failed", or why it was ignored). For metrics.
	Count func(what, outcome string)
}

// Adapter is one Slack app in any number of workspaces. It is safe for
// concurrent use.
type Adapter struct {
	secret   bot.Secret
	app      bot.Secret
	network  httpx.Network
	clients  map[string]*slack.Client
	http     *http.Client
	api      *url.URL
	now      func() time.Time
	desk     bot.Desk
	log      *slog.Logger
	command  string
	forms    time.Duration // that opening one may take
	count    func(what, outcome string)
	lines    atomic.Int32 // connections of Socket Mode that are open
	refusals bot.Refusals

	mu    sync.Mutex
	known map[string]Identity // team ID -> who the bot is there
	asked map[string]time.Time
	dms   map[string]string // team ID + "/" + user ID -> channel ID
	shown map[string]upload // team ID + "/" + picture -> its file
}

// New makes an adapter. It calls nobody.
func New(c Config) *Adapter {
	a := &Adapter{
		secret:  c.SigningSecret,
		app:     c.AppToken,
		network: c.Network,
		clients: make(map[string]*slack.Client, len(c.Workspaces)),
		now:     c.Now,
		log:     c.Log,
		command: c.Command,
		forms:   c.FormTime,
		count:   c.Count,
		known:   map[string]Identity{},
		asked:   map[string]time.Time{},
		dms:     map[string]string{},
		shown:   map[string]upload{},
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	a.desk = bot.Guard(c.Desk, deskTime, a.log)
	if a.forms == 0 {
		a.forms = formTime
	}
	if a.command == "" {
		a.command = "/keyturn"
	}
	if a.count == nil {
		a.count = func(string, string) {}
	}
	a.http = withoutRedirects(c.HTTP)
	base := c.APIURL
	if base == "" {
		base = DefaultAPIURL
	}
	if !strings.HasSuffix(base, "/") {
		base += "/"
	}
	if u, err := url.Parse(base); err == nil {
		a.api = u
	} else {
		a.api = &url.URL{}
	}
	for team, token := range c.Workspaces {
		a.clients[team] = slack.New(token.Reveal(),
			slack.OptionAPIURL(base),
			slack.OptionHTTPClient(doer{http: a.http, token: token}))
	}
	return a
}

// Guest asks Slack whether somebody is a guest of the workspace, or of another
// one: its requests do not say so.
func (a *Adapter) Guest(ctx context.Context, who bot.Account) (bool, error) {
	api, err := a.client(who.Team)
	if err != nil {
		return false, err
	}
	u, err := api.GetUserInfoContext(ctx, who.ID)
	if err != nil {
		return false, failure(err)
	}
	return u.IsRestricted || u.IsUltraRestricted || u.IsStranger, nil
}

// Platform is [bot.Slack].
func (a *Adapter) Platform() bot.Platform { return bot.Slack }

// Identity is who the bot is in a workspace.
type Identity struct {
	Team string // team ID
	Name string // the workspace's name
	URL  string // https://contoso.slack.com/
	User string // the bot's own user ID
	Bot  string // the bot's bot ID, which its messages carry
}

// Identify asks Slack who the bot is in a workspace (auth.test), which also
// proves its token.
func (a *Adapter) Identify(ctx context.Context, team string) (Identity, error) {
	api, err := a.client(team)
	if err != nil {
		return Identity{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	r, err := api.AuthTestContext(ctx)
	if err != nil {
		return Identity{}, failure(err)
	}
	id := Identity{Team: team, Name: r.Team, URL: r.URL, User: r.UserID, Bot: r.BotID}
	a.mu.Lock()
	a.known[team] = id
	a.mu.Unlock()
	return id, nil
}

// identity is who the bot is as far as that is known; it calls nobody.
func (a *Adapter) identity(team string) Identity {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.known[team]
}

// meet finds out who the bot is, once, and no oftener than every five minutes
// where Slack does not say. Sending does not depend on it.
func (a *Adapter) meet(ctx context.Context, team string) {
	a.mu.Lock()
	last, asked := a.asked[team]
	stale := a.known[team].URL == "" && (!asked || a.now().Sub(last) > 5*time.Minute)
	if stale {
		a.asked[team] = a.now()
	}
	a.mu.Unlock()
	if !stale {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTime/4)
	defer cancel()
	if _, err := a.Identify(ctx, team); err != nil {
		a.log.Warn("Slack did not say who the bot is, so messages go without a link to them",
			"team", team, "error", err)
	}
}

// learn keeps the bot's user ID that a verified event named.
func (a *Adapter) learn(team, user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := a.known[team]
	if id.User == "" {
		id.Team, id.User = team, user
		a.known[team] = id
	}
}

// knows reports whether there is a token for a workspace.
func (a *Adapter) knows(team string) bool { _, ok := a.clients[team]; return ok }

func (a *Adapter) client(team string) (*slack.Client, error) {
	if c, ok := a.clients[team]; ok {
		return c, nil
	}
	return nil, &bot.Failure{
		Kind: bot.KindUninstalled, System: system,
		Says: "Keyturn has no bot token for the Slack workspace " + bot.Quote(team) + ".",
		Fix:  "Install the app there and add its token to the configuration.",
	}
}

func withoutRedirects(c *http.Client) *http.Client {
	own := http.Client{Timeout: callTime}
	if c != nil {
		own = *c
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}
