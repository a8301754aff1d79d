package setup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"unicode"
	"unicode/utf16"

	"keyturn/bot"
)

// Digest covers the writes of a plan: method, address, headers, body and the
// identity, in their order. Reads do not count. It is a whole SHA-256: whoever
// fills in a form has a part in what a plan says, and must not find two plans
// with one digest.
func Digest(calls []bot.Call) string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, c := range calls {
		if !c.Write() {
			continue
		}
		body := c.Body
		var b bytes.Buffer
		if json.Compact(&b, body) == nil {
			body = b.Bytes()
		}
		// Maps are written sorted by name; a missing one counts as an empty one.
		_ = enc.Encode([]any{c.System, c.Method, c.Path, orEmpty(c.Header), string(body), orEmpty(c.Form), c.As})
	}
	return hex.EncodeToString(h.Sum(nil))
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// pairs gives name=value for each entry, sorted, for showing.
func pairs(m map[string]string) []string {
	var out []string
	for k, v := range m {
		out = append(out, k+"="+v)
	}
	sort.Strings(out)
	return out
}

// Writes reports whether the plan changes anything outside.
func (p *Plan) Writes() bool {
	for _, c := range p.Calls {
		if c.Write() {
			return true
		}
	}
	return false
}

var placeholder = regexp.MustCompile(`\{\{([a-z0-9_.\-]+)\}\}|\{([a-z][a-z0-9_.\-]*)\}`)

// Fill puts facts and secrets into a call's placeholders. It reports the
// names that nobody knows; the call must then not be made. Values that go
// into a JSON body are escaped for their string, values of a path for a URL.
func Fill(c bot.Call, fact func(string) (string, bool), secret func(string) (string, bool)) (bot.Call, []string) {
	var missing []string
	fill := func(s string, escape func(string) string) string {
		return placeholder.ReplaceAllStringFunc(s, func(m string) string {
			name := strings.Trim(m, "{}")
			look := fact
			if strings.HasPrefix(m, "{{") {
				if name == "assertion" {
					return m
				}
				look = secret
			}
			v, ok := look(name)
			if !ok {
				missing = append(missing, name)
				return m
			}
			return escape(v)
		})
	}
	same := func(s string) string { return s }
	c.Path = fill(c.Path, pathEscape)
	if c.Body != nil {
		c.Body = json.RawMessage(fill(string(c.Body), jsonEscape))
	}
	c.Header = filled(c.Header, fill, same)
	c.Form = filled(c.Form, fill, same)
	if c.Look != nil {
		l := *c.Look
		l.Path = fill(l.Path, pathEscape)
		l.Match = filled(l.Match, fill, same)
		c.Look = &l
	}
	return c, missing
}

func filled(m map[string]string, fill func(string, func(string) string) string, escape func(string) string) map[string]string {
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = fill(v, escape)
	}
	return out
}

func jsonEscape(s string) string {
	b, _ := json.Marshal(s)
	return string(b[1 : len(b)-1])
}

// pathEscape makes a value safe in a path segment, a query value and an OData
// string: quotes are doubled as OData wants, and everything that is not plain
// is percent-encoded. Braces too: a path may be filled twice, and a value must
// never name a secret the second time.
func pathEscape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(strings.ReplaceAll(s, "'", "''")), "+", "%20")
}

// Expand puts facts into a template of {fact} placeholders; unknown names
// stay as they are.
func Expand(template string, fact func(string) (string, bool)) string {
	return placeholder.ReplaceAllStringFunc(template, func(m string) string {
		if v, ok := fact(strings.Trim(m, "{}")); ok && !strings.HasPrefix(m, "{{") {
			return v
		}
		return m
	})
}

// Shown is a call as people see it: the full address, the body with secrets
// redacted.
func Shown(c bot.Call, base func(bot.System) string) string {
	var b strings.Builder
	b.WriteString(c.Method + " " + base(c.System) + Redact(c.Path) + "\n")
	for _, h := range pairs(c.Header) {
		name, value, _ := strings.Cut(h, "=")
		b.WriteString(name + ": " + Redact(value) + "\n")
	}
	switch {
	case len(c.Body) > 0:
		var pretty bytes.Buffer
		if json.Indent(&pretty, c.Body, "", "  ") != nil {
			pretty.Reset()
			pretty.Write(c.Body)
		}
		b.WriteString(Redact(legible(pretty.String())) + "\n")
	case len(c.Form) > 0:
		for _, f := range pairs(c.Form) {
			b.WriteString(Redact(f) + "\n")
		}
	}
	return b.String()
}

// legible writes as JSON does what a chat leaves out or nobody sees: characters
// without a width, and those that turn the direction of others. A person approves
// what is called, and a script that is copied out of a chat calls the same.
func legible(body string) string {
	var b strings.Builder
	for _, r := range body {
		switch {
		case r == '\n' || r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

var secretPlaceholder = regexp.MustCompile(`\{\{[a-z0-9_.\-]+\}\}`)

// Redact shows the places of secrets as "[redacted]". Names in single braces
// stay: they are values that an earlier call gives.
func Redact(s string) string {
	return secretPlaceholder.ReplaceAllString(s, bot.Redacted)
}
