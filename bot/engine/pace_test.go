package engine_test

import (
	"container/heap"
	"fmt"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// wire is a platform's limits as its simulator enforces them, by sliding
// windows, without the margin that the pace keeps.
type wire struct {
	sent map[string][]time.Time
}

func (w *wire) take(now time.Time, key string, count int, in time.Duration) bool {
	s := w.sent[key]
	return len(s) < count || now.Sub(s[len(s)-count]) >= in
}

// refuses counts a send, or reports that the platform would refuse it.
func (w *wire) refuses(now time.Time, s engine.Send) bool {
	ok := true
	room, team := s.At.Root().String(), s.At.Team
	if s.At.Platform == bot.Slack {
		ok = w.take(now, room, 3, 3*time.Second) && w.take(now, team, 300, time.Minute)
	} else {
		ok = w.take(now, room, 7, time.Second) && w.take(now, room, 8, 2*time.Second) && w.take(now, room, 60, 30*time.Second) &&
			w.take(now, room, 1800, time.Hour) && w.take(now, team, 50, time.Second)
	}
	if ok {
		w.sent[room], w.sent[team] = append(w.sent[room], now), append(w.sent[team], now)
	}
	return !ok
}

// queue is the lanes by when their heads are due.
type queue []*lane

type lane struct {
	send engine.Send
	left int
	due  time.Time
}

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*lane)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// spread sends so many messages to each of so many channels in virtual time.
func spread(t testing.TB, platform bot.Platform, channels, each int) (took time.Duration, asked, refused int) {
	t.Helper()
	limits, w := engine.NewLimits(), &wire{sent: map[string][]time.Time{}}
	var q queue
	for i := range channels {
		at := bot.Place{Platform: platform, Team: "T1", Channel: fmt.Sprintf("C%d", i)}
		q = append(q, &lane{engine.Send{Job: bot.JobID(i), At: at, Class: bot.ClassIncident}, each, start})
	}
	heap.Init(&q)
	now := start
	for len(q) > 0 {
		l := q[0]
		now = l.due
		asked++
		switch wait := limits.Take(now, l.send); {
		case wait > 0:
			l.due = now.Add(wait)
		case w.refuses(now, l.send):
			refused++
			limits.Throttled(now, l.send, time.Second)
			l.due = now.Add(time.Second)
		default:
			if l.left--; l.left == 0 {
				heap.Pop(&q)
				continue
			}
			l.send.Job += bot.JobID(channels)
		}
		heap.Fix(&q, 0)
	}
	return now.Sub(start), asked, refused
}

// least is the arithmetic minimum: the strictest published limit is used up
// from the first second to the last.
func least(platform bot.Platform, channels, each int) time.Duration {
	need := func(n, count int, in time.Duration) time.Duration {
		return time.Duration((n-1)/count) * in
	}
	if platform == bot.Slack {
		return max(need(each, 3, 3*time.Second), need(channels*each, 300, time.Minute))
	}
	return max(need(each, 8, 2*time.Second), need(each, 60, 30*time.Second), need(each, 1800, time.Hour), need(channels*each, 50, time.Second))
}

func TestAThousandChangesReachFiftyChannelsAsFastAsTheLimitsAllow(t *testing.T) {
	for _, platform := range []bot.Platform{bot.Slack, bot.Teams} {
		took, asked, refused := spread(t, platform, 50, 1000)
		best := least(platform, 50, 1000)
		ratio := took.Seconds() / best.Seconds()
		t.Logf("%s: 50,000 messages in %v of virtual time, %.3f of the least of %v; asked %d times, refused %d", platform, took, ratio, best, asked, refused)
		if ratio > 1.05 || ratio < 1 {
			t.Errorf("%s: the last channel has the news after %v, which is %.3f of %v", platform, took, ratio, best)
		}
		if refused > 0 {
			t.Errorf("%s: %d sends would be refused", platform, refused)
		}
		if asked > 3*50*1000 {
			t.Errorf("%s: a send asks %d times for its turn", platform, asked/50000)
		}
	}
}

func TestWhoClicksDoesNotStandInLine(t *testing.T) {
	l := engine.NewLimits()
	edit := func(job int, class bot.Class) engine.Send {
		return engine.Send{Job: bot.JobID(job), At: bot.Place{Platform: bot.Slack, Team: "T1", Channel: fmt.Sprintf("C%d", job)}, Edit: true, Class: class}
	}
	var last time.Duration
	for i := range 200 {
		last = l.Take(start, edit(i, bot.ClassIncident))
	}
	if last < 3*time.Minute {
		t.Errorf("the last of 200 edits has its turn after %v", last)
	}
	if wait := l.Take(start, edit(1000, bot.ClassChecklist)); wait > 62*time.Second {
		t.Errorf("a checklist waits %v behind incidents", wait)
	}
}

func TestARefusalClosesTheChannelAndNoOther(t *testing.T) {
	l := engine.NewLimits()
	post := func(channel string) engine.Send {
		return engine.Send{Job: 1, At: bot.Place{Platform: bot.Slack, Team: "T1", Channel: channel}, Class: bot.ClassClick}
	}
	l.Throttled(start, post("C1"), 17*time.Second)
	if wait := l.Take(start, post("C1")); wait != 17*time.Second {
		t.Errorf("the channel waits %v, Slack asked for 17 seconds", wait)
	}
	if wait := l.Take(start, post("C2")); wait != 0 {
		t.Errorf("another channel waits %v", wait)
	}
}
