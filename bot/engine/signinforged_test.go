package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/bottest"
)

// knownEvery is how many guesses of the state there are for each return that
// knows it and does not fit: that one ends the sign-in.
const knownEvery = 2000

// guess is what somebody comes back with who was never at the sign-in, or was at
// another one.
func (b *begunSignIn) guess(r *rand.Rand, other string) bot.SignInReturn {
	in := bot.SignInReturn{System: bot.Graph, State: b.state, Code: bot.NewSecret(canaryCode), Browser: b.mine}
	b.spoil(r, &in)
	for again := true; again; again = r.IntN(4) == 0 {
		parts, o := strings.Split(in.State, "."), strings.Split(other, ".")
		if len(parts) != 3 || r.IntN(8) == 0 {
			in.State = bottest.Mutate(r, in.State, other)
			continue
		}
		i := r.IntN(3)
		switch r.IntN(5) {
		case 0: // a part of another sign-in's
			parts[i] = o[i]
		case 1:
			parts[i], parts[(i+1)%3] = parts[(i+1)%3], parts[i]
		case 2: // a character of its kind, of the right length
			at := r.IntN(len(parts[2]) + 1)
			if at < len(parts[2]) {
				parts[2] = parts[2][:at] + string("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[r.IntN(64)]) + parts[2][at+1:]
			}
		case 3:
			parts[0] = []string{"fabrikam", "Contoso", "", "../contoso", "contoso "}[r.IntN(5)]
		default:
			parts[i] = bottest.Mutate(r, parts[i], o[i])
		}
		in.State = strings.Join(parts, ".")
	}
	return in
}

// spoil changes what comes beside the state; it may stay as it was.
func (b *begunSignIn) spoil(r *rand.Rand, in *bot.SignInReturn) {
	switch r.IntN(8) {
	case 0:
		in.Browser = bottest.Mutate(r, in.Browser, in.State)
	case 1:
		in.System = bot.ServiceNow
	case 2:
		in.Tenant = bot.TenantID(bottest.Mutate(r, "contoso", "fabrikam"))
	case 3:
		in.Issuer = bottest.Mutate(r, b.door.Issuer("contoso"), "https://evil.example/contoso")
	case 4:
		in.Code = bot.NewSecret(strings.Repeat("x", 8193+r.IntN(100)))
	case 5:
		in.Code = bot.Secret{}
	case 6:
		in.Error = "access_denied"
	}
}

func TestNoGuessedReturnIsTakenForASignIn(t *testing.T) {
	bottest.Forgeries(t, "returns from a sign-in", func(t *testing.T) bottest.Forger {
		b, tried := newBegun(newFront(t)), 0
		other := b.state // of one that is over
		b.anew()
		return bottest.Forger{
			Forge: func(r *rand.Rand) (bool, error) {
				if tried++; tried%knownEvery == 0 {
					in := bot.SignInReturn{System: bot.Graph, State: b.state, Code: bot.NewSecret(canaryCode), Browser: b.mine}
					b.spoil(r, &in)
					taken, err := b.comes(t.Context(), in)
					b.anew()
					return !taken, err
				}
				in := b.guess(r, other)
				if in.State == b.state {
					return false, nil
				}
				_, err := b.comes(t.Context(), in)
				return true, err
			},
			Genuine: func(*rand.Rand) error {
				taken, err := b.comes(t.Context(), bot.SignInReturn{System: bot.Graph, State: b.state, Code: bot.NewSecret(canaryCode), Browser: b.mine, Issuer: b.door.Issuer("contoso")})
				if err == nil && !taken {
					err = errors.New("the browser that began it is not taken back")
				}
				if err != nil {
					return fmt.Errorf("%s: %w", b.state, err)
				}
				other = b.state
				b.anew()
				return nil
			},
		}
	})
}
