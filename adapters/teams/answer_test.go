package teams

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"keyturn/bot"
)

func TestAnswersReachOnePersonAndNeverSilently(t *testing.T) {
	secret := bot.Say(bot.T("Your steps: two."))
	w := newWorld(t)
	w.deliver(w.personal(fields{"text": "x"}))
	if err := w.Answer(t.Context(), fromErin, channelP.In("5"), bot.Return{}, secret, false, false); err != nil {
		t.Fatal(err)
	}
	said := w.sent()
	answered, pointed := said[len(said)-2], said[len(said)-1]
	if !strings.Contains(answered.Path, chatID) || !strings.Contains(asJSON(answered.Body), "Your steps: two.") {
		t.Errorf("a private answer went to %s", answered.Path)
	}
	if got := asJSON(pointed.Body); !strings.Contains(pointed.Path, "messageid=5") || !strings.Contains(got, "I answered you in our chat") || strings.Contains(got, "Your steps") || strings.Contains(got, erin) {
		t.Errorf("where it was asked stands %s: %s", pointed.Path, got)
	}
	// What completes the answer is not announced again, and another question is.
	if err := w.Answer(t.Context(), fromErin, channelP.In("5"), bot.Return{}, secret, false, false); err != nil || !strings.Contains(w.lastCall().Path, chatID) {
		t.Errorf("%v, the last call is %+v", err, w.lastCall())
	}
	if err := w.Answer(t.Context(), fromErin, channelP.In("6"), bot.Return{}, secret, false, false); err != nil || !strings.Contains(w.lastCall().Path, "messageid=6") {
		t.Errorf("%v, the last call is %+v", err, w.lastCall())
	}
	// Nobody loses an answer because the channel takes no word.
	w.then(func(rw http.ResponseWriter) { fmt.Fprint(rw, `{"id":"1701"}`) })
	w.next(403, "MessageWritesBlocked")
	if err := w.Answer(t.Context(), fromErin, channelP.In("7"), bot.Return{}, secret, false, false); err != nil {
		t.Errorf("the answer arrived, and: %v", err)
	}
	if err := w.Answer(t.Context(), fromErin, channelP.In("5"), bot.Return{}, secret, false, true); err != nil || !strings.Contains(w.lastCall().Path, "messageid=5") {
		t.Errorf("an answer for everybody: %v, %s", err, w.lastCall().Path)
	}
	// Without a chat a word in the channel says how to get one.
	w = newWorld(t)
	w.next(403, "ForbiddenOperationException")
	if err := w.Answer(t.Context(), fromErin, channelP.In("5"), bot.Return{}, secret, false, false); err != nil {
		t.Fatal(err)
	}
	c := w.lastCall()
	if got := asJSON(c.Body); !strings.Contains(c.Path, "messageid=5") || strings.Contains(got, "Your steps") || !strings.Contains(got, "Install the app") || !strings.Contains(got, erin) {
		t.Errorf("got %s %s", c.Path, got)
	}
	// With targeted messages it stays in the channel, for one pair of eyes.
	w = newWorld(t, func(c *Config) { c.Targeted = true })
	w.deliver(w.personal(fields{"text": "x"}))
	if err := w.Answer(t.Context(), fromErin, channelP.In("5"), bot.Return{}, secret, false, false); err != nil {
		t.Fatal(err)
	}
	if c := w.lastCall(); !strings.HasSuffix(c.Path, "activities?isTargetedActivity=true") || asJSON(c.Body["recipient"]) != `{"id":"`+erin29+`"}` {
		t.Errorf("got %+v", c)
	}
	w.next(400, "BadArgument")
	if err := w.Answer(t.Context(), fromErin, channelP.In("5"), bot.Return{}, secret, false, false); err != nil || !strings.Contains(w.lastCall().Path, "messageid=5") {
		t.Errorf("no way around: %v", err)
	}
	if said := w.sent(); !strings.Contains(said[len(said)-2].Path, chatID) {
		t.Errorf("the answer went to %s", said[len(said)-2].Path)
	}
}
