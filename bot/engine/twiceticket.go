package engine

import (
	"context"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// oneTicket takes back the incidents that were made beside the one that is known.
func (e *Engine) oneTicket(ctx context.Context, j bot.Job, p twice) error {
	f := &following{ticketJob: ticketJob{Tenant: p.Tenant, Issue: p.Issue}, e: e, job: j}
	if err := f.load(ctx); err != nil {
		return err
	}
	if !f.ready {
		return e.finish(ctx, j, nil)
	}
	items, err := f.hits(ctx, p.Call)
	if err != nil {
		return err
	}
	f.ticket = nil
	if err := f.load(ctx); err != nil { // what is known now is no older than what was found
		return err
	}
	if f.ticket == nil { // whoever makes it looks first
		return e.finish(ctx, j, nil)
	}
	note := func(ctx context.Context, n bot.AuditEntry) error {
		return e.commit(ctx, n.Act+"/"+n.Request, func(d *Draft) error {
			n.Tenant, n.Account, n.Note = f.Tenant, incident.Unattended, f.Issue+": "+n.Note
			d.Record(n)
			return nil
		})
	}
	call := func(ctx context.Context, c bot.Call, request string) (bot.Answer, error) {
		f.as.RequestID = request
		if err := e.stillMine(ctx); err != nil {
			return bot.Answer{}, err
		}
		return f.call(ctx, c)
	}
	for _, key := range p.Second(p.Call.Look, items, f.ticket.SysID) {
		if err := e.removeEffect(ctx, *p.Call.Look.Removal(), key, "a second incident of the same issue", note, call); err != nil {
			return err
		}
	}
	return e.finish(ctx, j, nil)
}
