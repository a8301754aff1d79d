package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// Draft is a decision in the making: what it may read, and the write set it
// fills. Everything that follows from a changed run (the checklist, cards,
// hand-offs, steps to execute) is added by [Draft.PutRun], so that no decision
// can forget it.
type Draft struct {
	View
	Out Changes
	Now time.Time
	env *Env
	ids int
	key string // makes IDs of this decision unique and repeatable
	// dice is what no caller knows: tokens of this decision derive from it, so
	// that a decision that runs again makes the same ones.
	dice string
}

// Env is what every decision knows besides the store: configuration and
// guides. It does not change while the process runs.
type Env struct {
	Tenants []*bot.Tenant
	Guide   func(setup.GuideID) (*setup.Guide, bool)
	// Base is the base address of a tenant's system, as shown to people.
	Base func(bot.TenantID, bot.System) string
	// Pace is how often a checklist may be edited, and how often in the half
	// minute after a click.
	Pace, PaceAfterClick time.Duration
	// Learns says that answers are completed with articles of Microsoft Learn.
	Learns bool
	// PollEvery is the time between two readings of a tenant's service health.
	PollEvery time.Duration
	// HeadEvery is the time between two heads of a tenant's audit trail that
	// leave the store; zero is an hour.
	HeadEvery time.Duration
	// SummaryAfter is how long nothing may have been read before what happened
	// meanwhile is told in one message; 0 is [incident.SummaryAfter].
	SummaryAfter time.Duration
	// Public is Keyturn's own address, where its pages are; "" is none.
	Public string
	// Gate is the address of the page where a tenant's people sign in at a
	// system, as their browsers see it.
	Gate func(bot.TenantID, bot.System) string
	// Alias makes what a name is called in the store ([Name]), with a key that
	// is not there: at least 16 characters of 0-9 and a-f, the same each time.
	// Without it names stand where they are.
	Alias   func(string) string
	shelves byTenant[shelf] // what answers are found in
	known   byTenant[known]
	// CheckEvery is the time between two looks of a step that waits for an act
	// elsewhere.
	CheckEvery time.Duration
}

// Tenant finds a tenant by ID, as it is configured. Who holds a role is asked
// of [Draft.Effective].
func (e *Env) Tenant(id bot.TenantID) (*bot.Tenant, bool) {
	for _, t := range e.Tenants {
		if t.ID == id {
			return t, true
		}
	}
	return nil, false
}

// Speaking lists the tenants for which a workspace may speak.
func (e *Env) Speaking(p bot.Platform, team string) []*bot.Tenant {
	var out []*bot.Tenant
	for _, t := range e.Tenants {
		if t.Speaks(p, team) {
			out = append(out, t)
		}
	}
	return out
}

// NewDraft begins a decision. The key names what is decided (a delivery key,
// a job): IDs made by the draft derive from it.
func NewDraft(v View, env *Env, key string, now time.Time) *Draft {
	return &Draft{View: v, env: env, key: key, Now: now}
}

// Run gives a run as this decision has it: with what it has changed already.
func (d *Draft) Run(id string) (setup.Run, error) {
	for i := len(d.Out.Runs) - 1; i >= 0; i-- {
		if d.Out.Runs[i].ID == id {
			return d.Out.Runs[i].Clone(), nil
		}
	}
	return d.View.Run(id)
}

// Env gives the configuration.
func (d *Draft) Env() *Env { return d.env }

// Context gives what a run's steps may look at.
func (d *Draft) Context(r *setup.Run) (setup.Context, error) {
	t, ok := d.env.Tenant(r.Tenant)
	if !ok {
		return setup.Context{}, fmt.Errorf("the configuration no longer has the tenant %q of run %s: put it back, or let an owner remove the run", r.Tenant, r.ID)
	}
	t, err := d.Effective(t)
	if err != nil {
		return setup.Context{}, err
	}
	objects, err := d.Objects(r.Tenant)
	if err != nil {
		return setup.Context{}, err
	}
	return setup.Context{Run: r, Tenant: t, Objects: overlay(objects, d.Out.Objects)}, nil
}

// overlay puts objects that this draft changes over those of the store.
func overlay(have, changed []bot.Object) []bot.Object {
	out := append([]bot.Object(nil), have...)
next:
	for _, c := range changed {
		for i := range out {
			if out[i].Key == c.Key {
				out[i] = c
				continue next
			}
		}
		out = append(out, c)
	}
	return out
}

// Scene gives what a run's messages are drawn from, for a place.
func (d *Draft) Scene(r *setup.Run, at bot.Place) (setup.Scene, error) {
	return scene(changed{d.View, &d.Out}, d.env, r, at, d.Now, d.Out.Objects)
}

func scene(v View, env *Env, r *setup.Run, at bot.Place, now time.Time, made []bot.Object) (setup.Scene, error) {
	g, ok := env.Guide(r.Guide)
	if !ok {
		return setup.Scene{}, fmt.Errorf("run %s follows a guide %q that this Keyturn does not know: was it begun by a newer one?", r.ID, r.Guide)
	}
	t, ok := env.Tenant(r.Tenant)
	if !ok {
		return setup.Scene{}, fmt.Errorf("the configuration no longer has the tenant %q of run %s", r.Tenant, r.ID)
	}
	t, err := effective(v, t, now)
	if err != nil {
		return setup.Scene{}, err
	}
	objects, err := v.Objects(r.Tenant)
	if err != nil {
		return setup.Scene{}, err
	}
	return setup.Scene{Called: func(p bot.PersonID) string { return called(v, r.Tenant, p) }, Guide: g, Run: r, Tenant: t, Objects: overlay(objects, made), Platform: at.Platform, Team: at.Team, Now: now,
		Base: func(s bot.System) string { return env.Base(r.Tenant, s) }, Public: env.Public,
		Gate: func(s bot.System) string { return env.gate(r.Tenant, s) }}, nil
}

func (e *Env) gate(t bot.TenantID, s bot.System) string {
	if e.Gate == nil {
		return e.Base(t, s)
	}
	return e.Gate(t, s)
}

// PutRun records a changed run and everything that follows from the change.
func (d *Draft) PutRun(before, after *setup.Run) error {
	g, ok := d.env.Guide(after.Guide)
	if !ok {
		return fmt.Errorf("there is no guide %q", after.Guide)
	}
	c, err := d.Context(after)
	if err != nil {
		return err
	}
	after.HandOut(g, c, d.Now)
	after.Version++
	if after.State != setup.RunOpen && (before == nil || before.State == setup.RunOpen) {
		d.forgetSecrets(after)
	}
	d.Out.Runs = append(d.Out.Runs, after.Clone())
	if err := d.endVisits(after, g); err != nil {
		return err
	}
	return d.follow(before, after, g)
}

// forgetSecrets drops what a run needed only while it went on. What stays in
// use was copied to the tenant when it was proved.
func (d *Draft) forgetSecrets(r *setup.Run) {
	for name, f := range r.Facts {
		if f.Secret {
			d.Out.Forget = append(d.Out.Forget, secretName(r.ID, name))
		}
	}
	slices.Sort(d.Out.Forget)
}

// Record appends to the audit trail. No entry, no call.
func (d *Draft) Record(e bot.AuditEntry) {
	e.At = d.Now
	d.Out.Audit = append(d.Out.Audit, e)
}

// Say sends one message to a place, once.
func (d *Draft) Say(at bot.Place, m bot.Message, class bot.Class) {
	d.ids++
	if m.Key == "" {
		m.Key = fmt.Sprintf("say/%s/%d", d.key, d.ids)
	}
	d.deliver(Deliver{Key: m.Key, Place: at, Draw: Draw{What: drawFixed, Message: &m}}, class, d.Now)
}

// sayOf is [Draft.Say] for what tells of a tenant's service health: where it
// cannot be delivered, a fallback way is worth its while.
func (d *Draft) sayOf(t *bot.Tenant, at bot.Place, m bot.Message) {
	d.ids++
	m.Key = fmt.Sprintf("say/%s/%d", d.key, d.ids)
	d.deliver(Deliver{Key: m.Key, Place: at, Tenant: t.ID, Draw: Draw{What: drawFixed, Message: &m}}, bot.ClassIncident, d.Now)
}

// SayUnder replies in the thread of a message that is, or will be, in the
// ledger.
func (d *Draft) SayUnder(root string, at bot.Place, m bot.Message, class bot.Class) {
	d.ids++
	if m.Key == "" {
		m.Key = fmt.Sprintf("say/%s/%d", d.key, d.ids)
	}
	d.deliver(Deliver{Key: m.Key, Place: at, Under: root, Draw: Draw{What: drawFixed, Message: &m}}, class, d.Now)
}

// Tell sends a person a direct message on every platform on which the tenant
// knows them.
func (d *Draft) Tell(t *bot.Tenant, p bot.PersonID, m bot.Message) {
	person, ok := t.Person(p)
	if !ok {
		return
	}
	for _, a := range person.Accounts {
		c := m
		if c.Key != "" {
			c.Key += "/" + a.String()
		}
		d.Say(bot.DM(a), c, bot.ClassHandoff)
	}
}

// TellAdmins says something where the tenant's admins are told what is wrong.
func (d *Draft) TellAdmins(t *bot.Tenant, m bot.Message) {
	if t.Admins != nil {
		d.Say(*t.Admins, m, bot.ClassHandoff)
		return
	}
	for _, o := range t.Owners {
		d.Tell(t, o, m)
	}
}

func (d *Draft) deliver(p Deliver, class bot.Class, due time.Time) {
	payload, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("a delivery that cannot be written: %v", err)) // our own types always can
	}
	d.Out.Jobs = append(d.Out.Jobs, bot.Job{Lane: chatLane(p.Place), Kind: kindDeliver, Class: class, Due: due, Made: d.Now,
		Payload: payload, Collapse: p.collapse()})
}

func (d *Draft) job(lane, kind string, class bot.Class, due time.Time, payload any, collapse string) {
	b, err := json.Marshal(payload)
	if err != nil {
		panic(fmt.Sprintf("a job that cannot be written: %v", err))
	}
	d.Out.Jobs = append(d.Out.Jobs, bot.Job{Lane: lane, Kind: kind, Class: class, Due: due, Made: d.Now, Payload: b, Collapse: collapse})
}

// RefreshHome redraws a person's own page wherever they have one.
func (d *Draft) RefreshHome(t *bot.Tenant, p bot.PersonID) {
	person, ok := t.Person(p)
	if !ok {
		return
	}
	for _, a := range person.Accounts {
		d.job("home/"+a.String(), kindHome, bot.ClassChecklist, d.Now, homeJob{Account: a}, "home/"+a.String())
	}
}
