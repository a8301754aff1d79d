package bottest

import (
	"strings"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

// setupForm asks in every way there is.
func setupForm() bot.Form {
	services := []bot.Option{{Value: "exchange", Label: "Exchange Online"}, {Value: "teams", Label: "Microsoft Teams"}, {Value: "intune", Label: "Intune"}}
	return bot.Form{Action: "setup.start", Value: "draft-1", Title: "Start a setup", Submit: "Start",
		Intro: []bot.Part{bot.Paragraph{Text: bot.T("Nothing is called yet.")}},
		Inputs: []bot.Input{
			{Name: "host", Label: "ServiceNow", Kind: bot.Line},
			{Name: "why", Label: "Why", Kind: bot.Area},
			{Name: "guide", Label: "What to set up", Kind: bot.Choice, Options: []bot.Option{{Value: "direct", Label: "Without the connector"}, {Value: "connector", Label: "With it"}}},
			{Name: "services", Label: "Services", Kind: bot.Choices, Options: services},
			{Name: "quiet", Label: "Quiet at night", Kind: bot.Tick, Optional: true},
			{Name: "where", Label: "Where incidents go", Kind: bot.Channel},
			{Name: "digest", Label: "Digest at", Kind: bot.TimeOfDay, Values: []string{"09:00"}},
		}}
}

var forms = map[string]func(*bench){
	"a form comes back with what was typed": func(b *bench) {
		form := setupForm()
		b.desk.says(func(r bot.Request) bot.Reply {
			switch {
			case r.Kind == bot.Clicked:
				return bot.Reply{Form: &form}
			case r.One("host") == "nowhere":
				return bot.Reply{Errors: map[string]string{"host": "There is no such host."}}
			}
			return bot.Reply{}
		})
		ref := b.post(b.Channel, card("Begin here.", "Open"))
		b.do(b.Click(b.Bob, ref, "Open"))
		f := b.formOf(b.Bob, func(f Form) bool { return strings.Contains(f.Text, "Nothing is called yet.") })
		if _, other := b.Form(b.Alice); other || f.Typed["digest"] == nil || f.Typed["digest"][0] != "09:00" {
			b.Errorf("Alice sees it: %v, Bob sees %+v", other, f)
		}

		given := map[string][]string{"host": {"nowhere"}, "why": {"line one\nline two"}, "guide": {"connector"}, "services": {"exchange", "intune"},
			"quiet": {"yes"}, "where": {b.Channel.Channel}, "digest": {"08:30"}}
		b.do(b.Submit(b.Bob, given))
		b.desk.last(2)
		f = b.formOf(b.Bob, func(f Form) bool { return strings.Contains(f.Text, "There is no such host.") })
		if d := cmp.Diff(given, f.Typed); d != "" {
			b.Errorf("what was typed is lost (-want +got):\n%s", d)
		}

		given["host"] = []string{"contoso.service-now.com"}
		b.do(b.Submit(b.Bob, given))
		r := b.desk.last(3)
		if r.Kind != bot.Submitted || r.Action != "setup.start" || r.Value != "draft-1" || r.From != b.Bob || r.Place.Root() != b.Channel {
			b.Errorf("got %+v", r)
		}
		if d := cmp.Diff(given, r.Input); d != "" {
			b.Errorf("the values differ (-want +got):\n%s", d)
		}
		if left, open := b.Form(b.Bob); open {
			b.Errorf("the form is still there: %+v", left)
		}
		b.do(b.Resend())
		if again := b.desk.last(4); again.Key != r.Key || !cmp.Equal(again.Input, r.Input) {
			b.Errorf("sent again it is another request: %+v", again)
		}
	},
}
