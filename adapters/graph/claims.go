package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
)

// maxClaims is more than any claims request of Microsoft; it becomes a part of
// an address.
const maxClaims = 2048

var claimsIn = regexp.MustCompile(`(?i)[ ,]claims="([^"\\]*)"`)

// challenged is the claims request of a challenge, or "". Graph writes it in
// Base64: https://learn.microsoft.com/entra/identity-platform/claims-challenge
func challenged(challenge string) string {
	m := claimsIn.FindStringSubmatch(challenge)
	if m == nil {
		return ""
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if raw, err := e.DecodeString(m[1]); err == nil {
			if c := claimsRequest(raw); c != "" {
				return c
			}
		}
	}
	return ""
}

// claimsRequest is a claims request as it may stand in an address: one JSON
// object of the known members, without blanks; anything else is "".
func claimsRequest(raw []byte) string {
	var known struct {
		Access json.RawMessage `json:"access_token,omitempty"`
		ID     json.RawMessage `json:"id_token,omitempty"`
	}
	if len(raw) == 0 || len(raw) > maxClaims || json.Unmarshal(raw, &known) != nil || (known.Access == nil && known.ID == nil) {
		return ""
	}
	out, err := json.Marshal(known)
	var b bytes.Buffer
	if err != nil || json.Compact(&b, out) != nil || b.Len() > maxClaims {
		return ""
	}
	return b.String()
}

// capable adds to a claims request, or to none, that Keyturn can answer a
// challenge: Graph sends one only to clients that say so, and who does not is
// refused without a word about what a policy asks for.
// Source: Microsoft, "Claims challenges, claims requests and client capabilities".
func capable(wanted string) string {
	var asked struct {
		Access map[string]json.RawMessage `json:"access_token"`
		ID     json.RawMessage            `json:"id_token,omitempty"`
	}
	if wanted != "" && json.Unmarshal([]byte(wanted), &asked) != nil {
		return wanted
	}
	if asked.Access == nil {
		asked.Access = map[string]json.RawMessage{}
	}
	asked.Access["xms_cc"] = json.RawMessage(`{"values":["cp1"]}`)
	out, err := json.Marshal(asked)
	if err != nil {
		return wanted
	}
	return string(out)
}
