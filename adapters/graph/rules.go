package graph

import (
	"net/http"
	"slices"
	"strings"

	"keyturn/bot"
)

// rule explains one family of Graph errors. It holds where one of its codes
// and one of its message parts are there; an empty list is satisfied.
type rule struct {
	codes []string
	parts []string // lower case
	kind  bot.Kind
	says  string
	fix   string // "" is what the call needs
	quote bool   // adds the service's own words
}

func (r rule) holds(w wireError, lower string) bool {
	if len(r.codes) > 0 && !w.has(r.codes...) {
		return false
	}
	return len(r.parts) == 0 || slices.ContainsFunc(r.parts, func(p string) bool { return strings.Contains(lower, p) })
}

func (r rule) failure(op operation, w wireError) bot.Failure {
	f := bot.Failure{Kind: r.kind, Says: r.says, Fix: r.fix}
	if f.Fix == "" {
		f.Fix = needs(op)
	}
	if r.quote {
		f.Says += quote(w.message)
	}
	return f
}

// localTenant is in the 403 that creating a service principal answers shortly
// after its application was made.
const (
	localTenant     = "in the local tenant"
	saysLocalTenant = "Microsoft does not find the application in this tenant, which is usual shortly after it was made."
)

// What app management policies say about credentials. Microsoft documents
// neither the status nor the codes of these refusals, so the words decide too.
const (
	saysNoSecret = "A policy of the organisation does not allow this kind of credential on applications."
	fixNoSecret  = "An Entra admin can exempt this one application with an app management policy; a certificate may be allowed where a secret is not."
	saysTooLong  = "A policy of the organisation does not let a credential live this long."
	fixTooLong   = "With Policy.Read.All consented Keyturn reads the limit and keeps to it, then try again. Otherwise an Entra admin can make the credential by hand with a shorter life, or exempt the application."
)

// rules are tried in order: what only the message tells comes before the
// codes that many errors share.
var rules = []rule{
	{codes: []string{"CredentialLifetimeExceedsMaxValueAsPerAppPolicy", "CredentialInvalidLifetimeAsPerAppPolicy"}, kind: bot.KindPolicy, says: saysTooLong, fix: fixTooLong},
	{parts: []string{"lifetime exceeds the maximum", "lifetime exceeds max"}, kind: bot.KindPolicy, says: saysTooLong, fix: fixTooLong},
	{parts: []string{"credential type not allowed", "per assigned policy"}, kind: bot.KindPolicy, says: saysNoSecret, fix: fixNoSecret},
	{codes: []string{"CredentialTypeNotAllowedAsPerAppPolicy"}, kind: bot.KindPolicy, says: saysNoSecret, fix: fixNoSecret},
	{parts: []string{"role is not active", "role not active", "activate the role", "activate your role", "eligible but"}, kind: bot.KindInactive,
		says: "The role for this is held but not active now.", fix: "Activate it in Privileged Identity Management, then sign in again."},
	{codes: []string{"NoBackingApplicationObject"}, kind: bot.KindNotFound,
		says: "Microsoft does not know the application everywhere yet; it was made only moments ago.", fix: "Try again in a minute."},
	{parts: []string{localTenant}, kind: bot.KindForbidden,
		says: saysLocalTenant,
		fix:  "Try again in a minute; if it stays, the role Application Administrator is missing."},
	{parts: []string{"permission being assigned already exists"}, kind: bot.KindConflict,
		says: "This permission is granted already.", fix: "Nothing has to be done."},
	{codes: []string{"RoleAssignmentExists"}, kind: bot.KindConflict, says: "This role is assigned already.", fix: "Nothing has to be done."},
	{codes: []string{"DuplicateValue"}, kind: bot.KindBadRequest,
		says: "The call named the same value twice in one list.", fix: "Nothing was changed; remove the duplicate and plan the step again."},
	{parts: []string{"property uniquename already exists"}, kind: bot.KindConflict,
		says: "The unique name of this registration is taken, and no registration that can be read has it: a deleted one keeps it for 30 days.",
		fix:  "An Entra admin can restore it or delete it for good under App registrations > Deleted applications, then try again."},
	{codes: []string{"ObjectConflict", "Request_MultipleObjectsWithSameKeyValue", "409", "Conflict", "NameAlreadyExists", "nameAlreadyExists"}, kind: bot.KindConflict,
		says: "Something with the same name or ID exists already.", fix: "Look at what is there, then go on with it or choose another name."},
	{parts: []string{"already exists", "already in use", "conflicting object"}, kind: bot.KindConflict,
		says: "Something with the same name or ID exists already.", fix: "Look at what is there, then go on with it or choose another name."},
	{codes: []string{"Directory_ConcurrencyViolation", "PreconditionFailed", "Request_PreconditionFailed"}, kind: bot.KindConflict,
		says: "Somebody changed this at the same moment.", fix: "Read it again, then decide."},
	{parts: []string{"doesn't exist for the tenant", "does not exist for the tenant"}, kind: bot.KindNotFound,
		says: "Microsoft has published nothing under this ID for this tenant.", fix: "Check the ID; old entries disappear after about a month."},
	{codes: []string{"RoleAssignmentDoesNotExist"}, kind: bot.KindNotFound, says: "This role is not assigned to that account.", fix: "A Privileged Role Administrator can assign it."},
	{codes: []string{"Directory_ObjectNotFound"}, kind: bot.KindNotFound,
		says: "The directory does not have this object.", fix: "If it was made moments ago, try again in a minute; otherwise check the tenant and whether it was deleted.", quote: true},
	{codes: []string{"Request_ResourceNotFound"}, kind: bot.KindNotFound,
		says: "The directory does not have this object, or does not know it everywhere yet.", fix: "If it was made moments ago, try again in a minute; otherwise check whether it was deleted."},
	{codes: []string{"ResourceNotFound", "NotFound", "itemNotFound", "ErrorItemNotFound", "404"}, kind: bot.KindNotFound,
		says: "Microsoft Graph does not have what was asked for.", fix: "Check whether it was deleted or renamed.", quote: true},
	{codes: []string{"InvalidAuthenticationToken", "Authentication_ExpiredToken", "AuthenticationError", "CompactToken", "TokenExpired"}, kind: bot.KindSignIn,
		says: "The sign-in for this call has expired or is not valid for Microsoft Graph.", fix: "Sign in again, then repeat it."},
	{codes: []string{"MissingCredentials", "Authentication_MissingOrMalformed"}, kind: bot.KindSignIn,
		says: "The call reached Microsoft Graph without a sign-in.", fix: "Sign in again; if it stays, a proxy may remove the Authorization header."},
	{codes: []string{"Authorization_IdentityNotFound", "Authentication_Unauthorized", "Unauthorized", "unauthenticated"}, kind: bot.KindSignIn,
		says: "Microsoft Graph does not know the account or application that asked.", fix: "Check that it exists in this tenant and is enabled, then sign in again."},
	{codes: []string{"Authorization_RequestDenied"}, kind: bot.KindForbidden, says: "A role or permission for this is missing."},
	{codes: []string{"accessDenied", "Forbidden", "403", "ErrorAccessDenied", "Authorization_RequestDenied_NoPermission"}, kind: bot.KindForbidden,
		says: "Microsoft Graph does not allow this for the account it was asked with.", quote: true},
	{codes: []string{"TooManyRequests", "activityLimitReached", "Request_ThrottledTemporarily", "429"}, kind: bot.KindThrottled,
		says: "Microsoft Graph asks Keyturn to slow down.", fix: "It is tried again by itself."},
	{codes: []string{"Directory_QuotaExceeded", "quotaLimitReached", "Directory_ResourceSizeExceeded"}, kind: bot.KindRefused,
		says: "A limit of the directory is reached, so nothing more can be made.", fix: "An Entra admin can remove unused objects or make this with another account.", quote: true},
	{codes: []string{"ExpiredPageToken", "Directory_ExpiredPageToken", "SyncStateNotFound"}, kind: bot.KindConflict,
		says: "The list changed while it was read.", fix: "It is read again from the start."},
	{parts: []string{"invalid tenant identifier"}, kind: bot.KindRefused,
		says: "The call addressed another tenant than the one that signed in.", fix: "An operator has to check the tenant ID in Keyturn's configuration."},
	{codes: []string{"Request_UnsupportedQuery"}, kind: bot.KindBadRequest, says: "Microsoft Graph does not support this question.",
		fix: "Nothing was changed; show the code and request ID to whoever maintains Keyturn.", quote: true},
}

// replicating reports whether a failure is one that passes by itself shortly
// after something was made: Microsoft's servers do not all know it yet.
func replicating(f *bot.Failure) bool {
	switch f.Code {
	case "NoBackingApplicationObject", "Request_ResourceNotFound", "Directory_ObjectNotFound":
		return true
	case "AADSTS700016", "AADSTS7000215", "AADSTS700027", "AADSTS500011":
		return true
	}
	return f.Status == http.StatusForbidden && f.Says == saysLocalTenant // its code is that of any missing right
}
