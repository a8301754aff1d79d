package moments

import (
	"slices"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// moment is one message of the bot's, and how it comes about.
type moment struct {
	name string
	make func(o *office) bot.Message
}

const help = "answer-02-help"

// der stands for the public half of a key.
const der = "MIIB"

// planned is the reader's registration with its calls to approve: nothing of
// it exists yet.
func (o *office) planned() *office {
	o.run.Keep(setup.StepReaderApp, map[string]string{"reader.key.der": der}, monday)
	spec, _ := o.spec(setup.StepReaderApp)
	p, wrong := spec.API.Plan(setup.Context{Run: &o.run, Tenant: o.tenant}, setup.Reading{
		"app": {Failure: &bot.Failure{Kind: bot.KindNotFound, Status: 404}}, "principals": {Answer: bot.Answer{Status: 200, Body: []byte(`{"value":[]}`)}}})
	if wrong != nil {
		o.t.Fatalf("the step has no plan: %+v", wrong)
	}
	return o.step(setup.StepBefore, setup.Confirmed, func(s *setup.Step) { s.By = "rita" }).
		step(setup.StepSignInEntra, setup.Done, func(s *setup.Step) {
			s.By = "erin"
			s.Proof = []string{"single tenant", "1 public key and no client secret"}
		}).
		step(setup.StepReaderApp, setup.Planned, func(s *setup.Step) {
			s.Plan, s.As = &setup.Plan{Calls: p.Calls, Exists: p.Exists, Digest: setup.Digest(p.Calls), Made: o.now}, "erin"
		})
}

func approved(s *setup.Step) {
	s.Approval = &setup.Approval{Person: "erin", Account: "erin.admin@contoso.com", Digest: s.Plan.Digest, At: monday.Add(30 * time.Minute)}
}

// made is the reader's registration made and read back.
func (o *office) made() *office {
	o.planned().step(setup.StepReaderApp, setup.Done, func(s *setup.Step) {
		approved(s)
		s.By, s.Proof = "erin", []string{"single tenant", "asks for ServiceHealth.Read.All, ServiceMessage.Read.All", "the key is there"}
	})
	o.run.Keep(setup.StepReaderApp, map[string]string{setup.FactReaderClientID: "a397a40d-2f2c-49fa-a57c-5844cfca2508"}, monday)
	return o.step(setup.StepReaderConsent, setup.Open, nil)
}

// refused is a run in which a registration was made and what came next failed.
func (o *office) refused() *office {
	return o.made().step(setup.StepReaderApp, setup.Done, func(s *setup.Step) { s.At = monday.Add(31 * time.Minute) }).
		step(setup.StepUnattended, setup.Failed, func(s *setup.Step) {
			s.Problem = &setup.Problem{Says: "ServiceNow refused it: a role for this is missing.", Fix: "Sign in with an account that holds admin.", At: monday.Add(40 * time.Minute)}
		})
}

func (o *office) cardOf(p bot.PersonID) bot.Message { return o.scene().Card(p, 0) }

// only leaves a step alone on its people's cards, so that the moment is seen.
func (o *office) only(id setup.StepID) *office {
	for p, visits := range o.run.Visits {
		for i := range visits {
			visits[i].Steps = []setup.StepID{id}
		}
		o.run.Visits[p] = visits
	}
	return o
}

// mail is an invented incident after so many posts.
func mail(posts int, resolved bool) incident.Known {
	texts := []string{
		"Title: Users can't send email\n\nUser impact: Users may be unable to send email messages from Outlook on the web.\n\nMore info: Users can send with the Outlook desktop app.\n\nCurrent status: We're reviewing telemetry to find out why messages stay in Drafts.\n\nNext update by: Monday, November 23, 2026, at 1:00 PM UTC",
		"Title: Users can't send email\n\nUser impact: Users may be unable to send email messages from Outlook on the web.\n\nMore info: Users can send with the Outlook desktop app.\n\nCurrent status: A recent change to mail flow causes this. We're reverting it.\n\nNext update by: Monday, November 23, 2026, at 3:00 PM UTC",
		"Title: Users can't send email\n\nUser impact: Users may have been unable to send email messages from Outlook on the web.\n\nFinal status: We've reverted the change and confirmed that messages are sent again.\n\nRoot cause: A recent change to mail flow.",
	}
	is := incident.Issue{ID: "EX1234567", Title: "Users can't send email", Service: "Exchange Online", Classification: "incident", Feature: "Outlook on the web", Status: "serviceDegradation",
		Impact: "Users may be unable to send email messages from Outlook on the web.", Start: monday.Add(-20 * time.Minute), Modified: monday.Add(time.Duration(posts) * 10 * time.Minute)}
	for i, text := range texts[:posts] {
		is.Posts = append(is.Posts, incident.Post{Created: monday.Add(time.Duration(i) * 10 * time.Minute), Type: "regular", Content: text})
	}
	if resolved {
		is.Resolved, is.Status, is.End = true, "serviceRestored", is.Modified
	}
	return incident.Merge(nil, is, is.Modified)
}

// root is a root message as the engine has it drawn where ServiceNow incidents
// are filled.
func root(k incident.Known, worker bot.Text) bot.Message {
	o := incident.Options{Worker: worker}
	if !k.Issue.Resolved {
		o.More = append(o.More, incident.TicketButton(k.Issue.ID, "", ""))
	}
	o.More = append(o.More, incident.SolveButton(k))
	return incident.Root(k, incident.Subscription{}, o)
}

// followed is what the thread says of a change.
func followed(o *office, before, after incident.Known) bot.Message {
	for _, c := range incident.Compare(&before, after.Issue, o.now) {
		if c.Replies() {
			return incident.Reply(incident.Merge(&before, after.Issue, o.now), c)
		}
	}
	o.t.Fatal("the change has no reply")
	return bot.Message{}
}

// moments are all of them.
var moments = slices.Concat(single, many, answers, talk, turns)

var single = []moment{
	{"setup-01-start", func(o *office) bot.Message { return o.asks(typed("RITA", "setup")) }},
	{"setup-02-form", func(o *office) bot.Message { return o.asks(typed("RITA", "setup direct")) }},
	{"setup-03-already", func(o *office) bot.Message { return o.kept().asks(typed("RITA", "setup direct")) }},
	{"setup-04-checklist", func(o *office) bot.Message { return o.planned().scene().Checklist() }},
	{"setup-05-hand-off", func(o *office) bot.Message {
		return o.planned().scene().Handoff(bot.EntraAdmin, []setup.StepID{setup.StepReaderApp})
	}},
	{"setup-06-sign-in", func(o *office) bot.Message {
		return o.planned().only(setup.StepReaderApp).step(setup.StepReaderApp, setup.Unsigned, func(s *setup.Step) {
			s.Plan, s.SignIn = nil, &setup.SignIn{System: bot.Graph, Back: setup.Looking}
		}).cardOf("erin")
	}},
	{"setup-07-plan", func(o *office) bot.Message { return o.planned().only(setup.StepReaderApp).cardOf("erin") }},
	{"setup-08-role-not-active", func(o *office) bot.Message {
		return o.planned().only(setup.StepReaderApp).step(setup.StepReaderApp, setup.Planned, func(s *setup.Step) { s.Lacks = "Application Administrator" }).cardOf("erin")
	}},
	{"setup-09-exact-calls", func(o *office) bot.Message { return o.planned().scene().ExactCalls(o.spec(setup.StepReaderApp)) }},
	{"setup-10-script", func(o *office) bot.Message { return o.planned().scene().Script(o.spec(setup.StepReaderApp)) }},
	{"setup-11-running", func(o *office) bot.Message {
		return o.planned().only(setup.StepReaderApp).step(setup.StepReaderApp, setup.Running, approved).cardOf("erin")
	}},
	{"setup-12-done", func(o *office) bot.Message { return o.made().only(setup.StepReaderApp).cardOf("erin") }},
	{"setup-13-done-in-the-thread", func(o *office) bot.Message { return o.made().scene().Outcome(o.spec(setup.StepReaderApp)) }},
	{"setup-14-failed", func(o *office) bot.Message {
		return o.planned().only(setup.StepReaderApp).step(setup.StepReaderApp, setup.Failed, func(s *setup.Step) {
			approved(s)
			s.Problem = &setup.Problem{Call: "app", Says: "Graph refused it: a role or permission for this is missing.", Fix: "It takes the role Application Administrator or Cloud Application Administrator.",
				Code: "Authorization_RequestDenied", Request: "5f0c1e7a-8a51-4d55-9a53-5a1f6f0f4f3a"}
		}).cardOf("erin")
	}},
	{"setup-15-guided", func(o *office) bot.Message { return o.made().only(setup.StepReaderConsent).cardOf("priya") }},
	{"setup-16-form-to-fill", func(o *office) bot.Message {
		return o.made().only(setup.StepMapping).step(setup.StepMapping, setup.Open, nil).cardOf("sam")
	}},
	{"setup-17-may-not", func(o *office) bot.Message {
		o.planned().kept()
		_, s := o.spec(setup.StepReaderApp)
		return o.asks(clicked("SAM", setup.ActApprove, o.run.ID+"/"+string(setup.StepReaderApp)+"/"+s.Plan.Digest))
	}},
	{"setup-18-old-button", func(o *office) bot.Message {
		o.made().kept()
		_, s := o.spec(setup.StepReaderApp)
		return o.asks(clicked("EMIL", setup.ActApprove, o.run.ID+"/"+string(setup.StepReaderApp)+"/"+s.Plan.Digest))
	}},
	{"setup-19-reminder", func(o *office) bot.Message { return o.planned().scene().Reminder([]setup.StepID{setup.StepReaderApp}) }},
	{"setup-20-reminder-of-a-backup", func(o *office) bot.Message {
		return o.planned().scene().Says(setup.Reminder{Step: setup.StepReaderApp, To: []bot.PersonID{"emil"}, Backup: true, Slow: []bot.PersonID{"erin"}})
	}},
	{"setup-21-reminder-of-the-requester", func(o *office) bot.Message {
		return o.planned().scene().Says(setup.Reminder{Step: setup.StepReaderApp, To: []bot.PersonID{"rita"}, About: true, Slow: []bot.PersonID{"erin", "emil"}})
	}},
	{"setup-22-cancel", func(o *office) bot.Message { return o.made().kept().asks(typed("RITA", "cancel")) }},
	{"setup-23-record", func(o *office) bot.Message {
		o.made()
		for i := range o.guide.Steps {
			if st := o.run.Step(o.guide.Steps[i].ID); !st.State.Settled() {
				o.step(o.guide.Steps[i].ID, setup.Done, func(s *setup.Step) { s.By = "sam" })
			}
		}
		o.run.State, o.run.Ended = setup.RunDone, monday.Add(3*time.Hour)
		sc := o.scene()
		sc.Objects = []bot.Object{{Run: o.run.ID, Step: string(setup.StepReaderApp), System: bot.Graph, Kind: "application", Name: "Keyturn service health reader",
			ID: "a397a40d-2f2c-49fa-a57c-5844cfca2508", By: "erin", At: monday, Expires: monday.AddDate(1, 0, 0)}}
		return sc.Checklist()
	}},
	{"setup-24-kept-up-to-date", func(o *office) bot.Message { return o.refused().scene().Told() }},
	{"setup-25-finished", func(o *office) bot.Message {
		o.refused().step(setup.StepReaderConsent, setup.Done, nil).step(setup.StepMapping, setup.Skipped, func(s *setup.Step) {
			s.By, s.Why = "sam", "The service desk keeps its own list."
		})
		o.run.State, o.run.Ended = setup.RunDone, monday.Add(3*time.Hour)
		return o.scene().Finished()
	}},

	{"incident-01-new", func(*office) bot.Message {
		return root(mail(1, false), nil)
	}},
	{"incident-02-post", func(o *office) bot.Message { return followed(o, mail(1, false), mail(2, false)) }},
	{"incident-03-we-are-on-it", func(o *office) bot.Message {
		k := mail(2, false)
		k.Worker, k.Working = "sam", monday
		return root(k, bot.T("Sam Duarte"))
	}},
	{"incident-04-resolved", func(*office) bot.Message {
		return root(mail(3, true), nil)
	}},
	{"incident-05-resolved-in-the-thread", func(o *office) bot.Message { return followed(o, mail(2, false), mail(3, true)) }},
	{"incident-06-history", func(*office) bot.Message { return incident.History(mail(2, false)) }},
	{"incident-07-silence", func(*office) bot.Message {
		return incident.Unreadable(incident.Watch{Failing: monday, Good: monday.Add(-2 * time.Minute)})
	}},
	{"incident-08-silence-cause", func(*office) bot.Message {
		return incident.UnreadableCause(incident.Watch{Failing: monday, Good: monday.Add(-2 * time.Minute), Tries: 8, Failure: "Graph did not answer within 30 seconds."})
	}},
	{"incident-09-readable-again", func(*office) bot.Message {
		return incident.ReadableAgain(incident.Gap{From: monday.Add(-4 * time.Hour), To: monday, Told: true, New: 2, Resolved: 1})
	}},
	{"incident-10-health", func(o *office) bot.Message { return o.kept(mail(2, false)).asks(typed("RITA", "health")) }},
	{"incident-11-subscribed", func(o *office) bot.Message {
		o.kept().asks(typed("RITA", "subscribe Exchange Online; quiet 22:00-06:00"))
		return o.said()
	}},
	{"incident-12-subscriptions", func(o *office) bot.Message { return o.kept().asks(typed("RITA", "subscriptions")) }},

	{"answer-01-menu", func(o *office) bot.Message { return o.asks(typed("RITA", "")) }},
	{help, func(o *office) bot.Message { return o.asks(typed("RITA", "help")) }},
	{"answer-03-unknown", func(o *office) bot.Message { return o.asks(typed("RITA", "subscrbe Exchange Online")) }},
	{"answer-04-status", func(o *office) bot.Message { return o.planned().kept().asks(typed("RITA", "status")) }},
	{"answer-05-nothing-to-say", func(o *office) bot.Message { return o.asks(typed("RITA", "status")) }},
	{"answer-06-recommend", func(o *office) bot.Message {
		return o.kept(mail(2, false)).asks(typed("RITA", "recommend outlook on the web cannot send mail"))
	}},
	{"answer-07-recommend-nothing", func(o *office) bot.Message {
		return o.kept().asks(typed("RITA", "recommend outlook keeps asking for my password"))
	}},
	{"answer-08-stranger", func(o *office) bot.Message {
		return o.asks(bot.Request{Kind: bot.Typed, From: on("MAX")[0], Text: "setup direct"})
	}},
	{"answer-09-roles", func(o *office) bot.Message { return o.asks(typed("OLGA", "roles")) }},
	{"answer-10-inventory", func(o *office) bot.Message { return o.asks(typed("RITA", "inventory")) }},
	{"answer-11-mine", func(o *office) bot.Message {
		r := typed("RITA", "mine")
		r.Place = bot.DM(on("RITA")[0])
		return o.planned().kept(mail(2, false)).asks(r)
	}},

	{"life-01-added-to-a-channel", func(o *office) bot.Message { return o.asks(bot.Request{Kind: bot.Joined, From: on("RITA")[0]}) }},
	{"life-02-met", func(o *office) bot.Message {
		return o.asks(bot.Request{Kind: bot.Joined, From: on("RITA")[0], Place: bot.DM(on("RITA")[0])})
	}},
	{"life-03-removed-from-a-channel", func(o *office) bot.Message {
		o.kept().asks(typed("RITA", "subscribe"))
		return o.asks(bot.Request{Kind: bot.Left, From: on("RITA")[0]})
	}},
	{"life-04-home-of-a-newcomer", func(o *office) bot.Message { return o.page("RITA") }},
	{"life-05-home-of-an-admin", func(o *office) bot.Message {
		return o.planned().only(setup.StepReaderApp).kept(mail(2, false)).page("ERIN")
	}},
}

func TestEveryMomentOnBothPlatforms(t *testing.T) {
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			said := m.make(newOffice(t))
			if m.name != help { // it grows with every command, and the table's own tests hold its words
				golden(t, m.name, said)
			}
			reads(t, said)
		})
	}
}
