package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keyturn/bot"
)

// window is how far a request's timestamp may be from our clock, in both
// directions. Source: Slack, "Verifying requests from Slack".
const window = 300 // seconds

// Unsigned is what the log says of a request with another signature than the
// signing secret's.
const Unsigned = "The request is not signed by Slack: check that the signing secret is this app's."

var (
	errUnsigned = errors.New(Unsigned)
	errStale    = errors.New("The request was signed more than five minutes ago or ahead: check this server's clock.")
)

// verify checks Slack's signature over the raw body. The signature is checked
// before the age, so that an operator with a wrong clock reads about the
// clock. Source: Slack, "Verifying requests from Slack", scheme v0.
func verify(secret bot.Secret, now time.Time, timestamp, signature string, body []byte) error {
	if secret.IsZero() {
		return errUnsigned
	}
	at, ok := unixSeconds(timestamp)
	if !ok {
		return errUnsigned
	}
	digits, ok := strings.CutPrefix(signature, "v0=")
	if !ok || len(digits) != hex.EncodedLen(sha256.Size) {
		return errUnsigned
	}
	got, err := hex.DecodeString(digits)
	if err != nil {
		return errUnsigned
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(body)
	if !hmac.Equal(got, mac.Sum(nil)) {
		return errUnsigned
	}
	if d := now.Unix() - at; d > window || d < -window {
		return errStale
	}
	return nil
}

// unixSeconds reads a timestamp of digits alone. Twelve of them reach past the
// year 30,000 and cannot overflow the subtraction.
func unixSeconds(s string) (int64, bool) {
	if s == "" || len(s) > 12 {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// signed checks a request's headers against its body. A header that comes
// twice is refused: whoever is between Slack and us may read another of them.
func (a *Adapter) signed(h http.Header, body []byte) error {
	stamps, signatures := h.Values("X-Slack-Request-Timestamp"), h.Values("X-Slack-Signature")
	if len(stamps) != 1 || len(signatures) != 1 {
		return errUnsigned
	}
	return verify(a.secret, a.now(), stamps[0], signatures[0], body)
}
