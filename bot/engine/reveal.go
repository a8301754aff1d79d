package engine

import (
	"context"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// revealLives is how long a secret can be shown after the sign-in for it.
const revealLives = 10 * time.Minute

// Reveal shows a secret once, to the browser that signed in for it: where
// ServiceNow does not take it by API. The audit entry is on disk before the
// secret leaves; a second view finds nothing.
func (e *Engine) Reveal(ctx context.Context, t bot.TenantID, id, browser string) (secret bot.Secret, page bot.SignInPage, err error) {
	err = e.commit(ctx, "reveal/"+id, func(d *Draft) error {
		secret, page = bot.Secret{}, gone()
		a, ok, err := attempts.Get(d.View, t, id)
		tenant, known := e.Env.Tenant(t)
		if err != nil || !ok || !known || browser == "" || !same(a.Browser, sum(browser)) {
			return err
		}
		if a.Purpose != toReveal || a.Stage != bot.SignInDone || !d.Now.Before(a.Until) {
			return nil
		}
		before, err := d.Run(a.Run)
		if err != nil {
			return err
		}
		after := before.Clone()
		fact, ok, err := d.revealable(&after, setup.StepID(a.Step))
		if err != nil || !ok {
			return err
		}
		if secret, err = d.Secret(secretName(a.Run, fact)); err != nil {
			return err
		}
		a.Stage, a.Says, a.Fix = bot.SignInGone, "The secret was shown once, here. It is not shown again.", "Once the entry works, have it replaced: it has been on a screen."
		a.Until = d.Now
		d.putAttempt(t, a)
		d.Record(bot.AuditEntry{Tenant: t, Person: a.Person, Account: a.Account, Via: a.Via, Act: "reveal", Run: a.Run, Step: a.Step, Change: after.Change, Note: fact + " was shown to a person, once"})
		after.Shown++
		c, err := d.Context(&after)
		if err != nil {
			return err
		}
		m := bot.Say(bot.T("You saw the client secret once. When you have typed it into the entry, choose [I fixed it, check]. It has been on a screen now: once all works, have it replaced, and a fresh one takes its place without a gap."))
		buttons := []bot.Button{{Label: "Show my steps", Action: setup.ActMine, Value: a.Run}}
		if o, ok := setup.Exposed(c); ok {
			buttons = append(buttons, setup.ReplaceButton(t, o))
		}
		m.Add(bot.Buttons{Items: buttons})
		d.Tell(tenant, a.Person, m)
		page, err = e.signInPage(d.View, tenant, a)
		if err != nil {
			return err
		}
		return d.PutRun(&before, &after)
	})
	if err != nil {
		return bot.Secret{}, gone(), err
	}
	return secret, page, nil
}

// revealable is the fact of the secret that a step may have shown.
func (d *Draft) revealable(r *setup.Run, step setup.StepID) (string, bool, error) {
	g, ok := d.env.Guide(r.Guide)
	if !ok || r.State != setup.RunOpen {
		return "", false, nil
	}
	spec, ok := g.Step(step)
	if !ok || r.Step(step) == nil {
		return "", false, nil
	}
	c, err := d.Context(r)
	if err != nil {
		return "", false, err
	}
	fact, ok := setup.Revealable(c, spec, r.Step(step))
	return fact, ok, nil
}
