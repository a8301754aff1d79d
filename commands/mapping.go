package commands

import (
	"maps"
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// mappingVerb asks whether how ServiceNow incidents are filled is to be said, or
// changed, and begins a run for it.
func mappingVerb(a *Ask) (bot.Reply, error) {
	g, no, err := a.mappingGuide()
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	f := bot.Form{Action: actMapping, Value: string(a.Tenant.ID), Title: "ServiceNow incidents", Submit: "Start",
		Intro: []bot.Part{bot.Paragraph{Text: bot.T(g.What)}, bot.Paragraph{Text: bot.Lines(a.people(g)...)}}}
	a.askChange(&f, g)
	return bot.Reply{Form: &f}, nil
}

// mappingForm begins the run.
func mappingForm(a *Ask) (bot.Reply, error) {
	if a.Request.Kind == bot.Clicked {
		return mappingVerb(a)
	}
	g, no, err := a.mappingGuide()
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	options := map[string]string{}
	if a.SignsInUnattended(a.Tenant) {
		options[setup.OptionUnattended] = "yes"
	}
	runs, err := a.Runs(a.Tenant.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	facts := map[string]setup.Fact{}
	for i := range runs { // what the newest run was told fills the form
		maps.Copy(facts, setup.MappingFacts(&runs[i]))
	}
	return a.beginRun(g, options, facts, "")
}

// maps reports whether the asker may say how ServiceNow incidents are filled.
func (a *Ask) maps() bool {
	return a.Person.ID != "" && a.Tenant.Instance != "" && (a.Tenant.Holds(a.Person.ID, bot.Owner) || a.Tenant.Holds(a.Person.ID, bot.ServiceNowAdmin))
}

// mappingButton opens what [mappingVerb] opens.
var mappingButton = bot.Button{Label: "ServiceNow incidents", Action: actMapping, Says: "How ServiceNow incidents are filled"}

// mappingGuide is the guide with only the steps that apply, or why it cannot be
// begun now.
func (a *Ask) mappingGuide() (*setup.Guide, *bot.Reply, error) {
	if a.Tenant.Instance == "" {
		return nil, refusal("The configuration names no ServiceNow instance for %s, so no incident is made there. An operator can add it.", a.Tenant.Name), nil
	}
	if !a.maps() {
		no := sayf("How ServiceNow incidents are filled is for its admins and for owners of %s to say. I have done nothing.", a.Tenant.Name).Denied("neither a ServiceNow admin nor an owner")
		return nil, &no, nil
	}
	g, ok := a.Env().Guide(setup.Mapping)
	if !ok {
		return nil, refusal("That guide does not exist in this version of Keyturn."), nil
	}
	open, ok, err := a.openRun(setup.Mapping, a.Tenant.Instance)
	if err != nil {
		return nil, nil, err
	}
	if ok {
		no, err := a.pointTo(open)
		return nil, &no, err
	}
	own := *g
	own.Steps = slices.DeleteFunc(slices.Clone(g.Steps), func(s setup.Spec) bool {
		return s.ID == setup.StepUnattended && a.SignsInUnattended(a.Tenant)
	})
	return &own, nil, nil
}

// beginRun begins a run of a guide that the start form does not offer, with
// those whom its steps ask, where the tenant's admins are told.
func (a *Ask) beginRun(g *setup.Guide, options map[string]string, facts map[string]setup.Fact, of string) (bot.Reply, error) {
	r := a.Request
	wrong := map[string]string{}
	change, numbers := a.changes(g, a.Tenant.Instance, wrong)
	if len(wrong) > 0 {
		return bot.Reply{Errors: wrong}, nil
	}
	holders := map[bot.Role][]bot.PersonID{}
	for _, role := range rolesOf(g, a.Tenant) {
		holders[role] = slices.Clone(a.Tenant.Asked(role))
	}
	place := bot.DM(r.From)
	if at := a.Tenant.Admins; at != nil && at.Platform == r.From.Platform && at.Team == r.From.Team {
		place = *at
	}
	whole, ok := a.Env().Guide(g.ID)
	if !ok {
		return say("That guide does not exist in this version of Keyturn."), nil
	}
	run := setup.New(whole, setup.Start{ID: a.NewID("run"), Tenant: a.Tenant, Instance: a.Tenant.Instance, Requester: a.Person.ID, Place: place,
		Holders: holders, Options: options, Change: change, Numbers: numbers, At: a.Now})
	maps.Copy(run.Facts, facts)
	a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Via: r.From.String(), Act: "start", Run: run.ID, Change: run.Changes(), Note: strings.TrimSpace(string(g.ID) + " " + of)})
	return bot.Reply{}, a.PutRun(nil, &run)
}
