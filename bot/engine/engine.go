package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"keyturn/bot"
)

// Decide answers one request: it fills the draft and gives the reply. It must
// have no other effect, since it may run more than once.
type Decide func(d *Draft, r bot.Request) (bot.Reply, error)

// Config is what an engine needs.
type Config struct {
	Env     *Env
	Store   Store
	Chats   map[bot.Platform]Chat
	Callers map[bot.System]bot.Caller
	Doors   map[bot.System]Door // where people sign in
	Health  Health
	Witness Witness // nil sends no heads of audit trails out
	Library Library // nil where no articles are searched
	Decide  Decide
	Now     func() time.Time
	ID      func() string // a fresh random ID, safe for URLs
	Keys    KeyMaker
	Wait    func(ctx context.Context, d time.Duration) error // nil waits by the clock
	Backoff func(tries int) time.Duration                    // how long a failed job waits before its next try; nil doubles from a second to a minute
	Pace    Pace
	// Ways are each tenant's fallback ways, as many as it names, and Monitors
	// what watches Keyturn for it. Public asks Microsoft's public status page.
	Ways     map[bot.TenantID][]Way
	Monitors map[bot.TenantID]Monitor
	Public   func(ctx context.Context) (status int, body []byte, err error)
	Sent     func(bot.Platform, error)       // counts each try of a message; nil counts nothing
	Paint    func(bot.Chart) ([]byte, error) // draws a picture as PNG; nil sends its words alone
	Workers  int                             // jobs at once, most of which wait for somebody; 0 is 32
	Log      *slog.Logger
}

// Engine is the loop.
type Engine struct {
	Config
	started time.Time
	slots   chan struct{}
	done    chan struct{} // a worker finished
	work    sync.WaitGroup
	leaving atomic.Bool
	away    atomic.Bool // the log has said that the store takes nothing
	over    sync.Map    // bot.JobID -> *bot.Sent: done outside, but not on disk yet
}

// New makes an engine. Nothing runs before [Engine.Run].
func New(c Config) *Engine {
	if c.Workers == 0 {
		c.Workers = 32
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Wait == nil {
		c.Wait = sleep
	}
	if c.Sent == nil {
		c.Sent = func(bot.Platform, error) {}
	}
	if c.Backoff == nil {
		c.Backoff = backoff
	}
	c.Store = Named(c.Store, c.Env)
	e := &Engine{Config: c, started: c.Now(), slots: make(chan struct{}, c.Workers), done: make(chan struct{}, 1)}
	e.Callers = e.pausing(c.Callers)
	return e
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Handle decides one request and commits the decision before it returns. A
// repeat of a known delivery key takes no effect and gets the same reply, but
// no second form: the platform lets a request open one.
func (e *Engine) Handle(ctx context.Context, r bot.Request) (bot.Reply, error) {
	if e.leaving.Load() {
		return bot.Reply{}, bot.ErrDraining
	}
	var reply bot.Reply
	now, dice := e.Now(), e.ID()
	err := e.Store.Commit(ctx, func(v View) (Changes, error) {
		reply = bot.Reply{}
		if known, ok, err := v.Reply(r.Key); err != nil || ok {
			reply = known
			if r.Kind != bot.Submitted {
				reply.Form = nil // its one try was the first time's
			}
			return Changes{}, err
		}
		d := NewDraft(v, e.Env, r.Key, now)
		d.dice = dice
		rep, err := e.Decide(d, r)
		if err != nil {
			return Changes{}, err
		}
		if rep.Message != nil && !r.Inline {
			d.answer(r, rep)
		}
		d.Out.Delivery = &Delivery{Key: r.Key, Reply: rep, At: d.Now}
		reply = rep
		return d.Out, nil
	})
	if err != nil {
		return bot.Reply{}, fmt.Errorf("handling %s from %s: %w", r.Kind, r.From, err)
	}
	e.tellRefused(r, reply)
	return reply, nil
}

// answer sends a reply's message by a job in the request's own lane, ahead of
// every other.
func (d *Draft) answer(r bot.Request, rep bot.Reply) {
	d.job("now/"+r.Key, kindAnswer, bot.ClassClick, d.Now, answerJob{To: r.From, At: r.Place, URL: r.Return.URL.Reveal(),
		Expires: r.Return.Expires, Message: *rep.Message, Redraw: rep.Redraw, InPlace: rep.InPlace}, "")
}

// Drain has [Engine.Handle] refuse what comes from now on: nothing is begun that
// a stopping process might not finish. What is under way goes on.
func (e *Engine) Drain() { e.leaving.Store(true) }

// Ready reports why requests should not come here now; nil where they may.
func (e *Engine) Ready(ctx context.Context) error {
	if e.leaving.Load() {
		return bot.ErrDraining
	}
	return e.Store.Read(ctx, func(View) error { return nil })
}

// FormLost tells a person that the form that they asked for could not be
// opened: the platform gives three seconds and one try.
func (e *Engine) FormLost(ctx context.Context, r bot.Request, cause error) {
	e.Log.Warn("a form could not be opened", "request", r.Key, "err", cause)
	err := e.commit(ctx, r.Key+"/form", func(d *Draft) error {
		m := bot.Say(bot.T("The form did not open in time. Nothing was changed. Please click again."))
		d.answer(r, bot.Reply{Message: &m})
		return nil
	})
	if err != nil {
		e.Log.Error("the person could not be told that a form did not open", "request", r.Key, "err", err)
	}
}

// Run executes jobs until ctx is done, then waits for those in flight.
func (e *Engine) Run(ctx context.Context) error {
	if err := e.begin(ctx); err != nil {
		if ctx.Err() != nil { // stopped while it started
			return nil
		}
		return err
	}
	// What is in flight when the process is asked to stop gets a while to
	// finish; then it is cancelled and runs again after the restart.
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer e.work.Wait()
	stop := context.AfterFunc(ctx, func() {
		_ = sleep(working, drain)
		cancel()
	})
	defer stop()
	for ctx.Err() == nil {
		free := cap(e.slots) - len(e.slots)
		if free > 0 {
			jobs, err := e.Store.Claim(ctx, e.Now(), free)
			if err != nil && ctx.Err() == nil {
				e.away.Store(true)
				e.Log.Error("jobs cannot be read from the store", "err", err)
			}
			for _, j := range jobs {
				e.start(working, j)
			}
			if len(jobs) > 0 {
				continue
			}
		}
		e.idle(ctx)
	}
	return nil
}

// drain is how long jobs in flight may take once the process is to stop.
const drain = 8 * time.Second

// idle waits until there may be work: a new job, one that falls due, a worker
// that finished. It looks at the clock each minute: a machine that was suspended
// wakes up with a later one.
func (e *Engine) idle(ctx context.Context) {
	pause := time.Minute
	if next, ok, err := e.Store.Next(ctx); err == nil && ok && len(e.slots) < cap(e.slots) {
		pause = min(pause, next.Sub(e.Now()))
	}
	timer := time.NewTimer(max(pause, time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-e.Store.Wake():
	case <-e.done:
	}
}

func (e *Engine) start(ctx context.Context, j bot.Job) {
	e.slots <- struct{}{}
	e.work.Go(func() {
		defer func() {
			<-e.slots
			select {
			case e.done <- struct{}{}:
			default:
			}
		}()
		e.do(ctx, j)
	})
}

// do runs one job. A panic costs the job, never the process. Who has lost the
// job to another process leaves it alone.
func (e *Engine) do(ctx context.Context, j bot.Job) {
	ctx = e.under(ctx, j)
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				e.Log.Error("a bug in Keyturn stopped a job", "job", j.ID, "kind", j.Kind, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				err = fmt.Errorf("a bug in Keyturn stopped a job of kind %s: its log says where", j.Kind)
			}
		}()
		return e.run(ctx, j)
	}()
	if err == nil {
		if j.Kind != kindPoll { // which says it in its own words
			e.mended(ctx, j)
		}
		return
	}
	if errors.Is(err, bot.ErrTakenOver) {
		e.Log.Warn("a job went to another process, which did not hear of this one for a while", "job", j.ID, "kind", j.Kind, "lane", j.Lane)
		_ = e.Store.Release(context.WithoutCancel(ctx), j.Claim()) // if it did not after all, nobody else would let it go
		return
	}
	if ctx.Err() != nil {
		_ = e.Store.Release(context.WithoutCancel(ctx), j.Claim())
		return
	}
	e.again(ctx, j, err)
}

func (e *Engine) run(ctx context.Context, j bot.Job) error {
	if sent, ok := e.over.LoadAndDelete(j.ID); ok {
		return e.finish(ctx, j, sent.(*bot.Sent))
	}
	switch j.Kind {
	case kindDeliver:
		return e.deliver(ctx, j)
	case kindAnswer:
		return e.sendAnswer(ctx, j)
	case kindHome:
		return e.drawHome(ctx, j)
	case kindStep:
		return e.stepJob(ctx, j)
	case kindPoll:
		return e.poll(ctx, j)
	case kindLearn:
		return e.complete(ctx, j)
	case kindRecord:
		return e.readRecord(ctx, j)
	case kindInto:
		return e.writeInto(ctx, j)
	case kindSweep:
		return e.sweep(ctx, j)
	case kindNote:
		return e.sendNote(ctx, j)
	case kindFallback:
		return e.fallback(ctx, j)
	case kindBeat:
		return e.beat(ctx, j)
	case kindWindow:
		return e.window(ctx, j)
	case kindRemind:
		return e.remind(ctx, j)
	case kindChange:
		return e.writeNote(ctx, j)
	case kindMessages:
		return e.readMessages(ctx, j)
	case kindGroups:
		return e.readGroups(ctx, j)
	case kindExpiry:
		return e.watchExpiry(ctx, j)
	case kindHead:
		return e.witness(ctx, j)
	case kindTicket:
		return e.follow(ctx, j)
	case kindTickets:
		return e.readTickets(ctx, j)
	case kindWake:
		return e.wake(ctx, j)
	case kindVisitor:
		return e.ask(ctx, j)
	case kindRedeem:
		return e.redeem(ctx, j)
	case kindForget:
		return e.forgetJob(ctx, j)
	case kindTwice:
		return e.once(ctx, j)
	}
	return &bot.Failure{Kind: bot.KindBadRequest, Says: fmt.Sprintf("There is no job of kind %q.", j.Kind), Fix: "It was made by a newer Keyturn: start that one."}
}

// commit decides with a fresh draft. The time is taken once, so that a decision
// that runs twice comes out the same. A worker's commit is made under its claim.
func (e *Engine) commit(ctx context.Context, key string, decide func(d *Draft) error) error {
	now, dice := e.Now(), e.ID()
	var out Changes
	err := e.Store.Commit(ctx, func(v View) (Changes, error) {
		d := NewDraft(v, e.Env, key, now)
		d.dice = dice
		if err := decide(d); err != nil {
			return Changes{}, err
		}
		d.Out.Under = claimOf(ctx)
		out = d.Out
		return out, nil
	})
	if err == nil {
		e.written(ctx, out)
	}
	return err
}
