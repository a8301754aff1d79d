package outward_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/adapters/outward"
	"keyturn/bot"
)

const monitorURL = "https://alerts.contoso.test/ping/canary-uuid"

// clock is a time that tests set.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time       { return at.Add(time.Duration(c.ns.Load())) }
func (c *clock) pass(d time.Duration) { c.ns.Add(int64(d)) }

func monitor(t *testing.T, s *site, c *clock, change func(*outward.HeartbeatConfig)) *outward.Heartbeat {
	t.Helper()
	cfg := outward.HeartbeatConfig{URL: bot.NewSecret(monitorURL), Every: time.Minute, HTTP: s.client, Now: c.now}
	if change != nil {
		change(&cfg)
	}
	h, err := outward.NewHeartbeat(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestABeatSaysHowItIs(t *testing.T) {
	for name, c := range map[string]struct {
		method, fail string
		want         []string // method, path and body
	}{
		"a suffix":        {"", "/fail", []string{"POST /ping/canary-uuid service health read now", "POST /ping/canary-uuid/fail contoso cannot be read"}},
		"another address": {"GET", "https://alerts.contoso.test/push?status=down", []string{"GET /ping/canary-uuid ", "GET /push?status=down "}},
		"by missing it":   {"POST", "", []string{"POST /ping/canary-uuid service health read now"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, c1 := startSite(t, ok), &clock{}
			h := monitor(t, s, c1, func(cfg *outward.HeartbeatConfig) { cfg.Method, cfg.Fail = c.method, bot.NewSecret(c.fail) })
			if sent, err := h.Beat(t.Context(), true, "service health\r\nread now"); !sent || err != nil {
				t.Fatal(sent, err)
			}
			c1.pass(time.Minute)
			if sent, err := h.Beat(t.Context(), false, "contoso cannot be read"); sent != (c.fail != "") || err != nil {
				t.Fatal(sent, err)
			}
			var got []string
			for _, r := range s.got {
				got = append(got, r.method+" "+r.path+" "+r.body)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if strings.Contains(s.log.String(), "canary") {
				t.Errorf("the log: %s", s.log.String())
			}
		})
	}
}

func TestABeatIsNeverMadeMoreOftenThanAsked(t *testing.T) {
	s, c := startSite(t, ok), &clock{}
	h := monitor(t, s, c, nil)
	for range 601 { // ten minutes, asked every second
		if _, err := h.Beat(t.Context(), true, "fine"); err != nil {
			t.Fatal(err)
		}
		c.pass(time.Second)
	}
	if len(s.got) != 11 {
		t.Errorf("%d beats in ten minutes", len(s.got))
	}
	var sent atomic.Int32
	var wait sync.WaitGroup
	c.pass(time.Minute)
	for range 8 {
		wait.Go(func() {
			if s, _ := h.Beat(t.Context(), true, "fine"); s {
				sent.Add(1)
			}
		})
	}
	wait.Wait()
	if sent.Load() != 1 {
		t.Errorf("%d beats at once", sent.Load())
	}
	c.pass(-24 * time.Hour)
	if sent, _ := h.Beat(t.Context(), true, "fine"); !sent {
		t.Error("a clock that was set back silences the heart")
	}
}

func TestABeatThatFailsIsNotMadeUpFor(t *testing.T) {
	status := http.StatusInternalServerError
	s, c := startSite(t, func(w http.ResponseWriter, _ *http.Request) {
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "300")
		}
		w.WriteHeader(status)
	}), &clock{}
	h := monitor(t, s, c, nil)
	_, err := h.Beat(t.Context(), true, "fine")
	fails(t, err, bot.KindUnreachable, "alerts.contoso.test")
	if sent, err := h.Beat(t.Context(), true, "fine"); sent || err != nil {
		t.Errorf("at once again: %v %v", sent, err)
	}
	c.pass(time.Minute)
	status = http.StatusTooManyRequests
	_, err = h.Beat(t.Context(), true, "fine")
	fails(t, err, bot.KindThrottled)
	c.pass(4 * time.Minute)
	if sent, _ := h.Beat(t.Context(), true, "fine"); sent {
		t.Error("the monitor asked for five minutes of peace")
	}
	c.pass(time.Minute)
	status = http.StatusNotFound
	sent, err := h.Beat(t.Context(), true, "fine")
	if fails(t, err, bot.KindRefused, "does not know"); !sent {
		t.Error("a try that was refused was a try")
	}
	if len(s.got) != 3 {
		t.Errorf("%d tries", len(s.got))
	}
}

func TestAHeartbeatConfigurationIsCheckedBeforeItIsNeeded(t *testing.T) {
	good := bot.NewSecret(monitorURL)
	for words, cfg := range map[string]outward.HeartbeatConfig{
		"the heartbeat has no address":    {},
		"heartbeat at alerts.contoso":     {URL: bot.NewSecret("http://alerts.contoso.test/canary")},
		"heartbeat's failure is not a UR": {URL: good, Fail: bot.NewSecret("canary")},
		"heartbeat's failure at alerts":   {URL: good, Fail: bot.NewSecret("http://alerts.contoso.test/canary")},
		"like /fail":                      {URL: good, Fail: bot.NewSecret("/../canary")},
		"GET and POST":                    {URL: good, Method: "DELETE"},
		"a second is the least":           {URL: good, Every: time.Millisecond},
	} {
		if _, err := outward.NewHeartbeat(cfg); err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", words, err)
		}
	}
}

func TestThePublicStatusIsHandedOnAsItIs(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		kind, body string
	}{
		"a status":                {200, "application/json; charset=utf-8", `{"Id":"972a3801","Status":"Available"}`},
		"a page with status 200":  {200, "text/html", "<!DOCTYPE html><title>Status</title>"},
		"an address that is gone": {400, "text/plain", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSite(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				says(c.status, c.body)(w, nil)
			})
			raw, kind, status, err := outward.PublicStatus(t.Context(), s.client, "https://alerts.contoso.test/api/posts/mac")
			if err != nil || string(raw) != c.body || kind != c.kind || status != c.status {
				t.Errorf("%q, %q, %d, %v", raw, kind, status, err)
			}
			if len(s.got) != 1 || s.got[0].path != "/api/posts/mac" || !strings.HasPrefix(s.got[0].header.Get("Accept"), "application/json") {
				t.Errorf("asked: %+v", s.got)
			}
		})
	}
	t.Run("too much", func(t *testing.T) {
		_, _, _, err := outward.PublicStatus(t.Context(), startSite(t, endless).client, "https://alerts.contoso.test/")
		fails(t, err, bot.KindMalformed, "Microsoft's public status page", "more data")
	})
	t.Run("broken off", func(t *testing.T) {
		raw, _, status, err := outward.PublicStatus(t.Context(), startSite(t, brokenOff).client, "https://alerts.contoso.test/")
		if fails(t, err, bot.KindUnreachable); raw != nil || status != 0 {
			t.Errorf("half an answer: %q, %d", raw, status)
		}
	})
	t.Run("a wrong address", func(t *testing.T) {
		_, _, _, err := outward.PublicStatus(t.Context(), nil, "http://status.contoso.test/")
		fails(t, err, bot.KindBadRequest, "not encrypted")
	})
}
