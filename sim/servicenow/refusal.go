package servicenow

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// refusal is an answer that is not a success, in the shape of the Table API.
type refusal struct {
	Status  int
	Message string
	Detail  string // "" is written as null
}

func (e *refusal) Error() string {
	if e.Detail == "" {
		return e.Message
	}
	return e.Message + ": " + e.Detail
}

var (
	notAuthenticated = &refusal{http.StatusUnauthorized, "User Not Authenticated", "Required to provide Auth information"}
	noRecord         = &refusal{http.StatusNotFound, "No Record found", "Record doesn't exist or ACL restricts the record retrieval"}
	queryField       = &refusal{http.StatusForbidden, "Insufficient rights to query records", "Field(s) present in the query do not have permission to be read"}
	queryTable       = &refusal{http.StatusForbidden, "Insufficient rights to query records", ""}
	badPayload       = &refusal{http.StatusBadRequest, "Exception while reading request", "The payload is not valid JSON."}
)

// securityStopped is what an access control answers to a write.
func securityStopped(verb string) *refusal {
	return &refusal{http.StatusForbidden, "Operation Failed", "ACL Exception " + verb + " Failed due to security constraints"}
}

// aborted is what a business rule answers that stops a write.
func aborted(table, rule, id, why string) *refusal {
	detail := fmt.Sprintf("Operation against file '%s' was aborted by Business Rule '%s^%s'. Business Rule Stack:%s", table, rule, id, rule)
	if why != "" {
		detail += ". Error: " + why
	}
	return &refusal{http.StatusForbidden, "Operation Failed", detail}
}

// policyBroken is what a data policy answers when fields are empty that it
// asks for; it names them by their labels.
func policyBroken(labels []string) *refusal {
	return &refusal{http.StatusForbidden, "Operation Failed",
		"Data Policy Exception: The following fields are mandatory: " + strings.Join(labels, ", ")}
}

// duplicateKey is what the database answers to a second row with a unique value.
func duplicateKey(table, value, key string) *refusal {
	return &refusal{http.StatusForbidden, "Operation Failed",
		fmt.Sprintf("Error during insert of %s (%s). Unique Key violation detected by database (Duplicate entry '%s' for key '%s')", table, value, value, key)}
}

func (e *refusal) write(w http.ResponseWriter) {
	var detail any
	if e.Detail != "" {
		detail = e.Detail
	}
	if e.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="Service-now"`)
	}
	writeJSON(w, e.Status, map[string]any{
		"error":  map[string]any{"message": e.Message, "detail": detail},
		"status": "failure",
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the reader is gone if this fails
}
