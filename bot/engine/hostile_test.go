package engine_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// hostility is a platform at its worst: of a hundred sends thirty are throttled,
// ten meet a fault of the server, and five are taken before the connection
// breaks, so that nobody learns of it.
type hostility struct {
	w      *world
	rnd    *rand.Rand
	until  map[string]time.Time // op and place -> the platform wants none before: limits are of methods
	broken map[string]int       // key -> how often it was taken and nobody learned of it
	count  map[string]int       // what happened how often
}

func (h *hostility) throttled(op string, at bot.Place) error {
	d := time.Duration(1+h.rnd.IntN(60)) * time.Second
	h.until[op+at.Root().String()] = h.w.clock.Now().Add(d)
	h.count["throttled"]++
	return &bot.Failure{Kind: bot.KindThrottled, RetryAfter: d, Says: "Slow down."}
}

func (h *hostility) fate(op string, at bot.Place, m bot.Message) fate {
	h.count["send"]++
	h.early(op, at)
	n := h.rnd.IntN(100)
	switch {
	case n < 30:
		return fate{err: h.throttled(op, at)}
	case n < 40:
		h.count["fault"]++
		// Whether a post that meets one arrived nobody knows, except that this
		// one says it did not.
		if op == "post" && h.w.finder && h.rnd.IntN(2) == 0 {
			return refused(bot.KindAmbiguous)
		}
		return refused(bot.KindUnreachable)
	case n < 45 && (h.w.finder || h.broken[m.Key] == 0): // twice it would be a dead letter: deliver_test.go
		h.count["reset"]++
		if op == "post" {
			h.broken[m.Key]++
		}
		return fate{lands: true, err: &bot.Failure{Kind: bot.KindAmbiguous, Says: "The connection broke."}}
	}
	return fine
}

func (h *hostility) lookUp(at bot.Place) error {
	h.early("look-up", at)
	if h.rnd.IntN(100) < 30 {
		return h.throttled("look-up", at)
	}
	return nil
}

func (h *hostility) early(op string, at bot.Place) {
	if until := h.until[op+at.Root().String()]; h.w.clock.Now().Before(until) {
		h.w.t.Errorf("a %s at %s comes %v before the platform wants it", op, at, until.Sub(h.w.clock.Now()))
	}
}

// tale is an issue as it goes on: each of its posts has a number.
type tale struct {
	id, service, status string
	began               time.Time
	findings            []int
}

func (x *tale) raw() json.RawMessage {
	var posts []string
	for _, n := range x.findings {
		posts = append(posts, fmt.Sprintf("finding %d.", n))
	}
	return raised(x.id, x.service, "incident", x.status, x.began, posts...)
}

// goesOn adds what the next reading finds: now and then a new issue, never so
// many that they share a root, and one or two posts of those that are there.
func goesOn(rnd *rand.Rand, tales []*tale, n *int, reading int, now time.Time) []*tale {
	old := len(tales)
	if reading%3 == 0 {
		*n++
		tales = append(tales, &tale{id: fmt.Sprintf("EX%d", 100+len(tales)), service: []string{"Exchange Online", "Microsoft Teams"}[rnd.IntN(2)],
			status: "serviceDegradation", began: now, findings: []int{*n}})
	}
	for range min(old, rnd.IntN(4)) {
		x := tales[rnd.IntN(old)] // what a new issue says at first is in its root
		*n++
		x.findings = append(x.findings, *n)
		if rnd.IntN(3) == 0 {
			x.status = []string{"serviceInterruption", "serviceRestored", "serviceDegradation", "restoringService"}[rnd.IntN(4)]
		}
	}
	return tales
}

var numbered = regexp.MustCompile(`finding (\d+)\.`)

// Whatever the platform does, each issue has one root in each channel that
// follows it, each post is told once and in order, and the roots end as the
// issues do. Where the platform can look messages up nothing stands there twice;
// elsewhere only what was in flight when a connection broke, and once more.
// KEYTURN_LONG=1 tries fifty times as many ways.
func TestAHostilePlatformLosesNothingAndRepeatsNothing(t *testing.T) {
	seeds := 4
	if os.Getenv("KEYTURN_LONG") != "" {
		seeds = 200
	}
	count := map[string]int{}
	for _, finds := range []bool{true, false} {
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprintf("look-up=%v/seed=%d", finds, seed), func(t *testing.T) { endure(t, finds, seed, count) })
		}
	}
	for kind, least := range map[string]int{"throttled": 25, "fault": 7, "reset": 2} {
		if got := 100 * count[kind] / max(1, count["send"]); got < least {
			t.Errorf("%d %% of the sends were met with a %s: %v", got, kind, count)
		}
	}
}

func endure(t *testing.T, finds bool, seed uint64, count map[string]int) {
	w := newWorld(t)
	w.finder, w.pace = finds, engine.NewLimits()
	w.store.Close()
	w.open()
	subs := map[string]incident.Subscription{}
	w.commit("subs", func(d *engine.Draft) error {
		for i, services := range [][]string{nil, nil, {"Exchange Online"}} {
			s := incident.Subscription{ID: fmt.Sprint("s", i), Tenant: "contoso", Style: incident.Live, Services: services, Made: d.Now,
				Place: bot.Place{Platform: bot.Slack, Team: "T1", Channel: fmt.Sprint("C", i)}}
			subs[s.ID] = s
			d.Out.Subscriptions = append(d.Out.Subscriptions, s)
		}
		return nil
	})
	w.seeded()
	h := &hostility{w: w, rnd: rand.New(rand.NewPCG(seed, 1)), until: map[string]time.Time{}, broken: map[string]int{}, count: count}
	w.chat.fate, w.chat.lookUp = h.fate, h.lookUp

	changes := rand.New(rand.NewPCG(seed, 2))
	var tales []*tale
	n := 0
	for reading := range 15 {
		tales = goesOn(changes, tales, &n, reading, w.clock.Now())
		var issues []json.RawMessage
		for _, x := range tales {
			issues = append(issues, x.raw())
		}
		if changes.IntN(3) == 0 {
			h.endsIn(changes.IntN(20), issues)
		} else {
			w.news(issues...)
		}
	}
	w.pass(3 * time.Hour)

	if dead := w.dead(); len(dead) > 0 {
		t.Errorf("given up: %+v", dead)
	}
	for _, s := range subs {
		for _, x := range tales {
			told(t, w, h, s, x)
		}
	}
	most := 1
	if !finds {
		most = 2
	}
	keys := map[string]int{}
	for _, m := range w.chat.messages {
		keys[m.Key]++
		if c := keys[m.Key]; c > most || c > 1+h.broken[m.Key] {
			t.Errorf("%s stands there %d times", m.Key, c)
		}
	}
}

// endsIn is a reading in whose work the process ends, with a job in its hands.
func (h *hostility) endsIn(jobs int, issues []json.RawMessage) {
	w := h.w
	w.t.Helper()
	w.health.set(nil, issues...)
	for n := 0; ; {
		got, err := w.store.Claim(w.t.Context(), w.clock.Now(), 1)
		if err != nil {
			w.t.Fatal(err)
		}
		switch {
		case len(got) == 1 && n == jobs:
			w.pace = engine.NewLimits() // what it knew of limits ends with it
			clear(h.until)
			w.restart()
			w.pass(2*time.Minute + time.Second)
			return
		case len(got) == 1:
			n++
			w.engine.Do(w.t.Context(), got[0])
		default:
			next, ok, err := w.store.Next(w.t.Context())
			if err != nil || !ok {
				w.t.Fatal("nothing is to be done any more", err)
			}
			w.clock.pass(next.Sub(w.clock.Now()))
		}
	}
}

// told checks what a channel has read of an issue.
func told(t *testing.T, w *world, h *hostility, s incident.Subscription, x *tale) {
	t.Helper()
	key := "incident/" + s.ID + "/" + x.id + "/root"
	roots := w.chat.keyed(key)
	if follows := len(s.Services) == 0 || slices.Contains(s.Services, x.service); !follows {
		if len(roots) > 0 {
			t.Errorf("%s: %s is told and not followed", s.ID, x.id)
		}
		return
	}
	if len(roots) == 0 {
		t.Errorf("%s: %s has no root", s.ID, x.id)
		return
	}
	sent, _ := w.sent(key)
	last := fmt.Sprintf("finding %d.", x.findings[len(x.findings)-1])
	for _, m := range roots {
		if m.Ref.ID == sent.Ref.ID && (!strings.Contains(m.Words, last) || strings.Contains(m.Words, "esolved") != (x.status == "serviceRestored")) {
			t.Errorf("%s: the root of %s, which is in %s and ends with %s, says\n%s", s.ID, x.id, x.status, last, m.Words)
		}
	}
	var read []int
	seen := map[string]bool{}
	for _, m := range w.chat.at(s.Place) {
		if m.Ref.Place.Thread != sent.Ref.ID || seen[m.Key] {
			continue
		}
		seen[m.Key] = true
		for _, f := range numbered.FindAllStringSubmatch(m.Words, -1) {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			read = append(read, n)
		}
	}
	if want := x.findings[1:]; !slices.Equal(read, want) {
		t.Errorf("%s: the thread of %s tells %v, want %v", s.ID, x.id, read, want)
	}
}
