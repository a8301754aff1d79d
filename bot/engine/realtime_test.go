package engine_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// strict is a platform that enforces its published limits by the wall's clock.
type strict struct {
	*chat
	mu      sync.Mutex
	wire    *wire
	refused map[string]int       // by channel
	last    map[string]time.Time // by channel: when it had its newest reply
	replies int
	roots   map[string]string // by channel: what its root says
}

func (s *strict) send(at bot.Place, m bot.Message, edit bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, room := time.Now(), at.Root().String()
	if edit && !s.wire.take(now, "edits", 50, time.Minute) || !edit && s.wire.refuses(now, engine.Send{At: at}) {
		s.refused[room]++
		return &bot.Failure{Kind: bot.KindThrottled, RetryAfter: time.Second, Says: "Slow down."}
	}
	switch {
	case edit:
		s.wire.sent["edits"] = append(s.wire.sent["edits"], now)
		s.roots[room] = m.Words()
	case at.Thread == "":
		s.roots[room] = m.Words()
	default:
		s.replies++
		s.last[room] = now
	}
	return nil
}

func (s *strict) Post(ctx context.Context, at bot.Place, m bot.Message) (bot.MessageRef, error) {
	if err := s.send(at, m, false); err != nil {
		return bot.MessageRef{}, err
	}
	return s.chat.Post(ctx, at, m)
}

func (s *strict) Edit(ctx context.Context, ref bot.MessageRef, m bot.Message) error {
	if err := s.send(ref.Place, m, true); err != nil {
		return err
	}
	return s.chat.Edit(ctx, ref, m)
}

func (s *strict) count(what func() int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return what()
}

// Twenty changes reach fifty channels of a Slack that enforces its limits, by the
// wall's clock: about five minutes, with KEYTURN_LONG=1.
func TestTwentyChangesReachFiftyChannelsUnderEnforcedLimits(t *testing.T) {
	if os.Getenv("KEYTURN_LONG") == "" {
		t.Skip("takes five minutes; KEYTURN_LONG=1 runs it")
	}
	const channels, changes = 50, 20
	w := newWorld(t)
	w.commit("subs", func(d *engine.Draft) error {
		for i := range channels {
			d.Out.Subscriptions = append(d.Out.Subscriptions, incident.Subscription{ID: fmt.Sprint("s", i), Tenant: "contoso", Style: incident.Live, Made: d.Now,
				Place: bot.Place{Platform: bot.Slack, Team: "T1", Channel: fmt.Sprint("C", i)}})
		}
		return d.Told(w.tenant, nil) // seeds
	})
	began := w.clock.Now()
	read := func(n int) {
		w.clock.pass(time.Minute)
		w.commit(fmt.Sprint("reading", n), func(d *engine.Draft) error {
			var words []string
			for i := range n + 1 {
				words = append(words, fmt.Sprintf("word %d.", i))
			}
			is, err := incident.Parse(raised("EX100", "Exchange Online", "incident", "serviceDegradation", began, words...))
			if err != nil {
				return err
			}
			return d.Told(w.tenant, []incident.Issue{is})
		})
	}
	s := &strict{chat: w.chat, wire: &wire{sent: map[string][]time.Time{}}, refused: map[string]int{}, last: map[string]time.Time{}, roots: map[string]string{}}
	e := engine.New(engine.Config{Env: w.env, Store: w.store, Chats: map[bot.Platform]engine.Chat{bot.Slack: s}, Now: time.Now, ID: w.id, Pace: engine.NewLimits()})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	until := func(what string, done func() bool) {
		t.Helper()
		again := time.NewTicker(20 * time.Millisecond)
		defer again.Stop()
		limit := time.After(10 * time.Minute)
		for !done() {
			select {
			case <-again.C:
			case <-limit:
				t.Fatalf("waited for %s: %d replies", what, s.count(func() int { return s.replies }))
			}
		}
	}
	read(0)
	until("the roots", func() bool { return s.count(func() int { return len(s.roots) }) == channels })
	start := time.Now()
	for n := range changes {
		read(n + 1)
	}
	until("the news", func() bool { return s.count(func() int { return s.replies }) == channels*changes })
	took := time.Since(start)
	until("the roots to be up to date", func() bool {
		return s.count(func() int {
			n := 0
			for _, words := range s.roots {
				if strings.Contains(words, fmt.Sprintf("word %d.", changes)) {
					n++
				}
			}
			return n
		}) == channels
	})
	all := time.Since(start)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	best := least(bot.Slack, channels, changes)
	ratio := took.Seconds() / best.Seconds()
	t.Logf("%d messages to %d channels in %v, %.3f of the least of %v; roots up to date after %v; refused: %v", channels*changes, channels, took, ratio, best, all, s.refused)
	if ratio > 1.05 {
		t.Errorf("the last channel has the news after %v, which is %.3f of %v", took, ratio, best)
	}
	for room, n := range s.refused {
		if n > 1 {
			t.Errorf("%s was refused %d times", room, n)
		}
	}
	keys := map[string]int{}
	for _, m := range w.chat.messages {
		if keys[m.Key]++; keys[m.Key] > 1 {
			t.Errorf("%s stands there twice", m.Key)
		}
	}
	if len(keys) != channels*(changes+1) || len(w.dead()) > 0 {
		t.Errorf("%d messages, %d given up", len(keys), len(w.dead()))
	}
}
