package incident

import (
	"maps"
	"time"
)

// Day is how bad each service was at its worst on one day. Microsoft tells how
// a service is and not how it was, so what a reading saw is written down: an
// interruption that is over would else look like any other incident.
type Day struct {
	Date   string           `json:"date"` // 2026-11-27, in the tenant's zone
	Levels map[string]Level `json:"levels,omitempty"`
}

// DateOf is the date of a [Day] at a time.
func DateOf(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.DateOnly) }

// Of is the day for some services alone; none means all.
func (d Day) Of(services []string) Day {
	if len(services) == 0 {
		return d
	}
	d.Levels = maps.Clone(d.Levels)
	maps.DeleteFunc(d.Levels, func(name string, _ Level) bool { return !hasService(services, name) })
	return d
}

// Saw is the day with what a reading saw, and whether that says more than
// before. Services that are fine are not written down.
func (d Day) Saw(services []Service, known []Known) (_ Day, more bool) {
	levels := maps.Clone(d.Levels)
	mark := func(name string, l Level) {
		key := ServiceKey(name)
		for n := range levels {
			if ServiceKey(n) == key {
				name = n // it was written down under this name
			}
		}
		if l <= LevelFine || levels[name] >= l {
			return
		}
		if levels == nil {
			levels = map[string]Level{}
		}
		levels[name], more = l, true
	}
	for _, s := range services {
		mark(s.Name, statusLevel(s.Status))
	}
	for _, k := range known {
		if !k.Issue.Resolved {
			mark(serviceName(&k.Issue), levelOf(&k.Issue))
		}
	}
	d.Levels = levels
	return d, more
}

// statusLevel is what a service's status alone says: a service that is not fine
// and of which nobody knows an incident has at least an advisory.
func statusLevel(status string) Level {
	switch gradeOf(status) {
	case fine:
		return LevelFine
	case interrupted:
		return LevelOutage
	}
	return LevelAdvisory
}
