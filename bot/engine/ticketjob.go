package engine

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// following is one change on its way into ServiceNow.
type following struct {
	ticketJob
	e       *Engine
	job     bot.Job
	tenant  *bot.Tenant
	known   incident.Known
	mapping incident.Mapping
	ticket  *ticket // nil where there is none yet
	as      bot.CallIdentity
	ready   bool // there is all that it takes

	made bot.Doubt // the call that makes the incident, once it may have left
}

// follow writes one change into the ServiceNow incident of its issue: read what
// is there, decide, intent recorded, call, outcome recorded.
func (e *Engine) follow(ctx context.Context, j bot.Job) error {
	p, err := payload[ticketJob](j)
	if err != nil {
		return err
	}
	f := &following{ticketJob: p, e: e, job: j}
	if err := f.load(ctx); err != nil {
		return err
	}
	if !f.ready {
		return e.finish(ctx, j, nil)
	}
	up, err := f.decide(ctx)
	if err != nil {
		return f.failed(ctx, err)
	}
	if up.Call == nil {
		return f.keep(ctx, up.Record, nil)
	}
	if up.Call.ID == "create" {
		saved, found, err := f.look(ctx, *up.Call)
		if err != nil {
			return f.failed(ctx, err)
		}
		if found {
			up.Record.SysID, up.Record.Number = saved["sys_id"], saved["number"]
			return f.keep(ctx, up.Record, nil)
		}
	}
	return f.write(ctx, up)
}

func (f *following) load(ctx context.Context) error {
	t, ok := f.e.Env.Tenant(f.Tenant)
	if !ok {
		return nil
	}
	f.tenant = t
	return f.e.Store.Read(ctx, func(v View) error {
		var mapped, signed, have bool
		var err error
		if f.mapping, mapped, err = mappings.Get(v, t.ID, theMapping); err != nil || !mapped {
			return err
		}
		if f.as, signed, err = unattended(v, t.ID); err != nil || !signed {
			return err
		}
		if f.known, err = v.Incident(t.ID, f.Issue); errors.Is(err, bot.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		var k ticket
		if k, have, err = tickets.Get(v, t.ID, f.Issue); have {
			f.ticket = &k
		}
		f.ready = err == nil
		return err
	})
}

// decide asks ServiceNow how the incident is, and then what to write.
func (f *following) decide(ctx context.Context) (incident.FollowUp, error) {
	if f.ticket == nil {
		if f.Asked {
			return incident.Create(f.known, f.mapping, f.Change, f.e.Now()), nil
		}
		return incident.Follow(nil, incident.RecordState{}, false, f.known, f.Change, f.mapping, f.e.Now()), nil
	}
	if f.Asked {
		return incident.FollowUp{Record: f.ticket.Record}, nil
	}
	a, err := f.call(ctx, incident.ReadRecord(f.ticket.Record))
	if bot.KindOf(err) == bot.KindNotFound {
		a, err = bot.Answer{Status: 404}, nil
	}
	if err != nil {
		return incident.FollowUp{}, err
	}
	now, there := incident.ParseRecord(a.Status, a.Body, f.Issue)
	return incident.Follow(&f.ticket.Record, now, there, f.known, f.Change, f.mapping, f.e.Now()), nil
}

func (f *following) call(ctx context.Context, c bot.Call) (bot.Answer, error) {
	caller, ok := f.e.Callers[bot.ServiceNow]
	if !ok {
		return bot.Answer{}, &bot.Failure{Kind: bot.KindForeign, System: bot.ServiceNow, Says: "Keyturn is not connected to ServiceNow for this tenant.", Fix: "Complete the tenant's configuration."}
	}
	as := f.as
	if as.RequestID == "" {
		as.RequestID = f.e.ID()
	}
	return caller.Call(ctx, f.Tenant, c, as)
}

// look finds the incident that somebody, or an earlier attempt of ours, has
// made of the issue already.
func (f *following) look(ctx context.Context, c bot.Call) (map[string]string, bool, error) {
	items, err := f.hits(ctx, c)
	if err != nil || len(items) == 0 {
		return nil, false, err
	}
	saved, missing := pick(items[0], c.Look.Save)
	return saved, len(missing) == 0, nil
}

// hits gives every incident of the issue.
func (f *following) hits(ctx context.Context, c bot.Call) ([]json.RawMessage, error) {
	a, err := f.call(ctx, bot.Call{ID: "look", System: c.System, Method: "GET", Path: c.Look.Path, As: c.As, What: "Looks for an incident of " + f.Issue})
	if err != nil {
		return nil, err
	}
	return matching(c.Look, a.Body), nil
}

// write makes the call: no audit entry, no call.
func (f *following) write(ctx context.Context, up incident.FollowUp) error {
	if err := f.e.stillMine(ctx); err != nil {
		return err
	}
	f.as.RequestID = f.e.ID()
	f.made = bot.Doubt{Call: *up.Call, Began: f.e.Now()}
	err := f.e.commit(ctx, "intent/"+f.as.RequestID, func(d *Draft) error {
		d.Record(bot.AuditEntry{Tenant: f.Tenant, Act: "call", Account: incident.Unattended, Call: up.Call, Request: f.as.RequestID, Note: f.Issue + ": " + up.Why})
		return nil
	})
	if err != nil {
		return err
	}
	a, sent, err := sending(ctx, func() (bot.Answer, error) { return f.call(ctx, *up.Call) })
	if err == nil {
		err = f.wrote(ctx, up, a)
	}
	if err != nil && sent {
		err = f.e.tooLate(ctx, twice{Tenant: f.Tenant, Issue: f.Issue, Doubt: f.made}, err)
	}
	if err != nil && !errors.Is(err, bot.ErrTakenOver) {
		return f.failed(ctx, err)
	}
	return err
}

// wrote records what the call came to.
func (f *following) wrote(ctx context.Context, up incident.FollowUp, a bot.Answer) error {
	if len(up.Call.Save) > 0 {
		saved, missing := pick(a.Body, up.Call.Save)
		if len(missing) > 0 {
			return &bot.Failure{Kind: bot.KindAmbiguous, System: bot.ServiceNow, Says: "ServiceNow answered without the number of the incident.", Fix: "I look for it before I try again."}
		}
		up.Record.SysID, up.Record.Number = saved["sys_id"], saved["number"]
		f.made.Made = up.Record.SysID
	}
	return f.keep(ctx, up.Record, &a)
}

// keep records what the incident is now, and has the messages show it.
func (f *following) keep(ctx context.Context, r incident.Record, a *bot.Answer) error {
	return f.e.commit(ctx, "ticket/"+f.e.ID(), func(d *Draft) error {
		d.Out.Done = []bot.JobID{f.job.ID}
		if a != nil {
			d.Record(bot.AuditEntry{Tenant: f.Tenant, Act: "result", Account: incident.Unattended, Status: a.Status, Request: f.as.RequestID, Note: f.Issue + ": " + r.Number})
		}
		if r.SysID == "" {
			return nil
		}
		k := ticket{Record: r}
		if f.ticket != nil {
			k.State = f.ticket.State
		}
		tickets.Put(&d.Out, f.Tenant, f.Issue, k)
		if f.ticket == nil && a != nil && (f.job.Begun || f.job.Tries > 0) { // an earlier one may still come
			again := f.made
			again.Made = ""
			d.lookAgain(twice{Tenant: f.Tenant, Issue: f.Issue, Doubt: again}, longestCall)
		}
		if f.ticket == nil {
			return d.Roots(f.tenant, f.Issue)
		}
		return nil
	})
}

// refusalKept is how long the admins do not hear the same refusal again.
const refusalKept = 24 * time.Hour

// failed tells the admins once what ServiceNow refused, with the fields that it
// names. What may succeed later is tried again.
func (f *following) failed(ctx context.Context, cause error) error {
	var said *bot.Failure
	if !errors.As(cause, &said) {
		return cause
	}
	switch said.Kind {
	case bot.KindThrottled, bot.KindUnreachable, bot.KindAmbiguous, bot.KindMalformed:
		return cause
	}
	return f.e.commit(ctx, "refused/"+f.e.ID(), func(d *Draft) error {
		j := f.job
		j.Dead, j.Last = true, cause.Error()
		d.Out.Again = []bot.Job{j}
		d.Record(bot.AuditEntry{Tenant: f.Tenant, Act: "failed", Account: incident.Unattended, Status: said.Status, Request: said.RequestID, Note: f.Issue + ": " + said.Says})
		name := shortHash(said.Says)
		if _, known, err := refusals.Get(d.View, f.Tenant, name); err != nil || known {
			return err
		}
		refusals.PutUntil(&d.Out, f.Tenant, name, said.Says, d.Now.Add(refusalKept))
		m := bot.Say(bot.T("ServiceNow did not take the incident of "), bot.Link(f.Issue, incident.AlertLink(f.Issue)), bot.T(". "+cause.Error()))
		m.Add(bot.Note{Text: bot.T("The channels are told all the same. The same refusal is not said again for a day.")})
		d.TellAdmins(f.tenant, m)
		return nil
	})
}

// ticketsEvery is the time between two looks at how the ServiceNow incidents
// stand.
const ticketsEvery = 5 * time.Minute

func ticketsLane(t bot.TenantID) string { return "tickets/" + string(t) }

func (d *Draft) watchTickets(t bot.TenantID) {
	d.job(ticketsLane(t), kindTickets, bot.ClassDigest, d.Now, pollJob{Tenant: t}, ticketsLane(t))
}

// readTickets reads how the ServiceNow incidents of open issues stand, and says
// in the threads what a person changed there.
func (e *Engine) readTickets(ctx context.Context, j bot.Job) error {
	p, err := payload[pollJob](j)
	if err != nil {
		return err
	}
	f := &following{ticketJob: ticketJob{Tenant: p.Tenant}, e: e, job: j}
	var watched []ticket
	t, ok := e.Env.Tenant(p.Tenant)
	if !ok {
		return e.finish(ctx, j, nil)
	}
	err = e.Store.Read(ctx, func(v View) (err error) {
		if f.as, f.ready, err = unattended(v, t.ID); err != nil {
			return err
		}
		watched, err = watchedTickets(v, t.ID)
		return err
	})
	if err != nil {
		return err
	}
	states := map[string]incident.Stands{}
	if f.ready {
		for _, call := range incident.ReadStates(records(watched)) {
			a, err := f.call(ctx, call)
			if err != nil {
				e.Log.Warn("the ServiceNow incidents cannot be read", "tenant", t.ID, "err", err)
				break
			}
			maps.Copy(states, incident.ParseStates(a.Body))
		}
	}
	return e.commit(ctx, "tickets/"+e.ID(), func(d *Draft) error {
		again := j
		again.Due, again.Tries, again.Last = d.Now.Add(min(ticketsEvery, max(d.env.PollEvery, time.Second))), 0, ""
		d.Out.Again = []bot.Job{again}
		return d.toldTickets(t, states)
	})
}

func records(of []ticket) (out []incident.Record) {
	for _, k := range of {
		out = append(out, k.Record)
	}
	return out
}

// ticketsKept is how long the ServiceNow incident of a resolved issue is still
// looked at: its people close it in their own time.
const ticketsKept = 14 * 24 * time.Hour

func watchedTickets(v View, t bot.TenantID) (out []ticket, err error) {
	all, err := tickets.All(v, t)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		i, err := v.Incident(t, k.Issue)
		switch {
		case errors.Is(err, bot.ErrNotFound):
		case err != nil:
			return nil, err
		case !i.Issue.Resolved || i.Seen.Sub(k.Made) < ticketsKept:
			out = append(out, k)
		}
	}
	return out, nil
}

// toldTickets says in the threads what changed in ServiceNow. That an incident
// is new there is no news: the message links to it.
func (d *Draft) toldTickets(t *bot.Tenant, states map[string]incident.Stands) error {
	all, err := tickets.All(d.View, t.ID)
	if err != nil {
		return err
	}
	subs, err := listening(d.View, t.ID)
	if err != nil {
		return err
	}
	for _, k := range all {
		now, ok := states[k.SysID]
		if !ok || now.Says == k.State {
			continue
		}
		was := k.State
		k.State = now.Says
		tickets.Put(&d.Out, t.ID, k.Issue, k)
		if was == "" && now.New {
			continue
		}
		for _, s := range subs {
			if err := d.sayTicket(t, s, k, was); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Draft) sayTicket(t *bot.Tenant, s incident.Subscription, k ticket, was string) error {
	_, rooted, err := d.Sent(rootKey(s.ID, k.Issue))
	if err != nil || !rooted {
		return err
	}
	number, link, _, err := d.Ticket(t, k.Issue)
	if err != nil {
		return err
	}
	m := incident.StateReply(number, link, was, k.State)
	d.ids++
	m.Key = ledgerKey(s.ID, k.Issue+"/servicenow/"+d.Now.UTC().Format("20060102T150405"))
	d.deliver(Deliver{Key: m.Key, Place: s.Place, Under: rootKey(s.ID, k.Issue), Tenant: t.ID, Sub: s.ID, Draw: Draw{What: drawFixed, Message: &m}}, bot.ClassIncident, d.Now)
	return nil
}
