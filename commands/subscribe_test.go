package commands_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// told is what the channel is told.
func (w *world) told() (s incident.Subscription) {
	w.t.Helper()
	must(w.t, w.store.Read(w.t.Context(), func(v engine.View) error {
		subs, err := v.Subscriptions("contoso")
		if len(subs) == 1 {
			s = subs[0]
		}
		return err
	}))
	return s
}

func TestASubscriptionIsMadeAndChangedByWords(t *testing.T) {
	w := newWorld(t)
	w.begin()
	r := w.do(typed("ada", "subscribe Microsoft Teams; incidents only; digest 08:00; mention slack:T1:Urita slack:T1:S0ONCALL"))
	if !strings.Contains(words(r), "This channel is subscribed") {
		t.Fatalf("it was answered: %s", words(r))
	}
	s := w.told()
	if len(s.Services) != 1 || s.DigestAt != "08:00" || s.Messages || len(s.OnCall) != 3 || s.OnCall[0].Text != "Rita" || s.OnCall[2].Group != "S0ONCALL" {
		t.Errorf("the channel is told %+v", s)
	}
	w.do(typed("ada", "subscriptions quiet 22:00-06:00; live"))
	if now := w.told(); now.ID != s.ID || now.Style != incident.Live || now.Quiet.From != "22:00" || len(now.Services) != 1 {
		t.Errorf("a change loses what it does not name: %+v", now)
	}
	r = w.do(typed("ada", "subscribe quiet never; digest soon"))
	if got := words(r); !strings.Contains(got, "I have changed nothing.") || !strings.Contains(got, "quiet 22:00-06:00") || !strings.Contains(got, "digest") {
		t.Errorf("two mistakes were answered: %s", got)
	}
	if now := w.told(); now.Quiet.From != "22:00" {
		t.Errorf("a mistake changed something: %+v", now)
	}
	r = w.do(typed("ada", "subscriptions"))
	if got := words(r); !strings.Contains(got, "Microsoft Teams") || !strings.Contains(got, "Quiet from 22:00 to 06:00") || !strings.Contains(got, "[Change]") || !strings.Contains(got, "Rita") {
		t.Errorf("subscriptions says: %s", got)
	}
	for _, sp := range r.Message.Parts[0].(bot.Paragraph).Text {
		if sp.Who != nil || sp.Group != "" {
			t.Error("showing a subscription pings somebody")
		}
	}
}

// Whether somebody has to do something first depends on whether there is a
// credential, not on whether it was used already.
func TestASubscriptionSaysWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	const none = "no run has made one"
	if r := w.do(typed("olga", "subscribe live")); !strings.Contains(words(r), none) {
		t.Errorf("nothing can be read, and it says: %s", words(r))
	}
	if r := w.do(typed("olga", "status")); !strings.Contains(words(r), none) {
		t.Errorf("nothing can be read, and the status says: %s", words(r))
	}
	w.commit(func(d *engine.Draft) error {
		d.Out.Secrets = append(d.Out.Secrets, engine.Sealed{Name: "tenant/contoso/reader", Value: bot.NewSecret(`{"client_id":"c","key":"k","cert":"x"}`)})
		return nil
	})
	if r := w.do(typed("olga", "subscribe live")); !strings.Contains(words(r), "Done. I say so in the channel") {
		t.Errorf("a run has made a credential, and it says: %s", words(r))
	}
	if r := w.do(typed("olga", "status")); strings.Contains(words(r), none) || !strings.Contains(words(r), "about to be read for the first time") {
		t.Errorf("a run has made a credential, and the status says: %s", words(r))
	}
}

func TestASubscriptionIsMadeAndChangedByForm(t *testing.T) {
	w := newWorld(t)
	w.begin()
	form := w.do(clicked("ada", "subscribe", "contoso")).Form
	if form == nil {
		t.Fatal("there is no form")
	}
	input := map[string][]string{}
	offered := ""
	for _, in := range form.Inputs {
		input[in.Name] = in.Values
		for _, o := range in.Options {
			offered += o.Label + "\n"
		}
	}
	issue, err := incident.Parse(incident.Samples()[0])
	must(t, err)
	if !strings.Contains(offered, issue.Service) || input["channel"][0] != channel.Channel || input["digest"][0] != "09:00" {
		t.Errorf("the form does not suggest the tenant's own services, the channel and the defaults: %v\n%s", input, offered)
	}
	input["style"], input["quiet_from"] = []string{"digest"}, []string{"22:00"}
	if r := w.do(submitted("ada", "subscribe", "contoso", input)); r.Errors["quiet_to"] == "" {
		t.Errorf("half of the quiet hours was taken: %+v", r)
	}
	input["quiet_to"] = []string{"06:00"}
	w.do(submitted("ada", "subscribe", "contoso", input))
	if s := w.told(); s.Style != incident.DigestOnly || s.Quiet.To != "06:00" {
		t.Errorf("the channel is told %+v", s)
	}
}

func TestAMaintenanceWindowIsSaidInTheChannelAndEnds(t *testing.T) {
	w := newWorld(t)
	w.begin()
	if r := w.do(typed("ada", "maintenance 2026-12-01 22:00 to 2026-12-02 04:00")); !strings.Contains(words(r), "told nothing") {
		t.Errorf("a channel that is told nothing was answered: %s", words(r))
	}
	w.do(typed("ada", "subscribe"))
	for typedWords, answer := range map[string]string{"maintenance": "From when to when?", "maintenance tonight": "changed nothing",
		"maintenance 2026-11-22 22:00 to 2026-11-23 04:00": "over already", "maintenance 2026-12-01 22:00 to 2026-12-02 04:00 because of the move": "I say so in the channel"} {
		if r := w.do(typed("ada", typedWords)); !strings.Contains(words(r), answer) {
			t.Errorf("%q was answered: %s", typedWords, words(r))
		}
	}
	if s := w.told(); len(s.Maintenance) != 1 || s.Maintenance[0].Why != "the move" {
		t.Errorf("the windows are %+v", s.Maintenance)
	}
	w.do(typed("ada", "maintenance off"))
	if s := w.told(); len(s.Maintenance) != 0 {
		t.Errorf("the windows are %+v", s.Maintenance)
	}
}

func TestWhoMutedIsNotMentioned(t *testing.T) {
	w := newWorld(t)
	w.begin()
	known := func() (k incident.Known) {
		must(t, w.store.Read(t.Context(), func(v engine.View) (err error) { k, err = v.Incident("contoso", "EX1"); return err }))
		return k
	}
	if r := w.do(clicked("ada", "history", "EX1")); !strings.Contains(words(r), "[Mute for me]") {
		t.Errorf("the history has no button to mute: %s", words(r))
	}
	w.do(clicked("ada", incident.ActionMute, "EX1"))
	if k := known(); len(k.Muted) != 1 || k.Muted[0] != "ada" {
		t.Errorf("muted are %v", k.Muted)
	}
	if r := w.do(typed("ada", "incident EX1")); !strings.Contains(words(r), "[Mention me again]") {
		t.Errorf("the history does not say that it is muted: %s", words(r))
	}
	w.do(typed("ada", "mute ex1"))
	if k := known(); len(k.Muted) != 0 {
		t.Errorf("muted are %v", k.Muted)
	}
	w.do(typed("ada", "subscribe"))
	w.do(typed("ada", "mute"))
	if s := w.told(); len(s.Muted) != 1 {
		t.Errorf("muted in the channel are %v", s.Muted)
	}
}

// page is what the bot's own page says, drawn in place of the message that was
// clicked.
func (w *world) page(who, action, value string) string {
	w.t.Helper()
	r := clicked(who, action, value)
	r.Place = bot.DM(account("U" + who))
	r.Message = bot.MessageRef{Place: r.Place, ID: "1.0"}
	reply := w.do(r)
	if !reply.Redraw {
		w.t.Errorf("[%s %s] does not draw the page in its place: %s", action, value, words(reply))
	}
	return words(reply)
}

func TestThePageTakesBackWhatItsReaderChose(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.commit(func(d *engine.Draft) error {
		k, err := d.Incident("contoso", "EX1")
		k.Issue.Resolved = false
		d.Out.Incidents = append(d.Out.Incidents, k)
		return err
	})
	w.do(typed("ada", "subscribe"))
	w.do(typed("ada", "mute"))
	w.do(typed("ada", "mute EX1"))
	w.do(clicked("ada", setup.ActRemind, "r1/open/"))
	page := w.page("ada", engine.ActionPage, "")
	for _, want := range []string{"Your settings", "I do not mention you about EX1 · ", "I do not mention you in ", "[Unmute]", "I leave you alone about:\n• Step open, until ", "[Remind me as usual]",
		"/keyturn unmute EX123456", "/keyturn remind"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	if theirs := w.page("kim", engine.ActionPage, ""); strings.Contains(theirs, "Unmute") || strings.Contains(theirs, "leave you alone") {
		t.Errorf("Kim chose nothing:\n%s", theirs)
	}
	for range 2 { // the second click of a page that is not drawn anew yet
		if page = w.page("ada", engine.ActionUnmute, "EX1"); strings.Contains(page, "mention you about EX1") {
			t.Errorf("EX1 is still muted:\n%s", page)
		}
	}
	sub := w.told().ID
	for range 2 {
		if page = w.page("ada", engine.ActionUnmute, sub); strings.Contains(page, "do not mention you") || strings.Contains(page, "[Unmute]") {
			t.Errorf("the channel is still muted:\n%s", page)
		}
	}
	for range 2 {
		if page = w.page("ada", engine.ActionRemind, ""); strings.Contains(page, "leave you alone") {
			t.Errorf("the step is still put off:\n%s", page)
		}
	}
	if !strings.Contains(page, "No incident and no channel is muted for you") {
		t.Errorf("%s", page)
	}
	must(t, w.store.Read(t.Context(), func(v engine.View) error {
		jobs, err := v.Jobs("")
		for _, j := range jobs {
			if strings.HasPrefix(j.Lane, "later/") {
				t.Errorf("she is still asked again at %s", j.Due)
			}
		}
		return err
	}))
	// A click of Slack's Home comes from no message: the page itself is drawn.
	reply, out := w.try(clicked("ada", engine.ActionPage, ""))
	if reply.Message != nil || !slices.ContainsFunc(out.Jobs, func(j bot.Job) bool { return j.Kind == "home" }) {
		t.Errorf("%s, %+v", words(reply), out.Jobs)
	}
}

func TestTheSameByCommand(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.do(typed("ada", "subscribe"))
	for _, c := range []struct{ text, want string }{
		{"unmute", "This place is not muted for you"},
		{"mute", "I do not mention you in this channel any more"},
		{"unmute", "I mention you in this channel again"},
		{"unmute", "This place is not muted for you"},
		{"unmute ex1", "EX1 is not muted for you"},
		{"mute ex1", "I do not mention you about EX1 any more"},
		{"unmute ex1", "I mention you about EX1 again"},
		{"unmute ex9", "I do not keep an incident"},
		{"remind", "You have put nothing off"},
	} {
		if r := w.do(typed("ada", c.text)); !strings.Contains(words(r), c.want) {
			t.Errorf("%s is answered: %s", c.text, words(r))
		}
	}
	w.do(clicked("ada", setup.ActRemind, "r1/open/"))
	if r := w.do(typed("kim", "remind")); !strings.Contains(words(r), "You have put nothing off") {
		t.Errorf("Kim is answered: %s", words(r))
	}
	if r := w.do(typed("ada", "remind")); !strings.Contains(words(r), "I remind you as usual again: Step open.") {
		t.Errorf("Ada is answered: %s", words(r))
	}
}

func TestWeAreOnItNamesThePerson(t *testing.T) {
	w := newWorld(t)
	w.begin()
	if r := w.do(typed("ada", "on-it EX1")); !strings.Contains(words(r), "name you") {
		t.Errorf("it was answered: %s", words(r))
	}
	if r := w.do(clicked("ada", "on-it", "EX1")); !strings.Contains(words(r), "already") {
		t.Errorf("a second time was answered: %s", words(r))
	}
	if r := w.do(typed("ada", "on-it EX999")); !strings.Contains(words(r), "do not keep") {
		t.Errorf("an unknown incident was answered: %s", words(r))
	}
}

func TestAMessageThatWasGivenUpIsSentAgainByAnOwner(t *testing.T) {
	w := newWorld(t)
	w.commit(func(d *engine.Draft) error {
		d.Say(channel, bot.Say(bot.T("Exchange is down")), bot.ClassIncident)
		return nil
	})
	var job bot.Job
	claim := func() (n int) {
		for {
			jobs, err := w.store.Claim(t.Context(), w.now.Add(time.Hour), 1)
			must(t, err)
			if len(jobs) == 0 {
				return n
			}
			if strings.Contains(string(jobs[0].Payload), "Exchange is down") {
				job, n = jobs[0], n+1
			}
		}
	}
	if claim() != 1 {
		t.Fatal("there is no message to send")
	}
	job.Dead, job.Last = true, "The channel is archived."
	w.commit(func(d *engine.Draft) error { d.Out.Again = append(d.Out.Again, job); return nil })
	if r := w.do(typed("ada", "undelivered")); !strings.Contains(words(r), "Only owners") {
		t.Errorf("who is no owner was told: %s", words(r))
	}
	r := w.do(typed("olga", "undelivered"))
	if got := words(r); !strings.Contains(got, "1 given up") || !strings.Contains(got, "Exchange is down") || !strings.Contains(got, "The channel is archived.") || !strings.Contains(got, "[Send again]") {
		t.Errorf("an owner was told: %s", got)
	}
	if r := w.do(typed("olga", "undelivered again all")); !strings.Contains(words(r), "1 on their way") {
		t.Errorf("sending again was answered: %s", words(r))
	}
	if claim() != 1 {
		t.Error("the message is not sent again")
	}
	if r := w.do(clicked("olga", "resend", "4711")); !strings.Contains(words(r), "Nothing was done") {
		t.Errorf("a message that is not there was answered: %s", words(r))
	}
}
