package commands

import (
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// subscribeVerb makes this channel be told, of all services or of some.
func subscribeVerb(a *Ask) (bot.Reply, error) {
	at := a.Request.Place.Root()
	if at.Direct() {
		return say("Type this in the channel that should be told. Invite me there first."), nil
	}
	var services []string
	for _, s := range strings.Split(a.Words(), ",") {
		if s = strings.TrimSpace(s); s != "" && !strings.EqualFold(s, "all") {
			services = append(services, s)
		}
	}
	return a.subscribe(at, services, nil)
}

func (a *Ask) subscribe(at bot.Place, services, classes []string) (bot.Reply, error) {
	if err := a.Subscribe(a.Tenant.ID, at, services, classes, a.Person.ID, nil); err != nil {
		return bot.Reply{}, err
	}
	w, err := a.Watch(a.Tenant.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	if w.Good.IsZero() && w.Failing.IsZero() && !a.Tenant.Reader.Configured() {
		m := bot.Say(bot.T("This channel is subscribed, but service health is not read for "+a.Tenant.Name+" yet: no Graph credential is configured, and no run has made one. The guide "), bot.C("direct"), bot.T(" makes one."))
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Start the guide", Action: actGuide, Value: "direct"}}})
		return bot.Private(m), nil
	}
	return say("Done. I have said so in the channel."), nil
}

// subscribeForm is the form's answer: the same as the command.
func subscribeForm(a *Ask) (bot.Reply, error) {
	if a.Request.Kind == bot.Clicked {
		return a.openSubscribe()
	}
	at := bot.Place{Platform: a.Request.Place.Platform, Team: a.Request.Place.Team, Channel: a.Request.One("channel")}
	if no, err := a.mayTell(at); err != nil || no != "" {
		return bot.Reply{Errors: map[string]string{"channel": no}}, err
	}
	a.claim(at)
	return a.subscribe(at, a.Request.Input["services"], a.Request.Input["classes"])
}

func (a *Ask) openSubscribe() (bot.Reply, error) {
	services, err := a.services()
	if err != nil {
		return bot.Reply{}, err
	}
	f := bot.Form{Action: actSubs, Value: string(a.Tenant.ID), Title: "Tell a channel", Submit: "Subscribe"}
	in := bot.Input{Name: "channel", Label: "Channel", Kind: bot.Channel, Hint: "Invite me to it first."}
	if !a.Request.Place.Direct() {
		in.Values = []string{a.Request.Place.Channel}
	}
	f.Inputs = append(f.Inputs, in)
	if len(services) > 0 {
		in := bot.Input{Name: "services", Label: "Services", Kind: bot.Choices, Optional: true, Hint: "None chosen means all."}
		for _, s := range services {
			in.Options = append(in.Options, bot.Option{Value: s, Label: s})
		}
		f.Inputs = append(f.Inputs, in)
	}
	f.Inputs = append(f.Inputs, bot.Input{Name: "classes", Label: "What", Kind: bot.Choices, Optional: true, Hint: "None chosen means both.",
		Options: []bot.Option{{Value: "incident", Label: "Incidents"}, {Value: "advisory", Label: "Advisories"}}})
	return bot.Reply{Form: &f}, nil
}

// services lists the tenant's own services, as far as its incidents name them.
func (a *Ask) services() ([]string, error) {
	known, err := a.Incidents(a.Tenant.ID, true)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, k := range known {
		if s := k.Issue.Service; s != "" && len(s) <= 75 && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out[:min(len(out), 100)], nil
}

// unsubscribeVerb stops telling this channel.
func unsubscribeVerb(a *Ask) (bot.Reply, error) {
	subs, err := a.Subscriptions(a.Tenant.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	for _, s := range subs {
		if s.Place != a.Request.Place.Root() {
			continue
		}
		a.Out.Unsubscribed = append(a.Out.Unsubscribed, s)
		a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Via: a.Request.From.String(), Act: "unsubscribe", Note: s.Place.String()})
		if s.Stopped == "" {
			a.Say(s.Place, bot.Say(bot.T(a.Person.Name+" switched service health off for this channel. "), bot.C(a.Table.Command+" subscribe"), bot.T(" switches it on again.")), bot.ClassHandoff)
		}
		return say("Done. This channel is told nothing more."), nil
	}
	return say("This channel is not subscribed, so nothing changed."), nil
}

// subscriptionsVerb shows what this channel is told. Other channels are not
// named: the asker may not belong to them.
func subscriptionsVerb(a *Ask) (bot.Reply, error) {
	subs, err := a.Subscriptions(a.Tenant.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	at := a.Request.Place.Root()
	var m bot.Message
	for _, s := range subs {
		if s.Place == at {
			m.Add(bot.Paragraph{Text: describe(s)})
		}
	}
	if m.Empty() {
		m.Add(bot.Paragraph{Text: bot.Join(bot.T("This place is told nothing. "), bot.C(a.Table.Command+" subscribe"), bot.T(" in a channel changes that."))})
	}
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Change or add", Action: actSubs}}})
	return bot.Private(m), nil
}

func describe(s incident.Subscription) bot.Text {
	what := "incidents and advisories"
	if len(s.Classes) > 0 {
		what = strings.Join(s.Classes, " and ") + " posts"
	}
	of := "all services"
	if len(s.Services) > 0 {
		of = strings.Join(s.Services, ", ")
	}
	t := bot.Join(bot.B("This channel is told: "), bot.T(what+" of "+of+", as they change. Since "), bot.When(s.Made, bot.DateOnly))
	if s.Stopped != "" {
		t = bot.Join(t, bot.T(". ⛔ Stopped: "+s.Stopped))
	}
	return t
}
