package microsoft

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// tokenError is a refusal of the sign-in service (Microsoft Entra
// authentication and authorization error codes).
type tokenError struct {
	status   int
	oauth    string
	code     int
	text     string
	suberror string
}

func (e *tokenError) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.code, e.text) }

func refuse(oauth string, code int, format string, args ...any) *tokenError {
	e := &tokenError{status: http.StatusBadRequest, oauth: oauth, code: code, text: fmt.Sprintf(format, args...)}
	if oauth == "invalid_client" {
		e.status = http.StatusUnauthorized
	}
	return e
}

func missingParameter(name string) *tokenError {
	return refuse("invalid_request", 900144, "The request body must contain the following parameter: '%s'.", name)
}

func tenantNotFound(name string) *tokenError {
	return refuse("invalid_tenant", 90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", name)
}

func appNotFound(appID, tenant string) *tokenError {
	return refuse("unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", appID, tenant)
}

func blockedByPolicy() *tokenError {
	e := refuse("invalid_grant", 53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.")
	e.suberror = "message_only"
	return e
}

func notConsented(appID, name string) *tokenError {
	e := refuse("invalid_grant", 65001, "The user or administrator has not consented to use the application with ID '%s' named '%s'. Send an interactive authorization request for this user and resource.", appID, name)
	e.suberror = "consent_required"
	return e
}

// description is the text with the trace that support asks for.
func (s *Server) description(e *tokenError, trace, correlation, stamp string) string {
	sep := " "
	if s.st.Quirks.OldDescriptions {
		sep = "\r\n"
	}
	return e.Error() + sep + "Trace ID: " + trace + sep + "Correlation ID: " + correlation + sep + "Timestamp: " + stamp
}

func (s *Server) writeTokenError(w http.ResponseWriter, r *http.Request, e *tokenError) {
	trace, correlation, stamp := s.newID(), s.correlation(r), s.now().Format("2006-01-02 15:04:05Z")
	body := map[string]any{
		"error": e.oauth, "error_description": s.description(e, trace, correlation, stamp),
		"error_codes": []int{e.code}, "timestamp": stamp, "trace_id": trace, "correlation_id": correlation,
	}
	if e.suberror != "" {
		body["suberror"] = e.suberror
	}
	if e.code != 65001 && e.code != 90002 { // captured bodies of these two have none
		body["error_uri"] = fmt.Sprintf("%s/login/error?code=%d", s.base(r), e.code)
	}
	entry(r).Note = fmt.Sprintf("refused: AADSTS%d", e.code)
	w.Header().Set("x-ms-request-id", trace)
	writeJSON(w, e.status, body)
}

func (s *Server) correlation(r *http.Request) string {
	if id := r.Header.Get("client-request-id"); isGUID(id) {
		return id
	}
	return s.newID()
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // what cannot be written reaches nobody
}
