package slack

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
)

// forged is a request that Slack did not send like that.
type forged struct {
	path, kind, body string
	stamps, seals    []string
}

// hostiles are requests that must be refused, each for a reason of its own.
func hostiles() map[string]forged {
	body := "command=%2Fkeyturn&team_id=" + team + "&user_id=" + alice + "&trigger_id=1.2.a&text=status"
	stamp, good := sign(testSecret, noon, body)
	digits := strings.TrimPrefix(good, "v0=")
	at := func(d time.Duration) (string, string) { return sign(testSecret, noon.Add(d), body) }
	old, oldSeal := at(-301 * time.Second)
	future, futureSeal := at(301 * time.Second)
	year, yearSeal := at(-365 * 24 * time.Hour)
	_, otherSeal := sign("another secret", noon, body)
	_, emptySeal := sign("", noon, body)
	_, spaceSeal := sign(testSecret+" ", noon, body)
	_, otherBody := sign(testSecret, noon, body+"&x=1")
	raw, _ := hex.DecodeString(digits)
	flipped := bytes.Clone(raw)
	flipped[len(flipped)-1] ^= 1
	one := func(seal string) forged { return forged{body: body, stamps: []string{stamp}, seals: []string{seal}} }
	when := func(stamp string) forged { return forged{body: body, stamps: []string{stamp}, seals: []string{good}} }
	said := func(body string) forged { return forged{body: body, stamps: []string{stamp}, seals: []string{good}} }
	return map[string]forged{
		"no signature":                        {body: body, stamps: []string{stamp}},
		"no timestamp":                        {body: body, seals: []string{good}},
		"neither":                             {body: body},
		"an empty signature":                  one(""),
		"only the version":                    one("v0="),
		"no version":                          one(digits),
		"another version":                     one("v1=" + digits),
		"no version number":                   one("v=" + digits),
		"the version twice":                   one("v0=v0=" + digits),
		"the version in capitals":             one("V0=" + digits),
		"a blank before":                      one(" " + good),
		"a blank behind":                      one(good + " "),
		"a comma and another":                 one(good + ",v0=00"),
		"a null byte behind":                  one(good + "\x00"),
		"one digit missing":                   one(good[:len(good)-1]),
		"two digits missing":                  one(good[:len(good)-2]),
		"two digits more":                     one(good + "00"),
		"no digits but words":                 one("v0=" + strings.Repeat("zz", 32)),
		"all zero":                            one("v0=" + strings.Repeat("00", 32)),
		"all ones":                            one("v0=" + strings.Repeat("ff", 32)),
		"the last bit flipped":                one("v0=" + hex.EncodeToString(flipped)),
		"reversed":                            one("v0=" + hex.EncodeToString(append(raw[16:], raw[:16]...))),
		"a megabyte of digits":                one("v0=" + strings.Repeat("0", 1<<20)),
		"another secret":                      one(otherSeal),
		"an empty secret":                     one(emptySeal),
		"the secret with a blank":             one(spaceSeal),
		"the secret itself as signature":      one("v0=" + hex.EncodeToString([]byte(testSecret))),
		"of another body":                     one(otherBody),
		"two signatures, the good one first":  {body: body, stamps: []string{stamp}, seals: []string{good, "v0=00"}},
		"two signatures, the good one last":   {body: body, stamps: []string{stamp}, seals: []string{"v0=00", good}},
		"the good signature twice":            {body: body, stamps: []string{stamp}, seals: []string{good, good}},
		"two timestamps, the good one first":  {body: body, stamps: []string{stamp, old}, seals: []string{good}},
		"two timestamps, the good one last":   {body: body, stamps: []string{old, stamp}, seals: []string{good}},
		"five minutes and a second old":       {body: body, stamps: []string{old}, seals: []string{oldSeal}},
		"five minutes and a second ahead":     {body: body, stamps: []string{future}, seals: []string{futureSeal}},
		"a year old":                          {body: body, stamps: []string{year}, seals: []string{yearSeal}},
		"an old signature with a fresh time":  {body: body, stamps: []string{stamp}, seals: []string{oldSeal}},
		"a fresh signature with another time": when(strconv.FormatInt(noon.Unix()+1, 10)),
		"a time with a sign":                  when("+" + stamp),
		"a negative time":                     when("-" + stamp),
		"a time with a fraction":              when(stamp + ".0"),
		"a time in exponents":                 when("1e9"),
		"a time in hexadecimal":               when("0x" + strconv.FormatInt(noon.Unix(), 16)),
		"a time with a zero before":           when("0" + stamp),
		"a time with a blank":                 when(stamp + " "),
		"a time in other digits":              when("١٢٣٤٥٦٧٨٩٠"),
		"a time that overflows":               when("99999999999999999999"),
		"a time of nothing":                   when(""),
		"a byte more at the end":              said(body + "&"),
		"a byte less at the end":              said(body[:len(body)-1]),
		"another person":                      said(strings.Replace(body, alice, "U0MALLORY", 1)),
		"another workspace":                   said(strings.Replace(body, team, "T0MALLORY", 1)),
		"another order":                       said("team_id=" + team + "&command=%2Fkeyturn&user_id=" + alice + "&trigger_id=1.2.a&text=status"),
		"another encoding of the same":        said(strings.Replace(body, "%2F", "%2f", 1)),
		"an empty body":                       said(""),
		"the colon moved":                     {body: ":" + body, stamps: []string{stamp}, seals: []string{good}},
		"signed for another path":             {path: "/slack/interactions", kind: formType, body: body + " ", stamps: []string{stamp}, seals: []string{good}},
	}
}

func TestNoForgedRequestIsRead(t *testing.T) {
	all := hostiles()
	if len(all) < 40 {
		t.Fatalf("only %d requests are tried", len(all))
	}
	for name, f := range all {
		a := newApp(t)
		path, kind := "/slack/commands", formType
		if f.path != "" {
			path, kind = f.path, f.kind
		}
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(f.body))
		r.Header.Set("Content-Type", kind)
		for _, s := range f.stamps {
			r.Header.Add("X-Slack-Request-Timestamp", s)
		}
		for _, s := range f.seals {
			r.Header.Add("X-Slack-Signature", s)
		}
		w := httptest.NewRecorder()
		a.h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized && w.Code != http.StatusForbidden {
			t.Errorf("%s: got %d", name, w.Code)
		}
		if n := len(a.desk.requests()); n != 0 {
			t.Errorf("%s: the desk heard of it", name)
		}
		if strings.Contains(w.Body.String(), testSecret) {
			t.Errorf("%s: the refusal holds the secret", name)
		}
	}
}

// A request that is caught and sent again within the five minutes is taken for
// what it is: a repeat, under the same delivery key.
func TestAReplayWithinTheWindowHasTheSameKey(t *testing.T) {
	a := newApp(t)
	body := "command=%2Fkeyturn&team_id=" + team + "&user_id=" + alice + "&trigger_id=1.2.a&text=status&channel_id=C1"
	for range 3 {
		w := httptest.NewRecorder()
		a.h.ServeHTTP(w, signedRequest("/slack/commands", formType, body))
	}
	got := a.desk.requests()
	if len(got) == 0 {
		t.Fatal("the desk heard nothing")
	}
	for _, r := range got {
		if r.Key == "" || r.Key != got[0].Key {
			t.Errorf("a replay came with the key %q, the first with %q", r.Key, got[0].Key)
		}
	}
}

func FuzzSignature(f *testing.F) {
	stamp, good := sign(testSecret, noon, "body")
	f.Add(stamp, good, "body")
	for _, h := range hostiles() {
		if len(h.stamps) == 1 && len(h.seals) == 1 && len(h.seals[0]) < 1000 {
			f.Add(h.stamps[0], h.seals[0], h.body)
		}
	}
	f.Fuzz(func(t *testing.T, stamp, seal, body string) {
		if _, err := takenFor(stamp, seal, body); err != nil {
			t.Fatal(err)
		}
	})
}

// takenFor reports whether a request is taken for Slack's. Its error says that one
// was which Slack's secret did not sign as it is, or not in these five minutes.
func takenFor(stamp, seal, body string) (taken bool, err error) {
	if verify(bot.NewSecret(testSecret), noon, stamp, seal, []byte(body)) != nil {
		return false, nil
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || noon.Sub(time.Unix(at, 0)).Abs() > window*time.Second {
		return true, fmt.Errorf("accepted the time %q", stamp)
	}
	if _, want := sign(testSecret, time.Unix(at, 0), body); !strings.EqualFold(seal, want) {
		return true, fmt.Errorf("accepted %q of %q for %q", seal, stamp, body)
	}
	return true, nil
}
