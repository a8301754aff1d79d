package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// errSettled says that a step needs nothing more from this job.
var errSettled = errors.New("nothing is to be done for this step now")

// work is one step of one run as a job sees it.
type work struct {
	e    *Engine
	job  bot.Job
	ref  stepRef
	run  setup.Run
	spec *setup.Spec
	ctx  setup.Context

	guide *setup.Guide

	// Of the call that is made now: it may have left; an earlier attempt made it
	// too; the key of what it made; when its intent was written.
	sent, again bool
	made        string
	began       time.Time
}

// stepJob reads, runs or reads back a step, as its state asks.
func (e *Engine) stepJob(ctx context.Context, j bot.Job) error {
	ref, err := payload[stepRef](j)
	if err != nil {
		return err
	}
	w := &work{e: e, job: j, ref: ref}
	err = w.load(ctx)
	if errors.Is(err, errSettled) || errors.Is(err, bot.ErrNotFound) {
		return e.finish(ctx, j, nil)
	}
	if err != nil {
		return err
	}
	var u *unsigned
	if err = w.further(ctx); errors.As(err, &u) {
		return w.awaitSignIn(ctx, u)
	}
	return err
}

// further does what the step's state asks.
func (w *work) further(ctx context.Context) error {
	st := w.step()
	switch {
	case w.spec.ID == setup.StepChannels && st.State == setup.Looking:
		return w.channels(ctx)
	case w.spec.ID == setup.StepRecord && st.State == setup.Looking:
		return w.record(ctx)
	case st.State == setup.Looking:
		return w.look(ctx)
	case st.State == setup.Running:
		return w.perform(ctx)
	case st.State == setup.Checking && len(st.Doubts) > 0:
		return w.undoubt(ctx)
	case st.State == setup.Checking, st.State == setup.Open && w.spec.API != nil && w.spec.API.Poll:
		return w.check(ctx)
	}
	return w.e.finish(ctx, w.job, nil)
}

func (w *work) step() *setup.Step { return w.run.Step(w.ref.Step) }

// load reads the step's run and what its spec may look at.
func (w *work) load(ctx context.Context) error {
	return w.e.Store.Read(ctx, func(v View) error {
		r, err := v.Run(w.ref.Run)
		if err != nil {
			return err
		}
		w.run = r
		g, ok := w.e.Env.Guide(r.Guide)
		if !ok {
			return fmt.Errorf("run %s follows an unknown guide %q", r.ID, r.Guide)
		}
		w.guide = g
		w.spec, ok = g.Step(w.ref.Step)
		if !ok || w.step() == nil || r.State != setup.RunOpen {
			return errSettled
		}
		w.ctx, err = NewDraft(v, w.e.Env, "", w.e.Now()).Context(&w.run)
		return err
	})
}

// change commits a changed run. mutate works on a copy and may say that
// somebody decided meanwhile (bot.ErrStale): then the job is over.
func (w *work) change(ctx context.Context, done bool, mutate func(d *Draft, r *setup.Run) error) error {
	err := w.e.commit(ctx, fmt.Sprintf("step/%d", w.job.ID), func(d *Draft) error {
		before, err := d.Run(w.ref.Run)
		if err != nil {
			return err
		}
		after := before.Clone()
		if err := mutate(d, &after); err != nil {
			return err
		}
		if done {
			d.Out.Done = []bot.JobID{w.job.ID}
		}
		return d.PutRun(&before, &after)
	})
	if errors.Is(err, bot.ErrStale) {
		return w.e.finish(ctx, w.job, nil)
	}
	return err
}

// look reads what exists and makes the plan.
func (w *work) look(ctx context.Context) error {
	if err := w.keys(ctx); err != nil {
		return err
	}
	if w.spec.API.Plan == nil { // only reads: what it finds is the proof
		return w.check(ctx)
	}
	if !w.spec.Runs(w.ctx) && !w.step().Undoing {
		return w.change(ctx, true, func(_ *Draft, r *setup.Run) error { return r.Open(w.ref.Step) })
	}
	proposal, problem, err := w.propose(ctx)
	if err != nil {
		return w.failOrRetry(ctx, err, setup.Looking)
	}
	seen, err := w.changeRead(ctx, proposal.Calls)
	if err != nil {
		return w.failOrRetry(ctx, err, setup.Looking)
	}
	return w.change(ctx, true, func(d *Draft, r *setup.Run) error {
		if r.Step(w.ref.Step).State != setup.Looking {
			return bot.ErrStale
		}
		for _, c := range seen {
			r.See(c)
		}
		if _, byHand := w.spec.ByHand(w.ctx); byHand && (problem != nil || len(proposal.Calls) == 0) {
			return r.Open(w.ref.Step) // nothing is known that a plan could be made of
		}
		if problem != nil {
			r.Fail(w.ref.Step, stamped(*problem, d.Now))
			return nil
		}
		r.Planned(w.ref.Step, proposal, d.Now)
		return w.readAs(d, r)
	})
}

// propose gives what is to be called: the step's plan as of now, or its way
// back.
func (w *work) propose(ctx context.Context) (setup.Proposal, *setup.Problem, error) {
	if w.step().Undoing {
		return setup.Proposal{Calls: w.spec.API.Back(w.ctx)}, nil, nil
	}
	reading, err := w.read(ctx, w.spec.API.Read)
	if err != nil {
		return setup.Proposal{}, nil, err
	}
	proposal, problem := w.spec.API.Plan(w.ctx, reading)
	return proposal, problem, nil
}

func stamped(p setup.Problem, now time.Time) setup.Problem {
	p.At = now
	return p
}

// read makes a step's reads. Throttling and unreachable systems are errors;
// what a system refuses is part of the reading.
func (w *work) read(ctx context.Context, calls func(setup.Context) []bot.Call) (setup.Reading, error) {
	out := setup.Reading{}
	if calls == nil {
		return out, nil
	}
	for _, c := range calls(w.ctx) {
		if _, no := setup.Uncalled(w.ctx.Tenant, []bot.Call{c}); no {
			out[c.ID] = setup.Unread(c)
			continue
		}
		a, err := w.call(ctx, c, w.e.ID())
		var f *bot.Failure
		switch {
		case err == nil:
			out[c.ID] = setup.Read{Answer: a}
		case !errors.As(err, &f):
			return nil, err
		case f.Kind == bot.KindThrottled || f.Kind == bot.KindUnreachable || f.Kind == bot.KindForeign || f.Kind == bot.KindMalformed:
			return nil, f
		case f.Kind == bot.KindAmbiguous && !c.Write():
			return nil, &bot.Failure{Kind: bot.KindUnreachable, System: f.System, Says: f.Says, Fix: f.Fix, Err: f}
		default:
			out[c.ID] = setup.Read{Answer: a, Failure: f}
		}
	}
	return out, nil
}

// call fills in a call's placeholders and makes it.
func (w *work) call(ctx context.Context, c bot.Call, request string) (bot.Answer, error) {
	if system, no := setup.Uncalled(w.ctx.Tenant, []bot.Call{c}); no {
		return bot.Answer{}, &bot.Failure{Kind: bot.KindForeign, System: system, Says: "Keyturn calls nothing at " + system.Name() + " here, because the configuration says so.",
			Fix: "Do the step by hand, or have an operator set up sign_in."}
	}
	filled, identity, opened, err := w.fill(ctx, c)
	if err != nil {
		return bot.Answer{}, err
	}
	caller, ok := w.e.Callers[c.System]
	if !ok {
		return bot.Answer{}, &bot.Failure{Kind: bot.KindForeign, System: c.System, Says: "Keyturn is not connected to " + c.System.Name() + " for this tenant.", Fix: "Complete the tenant's configuration."}
	}
	identity.RequestID = request
	if c.Write() {
		if err := w.e.stillMine(ctx); err != nil {
			return bot.Answer{}, err
		}
	}
	defer hush(opened, &identity)
	a, sent, err := sending(ctx, func() (bot.Answer, error) { return caller.Call(ctx, w.run.Tenant, filled, identity) })
	w.sent = sent && c.Write()
	if err != nil {
		err = w.refused(ctx, c, identity, err)
	}
	return a, err
}

// hush takes secrets out of what a panic says while a call that holds them is
// made: the log repeats it.
func hush(opened []bot.Secret, as *bot.CallIdentity) {
	if p := recover(); p != nil {
		panic(bot.Scrub(fmt.Sprint(p), append(opened, as.Secret, as.Key)...))
	}
}

// fill puts in facts and secrets and finds the identity that a call is made
// with. It gives the secrets that it opened.
func (w *work) fill(ctx context.Context, c bot.Call) (filled bot.Call, id bot.CallIdentity, opened []bot.Secret, err error) {
	var missing []string
	err = w.e.Store.Read(ctx, func(v View) error {
		secret := func(name string) (string, bool) {
			s, err := v.Secret(secretName(w.run.ID, name))
			opened = append(opened, s)
			return s.Reveal(), err == nil && !s.IsZero()
		}
		fact := func(name string) (string, bool) {
			f, ok := w.run.Facts[name]
			return f.Value, ok && !f.Secret
		}
		filled, missing = setup.Fill(c, fact, secret)
		switch c.As {
		case "reader":
			id.ClientID, _ = fact("reader.client_id")
			key, _ := secret("reader.key")
			id.Key = bot.NewSecret(key)
			id.Cert, _ = fact("reader.key.cert")
		case "unattended":
			id.ClientID, _ = fact("sn.client_id")
			s, made := secret("sn.client_secret")
			id.Secret = bot.NewSecret(s)
			if !made { // by an earlier run
				id, _, err = unattended(v, w.run.Tenant)
				opened = append(opened, id.Secret)
				return err
			}
		default:
			return w.identify(v, c, &id)
		}
		return nil
	})
	if err != nil {
		return bot.Call{}, id, nil, err
	}
	if len(missing) > 0 {
		return bot.Call{}, id, nil, &bot.Failure{Kind: bot.KindBadRequest, System: c.System,
			Says: fmt.Sprintf("The call %q needs %v, which no earlier step has given.", c.What, missing),
			Fix:  "Run the earlier step again, or do this one by hand."}
	}
	return filled, id, opened, nil
}

// secretName is the store's name of a run's secret fact.
func secretName(run, fact string) string { return "run/" + run + "/" + fact }

// failOrRetry leaves a step that could not be read for a person, unless
// another try may help.
func (w *work) failOrRetry(ctx context.Context, cause error, in setup.StepState) error {
	var f *bot.Failure
	if !errors.As(cause, &f) {
		return cause
	}
	if f.Kind == bot.KindThrottled {
		return w.held(ctx, f)
	}
	if f.Kind == bot.KindUnreachable && w.job.Tries+1 < tries {
		return cause
	}
	inVain(ctx, cause)
	return w.change(ctx, true, func(d *Draft, r *setup.Run) error {
		if st := r.Step(w.ref.Step).State; st != in {
			return bot.ErrStale
		}
		r.Fail(w.ref.Step, problem(f, "", d.Now))
		return nil
	})
}

// stepLost leaves a step whose job was given up for its person, instead of
// running for ever.
func (e *Engine) stepLost(ctx context.Context, j bot.Job, cause error) error {
	ref, err := payload[stepRef](j)
	if err != nil {
		return err
	}
	e.Log.Error("a step stopped", "run", ref.Run, "step", ref.Step, "err", cause)
	return e.commit(ctx, fmt.Sprintf("lost/%d", j.ID), func(d *Draft) error {
		before, err := d.Run(ref.Run)
		if err != nil {
			return err
		}
		d.Out.Done = []bot.JobID{j.ID}
		after := before.Clone()
		if st := after.Step(ref.Step); st == nil || st.State.Settled() || after.State != setup.RunOpen {
			return nil
		}
		p := setup.Problem{Says: "Something went wrong inside Keyturn, so this step stopped.", At: d.Now,
			Fix: "Try again. If it stays, ask whoever runs Keyturn to look at its log; the step can also be done by hand."}
		var f *bot.Failure
		if errors.As(cause, &f) {
			p = problem(f, "", d.Now)
		}
		after.Fail(ref.Step, p)
		return d.PutRun(&before, &after)
	})
}

func problem(f *bot.Failure, call string, now time.Time) setup.Problem {
	return setup.Problem{Says: f.Says, Fix: f.Fix, Code: f.Code, Request: f.RequestID, Kind: f.Kind, Call: call, At: now}
}

// keys makes the key pairs and random secrets that a step needs before its
// plan can be shown, once.
func (w *work) keys(ctx context.Context) error {
	for _, name := range w.spec.API.Keys {
		if w.ctx.Has(strings.TrimPrefix(name, "random:")) {
			continue
		}
		made, err := w.e.Keys.Make(name, w.run.ID, w.e.Now())
		if err != nil {
			return fmt.Errorf("making the key %q: %w", name, err)
		}
		err = w.e.commit(ctx, fmt.Sprintf("keys/%d/%s", w.job.ID, name), func(d *Draft) error {
			r, err := d.Run(w.ref.Run)
			if err != nil {
				return err
			}
			after := r.Clone()
			after.Keep(w.ref.Step, made.Facts, d.Now)
			after.Facts[made.Name] = setup.Fact{Secret: true, Step: w.ref.Step, At: d.Now}
			d.Out.Secrets = append(d.Out.Secrets, Sealed{Name: secretName(r.ID, made.Name), Value: made.Secret})
			d.Out.Runs = append(d.Out.Runs, after)
			w.run = after
			return nil
		})
		if err != nil {
			return err
		}
		w.ctx.Run = &w.run
	}
	return nil
}

// KeyMaker makes key pairs and random secrets.
type KeyMaker interface {
	// Make gives the key that a step's spec names: "reader.key" a key pair
	// with a self-signed certificate, "random:<name>" a random secret.
	Make(name, run string, now time.Time) (MadeKey, error)
}

// MadeKey is a fresh key.
type MadeKey struct {
	Name   string // the secret fact
	Secret bot.Secret
	Facts  map[string]string // public halves
}
