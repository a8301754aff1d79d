package httpx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// Outcome is how an exchange ended.
type Outcome int

// The outcomes.
const (
	NotSent   Outcome = iota // no byte of the request left: repeating it is safe
	Ambiguous                // it was handed over, and there is no whole answer
	Answered                 // there is an answer, whatever it says
)

// String names the outcome.
func (o Outcome) String() string {
	switch o {
	case NotSent:
		return "not sent"
	case Ambiguous:
		return "ambiguous"
	case Answered:
		return "answered"
	}
	return fmt.Sprintf("outcome %d", int(o))
}

// Error is an exchange without a whole answer. It names neither query values
// nor credentials.
type Error struct {
	Outcome Outcome
	Method  string
	URL     string // redacted
	Err     error
}

// Error says what was tried and what went wrong.
func (e *Error) Error() string {
	return fmt.Sprintf("%s %s (%s): %v", e.Method, e.URL, e.Outcome, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// OutcomeOf gives the outcome that an error from a client of [New] tells,
// through any wrapping. Any other error is Ambiguous, which is the careful
// answer; nil is Answered.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return Answered
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Outcome
	}
	return Ambiguous
}

// Clean takes the full address out of an error that went through an
// http.Client, which prints it with its query. Use it on errors of vendor
// libraries before they are shown or logged.
func Clean(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var u *url.Error
	if errors.As(err, &u) {
		return &Error{Outcome: Ambiguous, Method: strings.ToUpper(u.Op), URL: RedactString(u.URL), Err: u.Err}
	}
	return err
}

// Reply is a whole answer.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Send makes one exchange and reads the answer whole. On failure the error is
// an [*Error]; the reply then holds the status and header where they arrived
// before the body broke off.
func Send(c *http.Client, req *http.Request) (Reply, error) {
	resp, err := c.Do(req)
	if err != nil {
		return Reply{}, Clean(err)
	}
	defer resp.Body.Close()
	r := Reply{Status: resp.StatusCode, Header: resp.Header}
	if r.Body, err = io.ReadAll(resp.Body); err != nil {
		return Reply{Status: r.Status, Header: r.Header},
			&Error{Outcome: Ambiguous, Method: req.Method, URL: Redact(req.URL), Err: err}
	}
	return r, nil
}

// OK reports whether the status is a success.
func (r Reply) OK() bool { return r.Status >= 200 && r.Status < 300 }

// Moved gives the host that a redirect points to, or "" where the answer is
// no redirect. It tells a sign-in page in front of an API by its address.
func (r Reply) Moved() string {
	if r.Status < 300 || r.Status > 399 {
		return ""
	}
	if u, err := url.Parse(r.Header.Get("Location")); err == nil && u.Host != "" {
		return u.Host
	}
	return "another page"
}

// Empty reports whether the body holds nothing but white space.
func (r Reply) Empty() bool { return len(bytes.TrimSpace(r.Body)) == 0 }

// HTML reports whether the answer is a web page, by its type or its first
// bytes: a proxy, a sign-in page or a sleeping instance answers like that,
// often with status 200.
func (r Reply) HTML() bool {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil &&
		(t == "text/html" || t == "application/xhtml+xml") {
		return true
	}
	head := bytes.TrimSpace(r.Body)
	if len(head) > 64 {
		head = head[:64]
	}
	head = bytes.ToLower(head)
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// JSON gives the body where it is JSON, "null" where there is none, and false
// where it is anything else.
func (r Reply) JSON() (json.RawMessage, bool) {
	if r.Empty() {
		return json.RawMessage("null"), true
	}
	b := bytes.TrimPrefix(bytes.TrimSpace(r.Body), []byte("\xef\xbb\xbf"))
	if !json.Valid(b) {
		return nil, false
	}
	return json.RawMessage(b), true
}
