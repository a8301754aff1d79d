package slack

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/test/beside"
)

func TestEveryPublishedSignatureCaseIsJudgedAsExpected(t *testing.T) {
	var file struct {
		Vectors []struct {
			Name, Timestamp, Secret, Body, Signature, Expect string
			Now                                              int64
		}
	}
	if err := json.Unmarshal(beside.Contract(t, "signing-vectors.json"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 20 {
		t.Fatalf("only %d cases", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			err := verify(bot.NewSecret(v.Secret), time.Unix(v.Now, 0), v.Timestamp, v.Signature, []byte(v.Body))
			switch {
			case v.Expect == "accept" && err != nil:
				t.Errorf("refused: %v", err)
			case v.Expect == "reject" && err == nil:
				t.Error("accepted")
			}
		})
	}
}

func TestSignedRequestsOfTheDocumentationAreAccepted(t *testing.T) {
	var cases []struct {
		Secret    string `json:"signing_secret"`
		Timestamp string `json:"timestamp"`
		Body      string `json:"body"`
		Signature string `json:"signature"`
	}
	if err := json.Unmarshal(beside.Data(t, "slack/signed-requests.json"), &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		at, err := strconv.ParseInt(c.Timestamp, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(bot.NewSecret(c.Secret), time.Unix(at, 0), c.Timestamp, c.Signature, []byte(c.Body)); err != nil {
			t.Errorf("%s: %v", c.Timestamp, err)
		}
		for i := range len(c.Body) {
			changed := []byte(c.Body)
			changed[i] ^= 1
			if verify(bot.NewSecret(c.Secret), time.Unix(at, 0), c.Timestamp, c.Signature, changed) == nil {
				t.Fatalf("a body that differs at byte %d was accepted", i)
			}
		}
	}
}

func TestWhatSlackDidNotSignIsNotRead(t *testing.T) {
	body := "command=%2Fkeyturn&team_id=" + team + "&user_id=" + alice + "&trigger_id=1.2.a"
	fresh := func() *http.Request { return signedRequest("/slack/commands", formType, body) }
	cases := []struct {
		name string
		make func() *http.Request
		code int
		says string
	}{
		{"no signature", func() *http.Request { r := fresh(); r.Header.Del("X-Slack-Signature"); return r }, 401, "signing secret"},
		{"no timestamp", func() *http.Request { r := fresh(); r.Header.Del("X-Slack-Request-Timestamp"); return r }, 401, "signing secret"},
		{"two signatures", func() *http.Request { r := fresh(); r.Header.Add("X-Slack-Signature", "v0=00"); return r }, 401, "signing secret"},
		{"another secret", func() *http.Request {
			r := fresh()
			_, s := sign("not the secret", noon, body)
			r.Header.Set("X-Slack-Signature", s)
			return r
		}, 401, "signing secret"},
		{"an old one", func() *http.Request {
			r := fresh()
			at, s := sign(testSecret, noon.Add(-301*time.Second), body)
			r.Header.Set("X-Slack-Request-Timestamp", at)
			r.Header.Set("X-Slack-Signature", s)
			return r
		}, 403, "clock"},
		{"GET", func() *http.Request { return httptest.NewRequest(http.MethodGet, "/slack/commands", nil) }, 405, "POST"},
		{"JSON for a command", func() *http.Request { r := fresh(); r.Header.Set("Content-Type", jsonType); return r }, 415, formType},
		{"no content type", func() *http.Request { r := fresh(); r.Header.Del("Content-Type"); return r }, 415, formType},
		{"too large", func() *http.Request {
			return signedRequest("/slack/commands", formType, strings.Repeat("a", maxBody+1))
		}, 413, "1 MiB"},
		{"another path", func() *http.Request { return signedRequest("/slack/commands/x", formType, body) }, 404, "/slack/events"},
		{"a trailing slash", func() *http.Request { return signedRequest("/slack/commands/", formType, body) }, 404, "/slack/events"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := newApp(t)
			w := httptest.NewRecorder()
			a.h.ServeHTTP(w, c.make())
			if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("got %d %q, want %d with %q", w.Code, w.Body, c.code, c.says)
			}
			if n := len(a.desk.requests()); n != 0 {
				t.Errorf("the desk was asked %d times", n)
			}
		})
	}
}

func TestAnAdapterWithoutSigningSecretTakesNothing(t *testing.T) {
	a := New(Config{Now: fixed, Desk: &desk{}, Log: slog.New(slog.DiscardHandler)})
	r := httptest.NewRequest(http.MethodPost, "/slack/commands", strings.NewReader("a=b"))
	r.Header.Set("Content-Type", formType)
	stamp, signature := sign("", noon, "a=b")
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", signature)
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, r)
	if w.Code != 401 {
		t.Errorf("got %d, want 401", w.Code)
	}
}

// Whoever floods the endpoint does not fill the disk with lines about it.
func TestRefusedRequestsDoNotFloodTheLog(t *testing.T) {
	a := newApp(t)
	knock := func() {
		t.Helper()
		r := signedRequest("/slack/commands", formType, "text=help")
		r.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("ab", 32))
		w := httptest.NewRecorder()
		a.h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Fatalf("a request that Slack did not sign was answered %d", w.Code)
		}
	}
	for range 500 {
		knock()
	}
	if n := strings.Count(a.log.String(), "refused before"); n != 1 {
		t.Errorf("500 refusals made %d lines", n)
	}
	a.now = func() time.Time { return fixed().Add(2 * time.Minute) }
	knock()
	if !strings.Contains(a.log.String(), "times=500") {
		t.Errorf("the log does not say how often:\n%s", a.log)
	}
}
