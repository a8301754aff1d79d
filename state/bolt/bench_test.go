package bolt

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state/statetest"
)

// click is what a click commits: its answer, an audit entry and a job.
func click(s *Store, key string) error {
	return s.Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
		_, _, err := v.Reply(key)
		return engine.Changes{
			Delivery: &engine.Delivery{Key: key, At: statetest.Start, Reply: bot.Private(bot.Say(bot.T("Approved.")))},
			Audit:    []bot.AuditEntry{{Tenant: "contoso", At: statetest.Start, Person: "p1", Act: "approve"}},
			Jobs:     []bot.Job{{Lane: key, Kind: "say", Due: statetest.Start, Payload: []byte(`{"text":"Approved."}`)}},
		}, err
	})
}

// BenchmarkCommit is committed requests a second, beside what the disk can do:
// every flush of a 4 KiB page, one after another.
func BenchmarkCommit(b *testing.B) {
	for _, committers := range []int{1, 32} {
		b.Run(fmt.Sprintf("committers=%d", committers), func(b *testing.B) {
			c := config(filepath.Join(b.TempDir(), "keyturn.db"))
			c.NoSync = false
			s := open(b, c)
			var n atomic.Int64
			b.SetParallelism(committers) // times GOMAXPROCS
			b.ResetTimer()
			if committers == 1 {
				for b.Loop() {
					if err := click(s, fmt.Sprint(n.Add(1))); err != nil {
						b.Fatal(err)
					}
				}
			} else {
				gate := make(chan struct{}, committers)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						gate <- struct{}{}
						if err := click(s, fmt.Sprint(n.Add(1))); err != nil {
							b.Error(err)
						}
						<-gate
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

func BenchmarkRawFlush(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	if _, err := f.WriteAt(make([]byte, 1<<20), 0); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if _, err := f.WriteAt(page, int64(i%256)*4096); err != nil {
			b.Fatal(err)
		}
		if err := flush(f); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "flushes/s")
}

// large is a file with 10,000 incidents, 1,000 subscriptions, 1,000 runs and
// 10,000 jobs in as many lanes.
func large(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "keyturn.db")
	s := open(b, config(path))
	words := make([]byte, 4096)
	for i := range words {
		words[i] = 'a' + byte(i%23)
	}
	for i := range 10 {
		var c engine.Changes
		for k := range 1000 {
			id := fmt.Sprintf("EX%d%04d", i, k)
			c.Incidents = append(c.Incidents, incident.Known{Tenant: "contoso", Seen: statetest.Start, Issue: incident.Issue{
				ID: id, Resolved: i > 0, Modified: statetest.Start, Posts: []incident.Post{{Content: string(words)}}}})
			c.Jobs = append(c.Jobs, bot.Job{Lane: id, Kind: "say", Due: statetest.Start, Payload: []byte(`{"text":"x"}`)})
		}
		if err := commit(s, c); err != nil {
			b.Fatal(err)
		}
	}
	var c engine.Changes
	for k := range 1000 {
		id := fmt.Sprint("s", k)
		c.Subscriptions = append(c.Subscriptions, incident.Subscription{ID: id, Tenant: "contoso", Made: statetest.Start})
		c.Runs = append(c.Runs, setup.Run{ID: id, Tenant: "contoso", State: setup.RunOpen, Started: statetest.Start, Change: string(words)})
	}
	if err := commit(s, c); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

func BenchmarkOpenLarge(b *testing.B) {
	path := large(b)
	for b.Loop() {
		s, err := Open(config(path))
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClaimOfTenThousandLanes(b *testing.B) {
	s := open(b, config(large(b)))
	for b.Loop() {
		list, err := s.Claim(context.Background(), statetest.Start.Add(time.Hour), 1)
		if err != nil || len(list) != 1 {
			b.Fatal(len(list), err)
		}
		if err := s.Release(context.Background(), list[0].Claim()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkActiveIncidents(b *testing.B) {
	s := open(b, config(large(b)))
	for b.Loop() {
		err := s.Read(context.Background(), func(v engine.View) error {
			list, err := v.Incidents("contoso", false)
			if len(list) != 1000 {
				b.Errorf("%d incidents", len(list))
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
