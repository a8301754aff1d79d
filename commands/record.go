package commands

import (
	"slices"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/recommend"
	"keyturn/bot/setup"
)

// record answers what may explain an incident of the organisation's ServiceNow:
// it is read first, as whoever asks.
func (a *Ask) record(number string) (bot.Reply, error) {
	if a.Tenant.Instance == "" {
		return sayf("%s has no ServiceNow here, so I cannot read %s. Say what is wrong in your own words: %s recommend outlook keeps asking for my password", a.Tenant.Name, number, a.Table.Command), nil
	}
	q := a.question(recommend.Answer{Record: number})
	reader, err := a.AskRecord(a.Tenant, a.Request, q)
	switch {
	case err != nil:
		return bot.Reply{}, err
	case reader.Own:
		return sayf("⏳ I read %s in ServiceNow as %s. What may explain it comes here.", number, reader.Account), nil
	case reader.Granted:
		return sayf("⏳ I read %s in ServiceNow for %s. What may explain it comes here.", number, reader.Account), nil
	case reader.May:
		return a.visit(q.ID, "I read "+number+" as you, so that ServiceNow decides what you see, and you are not signed in there. Sign in, then choose [Ask again].")
	}
	if a.Person.ID == "" {
		return sayf("I read %s only as you, and I do not know which account in ServiceNow is yours. %s can add you to the people of %s. Or say what is wrong in your own words: %s recommend outlook keeps asking for my password",
			number, a.whoCan(a.Tenant.Owners, "an owner"), a.Tenant.Name, a.Table.Command), nil
	}
	return sayf("I read %s only as you, and you cannot sign in at ServiceNow from here. Say what is wrong in your own words: %s recommend outlook keeps asking for my password", number, a.Table.Command), nil
}

// visit offers a sign-in at ServiceNow for a question.
func (a *Ask) visit(question, why string) (bot.Reply, error) {
	if a.Env().Public == "" || a.Tenant.Mode(bot.ServiceNow) != bot.Delegated || a.Person.ID == "" {
		return say("Nobody can sign in at ServiceNow from here. An operator has to enter public_url and sign_in in the configuration."), nil
	}
	account, waits, err := a.Linked(a.Tenant, a.Person, bot.ServiceNow)
	if err != nil {
		return bot.Reply{}, err
	}
	label := "Open the sign-in page"
	if account == "" {
		others := slices.DeleteFunc(slices.Clone(a.Tenant.Owners), func(p bot.PersonID) bool { return p == a.Person.ID })
		owner := a.whoCan(others, "an owner")
		if waits.Account != "" {
			return bot.Private(bot.Say(bot.T("I do not know yet that "), bot.C(waits.Account), bot.T(" is your account in ServiceNow: you asked for it to be linked "), bot.When(waits.Asked, bot.DateTime),
				bot.T(", and "+owner+" has to confirm that. Until then I read and write nothing there as you."))), nil
		}
		why = "I know no account of yours in ServiceNow, so I have read and written nothing there as you. If you have one, sign in with it once and then choose [Link this account]: " + owner +
			" confirms it. If you have none, " + a.whoCan(a.Tenant.Asked(bot.ServiceNowAdmin), "the ServiceNow team") + " can give you one."
		label = "Sign in once, to link your account"
	}
	sc := setup.Scene{Tenant: a.Tenant, Public: a.Env().Public, Gate: func(s bot.System) string {
		if a.Env().Gate == nil {
			return a.Env().Base(a.Tenant.ID, s)
		}
		return a.Env().Gate(a.Tenant.ID, s)
	}}
	return signInPage(sc.SignInWords(bot.ServiceNow, a.Person.ID), why, a.OfferVisit(a.Tenant, a.Person, a.Request.From, question), label), nil
}

// whoCan names those who can mend something.
func (a *Ask) whoCan(people []bot.PersonID, otherwise string) string {
	var names []string
	for _, p := range people {
		if a.Tenant.Active(p) {
			names = append(names, a.name(p))
		}
	}
	return named(names, otherwise)
}

func visitClick(a *Ask) (bot.Reply, error) {
	q, no, err := a.votable(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	return a.visit(q.ID, "I ask ServiceNow as you, so that it decides what you see. Sign in, then choose [Ask again].")
}

// againClick asks the same once more, as its asker is signed in now.
func againClick(a *Ask) (bot.Reply, error) {
	q, no, err := a.votable(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if q.Answer.Record != "" {
		return a.record(q.Answer.Record)
	}
	return a.recommend(q.Answer.Said)
}

func writeClick(a *Ask) (bot.Reply, error) { return a.write(a.Request.Value) }

// write has an answer written into the incident that it is about, as a work
// note: once, however often it is asked for.
func (a *Ask) write(id string) (bot.Reply, error) {
	q, no, err := a.votable(id)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if q.Answer.RecordID == "" {
		return say("That answer is about no ServiceNow incident. Ask about one: " + a.Table.Command + " recommend INC0012345"), nil
	}
	stands, reader, err := a.NoteRecord(a.Tenant, a.Request, a.Person, q)
	switch {
	case err != nil:
		return bot.Reply{}, err
	case stands == engine.NoteWritten:
		return sayf("It stands in %s already. I write it once.", q.Answer.Record), nil
	case stands != "":
		return sayf("I am writing it into %s already. It is said here when it is read back.", q.Answer.Record), nil
	case reader.Own:
		return sayf("⏳ I write it into %s as %s, a work note, and read it back.", q.Answer.Record, reader.Account), nil
	case reader.Granted:
		return sayf("⏳ I write it into %s as my own user, for %s, a work note, and read it back.", q.Answer.Record, reader.Account), nil
	}
	return a.visit(q.ID, "I write into "+q.Answer.Record+" as you, and you are not signed in at ServiceNow now, so I have not written anything. Sign in, then click again.")
}
