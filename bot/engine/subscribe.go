package engine

import (
	"slices"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// Subscription finds what a channel is told.
func (d *Draft) Subscription(tenant bot.TenantID, at bot.Place) (incident.Subscription, bool, error) {
	subs, err := d.Subscriptions(tenant)
	if err != nil {
		return incident.Subscription{}, false, err
	}
	for _, s := range subs {
		if s.Place == at.Root() {
			return s, true, nil
		}
	}
	return incident.Subscription{}, false, nil
}

// listening are a tenant's subscriptions that messages are delivered to.
func listening(v View, tenant bot.TenantID) ([]incident.Subscription, error) {
	subs, err := v.Subscriptions(tenant)
	return slices.DeleteFunc(subs, func(s incident.Subscription) bool { return s.Stopped != "" }), err
}

// Subscribe makes a channel be told as s says, and says so there. A channel
// has one subscription: this replaces an earlier one and keeps what the channel
// has been told. run is set when a guide does it.
func (d *Draft) Subscribe(s incident.Subscription, run *setup.Run) error {
	s = incident.Current(s, d.Now)
	s.Place, s.Stopped = s.Place.Root(), ""
	// The ID comes from the channel, so that one that leaves and comes back has
	// still one root for an issue.
	s.ID, s.Made = "sub-"+shortHash(string(s.Tenant)+" "+s.Place.String()), d.Now
	old, replaces, err := d.Subscription(s.Tenant, s.Place)
	if err != nil {
		return err
	}
	if replaces {
		s.ID, s.Made = old.ID, old.Made
	}
	d.Out.Subscriptions = append(d.Out.Subscriptions, s)
	if err := d.Reschedule(s); err != nil {
		return err
	}
	known, err := d.Incidents(s.Tenant, false)
	if err != nil {
		return err
	}
	t, _ := d.env.Tenant(s.Tenant)
	who := ""
	if p, ok := t.Person(s.By); ok {
		who = p.Name + " set this up. "
		if replaces && old.Stopped == "" && run == nil {
			who = p.Name + " changed this. "
		}
	}
	m := bot.Say(bot.T(who), incident.Greet(s))
	if !replaces || old.Stopped != "" || run != nil {
		m.Parts = append(m.Parts, incident.ActiveNow(s, known).Parts...)
	}
	if run != nil {
		m.Key = "run/" + run.ID + "/test"
	}
	d.Say(s.Place, m, bot.ClassHandoff)
	d.RefreshHome(t, s.By)
	d.Record(bot.AuditEntry{Tenant: s.Tenant, Person: s.By, Act: "subscribe", Note: s.Place.String() + ": " + incident.Describe(s).Plain()})
	return nil
}

// Unsubscribe ends what a channel is told. Its messages stay as they are.
func (d *Draft) Unsubscribe(s incident.Subscription) {
	d.Out.Unsubscribed = append(d.Out.Unsubscribed, s)
	desks.Drop(&d.Out, s.Tenant, s.ID)
	if t, ok := d.env.Tenant(s.Tenant); ok {
		d.RefreshHome(t, s.By)
	}
}

// Change keeps a subscription that says something else now, without a word in
// the channel.
func (d *Draft) Change(s incident.Subscription) error {
	d.Out.Subscriptions = append(d.Out.Subscriptions, incident.Current(s, d.Now))
	if t, ok := d.env.Tenant(s.Tenant); ok {
		d.RefreshHome(t, s.By)
	}
	return d.Reschedule(s)
}
