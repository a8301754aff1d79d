package engine

import (
	"slices"
	"sync"
	"time"

	"keyturn/bot"
)

// Send is one thing that wants to go out to a chat platform.
type Send struct {
	Job   bot.JobID // whose turn it is, where a job asks again
	At    bot.Place
	Edit  bool
	Home  bool // the bot's own page for one person
	Class bot.Class
}

// Pace holds a send back until a platform's published rate limits allow it.
type Pace interface {
	// Take returns how long a send has to wait; zero lets it go and counts it.
	Take(now time.Time, s Send) time.Duration
	// Throttled says that a platform refused a send all the same, and for how
	// long it wants none.
	Throttled(now time.Time, s Send, after time.Duration)
}

// limit names the narrowest limit that a send counts against, which is the one that
// a refusal is taken to mean: a platform names none.
func (s Send) limit() string {
	team := string(s.At.Platform) + ":" + s.At.Team
	switch {
	case s.At.Platform == bot.Teams:
	case s.Home:
		return team + "/home"
	case s.Edit:
		return team + "/edit"
	}
	return s.At.Root().String()
}

// window allows count sends in any stretch of time of its length.
type window struct {
	count int
	in    time.Duration
}

// part is one of so many parts of a window: fewer sends, and where that is less
// than one, one in a longer time.
func (w window) part(parts int) window {
	if w.count >= parts {
		return window{w.count / parts, w.in}
	}
	return window{1, w.in * time.Duration(parts) / time.Duration(w.count)}
}

// The platforms' published limits. Slack's "Rate limits" page: about one
// message a second and channel, with short bursts, and several hundred a minute
// and workspace; chat.update is Tier 3 and views.publish Tier 4, 50 and 100 a
// minute and workspace. Teams' "Rate limiting for bots": of one bot in one
// conversation 7 in a second, 8 in two, 60 in 30 and 1,800 in an hour, and 50 a
// second in a tenant.
var (
	slackChannel   = []window{{3, 3 * time.Second}}
	slackPosts     = []window{{300, time.Minute}}
	slackEdits     = []window{{50, time.Minute}}
	slackHomes     = []window{{100, time.Minute}}
	teamsChannel   = []window{{7, time.Second}, {8, 2 * time.Second}, {60, 30 * time.Second}, {1800, time.Hour}}
	teamsEverybody = []window{{50, time.Second}}
)

// jitter is how much longer than published a window is held to last: what left
// here a moment apart may arrive at once.
const jitter = 50 // a fiftieth

// Limits is a [Pace] of the platforms' published limits. A send that has to
// wait is given a turn, so that a crowd does not come back all at once; one of
// the classes that people wait for takes the next free place, whoever else has
// a turn. The zero value is not ready: use [NewLimits].
type Limits struct {
	// Share says how many processes send to the same platforms now: each keeps to
	// its part of every limit, whoever of them has what to send. Up to three keep
	// to all of them; more may be refused now and then, since Slack lets three
	// messages into a channel at once. nil is one alone.
	Share func() int

	mu      sync.Mutex
	buckets map[string]*bucket
}

// NewLimits begins as if nothing had been sent yet.
func NewLimits() *Limits { return &Limits{buckets: map[string]*bucket{}} }

// bucket counts what falls under one limit.
type bucket struct {
	windows []window
	sent    []time.Time // oldest first, as far back as the longest window
	turns   []turn      // by their time
	closed  time.Time   // the platform wants nothing until then
}

type turn struct {
	job bot.JobID
	at  time.Time
}

// Take implements [Pace].
func (l *Limits) Take(now time.Time, s Send) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.of(s)
	urgent := s.Class < bot.ClassIncident
	parts := 1
	if l.Share != nil {
		parts = max(1, l.Share())
	}
	for _, b := range of {
		urgent = b.forget(now, s.Job, parts) || urgent // whose turn has come does not stand in line again
	}
	free := now
	for _, b := range of {
		free = later(free, b.free(now, !urgent, parts))
	}
	for _, b := range of {
		switch {
		case !free.After(now):
			b.sent = append(b.sent, now)
		case s.Class >= bot.ClassIncident:
			b.turns = append(b.turns, turn{s.Job, free})
			slices.SortStableFunc(b.turns, func(x, y turn) int { return x.at.Compare(y.at) })
		}
	}
	return free.Sub(now)
}

// Throttled implements [Pace].
func (l *Limits) Throttled(now time.Time, s Send, after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.of(s)[0]
	b.closed = later(b.closed, now.Add(after))
}

// of gives what a send counts against, the narrowest first.
func (l *Limits) of(s Send) []*bucket {
	team := string(s.At.Platform) + ":" + s.At.Team
	switch {
	case s.At.Platform == bot.Teams:
		return []*bucket{l.bucket(s.limit(), teamsChannel), l.bucket(team, teamsEverybody)}
	case s.Home:
		return []*bucket{l.bucket(s.limit(), slackHomes)}
	case s.Edit:
		return []*bucket{l.bucket(s.limit(), slackEdits)}
	}
	return []*bucket{l.bucket(s.limit(), slackChannel), l.bucket(team, slackPosts)}
}

func (l *Limits) bucket(key string, windows []window) *bucket {
	b := l.buckets[key]
	if b == nil {
		b = &bucket{windows: windows}
		l.buckets[key] = b
	}
	return b
}

// forget drops what no window reaches back to, turns that nobody took, and
// those of a job. It reports whether the job's turn had come.
func (b *bucket) forget(now time.Time, job bot.JobID, parts int) (its bool) {
	oldest := now.Add(-stretched(b.windows[len(b.windows)-1].part(parts).in))
	n, _ := slices.BinarySearchFunc(b.sent, oldest, time.Time.Compare)
	b.sent = b.sent[n:]
	b.turns = slices.DeleteFunc(b.turns, func(t turn) bool {
		if t.job == job {
			its = its || !t.at.After(now)
			return true
		}
		return now.Sub(t.at) > time.Minute // its job was collapsed or finished otherwise
	})
	return its
}

// free is when the next send has room, behind those who have a turn where it
// stands in line.
func (b *bucket) free(now time.Time, inLine bool, parts int) time.Time {
	at := later(now, b.closed)
	n := len(b.sent)
	if inLine {
		n += len(b.turns)
	}
	for _, w := range b.windows {
		w = w.part(parts)
		if i := n - w.count; i >= 0 {
			at = later(at, b.at(i).Add(stretched(w.in)))
		}
	}
	return at
}

// at is the time of the i-th of what was sent and what has a turn.
func (b *bucket) at(i int) time.Time {
	if i < len(b.sent) {
		return b.sent[i]
	}
	return b.turns[i-len(b.sent)].at
}

func stretched(d time.Duration) time.Duration { return d + d/jitter }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// NoLimits is a [Pace] that never waits, for measuring.
type NoLimits struct{}

// Take implements [Pace].
func (NoLimits) Take(time.Time, Send) time.Duration { return 0 }

// Throttled implements [Pace].
func (NoLimits) Throttled(time.Time, Send, time.Duration) {}
