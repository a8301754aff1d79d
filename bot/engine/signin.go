package engine

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// signInLives is how long a sign-in that was offered can be used.
const signInLives = 15 * time.Minute

// told is how long it is kept how a sign-in ended.
const told = 24 * time.Hour

// Offer is a sign-in that waits for its person.
type Offer struct {
	Address string // of Keyturn's own page, for one use
	Number  string // what the page asks for
	Until   time.Time
}

// OfferSignIn offers a person a sign-in at a system, for a step.
func (d *Draft) OfferSignIn(t *bot.Tenant, p bot.Person, via bot.Account, system bot.System, r *setup.Run, step setup.StepID) Offer {
	return d.offer(t, p, via, system, r, step, toCall)
}

// OfferReveal offers a person to be shown a secret once, after a sign-in.
func (d *Draft) OfferReveal(t *bot.Tenant, p bot.Person, via bot.Account, system bot.System, r *setup.Run, step setup.StepID) Offer {
	return d.offer(t, p, via, system, r, step, toReveal)
}

// OfferVisit offers a person a sign-in at ServiceNow for a question of theirs,
// which belongs to no run.
func (d *Draft) OfferVisit(t *bot.Tenant, p bot.Person, via bot.Account, question string) Offer {
	return d.offered(t, p, attempt{Purpose: toAsk, System: bot.ServiceNow, Via: via.String(), Question: question})
}

func (d *Draft) offer(t *bot.Tenant, p bot.Person, via bot.Account, system bot.System, r *setup.Run, step setup.StepID, why purpose) Offer {
	a := attempt{Purpose: why, System: system, Run: r.ID, Step: string(step), Via: via.String()}
	if s := r.Step(step); s != nil && s.SignIn != nil && s.SignIn.System == system {
		a.Claims = s.SignIn.Claims
	}
	return d.offered(t, p, a)
}

func (d *Draft) offered(t *bot.Tenant, p bot.Person, a attempt) Offer {
	key := d.token("sign-in")
	a.ID, a.Person, a.Account, a.Stage, a.Until = attemptID(key), p.ID, d.accountOf(t, p, a.System), bot.SignInOffered, d.Now.Add(signInLives)
	a.Number = d.number()
	a.Numbers = []string{a.Number}
	for len(a.Numbers) < 3 {
		a.Numbers = append(a.Numbers, d.number(a.Numbers...))
	}
	slices.Sort(a.Numbers)
	d.putAttempt(t.ID, a)
	return Offer{Address: d.env.Public + "/signin/go/" + string(t.ID) + "/" + key, Number: a.Number, Until: a.Until}
}

func attemptID(key string) string { return sum(key)[:32] }

func (d *Draft) putAttempt(t bot.TenantID, a attempt) {
	attempts.PutUntil(&d.Out, t, a.ID, a, a.Until.Add(told))
}

// accountOf is the account that a person is known to sign in with, or "".
func (d *Draft) accountOf(t *bot.Tenant, p bot.Person, system bot.System) string {
	if a := p.Admin[system]; a != "" {
		return a
	}
	list, err := links.All(d.View, t.ID)
	if err != nil {
		return ""
	}
	for _, l := range list {
		if l.Person == p.ID && l.System == system && !l.Confirmed.IsZero() {
			return l.Account
		}
	}
	return ""
}

// gone is the page of a sign-in that leads nowhere. It tells a stranger nothing.
func gone() bot.SignInPage {
	return bot.SignInPage{Stage: bot.SignInGone, Says: "This sign-in cannot be used: it is over, was used already, or belongs to another browser.",
		Fix: "Go back to the chat and choose [Sign in] on your card again. Nothing was run."}
}

// SignInPage is what Keyturn's page says of the sign-in that a link names.
// Looking changes nothing: chat programs open links by themselves.
func (e *Engine) SignInPage(ctx context.Context, t bot.TenantID, key string) (page bot.SignInPage, err error) {
	page = gone()
	err = e.Store.Read(ctx, func(v View) error {
		a, ok, err := attempts.Get(v, t, attemptID(key))
		tenant, known := e.Env.Tenant(t)
		if err != nil || !ok || !known || !e.Now().Before(a.Until) || (a.Stage != bot.SignInOffered && a.Stage != bot.SignInBegun) {
			return err
		}
		page, err = e.signInPage(v, tenant, a)
		return err
	})
	return page, err
}

// signInPage draws a sign-in.
func (e *Engine) signInPage(v View, t *bot.Tenant, a attempt) (bot.SignInPage, error) {
	page := bot.SignInPage{Stage: a.Stage, ID: a.ID, For: t.ID, Tenant: t.Name, System: GateName(a.System), Origin: setup.OriginOf(e.Env.gate(t.ID, a.System)),
		Account: a.Account, Numbers: a.Numbers, Until: a.Until, Says: a.Says, Fix: a.Fix, Run: a.Run}
	page.Host = setup.HostOf(page.Origin)
	if p, ok := t.Person(a.Person); ok {
		page.Person = p.Name
	}
	if a.Purpose == toAsk {
		page.Requester, page.Steps = page.Person, []string{"Ask ServiceNow for what you may see there"}
		return page, nil
	}
	r, err := v.Run(a.Run)
	if err != nil {
		return page, err
	}
	g, ok := e.Env.Guide(r.Guide)
	if !ok {
		return page, fmt.Errorf("there is no guide %q", r.Guide)
	}
	if p, ok := t.Person(r.Requester); ok {
		page.Requester = p.Name
	}
	page.Change = r.Number(a.System)
	for i := range g.Steps {
		s := r.Step(g.Steps[i].ID)
		mine := s != nil && slices.Contains(r.Waiting(&g.Steps[i], s), a.Person)
		if s != nil && (string(s.ID) == a.Step || (mine && s.State == setup.Unsigned && s.SignIn.System == a.System)) {
			page.Steps = append(page.Steps, g.Steps[i].Title)
		}
	}
	if a.Purpose == toReveal && a.Stage == bot.SignInDone && e.Now().Before(a.Until) {
		page.Reveal = &bot.RevealPage{What: "the client secret of the OAuth provider", Why: "ServiceNow did not take it by API.", Until: a.Until}
	}
	return page, nil
}

// GateName is how the page calls the system that people sign in at.
func GateName(s bot.System) string {
	if s == bot.Graph {
		return "Microsoft Entra"
	}
	return s.Name()
}

// BeginSignIn is the confirming click: this browser goes on with the sign-in,
// and no other. It gives the address of the system's own page. A number that
// does not match uses the link up.
func (e *Engine) BeginSignIn(ctx context.Context, t bot.TenantID, key, browser, number string) (address string, page bot.SignInPage, err error) {
	var ask bot.SignInRequest
	var system bot.System
	err = e.commit(ctx, "sign-in/begin", func(d *Draft) error {
		address, page, ask = "", gone(), bot.SignInRequest{}
		a, ok, err := attempts.Get(d.View, t, attemptID(key))
		if err != nil || !ok || !d.Now.Before(a.Until) || browser == "" {
			return err
		}
		again := a.Stage == bot.SignInBegun && a.Browser == sum(browser)
		if a.Stage != bot.SignInOffered && !again {
			return nil
		}
		if subtle.ConstantTimeCompare([]byte(number), []byte(a.Number)) != 1 {
			a.Stage, a.Says, a.Fix = bot.SignInFailed, "That is not the number that the chat shows, so this link was used up.", "If you did not ask for it yourself, close the page and tell an owner of Keyturn. Otherwise choose [Sign in] again."
			d.putAttempt(t, a)
			d.refuseSignIn(t, a, "", "the number did not match")
			page = bot.SignInPage{Stage: a.Stage, Says: a.Says, Fix: a.Fix}
			return nil
		}
		state := string(t) + "." + a.ID + "." + d.token("state")
		s := sealedAttempt{Verifier: d.token("verifier"), Nonce: d.token("nonce")}
		a.Stage, a.Browser, a.State = bot.SignInBegun, sum(browser), sum(state)
		d.putAttempt(t, a)
		d.sealAttempt(t, a, s)
		system = a.System
		ask = bot.SignInRequest{State: state, Nonce: s.Nonce, Challenge: challenge(s.Verifier), Account: a.Account, Claims: a.Claims}
		return nil
	})
	if err != nil || ask.State == "" {
		return "", page, err
	}
	door, ok := e.Doors[system]
	if !ok {
		return "", page, fmt.Errorf("there is no way to sign in at %s: complete sign_in in the configuration", system.Name())
	}
	address, err = door.Address(t, ask)
	return address, page, err
}

func (d *Draft) sealAttempt(t bot.TenantID, a attempt, s sealedAttempt) {
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("a sign-in that cannot be written: %v", err)) // our own types always can
	}
	name := attemptSecret(t, a.ID)
	d.Out.Secrets = append(d.Out.Secrets, Sealed{Name: name, Value: bot.NewSecret(string(b))})
	d.job("forget/"+name, kindForget, bot.ClassDigest, a.Until.Add(time.Minute), forgetting{Tenant: t, Attempt: a.ID}, "forget/"+name)
}

// refuseSignIn records that a sign-in was stopped, and with which account where
// it came so far.
func (d *Draft) refuseSignIn(t bot.TenantID, a attempt, account, why string) {
	d.Record(bot.AuditEntry{Tenant: t, Person: a.Person, Via: a.Via, Act: "sign-in-refused", Account: account, Run: a.Run, Step: a.Step, Note: why})
}

// ReturnSignIn takes what a system's page sent a browser back with: the code is
// sealed and on disk before the browser is answered, and a job redeems it. What
// does not fit changes nothing and tells nothing.
func (e *Engine) ReturnSignIn(ctx context.Context, r bot.SignInReturn) (page bot.SignInPage, err error) {
	t, id, ok := stateParts(r.State)
	if !ok || r.Browser == "" || (r.Tenant != "" && r.Tenant != t) {
		return gone(), nil
	}
	tenant, known := e.Env.Tenant(t)
	door := e.Doors[r.System]
	if !known || door == nil {
		return gone(), nil
	}
	err = e.commit(ctx, "sign-in/return/"+id, func(d *Draft) error {
		page = gone()
		a, ok, err := attempts.Get(d.View, t, id)
		if err != nil || !ok || a.Stage != bot.SignInBegun || !d.Now.Before(a.Until) {
			return err
		}
		switch {
		case !same(a.State, sum(r.State)), a.System != r.System:
			return nil
		case !same(a.Browser, sum(r.Browser)):
			d.refuseSignIn(t, a, "", "it came back in another browser")
			return nil
		}
		raw, err := d.Secret(attemptSecret(t, a.ID))
		if err != nil {
			return nil // forgotten: it is over
		}
		var s sealedAttempt
		if err := json.Unmarshal([]byte(raw.Reveal()), &s); err != nil {
			return fmt.Errorf("the sign-in %s cannot be read", a.ID)
		}
		switch issuer := door.Issuer(t); {
		case r.Issuer != "" && r.Issuer != issuer:
			d.fail(t, &a, &bot.Failure{Says: "Another sign-in service answered than the one that was asked, so the answer was not used.", Fix: "Tell an owner of Keyturn: somebody may be playing tricks."})
		case r.Error != "":
			d.fail(t, &a, door.Explain(r.Error, r.Description))
		case r.Code.IsZero() || len(r.Code.Reveal()) > 8192:
			d.fail(t, &a, &bot.Failure{Says: GateName(a.System) + " sent no code back.", Fix: "Sign in again."})
		default:
			a.Stage, s.Code = bot.SignInReturned, r.Code.Reveal()
			d.putAttempt(t, a)
			d.sealAttempt(t, a, s)
			d.job("sign-in/"+a.ID, kindRedeem, bot.ClassClick, d.Now, forgetting{Tenant: t, Attempt: a.ID}, "")
		}
		page, err = e.signInPage(d.View, tenant, a)
		return err
	})
	return page, err
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// stateParts reads what BeginSignIn made.
func stateParts(state string) (t bot.TenantID, id string, ok bool) {
	p := strings.Split(state, ".")
	if len(p) != 3 || p[0] == "" || len(p[1]) != 32 || len(p[2]) != 43 || len(state) > 200 {
		return "", "", false
	}
	return bot.TenantID(p[0]), p[1], true
}

// SignInAfter is how a sign-in goes on, for the browser that began it.
func (e *Engine) SignInAfter(ctx context.Context, t bot.TenantID, id, browser string) (page bot.SignInPage, err error) {
	page = gone()
	err = e.Store.Read(ctx, func(v View) error {
		a, ok, err := attempts.Get(v, t, id)
		tenant, known := e.Env.Tenant(t)
		if err != nil || !ok || !known || browser == "" || !same(a.Browser, sum(browser)) {
			return err
		}
		page, err = e.signInPage(v, tenant, a)
		return err
	})
	return page, err
}

// fail ends a sign-in that led to nothing, and tells its person in chat: the
// run waits unharmed.
func (d *Draft) fail(t bot.TenantID, a *attempt, f *bot.Failure) {
	a.Stage, a.Says, a.Fix = bot.SignInFailed, f.Says, f.Fix
	d.putAttempt(t, *a)
	d.Out.Forget = append(d.Out.Forget, attemptSecret(t, a.ID))
	d.refuseSignIn(t, *a, "", f.Says)
	tenant, ok := d.env.Tenant(t)
	if !ok {
		return
	}
	left := " Nothing was run; the step waits as it was."
	if a.Purpose == toAsk {
		left = " Nothing was asked there."
	}
	m := bot.Say(bot.T("The sign-in at " + GateName(a.System) + " did not work. " + f.Says + " " + f.Fix + left))
	m.Add(bot.Buttons{Items: []bot.Button{a.back()}})
	if f.Code != "" {
		m.Add(bot.Note{Text: bot.T(f.Code)})
	}
	d.Tell(tenant, a.Person, m)
}
