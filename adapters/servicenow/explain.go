package servicenow

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// operation is what was asked, as far as an explanation depends on it.
type operation struct {
	method string
	table  string // "" where the path is not the Table API's
	write  bool
}

var tableRoute = regexp.MustCompile(`^/api/now/(?:v[0-9]+/)?table/([A-Za-z0-9_]+)`)

func operationOf(call bot.Call) operation {
	op := operation{method: call.Method, write: call.Write()}
	if m := tableRoute.FindStringSubmatch(call.Path); m != nil {
		op.table = strings.ToLower(m[1])
	}
	return op
}

// subject names what was asked for.
func (op operation) subject() string {
	if op.table == "" {
		return "this"
	}
	return "the table " + op.table
}

// wireError is the Table API's error envelope. Both texts may be null.
type wireError struct {
	message, detail string
	failed          bool // the envelope is there
}

func parseError(body []byte) wireError {
	var w struct {
		Error  json.RawMessage `json:"error"`
		Status string          `json:"status"`
	}
	if json.Unmarshal(body, &w) != nil || len(w.Error) == 0 || string(w.Error) == "null" {
		return wireError{}
	}
	e := wireError{failed: true}
	var in struct {
		Message any `json:"message"`
		Detail  any `json:"detail"`
	}
	if json.Unmarshal(w.Error, &in) == nil {
		e.message, _ = in.Message.(string)
		e.detail, _ = in.Detail.(string)
		return e
	}
	_ = json.Unmarshal(w.Error, &e.message) // {"error": "words"}; anything else stays without words
	return e
}

// explain says what an answer of an instance means, and nil for a success.
func explain(op operation, reply httpx.Reply, now time.Time) *bot.Failure {
	f := judge(op, reply)
	if f == nil {
		return nil
	}
	f.System, f.Status = bot.ServiceNow, reply.Status
	if d, ok := pause(reply.Header, now); ok {
		f.RetryAfter = d
	}
	return f
}

// pause reads Retry-After and, failing that, the time at which ServiceNow's
// rate limit window ends.
func pause(h http.Header, now time.Time) (time.Duration, bool) {
	if d, ok := httpx.RetryAfter(h, now); ok {
		return d, true
	}
	s, err := strconv.ParseInt(strings.TrimSpace(h.Get("X-RateLimit-Reset")), 10, 64)
	if err != nil {
		return 0, false
	}
	return min(max(time.Unix(s, 0).Sub(now), 0), 24*time.Hour), true
}

func judge(op operation, reply httpx.Reply) *bot.Failure {
	if host := reply.Moved(); host != "" {
		f := asleep("The instance did not answer but pointed to " + httpx.Plain(host, 80) + ", as it does before a sign-in page.")
		if op.write {
			f.Kind = bot.KindRefused
		}
		return f
	}
	if reply.HTML() && (reply.OK() || reply.Status >= 500) {
		f := asleep("The instance answered with a web page: it may be asleep, under maintenance, or behind a sign-in page.")
		if op.write {
			// A gateway's page does not tell how far the call came.
			f.Kind = bot.KindAmbiguous
		}
		return f
	}
	w := parseError(reply.Body)
	if reply.OK() {
		if w.failed {
			return halfDone(op, w)
		}
		return nil
	}
	lower := strings.ToLower(w.message + " " + w.detail)
	switch reply.Status {
	case http.StatusUnauthorized:
		return &bot.Failure{Kind: bot.KindSignIn, Code: code(w), Says: "ServiceNow did not accept the sign-in.",
			Fix: "Sign in again; if it stays, the OAuth client, its user, or a rule against Basic authentication stands in the way."}
	case http.StatusForbidden:
		return forbidden(op, w, lower)
	case http.StatusNotFound:
		return missing(op, w)
	case http.StatusTooManyRequests:
		return &bot.Failure{Kind: bot.KindThrottled, Code: code(w), Says: "ServiceNow's rate limit for this user is used up." + quote(w.detail),
			Fix: "It is tried again by itself; a ServiceNow admin can raise the limit in sys_rate_limit_rules."}
	case http.StatusConflict, http.StatusPreconditionFailed:
		return &bot.Failure{Kind: bot.KindConflict, Code: code(w), Says: "The record exists already, or somebody changed it at the same time.", Fix: "Read it again, then decide."}
	}
	if reply.Status >= 500 || reply.Status == http.StatusRequestTimeout {
		return outage(op, w)
	}
	if strings.Contains(lower, "invalid table") || strings.Contains(lower, "does not exist") && strings.Contains(lower, "table") {
		return &bot.Failure{Kind: bot.KindNotFound, Code: code(w), Says: "This instance does not have " + op.subject() + ".",
			Fix: "Check whether the application or plugin that brings it is installed."}
	}
	return &bot.Failure{Kind: bot.KindBadRequest, Code: code(w), Says: "ServiceNow did not understand the call." + quote(words(w)),
		Fix: "Nothing was changed; show this to whoever maintains Keyturn."}
}

func asleep(says string) *bot.Failure {
	return &bot.Failure{Kind: bot.KindUnreachable, Says: says,
		Fix: "Open the instance in a browser and wake it if it sleeps; if a sign-in page stays, a ServiceNow admin has to let the API through."}
}

// halfDone is a success status with an error envelope: the instance cancelled
// the transaction on its way.
func halfDone(op operation, w wireError) *bot.Failure {
	f := outage(op, w)
	f.Says = "ServiceNow broke the call off before it was finished." + quote(words(w))
	return f
}

func outage(op operation, w wireError) *bot.Failure {
	if op.write {
		return &bot.Failure{Kind: bot.KindAmbiguous, Code: code(w),
			Says: "ServiceNow failed while it worked on this, so it may or may not have taken effect.",
			Fix:  "Keyturn looks what is there before it repeats anything."}
	}
	return &bot.Failure{Kind: bot.KindUnreachable, Code: code(w), Says: "ServiceNow has a fault at the moment.",
		Fix: "It is tried again; if it stays, ask whoever looks after the instance."}
}

func forbidden(op operation, w wireError, lower string) *bot.Failure {
	f := &bot.Failure{Kind: bot.KindForbidden, Code: code(w), Fix: needs(op)}
	switch {
	case strings.Contains(lower, "unique key violation"), strings.Contains(lower, "duplicate entry"):
		f.Kind = bot.KindConflict
		f.Says = "Another record of " + op.subject() + " has the same name or key." + quote(w.detail)
		f.Fix = "Look at that record: rename or delete it if it is a leftover, then try again. Nothing was changed."
	case strings.Contains(lower, "business rule"), strings.Contains(lower, "data policy"), strings.Contains(lower, "mandatory"):
		f.Kind = bot.KindRefused
		f.Says = "A rule of this instance refused the change to " + op.subject() + "." + quote(w.detail)
		f.Fix = "A ServiceNow admin can tell what the rule wants; nothing was changed."
	case strings.Contains(lower, "field(s) present in the query"):
		f.Says = "ServiceNow does not let this account search " + op.subject() + " by one of the columns, or the column does not exist."
	case op.write:
		f.Says = "ServiceNow does not let this account change " + op.subject() + "." + quote(w.detail)
	default:
		f.Says = "ServiceNow does not let this account read " + op.subject() + "." + quote(w.detail)
	}
	return f
}

func missing(op operation, w wireError) *bot.Failure {
	f := &bot.Failure{Kind: bot.KindNotFound, Code: code(w),
		Says: "ServiceNow has no such record in " + op.subject() + ", or hides it from this account.",
		Fix:  "If the record should be there: " + lowerFirst(needs(op))}
	if op.table == "" {
		f.Says = "ServiceNow has nothing at this address, or hides it from this account."
		f.Fix = "Check whether the application that brings it is installed."
	}
	return f
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// needs names the role that a table takes, after ServiceNow's documentation of
// its base system.
func needs(op operation) string {
	t := op.table
	switch {
	case strings.HasPrefix(t, "oauth_"):
		return "It takes the role oauth_admin; a ServiceNow admin can give it."
	case t == "sys_user_has_role", t == "sys_user", t == "sys_user_role", t == "sys_user_group", t == "sys_user_grmember", t == "sys_group_has_role":
		return "It takes the role user_admin, or admin."
	case t == "sys_db_object", t == "sys_properties", t == "sys_scope_privilege", t == "sys_store_app", t == "sys_scope", t == "sys_app",
		t == "sys_plugins", t == "v_plugin", t == "sys_choice", t == "sys_user_preference", t == "syslog", t == "sys_outbound_http_log", t == "sys_security_acl":
		return "It takes the role admin; where ACLs are hardened also security_admin, which only a person can elevate to."
	case t == "incident", t == "task":
		return "It takes the role itil, or whichever role this instance asks for on incidents."
	}
	return "A ServiceNow admin can tell which role is missing."
}

// explainToken says what an answer of the token endpoint means, and nil for a
// success.
func explainToken(reply httpx.Reply, now time.Time) *bot.Failure {
	f := judgeToken(reply)
	if f == nil {
		return nil
	}
	f.System, f.Status = bot.ServiceNow, reply.Status
	if d, ok := pause(reply.Header, now); ok {
		f.RetryAfter = d
	}
	return f
}

func judgeToken(reply httpx.Reply) *bot.Failure {
	switch {
	case reply.HTML() && !reply.OK() && reply.Status < 500 && reply.Moved() == "":
		return &bot.Failure{Kind: bot.KindSignIn, Says: "This instance has no token endpoint at its usual address.",
			Fix: "Check the host, and that the plugin OAuth 2.0 (com.snc.platform.security.oauth) is active."}
	case reply.HTML(), reply.Moved() != "", reply.Status >= 500, reply.Status == http.StatusTooManyRequests:
		return judge(operation{method: http.MethodPost}, reply) // asking for a token is no write
	}
	var e struct {
		Error       any `json:"error"`
		Description any `json:"error_description"`
	}
	readable := json.Unmarshal(reply.Body, &e) == nil
	if reply.OK() && (!readable || e.Error == nil) {
		return nil
	}
	name, _ := e.Error.(string)
	description, _ := e.Description.(string)
	f := &bot.Failure{Kind: bot.KindSignIn, Code: httpx.Plain(name, 60), Says: "ServiceNow gives no token for this client." + quote(description)}
	switch {
	case name == "unsupported_grant_type", strings.Contains(strings.ToLower(description), "not enabled on this instance"):
		f.Fix = "A ServiceNow admin has to create the property glide.oauth.inbound.client.credential.grant_type.enabled with the value true."
	case name == "invalid_request":
		f.Kind, f.Fix = bot.KindBadRequest, "Check the client ID and the grant type in the Application Registry."
	default:
		f.Fix = "Check the client ID and secret, that the registry entry is active and has an OAuth Application User, and that the client credentials grant is allowed."
	}
	return f
}

// code is ServiceNow's own message, the nearest thing it has to a code.
func code(w wireError) string { return httpx.Plain(w.message, 80) }

func words(w wireError) string {
	if w.detail != "" {
		return w.detail
	}
	return w.message
}

func quote(message string) string {
	if m := httpx.Plain(message, 240); m != "" {
		return " It said: \"" + strings.TrimRight(m, ".") + "\"."
	}
	return ""
}
