package incident

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"keyturn/bot"
	"keyturn/test/beside"
)

// center is a tenant whose message center is read, with one channel.
type center struct {
	watch Watch
	known map[string]*KnownMessage
}

func (c *center) read(at time.Time, posts ...Announcement) []string {
	if c.known == nil {
		c.known = map[string]*KnownMessage{}
	}
	o := ReadingMessages(c.watch, func(id string) (*KnownMessage, bool) { k, ok := c.known[id]; return k, ok }, posts, at)
	c.watch = o.Watch
	for _, k := range o.Known {
		c.known[k.Post.ID] = &k
	}
	var out []string
	for _, x := range o.Told {
		out = append(out, x.Known.Post.ID+" "+string(x.Change.Reason)+": "+strings.Join(x.Change.What, "; "))
	}
	return out
}

func post(id string, modified int) Announcement {
	return Announcement{ID: id, Title: "Boards move", Services: []string{"Planner"}, Category: "planForChange", Severity: "normal", Modified: minutes(modified), Body: "Text."}
}

func TestTheMessageCenterIsToldByItsDateAlone(t *testing.T) {
	var c center
	a, b := post("MC1", 0), post("MC2", 1)
	if told := c.read(minutes(2), a, b); len(told) != 0 || !c.known["MC1"].Seed {
		t.Errorf("the first reading tells %v", told)
	}
	a.Body, a.Tags = "Other bytes, same date.", []string{"x"}
	if told := c.read(minutes(4), a); len(told) != 0 {
		t.Errorf("bytes that differ without a new date are told: %v", told)
	}
	if told := c.read(minutes(6), b, a); len(told) != 0 {
		t.Errorf("a post that comes back is told: %v", told)
	}
	a.Modified, a.Title, a.ActBy, a.Severity, a.Major = minutes(7), "(Updated) Boards move", minutes(60*24*30), "high", true
	older := post("MC1", 3)
	want := []string{"MC3 new: ", "MC1 revised: act by 23 Dec 2026; now of high severity; now a major change; its text"}
	if d := cmp.Diff(want, c.read(minutes(8), older, a, post("MC3", 6), post("MC3", 6))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if told := c.read(minutes(10), older); len(told) != 0 {
		t.Errorf("an older form is told: %v", told)
	}
	past := post("MC9", -60*24*20)
	if told := c.read(minutes(12), past); len(told) != 0 || c.known["MC9"] == nil {
		t.Errorf("a post of three weeks ago is told as new: %v", told)
	}
	if w := FailedMessages(c.watch, "Graph refuses it."); w.Messages.Failure == "" || !w.Messages.Seeded || w.Failing != (time.Time{}) {
		t.Errorf("a message center that cannot be read touches service health: %+v", w)
	}
}

func TestALivePostHasOneMessageAndItsRevisionsAreInTheThread(t *testing.T) {
	sub := Subscription{Style: Live, Messages: true, Quiet: Quiet{From: "22:00", To: "06:00"}, Made: minutes(0)}
	k := KnownMessage{Post: post("MC1", 0)}
	d, acts := Desk{}.TellPosts(sub, []ToldPost{{k, PostChange{Reason: New, At: minutes(0)}}}, minutes(0))
	if len(acts) != 1 || acts[0].Kind != ActPost || len(acts[0].Covers) != 1 || acts[0].Class != bot.ClassDigest {
		t.Fatalf("%+v", acts)
	}
	night := minutes(13 * 60)
	k.Post.Modified = night
	revised := ToldPost{k, PostChange{Reason: Revised, What: []string{"its text"}, At: night}}
	d, acts = d.TellPosts(sub, []ToldPost{revised}, night)
	if len(acts) != 0 || len(d.Held) != 1 || !d.Due(sub).Equal(minutes(21*60)) {
		t.Fatalf("%d acts at night, %d held until %v", len(acts), len(d.Held), d.Due(sub))
	}
	d, acts = d.Wake(sub, Facts{Posts: []KnownMessage{k}, Watch: Watch{Good: minutes(21 * 60)}}, minutes(21*60))
	var got []string
	for _, a := range acts {
		got = append(got, string(a.Kind)+" "+a.Post+" "+a.Message.Words())
	}
	want := []string{"post MC1 ", "reply MC1 Microsoft revised it · 23 Nov 2026 22:00 UTC\nIts text."}
	if diff := cmp.Diff(want, got); diff != "" || len(d.Held) != 0 {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEachPostOfTheMessageCenterIsInOneDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c center
		sub := NewSubscription("Europe/Berlin")
		var desk Desk
		at := monday
		sub.Made = at
		told := map[string]int{}
		c.read(at, post("MC0", 0))
		revision := 0
		issued := map[string]bool{}
		for range rapid.IntRange(1, 20).Draw(t, "readings") {
			at = at.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
			var acts []Act
			if !desk.Due(sub).After(at) {
				var f Facts
				for _, k := range c.known {
					f.Posts = append(f.Posts, *k)
				}
				desk, acts = desk.Wake(sub, f, at)
				for _, a := range acts {
					for _, id := range a.Covers {
						told[id]++
					}
				}
			}
			again(t, &desk)
			revision++
			a := post(fmt.Sprintf("MC%d", rapid.IntRange(0, 4).Draw(t, "which")), 0)
			a.Modified = at
			o := ReadingMessages(c.watch, func(id string) (*KnownMessage, bool) { k, ok := c.known[id]; return k, ok }, []Announcement{a}, at)
			c.watch = o.Watch
			for _, k := range o.Known {
				c.known[k.Post.ID] = &k
			}
			for _, x := range o.Told {
				issued[x.ID()] = true
			}
			desk, _ = desk.TellPosts(sub, o.Told, at)
		}
		waiting := map[string]bool{}
		for _, it := range desk.Waiting {
			waiting[it.ID] = true
		}
		for id := range issued {
			if told[id] > 1 || told[id] == 0 && !waiting[id] || told[id] == 1 && waiting[id] {
				t.Fatalf("%s was in %d digests, waiting %v", id, told[id], waiting[id])
			}
		}
	})
}

// Real revisions: each has another date, and each is told once.
func TestRealRevisionsAreToldOnceEach(t *testing.T) {
	var chains []struct {
		ID        string `json:"id"`
		Revisions []struct {
			Message json.RawMessage `json:"message"`
		} `json:"revisions"`
	}
	if err := json.Unmarshal(beside.Data(t, "messages/graph-message-revisions.json"), &chains); err != nil {
		t.Fatal(err)
	}
	for _, chain := range chains {
		var c center
		at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		c.read(at)
		told := 0
		dates := map[time.Time]bool{}
		for _, r := range chain.Revisions {
			a, err := ParseMessage(r.Message)
			if err != nil {
				t.Fatal(err)
			}
			dates[a.Modified] = true
			for range 2 {
				at = at.Add(time.Minute)
				for _, x := range c.read(at, a) {
					told++
					if strings.Contains(x, "revised") && strings.HasSuffix(x, ": ") {
						t.Errorf("a revision of %s changed nothing that can be said", chain.ID)
					}
				}
			}
			if m := RevisionReply(ToldPost{Known: KnownMessage{Post: a}}); m.Empty() {
				t.Error("an empty reply")
			}
			if n := size(Announce(a).Parts); n > maxMessage {
				t.Errorf("%s: %d characters", chain.ID, n)
			}
			if line := postLine(ToldPost{Known: KnownMessage{Post: a}}); length(line.Plain()) > 400 || strings.Contains(line.Plain(), "(Updated)") {
				t.Errorf("a line of a digest: %s", line.Plain())
			}
		}
		if told != len(dates) {
			t.Errorf("%s: %d dates, told %d times", chain.ID, len(dates), told)
		}
	}
	if len(chains) == 0 {
		t.Fatal("no revisions were read")
	}
}
