package engine

import (
	"errors"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// drawOf draws what a desk keeps up to date in a channel: the root of an issue
// or a message center post, or that of a storm. What is kept no more, and what
// was unsubscribed meanwhile, is empty.
func (e *Engine) drawOf(v View, p Deliver) (bot.Message, error) {
	s, ok, err := v.Subscribed(p.Tenant, p.Draw.Sub)
	if err != nil || !ok {
		return bot.Message{}, err
	}
	switch p.Draw.What {
	case drawGroup:
		return e.drawGroup(v, s, p.Draw.Group)
	case drawPost:
		k, ok, err := posts.Get(v, p.Tenant, p.Draw.Post)
		if err != nil || !ok {
			return bot.Message{}, err
		}
		return incident.Announce(k.Post), nil
	}
	k, err := v.Incident(p.Tenant, p.Draw.Incident)
	if errors.Is(err, bot.ErrNotFound) {
		return bot.Message{}, nil
	}
	if err != nil {
		return bot.Message{}, err
	}
	o, err := e.rootOptions(v, p.Tenant, k)
	return incident.Root(k, s, o), err
}

// rootOptions are what a root shows beside Microsoft's own words.
func (e *Engine) rootOptions(v View, tenant bot.TenantID, k incident.Known) (o incident.Options, err error) {
	t, ok := e.Env.Tenant(tenant)
	solve := incident.SolveButton(k)
	if !ok {
		o.More = []bot.Button{solve}
		return o, nil
	}
	if person, ok := t.Person(k.Worker); ok && k.Worker != "" {
		o.Worker = bot.T(person.Name)
	}
	number, link, mapped, err := ticketOf(v, e.Env, t, k.Issue.ID)
	if mapped && (link != "" || !k.Issue.Resolved) {
		o.More = append(o.More, incident.TicketButton(k.Issue.ID, number, link))
	}
	o.More = append(o.More, solve)
	return o, err
}

// drawGroup draws the root that the issues of a storm share.
func (e *Engine) drawGroup(v View, s incident.Subscription, id string) (bot.Message, error) {
	desk, ok, err := desks.Get(v, s.Tenant, s.ID)
	if err != nil || !ok {
		return bot.Message{}, err
	}
	g, ok := desk.Group(id)
	if !ok {
		return bot.Message{}, nil
	}
	var f incident.Facts
	for _, id := range g.Members {
		k, err := v.Incident(s.Tenant, id)
		if errors.Is(err, bot.ErrNotFound) {
			continue
		}
		if err != nil {
			return bot.Message{}, err
		}
		f.Issues = append(f.Issues, k)
	}
	return incident.GroupMessage(g, f), nil
}
