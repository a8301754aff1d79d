package servicenow

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// writeMode says how values of a write are meant.
type writeMode struct {
	display bool // sysparm_input_display_value=true: values are what people see
	form    bool // typed into a page by a person
}

// readBody reads the JSON object of a write: every scalar becomes the text
// that the platform would store.
func readBody(r *http.Request) (map[string]string, *refusal) {
	if ct := r.Header.Get("Content-Type"); ct != "" && !strings.Contains(ct, "json") {
		return nil, &refusal{http.StatusUnsupportedMediaType, "Unsupported content type '" + ct + "'", "Supported types are: application/json"}
	}
	dec := json.NewDecoder(io.LimitReader(r.Body, 10<<20))
	dec.UseNumber()
	var body map[string]any
	err := dec.Decode(&body)
	if errors.Is(err, io.EOF) {
		return map[string]string{}, nil
	}
	if err != nil || dec.More() {
		return nil, badPayload
	}
	out := map[string]string{}
	for k, v := range body {
		if text, ok := asText(v); ok {
			out[k] = text
		}
	}
	return out, nil
}

func asText(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	case json.Number:
		return v.String(), true
	case map[string]any:
		// A reference as it was read: {"link": ..., "value": ...}.
		text, ok := v["value"].(string)
		return text, ok
	}
	return "", false
}

// managed columns are set by the platform alone.
var managed = map[string]bool{
	"sys_id": true, "sys_created_by": true, "sys_created_on": true, "sys_mod_count": true,
	"sys_updated_by": true, "sys_updated_on": true, "sys_class_name": true, "sys_tags": true,
}

// accept turns input into stored values. Unknown columns are left out without
// a word, as the platform does.
func (s *Server) accept(c *caller, t *table, in map[string]string, mode writeMode) (map[string]string, *refusal) {
	out := map[string]string{}
	for name, value := range in {
		col := t.column(name)
		if col == nil || managed[name] {
			continue
		}
		if col.Kind == kindSecret && !mode.form {
			stored, no := s.acceptSecret(t, value, mode)
			if no != nil {
				return nil, no
			}
			out[name] = stored
			continue
		}
		out[name] = s.stored(c, t, col, value, mode)
	}
	return out, nil
}

// acceptSecret is the platform's treatment of a password2 column over HTTP.
func (s *Server) acceptSecret(t *table, value string, mode writeMode) (string, *refusal) {
	switch {
	case value == "":
		return "", nil
	case !mode.display || s.modes.SecretWrite == SecretGarbled:
		return "malformed:" + randomHex(12), nil
	case s.modes.SecretWrite == SecretRefused:
		return "", aborted(t.Name, "Protect encrypted fields", ruleID("Protect encrypted fields"), "Client Secret can only be set in the form")
	}
	return value, nil
}

func (s *Server) stored(c *caller, t *table, col *column, value string, mode writeMode) string {
	switch col.Kind {
	case kindBoolean:
		switch strings.ToLower(value) {
		case "true", "1", "yes":
			return "true"
		}
		return "false"
	case kindPassword:
		if value == "" {
			return ""
		}
		if !mode.display && !mode.form {
			return "unhashed" // stored, but no sign-in ever matches it
		}
		return hashPassword(value)
	case kindRef:
		if mode.display && value != "" {
			return s.resolveDisplay(schema[col.Ref], value)
		}
		return value
	case kindDateTime, kindDue:
		if mode.display && value != "" {
			if at, err := time.ParseInLocation(timeLayout, value, s.zone(c)); err == nil {
				return stamp(at)
			}
		}
		return value
	}
	if mode.display {
		value = s.choiceValue(t, col.Name, value)
	}
	return cut(value, col.Max)
}

// cut shortens to at most limit characters.
func cut(s string, limit int) string {
	if limit == 0 || utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit])
}

// resolveDisplay finds the row that shows this text; a sys_id is kept.
func (s *Server) resolveDisplay(t *table, text string) string {
	if t == nil {
		return text
	}
	if s.db.find(t, text) != nil {
		return text
	}
	for _, r := range s.db.all(t) {
		if s.db.display(r) == text || t.Name == "sys_user" && r.get("user_name") == text {
			return r.id()
		}
	}
	return ""
}

func hashPassword(p string) string {
	sum := sha256.Sum256([]byte("sim/servicenow:" + p))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ruleID gives a business rule the sys_id that its messages carry: always the
// same for the same name.
func ruleID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}
