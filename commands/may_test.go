package commands_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// refusals are the words of every "no".
var refusals = []string{"I have done nothing", "has to approve it", "has to say that it was done", "have not run anything", "I only answer members", "Only Rita", "does nothing now", "I do not know \"", "I do not know x"}

// outcome says in a word what a request came to.
func outcome(r bot.Reply, out engine.Changes) string {
	for _, no := range refusals {
		if strings.Contains(words(r), no) {
			return "no"
		}
	}
	switch {
	case r.Form != nil:
		return "form"
	case len(r.Errors) > 0:
		return "asks again"
	case len(out.Runs)+len(out.Records) > 0:
		return "acts"
	case len(out.Subscriptions)+len(out.Unsubscribed)+len(out.Incidents) > 0:
		return "acts"
	case r.Message != nil:
		return "answers"
	}
	return "nothing"
}

// ask is one intent, as somebody has it.
type ask struct {
	name string
	make func(who string) bot.Request
}

// asks is every intent, made so that whoever may gets something done.
func asks(w *world, digest string) (out []ask) {
	add := func(name string, make func(who string) bot.Request) { out = append(out, ask{name, make}) }
	add("(nothing)", func(who string) bot.Request { return typed(who, "") })
	add("(unknown word)", func(who string) bot.Request { return typed(who, "x") })
	add("(unknown button)", func(who string) bot.Request { return clicked(who, "of-yesterday", "r1") })
	for _, v := range w.table.Verbs {
		add(v.Name, func(who string) bot.Request { return typed(who, v.Example) })
		add("["+v.Name+"]", func(who string) bot.Request { return clicked(who, "verb", v.Example) })
	}
	add("roles give", func(who string) bot.Request { return typed(who, "roles give entra-admin kim") })
	values := map[string]string{
		"verb": "help", "bind": "contoso\nhelp", "guide": "cleanup", "start": "cleanup/C1/contoso", "subscribe": "contoso", "history": "EX1", "solve": "EX1", "recommend": "contoso", "history-page": "EX1", "on-it": "EX1", "mute-incident": "EX1", "step-ask": "r1/planned/",
		setup.ActRetry: "r1/failed/", setup.ActSkip: "r1/failed/", setup.ActUndo: "r1/done/" + digest, setup.ActAnswer: "r1/open/", setup.ActDid: "r1/open/", setup.ActGoOn: "r1/gone/", setup.ActEnd: "r1/gone/",
	}
	values[engine.ActionUnmute] = "EX1"
	values["role"], values[setup.ActActivated] = "entra-admin", "r1/failed/"
	for _, c := range w.table.Clicks {
		value, ok := values[c.Action]
		switch {
		case ok:
		case strings.HasPrefix(c.Action, "step-"):
			value = "r1/planned/" + digest
		default:
			value = "r1"
		}
		add("<"+c.Action+">", func(who string) bot.Request {
			r := clicked(who, c.Action, value)
			if strings.HasPrefix(c.Action, engine.ActionPage) { // they draw the message that holds them anew
				r.Message = bot.MessageRef{Place: channel, ID: "1.0"}
			}
			return r
		})
	}
	input := map[string][]string{"why": {"because it cannot wait"}, "to": {"ada"}, "channel": {"C1"}}
	for _, action := range []string{setup.ActReject, setup.ActGlass, setup.ActSkip, setup.ActNotMe, "start", "subscribe"} {
		value := values[action]
		if value == "" {
			value = "r1/planned/" + digest
		}
		add("<"+action+" submitted>", func(who string) bot.Request { return submitted(who, action, value, input) })
	}
	return out
}

// onlyRedraws reports whether a refusal did no more than to draw the asker's
// own card anew and to say which tenant the channel is about.
func onlyRedraws(out engine.Changes) bool {
	if slices.ContainsFunc(out.Jobs, func(j bot.Job) bool { return !strings.Contains(string(j.Payload), `"what":"card"`) }) {
		return false
	}
	out.Jobs, out.Bindings = nil, nil
	return reflect.ValueOf(out).IsZero()
}

func TestHelpIsWrittenFromTheTable(t *testing.T) {
	w := newWorld(t)
	var b strings.Builder
	for _, who := range []string{"nobody", "kim", "ada", "olga"} {
		r := w.do(typed(who, "help"))
		fmt.Fprintf(&b, "===== %s\n%s\n", who, words(r))
		for _, v := range w.table.Verbs {
			told := strings.Contains(words(r), v.What)
			_, rest, _ := strings.Cut(words(r), "The rest is for others: ")
			rest, _, _ = strings.Cut(rest, ".")
			if named := slices.Contains(strings.FieldsFunc(rest, func(c rune) bool { return c == ' ' || c == ',' || c == ';' }), v.Name); told == named {
				t.Errorf("%s is told about %s: as something they may do %t, as something for others %t", who, v.Name, told, named)
			}
		}
	}
	golden(t, "help.txt", b.String())
}

// TestEveryExampleOfHelpWorksWhenItIsPasted pastes each line of help as it
// stands there, also long after it was written.
func TestEveryExampleOfHelpWorksWhenItIsPasted(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.ill()
	w.commit(func(d *engine.Draft) error {
		d.Out.Incidents = append(d.Out.Incidents, incident.Known{Tenant: "contoso", First: d.Now, Seen: d.Now,
			Issue: incident.Issue{ID: "AB770077", Title: "Mail is late", Service: "Exchange Online", Classification: "incident", Status: "investigating", Start: d.Now, Modified: d.Now}})
		return nil
	})
	w.do(typed("olga", "subscribe"))
	w.now = w.now.AddDate(2, 0, 0)
	w.tenant.Holders[bot.Requester] = []bot.PersonID{"olga"}
	pasted := 0
	help := words(w.do(typed("olga", "help")))
	for line := range strings.Lines(help) {
		command, _, ok := strings.Cut(line, " · ")
		if !ok || !strings.HasPrefix(command, "/keyturn ") {
			continue
		}
		pasted++
		reply, out := w.try(typed("olga", command))
		got := words(reply)
		for _, no := range append(refusals, "I do not know", "I do not keep", "I do not understand", "I have changed nothing", "For example", "Did you mean", "is over already", "no guide", "EX123456") {
			if strings.Contains(got, no) && !strings.HasPrefix(command, "/keyturn help") {
				t.Errorf("%s is answered %q:\n%s", command, no, got)
			}
		}
		if outcome(reply, out) == "nothing" {
			t.Errorf("%s does nothing", command)
		}
	}
	if pasted != len(w.table.Verbs) {
		t.Errorf("%d examples were pasted of %d commands:\n%s", pasted, len(w.table.Verbs), help)
	}
	expect(t, words(w.do(typed("olga", "help maintenance"))), "/keyturn maintenance 2028-11-24 22:00 to 2028-11-25 04:00", "[Change]")
	expect(t, words(w.do(typed("nobody", "help maintenance"))), "I do not know your account")
}

func TestAMistypedWordIsAnsweredWithTheButton(t *testing.T) {
	w := newWorld(t)
	r := w.do(typed("ada", "subscrbe Exchange Online"))
	if !strings.Contains(words(r), "I do not know subscrbe. Did you mean subscribe?") || !strings.Contains(words(r), "[subscribe Exchange Online]") {
		t.Errorf("%s", words(r))
	}
	r = w.do(typed("ada", strings.Repeat("é", 500)))
	if len([]rune(words(r))) > 200 || !strings.Contains(words(r), "help lists what I can do") {
		t.Errorf("%s", words(r))
	}
}

func TestAWorkspaceThatSpeaksForNobodyIsToldSo(t *testing.T) {
	w := newWorld(t)
	r := typed("ada", "health")
	r.Place.Team, r.From.Team = "T9", "T9"
	reply, out := w.try(r)
	if !strings.Contains(words(reply), "not connected to any Microsoft 365 tenant") || !onlyRedraws(out) {
		t.Errorf("%s, %+v", words(reply), out)
	}
}

// twoTenants makes the workspace speak for a second tenant.
func (w *world) twoTenants() {
	second := *w.tenant
	second.ID, second.Name = "fabrikam", "Fabrikam"
	w.env.Tenants = append(w.env.Tenants, &second)
}

func TestAChannelKeepsTheTenantOfItsFirstUse(t *testing.T) {
	w := newWorld(t)
	w.twoTenants()
	asked := w.do(typed("ada", "roles"))
	if !strings.Contains(words(asked), "Which tenant is this about?") {
		t.Fatalf("%s", words(asked))
	}
	if r := w.do(clicked("ada", "bind", "fabrikam\nroles")); !strings.Contains(words(r), "Roles for Fabrikam") {
		t.Errorf("%s", words(r))
	}
	if r := w.do(typed("ada", "roles")); !strings.Contains(words(r), "Roles for Fabrikam") {
		t.Errorf("%s", words(r))
	}
	// The other button of the question still stands in the channel.
	reply, out := w.try(clicked("kim", "bind", "contoso\nroles"))
	if !strings.Contains(words(reply), "belongs to Fabrikam already") || len(out.Bindings) != 0 {
		t.Errorf("%s, %+v", words(reply), out.Bindings)
	}
}

func TestWhoIsRefusedBindsNoChannel(t *testing.T) {
	w := newWorld(t)
	if _, out := w.try(typed("nobody", "subscribe")); len(out.Bindings) != 0 {
		t.Errorf("it is bound to %+v", out.Bindings)
	}
	if _, out := w.try(typed("nobody", "help")); len(out.Bindings) != 1 {
		t.Errorf("the first use binds: %+v", out.Bindings)
	}
}

func TestTheRequesterDoesNotApproveACredentialAlone(t *testing.T) {
	w := newWorld(t)
	w.tenant.FourEyes = true
	w.tenant.Holders[bot.EntraAdmin] = []bot.PersonID{"ada", "rita"}
	g := matrixGuide()
	for i := range g.Steps {
		g.Steps[i].FourEyes = true
	}
	w.env.Guide = func(setup.GuideID) (*setup.Guide, bool) { return g, true }
	w.begin()
	w.commit(func(d *engine.Draft) error {
		before, err := d.Run("r1")
		after := before.Clone()
		after.Holders[bot.EntraAdmin] = []bot.PersonID{"ada", "rita"}
		return errorsOr(err, d.PutRun(&before, &after))
	})
	digest := setup.Digest([]bot.Call{{System: bot.Graph, Method: "POST", Path: "/x"}})
	reply, out := w.try(clicked("rita", setup.ActApprove, "r1/planned/"+digest))
	if !strings.Contains(words(reply), "somebody else has to approve it: Ada") || len(out.Runs) != 0 || len(out.Audit) != 0 {
		t.Errorf("%s, %+v", words(reply), out.Runs)
	}
	if reply, out := w.try(clicked("rita", setup.ActTake, "r1/planned/"+digest)); !strings.Contains(words(reply), "somebody else has to approve it: Ada. I have left it to them") || len(out.Runs) != 0 {
		t.Errorf("taken: %s, %+v", words(reply), out.Runs)
	}
	// Saying that it was done by hand counts no more than an approval.
	reply, out = w.try(clicked("rita", setup.ActCheck, "r1/planned/"+digest))
	if !strings.Contains(words(reply), "somebody else has to say that it was done: Ada. I have marked nothing") || len(out.Runs) != 0 || len(out.Audit) != 0 {
		t.Errorf("by hand: %s, %+v", words(reply), out.Runs)
	}
	if _, out := w.try(clicked("ada", setup.ActCheck, "r1/planned/"+digest)); len(out.Runs) != 1 || out.Runs[0].Step("planned").By != "ada" {
		t.Errorf("Ada may say so: %+v", out)
	}
	if _, out := w.try(clicked("ada", setup.ActApprove, "r1/planned/"+digest)); len(out.Runs) != 1 || out.Audit[0].Act != "approve" {
		t.Errorf("Ada may: %+v", out)
	}
}

func errorsOr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestAnApprovalNeedsTheChangeNumberOfTheOrganisation(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.tenant.Changes = bot.ChangeRules{{Pattern: `CHG\d{7}`, Example: "CHG0030001"}}
	digest := setup.Digest([]bot.Call{{System: bot.Graph, Method: "POST", Path: "/x"}})
	reply, out := w.try(clicked("ada", setup.ActApprove, "r1/planned/"+digest))
	if !strings.Contains(words(reply), "change number") || len(out.Runs) != 0 {
		t.Errorf("%s, %+v", words(reply), out.Runs)
	}
}

func TestAHolderWhoLostTheRoleIsNoHolderAnyMore(t *testing.T) {
	w := newWorld(t)
	w.begin()
	digest := setup.Digest([]bot.Call{{System: bot.Graph, Method: "POST", Path: "/x"}})
	w.do(clicked("ada", setup.ActTake, "r1/planned/"+digest))
	w.tenant.Holders[bot.EntraAdmin] = nil
	reply, out := w.try(clicked("ada", setup.ActApprove, "r1/planned/"+digest))
	if !strings.Contains(words(reply), "belongs to the Entra team") || len(out.Runs) != 0 {
		t.Errorf("%s, %+v", words(reply), out.Runs)
	}
}

func TestAStepThatWasTakenIsItsTakersAlone(t *testing.T) {
	w := newWorld(t)
	w.tenant.Holders[bot.EntraAdmin] = []bot.PersonID{"ada", "amir"}
	w.begin()
	digest := setup.Digest([]bot.Call{{System: bot.Graph, Method: "POST", Path: "/x"}})
	w.do(clicked("amir", setup.ActTake, "r1/planned/"+digest))
	reply, out := w.try(clicked("ada", setup.ActApprove, "r1/planned/"+digest))
	if !strings.Contains(words(reply), "Amir has taken this step") || len(out.Runs) != 0 {
		t.Errorf("%s", words(reply))
	}
}

func TestAnOldButtonSaysWhoDecided(t *testing.T) {
	w := newWorld(t)
	w.begin()
	digest := setup.Digest([]bot.Call{{System: bot.Graph, Method: "POST", Path: "/x"}})
	w.do(clicked("ada", setup.ActApprove, "r1/planned/"+digest))
	for _, c := range []struct{ action, value, want string }{
		{setup.ActApprove, "r1/planned/" + digest, "approved by Ada"},
		{setup.ActApprove, "r1/done/" + digest, "decided by Ada"},
		{setup.ActApprove, "r1/failed/", "not waiting for that"},
		{setup.ActApprove, "r9/planned/" + digest, "no longer kept"},
		{setup.ActApprove, "r1/none/" + digest, "not part of the run"},
		{setup.ActApprove, "", "does not say which run"},
		{setup.ActApprove, "r1", "does not say which step"},
		{setup.ActApprove, "r1/planned/of-yesterday", "approved by Ada"},
	} {
		reply, out := w.try(clicked("ada", c.action, c.value))
		if !strings.Contains(words(reply), c.want) || len(out.Runs) != 0 {
			t.Errorf("%s %s: %s", c.action, c.value, words(reply))
		}
	}
}

func TestThePlanThatWasNotShownIsNotApproved(t *testing.T) {
	w := newWorld(t)
	w.begin()
	for _, value := range []string{"r1/planned/of-yesterday", "r1/planned/", "r1/planned"} {
		reply, out := w.try(clicked("ada", setup.ActApprove, value))
		if len(out.Runs) != 0 || !strings.Contains(words(reply), "have not run anything") {
			t.Errorf("%s: %s", value, words(reply))
		}
	}
}

func TestLeavingAPlaceStopsItsSubscriptionAndTellsTheOwner(t *testing.T) {
	w := newWorld(t)
	w.do(typed("ada", "subscribe"))
	_, out := w.try(bot.Request{Key: "k", Kind: bot.Left, Place: channel})
	if len(out.Subscriptions) != 1 || out.Subscriptions[0].Stopped == "" || len(slices.DeleteFunc(out.Jobs, func(j bot.Job) bool { return j.Kind == "home" })) != 1 {
		t.Errorf("%+v", out)
	}
	other := channel
	other.Channel = "C2"
	if _, out := w.try(bot.Request{Key: "k", Kind: bot.Left, Place: other}); len(out.Subscriptions) != 0 {
		t.Errorf("another channel's subscription was stopped: %+v", out.Subscriptions)
	}
	if _, out := w.try(bot.Request{Key: "k", Kind: bot.Uninstalled, Place: bot.Place{Platform: bot.Slack, Team: "T1"}}); len(out.Subscriptions) != 1 {
		t.Errorf("uninstalling stops nothing: %+v", out)
	}
}

func TestAFormCannotTellAChannelOfAnotherTenant(t *testing.T) {
	w := newWorld(t)
	w.twoTenants()
	w.do(clicked("ada", "bind", "fabrikam\nhelp")) // C1 is Fabrikam's
	elsewhere := func(action, value string, ch string) bot.Request {
		r := submitted("ada", action, value, map[string][]string{"channel": {ch}})
		r.Place = bot.DM(account("Uada"))
		return r
	}
	for _, r := range []bot.Request{elsewhere("subscribe", "contoso", "C1"), elsewhere("start", "direct//contoso", "C1")} {
		reply, out := w.try(r)
		if !strings.Contains(reply.Errors["channel"], "another tenant") || len(out.Subscriptions)+len(out.Runs)+len(out.Bindings) != 0 {
			t.Errorf("%s: %+v, %+v", r.Action, reply, out)
		}
	}
	for _, r := range []bot.Request{elsewhere("subscribe", "contoso", "C2"), elsewhere("start", "direct//contoso", "C2")} {
		if reply, out := w.try(r); len(reply.Errors) != 0 || len(out.Bindings) != 1 || out.Bindings[0].Tenant != "contoso" {
			t.Errorf("%s: %+v, %+v", r.Action, reply, out.Bindings)
		}
	}
}
