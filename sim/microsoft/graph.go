package microsoft

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// call is one request to Microsoft Graph.
type call struct {
	s       *Server
	r       *http.Request
	base    string // of Graph: ".../graph/v1.0"
	keys    []key
	query   url.Values
	caller  *caller
	request string // request-id
	client  string // client-request-id
}

// reply is an answer of Graph. A nil body has none.
type reply struct {
	status  int
	body    any
	raw     []byte // served as a stream instead of body
	context string // @odata.context after "$metadata#"
}

// operation is one route of the simulated Graph. A "*" in the pattern matches
// one key, written as a path segment or as (name='key').
type operation struct {
	method, pattern string
	needs           permit
	serve           func(*call) (*reply, error)
}

// graph serves /graph/v1.0/...
func (s *Server) graph(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, r: r, base: s.base(r) + "/graph/v1.0", request: s.newID()}
	c.client = c.request
	if id := r.Header.Get("client-request-id"); isGUID(id) {
		c.client = id
	}
	w.Header().Set("request-id", c.request)
	w.Header().Set("client-request-id", c.client)
	answer, err := c.serve()
	if err != nil {
		c.fail(w, err)
		return
	}
	c.write(w, answer)
}

func (c *call) serve() (*reply, error) {
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("The query string cannot be read.")
	}
	c.query = query
	segments, err := graphPath(c.r.URL.EscapedPath())
	if err != nil {
		return nil, err
	}
	op, allowed := match(c, segments)
	if op == nil {
		if allowed {
			return nil, &graphError{status: http.StatusMethodNotAllowed, code: "Request_BadRequest", text: "Specified HTTP method is not allowed for the request target."}
		}
		return nil, badCode("BadRequest", "Resource not found for the segment '"+segments[0].name+"'.")
	}
	if c.caller, err = c.s.authenticate(c.r); err != nil {
		return nil, err
	}
	entry(c.r).Who = c.caller.name()
	if segments[0].name == "me" && c.caller.user == nil {
		return nil, badCode("BadRequest", "/me request is only valid with delegated authentication flow.")
	}
	if err := c.caller.permits(op.needs, c.s.now()); err != nil {
		return nil, err
	}
	return op.serve(c)
}

// key names one object: by its ID (no name), or by an alternate key.
type key struct{ name, value string }

// segment is one step of a path: a name, or a key that stood in parentheses.
type segment struct {
	name string
	key  *key
}

// graphPath splits a path into names and keys: applications(appId='x')/addPassword
// becomes applications, appId=x, addPassword.
func graphPath(escaped string) ([]segment, error) {
	rest, ok := strings.CutPrefix(escaped, "/graph/v1.0/")
	if !ok || strings.Trim(rest, "/") == "" {
		return nil, badCode("BadRequest", "Invalid version: use /graph/v1.0/ and a resource.")
	}
	var out []segment
	for _, part := range strings.Split(strings.Trim(rest, "/"), "/") {
		name, err := url.PathUnescape(part)
		if err != nil || name == "" {
			return nil, badCode("BadRequest", "The path of the request cannot be read.")
		}
		open := strings.IndexByte(name, '(')
		if open < 0 || !strings.HasSuffix(name, ")") {
			out = append(out, segment{name: name})
			continue
		}
		inner := name[open+1 : len(name)-1]
		out = append(out, segment{name: name[:open]})
		if inner == "" { // a function call: incidentReport()
			continue
		}
		alternate, value, ok := strings.Cut(inner, "=")
		if !ok || len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' {
			return nil, badCode("BadRequest", "The key in '"+name+"' cannot be read: write it as (name='value').")
		}
		out = append(out, segment{key: &key{alternate, strings.ReplaceAll(value[1:len(value)-1], "''", "'")}})
	}
	return out, nil
}

// match finds the operation and puts the path's keys into c. It reports
// whether the path exists with another method.
func match(c *call, segments []segment) (*operation, bool) {
	known := false
	for i := range operations {
		op := &operations[i]
		keys, ok := op.matches(segments)
		if !ok {
			continue
		}
		known = true
		if op.method == c.r.Method {
			c.keys = keys
			return op, true
		}
	}
	return nil, known
}

func (op *operation) matches(segments []segment) ([]key, bool) {
	pattern := strings.Split(op.pattern, "/")
	if len(pattern) != len(segments) {
		return nil, false
	}
	var keys []key
	for i, want := range pattern {
		got := segments[i]
		switch {
		case want == "*" && got.key != nil:
			keys = append(keys, *got.key)
		case want == "*":
			keys = append(keys, key{value: got.name})
		case got.key != nil || got.name != want:
			return nil, false
		}
	}
	return keys, true
}

// decode reads the request's JSON object.
func (c *call) decode(v any) error {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err == nil && kind == "application/json" {
		dec := json.NewDecoder(c.r.Body)
		if err = dec.Decode(v); err == nil && dec.More() {
			err = errors.New("more than one JSON value")
		}
	} else if err == nil {
		err = errors.New("not JSON")
	}
	if err != nil {
		return badCode("BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	return nil
}

func (c *call) note(text string) { entry(c.r).Note = text }

// prefers reports whether a Prefer header names the preference.
func (c *call) prefers(preference string) bool {
	for _, h := range c.r.Header.Values("Prefer") {
		for _, p := range strings.Split(h, ",") {
			if strings.EqualFold(strings.TrimSpace(p), preference) {
				return true
			}
		}
	}
	return false
}

func (c *call) write(w http.ResponseWriter, a *reply) {
	switch {
	case a.raw != nil:
		w.Header().Set("Content-Type", "application/octet-stream")
		w.WriteHeader(a.status)
		_, _ = w.Write(a.raw)
	case a.body == nil:
		w.WriteHeader(a.status)
	default:
		w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
		w.WriteHeader(a.status)
		_, _ = w.Write(c.withContext(a))
	}
}

// withContext puts @odata.context in front of the body's own members.
func (c *call) withContext(a *reply) []byte {
	body := marshal(a.body)
	if a.context == "" {
		return body
	}
	head := append([]byte(`{"@odata.context":`), marshal(c.base+"/$metadata#"+a.context)...)
	if rest := bytes.TrimSpace(body[1:]); len(rest) > 1 {
		head = append(head, ',')
	}
	return append(head, body[1:]...)
}

func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("{}") // every body is made of plain values
	}
	return bytes.TrimSpace(b.Bytes())
}
