package graph

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// signInError is the error answer of a token endpoint. Microsoft's page on
// error codes asks programs to act on error; the number in the description is
// for people, and only chooses the words here wherever the two agree.
type signInError struct {
	Error       string          `json:"error"`
	Description string          `json:"error_description"`
	Codes       json.RawMessage `json:"error_codes"`
	Trace       string          `json:"trace_id"`
	Correlation string          `json:"correlation_id"`
	SubError    string          `json:"suberror"`
	Claims      string          `json:"claims"`
}

var aadsts = regexp.MustCompile(`AADSTS([0-9]{4,9})`)

// number is the AADSTS number, or 0.
func (e signInError) number() int {
	var codes []json.Number
	if json.Unmarshal(e.Codes, &codes) == nil && len(codes) > 0 {
		if n, err := strconv.Atoi(codes[0].String()); err == nil {
			return n
		}
	}
	if m := aadsts.FindStringSubmatch(e.Description); m != nil {
		n, _ := strconv.Atoi(m[1]) // at most nine digits
		return n
	}
	return 0
}

// explainSignIn says what an answer of the sign-in service means, and nil for
// a success.
func explainSignIn(reply httpx.Reply, now time.Time) *bot.Failure {
	base := bot.Failure{System: bot.Login, Status: reply.Status, RequestID: httpx.RequestID(reply.Header)}
	if host := reply.Moved(); host != "" {
		f := oddPage(reply)
		f.Says = "Microsoft sign-in did not answer but pointed to " + httpx.Plain(host, 80) + ", and Keyturn does not follow there."
		return f
	}
	if reply.OK() {
		if reply.HTML() {
			return oddPage(reply)
		}
		return nil
	}
	var e signInError
	if json.Unmarshal(reply.Body, &e) != nil {
		e = signInError{}
	}
	if e.Trace != "" {
		base.RequestID = httpx.Plain(e.Trace, 80)
	}
	if d, ok := httpx.RetryAfter(reply.Header, now); ok {
		base.RetryAfter = d
	}
	f := judgeSignIn(e, reply.Status)
	f.System, f.Status, f.RequestID, f.RetryAfter = base.System, base.Status, base.RequestID, base.RetryAfter
	f.Claims = claimsRequest([]byte(e.Claims))
	f.Code = httpx.Plain(e.Error, 60)
	if n := e.number(); n != 0 {
		f.Code = "AADSTS" + strconv.Itoa(n)
	}
	return &f
}

func judgeSignIn(e signInError, status int) bot.Failure {
	if f, ok := numbers[e.number()]; ok {
		return f
	}
	if status == 429 {
		return bot.Failure{Kind: bot.KindThrottled, Says: "Microsoft sign-in asks Keyturn to slow down.", Fix: "It is tried again by itself."}
	}
	if f, ok := grants[strings.ToLower(e.Error)]; ok {
		f.Says += quote(firstSentence(e.Description))
		return f
	}
	if status >= 500 || e.Error == "" && status == 408 {
		return grants["server_error"]
	}
	return bot.Failure{Kind: bot.KindSignIn, Says: "Microsoft sign-in refused this." + quote(firstSentence(e.Description)),
		Fix: "Show the code to an Entra admin; https://login.microsoftonline.com/error explains it."}
}

// firstSentence is the description without its number and without the trace
// lines, which begin on a line of their own or, since 2024, after a blank.
func firstSentence(d string) string {
	for _, mark := range []string{"\r", "\n", "Trace ID:"} {
		if i := strings.Index(d, mark); i >= 0 {
			d = d[:i]
		}
	}
	if m := aadsts.FindStringIndex(d); m != nil && m[0] == 0 {
		d = strings.TrimPrefix(d[m[1]:], ":")
	}
	return strings.TrimSpace(d)
}

const (
	askEntra   = "Ask the Entra admin."
	askConsent = "A Privileged Role Administrator has to open the consent page and accept."
)

// grants explains the error values of RFC 6749, RFC 8628 and Microsoft's own.
var grants = map[string]bot.Failure{
	"invalid_client":          {Kind: bot.KindSignIn, Says: "Microsoft did not accept the application's credential.", Fix: "Check the client ID and the secret or certificate."},
	"invalid_grant":           {Kind: bot.KindSignIn, Says: "Microsoft did not accept the sign-in.", Fix: "Sign in again."},
	"unauthorized_client":     {Kind: bot.KindSignIn, Says: "The application may not sign in like this.", Fix: askEntra},
	"invalid_request":         {Kind: bot.KindBadRequest, Says: "Microsoft sign-in did not understand the request.", Fix: "Check the token URL and the grant type."},
	"invalid_scope":           {Kind: bot.KindBadRequest, Says: "The scope that was asked for is not valid.", Fix: "Check the scope of the OAuth profile."},
	"invalid_resource":        {Kind: bot.KindBadRequest, Says: "The resource that was asked for is not known in this tenant.", Fix: "Check the resource or scope of the OAuth profile."},
	"invalid_target":          {Kind: bot.KindBadRequest, Says: "The resource that was asked for is not known in this tenant.", Fix: "Check the resource or scope of the OAuth profile."},
	"invalid_tenant":          {Kind: bot.KindNotFound, Says: "Microsoft does not know this tenant.", Fix: "Check the tenant name in the token URL."},
	"unsupported_grant_type":  {Kind: bot.KindBadRequest, Says: "The grant type is not supported here.", Fix: "The OAuth profile needs the grant type Client Credentials."},
	"interaction_required":    {Kind: bot.KindSignIn, Says: "Microsoft wants the person to sign in again.", Fix: "Sign in again and complete what it asks for."},
	"login_required":          {Kind: bot.KindSignIn, Says: "Microsoft wants the person to sign in again.", Fix: "Sign in again."},
	"consent_required":        {Kind: bot.KindForbidden, Says: "Nobody has consented to this application yet.", Fix: askConsent},
	"access_denied":           {Kind: bot.KindForbidden, Says: "Access was refused.", Fix: askEntra},
	"authorization_pending":   {Kind: bot.KindSignIn, Says: "The sign-in is not finished yet.", Fix: "Finish it in the browser."},
	"slow_down":               {Kind: bot.KindThrottled, Says: "Microsoft sign-in asks Keyturn to slow down.", Fix: "It is tried again by itself."},
	"authorization_declined":  {Kind: bot.KindSignIn, Says: "The sign-in was declined.", Fix: "Start it again if that was a mistake."},
	"bad_verification_code":   {Kind: bot.KindSignIn, Says: "The sign-in code is not known.", Fix: "Start the sign-in again."},
	"expired_token":           {Kind: bot.KindSignIn, Says: "The sign-in took too long.", Fix: "Start it again."},
	"temporarily_unavailable": {Kind: bot.KindUnreachable, Says: "Microsoft sign-in is not available at the moment.", Fix: "It is tried again by itself."},
	"server_error":            {Kind: bot.KindUnreachable, Says: "Microsoft sign-in has a fault at the moment.", Fix: "It is tried again; https://status.cloud.microsoft tells whether others see it too."},
}
