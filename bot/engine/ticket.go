package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// ticket is the ServiceNow incident of one issue.
type ticket struct {
	incident.Record
	State string `json:"state,omitempty"` // as last seen, in the instance's words
}

var (
	// mappings say how a tenant's issues become ServiceNow incidents.
	mappings = Kind[incident.Mapping]{Name: "mapping"}
	// tickets are the ServiceNow incidents, by the issue's ID.
	tickets = Kind[ticket]{Name: "ticket"}
	// refusals are what ServiceNow refused, by the sentence, so that the admins
	// hear it once.
	refusals = Kind[string]{Name: "ticket-refusal"}
)

// The jobs about ServiceNow incidents.
const (
	kindTicket  = "ticket"  // a change is written into one
	kindTickets = "tickets" // how they stand is read
)

const theMapping = "servicenow"

// keepMapping keeps what a run has proved on the instance for as long as
// Keyturn writes there.
func (d *Draft) keepMapping(r *setup.Run) error {
	fact := func(name string) string { return r.Facts[name].Value }
	m := incident.Mapping{Group: fact(setup.FactIncidentGroup), Caller: fact(setup.FactIncidentCaller), Category: fact(setup.FactIncidentCategory),
		Subcategory: fact(setup.FactIncidentSubcategory), CloseCode: fact(setup.FactIncidentCloseCode),
		Cancelled: fact(setup.FactIncidentCancelled), AutoResolve: fact(setup.FactIncidentResolve) == "yes"}
	m.PriorityCap, _ = strconv.Atoi(fact(setup.FactIncidentPriority)) // a form that allows nothing else gave it
	for name, into := range map[string]any{setup.FactIncidentColumns: &m.Columns, setup.FactIncidentServices: &m.Services} {
		if v := fact(name); v != "" {
			if err := json.Unmarshal([]byte(v), into); err != nil {
				return fmt.Errorf("the mapping of ServiceNow incidents: %w", err)
			}
		}
	}
	if m.Group == "" {
		return nil // done by hand: nothing was looked up
	}
	mappings.Put(&d.Out, r.Tenant, theMapping, m)
	d.watchTickets(r.Tenant)
	return nil
}

// SignsInUnattended reports whether a tenant has a sign-in for ServiceNow that
// works when nobody is there.
func (d *Draft) SignsInUnattended(t *bot.Tenant) bool {
	_, ok, err := unattended(d.View, t.ID)
	return ok && err == nil
}

// unattended is the sign-in for ServiceNow that a run has made.
func unattended(v View, t bot.TenantID) (id bot.CallIdentity, ok bool, err error) {
	s, err := v.Secret(unattendedSecret(t))
	if errors.Is(err, bot.ErrNotFound) {
		return id, false, nil
	}
	if err != nil {
		return id, false, err
	}
	var u standingUnattended
	if err := json.Unmarshal([]byte(s.Reveal()), &u); err != nil {
		return id, false, fmt.Errorf("the stored ServiceNow sign-in of %s is damaged: run the guide's step again: %w", t, err)
	}
	return bot.CallIdentity{ClientID: u.ClientID, Secret: bot.NewSecret(u.Secret)}, u.ClientID != "" && u.Secret != "", nil
}

type ticketJob struct {
	Tenant bot.TenantID    `json:"tenant"`
	Issue  string          `json:"issue"`
	Change incident.Change `json:"change"`
	Asked  bool            `json:"asked,omitempty"` // by a person, whatever the mapping says
}

func ticketLane(t bot.TenantID, issue string) string { return "ticket/" + string(t) + "/" + issue }

// ticketsFollow has the ServiceNow incidents follow what a reading found.
func (d *Draft) ticketsFollow(t *bot.Tenant, told []incident.Told) error {
	if len(told) == 0 {
		return nil
	}
	if _, ok, err := mappings.Get(d.View, t.ID, theMapping); err != nil || !ok {
		return err
	}
	for _, x := range told {
		for _, c := range x.Changes {
			d.ticketJob(ticketJob{Tenant: t.ID, Issue: x.Known.Issue.ID, Change: c})
		}
	}
	return nil
}

func (d *Draft) ticketJob(p ticketJob) {
	d.job(ticketLane(p.Tenant, p.Issue), kindTicket, bot.ClassIncident, d.Now, p, "")
}

// Ticket is the number and address of an issue's ServiceNow incident, and
// whether the tenant has ServiceNow incidents made at all.
func (d *Draft) Ticket(t *bot.Tenant, issue string) (number, link string, mapped bool, err error) {
	return ticketOf(d.View, d.env, t, issue)
}

func ticketOf(v View, env *Env, t *bot.Tenant, issue string) (number, link string, mapped bool, err error) {
	if t.Instance == "" {
		return "", "", false, nil
	}
	k, ok, err := tickets.Get(v, t.ID, issue)
	if err != nil {
		return "", "", false, err
	}
	if ok && k.SysID != "" {
		return k.Number, env.Base(t.ID, bot.ServiceNow) + "/incident.do?sys_id=" + k.SysID, true, nil
	}
	_, mapped, err = mappings.Get(v, t.ID, theMapping)
	return "", "", mapped, err
}

// MakeTicket has the ServiceNow incident of an issue made because a person
// asks, also where the mapping would not.
func (d *Draft) MakeTicket(k incident.Known) {
	d.ticketJob(ticketJob{Tenant: k.Tenant, Issue: k.Issue.ID, Change: incident.Change{Reason: incident.New, At: k.Seen}, Asked: true})
}
