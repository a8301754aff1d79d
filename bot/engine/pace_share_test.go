package engine_test

import (
	"fmt"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// TestReplicasTogetherKeepToTheLimits has several processes, which know nothing
// of each other's messages but how many they are, send all they can.
func TestReplicasTogetherKeepToTheLimits(t *testing.T) {
	for _, platform := range []bot.Platform{bot.Slack, bot.Teams} {
		for _, n := range []int{1, 2, 3} {
			t.Run(fmt.Sprintf("%s/%d", platform, n), func(t *testing.T) {
				w := &wire{sent: map[string][]time.Time{}}
				var replicas []*engine.Limits
				for range n {
					l := engine.NewLimits()
					l.Share = func() int { return n }
					replicas = append(replicas, l)
				}
				begun := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
				sent, refused := 0, 0
				for now := begun; now.Before(begun.Add(2 * time.Minute)); now = now.Add(50 * time.Millisecond) {
					for i, l := range replicas {
						for channel := range 3 {
							s := engine.Send{Job: bot.JobID(i*3 + channel + 1), At: bot.Place{Platform: platform, Team: "T", Channel: fmt.Sprint("C", channel)}, Class: bot.ClassClick}
							if l.Take(now, s) > 0 {
								continue
							}
							sent++
							if w.refuses(now, s) {
								refused++
							}
						}
					}
				}
				least := 3 * 120 * 49 / 50 // in 3 channels one a second on Slack, less the margin
				if platform == bot.Teams {
					least = 3 * 240 * 49 / 50 // 60 in half a minute
				}
				// Two replicas have two of Slack's three messages between them.
				if refused > 0 || sent < least*6/10 {
					t.Errorf("%d were sent of at least %d, %d of them refused", sent, least, refused)
				}
			})
		}
	}
}
