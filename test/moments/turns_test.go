package moments

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// connector turns the office to Microsoft's own guide, with the admin of the
// admin center, whom the others do not need.
func (o *office) connector() *office {
	o.guide, _ = setup.GuideFor(setup.Connector)
	o.tenant.People = append(o.tenant.People, bot.Person{ID: "mona", Name: "Mona Lindqvist", Accounts: on("MONA")})
	o.tenant.Holders[bot.M365Admin] = []bot.PersonID{"mona"}
	o.run = setup.New(o.guide, setup.Start{ID: "run-9t3w5x", Tenant: o.tenant, Instance: o.tenant.Instance, Requester: "rita", Place: ops,
		Holders: map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"erin", "emil"}, bot.PrivilegedRoleAdmin: {"priya"}, bot.ServiceNowAdmin: {"sam"}, bot.M365Admin: {"mona"}},
		Options: map[string]string{setup.OptionChannel: "C0INCIDENTS"}, At: monday})
	return o
}

// gone is a run of the connector that found its service shut down.
func (o *office) gone() *office {
	o.connector().step(setup.StepBefore, setup.Confirmed, func(s *setup.Step) { s.By = "rita" }).step(setup.StepPreflight, setup.Looking, nil)
	spec, _ := o.spec(setup.StepPreflight)
	found := spec.API.Prove(setup.Context{Run: &o.run, Tenant: o.tenant}, setup.Reading{
		"app": {Answer: bot.Answer{Status: 200, Body: []byte(`{"result":[]}`)}}, "service": {Failure: &bot.Failure{Kind: bot.KindNotFound}}})
	if found.End == "" {
		o.t.Fatalf("the service is there: %+v", found)
	}
	o.run.Gone(setup.StepPreflight, found.End, monday.Add(25*time.Minute))
	return o
}

// value is what the buttons of a step carry.
func (o *office) value(id setup.StepID) string {
	v := o.run.ID + "/" + string(id) + "/"
	if p := o.run.Step(id).Plan; p != nil {
		v += p.Digest
	}
	return v
}

// alone makes Rita, who asked for the run, a holder of the role whose steps
// create credentials.
func (o *office) alone() *office {
	o.tenant.Holders[bot.EntraAdmin] = append(o.tenant.Holders[bot.EntraAdmin], "rita")
	o.run.Holders[bot.EntraAdmin] = append(o.run.Holders[bot.EntraAdmin], "rita")
	return o.planned()
}

const reason = "Mail is down for payroll, and Erin and Emil are on a plane."

// turns are the moments in which a setup goes another way than planned: nobody
// may approve, the rules are broken for a reason, somebody hands over, the
// service is gone.
var turns = []moment{
	{"setup-29-who-cannot-approve", func(o *office) bot.Message {
		o.tenant.Holders[bot.EntraAdmin] = []bot.PersonID{"erin", "rita"}
		o.tenant.Holders[bot.PrivilegedRoleAdmin] = nil
		o.tenant.People[4].Accounts = nil // Sam is known by name alone
		return o.asks(typed("RITA", "setup direct"))
	}},
	{"setup-30-may-not-alone", func(o *office) bot.Message {
		o.alone().kept()
		return o.asks(clicked("RITA", setup.ActApprove, o.value(setup.StepReaderApp)))
	}},
	{"setup-31-break-glass", func(o *office) bot.Message {
		o.alone().kept()
		return o.asks(clicked("RITA", setup.ActGlass, o.value(setup.StepReaderApp)))
	}},
	{"setup-32-owners-are-alerted", func(o *office) bot.Message {
		return o.brokeGlass(func(d engine.Deliver) bool { return d.Place.User == "U0OLGA" })
	}},
	{"setup-33-the-channel-is-told-of-the-glass", func(o *office) bot.Message {
		return o.brokeGlass(func(d engine.Deliver) bool { return strings.Contains(d.Draw.Message.Words(), "broke the glass") })
	}},
	{"setup-34-taken", func(o *office) bot.Message {
		return o.planned().only(setup.StepReaderApp).step(setup.StepReaderApp, setup.Planned, func(s *setup.Step) { s.Holder = "emil" }).cardOf("erin")
	}},
	{"setup-35-handed-over", func(o *office) bot.Message {
		o.planned().kept()
		o.asks(submitted("ERIN", setup.ActNotMe, o.value(setup.StepReaderApp), map[string][]string{"to": {"emil"}}))
		return o.saidTo(func(d engine.Deliver) bool { return strings.Contains(d.Draw.Message.Words(), "handed") })
	}},
	{"setup-36-put-off", func(o *office) bot.Message {
		o.planned().kept()
		return o.asks(clicked("ERIN", setup.ActRemind, o.value(setup.StepReaderApp)))
	}},
	{"setup-37-nudged", func(o *office) bot.Message { return o.planned().kept().asks(typed("RITA", "nudge")) }},
	{"setup-38-sign-in-page", func(o *office) bot.Message {
		o.planned().step(setup.StepReaderApp, setup.Unsigned, func(s *setup.Step) {
			s.Plan, s.SignIn = nil, &setup.SignIn{System: bot.Graph, Back: setup.Looking}
		}).kept()
		return o.asks(clicked("ERIN", setup.ActSignIn, o.value(setup.StepReaderApp)))
	}},
	{"setup-39-approval-void", func(o *office) bot.Message {
		o.planned().only(setup.StepReaderApp).step(setup.StepReaderApp, setup.Planned, func(s *setup.Step) {
			calls := s.Plan.Calls[2:]
			o.run.Void(setup.StepReaderApp, setup.Proposal{Calls: calls, Exists: []string{"Registration Keyturn service health reader, as this step makes it"}},
				"What exists changed after the approval, so the approval is void and nothing was called.", o.now)
		})
		return o.cardOf("erin")
	}},
	{"setup-40-waits-for-who-approved", func(o *office) bot.Message {
		return o.planned().only(setup.StepReaderApp).step(setup.StepReaderApp, setup.Unsigned, func(s *setup.Step) {
			approved(s)
			s.SignIn = &setup.SignIn{System: bot.Graph, Back: setup.Running}
		}).cardOf("emil")
	}},
	{"setup-41-way-back", func(o *office) bot.Message {
		o.made().only(setup.StepReaderApp)
		spec, _ := o.spec(setup.StepReaderApp)
		o.run.Keep(setup.StepReaderApp, map[string]string{"reader.app_id": "5b0e8a9c-4a53-4a3e-9a53-8f7f2c1d0e4b"}, monday)
		if err := o.run.Unmake(setup.StepReaderApp, spec.API.Back(setup.Context{Run: &o.run, Tenant: o.tenant}), o.now); err != nil {
			o.t.Fatal(err)
		}
		return o.cardOf("erin")
	}},
	{"setup-42-nobody-holds-the-role", func(o *office) bot.Message {
		o.planned()
		o.run.Holders[bot.PrivilegedRoleAdmin] = nil
		return o.scene().Handoff(bot.PrivilegedRoleAdmin, []setup.StepID{setup.StepReaderConsent})
	}},

	{"connector-01-form", func(o *office) bot.Message { return o.connector().asks(typed("RITA", "setup connector")) }},
	{"connector-02-before-anything-starts", func(o *office) bot.Message {
		return o.connector().only(setup.StepBefore).step(setup.StepBefore, setup.Open, nil).cardOf("rita")
	}},
	{"connector-03-service-gone", func(o *office) bot.Message { return o.gone().scene().Outcome(o.spec(setup.StepPreflight)) }},
	{"connector-04-service-gone-on-the-card", func(o *office) bot.Message { return o.gone().only(setup.StepPreflight).cardOf("sam") }},
	{"connector-04-service-gone-for-who-asked", func(o *office) bot.Message { return o.gone().only(setup.StepPreflight).cardOf("rita") }},
	{"connector-05-end-this-run", func(o *office) bot.Message {
		o.gone().kept()
		return o.asks(clicked("RITA", setup.ActEnd, o.value(setup.StepPreflight)))
	}},
	{"connector-06-ended", func(o *office) bot.Message {
		o.gone().kept()
		o.asks(clicked("RITA", setup.ActEnd, o.value(setup.StepPreflight)))
		return o.newest().Checklist()
	}},
	{"connector-07-checklist", func(o *office) bot.Message {
		return o.connector().step(setup.StepBefore, setup.Confirmed, func(s *setup.Step) { s.By = "rita" }).scene().Checklist()
	}},
}

// brokeGlass is what somebody is told when Rita runs the step for a reason.
func (o *office) brokeGlass(to func(engine.Deliver) bool) bot.Message {
	o.t.Helper()
	o.tenant.Modes[bot.Graph] = bot.AsApp // nobody has to sign in first
	o.alone().kept()
	o.asks(submitted("RITA", setup.ActGlass, o.value(setup.StepReaderApp), map[string][]string{"why": {reason}}))
	return o.saidTo(to)
}

// newest is the run as it is kept, to be drawn.
func (o *office) newest() setup.Scene {
	o.t.Helper()
	err := o.store.Read(o.t.Context(), func(v engine.View) (err error) {
		o.run, err = v.Run(o.run.ID)
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return o.scene()
}

// letters are all that wait to be sent.
func (o *office) letters() (out []string) {
	o.t.Helper()
	err := o.store.Read(o.t.Context(), func(v engine.View) error {
		jobs, err := v.Jobs("")
		for _, j := range jobs {
			var d engine.Deliver
			if j.Kind == "deliver" && json.Unmarshal(j.Payload, &d) == nil && d.Draw.Message != nil {
				out = append(out, d.Draw.Message.Words())
			}
		}
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return out
}

// Whoever breaks the glass without a sign-in is asked to sign in first. Nothing
// runs, so nobody is alarmed.
func TestNobodyIsAlarmedWhereNothingRuns(t *testing.T) {
	o := newOffice(t)
	o.alone().kept()
	answer := o.asks(submitted("RITA", setup.ActGlass, o.value(setup.StepReaderApp), map[string][]string{"why": {reason}}))
	if !strings.Contains(answer.Words(), "you are not signed in now, so I have not run anything") {
		t.Fatalf("got %s", answer.Words())
	}
	for _, said := range o.letters() {
		if strings.Contains(said, "reak glass") || strings.Contains(said, "broke the glass") {
			t.Errorf("somebody is told: %s", said)
		}
	}
}

// What has not happened yet does not read as if it had.
func TestANudgeSaysWhatHappensIfItWaits(t *testing.T) {
	o := newOffice(t)
	o.planned().kept().asks(typed("RITA", "nudge"))
	said := strings.Join(o.letters(), "\n")
	if !strings.Contains(said, "Rita Okafor asks: Registration for reading service health waits for you") || !strings.Contains(said, "If it waits: No incident reaches a channel") {
		t.Errorf("got %s", said)
	}
}

// Only who asked for a run decides where its service is gone: nobody skips past
// the question, and who did not ask may only look again.
func TestNobodySkipsPastAServiceThatIsGone(t *testing.T) {
	o := newOffice(t)
	o.gone().kept()
	for _, kind := range []bot.Request{clicked("SAM", setup.ActSkip, o.value(setup.StepPreflight)), submitted("SAM", setup.ActSkip, o.value(setup.StepPreflight), map[string][]string{"why": {"We know better."}})} {
		if said := o.asks(kind).Words(); !strings.Contains(said, "Rita Okafor, who asked for the run") || !strings.Contains(said, "I have skipped nothing") {
			t.Errorf("got %s", said)
		}
	}
	if st := o.newest().Run.Step(setup.StepPreflight); !st.Gone() {
		t.Errorf("the step is %s", st.State)
	}
}
