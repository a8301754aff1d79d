package teams

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

type meaning struct {
	kind bot.Kind
	says string
	fix  string
}

const (
	fixInstall  = "Install the app for this team or chat: in Teams under Apps, Keyturn, Add to a team or chat."
	fixPersonal = "Install the app for this person: in Teams under Apps, Keyturn, Add; a Teams admin can install it for everybody with a setup policy."
	fixNew      = "Choose another place, or check that it still exists."
)

// meanings says what the Bot Connector's error codes mean for Keyturn. Source:
// Microsoft, "Status codes from bot conversational APIs".
var meanings = map[string]meaning{
	"BotNotInConversationRoster":        {bot.KindGone, "Keyturn is not in this conversation.", fixInstall},
	"ConversationBlockedByUser":         {bot.KindGone, "The person has blocked Keyturn or removed it.", fixPersonal},
	"MessageWritesBlocked":              {bot.KindGone, "The person has blocked Keyturn or removed it.", fixPersonal},
	"ForbiddenOperationException":       {bot.KindGone, "Keyturn is not installed for this person.", fixPersonal},
	"ForbiddenOperation":                {bot.KindGone, "Keyturn is not installed for this person.", fixPersonal},
	"BotDisabledByAdmin":                {bot.KindGone, "A Teams administrator has disabled Keyturn.", "A Teams administrator allows the app in the Teams admin center, and installs the app for those who use it."},
	"InvalidBotApiHost":                 {bot.KindRefused, "This conversation lives in another Microsoft cloud.", "An operator sets the cloud in the configuration."},
	"NotEnoughPermissions":              {bot.KindForbidden, "Teams does not let the app do this.", "Ask a Teams administrator."},
	"BotNotRegistered":                  {bot.KindSignIn, "Microsoft does not know this bot.", "An operator checks the app ID, the secret and that the bot's Teams channel is on."},
	"ConversationNotFound":              {bot.KindNotFound, "The conversation does not exist any more.", fixNew},
	"ActivityNotFoundInConversation":    {bot.KindNotFound, "The message does not exist any more.", ""},
	"MemberNotFoundInConversation":      {bot.KindNotFound, "The person is not in this conversation.", ""},
	"MessageSizeTooBig":                 {bot.KindBadRequest, "The message is too large for Teams.", ""},
	"Throttled":                         {bot.KindThrottled, "Teams asks to slow down.", ""},
	"TooManyRequests":                   {bot.KindThrottled, "Teams asks to slow down.", ""},
	"PreconditionFailed":                {bot.KindUnreachable, "Teams was busy with another message in this conversation.", ""},
	"ServiceError":                      {bot.KindRefused, "Teams had an internal error.", ""},
	"BadArgument":                       {bot.KindBadRequest, "Teams does not accept the message.", ""},
	"Bad Argument":                      {bot.KindBadRequest, "Teams does not accept the message.", ""},
	"BadSyntax":                         {bot.KindBadRequest, "Teams does not accept the message.", ""},
	"ConversationArchived":              {bot.KindGone, "The team is archived.", "Restore it, or choose another channel."},
	"ConversationBlockedByConversation": {bot.KindGone, "The conversation takes no messages of bots.", fixNew},
}

// statuses is what a status means where the code is not known.
var statuses = map[int]meaning{
	http.StatusBadRequest:            {bot.KindBadRequest, "Teams does not accept the message.", ""},
	http.StatusUnauthorized:          {bot.KindSignIn, "Teams does not accept the bot's token.", "An operator checks the bot's app ID, directory and credential."},
	http.StatusForbidden:             {bot.KindForbidden, "Teams does not let the bot do this.", fixInstall},
	http.StatusNotFound:              {bot.KindNotFound, "What this is about does not exist any more.", ""},
	http.StatusRequestEntityTooLarge: {bot.KindBadRequest, "The message is too large for Teams.", ""},
	http.StatusPreconditionFailed:    {bot.KindUnreachable, "Teams was busy with another message in this conversation.", ""},
	http.StatusTooManyRequests:       {bot.KindThrottled, "Teams asks to slow down.", ""},
	http.StatusBadGateway:            {bot.KindUnreachable, "Teams is having trouble.", ""},
	http.StatusServiceUnavailable:    {bot.KindUnreachable, "Teams is having trouble.", ""},
	http.StatusGatewayTimeout:        {bot.KindUnreachable, "Teams is having trouble.", ""},
}

// refusal turns an answer that is no success into a failure.
func refusal(resp *http.Response, body []byte, now time.Time) *bot.Failure {
	var said struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // proxies answer with pages
	f := &bot.Failure{Kind: bot.KindRefused, System: system, Status: resp.StatusCode, Code: httpx.Plain(said.Error.Code, 60),
		Says:      "Teams answered HTTP " + strconv.Itoa(resp.StatusCode) + ".",
		RequestID: httpx.Plain(first(resp.Header.Get("X-Correlating-OperationId"), resp.Header.Get("MS-CV"), httpx.RequestID(resp.Header)), 80)}
	m, ok := meanings[said.Error.Code]
	byStatus, known := statuses[resp.StatusCode]
	if known && (!ok || byStatus.kind == bot.KindThrottled || byStatus.kind == bot.KindUnreachable) {
		m, ok = byStatus, true
	}
	if ok {
		f.Kind, f.Says, f.Fix = m.kind, m.says, m.fix
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		f.Says, f.Fix = "The Bot Connector's address leads elsewhere.", "An operator checks what stands between Keyturn and Microsoft."
	}
	wait, given := httpx.RetryAfter(resp.Header, now)
	if f.Kind == bot.KindThrottled {
		f.RetryAfter = 30 * time.Second
		if given {
			f.RetryAfter = max(wait, time.Second)
		}
	} else if given {
		f.RetryAfter = wait
	}
	if words := httpx.Plain(said.Error.Message, 300); words != "" {
		f.Err = errors.New(words)
	}
	return f
}

// codeOf is the Bot Connector's code inside an error.
func codeOf(err error) string {
	var f *bot.Failure
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}
