package slack

import (
	"net/url"
	"strings"
	"time"

	"keyturn/bot"
)

// inbound is what a verified body was parsed to: a request for the desk, or
// the reason why there is none.
type inbound struct {
	bot.Request
	// Skip says why the body is knowingly ignored; "" means that it is not.
	Skip string
	// Fields are the block IDs of a submitted form's inputs, in order: the
	// only places where Slack shows an error.
	Fields []string
}

// Why something is ignored. The words are metric labels and log fields.
const (
	skipWorkspace   = "the workspace is not configured"
	skipKind        = "a kind that Keyturn does not use"
	skipOther       = "it does not address the bot"
	skipBot         = "a bot said it"
	skipSelf        = "the bot said it itself"
	skipSubtype     = "an edit, a deletion or a system message"
	skipEmpty       = "there are no words in it"
	skipTab         = "not the home tab"
	skipMember      = "it is about another member"
	skipUserTokens  = "only tokens of users were revoked"
	skipClosed      = "a form was closed"
	skipLink        = "a button that opens a page"
	skipNoAction    = "there is no action in it"
	skipNobody      = "it does not say who did it"
	skipRateLimited = "Slack holds events back: the hourly limit is reached"
)

// returnTime is how long a response_url can be used.
// Source: Slack, "Handling user interaction".
const returnTime = 30 * time.Minute

// account is who did something. Users of another workspace keep their own
// team, so that they can never be taken for somebody of this one.
func account(team, userTeam, enterprise, user string) (a bot.Account, guest bool) {
	if userTeam == "" || userTeam == team || userTeam == enterprise {
		return bot.Account{Platform: bot.Slack, Team: team, ID: user}, false
	}
	return bot.Account{Platform: bot.Slack, Team: userTeam, ID: user}, true
}

// place is a channel, or the direct message where the channel is one. The
// place belongs to the workspace that has the app, also for guests.
func place(team, channel, thread, user string) bot.Place {
	p := bot.Place{Platform: bot.Slack, Team: team, Thread: thread}
	if channel == "" || direct(channel) {
		p.User = user
		return p
	}
	p.Channel = channel
	return p
}

// direct reports whether a conversation's ID is that of a direct message.
func direct(channel string) bool { return strings.HasPrefix(channel, "D") }

// back is the way to answer. A URL that is not Slack's is dropped: what is
// posted there is meant for one person.
func (a *Adapter) back(responseURL, trigger string) bot.Return {
	var r bot.Return
	if a.mayAnswerAt(responseURL) {
		r.URL = bot.NewSecret(responseURL)
		r.Expires = a.now().Add(returnTime)
	} else if responseURL != "" {
		a.log.Warn("Slack's request names an address for the answer that is not Slack's, so it is not used")
	}
	r.Trigger = bot.NewSecret(trigger)
	return r
}

// mayAnswerAt reports whether a response_url is Slack's, or on the host that
// the configuration names as Slack's API.
func (a *Adapter) mayAnswerAt(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Host == "" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if host == strings.ToLower(a.api.Hostname()) && u.Scheme == a.api.Scheme {
		return true
	}
	return u.Scheme == "https" && (strings.HasSuffix(host, ".slack.com") || strings.HasSuffix(host, ".slack-gov.com"))
}

// meetDM remembers the channel of a direct message with the bot.
func (a *Adapter) meetDM(team, user, channel string) {
	if !direct(channel) || user == "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dms[team+"/"+user] = channel
}
