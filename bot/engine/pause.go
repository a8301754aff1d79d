package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"keyturn/bot"
)

// pauses are until when a platform or a system wants nothing more of a kind, by
// what it refused. Each process that shares the store looks here before it sends
// or calls, so that what one was told holds for all.
var pauses = Kind[time.Time]{Name: "pause"}

// paused is a refusal for now of something sent, on its way to the commit that
// puts its job back, which tells the other processes too.
type paused struct {
	error
	of    string
	until time.Time
}

func (p paused) Unwrap() error { return p.error }

// pause keeps what a platform wants, unless a longer pause is known.
func (d *Draft) pause(tenant bot.TenantID, of string, until time.Time) error {
	known, _, err := pauses.Get(d.View, tenant, of)
	if err == nil && until.After(known) {
		pauses.PutUntil(&d.Out, tenant, of, until, until)
	}
	return err
}

// pauseAs keeps the pause that a job was put back for, if that is why.
func (d *Draft) pauseAs(cause error) error {
	var p paused
	if errors.As(cause, &p) {
		return d.pause(NoTenant, p.of, p.until)
	}
	return nil
}

// slower remembers how long a platform wants nothing more of the kind.
func (e *Engine) slower(s Send, cause error) error {
	var f *bot.Failure
	if !errors.As(cause, &f) || f.Kind != bot.KindThrottled || f.RetryAfter <= 0 {
		return cause
	}
	now := e.Now()
	e.Pace.Throttled(now, s, f.RetryAfter)
	return paused{cause, s.limit(), now.Add(f.RetryAfter)}
}

// heard takes over what another process was told about a send.
func (e *Engine) heard(v View, s Send) error {
	until, ok, err := pauses.Get(v, NoTenant, s.limit())
	if now := e.Now(); ok && until.After(now) {
		e.Pace.Throttled(now, s, until.Sub(now))
	}
	return err
}

// unpaused asks a system, unless it wants nothing of the kind now: then what it
// would say is said without asking. What it says about pauses others hear at once.
func unpaused[T any](ctx context.Context, e *Engine, t bot.TenantID, system bot.System, of string, ask func(context.Context) (T, error)) (T, error) {
	var none T
	var until time.Time
	err := e.Store.Read(ctx, func(v View) (err error) { until, _, err = pauses.Get(v, t, of); return err })
	if err != nil {
		return none, err
	}
	if left := until.Sub(e.Now()); left > 0 {
		return none, &bot.Failure{Kind: bot.KindThrottled, System: system, RetryAfter: left,
			Says: system.Name() + " asked Keyturn for a pause.", Fix: "It goes on by itself."}
	}
	return ask(bot.WithSlowed(ctx, func(ctx context.Context, pause time.Duration) {
		until := e.Now().Add(pause)
		err := e.commit(ctx, "pause/"+e.ID(), func(d *Draft) error { return d.pause(t, of, until) })
		if err != nil && ctx.Err() == nil {
			e.Log.Warn("that a system asked for a pause could not be written down", "system", system, "tenant", t, "err", err)
		}
	}))
}

// pausing has systems called with the pauses kept that they asked any process for.
func (e *Engine) pausing(callers map[bot.System]bot.Caller) map[bot.System]bot.Caller {
	out := make(map[bot.System]bot.Caller, len(callers))
	for system, caller := range callers {
		out[system] = pausingCaller{caller, e}
	}
	return out
}

type pausingCaller struct {
	bot.Caller
	e *Engine
}

// Call implements [bot.Caller]. A pause holds for one identity: systems count by it.
func (p pausingCaller) Call(ctx context.Context, t bot.TenantID, c bot.Call, as bot.CallIdentity) (bot.Answer, error) {
	of := string(c.System) + "/" + cmp.Or(as.ClientID, string(as.Person))
	return unpaused(ctx, p.e, t, c.System, of, func(ctx context.Context) (bot.Answer, error) { return p.Caller.Call(ctx, t, c, as) })
}

// reading asks for service communications, which have a limit of their own.
func reading(ctx context.Context, e *Engine, t *bot.Tenant, as bot.Reader, ask func(context.Context) ([]json.RawMessage, error)) ([]json.RawMessage, error) {
	return unpaused(ctx, e, t.ID, bot.Graph, string(bot.Graph)+"/health/"+as.ClientID, ask)
}
