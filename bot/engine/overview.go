package engine

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// Overviews is a [Health] that also reads how each service of a tenant is. Only
// with it can be said that the others are fine.
type Overviews interface {
	// Overviews gives every service with its status, as Graph wrote them. The
	// reading is complete or an error.
	Overviews(ctx context.Context, tenant bot.TenantID, as bot.Reader) ([]json.RawMessage, error)
}

// overview is how every service was at the last reading that succeeded.
type overview struct {
	At       time.Time          `json:"at"`
	Services []incident.Service `json:"services"`
}

var (
	overviews = Kind[overview]{Name: "overview"}
	days      = Kind[incident.Day]{Name: "service-day"}
)

// daysKept is how long it is known how bad a day was: what a picture shows,
// and a while for one that is asked for late.
const daysKept = 60 * 24 * time.Hour

// services reads how each service is. That this failed takes nothing from the
// issues: nothing is then called fine.
func (e *Engine) services(ctx context.Context, t *bot.Tenant, as bot.Reader) []incident.Service {
	h, ok := e.Health.(Overviews)
	if !ok {
		return nil
	}
	items, err := reading(ctx, e, t, as, func(ctx context.Context) ([]json.RawMessage, error) { return h.Overviews(ctx, t.ID, as) })
	if err != nil {
		e.Log.Warn("the state of the services cannot be read, only their issues", "tenant", t.ID, "err", err)
		return nil
	}
	raw, err := json.Marshal(items)
	if err != nil {
		return nil
	}
	list, err := incident.ParseServices(raw)
	if err != nil {
		e.Log.Warn("the state of the services cannot be understood", "tenant", t.ID, "err", err)
		return nil
	}
	return list
}

// saw records how the services are and how bad the day is so far. read are the
// issues that the reading changed: what else is open was looked at when the day
// began, so that a reading costs what changed and not what exists.
func (d *Draft) saw(t *bot.Tenant, services []incident.Service, read []incident.Known) error {
	if services != nil {
		overviews.Put(&d.Out, t.ID, "now", overview{At: d.Now, Services: services})
	}
	date := incident.DateOf(d.Now, zoneOf(t))
	day, begun, err := days.Get(d.View, t.ID, date)
	if err != nil {
		return err
	}
	now := slices.Clone(read)
	if !begun {
		day.Date = date
		open, err := d.Incidents(t.ID, false)
		if err != nil {
			return err
		}
		for _, k := range open {
			if !slices.ContainsFunc(read, func(r incident.Known) bool { return r.Issue.ID == k.Issue.ID }) {
				now = append(now, k)
			}
		}
	}
	if after, more := day.Saw(services, now); more || !begun {
		days.PutUntil(&d.Out, t.ID, date, after, d.Now.Add(daysKept))
	}
	return nil
}

// Services is how every service of a tenant was at its last good reading;
// nothing where that is not known.
func (d *Draft) Services(t bot.TenantID) ([]incident.Service, error) {
	o, ok, err := overviews.Get(d.View, t, "now")
	if err != nil || !ok {
		return nil, err
	}
	w, err := d.Watch(t)
	if errors.Is(err, bot.ErrNotFound) {
		return nil, nil
	}
	if err != nil || w.Good.Sub(o.At) > incident.FreshFor {
		return nil, err
	}
	return o.Services, nil
}

// zoneOf is the zone of a tenant's days.
func zoneOf(t *bot.Tenant) *time.Location {
	if t.Zone == nil {
		return time.UTC
	}
	return t.Zone
}
