package slack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/bot"
)

// prompt is a desk that answers at once.
type prompt struct{ reply bot.Reply }

func (p prompt) Handle(context.Context, bot.Request) (bot.Reply, error) { return p.reply, nil }
func (p prompt) FormLost(context.Context, bot.Request, error)           {}

// bare does nothing but check the signature: what any handler costs at least.
func bare(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte(testSecret))
	mac.Write([]byte("v0:" + r.Header.Get("X-Slack-Request-Timestamp") + ":"))
	mac.Write(body)
	got, _ := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Slack-Signature"), "v0="))
	if !hmac.Equal(got, mac.Sum(nil)) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"response_type":"ephemeral","text":"No open setups."}`)
}

// BenchmarkSlashCommand measures signed slash commands over loopback, client
// included, beside a handler that only checks the signature.
func BenchmarkSlashCommand(b *testing.B) {
	reply := bot.Private(scenes()["checklist"])
	a := New(Config{
		SigningSecret: bot.NewSecret(testSecret), Workspaces: map[string]bot.Secret{team: bot.NewSecret(testToken)},
		Now: fixed, Desk: prompt{reply}, Log: slog.New(slog.DiscardHandler),
	})
	for name, h := range map[string]http.Handler{"keyturn": a.Handler(), "bare": http.HandlerFunc(bare)} {
		for _, connections := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/connections=%d", name, connections), func(b *testing.B) { load(b, h, connections) })
		}
	}
}

func load(b *testing.B, h http.Handler, connections int) {
	s := httptest.NewServer(h)
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	body := "token=t&team_id=" + team + "&channel_id=C0OPS&channel_name=ops&user_id=U0ALICE&user_name=alice&command=%2Fkeyturn&text=status" +
		"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT%2F1%2Fx&trigger_id=1.2.abc"
	stamp, signature := sign(testSecret, noon, body)
	var left atomic.Int64
	left.Store(int64(b.N))
	var failed atomic.Int64
	b.ResetTimer()
	began := time.Now()
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				r, _ := http.NewRequest(http.MethodPost, s.URL+"/slack/commands", strings.NewReader(body))
				r.Header.Set("Content-Type", formType)
				r.Header.Set("X-Slack-Request-Timestamp", stamp)
				r.Header.Set("X-Slack-Signature", signature)
				resp, err := client.Do(r)
				if err != nil || resp.StatusCode != http.StatusOK {
					failed.Add(1)
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "req/s")
	if n := failed.Load(); n > 0 {
		b.Fatalf("%d of %d failed", n, b.N)
	}
}

func BenchmarkRender(b *testing.B) {
	for name, m := range scenes() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := PreviewPayload(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
