package engine

import (
	"context"
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// Session is one person's sign-in at one system, for one visit. Its token is
// sealed apart from it.
type Session struct {
	Person  bot.PersonID `json:"person"`
	System  bot.System   `json:"system"`
	Account string       `json:"account"`
	Object  string       `json:"object"`
	Roles   []string     `json:"roles,omitempty"`
	Known   bool         `json:"known,omitempty"` // whether the token told the roles
	At      time.Time    `json:"at"`
	Until   time.Time    `json:"until"`
}

var sessions = Kind[Session]{Name: "session"}

// leeway is how long before its end a token no longer serves: a call that was
// begun must be able to end.
const leeway = time.Minute

func sessionKey(p bot.PersonID, s bot.System) string { return string(p) + "/" + string(s) }

func tokenName(t bot.TenantID, p bot.PersonID, s bot.System) string {
	return "session/" + string(t) + "/" + sessionKey(p, s)
}

// session is a person's live sign-in at a system.
func session(v View, now time.Time, t bot.TenantID, p bot.PersonID, s bot.System) (Session, bool, error) {
	x, ok, err := sessions.Get(v, t, sessionKey(p, s))
	return x, err == nil && ok && now.Before(x.Until.Add(-leeway)), err
}

// Session is a person's live sign-in at a system, and false where there is
// none.
func (d *Draft) Session(t bot.TenantID, p bot.PersonID, s bot.System) (Session, bool, error) {
	return session(d.View, d.Now, t, p, s)
}

// keepSession begins a visit, and has its end made sure of.
func (d *Draft) keepSession(t bot.TenantID, x Session, token bot.Secret) {
	sessions.PutUntil(&d.Out, t, sessionKey(x.Person, x.System), x, x.Until)
	name := tokenName(t, x.Person, x.System)
	d.Out.Secrets = append(d.Out.Secrets, Sealed{Name: name, Value: token})
	d.job("forget/"+name, kindForget, bot.ClassDigest, x.Until, forgetting{Tenant: t, Person: x.Person, System: x.System}, "forget/"+name)
}

// endSession forgets a sign-in and its token.
func (d *Draft) endSession(t bot.TenantID, p bot.PersonID, s bot.System) {
	sessions.Drop(&d.Out, t, sessionKey(p, s))
	d.Out.Forget = append(d.Out.Forget, tokenName(t, p, s))
}

// endVisits forgets the sign-ins of those whom a run asks for nothing more,
// and no other run either: tokens live for the visit.
func (d *Draft) endVisits(after *setup.Run, g *setup.Guide) error {
	all, err := sessions.All(d.View, after.Tenant)
	if err != nil || len(all) == 0 {
		return err
	}
	runs, err := d.Runs(after.Tenant)
	if err != nil {
		return err
	}
	looks, err := d.toLook(after)
	if err != nil {
		return err
	}
	for _, x := range all {
		if needed(after, g, x.Person) || looks[x.Person] {
			continue
		}
		elsewhere := slices.ContainsFunc(runs, func(r setup.Run) bool {
			other, ok := d.env.Guide(r.Guide)
			return r.ID != after.ID && ok && needed(&r, other, x.Person)
		})
		if !elsewhere {
			d.endSession(after.Tenant, x.Person, x.System)
		}
	}
	return nil
}

// toLook gives those as whom it is still looked whether a call of theirs took
// effect twice.
func (d *Draft) toLook(r *setup.Run) (map[bot.PersonID]bool, error) {
	jobs, err := d.Jobs(twiceLane(r.ID))
	if err != nil {
		return nil, err
	}
	later, err := d.Jobs(laterLook(r.ID))
	people := map[bot.PersonID]bool{}
	for _, j := range slices.Concat(alive(jobs), alive(later), d.Out.Jobs) {
		p, no := payload[twice](j)
		if j.Kind != kindTwice || no != nil || slices.Contains(d.Out.Done, j.ID) && j.ID != 0 {
			continue
		}
		if s := r.Step(p.Step); s != nil && s.Approval != nil {
			people[s.Approval.Person] = true
		}
	}
	return people, err
}

// needed reports whether a run still asks something of a person, or works with
// what they approved.
func needed(r *setup.Run, g *setup.Guide, p bot.PersonID) bool {
	if r.State != setup.RunOpen {
		return false
	}
	for i := range g.Steps {
		spec := &g.Steps[i]
		s := r.Step(spec.ID)
		if s == nil || s.State == setup.Pending || s.State.Settled() {
			continue
		}
		if slices.Contains(r.HoldersOf(spec.Role), p) || s.Holder == p || (s.Approval != nil && s.Approval.Person == p) {
			return true
		}
	}
	return false
}

// forgetting names what is forgotten once its time is over.
type forgetting struct {
	Tenant  bot.TenantID `json:"tenant"`
	Person  bot.PersonID `json:"person,omitempty"`
	System  bot.System   `json:"system,omitempty"`
	Attempt string       `json:"attempt,omitempty"`
}

// forgetJob makes sure that no token, code or verifier outlives its visit.
func (e *Engine) forgetJob(ctx context.Context, j bot.Job) error {
	f, err := payload[forgetting](j)
	if err != nil {
		return err
	}
	return e.commit(ctx, "forget/"+j.Lane, func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		if f.Attempt != "" {
			d.Out.Forget = append(d.Out.Forget, attemptSecret(f.Tenant, f.Attempt))
			return nil
		}
		if x, ok, err := sessions.Get(d.View, f.Tenant, sessionKey(f.Person, f.System)); err != nil || (ok && d.Now.Before(x.Until)) {
			return err // a newer sign-in has a job of its own
		}
		d.endSession(f.Tenant, f.Person, f.System)
		return nil
	})
}

// Sessions gives adapters the tokens of those who signed in.
type Sessions struct {
	Store Store
	Now   func() time.Time
}

// Token is the token of the person whom a call is made as. Without one the
// call is not made.
func (s Sessions) Token(ctx context.Context, t bot.TenantID, system bot.System, id bot.CallIdentity) (bot.Secret, error) {
	var token bot.Secret
	err := s.Store.Read(ctx, func(v View) error {
		_, ok, err := session(v, s.Now(), t, id.Person, system)
		if err != nil || !ok {
			return err
		}
		token, err = v.Secret(tokenName(t, id.Person, system))
		return err
	})
	if err == nil && !token.IsZero() {
		return token, nil
	}
	return bot.Secret{}, &bot.Failure{Kind: bot.KindSignIn, System: system, Err: err,
		Says: "Nobody is signed in at " + system.Name() + " for this call, so nothing was called.", Fix: "Sign in again, then repeat it."}
}

// Void ends the visit whose token a system refused.
func (s Sessions) Void(t bot.TenantID, system bot.System, id bot.CallIdentity, refused bot.Secret) {
	// What cannot be forgotten now ends by its time.
	_ = s.Store.Commit(context.Background(), func(v View) (Changes, error) {
		held, err := v.Secret(tokenName(t, id.Person, system))
		if err != nil || held.Reveal() != refused.Reveal() {
			return Changes{}, nil
		}
		d := Draft{View: v}
		d.endSession(t, id.Person, system)
		return d.Out, nil
	})
}
