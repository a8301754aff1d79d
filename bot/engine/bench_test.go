package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// manyIssues are invented issues with all their posts.
func manyIssues(b *testing.B, n int) []json.RawMessage {
	b.Helper()
	samples := incident.Samples()
	var out []json.RawMessage
	for i := range n {
		raw := samples[i%len(samples)]
		old := id(b, raw)
		out = append(out, bytes.ReplaceAll(raw, []byte(old), fmt.Appendf(nil, "EX%06d", i)))
	}
	return out
}

// BenchmarkPollUnchanged is a reading that finds nothing new, from Graph's answer
// to the commit in the store's file, where few and where many incidents are
// known. A reading asks for what changed, so both get the same ten issues.
func BenchmarkPollUnchanged(b *testing.B) {
	var few float64
	for _, known := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("known=%d", known), func(b *testing.B) {
			w := newWorld(b)
			w.subscribed()
			w.seeded(manyIssues(b, known)...)
			w.health.set(nil, manyIssues(b, 10)...)
			sends := w.chat.attempts
			b.ReportAllocs()
			for b.Loop() {
				w.poll(b)
			}
			each := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			if known == 10 {
				few = each
			} else if few > 0 {
				b.ReportMetric(100*each/few, "%-of-few")
			}
			if w.chat.attempts != sends {
				b.Errorf("%d sends for nothing", w.chat.attempts-sends)
			}
		})
	}
}

// poll reads service health once.
func (w *world) poll(b *testing.B) {
	for {
		w.clock.pass(2*time.Minute + time.Second)
		jobs, err := w.store.Claim(b.Context(), w.clock.Now(), 1)
		if err != nil || len(jobs) != 1 {
			b.Fatalf("%d jobs, %v", len(jobs), err)
		}
		w.engine.Do(b.Context(), jobs[0])
		if jobs[0].Kind == "poll" {
			return
		}
	}
}

// BenchmarkPoll1000Unchanged is a reading of a thousand issues of which none
// changed, from Graph's answer to the commit in the store's file.
func BenchmarkPoll1000Unchanged(b *testing.B) {
	w := newWorld(b)
	w.subscribed()
	w.seeded(manyIssues(b, 1000)...)
	sends := w.chat.attempts
	b.ReportAllocs()
	for b.Loop() {
		w.poll(b)
	}
	if w.chat.attempts != sends {
		b.Errorf("%d sends for nothing", w.chat.attempts-sends)
	}
	w.read(func(v engine.View) error {
		known, err := v.Incidents("contoso", true)
		if len(known) != 1000 {
			b.Errorf("%d incidents are known", len(known))
		}
		return err
	})
}
