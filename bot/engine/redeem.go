package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// redeem exchanges the code of a sign-in that came back. A code that was used
// by a life of the process that ended before it could write the answer down is
// lost: its person signs in again.
func (e *Engine) redeem(ctx context.Context, j bot.Job) error {
	ref, err := payload[forgetting](j)
	if err != nil {
		return err
	}
	tenant, known := e.Env.Tenant(ref.Tenant)
	var a attempt
	var code bot.SignInCode
	err = e.Store.Read(ctx, func(v View) error {
		var ok bool
		if a, ok, err = attempts.Get(v, ref.Tenant, ref.Attempt); err != nil || !ok || a.Stage != bot.SignInReturned {
			return err
		}
		raw, err := v.Secret(attemptSecret(ref.Tenant, ref.Attempt))
		if err != nil {
			return err
		}
		var s sealedAttempt
		err = json.Unmarshal([]byte(raw.Reveal()), &s)
		code = bot.SignInCode{Code: bot.NewSecret(s.Code), Verifier: bot.NewSecret(s.Verifier), Nonce: s.Nonce, Claims: a.Claims}
		return err
	})
	if errors.Is(err, bot.ErrNotFound) || !known || (err == nil && code.Code.IsZero()) {
		return e.finish(ctx, j, nil)
	}
	if err != nil {
		return fmt.Errorf("the sign-in %s cannot be redeemed: it cannot be read", ref.Attempt) // the cause could quote the code
	}
	door, ok := e.Doors[a.System]
	if !ok {
		return e.finish(ctx, j, nil)
	}
	in, err := door.Redeem(ctx, ref.Tenant, code)
	var f *bot.Failure
	switch {
	case err != nil && (!errors.As(err, &f) || j.Tries < 2 && (f.Kind == bot.KindUnreachable || f.Kind == bot.KindThrottled)):
		if j.Tries < 2 {
			return err
		}
		inVain(ctx, err)
		f = &bot.Failure{Says: "The sign-in could not be finished.", Fix: "Sign in again."}
	case err == nil && in.Object == "":
		f = &bot.Failure{Says: GateName(a.System) + " did not say who signed in.", Fix: "Sign in again; if it stays, an owner of Keyturn has to look at the sign-in registration."}
	}
	return e.commit(ctx, fmt.Sprintf("redeem/%d", j.ID), func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		now, ok, err := attempts.Get(d.View, ref.Tenant, ref.Attempt)
		if err != nil || !ok || now.Stage != bot.SignInReturned {
			return err
		}
		if f != nil {
			d.fail(ref.Tenant, &now, f)
			return d.wants(now, f.Claims)
		}
		return d.signedIn(tenant, now, in)
	})
}

// wants has the next sign-in for a step ask for what the system said that this
// one lacked.
func (d *Draft) wants(a attempt, claims string) error {
	if claims == "" {
		return nil
	}
	before, err := d.Run(a.Run)
	if err != nil {
		return err
	}
	after := before.Clone()
	s := after.Step(setup.StepID(a.Step))
	if s == nil || s.SignIn == nil || s.SignIn.System != a.System {
		return nil
	}
	s.SignIn.Claims = claims
	return d.PutRun(&before, &after)
}

// signedIn takes a sign-in that was redeemed: whose it is decides what becomes
// of it.
func (d *Draft) signedIn(t *bot.Tenant, a attempt, in bot.SignedIn) error {
	person, ok := t.Person(a.Person)
	if !ok {
		d.fail(t.ID, &a, &bot.Failure{Says: "You are no longer in Keyturn's configuration.", Fix: "An owner can add you."})
		return nil
	}
	owner, renamed, err := d.whose(t, a.System, in)
	switch {
	case err != nil:
		return err
	case owner == "":
		return d.unlinked(t, a, person, in, renamed)
	case owner != a.Person:
		other, _ := t.Person(owner)
		d.fail(t.ID, &a, &bot.Failure{Says: in.Account + " is the account of " + other.Name + ", so the sign-in was not taken for " + person.Name + ".",
			Fix: "Sign out of that account in the browser, then sign in with your own."})
		return nil
	}
	a.Stage, a.Account = bot.SignInDone, in.Account
	a.Says, a.Fix = "You are signed in as "+in.Account+".", "Close this page and go back to the chat: the card goes on there."
	if a.Purpose == toReveal {
		a.Until = d.Now.Add(revealLives)
		d.putAttempt(t.ID, a)
		d.Out.Forget = append(d.Out.Forget, attemptSecret(t.ID, a.ID))
		return nil
	}
	d.putAttempt(t.ID, a)
	d.Out.Forget = append(d.Out.Forget, attemptSecret(t.ID, a.ID))
	d.Record(bot.AuditEntry{Tenant: t.ID, Person: a.Person, Account: in.Account, Via: a.Via, Act: "sign-in", Run: a.Run, Step: a.Step,
		Note: "at " + GateName(a.System) + ", until " + in.Until.UTC().Format(time.RFC3339)})
	went := false
	if a.Purpose != toAsk { // who signs in to ask has not come back to a step
		if went, err = d.goOn(t, a, in); err != nil {
			return err
		}
	}
	switch {
	case a.Purpose == toAsk:
		m := bot.Say(bot.T("You are signed in at "+GateName(a.System)+" as "), bot.C(in.Account), bot.T(" until "), bot.When(in.Until, bot.Clock), bot.T("."))
		m.Add(bot.Buttons{Items: []bot.Button{a.back()}})
		d.Tell(t, a.Person, m)
	case !went:
		d.Tell(t, a.Person, bot.Say(bot.T("You are signed in at "+GateName(a.System)+" as "), bot.C(in.Account), bot.T(" until "), bot.When(in.Until, bot.Clock), bot.T(". Go on with your card.")))
	}
	d.keepSession(t.ID, Session{Person: a.Person, System: a.System, Account: in.Account, Object: in.Object, Roles: in.Roles, Known: in.Known, At: d.Now, Until: in.Until}, in.Token)
	return nil
}

// goOn lets the steps go on that waited for this sign-in, and reads the step
// again that had failed and asked for it.
func (d *Draft) goOn(t *bot.Tenant, a attempt, in bot.SignedIn) (bool, error) {
	runs, err := d.Runs(t.ID)
	if err != nil {
		return false, err
	}
	went := false
	for i := range runs {
		g, ok := d.env.Guide(runs[i].Guide)
		if !ok || runs[i].State != setup.RunOpen {
			continue
		}
		after := runs[i].Clone()
		on := after.SignedIn(g, a.Person, a.System)
		if after.ID == a.Run {
			if s := after.Step(setup.StepID(a.Step)); s != nil && s.State == setup.Failed {
				s.As = a.Person
				on = after.Retry(s.ID) == nil || on
			} else if s != nil && s.State == setup.Planned {
				s.As, on = a.Person, true // its card says which account it would run as
			}
		}
		if a.System == bot.Graph {
			after.Carries(g, a.Person, in.Roles, in.Known)
		}
		if !on {
			continue
		}
		went = true
		if err := d.PutRun(&runs[i], &after); err != nil {
			return false, err
		}
	}
	return went, nil
}

// whose is the person whom an account belongs to: by its ID where it is a
// person's own, by the configuration, or by a link that an owner confirmed.
// renamed says that it has the name of a configured account and another ID: a
// name can be given to somebody else, an ID cannot.
//
// A person's own account comes first: whatever the configuration calls another
// person's admin account, nobody counts as two in what wants four eyes.
func (d *Draft) whose(t *bot.Tenant, system bot.System, in bot.SignedIn) (owner bot.PersonID, renamed bool, err error) {
	if p, ok := t.Person(bot.PersonID(strings.ToLower(in.Object))); ok && system == bot.Graph {
		return p.ID, false, nil
	}
	for _, p := range t.People {
		if p.Admin[system] == "" || !strings.EqualFold(p.Admin[system], in.Account) {
			continue
		}
		ours, err := d.pinned(t.ID, p, system, in.Object)
		if err != nil || ours {
			return p.ID, false, err
		}
		renamed = true
	}
	list, err := links.All(d.View, t.ID)
	if err != nil {
		return "", false, err
	}
	for _, l := range list {
		if l.System == system && l.Object == in.Object && !l.Confirmed.IsZero() {
			return l.Person, false, nil
		}
	}
	return "", renamed, nil
}

// pin is the ID that an account of the configuration had when its person first
// signed in with it.
type pin struct {
	Object string    `json:"object"`
	At     time.Time `json:"at"`
}

var pins = Kind[pin]{Name: "pin"}

// pinned reports whether an ID is that of a person's configured account. Where
// the configuration does not say, the first one counts from then on.
func (d *Draft) pinned(t bot.TenantID, p bot.Person, system bot.System, object string) (bool, error) {
	if id := p.AdminID[system]; id != "" {
		return strings.EqualFold(id, object), nil
	}
	key := sessionKey(p.ID, system) + "/" + strings.ToLower(p.Admin[system])
	known, ok, err := pins.Get(d.View, t, key)
	if err != nil || ok {
		return known.Object == object, err
	}
	pins.Put(&d.Out, t, key, pin{Object: object, At: d.Now})
	return true, nil
}
