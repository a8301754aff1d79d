package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
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
// known. A reading asks for what changed, so both get the same ten issues. The
// two take turns, and their medians are compared: the disk is never as fast as a
// moment ago.
func BenchmarkPollUnchanged(b *testing.B) {
	opened := func(known int) *world {
		w := newWorld(b)
		w.subscribed()
		w.seeded(manyIssues(b, known)...)
		w.health.set(nil, manyIssues(b, 10)...)
		return w
	}
	worlds := []*world{opened(10), opened(10_000)}
	took := make([][]time.Duration, len(worlds))
	var sends int
	for _, w := range worlds {
		sends += w.chat.attempts
	}
	for b.Loop() {
		for i, w := range worlds {
			begun := time.Now()
			w.poll(b)
			took[i] = append(took[i], time.Since(begun))
		}
	}
	few, many := median(took[0]), median(took[1])
	b.ReportMetric(0, "ns/op") // both together say nothing
	b.ReportMetric(float64(few.Nanoseconds()), "ns/of-10")
	b.ReportMetric(float64(many.Nanoseconds()), "ns/of-10000")
	b.ReportMetric(100*float64(many)/float64(few), "%-of-few")
	for _, w := range worlds {
		sends -= w.chat.attempts
	}
	if sends != 0 {
		b.Errorf("%d sends for nothing", -sends)
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
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
