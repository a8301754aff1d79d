package teams

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"keyturn/bot/bottest"
)

// mint makes forgeries out of tokens: of those that Microsoft's key signed for
// this bot, and of those that it signed for others, or that another key signed.
type mint struct {
	w      *world
	signed map[string]bool
	good   []string // for this bot
	tokens []string // these and the others, without the scheme
	public []byte   // Microsoft's key, which is no secret
}

func newMint(t *testing.T) *mint {
	w := newWorld(t)
	w.otherKeys()
	m := &mint{w: w, signed: w.signed(t)}
	for s := range m.signed {
		m.good = append(m.good, s)
	}
	slices.Sort(m.good)
	m.tokens = slices.Clone(m.good)
	for _, h := range hostile(w) {
		if s := strings.TrimPrefix(h.header, "Bearer "); strings.Count(s, ".") == 2 && len(s) < maxHeader && !m.signed[s] {
			m.tokens = append(m.tokens, s)
		}
	}
	claims, _ := json.Marshal(w.claims())
	for _, s := range []signer{newSigner("k-directline"), newSigner("k-nothing"), newSigner("k-stranger")} { // as Microsoft's
		m.tokens = append(m.tokens, strings.TrimPrefix(s.raw(`{"typ":"JWT","alg":"RS256","kid":"k1"}`, string(claims)), "Bearer "))
	}
	slices.Sort(m.tokens)
	m.public, _ = x509.MarshalPKIXPublicKey(&newSigner("k1").key.PublicKey)
	return m
}

// heads and bodies are what is put into a token's header and claims, right behind
// the brace: a name that comes twice, a key that is brought along, another way
// to sign. One of swaps is put in the place of another.
var (
	heads = []string{`"alg":"none",`, `"alg":"HS256",`, `"alg":"RS512",`, `"kid":"k-directline",`, `"kid":"k-nothing",`, `"kid":"k-stranger",`, `"jku":"https://evil.example/keys",`,
		`"jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"},`, `"x5u":"https://evil.example/c",`, `"x5c":["MIIB"],`, `"crit":["exp"],`, `"zip":"DEF",`, `"b64":false,`, `"ALG":"none",`, `"Kid":"k1",`}
	bodies = []string{`"aud":"5710acff-f313-453f-8b75-44fff54bab15",`, `"aud":["5710acff-f313-453f-8b75-44fff54bab14","x"],`, `"iss":"https://evil.example",`, `"exp":9999999999,`, `"nbf":0,`,
		`"serviceurl":"https://evil.example/",`, `"serviceUrl":"https://evil.example/",`, `"sub":"mallory",`, `"EXP":9999999999,`}
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	swaps    = []string{`RS256`, `HS256`, `none`, `RS384`, `PS256`, `ES256`, `rs256`, `"k1"`, `"k-other"`, `"K1"`, `"JWT"`, `"at+jwt"`, appID, fabrik, `api.botframework.com`, `sts.windows.net`, `true`, `null`, `[]`, `{}`}
)

// forge is a header for which there is no signature; it may come out as one for
// which there is.
func (m *mint) forge(r *rand.Rand) string {
	any := func() string { return m.tokens[r.IntN(len(m.tokens))] }
	scheme, token := "Bearer ", m.good[r.IntN(len(m.good))]
	for again := true; again; again = r.IntN(4) == 0 {
		parts := strings.Split(token, ".")
		if len(parts) != 3 || r.IntN(8) == 0 {
			token = bottest.Mutate(r, token, any())
			continue
		}
		i, o := r.IntN(3), strings.Split(any(), ".")
		switch r.IntN(8) {
		case 0: // a part of another token
			parts[i] = o[i]
		case 1: // a part in another place
			parts[i] = parts[r.IntN(3)]
		case 2:
			parts[i] = bottest.Mutate(r, parts[i], o[i])
		case 3: // the same bytes, written otherwise
			b, _ := base64.RawURLEncoding.DecodeString(parts[i])
			parts[i] = []string{base64.URLEncoding.EncodeToString(b), base64.StdEncoding.EncodeToString(b), base64.RawStdEncoding.EncodeToString(b), parts[i] + "A", parts[i] + "\n", string(b),
				parts[i][:max(0, len(parts[i])-1)] + alphabet[r.IntN(64):][:1]}[r.IntN(7)] // the last: bits that no byte takes up
		case 4: // signed with Microsoft's public key, as if it were a secret
			head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + []string{"HS256", "RS256", "none"}[r.IntN(3)] + `","typ":"JWT","kid":"k1"}`))
			mac := hmac.New(sha256.New, m.public)
			mac.Write([]byte(head + "." + parts[1]))
			parts[0], parts[2] = head, base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		default: // other bytes under the same signature
			parts[i] = base64.RawURLEncoding.EncodeToString([]byte(rewritten(r, parts[i], o[i], i)))
		}
		token = strings.Join(parts, ".")
	}
	if r.IntN(64) == 0 {
		scheme = bottest.Mutate(r, scheme)
	}
	return scheme + token
}

// rewritten is a part of a token, decoded and changed.
func rewritten(r *rand.Rand, part, other string, which int) string {
	b, _ := base64.RawURLEncoding.DecodeString(part)
	o, _ := base64.RawURLEncoding.DecodeString(other)
	s, in := string(b), [][]string{heads, bodies, nil}[which]
	switch r.IntN(3) {
	case 0:
		if len(in) > 0 && s != "" {
			return s[:1] + in[r.IntN(len(in))] + s[1:]
		}
	case 1:
		return strings.Replace(s, swaps[r.IntN(len(swaps))], swaps[r.IntN(len(swaps))], 1)
	}
	return bottest.Mutate(r, s, string(o))
}

func TestNoTamperedTokenIsAccepted(t *testing.T) {
	bottest.Forgeries(t, "tokens of the Bot Framework", func(t *testing.T) bottest.Forger {
		m := newMint(t)
		return bottest.Forger{
			Forge: func(r *rand.Rand) (bool, error) {
				taken, err := m.w.takes(t.Context(), m.signed, m.forge(r))
				return !taken, err
			},
			Genuine: func(r *rand.Rand) error {
				taken, err := m.w.takes(t.Context(), m.signed, "Bearer "+m.good[r.IntN(len(m.good))])
				if err == nil && !taken {
					err = errors.New("Microsoft's own token is refused")
				}
				return err
			},
		}
	})
}
