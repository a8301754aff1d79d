package httpx

import (
	"crypto/rand"
	"fmt"
	"net/http"
)

// NewRequestID makes a random UUID, the form that Microsoft's services accept
// as client-request-id.
func NewRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program where the system has no randomness
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// RequestID gives the ID under which the answering service can find the
// request again in its own logs, or "".
func RequestID(h http.Header) string {
	for _, k := range []string{"Request-Id", "X-Ms-Request-Id", "X-Transaction-Id", "X-Slack-Req-Id", "Client-Request-Id"} {
		if v := h.Get(k); v != "" {
			return Plain(v, 80)
		}
	}
	return ""
}
