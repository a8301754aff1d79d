package incident

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// TimeOfDay is a wall clock time, "09:00". Which moment it is follows from a
// day and a zone.
type TimeOfDay string

// DefaultDigest is when the daily digest is told where a channel does not say.
const DefaultDigest TimeOfDay = "09:00"

// ParseTimeOfDay reads 9, 9:30, 09:30, 0930, 9am or 9:30 pm.
func ParseTimeOfDay(s string) (TimeOfDay, error) {
	typed := strings.TrimSpace(s)
	clock, afternoon, twelve := strings.ToLower(typed), false, false
	for _, half := range []string{"am", "pm"} {
		if rest, ok := strings.CutSuffix(clock, half); ok {
			clock, twelve, afternoon = strings.TrimSpace(rest), true, half == "pm"
		}
	}
	hours, mins, colon := strings.Cut(strings.Replace(clock, ".", ":", 1), ":")
	if !colon && len(hours) == 4 {
		hours, mins = hours[:2], hours[2:]
	} else if !colon {
		mins = "00"
	}
	h, err := digits(hours, 2)
	m, err2 := digits(mins, 2)
	if err != nil || err2 != nil || len(mins) != 2 || h > 23 || m > 59 || twelve && (h < 1 || h > 12) {
		return "", fmt.Errorf("%q is no time of day: write it like 09:00 or 22:30", typed)
	}
	if twelve {
		h %= 12
		if afternoon {
			h += 12
		}
	}
	return TimeOfDay(fmt.Sprintf("%02d:%02d", h, m)), nil
}

func digits(s string, max int) (int, error) {
	if s == "" || len(s) > max || strings.Trim(s, "0123456789") != "" {
		return 0, fmt.Errorf("%q is no number of at most %d digits", s, max)
	}
	return strconv.Atoi(s)
}

// hourMinute takes a time of day apart; one that cannot be read is the default
// digest's.
func (t TimeOfDay) hourMinute() (h, m int) {
	if len(t) != len(DefaultDigest) || t[2] != ':' {
		t = DefaultDigest
	}
	h, err := digits(string(t[:2]), 2)
	m, err2 := digits(string(t[3:]), 2)
	if err != nil || err2 != nil || h > 23 || m > 59 {
		return 9, 0
	}
	return h, m
}

// on is the first moment of a day at which a clock in the zone shows t, or has
// jumped over it: in spring a time that does not exist is the moment of the
// jump, in autumn a time that comes twice is the first of both.
func (t TimeOfDay) on(year int, month time.Month, day int, zone *time.Location) time.Time {
	h, m := t.hourMinute()
	at := time.Date(year, month, day, h, m, 0, 0, zone)
	begin, end := at.ZoneBounds()
	shown := at.Hour()*60 + at.Minute()
	if shown != h*60+m { // the clock jumped over it
		if at.Day() == day && shown > h*60+m && !begin.IsZero() {
			return begin.In(zone)
		}
		if !end.IsZero() {
			return end.In(zone)
		}
		return at
	}
	if begin.IsZero() {
		return at
	}
	_, after := at.Zone()
	_, before := begin.Add(-time.Second).In(zone).Zone()
	if first := at.Add(time.Duration(after-before) * time.Second); before > after && first.Before(begin) {
		return first
	}
	return at
}

// next is the first moment after a time at which t comes.
func (t TimeOfDay) next(after time.Time, zone *time.Location) time.Time {
	y, mo, d := after.In(zone).Date()
	for n := range 4 {
		if at := t.on(y, mo, d+n-1, zone); at.After(after) {
			return at
		}
	}
	return after.Add(24 * time.Hour)
}

// location is the zone of a subscription. One that this machine does not know
// counts as UTC, which [ParseSubscription] refuses in the first place.
func (s Subscription) location() *time.Location {
	if s.Zone == "" {
		return time.UTC
	}
	if zone, err := time.LoadLocation(s.Zone); err == nil {
		return zone
	}
	return time.UTC
}

// ParseZone checks the IANA name of a time zone. Only names count: "Local" and
// offsets are refused.
func ParseZone(name string) (string, error) {
	name = strings.TrimSpace(name)
	if strings.EqualFold(name, "utc") {
		return "UTC", nil
	}
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		return "", fmt.Errorf("I do not know the time zone %q: write its name like Europe/Berlin or America/New_York", name)
	}
	return name, nil
}

// Quiet is the time of each day in which nothing but incidents is told. It may
// go over midnight. From equal to To is no quiet time.
type Quiet struct {
	From TimeOfDay `json:"from,omitempty"`
	To   TimeOfDay `json:"to,omitempty"`
	// Incidents holds incidents too: only a channel that chose it in so many
	// words has this set.
	Incidents bool `json:"incidents,omitempty"`
}

// Set reports whether there is a quiet time.
func (q Quiet) Set() bool { return q.From != q.To && q.From != "" && q.To != "" }

// until is the end of the quiet time that a moment falls into, and false where
// it falls into none.
func (q Quiet) until(at time.Time, zone *time.Location) (time.Time, bool) {
	if !q.Set() {
		return time.Time{}, false
	}
	y, mo, d := at.In(zone).Date()
	for _, day := range []int{d - 1, d} {
		from, last := q.From.on(y, mo, day, zone), day
		if q.To < q.From {
			last++
		}
		to := q.To.on(y, mo, last, zone)
		if !at.Before(from) && at.Before(to) {
			return to, true
		}
	}
	return time.Time{}, false
}

// Window is a maintenance window: what the channel is told of these services
// waits until it is over and is then told in one message, incidents too.
type Window struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Services []string  `json:"services,omitempty"` // empty is all
	Why      string    `json:"why,omitempty"`
}

// window is the maintenance window that holds a service at a time.
func (s Subscription) window(service string, at time.Time) (Window, bool) {
	for _, w := range s.Maintenance {
		if !at.Before(w.From) && at.Before(w.To) && (len(w.Services) == 0 || hasService(w.Services, service)) {
			return w, true
		}
	}
	return Window{}, false
}

// NextDigest is when the daily digest of a subscription is told next after a
// time. Each local day has one, however the clocks change.
func NextDigest(sub Subscription, after time.Time) time.Time {
	return sub.digestAt().next(after, sub.location())
}

func (s Subscription) digestAt() TimeOfDay {
	if s.DigestAt == "" {
		return DefaultDigest
	}
	return s.DigestAt
}

// Weekly reports whether the digest at a time is the one that looks back at the
// week: Monday's, in the subscription's zone.
func Weekly(sub Subscription, at time.Time) bool {
	return at.In(sub.location()).Weekday() == time.Monday
}
