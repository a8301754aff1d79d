package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// raised is an invented issue that began now.
func raised(id, service, class, status string, at time.Time, posts ...string) json.RawMessage {
	var list []string
	for i, p := range posts {
		list = append(list, fmt.Sprintf(`{"createdDateTime":%q,"postType":"regular","description":{"contentType":"text","content":%q}}`,
			at.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), "Current status: "+p))
	}
	return json.RawMessage(fmt.Sprintf(`{"id":%q,"title":"Trouble %s","service":%q,"classification":%q,"status":%q,"impactDescription":"Users see trouble %s.","isResolved":%v,
		"startDateTime":%q,"lastModifiedDateTime":%q,"posts":[%s]}`, id, id, service, class, status, id, status == "serviceRestored",
		at.Format(time.RFC3339), at.Add(time.Duration(len(posts))*time.Minute).Format(time.RFC3339), strings.Join(list, ",")))
}

// follows subscribes the channel as s says.
func (w *world) follows(s incident.Subscription) string {
	w.t.Helper()
	s.Tenant, s.Place, s.By = "contoso", channel, "ada"
	w.commit(w.id(), func(d *engine.Draft) error { return d.Subscribe(s, nil) })
	w.settle()
	var sub string
	w.read(func(v engine.View) error {
		subs, err := v.Subscriptions("contoso")
		sub = subs[0].ID
		return err
	})
	return sub
}

// said counts the messages of the channel that hold the words.
func (w *world) said(words string) (n int) {
	for _, m := range w.chat.at(channel) {
		if strings.Contains(m.Words, words) {
			n++
		}
	}
	return n
}

func TestAnAdvisoryWaitsForTheDailyDigest(t *testing.T) {
	w := newWorld(t)
	sub := w.follows(incident.NewSubscription("UTC"))
	w.seeded()
	w.clock.pass(time.Hour) // the digest is at nine, and it was nine
	w.news(raised("TM1", "Microsoft Teams", "advisory", "serviceDegradation", w.clock.Now(), "a first word"))
	w.pass(10 * time.Hour)
	if n := w.said("TM1"); n != 0 {
		t.Fatalf("an advisory was told %d times before the digest", n)
	}
	w.restart() // what waits survives, and so does when it is due
	w.pass(13 * time.Hour)
	if n := w.said("TM1"); n != 1 {
		t.Fatalf("the digest told the advisory %d times", n)
	}
	told := false
	w.read(func(v engine.View) error {
		sent, err := v.SentUnder("incident/" + sub + "/TM1/")
		told = len(sent) > 0
		return err
	})
	if !told {
		t.Error("the ledger does not count the advisory as told")
	}
	w.pass(48 * time.Hour)
	if n := w.said("TM1"); n != 1 {
		t.Errorf("the advisory is in %d digests", n)
	}
}

func TestManyAtOnceShareARootUntilOneChanges(t *testing.T) {
	w := newWorld(t)
	w.follows(incident.Subscription{Style: incident.Live})
	w.seeded()
	var many []json.RawMessage
	began := w.clock.Now()
	for i := range 7 {
		many = append(many, raised(fmt.Sprintf("EX%d", i), "Exchange Online", "incident", "serviceDegradation", began, "a first word"))
	}
	w.news(many...)
	group := func() string {
		for _, m := range w.chat.at(channel) {
			if strings.Contains(m.Words, "7 new incidents") {
				return m.Words
			}
		}
		t.Fatal("there is no message for all of them")
		return ""
	}
	if words := group(); strings.Count(words, "\nEX") != 7 || w.said("[History]") != 0 {
		t.Fatalf("%d have a message of their own beside\n%s", w.said("[History]"), words)
	}
	w.news(raised("EX3", "Exchange Online", "incident", "serviceDegradation", began, "a first word", "a second word"))
	if words := group(); !strings.Contains(words, "EX3 · Exchange Online: has its own message") {
		t.Errorf("the message for all does not say that one has left:\n%s", words)
	}
	if w.said("[History]") != 1 || w.said("a second word") < 1 {
		t.Errorf("%d have a message of their own", w.said("[History]"))
	}
}

func TestAfterDowntimeOneMessageNamesEverything(t *testing.T) {
	w := newWorld(t)
	sub := w.follows(incident.Subscription{Style: incident.Live})
	began := w.clock.Now()
	w.seeded(raised("EX1", "Exchange Online", "incident", "serviceDegradation", began, "one"))
	w.clock.pass(5 * time.Hour) // the process was not there
	before := len(w.chat.at(channel))
	w.news(raised("EX1", "Exchange Online", "incident", "serviceDegradation", began, "one", "two", "three"),
		raised("EX2", "Exchange Online", "incident", "serviceDegradation", began, "new"))
	got := w.chat.at(channel)[before:]
	if len(got) != 3 || !strings.Contains(got[0].Words, "EX1") || !strings.Contains(got[0].Words, "EX2") || !strings.Contains(got[0].Words, "could not read service health") {
		t.Fatalf("a summary and two roots were expected: %+v", got)
	}
	w.read(func(v engine.View) error {
		sent, err := v.SentUnder("incident/" + sub + "/EX1/")
		if len(sent) != 3 { // its root and the two posts that the summary names
			t.Errorf("the ledger counts %d of EX1 as told: %+v", len(sent), sent)
		}
		return err
	})
	w.news(raised("EX1", "Exchange Online", "incident", "serviceDegradation", began, "one", "two", "three", "four"))
	if w.said("Current status: four") != 1 {
		t.Error("after the summary nothing is told as it happens")
	}
}

func TestANewerStateDoesNotOvertakeTheRoot(t *testing.T) {
	w := newWorld(t)
	w.follows(incident.Subscription{Style: incident.Live})
	w.seeded()
	began := w.clock.Now()
	w.chat.fate = func(string, bot.Place, bot.Message) fate { return refused(bot.KindUnreachable) }
	w.news(raised("EX1", "Exchange Online", "incident", "serviceDegradation", began, "one"))
	w.news(raised("EX1", "Exchange Online", "incident", "serviceDegradation", began, "one", "two"))
	w.news(raised("EX1", "Exchange Online", "incident", "serviceDegradation", began, "one", "two", "three"))
	w.chat.fate = nil
	w.pass(10 * time.Minute)
	var order []string
	for _, m := range w.chat.at(channel) {
		if strings.Contains(m.Key, "EX1") {
			order = append(order, map[bool]string{true: "root", false: "reply"}[m.Ref.Place.Thread == ""])
		}
	}
	if fmt.Sprint(order) != "[root reply reply]" || len(w.dead()) > 0 {
		t.Errorf("in the channel stand %v, given up %v", order, w.dead())
	}
}

func TestAChannelThatComesBackHasStillOneRoot(t *testing.T) {
	w := newWorld(t)
	sub := w.follows(incident.Subscription{Style: incident.Live})
	w.seeded()
	began := w.clock.Now()
	w.news(raised("EX1", "Exchange Online", "incident", "serviceDegradation", began, "one"))
	w.commit("away", func(d *engine.Draft) error {
		s, ok, err := d.Subscription("contoso", channel)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		d.Unsubscribe(s)
		return nil
	})
	w.news(raised("EX1", "Exchange Online", "incident", "serviceDegradation", began, "one", "two"))
	w.follows(incident.Subscription{Style: incident.Live})
	w.news(raised("EX1", "Exchange Online", "incident", "serviceDegradation", began, "one", "two", "three"))
	root := w.only("incident/" + sub + "/EX1/root")
	if !strings.Contains(root.Words, "three") || w.said("[History]") != 1 {
		t.Errorf("%d roots, one of them\n%s", w.said("[History]"), root.Words)
	}
}

// announced is an invented message center post.
func announced(id, title string, changed time.Time) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":%q,"title":%q,"services":["Microsoft Teams"],"category":"planForChange","severity":"normal",
		"lastModifiedDateTime":%q,"body":{"contentType":"html","content":"<p>A button moves.</p>"}}`, id, title, changed.Format(time.RFC3339)))
}

func TestTheMessageCenterIsToldToWhoWantsIt(t *testing.T) {
	w := newWorld(t)
	w.health.posts = []json.RawMessage{announced("MC1", "Known before", w.clock.Now())}
	w.seeded()
	w.pass(time.Hour)
	if w.health.asked != 0 {
		t.Errorf("the message center was read %d times for nobody", w.health.asked)
	}
	sub := w.follows(incident.Subscription{Style: incident.Live, Messages: true})
	w.pass(time.Hour) // seeds
	began := w.clock.Now()
	w.health.posts = append(w.health.posts, announced("MC2", "A new button", began))
	w.pass(time.Hour)
	root := w.only("incident/" + sub + "/MC2/root")
	if !strings.Contains(root.Words, "A new button") || w.said("Known before") != 0 {
		t.Errorf("the channel was told %+v", w.chat.at(channel))
	}
	w.health.closed = &bot.Failure{Kind: bot.KindForbidden, Says: "The permission is missing."}
	asked := w.health.asked
	w.pass(3 * time.Hour)
	if n := w.health.asked - asked; n > 4 || n == 0 {
		t.Errorf("after a refusal it was asked %d times in three hours", n)
	}
	if w.said("Cannot read") != 0 {
		t.Error("the message center that cannot be read looks like service health that cannot")
	}
	w.health.closed = nil
	w.health.posts[1] = announced("MC2", "A newer button", w.clock.Now())
	w.pass(2 * time.Hour)
	if root = w.only("incident/" + sub + "/MC2/root"); !strings.Contains(root.Words, "A newer button") || w.said("Microsoft revised it") != 1 {
		t.Errorf("after a revision the channel shows %s", root.Words)
	}
}
