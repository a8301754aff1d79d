package commands_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
	"keyturn/commands"
)

// ill gives the tenant an incident of Exchange and one of Teams that is over,
// read a minute ago.
func (w *world) ill() {
	w.t.Helper()
	w.commit(func(d *engine.Draft) error {
		put := func(i incident.Issue) {
			i.Modified = d.Now.Add(-time.Hour)
			i.Start = d.Now.Add(-3 * time.Hour)
			d.Out.Incidents = append(d.Out.Incidents, incident.Known{Tenant: "contoso", Issue: i, First: d.Now, Seen: d.Now})
		}
		put(incident.Issue{ID: "EX7", Title: "Users are prompted for credentials in the desktop client", Service: "Exchange Online", Classification: "incident", Status: "investigating",
			Impact: "Users are asked for their password repeatedly in Outlook.", Posts: []incident.Post{{Created: d.Now, Content: "More info: The web client is affected less.\n\nWorkaround: Use Outlook on the web meanwhile."}}})
		put(incident.Issue{ID: "TM7", Title: "Calls are disconnected", Service: "Microsoft Teams", Classification: "incident", Status: "serviceRestored", Resolved: true, End: d.Now.Add(-time.Hour),
			Impact: "Calls ended after thirty seconds."})
		d.Out.Watches = append(d.Out.Watches, incident.Watch{Tenant: "contoso", Seeded: true, Good: d.Now.Add(-time.Minute)})
		return nil
	})
}

func directly(who, text string) bot.Request {
	r := typed(who, text)
	r.Place = bot.DM(r.From)
	return r
}

func expect(t *testing.T, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

func button(t *testing.T, r bot.Reply, label string) bot.Button {
	t.Helper()
	if r.Message != nil {
		for _, p := range r.Message.Parts {
			if row, ok := p.(bot.Buttons); ok {
				for _, b := range row.Items {
					if b.Label == label {
						return b
					}
				}
			}
		}
	}
	t.Fatalf("no button %q in:\n%s", label, words(r))
	return bot.Button{}
}

func TestASymptomFindsItsIncidentAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	w.ill()
	reply := w.do(typed("nobody", "recommend outlook keeps asking for my password"))
	if reply.InPlace {
		t.Error("the answer is for everybody to see")
	}
	expect(t, words(reply), "1. May match EX7", "because it is about Exchange Online", "“password”", "🔴 Incident · ", "since 23 Nov 2026 06:00", "Workaround: Use Outlook on the web meanwhile.", "[1 helped] [None helped] [Share in channel]")
	if strings.Contains(words(reply), "TM7") {
		t.Errorf("calls have nothing to do with it:\n%s", words(reply))
	}
	expect(t, words(w.do(typed("nobody", "solve Teams calls drop"))), "1. May match TM7", "🟢 Resolved")
}

func TestWhereNothingIsPublishedTheAnswerSaysHowToTellALocalFault(t *testing.T) {
	w := newWorld(t)
	w.ill()
	got := words(w.do(typed("nobody", "recommend onedrive sync is stuck")))
	expect(t, got, "Microsoft has published nothing yet that fits (read 08:59 UTC); it often posts late.", "To tell a local fault apart", "1. Look at the same folder in the browser.", "mobile data", "/keyturn health")
	if strings.Contains(got, "May match") || strings.Contains(got, "helped]") {
		t.Errorf("a hit was made up:\n%s", got)
	}
}

func TestWithoutAReadingNothingIsSaidToBeUnpublished(t *testing.T) {
	w := newWorld(t)
	got := words(w.do(typed("nobody", "recommend onedrive sync is stuck")))
	expect(t, got, "⚫ I have not read Microsoft's service health yet")
	if strings.Contains(got, "published nothing") {
		t.Error(got)
	}
}

func TestAnAnswerIsSharedOnRequestAndItsBestHitComesFirstTheNextTime(t *testing.T) {
	w := newWorld(t)
	w.ill()
	reply := w.do(typed("kim", "recommend outlook keeps asking for my password"))
	shared := w.do(clicked("kim", "recommend-share", button(t, reply, "Share in channel").Value))
	if !shared.InPlace {
		t.Error("shared with nobody")
	}
	expect(t, words(shared), "Kim asked: “outlook keeps asking for my password”", "May match EX7")
	expect(t, words(w.do(clicked("ada", "recommend-share", button(t, reply, "Share in channel").Value))), "I no longer keep that question")

	helped := button(t, reply, "1 helped")
	expect(t, words(w.do(clicked("kim", helped.Action, helped.Value))), "Thank you. I show EX7 earlier")
	expect(t, words(w.do(clicked("kim", helped.Action, helped.Value))), "You said so already")

	// The same by command, about the latest question.
	w.do(typed("sam", "recommend outlook asks for a password"))
	expect(t, words(w.do(typed("sam", "recommend none"))), "in other words")
	w.do(typed("rita", "recommend outlook asks for a password"))
	expect(t, words(w.do(typed("rita", "recommend helped 9"))), "has no number 9")
	expect(t, words(w.do(typed("rita", "recommend share"))), "Rita asked")
	expect(t, words(w.do(typed("olga", "recommend share"))), "no longer keep")
}

func TestWhatCanIDoOfAnIncident(t *testing.T) {
	w := newWorld(t)
	w.ill()
	got := words(w.do(clicked("nobody", incident.ActionSolve, "EX7")))
	expect(t, got, "1. EX7: Users are prompted", "Workaround: Use Outlook on the web meanwhile.")
	if strings.Contains(got, "May match EX7") {
		t.Error("it does not match itself")
	}
	expect(t, words(w.do(clicked("nobody", incident.ActionSolve, "EX0"))), "I no longer keep EX0")
}

func TestSomebodyWhoSaysNothingIsAskedInAForm(t *testing.T) {
	w := newWorld(t)
	w.ill()
	ask := button(t, w.do(typed("nobody", "recommend")), "Say it in a form")
	form := w.do(clicked("nobody", ask.Action, ask.Value)).Form
	if form == nil {
		t.Fatal("no form")
	}
	if r := w.do(submitted("nobody", form.Action, form.Value, map[string][]string{"what": {"  ?? "}})); r.Errors["what"] == "" {
		t.Error("nothing was asked, and nothing was said about it")
	}
	expect(t, words(w.do(submitted("nobody", form.Action, form.Value, map[string][]string{"what": {"password prompts in outlook"}}))), "May match EX7")
}

func TestADirectMessageUnderstandsASentence(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.ill()
	for said, want := range map[string]string{
		"is outlook down?":                     "1 issue open for Exchange Online",
		"Is Teams working":                     "Microsoft has nothing open for Microsoft Teams",
		"any problems with exchange?":          "1 issue open for Exchange Online",
		"status of exchange":                   "1 issue open for Exchange Online",
		"is everything ok?":                    "Exchange Online",
		"what's down right now?":               "Exchange Online",
		"outlook":                              "1 issue open for Exchange Online",
		"my outlook keeps asking for password": "May match EX7",
		"help me outlook wants my password":    "May match EX7",
		"onedrive does not sync my files":      "published nothing yet",
		"AADSTS90033":                          "published nothing yet",
		"hi":                                   "What can I do for you?",
		"Hello!":                               "What can I do for you?",
		"thanks":                               "What can I do for you?",
		"?!":                                   "What can I do for you?",
		"xyzzy":                                "I do not know xyzzy",
		"subscrbe Exchange Online":             "Did you mean subscribe?",
		"helth":                                "Did you mean health?",
		"health Exchange Online":               "1 issue open for Exchange Online",
		"my steps":                             "End this run",
		"home":                                 "End this run",
		"home page of sharepoint is blank":     "published nothing yet",
		"status":                               "Contoso",
	} {
		if got := words(w.do(directly("rita", said))); !strings.Contains(got, want) {
			t.Errorf("%q was answered:\n%s\nwant %q", said, got, want)
		}
	}
	// A command is answered the same: who types it does not ask for less.
	for said, want := range map[string]string{"outlook keeps asking for a password": "May match EX7", "is outlook down?": "1 issue open for Exchange Online", "zoom is down": "I do not understand “zoom is down”"} {
		expect(t, words(w.do(typed("rita", said))), want)
	}
}

// listed has the tenant's services be read.
func (w *world) listed(names ...string) {
	w.t.Helper()
	w.commit(func(d *engine.Draft) error {
		var list []incident.Service
		for _, n := range names {
			list = append(list, incident.Service{ID: n, Name: n, Status: "serviceOperational"})
		}
		engine.Kind[map[string]any]{Name: "overview"}.Put(&d.Out, "contoso", "now", map[string]any{"at": d.Now, "services": list})
		return nil
	})
}

// Silence about a name that is no service is no green light, and a channel that
// waits for one would never be told.
func TestANameThatIsNoServiceIsNeverCalledFine(t *testing.T) {
	w := newWorld(t)
	w.ill()
	w.listed("Exchange Online", "Microsoft Teams", "SharePoint Online", "Microsoft 365 apps")
	for said, want := range map[string]string{
		"health owa": "1 issue open for Exchange Online", "health exo please": "1 issue open for Exchange Online", "incidents for outlook": "1 issue open for Exchange Online",
		"health zoom": "I know no service “zoom” here, so I cannot say how it is.", "incidents zoom all": "I know no service “zoom” here", "health 365 aps": "Did you mean Microsoft 365 apps?",
		"health spo": "Microsoft has nothing open for SharePoint Online", "subscribe zoom": "I have changed nothing", "subscribe Sway": "I have changed nothing", "picture zoom": "I have drawn nothing",
	} {
		got := words(w.do(typed("rita", said)))
		expect(t, got, want)
		if strings.Contains(want, "zoom") && strings.Contains(got, "nothing open") {
			t.Errorf("%s: %s", said, got)
		}
	}
	w.do(typed("rita", "subscribe OWA, spo, teams"))
	s := w.told()
	if got := strings.Join(s.Services, "; "); got != "Exchange Online; SharePoint Online; Microsoft Teams" {
		t.Errorf("the channel is told about %s", got)
	}
}

// An outage of the whole suite is one of each service that it names.
func TestAnOutageOfTheSuiteIsOneOfItsServices(t *testing.T) {
	w := newWorld(t)
	w.listed("Exchange Online", "Microsoft Teams", "Microsoft 365 suite", "Microsoft 365 apps")
	w.commit(func(d *engine.Draft) error {
		for _, i := range []incident.Issue{
			{ID: "MO770001", Title: "Users cannot reach Microsoft Teams and Exchange Online", Service: "Microsoft 365 suite", Classification: "incident", Status: "serviceInterruption"},
			{ID: "OP770002", Title: "Outlook for Windows closes", Service: "Microsoft 365 apps", Classification: "incident", Status: "investigating"},
		} {
			i.Start, i.Modified = d.Now, d.Now
			d.Out.Incidents = append(d.Out.Incidents, incident.Known{Tenant: "contoso", Issue: i, First: d.Now, Seen: d.Now})
		}
		d.Out.Watches = append(d.Out.Watches, incident.Watch{Tenant: "contoso", Seeded: true, Good: d.Now})
		return nil
	})
	for _, said := range []string{"is teams down?", "health teams", "is exchange ok", "incidents Exchange Online"} {
		expect(t, words(w.do(typed("nobody", said))), "MO770001")
	}
	expect(t, words(w.do(typed("nobody", "word down?"))), "OP770002")
	expect(t, words(w.do(typed("nobody", "exchange and word down?"))), "MO770001", "OP770002")
}

func TestTheMenuHasWhatTheAskerMay(t *testing.T) {
	w := newWorld(t)
	expect(t, words(w.do(typed("nobody", ""))), "[Service health] [Is it Microsoft?] [Help]", "health, recommend, help")
	expect(t, words(w.do(typed("rita", ""))), "[Service health] [Is it Microsoft?] [Tell a channel] [Set something up] [My steps] [Status] [Help]")
	for _, text := range []string{"", "help"} {
		for _, p := range w.do(typed("rita", text)).Message.Parts {
			row, ok := p.(bot.Buttons)
			for _, b := range row.Items {
				_, verb := w.table.Verb(b.Value)
				known := b.Action == "verb" && verb || slices.ContainsFunc(w.table.Clicks, func(c commands.Click) bool { return c.Action == b.Action })
				if ok && !known {
					t.Errorf("[%s] leads nowhere: %+v", b.Label, b)
				}
			}
		}
	}
}

func TestHelpKnowsWhereItIsRead(t *testing.T) {
	w := newWorld(t)
	expect(t, words(w.do(directly("rita", "help"))), "(in the channel that it is about)", "is outlook down?")
	if got := words(w.do(typed("rita", "help"))); strings.Contains(got, "in the channel that it is about") {
		t.Error(got)
	}
}

// TestHostileQuestions holds that whatever is asked is answered and comes back
// as no more than text.
func TestHostileQuestions(t *testing.T) {
	w := newWorld(t)
	w.ill()
	for _, said := range []string{strings.Repeat("outlook ", 400), "\x00\xff outlook", "<!channel> <@U1> outlook password", "*_~`outlook password`", "💥", "recommend recommend", "helped 0", "share it with outlook"} {
		reply := w.do(typed("nobody", "recommend "+said))
		if reply.Message == nil || len(words(reply)) > 6000 {
			t.Errorf("%q was answered with %d characters", said, len(words(reply)))
		}
		w.do(directly("nobody", said))
	}
}

func FuzzFreeText(f *testing.F) {
	for _, s := range []string{"is outlook down?", "my steps", "hi", "help me", "AADSTS90033", "\x00", "status of of of", "’"} {
		f.Add(s)
	}
	table := commands.New("/keyturn")
	f.Fuzz(func(t *testing.T, said string) {
		r := directly("nobody", said)
		if got := commands.Understood(table, r); !got {
			t.Errorf("%q was not understood as anything", said)
		}
		_ = recommend.Parse(said)
	})
}

func TestAChangeOfMicrosoftsExplainsWhatPeopleSee(t *testing.T) {
	w := newWorld(t)
	w.ill()
	w.commit(func(d *engine.Draft) error {
		post := incident.KnownMessage{Tenant: "contoso", Post: incident.Announcement{ID: "MC7", Title: "Number matching in Authenticator", Services: []string{"Microsoft Entra"}, Modified: d.Now.Add(-48 * time.Hour),
			Body: "<p>People have to type the number that the sign-in screen shows.</p>"}}
		engine.Kind[incident.KnownMessage]{Name: "message"}.Put(&d.Out, "contoso", "MC7", post)
		return nil
	})
	expect(t, words(w.do(typed("nobody", "recommend why do I have to type a number in authenticator"))), "1. May match MC7: Number matching", "because it is about Microsoft Entra", "Message center")
}
