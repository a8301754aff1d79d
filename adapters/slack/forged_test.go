package slack

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/bot/bottest"
)

// letter is a request as Slack's signature covers it.
type letter struct{ stamp, seal, body string }

// genuine is a request that Slack signed within the five minutes.
func genuine(r *rand.Rand) letter {
	bodies := []string{
		"command=%2Fkeyturn&team_id=" + team + "&user_id=" + alice + "&trigger_id=1.2.a&text=status",
		"payload=" + url.QueryEscape(`{"type":"block_actions","team":{"id":"`+team+`"},"user":{"id":"`+alice+`"},"actions":[{"action_id":"approve","value":"r1/make/d"}]}`),
		`{"type":"event_callback","team_id":"` + team + `","event_id":"Ev1","event":{"type":"message","channel":"D1","user":"` + alice + `","text":"status"}}`,
		"",
	}
	body := bodies[r.IntN(len(bodies))]
	stamp, seal := sign(testSecret, noon.Add(time.Duration(r.IntN(2*window+1)-window)*time.Second), body)
	return letter{stamp, seal, body}
}

// tampered is a genuine request after something was done to it.
func tampered(r *rand.Rand) letter {
	l, o := genuine(r), genuine(r)
	for again := true; again; again = r.IntN(4) == 0 {
		l = l.changed(r, o)
	}
	return l
}

func (l letter) changed(r *rand.Rand, o letter) letter {
	mac, _ := hex.DecodeString(strings.TrimPrefix(o.seal, "v0="))
	late := noon.Add(time.Duration(window+1+r.IntN(1e6)) * time.Second)
	if r.IntN(2) == 0 {
		late = noon.Add(-late.Sub(noon))
	}
	switch r.IntN(18) {
	case 0, 1:
		l.stamp = bottest.Mutate(r, l.stamp, o.stamp)
	case 2, 3:
		l.seal = bottest.Mutate(r, l.seal, o.seal, l.seal)
	case 4, 5:
		l.body = bottest.Mutate(r, l.body, o.body, l.body)
	case 6:
		l.seal = o.seal
	case 7:
		l.body = o.body
	case 8:
		l.stamp = o.stamp
	case 9: // a parameter once more, with something else in it
		l.body += "&" + []string{"user_id=U0MALLORY", "team_id=T0MALLORY", "text=approve", "payload=%7B%7D"}[r.IntN(4)]
	case 10: // the parameters in another order
		p := strings.Split(l.body, "&")
		r.Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
		l.body = strings.Join(p, "&")
	case 11: // the same, written otherwise
		if v, err := url.QueryUnescape(l.body); err == nil {
			l.body = v
		}
	case 12: // another secret
		n, _ := strconv.ParseInt(l.stamp, 10, 64)
		l.stamp, l.seal = sign(bottest.Mutate(r, testSecret, "", l.stamp), time.Unix(n, 0), l.body)
	case 13: // Slack's own secret, at another time
		l.stamp, l.seal = sign(testSecret, late, l.body)
	case 14: // a fresh time on what was signed long ago
		_, l.seal = sign(testSecret, late, l.body)
	case 15: // the digest written otherwise
		l.seal = "v0=" + []string{base64.StdEncoding.EncodeToString(mac), base64.RawURLEncoding.EncodeToString(mac), string(mac), hex.EncodeToString(append(mac, 0)), "0x" + hex.EncodeToString(mac)}[r.IntN(5)]
	case 16: // the colon between time and body moved
		if n := r.IntN(len(l.stamp) + 1); n > 0 && l.stamp != "" {
			l.stamp, l.body = l.stamp[:n-1], l.stamp[n-1:]+":"+l.body
		}
	default: // another scheme
		l.seal = fmt.Sprintf("v%d=", r.IntN(3)) + strings.TrimPrefix(l.seal, "v0=")
	}
	return l
}

func TestNoTamperedRequestIsTakenForSlacks(t *testing.T) {
	bottest.Forgeries(t, "requests of Slack", func(*testing.T) bottest.Forger {
		return bottest.Forger{
			Forge: func(r *rand.Rand) (bool, error) {
				l := tampered(r)
				taken, err := takenFor(l.stamp, l.seal, l.body)
				return !taken, err
			},
			Genuine: func(r *rand.Rand) error {
				l := genuine(r)
				taken, err := takenFor(l.stamp, l.seal, l.body)
				if err == nil && !taken {
					err = errors.New(l.stamp + " " + l.seal + " " + l.body)
				}
				return err
			},
		}
	})
}
