package engine_test

import (
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
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
