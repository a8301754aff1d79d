package commands

import (
	"fmt"
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/setup"
)

var guideOrder = []setup.GuideID{setup.Direct, setup.Connector, setup.Cleanup}

// setupVerb offers the guides, or opens the start form of the one named.
func setupVerb(a *Ask) (bot.Reply, error) {
	if len(a.Args) > 0 {
		id := setup.GuideID(strings.ToLower(a.Args[0]))
		if _, ok := a.Env().Guide(id); !ok || !slices.Contains(guideOrder, id) {
			return a.guides(fmt.Sprintf("There is no guide “%s”. ", clipped(a.Words(), 40)))
		}
		return a.openStart(id)
	}
	return a.guides("")
}

// guides offers them all.
func (a *Ask) guides(first string) (bot.Reply, error) {
	m := bot.Say(bot.B(first + "What do you want to set up for " + a.Tenant.Name + "?"))
	var buttons []bot.Button
	for _, id := range guideOrder {
		g, ok := a.Env().Guide(id)
		if !ok {
			continue
		}
		line := bot.Join(bot.B(string(g.ID)), bot.T(": "+g.What))
		if g.Warning != "" {
			line = bot.Join(line, bot.T(" "+g.Warning))
		}
		m.Add(bot.Paragraph{Text: line})
		b := bot.Button{Label: string(g.ID), Action: setup.ActGuide, Value: string(g.ID), Says: string(g.ID) + ": start the guide " + g.Title}
		if id == setup.Direct {
			b.Style = bot.Primary
		}
		buttons = append(buttons, b)
	}
	m.Add(bot.Buttons{Items: buttons})
	return bot.Private(m), nil
}

func guideClick(a *Ask) (bot.Reply, error) { return a.openStart(setup.GuideID(a.Request.Value)) }

func cleanClick(a *Ask) (bot.Reply, error) { return a.openStart(setup.Cleanup) }

// openStart answers with the start form, or with the run that is open already.
func (a *Ask) openStart(id setup.GuideID) (bot.Reply, error) {
	g, no := a.startable(id)
	if no != nil {
		return *no, nil
	}
	if open, ok, err := a.openRun(id, a.instance(id)); err != nil {
		return bot.Reply{}, err
	} else if ok {
		return a.pointTo(open)
	}
	f := a.startInputs(g)
	return bot.Reply{Form: &f}, nil
}

// startable is a guide that the start form offers here, or why it does not. A
// changed client may ask for any: those that replace a credential or say how
// incidents are filled begin with a form of their own.
func (a *Ask) startable(id setup.GuideID) (*setup.Guide, *bot.Reply) {
	g, ok := a.Env().Guide(id)
	if !ok || !slices.Contains(guideOrder, id) {
		return nil, refusal("That guide does not exist in this version of Keyturn.")
	}
	if id == setup.Connector && a.Tenant.Instance == "" {
		return nil, refusal("The guide connector needs a ServiceNow instance, and the configuration names none for %s. An owner can add it; the guide direct works without.", a.Tenant.Name)
	}
	return g, nil
}

// instance is the ServiceNow instance that a guide is for. The guide direct
// needs calls there and goes without where none are made.
func (a *Ask) instance(id setup.GuideID) string {
	if id == setup.Direct && a.Tenant.Mode(bot.ServiceNow) == bot.NoCalls {
		return ""
	}
	return a.Tenant.Instance
}

// openRun finds the open run of a guide for an instance: there is at most one.
func (a *Ask) openRun(id setup.GuideID, instance string) (setup.Run, bool, error) {
	runs, err := a.Runs(a.Tenant.ID)
	if err != nil {
		return setup.Run{}, false, err
	}
	for _, r := range runs {
		if r.State == setup.RunOpen && r.Guide == id && r.Instance == instance {
			return r, true, nil
		}
	}
	return setup.Run{}, false, nil
}

func (a *Ask) pointTo(r setup.Run) (bot.Reply, error) {
	sent, ok, err := a.Sent(setup.ChecklistKey(r.ID))
	if err != nil {
		return bot.Reply{}, err
	}
	m := bot.Say(bot.T("This is being set up already: " + a.name(r.Requester) + " asked for it. There is one setup of a kind at a time."))
	if ok && sent.Ref.Link != "" {
		m = bot.Say(bot.T("This is being set up already: "), bot.Link("its checklist", sent.Ref.Link), bot.T(". "+a.name(r.Requester)+" asked for it. There is one setup of a kind at a time."))
	}
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Status", Action: setup.ActStatus, Value: r.ID}, {Label: "My steps", Action: setup.ActMine, Value: r.ID}}}, bot.Note{Text: bot.T("Run " + r.ID)})
	return bot.Private(m), nil
}

func (a *Ask) name(id bot.PersonID) string {
	if p, ok := a.Tenant.Person(id); ok {
		return p.Name
	}
	if name := a.Draft.Called(a.Tenant.ID, id); name != "" {
		return name
	}
	return "somebody who is no longer in the configuration"
}

// startInputs is the start form: only what cannot be found out.
func (a *Ask) startInputs(g *setup.Guide) bot.Form {
	f := bot.Form{Action: actStart, Value: string(g.ID) + "/" + a.Request.Place.Channel + "/" + string(a.Tenant.ID), Title: "Set up: " + string(g.ID), Submit: "Start"}
	f.Intro = append(f.Intro, bot.Paragraph{Text: bot.T(g.What)})
	if g.Warning != "" {
		f.Intro = append(f.Intro, bot.Paragraph{Text: bot.B(g.Warning)})
	}
	if choices := instances(a.Tenant, g.ID); len(choices) > 1 && a.instance(g.ID) != "" { // a single answer is not asked for
		f.Inputs = append(f.Inputs, bot.Input{Name: "instance", Label: "ServiceNow instance", Kind: bot.Choice, Hint: "Only instances of the configuration: a secret can go nowhere else.",
			Options: choices, Values: []string{a.Tenant.Instance}})
	}
	for _, role := range rolesOf(g, a.Tenant) {
		holders, asked := a.holders(role), a.Tenant.Asked(role)
		if len(holders) < 2 {
			continue
		}
		in := bot.Input{Name: "role." + string(role), Label: role.Title(), Kind: bot.Choices, Hint: "Who is asked. Only people who hold the role can be chosen."}
		for _, p := range holders {
			in.Options = append(in.Options, bot.Option{Value: string(p), Label: a.name(p)})
			if slices.Contains(asked, p) {
				in.Values = append(in.Values, string(p))
			}
		}
		f.Inputs = append(f.Inputs, in)
	}
	if g.ID != setup.Cleanup {
		in := bot.Input{Name: setup.OptionChannel, Label: "Channel for incidents", Kind: bot.Channel, Hint: "New incidents are posted there and kept up to date. Invite me to it first."}
		if c := a.Request.Place.Channel; c != "" && !a.Request.Place.Direct() {
			in.Values = []string{c}
		}
		f.Inputs = append(f.Inputs, in)
	}
	if g.ID == setup.Connector {
		f.Inputs = append(f.Inputs,
			bot.Input{Name: "insights_users", Label: "Who sees incidents in ServiceNow", Kind: bot.Line, Optional: true, Example: "abel.tuter, beth.anglin",
				Hint: "ServiceNow user names, with commas. They get insights_user. Nobody gets administrator."},
			bot.Input{Name: "secret_months", Label: "How long the client secret lives", Kind: bot.Choice, Hint: "Shorter is safer. I remind you before it ends.",
				Options: []bot.Option{{Value: "6", Label: "6 months"}, {Value: "12", Label: "12 months"}, {Value: "24", Label: "24 months"}}, Values: []string{"12"}})
	}
	a.askChange(&f, g)
	f.Intro = append(f.Intro, bot.Paragraph{Text: bot.Lines(append([]bot.Text{bot.B("Who will be asked")}, a.people(g)...)...)})
	return f
}

// holders lists everybody who may do the steps of a role.
func (a *Ask) holders(role bot.Role) []bot.PersonID {
	return slices.Concat(a.Tenant.Holders[role], a.Tenant.Backups[role])
}

func instances(t *bot.Tenant, g setup.GuideID) []bot.Option {
	if t.Instance == "" {
		return nil
	}
	out := []bot.Option{{Value: t.Instance, Label: t.Instance}}
	if g == setup.Direct {
		out = append(out, bot.Option{Value: "none", Label: "none, without ServiceNow"})
	}
	return out
}

// rolesOf lists the roles whose holders a guide asks at a tenant.
func rolesOf(g *setup.Guide, t *bot.Tenant) []bot.Role {
	var out []bot.Role
	for _, r := range bot.Roles {
		if r == bot.Requester || (r == bot.ServiceNowAdmin && t.Instance == "") {
			continue
		}
		if slices.ContainsFunc(g.Steps, func(s setup.Spec) bool { return s.Role == r }) {
			out = append(out, r)
		}
	}
	return out
}

// people says who will be asked, who cannot approve what, and who cannot be
// reached, with the fix.
func (a *Ask) people(g *setup.Guide) []bot.Text {
	var out []bot.Text
	for _, role := range rolesOf(g, a.Tenant) {
		holders := a.Tenant.Asked(role)
		if len(holders) == 0 {
			out = append(out, bot.T("⛔ Nobody holds "+role.Title()+". An owner can name somebody with "+a.Table.Command+" roles; until then those steps wait."))
			continue
		}
		var names, others []string
		var unreached []bot.Text
		for _, p := range holders {
			names = append(names, a.name(p))
			if p != a.Person.ID {
				others = append(others, a.name(p))
			}
			person, _ := a.Tenant.Person(p)
			if len(person.Accounts) == 0 {
				unreached = append(unreached, bot.T("⛔ "+a.name(p)+" has no chat account in the configuration, so I cannot reach them. An owner can add it."))
			}
		}
		out = append(out, bot.T(role.Title()+": "+strings.Join(names, ", ")))
		out = append(out, unreached...)
		if a.Tenant.FourEyes && slices.Contains(holders, a.Person.ID) && fourEyes(g, role) {
			out = append(out, a.alone(role, others))
		}
	}
	return out
}

// alone says what the asker cannot approve, and who can.
func (a *Ask) alone(role bot.Role, others []string) bot.Text {
	says := "You ask for it, so you cannot approve the steps of " + role.Title() + " that create a credential. "
	if len(others) > 0 {
		return bot.T(says + strings.Join(others, " or ") + " can.")
	}
	return bot.T("⛔ " + says + "Nobody else holds the role: an owner can name somebody with " + a.Table.Command + " roles, or somebody else starts the setup.")
}

func fourEyes(g *setup.Guide, role bot.Role) bool {
	return slices.ContainsFunc(g.Steps, func(s setup.Spec) bool { return s.Role == role && s.FourEyes })
}

// startForm begins a run.
func startForm(a *Ask) (bot.Reply, error) {
	r := a.Request
	guide, origin, _ := startValue(r.Value)
	g, no := a.startable(guide)
	if no != nil {
		return *no, nil
	}
	instance := a.instance(g.ID)
	if r.One("instance") == "none" {
		instance = ""
	}
	if open, found, err := a.openRun(g.ID, instance); err != nil {
		return bot.Reply{}, err
	} else if found {
		return a.pointTo(open)
	}
	holders, wrong := a.chosen(g)
	change, numbers := a.changes(g, instance, wrong)
	options := a.options()
	told := bot.Place{Platform: r.From.Platform, Team: r.From.Team, Channel: options[setup.OptionChannel]}
	if g.ID != setup.Cleanup {
		if no, err := a.mayTell(told); err != nil {
			return bot.Reply{}, err
		} else if no != "" {
			wrong[setup.OptionChannel] = no
		}
	}
	if len(wrong) > 0 {
		return bot.Reply{Errors: wrong}, nil
	}
	if told.Channel != "" {
		a.claim(told)
	}
	place := bot.Place{Platform: r.From.Platform, Team: r.From.Team, Channel: origin}
	if origin == "" || origin != r.Place.Channel || r.Place.Direct() { // what a button carries names no channel that its asker is not in
		place = bot.DM(r.From)
	}
	run := setup.New(g, setup.Start{ID: a.NewID("run"), Tenant: a.Tenant, Instance: instance, Requester: a.Person.ID, Place: place,
		Holders: holders, Options: options, Change: change, Numbers: numbers, At: a.Now})
	a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Via: r.From.String(), Act: "start", Run: run.ID, Change: run.Changes(), Note: string(g.ID)})
	return bot.Reply{}, a.PutRun(nil, &run)
}

// options reads what the form asks besides people and places.
func (a *Ask) options() map[string]string {
	out := map[string]string{}
	for _, name := range []string{setup.OptionChannel, setup.OptionUsers, setup.OptionSecretMonths} {
		if v := strings.TrimSpace(a.Request.One(name)); v != "" {
			out[name] = v
		}
	}
	return out
}

// chosen reads the holders of the form: nobody but holders of a role counts.
func (a *Ask) chosen(g *setup.Guide) (map[bot.Role][]bot.PersonID, map[string]string) {
	holders, wrong := map[bot.Role][]bot.PersonID{}, map[string]string{}
	for _, role := range rolesOf(g, a.Tenant) {
		all := a.holders(role)
		name := "role." + string(role)
		picked, asked := a.Request.Input[name]
		if !asked {
			holders[role] = slices.Clone(a.Tenant.Asked(role))
			continue
		}
		for _, p := range picked {
			if slices.Contains(all, bot.PersonID(p)) {
				holders[role] = append(holders[role], bot.PersonID(p))
			}
		}
		if len(holders[role]) == 0 {
			wrong[name] = "Choose at least one person who holds this role."
		}
		if me := a.Person.ID; a.Tenant.FourEyes && fourEyes(g, role) && len(holders[role]) == 1 && holders[role][0] == me && len(all) > 1 {
			wrong[name] = "You ask for it, so you cannot approve alone what creates a credential. Choose somebody else besides you."
		}
	}
	return holders, wrong
}
