package bot

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

// Redacted is what a secret prints as.
const Redacted = "[redacted]"

// Secret is a value that must not be seen. It prints, logs and marshals as
// "[redacted]"; stores seal what [Secret.Reveal] gives. Two secrets are
// compared by what they reveal, not by ==.
type Secret struct {
	// Behind a pointer, because fmt prints unexported fields of others, and the
	// operands of a wrong verb, without asking the methods below.
	value *string
}

// NewSecret wraps a value.
func NewSecret(v string) Secret {
	if v == "" {
		return Secret{}
	}
	return Secret{&v}
}

// Reveal gives the value: only for the request that needs it and for sealing.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no value.
func (s Secret) IsZero() bool { return s.value == nil }

// String is "[redacted]", or "" where there is no value.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return Redacted
}

// GoString keeps %#v from printing the value.
func (s Secret) GoString() string { return s.String() }

// Format keeps every fmt verb from printing the value.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue keeps slog from printing the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps encoders from writing the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Scrub takes secrets out of a text that Keyturn did not write: some services
// repeat in an error what they were sent, and so may a panic. Values of less than six characters
// are left, since taking them out would garble the text.
func Scrub(text string, secrets ...Secret) string {
	for _, s := range secrets {
		v := s.Reveal()
		if len(v) < 6 {
			continue
		}
		text = strings.ReplaceAll(text, v, Redacted)
		if q := url.QueryEscape(v); q != v {
			text = strings.ReplaceAll(text, q, Redacted)
		}
	}
	return text
}
