package commands

import (
	"errors"
	"fmt"
	"strings"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// signedIn gives the account that a plan would run as: that of the person's
// own sign-in where calls run as the approver. Without one the answer offers
// the sign-in, and nothing is approved.
func (m *aim) signedIn() (account string, no *bot.Reply, err error) {
	account = m.Person.Admin[systemOf(m.step.Plan)]
	asked := map[bot.System]bool{}
	for _, c := range m.step.Plan.Calls {
		if asked[c.System] || !m.Tenant.SignsIn(c) {
			continue
		}
		asked[c.System] = true
		s, ok, err := m.Session(m.Tenant.ID, m.Person.ID, c.System)
		if err != nil {
			return "", nil, err
		}
		if !ok {
			offer, err := m.offer(c.System, "The calls run as you, and you are not signed in now, so I have not run anything. Sign in, then approve again.")
			return "", &offer, err
		}
		if c.System == systemOf(m.step.Plan) {
			account = s.Account
		}
	}
	return account, nil, nil
}

// signInClick offers a sign-in for a step: a first one, or a fresh one after a
// role was activated.
func signInClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Unsigned, setup.Planned, setup.Failed)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if ap := m.step.Approval; m.step.State == setup.Unsigned && ap != nil && ap.Person != a.Person.ID {
		return sayf("%s approved these calls, and they run as nobody else. I have not run anything.", m.name(ap.Person)), nil
	}
	c, err := a.Context(&m.run)
	if err != nil {
		return bot.Reply{}, err
	}
	system, ok := setup.SystemOf(c, m.spec, m.step)
	if !ok {
		return say("This step needs no sign-in. Use the other buttons of its card."), nil
	}
	return m.offer(system, "")
}

// offer is the answer that leads to Keyturn's own sign-in page.
func (m *aim) offer(system bot.System, why string) (bot.Reply, error) {
	if m.Env().Public == "" {
		return say("Keyturn has no address of its own here, so nobody can sign in. An operator has to enter public_url in the configuration; the step can be done by hand."), nil
	}
	return m.page(system, why, m.OfferSignIn(m.Tenant, m.Person, m.Request.From, system, &m.run, m.spec.ID), "Open the sign-in page")
}

func (m *aim) page(system bot.System, why string, o engine.Offer, label string) (bot.Reply, error) {
	sc, err := m.Scene(&m.run, m.Request.Place)
	if err != nil {
		return bot.Reply{}, err
	}
	return signInPage(sc.SignInWords(system, m.Person.ID), why, o, label), nil
}

// signInPage leads to Keyturn's own page; words say what to look at there.
func signInPage(words bot.Text, why string, o engine.Offer, label string) bot.Reply {
	var out bot.Message
	if why != "" {
		out.Add(bot.Paragraph{Text: bot.T(why)})
	}
	out.Add(bot.Paragraph{Text: bot.Link(label, o.Address)},
		bot.Paragraph{Text: bot.Join(bot.T("It asks for a number: "), bot.B(o.Number), bot.T(". The link is for you alone, works once, on this device or another, until "), bot.When(o.Until, bot.Clock), bot.T("."))},
		bot.Paragraph{Text: words},
		bot.Note{Text: bot.T("If you did not ask for this, open nothing and tell an owner.")})
	return bot.Private(out)
}

// revealClick offers to show a secret once, on Keyturn's own page, after a
// sign-in.
func revealClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Failed)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	c, err := a.Context(&m.run)
	if err != nil {
		return bot.Reply{}, err
	}
	if _, ok := setup.Revealable(c, m.spec, m.step); !ok {
		return say("There is nothing to show here: ServiceNow takes the secret by API, or the step does not wait for it."), nil
	}
	if a.Env().Public == "" || a.Tenant.Mode(bot.ServiceNow) != bot.Delegated {
		return say("The secret is shown on Keyturn's own page to whoever signs in, and nobody can sign in here. Do the step by hand with the Entra admin, as the card says."), nil
	}
	return m.page(bot.ServiceNow, fmt.Sprintf("I show the client secret once, to you alone, on my own page and nowhere else, for %d minutes after you signed in. It stands in the audit trail that you saw it.", 10),
		m.OfferReveal(a.Tenant, a.Person, a.Request.From, bot.ServiceNow, &m.run, m.spec.ID), "Sign in to see the secret")
}

// linkClick asks the owners to confirm the account of an earlier sign-in.
func linkClick(a *Ask) (bot.Reply, error) {
	account, owners, ok, err := a.AskLink(a.Tenant, a.Person, a.Request.Value, a.Request.From)
	switch {
	case err != nil:
		return bot.Reply{}, err
	case !ok:
		return say("I do not keep that sign-in any more. Sign in again, and I offer it again."), nil
	case len(owners) == 0:
		return sayf("An owner other than you has to confirm that %s is yours. If you asked already, they have the request; otherwise a second owner has to be named in the configuration.", account), nil
	}
	var names []string
	for _, o := range owners {
		names = append(names, a.name(o))
	}
	return sayf("I have asked %s to confirm that %s is yours. Then sign in again on your card.", strings.Join(names, " and "), account), nil
}

// linkYesClick and linkNoClick are an owner's word on it.
func linkYesClick(a *Ask) (bot.Reply, error) { return a.settleLink(true) }

func linkNoClick(a *Ask) (bot.Reply, error) { return a.settleLink(false) }

func (a *Ask) settleLink(yes bool) (bot.Reply, error) {
	l, ok, err := a.SettleLink(a.Tenant, a.Person.ID, a.Request.Value, yes, a.Request.From)
	switch {
	case errors.Is(err, engine.ErrLinked):
		return sayf("%s is %s's already, and one account is one person's. I have confirmed nothing. If it changed hands, take it back first: %s roles lists it.", l.Account, a.name(l.Person), a.Table.Command), nil
	case err != nil:
		return bot.Reply{}, err
	case !ok:
		return say("Nobody asks for that any more. Nothing was changed."), nil
	case l.Person == a.Person.ID:
		return say("Another owner has to confirm an account of your own. Nothing was changed."), nil
	case l.By != a.Person.ID || (yes && !l.Confirmed.Equal(a.Now)):
		return sayf("%s confirmed that already. Nothing was changed.", a.name(l.By)), nil
	case yes:
		return sayf("%s is linked to %s now.", l.Account, a.name(l.Person)), nil
	}
	return sayf("%s is not linked to %s. I have told them.", l.Account, a.name(l.Person)), nil
}
