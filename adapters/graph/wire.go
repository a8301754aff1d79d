package graph

import (
	"encoding/json"
	"strconv"
	"strings"
)

// wireError is what could be read of an error body: Graph's own envelope, a
// workload's, or one wrapped in another's message.
type wireError struct {
	code      string
	message   string
	codes     []string // every code on the way in, and those of details, outermost first
	requestID string
}

// depth is how far a message that is itself JSON is unwrapped. Service
// communications nest twice.
const depth = 5

// parseError reads an error body. It gives what it finds and never fails: an
// unreadable body is an error without a code.
func parseError(body []byte) wireError {
	var w wireError
	w.read(body, depth)
	if w.code == "" && len(w.codes) > 0 {
		w.code = w.codes[0]
	}
	return w
}

func (w *wireError) read(body []byte, left int) {
	var o map[string]json.RawMessage
	if left == 0 || json.Unmarshal(body, &o) != nil {
		return
	}
	inner, ok := o["error"]
	if !ok {
		w.take(o, left)
		return
	}
	var e map[string]json.RawMessage
	if json.Unmarshal(inner, &e) == nil && e != nil {
		w.take(e, left)
		return
	}
	if s := text(inner); s != "" { // {"error": "words"}, or OAuth's {"error": "code", "error_description": "words"}
		if d := text(o["error_description"]); d != "" {
			w.add(s)
			w.say(d, left)
			return
		}
		w.say(s, left)
	}
}

func (w *wireError) take(e map[string]json.RawMessage, left int) {
	w.add(text(e["code"]))
	w.say(text(e["message"]), left)
	var details []map[string]json.RawMessage
	if json.Unmarshal(e["details"], &details) == nil {
		for _, d := range details {
			w.add(text(d["code"]))
		}
	}
	for k, v := range e {
		if !strings.EqualFold(k, "innerError") { // both spellings are in use
			continue
		}
		var in map[string]json.RawMessage
		if json.Unmarshal(v, &in) != nil {
			continue
		}
		w.add(text(in["code"]))
		if id := text(in["request-id"]); w.requestID == "" {
			w.requestID = id
		}
		if w.message == "" {
			w.say(text(in["message"]), left)
		}
	}
}

func (w *wireError) add(code string) {
	if code == "" {
		return
	}
	w.codes = append(w.codes, code)
	// A code further in says more than one that hundreds of errors share.
	switch w.code {
	case "", "UnknownError", "Request_BadRequest", "BadRequest":
		w.code = code
	}
}

func (w *wireError) say(message string, left int) {
	if strings.HasPrefix(strings.TrimSpace(message), "{") {
		before := w.message
		w.message = ""
		w.read([]byte(message), left-1)
		if w.message != "" {
			return
		}
		w.message = before
		return
	}
	if message != "" {
		w.message = message
	}
}

// has reports whether one of the codes is among those given.
func (w wireError) has(codes ...string) bool {
	for _, have := range w.codes {
		for _, c := range codes {
			if strings.EqualFold(have, c) {
				return true
			}
		}
	}
	return false
}

// text is a JSON string or number in words, and "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		if _, err := strconv.ParseFloat(n.String(), 64); err == nil {
			return n.String()
		}
	}
	return ""
}
