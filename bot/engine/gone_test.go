package engine_test

import (
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

func TestAChannelThatIsGoneStopsItsSubscription(t *testing.T) {
	w := newWorld(t)
	w.commit("sub", func(d *engine.Draft) error {
		return d.Subscribe(incident.Subscription{Tenant: "contoso", Place: channel, By: "ada", Style: incident.Live}, nil)
	})
	w.settle()
	w.chat.set(func(_ string, at bot.Place, _ bot.Message) fate {
		if at.Root() == channel {
			return refused(bot.KindGone)
		}
		return fine
	})
	w.seeded()
	w.news(story(t, 0, 0))
	w.read(func(v engine.View) error {
		subs, err := v.Subscriptions("contoso")
		if len(subs) != 1 || subs[0].Stopped == "" {
			t.Errorf("the subscription is %+v", subs)
		}
		return err
	})
	told := w.chat.at(bot.DM(account("UOLGA")))
	if len(told) != 1 || !strings.Contains(told[0].Words, "no longer reaches") || !strings.Contains(told[0].Words, "/keyturn subscribe") {
		t.Errorf("the owner was told %+v", told)
	}
	before := w.chat.attempts
	w.news(story(t, 1, 0))
	if w.chat.attempts != before {
		t.Error("a stopped subscription is sent to")
	}
}

func TestARunWhoseChannelIsGoneMovesToItsRequester(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.chat.set(func(_ string, at bot.Place, _ bot.Message) fate {
		if at.Root() == channel {
			return refused(bot.KindGone)
		}
		return fine
	})
	w.touch(1, func(r *setup.Run) { r.Change = "CHG1" })
	w.pass(time.Minute)
	rita := bot.DM(account("URITA"))
	if r := w.run(); r.Place != rita {
		t.Errorf("the run is at %s", r.Place)
	}
	sent, ok := w.sent(checklist)
	if !ok || sent.Ref.Place != rita {
		t.Errorf("the checklist is at %+v", sent)
	}
	var words []string
	for _, m := range w.chat.at(rita) {
		words = append(words, m.Words)
	}
	if !strings.Contains(strings.Join(words, "\n"), "can no longer post") {
		t.Errorf("Rita was not told why: %q", words)
	}
}

func TestAPlatformThatIsNotConnectedIsSaidOnTheJob(t *testing.T) {
	w := newWorld(t)
	w.say("m", bot.Place{Platform: bot.Teams, Team: "X", Channel: "C"}, "hello")
	w.settle()
	if d := w.dead(); len(d) != 1 || !strings.Contains(d[0].Last, "not connected to teams") {
		t.Errorf("dead: %+v", d)
	}
}

func TestARightThatIsMissingStopsTheSubscriptionAndWhatWaitsIsKept(t *testing.T) {
	for _, kind := range []bot.Kind{bot.KindForbidden, bot.KindNotFound, bot.KindUninstalled} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t)
			w.follows(incident.Subscription{Style: incident.Live})
			w.seeded()
			began := w.clock.Now()
			w.chat.set(func(op string, at bot.Place, _ bot.Message) fate {
				if op == "post" && at.Root() == channel {
					return refused(kind)
				}
				return fine
			})
			w.news(raised("EX1", "Exchange Online", "incident", "serviceDegradation", began, "one"), raised("EX2", "Exchange Online", "incident", "serviceDegradation", began, "one"))
			if n := len(w.chat.at(bot.DM(account("UOLGA")))); n != 1 {
				t.Errorf("the owner was told %d times", n)
			}
			if n := len(w.dead()); n != 2 {
				t.Fatalf("%d messages are kept", n)
			}
			w.chat.set(nil)
			w.follows(incident.Subscription{Style: incident.Live})
			w.commit("again", func(d *engine.Draft) error {
				letters, err := d.Undelivered(w.tenant)
				for _, l := range letters {
					if ok, err := d.Resend(w.tenant, l.Job); !ok || err != nil {
						t.Errorf("%+v is not sent again: %v", l, err)
					}
				}
				return err
			})
			w.settle()
			if w.said("[History]") != 2 || len(w.dead()) != 0 {
				t.Errorf("%d of 2 stand there, given up %+v", w.said("[History]"), w.dead())
			}
		})
	}
}
