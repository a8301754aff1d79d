package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// wireChat is a chat platform without limits behind a real connection.
type wireChat struct {
	url    string
	client *http.Client
	n      atomic.Int64
}

func (c *wireChat) say(ctx context.Context, m bot.Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Body.Close()
}

func (c *wireChat) Platform() bot.Platform { return bot.Slack }

func (c *wireChat) Post(ctx context.Context, at bot.Place, m bot.Message) (bot.MessageRef, error) {
	return bot.MessageRef{Place: at, ID: fmt.Sprint(c.n.Add(1))}, c.say(ctx, m)
}

func (c *wireChat) Edit(ctx context.Context, _ bot.MessageRef, m bot.Message) error {
	return c.say(ctx, m)
}

func (c *wireChat) Answer(context.Context, bot.Account, bot.Place, bot.Return, bot.Message, bool, bool) error {
	return nil
}

func (c *wireChat) Home(context.Context, bot.Account, bot.Message) error { return nil }

// BenchmarkFanOut tells changes to 50 channels, from the reading until each
// message is sent and in the ledger on the disk, beside a loop of bare POSTs of
// as many messages to the same server. KEYTURN_LONG=1 tells 1,000 changes
// instead of 100.
func BenchmarkFanOut(b *testing.B) {
	const channels = 50
	changes := 100
	if os.Getenv("KEYTURN_LONG") != "" {
		changes = 1000
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, `{"ok":true}`)
	}))
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	var bare float64
	b.Run("bare", func(b *testing.B) {
		c := &wireChat{url: srv.URL, client: client}
		m := bot.Say(bot.T("Current status: we are looking into it, word 17 of it."))
		for b.Loop() {
			began := time.Now()
			for range changes * channels {
				if err := c.say(b.Context(), m); err != nil {
					b.Fatal(err)
				}
			}
			bare = float64(changes*channels) / time.Since(began).Seconds()
		}
		b.ReportMetric(bare, "msg/s")
	})
	b.Run("keyturn", func(b *testing.B) {
		var rate float64
		var most uint64
		for b.Loop() {
			rate, most = fanOut(b, srv.URL, client, channels, changes)
		}
		b.ReportMetric(rate, "msg/s")
		b.ReportMetric(float64(most)/(1<<20), "MB-heap")
		if bare > 0 {
			b.ReportMetric(100*rate/bare, "%-of-bare")
		}
	})
}

func fanOut(b *testing.B, url string, client *http.Client, channels, changes int) (rate float64, heap uint64) {
	w := newWorld(b)
	w.store.Close()
	w.durable = true
	w.open()
	c := &wireChat{url: url, client: client}
	w.commit("subs", func(d *engine.Draft) error {
		for i := range channels {
			d.Out.Subscriptions = append(d.Out.Subscriptions, incident.Subscription{ID: fmt.Sprint("s", i), Tenant: "contoso", Style: incident.Live, Made: d.Now,
				Place: bot.Place{Platform: bot.Slack, Team: "T1", Channel: fmt.Sprint("C", i)}})
		}
		return d.Told(w.tenant, nil) // seeds
	})
	const issues = 4
	began := w.clock.Now()
	read := func(n int) {
		w.clock.pass(time.Minute)
		w.commit(fmt.Sprint("reading", n), func(d *engine.Draft) error {
			words := []string{"word 0"}
			for i := issues; i <= n; i += issues {
				words = append(words, fmt.Sprintf("word %d", i))
			}
			is, err := incident.Parse(raised(fmt.Sprintf("EX10%d", n%issues), "Exchange Online", "incident", "serviceDegradation", began, words...))
			if err != nil {
				return err
			}
			return d.Told(w.tenant, []incident.Issue{is})
		})
	}
	e := engine.New(engine.Config{Env: w.env, Store: w.store, Chats: map[bot.Platform]engine.Chat{bot.Slack: c}, Now: w.clock.Now, ID: w.id, Pace: engine.NoLimits{}})
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	ended := make(chan error, 1)
	start := time.Now()
	go func() { ended <- e.Run(ctx) }()
	for n := range changes {
		read(n)
	}
	var mem runtime.MemStats
	for c.n.Load() < int64(channels*changes) {
		runtime.ReadMemStats(&mem)
		heap = max(heap, mem.HeapInuse)
		select {
		case <-time.After(5 * time.Millisecond):
		case <-b.Context().Done():
			b.Fatal("it was stopped")
		}
	}
	rate = float64(channels*changes) / time.Since(start).Seconds()
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	if n := len(w.dead()); n > 0 {
		b.Fatalf("%d messages were given up", n)
	}
	return rate, heap
}
