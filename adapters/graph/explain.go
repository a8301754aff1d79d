package graph

import (
	"net/http"
	"strings"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// operation is what was asked, as far as an explanation depends on it.
type operation struct {
	method string
	path   string
	write  bool
}

func (o outgoing) operation() operation {
	return operation{method: o.method, path: o.path, write: o.write}
}

// explain says what an answer of Graph means, and nil for a success.
func explain(op operation, reply httpx.Reply, now time.Time) *bot.Failure {
	id := httpx.RequestID(reply.Header)
	base := bot.Failure{System: bot.Graph, Status: reply.Status, RequestID: id}
	if host := reply.Moved(); host != "" {
		return moved(base, httpx.Plain(host, 80))
	}
	if reply.OK() {
		if reply.HTML() {
			return webPage(base)
		}
		return nil
	}
	w := parseError(reply.Body)
	if base.RequestID == "" {
		base.RequestID = httpx.Plain(w.requestID, 80)
	}
	base.Code = httpx.Plain(w.code, 80)
	if d, ok := httpx.RetryAfter(reply.Header, now); ok {
		base.RetryAfter = d
	}
	challenge := reply.Header.Get("WWW-Authenticate")
	f := judge(op, w, reply.Status, challenge)
	f.System, f.Status, f.RequestID, f.Code, f.RetryAfter = base.System, base.Status, base.RequestID, base.Code, base.RetryAfter
	f.Claims = challenged(challenge)
	return &f
}

func moved(f bot.Failure, host string) *bot.Failure {
	f.Kind = bot.KindMalformed
	f.Says = "Microsoft Graph did not answer but pointed to " + host + ", and Keyturn does not follow there."
	f.Fix = "Check the Graph address in Keyturn's configuration, and whether a proxy asks for a sign-in."
	return &f
}

func webPage(f bot.Failure) *bot.Failure {
	f.Kind = bot.KindMalformed
	f.Says = "A web page came back where Microsoft Graph should have answered."
	f.Fix = "A proxy or sign-in page probably stands in between: check the network of Keyturn's server."
	return &f
}

// judge finds the first rule that holds; failing all, the status decides.
func judge(op operation, w wireError, status int, challenge string) bot.Failure {
	switch {
	case status == http.StatusTooManyRequests:
		return throttled()
	case strings.Contains(challenge, "insufficient_claims"):
		return bot.Failure{Kind: bot.KindSignIn, Says: "Microsoft asks for a stronger sign-in before it allows this (Conditional Access).",
			Fix: "Sign in again and complete what it asks for."}
	case status >= 500 && (op.write || len(w.codes) < 2): // of a read, a wrapped error still tells its cause
		return outage(op)
	}
	lower := strings.ToLower(w.message)
	for _, r := range rules {
		if r.holds(w, lower) {
			return r.failure(op, w)
		}
	}
	return byStatus(op, w, status)
}

func throttled() bot.Failure {
	return bot.Failure{Kind: bot.KindThrottled, Says: "Microsoft Graph asks Keyturn to slow down.", Fix: "It is tried again by itself."}
}

func outage(op operation) bot.Failure {
	if op.write {
		return bot.Failure{Kind: bot.KindAmbiguous,
			Says: "Microsoft Graph failed while it worked on this, so it may or may not have taken effect.",
			Fix:  "Keyturn looks what is there before it repeats anything."}
	}
	return bot.Failure{Kind: bot.KindUnreachable, Says: "Microsoft Graph has a fault at the moment.",
		Fix: "It is tried again; https://status.cloud.microsoft tells whether others see it too."}
}

func byStatus(op operation, w wireError, status int) bot.Failure {
	f := bot.Failure{Kind: bot.KindRefused, Says: "Microsoft Graph refused this.", Fix: "Show the code and request ID to an Entra admin; nothing was changed."}
	switch {
	case status == http.StatusUnauthorized:
		f = bot.Failure{Kind: bot.KindSignIn, Says: "Microsoft Graph did not accept the sign-in.", Fix: "Sign in again, then repeat it."}
	case status == http.StatusForbidden:
		f = bot.Failure{Kind: bot.KindForbidden, Says: "Microsoft Graph does not allow this for the account it was asked with.", Fix: needs(op)}
	case status == http.StatusNotFound, status == http.StatusGone:
		f = bot.Failure{Kind: bot.KindNotFound, Says: "Microsoft Graph does not have what was asked for.", Fix: "Check whether it was deleted or renamed."}
	case status == http.StatusConflict, status == http.StatusPreconditionFailed, status == http.StatusLocked:
		f = bot.Failure{Kind: bot.KindConflict, Says: "It exists already, or somebody changed it at the same time.", Fix: "Read it again, then decide."}
	case status == http.StatusRequestTimeout:
		return outage(op)
	case status >= 500:
		return outage(op)
	case status >= 400:
		f = bot.Failure{Kind: bot.KindBadRequest, Says: "Microsoft Graph did not understand the call.", Fix: "Nothing was changed; show the code and request ID to whoever maintains Keyturn."}
	}
	f.Says += quote(w.message)
	return f
}

// quote adds the service's own words where no rule has better ones.
func quote(message string) string {
	if m := httpx.Plain(message, 240); m != "" {
		return " It said: \"" + strings.TrimRight(m, ".") + "\"."
	}
	return ""
}

// needs names the right that a call takes and who can give it, after the
// permissions reference of Microsoft Graph and the Entra roles reference.
func needs(op operation) string {
	path := strings.ToLower(op.path)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(path, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("/approleassign", "/oauth2permissiongrants"):
		return "A Privileged Role Administrator can do this."
	case has("/serviceannouncement/messages"):
		return "A Privileged Role Administrator has to consent to ServiceMessage.Read.All for the health reader."
	case announcement(op.path):
		return "A Privileged Role Administrator has to consent to ServiceHealth.Read.All for the health reader."
	case has("/policies/"):
		return "The permission Policy.Read.All is missing; a Privileged Role Administrator can consent to it."
	case has("/applications", "/serviceprincipals") && op.write:
		return "It takes the role Application Administrator or Cloud Application Administrator; if you hold it in PIM, activate it and sign in again."
	case has("/applications", "/serviceprincipals"):
		return "The permission Application.Read.All is missing, or the role Application Administrator is."
	case has("/users", "/me"):
		return "The permission User.Read.All is missing; a Privileged Role Administrator can consent to it."
	}
	return "An Entra admin can tell which role or permission is missing."
}

func announcement(path string) bool {
	return strings.HasPrefix(strings.ToLower(path), "/admin/serviceannouncement")
}
