package engine

import (
	"context"
	"errors"
	"fmt"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// unsigned is the error of a call that would be made as a person of whom
// there is no live sign-in.
type unsigned struct {
	system bot.System
	why    string // why an earlier sign-in no longer serves
	claims string // what the next one has to ask for
}

func (u *unsigned) Error() string {
	return "the call waits for a sign-in at " + u.system.Name()
}

// speaker finds the person whom a step's calls to a system are made as: the
// approver, or before an approval whoever of its people is signed in.
func (w *work) speaker(v View, system bot.System) (Session, bool, error) {
	st := w.step()
	if st.Approval != nil {
		return session(v, w.e.Now(), w.run.Tenant, st.Approval.Person, system)
	}
	people := w.run.Waiting(w.spec, st)
	if st.As != "" {
		people = append([]bot.PersonID{st.As}, people...)
	}
	for _, p := range people {
		if s, ok, err := session(v, w.e.Now(), w.run.Tenant, p, system); ok || err != nil {
			return s, ok, err
		}
	}
	return Session{}, false, nil
}

// readAs notes whose sign-in a plan was read with, and whether it carries the
// role that the calls usually need.
func (w *work) readAs(d *Draft, r *setup.Run) error {
	if w.ctx.Tenant.Mode(bot.Graph) != bot.Delegated {
		return nil
	}
	s, ok, err := w.speaker(d.View, bot.Graph)
	if err != nil || !ok {
		return err
	}
	r.Step(w.ref.Step).As = s.Person
	r.Carries(w.guide, s.Person, s.Roles, s.Known)
	return nil
}

// identify fills in the person whom a call is made as.
func (w *work) identify(v View, c bot.Call, id *bot.CallIdentity) error {
	if !w.ctx.Tenant.SignsIn(c) {
		if st := w.step(); st != nil && st.Approval != nil {
			id.Person, id.Account = st.Approval.Person, st.Approval.Account
		}
		return nil
	}
	s, ok, err := w.speaker(v, c.System)
	if err == nil && !ok {
		err = &unsigned{system: c.System}
	}
	id.Person, id.Account = s.Person, s.Account
	return err
}

// signedFor says before the intent of a call is written whether somebody is
// signed in for it: what waits leaves no trace of a call.
func (w *work) signedFor(ctx context.Context, c bot.Call) error {
	return w.e.Store.Read(ctx, func(v View) error { return w.identify(v, c, &bot.CallIdentity{}) })
}

// refused ends the visit whose token a system no longer takes, and has the step
// wait for a fresh sign-in.
func (w *work) refused(ctx context.Context, c bot.Call, id bot.CallIdentity, cause error) error {
	var f *bot.Failure
	if !errors.As(cause, &f) || f.Kind != bot.KindSignIn || !w.ctx.Tenant.SignsIn(c) {
		return cause
	}
	err := w.e.commit(ctx, "refused/"+id.RequestID, func(d *Draft) error {
		d.endSession(w.run.Tenant, id.Person, c.System)
		d.Record(bot.AuditEntry{Tenant: w.run.Tenant, Person: id.Person, Account: id.Account, Act: "sign-out", Run: w.run.ID, Step: string(w.ref.Step), Note: f.Says})
		return nil
	})
	if err != nil {
		return err
	}
	return &unsigned{system: c.System, why: f.Says, claims: f.Claims}
}

// awaitSignIn holds a step until one of its people has signed in.
func (w *work) awaitSignIn(ctx context.Context, u *unsigned) error {
	return w.change(ctx, true, func(d *Draft, r *setup.Run) error {
		// Somebody may have signed in since the call was not made.
		if s, ok, err := w.speaker(d.View, u.system); err != nil || ok {
			if err == nil {
				err = fmt.Errorf("%s has signed in meanwhile: the step goes on", s.Account)
			}
			return err
		}
		return w.ask(d, r, u)
	})
}

// ask has a step's people sign in, before it goes on.
func (w *work) ask(d *Draft, r *setup.Run, u *unsigned) error {
	if err := r.AwaitSignIn(w.ref.Step, setup.SignIn{System: u.system, Why: u.why, Claims: u.claims}); err != nil {
		return err
	}
	a := r.Step(w.ref.Step).Approval
	if a == nil {
		return nil
	}
	t := w.ctx.Tenant
	m := bot.Say(bot.T("Sign in again, so that I can finish what you approved: "), bot.B(w.spec.Title), bot.T(" ("+t.Name+"). Nothing more is called until then."))
	if u.why != "" && len(r.Step(w.ref.Step).Doubts) > 0 {
		m = bot.Say(bot.T("Sign in again, so that I can finish what you approved: "), bot.B(w.spec.Title), bot.T(" ("+t.Name+"). "+u.why))
	}
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Show my steps", Action: setup.ActMine, Value: r.ID}}})
	d.Tell(t, a.Person, m)
	return nil
}
