package statetest

import (
	"errors"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

func ledger(t *testing.T, b *bench) {
	entry := func(key string) bot.Sent {
		return bot.Sent{Key: key, At: Start, Ref: bot.MessageRef{Place: bot.Place{Platform: bot.Slack, Team: "T", Channel: "C"}, ID: "1700.1"}}
	}
	b.commit(engine.Changes{Sent: []bot.Sent{entry("inc/EX1/s2"), entry("inc/EX1/s1"), entry("inc/EX10/s1"), entry("run/r1"), entry("inc")}})
	b.commit(engine.Changes{Unsent: []string{"run/r1"}})
	b.clock = Start.Add(1000 * time.Hour)
	b.commit(engine.Changes{Sent: []bot.Sent{entry("later")}})
	b.reopen()
	b.read(func(v engine.View) error {
		list, err := v.SentUnder("inc/EX1/")
		same(t, "under the prefix", []bot.Sent{entry("inc/EX1/s1"), entry("inc/EX1/s2")}, list)
		_, ok, err2 := v.Sent("run/r1")
		same(t, "a forgotten one is there", false, ok)
		all, err3 := v.SentUnder("")
		same(t, "all", 5, len(all))
		var each []bot.Sent
		err7 := v.EachSent("inc/EX1/", func(s bot.Sent) error { each = append(each, s); return nil })
		same(t, "each under the prefix", list, each)
		stop := errors.New("enough")
		if err := v.EachSent("", func(bot.Sent) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("an error of whoever reads ended it with %v", err)
		}
		of, err4 := v.SentAs("1700.1")
		same(t, "all of a message", all, of)
		none, err5 := v.SentAs("1700")
		same(t, "of a message whose ID another begins with", 0, len(none))
		channel, err6 := v.SentAs("C")
		same(t, "of what is named beside the ID", 0, len(channel))
		return errors.Join(err, err2, err3, err4, err5, err6, err7)
	})
}
