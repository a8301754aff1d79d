package teams

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

var (
	fromErin = bot.Account{Platform: bot.Teams, Team: contoso, ID: erin}
	channelP = bot.Place{Platform: bot.Teams, Team: contoso, Channel: ops}
)

func TestWordsInAChatReachTheDesk(t *testing.T) {
	w := newWorld(t)
	w.deliver(w.personal(fields{"text": " status \n", "timestamp": "2026-11-23T11:59:58.5042273Z"}))
	want := bot.Request{Key: "teams/" + chatID + "/1001", Kind: bot.Typed, At: noon.Add(-2*time.Second + 504227300), From: fromErin, Name: "Erin", Unsure: true,
		Place: bot.DM(fromErin), Text: "status"}
	if d := cmp.Diff(want, w.desk.only(t), cmp.AllowUnexported(bot.Secret{})); d != "" {
		t.Error(d)
	}
}

func TestWordsInAChannelReachTheDesk(t *testing.T) {
	for name, c := range map[string]struct {
		text     string
		entities any
		want     string
	}{
		"a mention first":                 {"<at>Keyturn</at> status", mentionsBot, "status"},
		"a mention last":                  {"status <at>Keyturn</at>", mentionsBot, "status"},
		"a mention that the text forgot":  {"ping", mentionsBot, "ping"},
		"a mention under another name":    {"<at>Old name</at> help\n", mentionsBot, "help"},
		"blanks that are not":             {"<at>Keyturn</at>&nbsp;subscribe\u00a0exchange", mentionsBot, "subscribe exchange"},
		"only the mention":                {"<at>Keyturn</at>", mentionsBot, ""},
		"several lines":                   {"<at>Keyturn</at> a\r\nb ", mentionsBot, "a\nb"},
		"a name that is only written":     {"<at>Keyturn</at> ask <at>Keyturn 2</at>", mentionsBot, "ask <at>Keyturn 2</at>"},
		"another person, known":           {"<at>Keyturn</at> hand to <at>Erin</at>", append(mentionsBot[:1:1], fields{"type": "mention", "text": "<at>Erin</at>", "mentioned": fields{"id": erin29, "name": "Erin"}}), "hand to teams:" + contoso + ":" + erin},
		"another person, unknown":         {"<at>Keyturn</at> hand to <at>Bob</at>", append(mentionsBot[:1:1], fields{"type": "mention", "text": "<at>Bob</at>", "mentioned": fields{"id": "29:bob", "name": "Bob"}}), "hand to Bob"},
		"entities of unknown kinds":       {"<at>Keyturn</at> x", []any{fields{"type": "ProductInfo"}, 7, "odd", mentionsBot[0]}, "x"},
		"text with a person's own markup": {"<at>Keyturn</at> <b>x</b> &lt;", mentionsBot, "<b>x</b> &lt;"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.deliver(w.inChannel(fields{"text": c.text, "entities": c.entities}))
			got := w.desk.only(t)
			if got.Kind != bot.Typed || got.Text != c.want || got.Place != channelP.In("1600") || got.From != fromErin || got.Guest {
				t.Errorf("got %q: %+v", got.Text, got)
			}
		})
	}
}

func TestACommandWithASlashIsForTheBot(t *testing.T) {
	w := newWorld(t)
	w.deliver(w.inChannel(fields{"text": "/status", "recipient": fields{"id": "28:" + appID, "isTargeted": true}}))
	if got := w.desk.only(t); got.Text != "status" {
		t.Errorf("got %q", got.Text)
	}
}

func TestWhatDoesNotAddressTheBotIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	for name, v := range map[string]fields{
		"talk in a channel that the bot may read": w.inChannel(fields{"text": "lunch?"}),
		"somebody else's mention":                 w.inChannel(fields{"text": "<at>Bob</at> lunch?", "entities": []fields{{"type": "mention", "text": "<at>Bob</at>", "mentioned": fields{"id": "29:bob"}}}}),
		"the bot's name without a mention":        w.inChannel(fields{"text": "<at>Keyturn</at> help"}),
		"another bot":                             w.inChannel(fields{"text": "<at>Keyturn</at> help", "entities": mentionsBot, "from": fields{"id": "28:other"}}),
		"no words":                                w.personal(fields{"text": " "}),
		"no words and a value of somebody else":   w.personal(fields{"value": "plain"}),
		"a value that is a list":                  w.personal(fields{"value": []any{1}}),
		"a value without our part":                w.personal(fields{"value": fields{"action": "x"}}),
		"a reaction":                              w.personal(fields{"type": "messageReaction", "reactionsAdded": []fields{{"type": "like"}}}),
		"an edit":                                 w.personal(fields{"type": "messageUpdate", "text": "help"}),
		"a deletion":                              w.personal(fields{"type": "messageDelete"}),
		"typing":                                  w.personal(fields{"type": "typing"}),
		"a read receipt":                          w.personal(fields{"type": "event", "name": "application/vnd.microsoft.readReceipt", "value": fields{}}),
		"a kind of next year":                     w.personal(fields{"type": "hologram"}),
		"a type that is a number":                 w.personal(fields{"type": 7}),
		"members who are people":                  w.inChannel(fields{"type": "conversationUpdate", "membersAdded": []fields{{"id": "29:new"}}}),
		"a renamed channel":                       w.inChannel(fields{"type": "conversationUpdate", "channelData": fields{"eventType": "channelRenamed", "tenant": fields{"id": contoso}}}),
		"an upgrade of the app":                   w.personal(fields{"type": "installationUpdate", "action": "add-upgrade"}),
	} {
		w.deliver(v)
		if len(w.desk.taken) != 0 {
			t.Fatalf("%s: the desk got %+v", name, w.desk.taken)
		}
	}
	if len(w.sent()) != 0 {
		t.Error("something was sent")
	}
}

func TestPeopleOfOtherOrganisationsAreGuests(t *testing.T) {
	for name, c := range map[string]struct {
		change fields
		want   bot.Account
	}{
		"another tenant named on the person": {fields{"from": fields{"id": "29:x", "aadObjectId": bob, "tenantId": fabrik}}, bot.Account{Platform: bot.Teams, Team: fabrik, ID: bob}},
		"another tenant in a shared channel": {fields{"channelData": fields{"tenant": fields{"id": fabrik}}, "from": fields{"id": "29:x", "aadObjectId": bob}}, bot.Account{Platform: bot.Teams, Team: fabrik, ID: bob}},
		"a guest account":                    {fields{"from": fields{"id": "29:x", "aadObjectId": bob, "userRole": "guest"}}, bot.Account{Platform: bot.Teams, Team: contoso, ID: bob}},
		"a guest's name":                     {fields{"from": fields{"id": "29:x", "aadObjectId": bob, "userPrincipalName": "bob_fabrikam.com#EXT#@contoso.com"}}, bot.Account{Platform: bot.Teams, Team: contoso, ID: bob}},
		"nobody in the directory":            {fields{"from": fields{"id": "29:x"}}, bot.Account{Platform: bot.Teams, Team: contoso, ID: "29:x"}},
	} {
		w := newWorld(t)
		v := w.inChannel(fields{"text": "<at>Keyturn</at> help", "entities": mentionsBot})
		for k, x := range c.change {
			v[k] = x
		}
		w.deliver(v)
		got := w.desk.only(t)
		if !got.Guest || got.From != c.want || got.Place.Team != contoso {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	w := newWorld(t)
	w.deliver(w.personal(fields{"text": "help", "from": fields{"id": erin29, "aadObjectId": strings.ToUpper(erin), "tenantId": strings.ToUpper(contoso)}}))
	if got := w.desk.only(t); got.Guest || got.From != fromErin {
		t.Errorf("capitals make a guest: %+v", got)
	}
}

func added(ids ...string) []fields {
	var out []fields
	for _, id := range ids {
		out = append(out, fields{"id": id})
	}
	return out
}

func TestComingAndGoing(t *testing.T) {
	self := "28:" + appID
	second := "19:second@thread.tacv2"
	team := func(event string, more fields) fields {
		d := fields{"eventType": event, "tenant": fields{"id": contoso}, "team": fields{"id": ops}}
		for k, v := range more {
			d[k] = v
		}
		return d
	}
	plain := fields{"id": ops, "conversationType": "channel", "tenantId": contoso}
	for name, c := range map[string]struct {
		v    func(*world) fields
		kind bot.RequestKind
		at   []bot.Place
	}{
		"installed for a person": {func(w *world) fields { return w.personal(fields{"type": "installationUpdate", "action": "add"}) },
			bot.Joined, []bot.Place{bot.DM(fromErin)}},
		"added to a chat": {func(w *world) fields {
			return w.personal(fields{"type": "conversationUpdate", "membersAdded": added(self)})
		},
			bot.Joined, []bot.Place{bot.DM(fromErin)}},
		"removed by a person": {func(w *world) fields { return w.personal(fields{"type": "installationUpdate", "action": "remove"}) },
			bot.Left, []bot.Place{bot.DM(fromErin)}},
		"installed in a team, with a channel chosen": {func(w *world) fields {
			return w.inChannel(fields{"type": "installationUpdate", "action": "add", "conversation": plain, "channelData": team("", fields{"settings": fields{"selectedChannel": fields{"id": second}}})})
		}, bot.Joined, []bot.Place{{Platform: bot.Teams, Team: contoso, Channel: second}}},
		"added to a team": {func(w *world) fields {
			return w.inChannel(fields{"type": "conversationUpdate", "conversation": plain, "membersAdded": added("29:x", self), "channelData": team("teamMemberAdded", nil)})
		}, bot.Joined, []bot.Place{channelP}},
		"removed from a team": {func(w *world) fields {
			return w.inChannel(fields{"type": "conversationUpdate", "conversation": plain, "membersRemoved": added(self), "channelData": team("teamMemberRemoved", nil)})
		}, bot.Left, []bot.Place{channelP, {Platform: bot.Teams, Team: contoso, Channel: second}}},
		"a team deleted": {func(w *world) fields {
			return w.inChannel(fields{"type": "conversationUpdate", "conversation": plain, "channelData": team("teamDeleted", nil)})
		}, bot.Left, []bot.Place{channelP, {Platform: bot.Teams, Team: contoso, Channel: second}}},
		"a team archived": {func(w *world) fields {
			return w.inChannel(fields{"type": "conversationUpdate", "conversation": plain, "channelData": team("teamArchived", nil)})
		}, bot.Left, []bot.Place{channelP, {Platform: bot.Teams, Team: contoso, Channel: second}}},
		"a channel deleted": {func(w *world) fields {
			return w.inChannel(fields{"type": "conversationUpdate", "conversation": plain, "channelData": team("channelDeleted", fields{"channel": fields{"id": second}})})
		}, bot.Left, []bot.Place{{Platform: bot.Teams, Team: contoso, Channel: second}}},
		"added to a group chat": {func(w *world) fields {
			return w.inChannel(fields{"type": "conversationUpdate", "membersAdded": added(self), "conversation": fields{"id": "19:g@thread.v2", "conversationType": "groupChat", "tenantId": contoso}, "channelData": nil})
		}, bot.Joined, []bot.Place{{Platform: bot.Teams, Team: contoso, Channel: "19:g@thread.v2"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			// The bot was spoken to in a second channel of the team.
			w.deliver(w.inChannel(fields{"text": "lunch", "conversation": fields{"id": second + ";messageid=1", "conversationType": "channel", "tenantId": contoso}}))
			w.deliver(c.v(w))
			var at []bot.Place
			keys := map[string]bool{}
			for _, r := range w.desk.taken {
				if r.Kind != c.kind {
					t.Errorf("got %s", r.Kind)
				}
				at = append(at, r.Place)
				keys[r.Key] = true
			}
			if d := cmp.Diff(c.at, at); d != "" || len(keys) != len(at) {
				t.Errorf("%s keys %v", d, keys)
			}
		})
	}
}

func TestOneInstallationIsOneWelcome(t *testing.T) {
	w := newWorld(t)
	w.deliver(w.personal(fields{"type": "installationUpdate", "action": "add", "id": "f:1"}))
	w.deliver(w.personal(fields{"type": "conversationUpdate", "membersAdded": added("28:" + appID), "id": "f:2"}))
	if n := len(w.desk.taken); n != 1 {
		t.Errorf("the desk heard %d times of one installation", n)
	}
	w.pass(2 * time.Minute)
	w.deliver(w.personal(fields{"type": "installationUpdate", "action": "add", "id": "f:3"}))
	if n := len(w.desk.taken); n != 2 {
		t.Errorf("a later installation is not heard of")
	}
}

func TestADeliveryKeyNamesOneDelivery(t *testing.T) {
	w := newWorld(t)
	for _, v := range []fields{
		w.personal(fields{"text": "help"}), w.personal(fields{"text": "help", "id": "1002"}),
		w.inChannel(fields{"text": "help", "entities": mentionsBot}), w.personal(fields{"text": "help", "id": nil}), w.personal(fields{"text": "status", "id": nil}),
		w.personal(fields{"text": "help", "id": strings.Repeat("i", 5000)}),
	} {
		w.deliver(v)
		w.deliver(v)
	}
	keys := map[string]int{}
	for _, r := range w.desk.taken {
		keys[r.Key]++
		if len(r.Key) > 600 || !strings.HasPrefix(r.Key, "teams/") {
			t.Errorf("an odd key: %s", r.Key)
		}
	}
	if len(keys) != 6 || w.desk.decided != 6 {
		t.Errorf("got %d keys, %d decisions: %v", len(keys), w.desk.decided, keys)
	}
}

func TestAFailureNeverReachesTeamsAsFiveHundred(t *testing.T) {
	for name, change := range map[string]func(*desk){
		"not written": func(d *desk) { d.err = bot.ErrNoCommit },
		"draining":    func(d *desk) { d.err = bot.ErrDraining },
		"unknown":     func(d *desk) { d.err = errors.New("inner " + canary) },
		"panic":       func(d *desk) { d.boom = true },
	} {
		w := newWorld(t, func(c *Config) { c.Log = discard() })
		change(w.desk)
		w.deliver(w.personal(fields{"text": "help"}))
		got := asJSON(w.lastCall().Body)
		if !strings.Contains(got, "Nothing was done") && !strings.Contains(got, "Something went wrong") {
			t.Errorf("%s: the person reads %s", name, got)
		}
		if strings.Contains(got, canary) {
			t.Errorf("%s: the person reads an inner error", name)
		}
	}
}

func asJSON(v any) string { b, _ := json.Marshal(v); return string(b) }

func TestAPanicInReadingCostsOneRequest(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Memory = broken{} })
	if rec := w.deliver(w.personal(fields{"text": "help"})); rec.Code != http.StatusOK {
		t.Errorf("got %d", rec.Code)
	}
	if !strings.Contains(w.log.String(), "panic") {
		t.Error("the operator hears nothing of it")
	}
}

// broken is a memory with a bug.
type broken struct{}

func (broken) Recall(string) (string, bool)  { panic("a bug") }
func (broken) Remember(string, string) error { return errors.New("no") }

// What a person sends does not say that they are a guest; the rosters do.
func TestTheRosterSaysWhoIsAGuest(t *testing.T) {
	if !(account{UserRole: "guest"}).visits() || !(account{UPN: "bob_fabrikam.com#ext#@contoso.com"}).visits() || (account{UserRole: "user", UPN: "bob@contoso.com"}).visits() {
		t.Error("a guest is not told apart")
	}
}
