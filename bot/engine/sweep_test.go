package engine_test

import (
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

func TestAnIncidentThatLastsForMonthsIsStillEditedInPlace(t *testing.T) {
	if testing.Short() {
		t.Skip("plays months")
	}
	w := newWorld(t)
	w.env.PollEvery = 12 * time.Hour
	w.seeded()
	sub := w.subscribed()
	w.health.set(nil, story(t, 0, 0))
	w.pass(day)
	key := "incident/" + sub + "/" + id(t, story(t, 0, 0)) + "/root"
	before := w.only(key)
	w.say("over/1", channel, "keys of no known form stay")
	w.commit("said", func(d *engine.Draft) error { d.Say(channel, bot.Say(bot.T("hello")), 0); return nil })
	w.pass(200 * day)
	w.health.set(nil, story(t, 0, 1))
	w.pass(day)
	after := w.only(key)
	if after.Ref.ID != before.Ref.ID || after.Edits == 0 {
		t.Errorf("after 200 days it stands there as %+v, before as %+v", after, before)
	}
	if _, ok := w.sent("over/1"); !ok {
		t.Error("a key that the sweep does not know was forgotten")
	}
	if _, ok := w.sent("say/said/1"); ok {
		t.Error("what was said once and for all is still in the ledger after 200 days")
	}
}

// windows are the maintenance windows that the channel's subscription has.
func (w *world) windows() (why []string) {
	w.t.Helper()
	w.read(func(v engine.View) error {
		subs, err := v.Subscriptions("contoso")
		for _, m := range subs[0].Maintenance {
			why = append(why, m.Why)
		}
		return err
	})
	return why
}

func TestAMaintenanceWindowThatIsOverIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.seeded()
	window := func(in time.Duration, why string) incident.Window {
		return incident.Window{From: start.Add(in), To: start.Add(in + 6*time.Hour), Why: why}
	}
	s := incident.NewSubscription("UTC")
	s.Maintenance = []incident.Window{window(-60*time.Hour, "the old move"), window(12*time.Hour, "the move"), window(10*day, "the next move")}
	w.follows(s)
	if got := w.windows(); len(got) != 2 || got[0] != "the move" {
		t.Errorf("what was over before the channel was subscribed is kept: %q", got)
	}
	w.pass(30 * time.Hour)
	if got := w.windows(); len(got) != 2 {
		t.Errorf("twelve hours after its end it is forgotten already: %q", got)
	}
	w.pass(2 * day)
	if got := w.windows(); len(got) != 1 || got[0] != "the next move" {
		t.Errorf("three days after its beginning the channel is told of the windows %q", got)
	}
}
