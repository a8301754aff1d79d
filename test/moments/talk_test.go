package moments

import (
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// list has the tenant's services be read.
func (o *office) list(names ...string) *office {
	o.t.Helper()
	var all []incident.Service
	for _, n := range names {
		all = append(all, incident.Service{ID: n, Name: n, Status: "serviceOperational"})
	}
	return o.with(func(c *engine.Changes) {
		engine.Kind[map[string]any]{Name: "overview"}.Put(c, o.tenant.ID, "now", map[string]any{"at": o.now, "services": all})
	})
}

// with puts something into the store.
func (o *office) with(put func(*engine.Changes)) *office {
	o.t.Helper()
	err := o.store.Commit(o.t.Context(), func(engine.View) (out engine.Changes, err error) {
		put(&out)
		return out, nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return o
}

func submitted(who, action, value string, input map[string][]string) bot.Request {
	return bot.Request{Kind: bot.Submitted, From: on(who)[0], Action: action, Value: value, Input: input}
}

// worse is the mail incident after it got worse, or came back.
func worse(o *office, reason incident.Reason) bot.Message {
	before := mail(1, false)
	after := mail(2, false).Issue
	switch reason {
	case incident.Worse:
		before.Issue.Classification = "advisory"
	case incident.Reopened:
		before = mail(3, true)
		after.Modified = before.Issue.Modified.Add(time.Hour)
		after.Posts = append(slices.Clone(before.Issue.Posts), incident.Post{Created: after.Modified, Type: "regular",
			Content: "Current status: Some users report the same again. We're looking into it."})
	}
	for _, c := range incident.Compare(&before, after, o.now) {
		if c.Reason == reason {
			return incident.Reply(incident.Merge(&before, after, o.now), c)
		}
	}
	o.t.Fatalf("the change is not %s", reason)
	return bot.Message{}
}

var everyService = []string{"Exchange Online", "Microsoft Teams", "SharePoint Online", "OneDrive for Business", "Microsoft Entra", "Microsoft Intune"}

// talk are the moments between the big ones: what is said to a question, a slip,
// a refusal, and when somebody comes or goes.
var talk = []moment{
	{"setup-24-before-anything-starts", func(o *office) bot.Message {
		return o.only(setup.StepBefore).step(setup.StepBefore, setup.Open, nil).cardOf("rita")
	}},
	{"setup-25-rejected", func(o *office) bot.Message {
		o.planned().kept()
		_, s := o.spec(setup.StepReaderApp)
		return o.asks(submitted("ERIN", setup.ActReject, o.run.ID+"/"+string(setup.StepReaderApp)+"/"+s.Plan.Digest, map[string][]string{"why": {"We freeze changes until Monday."}}))
	}},
	{"setup-26-cancel-with-what-exists", func(o *office) bot.Message {
		o.made().kept().with(func(c *engine.Changes) {
			c.Objects = []bot.Object{{Run: o.run.ID, Step: string(setup.StepReaderApp), System: bot.Graph, Kind: "application", Name: "Keyturn service health reader",
				Key: "graph/application/keyturn-health-reader", ID: "a397a40d-2f2c-49fa-a57c-5844cfca2508", By: "erin", At: monday}}
		})
		return o.asks(typed("RITA", "cancel"))
	}},
	{"setup-27-cancelled", func(o *office) bot.Message {
		o.planned()
		o.run.State, o.run.Ended, o.run.Why = setup.RunCancelled, monday.Add(time.Hour), "Cancelled by Rita Okafor."
		return o.scene().Checklist()
	}},
	{"setup-28-no-such-guide", func(o *office) bot.Message { return o.asks(typed("RITA", "setup servicenow")) }},

	{"incident-18-worse", func(o *office) bot.Message { return worse(o, incident.Worse) }},
	{"incident-19-back-again", func(o *office) bot.Message { return worse(o, incident.Reopened) }},
	{"incident-20-advisory", func(o *office) bot.Message {
		return root(another("EX1234601", "Exchange Online", "Users may be unable to search their mailbox.", 30, advisory), nil)
	}},
	{"incident-21-maintenance", func(o *office) bot.Message {
		o.kept().asks(typed("RITA", "subscribe Exchange Online"))
		o.asks(typed("RITA", "maintenance 2026-11-24 22:00 to 2026-11-25 04:00 of Exchange Online because of the move"))
		return o.said()
	}},
	{"incident-22-unsubscribed", func(o *office) bot.Message {
		o.kept().asks(typed("RITA", "subscribe Exchange Online"))
		o.asks(typed("RITA", "unsubscribe"))
		return o.said()
	}},
	{"incident-23-health-blind", func(o *office) bot.Message {
		o.kept(mail(2, false)).with(func(c *engine.Changes) {
			c.Watches = []incident.Watch{{Tenant: o.tenant.ID, Seeded: true, Good: o.now.Add(-40 * time.Minute), Failing: o.now.Add(-38 * time.Minute), Tries: 9, Failure: "Graph did not answer within 30 seconds."}}
		})
		return o.asks(typed("RITA", "health"))
	}},
	{"incident-24-mute", func(o *office) bot.Message { return o.kept(mail(2, false)).asks(typed("SAM", "mute EX1234567")) }},

	{"answer-21-not-understood", func(o *office) bot.Message { return o.asks(typed("RITA", "zoom is down")) }},
	{"answer-22-is-it-down", func(o *office) bot.Message {
		return o.list(everyService...).kept(mail(2, false)).asks(typed("RITA", "is owa down?"))
	}},
	{"answer-23-nothing-open", func(o *office) bot.Message {
		return o.list(everyService...).kept(mail(2, false)).asks(typed("RITA", "hey, is teams down?"))
	}},
	{"answer-24-no-such-service", func(o *office) bot.Message {
		return o.list(everyService...).kept().asks(typed("RITA", "health zoom"))
	}},
	{"answer-25-guest", func(o *office) bot.Message {
		r := typed("MAX", "help")
		r.Guest = true
		return o.asks(r)
	}},
	{"answer-26-help-with-one", func(o *office) bot.Message { return o.kept(mail(2, false)).asks(typed("RITA", "help on-it")) }},
	{"answer-27-not-enough-role", func(o *office) bot.Message { return o.asks(typed("RITA", "undelivered")) }},
	{"answer-28-whom-a-run-waits-for", func(o *office) bot.Message {
		return o.planned().kept().asks(typed("RITA", "who are you waiting for?"))
	}},

	{"life-06-back-in-a-channel", func(o *office) bot.Message {
		o.kept().asks(typed("RITA", "subscribe Exchange Online"))
		o.asks(bot.Request{Kind: bot.Left, From: on("RITA")[0]})
		return o.asks(bot.Request{Kind: bot.Joined, From: on("RITA")[0]})
	}},
	{"life-07-uninstalled", func(o *office) bot.Message {
		o.kept().asks(typed("RITA", "subscribe"))
		return o.asks(bot.Request{Kind: bot.Uninstalled, From: on("RITA")[0], Place: bot.Place{Platform: bot.Slack, Team: "T0CONTOSO"}})
	}},
	{"life-08-home-that-cannot-be-read", func(o *office) bot.Message {
		o.kept(mail(2, false)).with(func(c *engine.Changes) {
			c.Watches = []incident.Watch{{Tenant: o.tenant.ID, Seeded: true, Good: o.now.Add(-40 * time.Minute), Failing: o.now.Add(-38 * time.Minute), Tries: 9}}
		})
		return o.page("SAM")
	}},
}
