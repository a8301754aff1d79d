package engine

import (
	"errors"
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// Link is an account at a system that somebody says is theirs. It counts once
// an owner has confirmed it.
type Link struct {
	Person    bot.PersonID `json:"person"`
	System    bot.System   `json:"system"`
	Account   string       `json:"account"`
	Object    string       `json:"object"` // the account's own ID
	Via       string       `json:"via"`
	Asked     time.Time    `json:"asked"`
	Confirmed time.Time    `json:"confirmed,omitzero"`
	By        bot.PersonID `json:"by,omitempty"`
}

var links = Kind[Link]{Name: "link"}

func linkKey(attempt string) string { return attempt }

// linkLives is how long a link waits for an owner.
const linkLives = 7 * 24 * time.Hour

// unlinked ends a sign-in with an account that nobody is known to own: its
// token is dropped, and its person may ask for the account to be linked.
func (d *Draft) unlinked(t *bot.Tenant, a attempt, p bot.Person, in bot.SignedIn, renamed bool) error {
	a.Stage, a.Found, a.Object = bot.SignInUnlinked, in.Account, in.Object
	a.Says = "You signed in as " + in.Account + ", which Keyturn does not know as an account of " + p.Name + ". The sign-in was dropped."
	why := ", which I do not know as your account. I dropped the sign-in, and nothing was run. If the account is yours, ask for it to be linked: an owner confirms it once."
	if renamed {
		a.Says = "You signed in as " + in.Account + ". That is the name of an account of " + p.Name + ", but another account: its ID is not the one that Keyturn knows. The sign-in was dropped."
		why = ". That is the name of your account, but its ID is another than the one I know, as when an account was deleted and made again. I dropped the sign-in, and nothing was run. If it is yours, ask for it to be linked: an owner confirms it once."
	}
	a.Fix = "If it is yours, choose [Link this account] in the chat; an owner then confirms it. Otherwise sign in with the account that the card names."
	d.putAttempt(t.ID, a)
	d.Out.Forget = append(d.Out.Forget, attemptSecret(t.ID, a.ID))
	d.refuseSignIn(t.ID, a, in.Account, "the account is not linked")
	m := bot.Say(bot.T("You signed in at "+GateName(a.System)+" as "), bot.C(in.Account), bot.T(why))
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Link this account", Action: setup.ActLink, Value: a.ID, Says: "Link this account: " + in.Account}, a.back()}})
	d.Tell(t, p.ID, m)
	return nil
}

// Linked gives the account that a person is known to have at a system, or "" and
// the link that still waits for an owner, if they asked for one.
func (d *Draft) Linked(t *bot.Tenant, p bot.Person, system bot.System) (account string, waits Link, err error) {
	if account = d.accountOf(t, p, system); account != "" {
		return account, Link{}, nil
	}
	list, err := links.All(d.View, t.ID)
	for _, l := range list {
		if l.Person == p.ID && l.System == system && l.Confirmed.IsZero() && l.Asked.After(waits.Asked) && d.Now.Sub(l.Asked) < linkLives {
			waits = l
		}
	}
	return "", waits, err
}

// AskLink asks the owners to confirm that the account of an earlier sign-in is
// its person's. It gives the account, and false where there was no such
// sign-in.
func (d *Draft) AskLink(t *bot.Tenant, p bot.Person, id string, via bot.Account) (account string, owners []bot.PersonID, ok bool, err error) {
	a, ok, err := attempts.Get(d.View, t.ID, id)
	if err != nil || !ok || a.Stage != bot.SignInUnlinked || a.Person != p.ID {
		return "", nil, false, err
	}
	l := Link{Person: p.ID, System: a.System, Account: a.Found, Object: a.Object, Via: via.String(), Asked: d.Now}
	if old, known, err := links.Get(d.View, t.ID, linkKey(id)); err != nil || known {
		return old.Account, nil, known, err // asked already
	}
	links.PutUntil(&d.Out, t.ID, linkKey(id), l, d.Now.Add(linkLives))
	d.Record(bot.AuditEntry{Tenant: t.ID, Person: p.ID, Account: l.Account, Via: l.Via, Act: "link-asked", Run: a.Run, Note: "at " + GateName(a.System)})
	m := bot.Say(bot.B(p.Name), bot.T(" signed in at "+GateName(a.System)+" as "), bot.C(l.Account), bot.T(" and says that it is their own account. Once you confirm it, steps that "+p.Name+" approves run as that account. Ask them, not by a message that somebody else could answer."))
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Confirm", Action: setup.ActLinkYes, Value: id, Style: bot.Primary, Says: "Confirm that " + l.Account + " is an account of " + p.Name},
		{Label: "Refuse", Action: setup.ActLinkNo, Value: id, Says: "Refuse to link " + l.Account}}})
	for _, o := range t.Owners {
		if o != p.ID {
			owners = append(owners, o)
			d.Tell(t, o, m)
		}
	}
	return l.Account, owners, true, nil
}

// ErrLinked says that an account is confirmed as somebody else's.
var ErrLinked = errors.New("the account is confirmed as another person's")

// SettleLink confirms or refuses a link as an owner. It gives the link as it is
// now, and false where there is none; with [ErrLinked] the link of whoever has the
// account already.
func (d *Draft) SettleLink(t *bot.Tenant, owner bot.PersonID, id string, yes bool, via bot.Account) (Link, bool, error) {
	l, ok, err := links.Get(d.View, t.ID, linkKey(id))
	if err != nil || !ok || !l.Confirmed.IsZero() || l.Person == owner {
		return l, ok, err
	}
	if yes { // two people with one account would be one where four eyes are asked for
		all, err := links.All(d.View, t.ID)
		if err != nil {
			return l, false, err
		}
		for _, x := range all {
			if x.System == l.System && x.Object == l.Object && x.Person != l.Person && !x.Confirmed.IsZero() {
				return x, false, ErrLinked
			}
		}
	}
	act := "link-refused"
	says := bot.Join(bot.T("An owner refused to link "), bot.C(l.Account), bot.T(" to you. Sign in with the account that your card names."))
	if yes {
		act = "link"
		says = bot.Join(bot.T("An owner confirmed that "), bot.C(l.Account), bot.T(" is yours. Sign in again on your card."))
		l.Confirmed, l.By = d.Now, owner
		links.Put(&d.Out, t.ID, linkKey(id), l)
	} else {
		l.By = owner
		links.Drop(&d.Out, t.ID, linkKey(id))
	}
	d.Record(bot.AuditEntry{Tenant: t.ID, Person: owner, Account: l.Account, Via: via.String(), Act: act, Note: "of " + string(l.Person) + " at " + GateName(l.System)})
	d.Tell(t, l.Person, bot.Say(says))
	return l, true, nil
}

// Confirmed are the accounts that owners have confirmed in chat as somebody's.
func (d *Draft) Confirmed(t *bot.Tenant) ([]Link, error) {
	list, err := links.All(d.View, t.ID)
	return slices.DeleteFunc(list, func(l Link) bool { return l.Confirmed.IsZero() }), err
}

// Unlink takes back, as an owner, what was confirmed as a person's account at a
// system, and ends their sign-in there: nothing more is called as that account.
// It gives the accounts, none where there was nothing to take back.
func (d *Draft) Unlink(t *bot.Tenant, owner, p bot.PersonID, system bot.System, via bot.Account) (accounts []string, err error) {
	list, err := d.View.Records(links.Name, t.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		l, err := links.read(r)
		if err != nil {
			return nil, err
		}
		if l.Person != p || l.System != system || l.Confirmed.IsZero() {
			continue
		}
		links.Drop(&d.Out, t.ID, r.Key)
		d.Record(bot.AuditEntry{Tenant: t.ID, Person: owner, Account: l.Account, Via: via.String(), Act: "unlink", Note: "of " + string(p) + " at " + GateName(system)})
		d.Tell(t, p, bot.Say(bot.T("An owner took back that "), bot.C(l.Account), bot.T(" is yours. Nothing more is run as it; what you approved and has not run waits for a sign-in with the account that your card names.")))
		accounts = append(accounts, l.Account)
	}
	if len(accounts) > 0 {
		d.endSession(t.ID, p, system)
	}
	return accounts, nil
}
