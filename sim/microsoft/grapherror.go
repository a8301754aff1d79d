package microsoft

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// graphError is a refusal of Microsoft Graph ("Microsoft Graph error responses").
type graphError struct {
	status     int
	code, text string
	details    []errorDetail
	retryAfter time.Duration
}

type errorDetail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Target  string `json:"target,omitempty"`
}

func (e *graphError) Error() string { return e.code + ": " + e.text }

func badRequest(text string) *graphError { return badCode("Request_BadRequest", text) }

func badCode(code, text string) *graphError {
	return &graphError{status: http.StatusBadRequest, code: code, text: text}
}

func unsupportedQuery(text string) *graphError { return badCode("Request_UnsupportedQuery", text) }

func missingResource(id string) *graphError {
	return &graphError{status: http.StatusNotFound, code: "Request_ResourceNotFound",
		text: "Resource '" + id + "' does not exist or one of its queried reference-property objects are not present."}
}

func denied() *graphError {
	return &graphError{status: http.StatusForbidden, code: "Authorization_RequestDenied", text: "Insufficient privileges to complete the operation."}
}

func conflict(status int, code, text, target string) *graphError {
	return &graphError{status: status, code: code, text: text, details: []errorDetail{{"ObjectConflict", text, target}}}
}

func invalidToken(text string) *graphError {
	return &graphError{status: http.StatusUnauthorized, code: "InvalidAuthenticationToken", text: text}
}

// fail writes the error envelope. innerError.date has no zone and no fraction,
// unlike every other date of Graph.
func (c *call) fail(w http.ResponseWriter, err error) {
	var e *graphError
	if !errors.As(err, &e) {
		e = &graphError{status: http.StatusInternalServerError, code: "InternalServerError", text: err.Error()}
	}
	if entry(c.r).Note == "" {
		entry(c.r).Note = "refused: " + e.code
	}
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((e.retryAfter+time.Second-1)/time.Second)))
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="`+c.s.base(c.r)+`/login/`+c.s.cfg.TenantID+`/oauth2/authorize", client_id="`+GraphAppID+`"`)
	}
	body := map[string]any{"code": e.code, "message": e.text, "innerError": map[string]any{
		"date": c.s.now().Format("2006-01-02T15:04:05"), "request-id": c.request, "client-request-id": c.client}}
	if len(e.details) > 0 {
		body["details"] = e.details
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	_, _ = w.Write(marshal(map[string]any{"error": body}))
}
