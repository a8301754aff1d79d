package teams

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/infracloudio/msbotbuilder-go/connector/auth"
	"github.com/infracloudio/msbotbuilder-go/schema"
)

// The bounds of a token. Source: Microsoft, "Authenticate requests with the Bot
// Connector API" (clock skew of five minutes); Microsoft's tokens live an hour,
// and none that claims more than a day is believed.
const (
	maxHeader = 8 << 10
	leeway    = 5 * time.Minute
	maxLife   = 24 * time.Hour
	channel   = "msteams"
)

// Why a token is refused: words for the log and the metrics, never for whoever
// sent it.
var (
	errNoToken  = errors.New("there is no bearer token")
	errShape    = errors.New("the token is no compact JWT of at most 8 KiB")
	errHeader   = errors.New("the token's header is not one of Microsoft's")
	errClaims   = errors.New("the token's claims cannot be read")
	errIssuer   = errors.New("the token is of another issuer")
	errAudience = errors.New("the token is for another app")
	errTimes    = errors.New("the token says not from when to when it is valid, or more than a day")
	errExpired  = errors.New("the token has expired")
	errEarly    = errors.New("the token is not valid yet")
	errNoHost   = errors.New("the token names no serviceurl")
	errSigned   = errors.New("the token's signature is wrong")
	errEndorsed = errors.New("the token's key is not endorsed for the channel")
	errOtherURL = errors.New("the token belongs to another serviceUrl")
	errChannel  = errors.New("the activity is not of Microsoft Teams")
	errHostPin  = errors.New("the activity's serviceUrl is not on a host of the Bot Connector")
)

// validator proves that Microsoft's Bot Connector sent a request to this bot.
// It is the library's [auth.TokenValidator] and has no way to be turned off.
type validator struct {
	appID  string
	issuer string
	keys   *keyring
	now    func() time.Time
	hosts  pins
}

var _ auth.TokenValidator = (*validator)(nil)

// proof is what a token proved by itself: what is left is to compare it with
// the activity that it came with.
type proof struct {
	header   string
	service  string
	endorsed []string
}

type proofKey struct{}

// prove checks everything about a token but what the activity says. It fetches
// nothing before the token could be right in every respect but its signature.
func (v *validator) prove(ctx context.Context, header string) (proof, error) {
	head, claims, signature, signed, err := dissect(header)
	if err != nil {
		return proof{}, err
	}
	kid, err := keyID(head)
	if err != nil {
		return proof{}, err
	}
	service, err := v.claims(claims)
	if err != nil {
		return proof{}, err
	}
	key, err := v.keys.get(ctx, kid)
	if err != nil {
		return proof{}, errUnknownKey
	}
	if err := jwt.SigningMethodRS256.Verify(signed, signature, key.public); err != nil {
		return proof{}, errSigned
	}
	if !slices.Contains(key.endorsed, channel) {
		return proof{}, errEndorsed
	}
	return proof{header: header, service: service, endorsed: key.endorsed}, nil
}

// AuthenticateRequest proves the token and compares it with the activity. A
// proof that ctx holds for the same header is not made again. The credentials
// must be those of this bot; the channel service is not used.
func (v *validator) AuthenticateRequest(ctx context.Context, a schema.Activity, header string, cp auth.CredentialProvider, _ string) (auth.ClaimsIdentity, error) {
	if cp == nil || v.appID == "" || cp.GetAppID() != v.appID || cp.IsAuthenticationDisabled() {
		return nil, errAudience
	}
	p, ok := ctx.Value(proofKey{}).(proof)
	if !ok || p.header != header || header == "" {
		var err error
		if p, err = v.prove(ctx, header); err != nil {
			return nil, err
		}
	}
	switch {
	case a.ChannelID != channel:
		return nil, errChannel
	case !slices.Contains(p.endorsed, a.ChannelID):
		return nil, errEndorsed
	case a.ServiceURL == "" || a.ServiceURL != p.service:
		return nil, errOtherURL
	case !v.hosts.allow(a.ServiceURL):
		return nil, errHostPin
	}
	return auth.NewClaimIdentity(map[string]any{"iss": v.issuer, "aud": v.appID, "serviceurl": p.service}, true), nil
}

// dissect takes the header field apart. Nothing is decoded before its size and
// shape are known to be right.
func dissect(header string) (head, claims, signature []byte, signed string, err error) {
	if len(header) > maxHeader {
		return nil, nil, nil, "", errShape
	}
	const scheme = "Bearer "
	if len(header) <= len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return nil, nil, nil, "", errNoToken
	}
	token := header[len(scheme):]
	if strings.Count(token, ".") != 2 || strings.ContainsAny(token, "\r\n") { // which the decoder passes over, strict or not
		return nil, nil, nil, "", errShape
	}
	dot := strings.LastIndexByte(token, '.')
	signed = token[:dot]
	one, two, _ := strings.Cut(signed, ".")
	for _, part := range []struct {
		text string
		into *[]byte
	}{{one, &head}, {two, &claims}, {token[dot+1:], &signature}} {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part.text)
		if err != nil || len(b) == 0 {
			return nil, nil, nil, "", errShape
		}
		*part.into = b
	}
	return head, claims, signature, signed, nil
}

// keyID reads the token's own header: RS256 and a key ID, and nothing that
// would bring a key along or ask for what is not understood.
func keyID(head []byte) (string, error) {
	fields, err := object(head)
	if err != nil {
		return "", errHeader
	}
	for _, name := range []string{"jwk", "jku", "x5u", "x5c", "crit", "zip", "b64", "enc"} {
		if _, given := fields[name]; given {
			return "", errHeader
		}
	}
	kid, ok := text(fields["kid"])
	alg, _ := text(fields["alg"])
	if alg != "RS256" || !ok || kid == "" || len(kid) > 256 {
		return "", errHeader
	}
	if typ, given := fields["typ"]; given {
		if t, ok := text(typ); !ok || !strings.EqualFold(t, "JWT") {
			return "", errHeader
		}
	}
	return kid, nil
}

// claims checks what the token says and gives its serviceurl.
func (v *validator) claims(raw []byte) (service string, err error) {
	c, err := object(raw)
	if err != nil {
		return "", errClaims
	}
	if iss, ok := text(c["iss"]); !ok || iss != v.issuer {
		return "", errIssuer
	}
	if !audience(c["aud"], v.appID) {
		return "", errAudience
	}
	exp, okExp := moment(c["exp"])
	nbf, okNbf := moment(c["nbf"])
	if !okExp || !okNbf || !nbf.Before(exp) || exp.Sub(nbf) > maxLife {
		return "", errTimes
	}
	now := v.now()
	if !now.Before(exp.Add(leeway)) {
		return "", errExpired
	}
	if now.Before(nbf.Add(-leeway)) {
		return "", errEarly
	}
	if raw, given := c["iat"]; given {
		if iat, ok := moment(raw); !ok {
			return "", errTimes
		} else if now.Before(iat.Add(-leeway)) {
			return "", errEarly
		}
	}
	service, ok := text(c["serviceurl"])
	if !ok || service == "" {
		return "", errNoHost
	}
	return service, nil
}

// audience accepts the app alone, written as a string or as a list of one.
func audience(raw json.RawMessage, appID string) bool {
	if s, ok := text(raw); ok {
		return s == appID
	}
	var list []string
	return len(raw) > 0 && raw[0] == '[' && json.Unmarshal(raw, &list) == nil && len(list) == 1 && list[0] == appID
}

// object reads a JSON object whose names, in lower case, are all different:
// two readers of the same name twice may believe different ones.
func object(b []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errClaims
	}
	out := map[string]json.RawMessage{}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errClaims
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, err
		}
		name = strings.ToLower(name)
		if _, twice := out[name]; twice {
			return nil, errClaims
		}
		out[name] = raw
	}
	if t, err := dec.Token(); err != nil || t != json.Delim('}') {
		return nil, errClaims
	}
	if dec.InputOffset() != int64(len(bytes.TrimRight(b, " \t\r\n"))) {
		return nil, errClaims
	}
	return out, nil
}

func text(raw json.RawMessage) (string, bool) {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// moment reads a NumericDate between 1970 and the year 9999.
func moment(raw json.RawMessage) (time.Time, bool) {
	if len(raw) == 0 || (raw[0] != '-' && (raw[0] < '0' || raw[0] > '9')) {
		return time.Time{}, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.IsNaN(f) || f < 1 || f > 253402300799 {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0), true
}
