package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// story is an invented issue in one of the states that it goes through.
func story(t testing.TB, which, state int) json.RawMessage {
	t.Helper()
	stories := incident.SampleStories()
	if which >= len(stories) || state >= len(stories[which]) {
		t.Fatalf("there is no state %d of story %d", state, which)
	}
	return stories[which][state]
}

func id(t testing.TB, raw json.RawMessage) string {
	t.Helper()
	is, err := incident.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return is.ID
}

// seeded begins to poll: the first reading tells nothing.
func (w *world) seeded(issues ...json.RawMessage) {
	w.t.Helper()
	w.health.set(nil, issues...)
	if err := w.engine.Begin(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

// news is what the next reading finds.
func (w *world) news(issues ...json.RawMessage) {
	w.t.Helper()
	w.health.set(nil, issues...)
	w.pass(2*time.Minute + time.Second)
}

func (w *world) subscribed() string {
	w.t.Helper()
	w.commit("sub", func(d *engine.Draft) error {
		return d.Subscribe(incident.Subscription{Tenant: "contoso", Place: channel, By: "ada", Style: incident.Live}, nil)
	})
	w.settle()
	var sub string
	w.read(func(v engine.View) error {
		subs, err := v.Subscriptions("contoso")
		if len(subs) == 1 {
			sub = subs[0].ID
		}
		return err
	})
	return sub
}

func TestTheFirstReadingTellsNothing(t *testing.T) {
	w := newWorld(t)
	w.subscribed()
	before := len(w.chat.at(channel))
	w.seeded(story(t, 0, 0), story(t, 1, 0))
	if n := len(w.chat.at(channel)); n != before {
		t.Errorf("%d messages about what was known before", n-before)
	}
	w.read(func(v engine.View) error {
		known, err := v.Incidents("contoso", true)
		if len(known) != 2 {
			t.Errorf("%d incidents are known", len(known))
		}
		return err
	})
}

func TestANewIncidentGetsARootAndItsPostsGoUnderItInOrder(t *testing.T) {
	w := newWorld(t)
	sub := w.subscribed()
	w.seeded()
	states := incident.SampleStories()[0]
	root := "incident/" + sub + "/" + id(t, states[0]) + "/root"
	for _, s := range states {
		w.news(s)
		w.news(s) // read again without a change
	}
	m := w.only(root)
	if m.Ref.Place != channel {
		t.Errorf("the root is at %+v", m.Ref.Place)
	}
	seen, last := false, ""
	for _, x := range w.chat.at(channel) {
		if x.Key == root {
			seen = true
		}
		if x.Ref.Place.Thread == "" {
			continue
		}
		if !seen {
			t.Errorf("a reply came before its root: %+v", x)
		}
		if x.Ref.Place.Thread != m.Ref.ID {
			t.Errorf("a reply is not under the root: %+v", x)
		}
		if x.Key == last {
			t.Errorf("told twice: %s", x.Key)
		}
		last = x.Key
		if len(w.chat.keyed(x.Key)) != 1 {
			t.Errorf("told twice: %s", x.Key)
		}
	}
	if last == "" {
		t.Error("the story has no reply at all")
	}
}

func TestAReadingThatFindsNothingNewSendsNothing(t *testing.T) {
	w := newWorld(t)
	w.subscribed()
	w.seeded()
	w.news(story(t, 0, 0))
	before := w.chat.attempts
	for range 20 {
		w.news(story(t, 0, 0))
	}
	if w.chat.attempts != before {
		t.Errorf("%d sends for nothing", w.chat.attempts-before)
	}
	h := w.health
	if first, rest := h.since[0], h.since[len(h.since)-1]; !first.IsZero() || rest.IsZero() {
		t.Errorf("the first reading asks for everything and later ones for what is new: %v, %v", first, rest)
	}
}

func TestSilenceIsToldOnceAndTheEndOfIt(t *testing.T) {
	w := newWorld(t)
	w.subscribed()
	w.seeded()
	count := func(words string) (n int) {
		for _, m := range w.chat.at(channel) {
			if strings.Contains(m.Words, words) {
				n++
			}
		}
		return n
	}
	// Twice: what is said about the second outage is no repetition of the first.
	for outage := 1; outage <= 2; outage++ {
		w.health.set(&bot.Failure{Kind: bot.KindUnreachable, Says: "Graph cannot be reached."})
		w.pass(14 * time.Minute)
		if n := count("Cannot read service health"); n != outage-1 {
			t.Errorf("outage %d: told %d times after 14 minutes", outage, n)
		}
		w.pass(3 * time.Hour)
		if n := count("Cannot read service health"); n != outage {
			t.Errorf("outage %d: told %d times", outage, n)
		}
		w.news(story(t, outage-1, 0))
		w.pass(10 * time.Minute)
		if n := count("could not read"); n != outage {
			t.Errorf("outage %d: its end was told %d times", outage, n)
		}
	}
	admins := w.chat.at(bot.DM(account("UOLGA")))
	if len(admins) != 2 || !strings.Contains(admins[0].Words, "Graph cannot be reached.") {
		t.Errorf("the admins were told %+v", admins)
	}
	for _, m := range w.chat.at(channel) {
		if strings.Contains(m.Words, "Graph cannot be reached.") {
			t.Errorf("the cause is told in the channel: %s", m.Words)
		}
	}
}

func TestNoFailureEndsTheReading(t *testing.T) {
	for name, fail := range map[string]func(h *readings){
		"an error of no kind": func(h *readings) { h.err = errors.New("something new") },
		"a bug":               func(h *readings) { h.panics = true },
		"forbidden":           func(h *readings) { h.err = &bot.Failure{Kind: bot.KindForbidden, Says: "Consent was taken away."} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			sub := w.subscribed()
			w.seeded()
			fail(w.health)
			w.pass(2 * time.Hour)
			if len(w.dead()) != 0 {
				t.Errorf("the reading was given up: %+v", w.dead())
			}
			w.read(func(v engine.View) error {
				watch, err := v.Watch("contoso")
				if watch.Failing.IsZero() || !watch.Told {
					t.Errorf("silence looks like health: %+v", watch)
				}
				return err
			})
			w.health.panics = false
			w.news(story(t, 0, 0))
			w.pass(10 * time.Minute)
			w.only("incident/" + sub + "/" + id(t, story(t, 0, 0)) + "/root")
		})
	}
}

func TestGraphsWishToWaitIsKept(t *testing.T) {
	w := newWorld(t)
	w.seeded()
	w.health.set(&bot.Failure{Kind: bot.KindThrottled, RetryAfter: time.Hour, Says: "Slow down."})
	w.pass(3 * time.Minute)
	n := len(w.health.since)
	w.pass(55 * time.Minute)
	if len(w.health.since) != n {
		t.Errorf("it was read %d times within the hour", len(w.health.since)-n)
	}
}

func TestAnIssueThatCannotBeUnderstoodHidesNoOther(t *testing.T) {
	w := newWorld(t)
	sub := w.subscribed()
	w.seeded()
	w.news(json.RawMessage(`{"id":7}`), story(t, 0, 0))
	w.only("incident/" + sub + "/" + id(t, story(t, 0, 0)) + "/root")
}

func TestWithoutACredentialNothingIsRead(t *testing.T) {
	w := newWorld(t)
	w.tenant.Reader = bot.Reader{}
	w.seeded()
	w.pass(time.Hour)
	if len(w.health.since) != 0 {
		t.Errorf("it was read %d times", len(w.health.since))
	}
}

// good is a change that keeps what a good reading found.
func good(c engine.Changes) bool {
	return slices.ContainsFunc(c.Watches, func(w incident.Watch) bool { return w.Failing.IsZero() })
}

// What Keyturn's own store does not keep says nothing about Microsoft: the
// reading is made again soon, and nobody is told that it cannot be made.
func TestAReadingThatIsNotKeptIsMadeAgainSoonAndBlamesNobody(t *testing.T) {
	for name, fault := range map[string]error{
		"the commit fails":       fmt.Errorf("%w: conn closed", bot.ErrNoCommit),
		"it cannot read its own": fmt.Errorf("%w: conn closed", bot.ErrNoRead),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			sub := w.subscribed()
			w.seeded()
			log := w.logs()
			left := 3
			w.engine.Store = failing{w.engine.Store, func(c engine.Changes) error {
				if left > 0 && good(c) {
					left--
					return fault
				}
				return nil
			}}
			w.news(story(t, 0, 0))
			w.pass(10 * time.Second) // one, two and four seconds after it
			w.only("incident/" + sub + "/" + id(t, story(t, 0, 0)) + "/root")
			w.read(func(v engine.View) error {
				watch, err := v.Watch("contoso")
				if !watch.Failing.IsZero() || watch.Tries != 0 || watch.Failure != "" {
					t.Errorf("Microsoft is blamed: %+v", watch)
				}
				return err
			})
			if len(lines(log, "service health cannot be read")) != 0 || len(lines(log, "a job that had failed is done")) != 1 {
				t.Errorf("the log says:\n%s", log)
			}
		})
	}
}

// Where nothing of Microsoft has been kept for a quarter of an hour, whyever, the
// channels are told that nobody knows: silence is not health.
func TestReadingsThatAreNeverKeptAreToldAsSilence(t *testing.T) {
	w := newWorld(t)
	w.subscribed()
	w.seeded()
	whole := w.engine.Store
	w.engine.Store = failing{whole, full(1000, good)}
	told := func() (n int) {
		for _, m := range w.chat.at(channel) {
			if strings.Contains(m.Words, "Cannot read service health") {
				n++
			}
		}
		return n
	}
	w.pass(14 * time.Minute)
	if n := told(); n != 0 {
		t.Errorf("told %d times after 14 minutes", n)
	}
	w.pass(2 * time.Hour)
	if n := told(); n != 1 {
		t.Errorf("told %d times", n)
	}
	w.engine.Store = whole
	w.news(story(t, 0, 0))
	w.pass(10 * time.Minute)
	if words := fmt.Sprint(w.chat.at(channel)); !strings.Contains(words, "It is read again") {
		t.Errorf("the end of it is not told: %s", words)
	}
}
