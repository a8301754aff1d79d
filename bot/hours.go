package bot

import (
	"fmt"
	"strings"
	"time"
)

// Hours is when the people of a tenant work. The zero value is always.
type Hours struct {
	From, To time.Duration // since midnight; To is after From
	Days     [7]bool       // by [time.Weekday]
}

// Always reports whether there are no working hours to mind.
func (h Hours) Always() bool {
	round := h.From == 0 && h.To == 24*time.Hour && h.Days == [7]bool{true, true, true, true, true, true, true}
	return round || h.To <= h.From || h.Days == [7]bool{}
}

// String is the hours and days in words: "09:00-17:00, Mon-Fri".
func (h Hours) String() string {
	if h.Always() {
		return "always"
	}
	clock := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60) }
	var days []string
	for i := 0; i < 7; { // weeks begin on Monday here
		last := i
		for last < 7 && h.Days[(last+1)%7] {
			last++
		}
		name := func(i int) string { return time.Weekday((i + 1) % 7).String()[:3] }
		switch last - i {
		case 0:
		case 1:
			days = append(days, name(i))
		default:
			days = append(days, name(i)+"-"+name(last-1))
		}
		i = last + 1
	}
	return clock(h.From) + "-" + clock(h.To) + ", " + strings.Join(days, ", ")
}

// ParseHours reads hours such as "09:00-17:00" and days such as "mon-fri" or
// "sun-thu" or "mon,wed,fri".
func ParseHours(hours, days string) (Hours, error) {
	var h Hours
	from, to, ok := strings.Cut(hours, "-")
	var err error
	if ok {
		h.From, err = clockOf(from)
	}
	if ok && err == nil {
		h.To, err = clockOf(to)
	}
	if !ok || err != nil || h.To <= h.From {
		return Hours{}, fmt.Errorf("%q are no working hours: write for example 09:00-17:00", hours)
	}
	if days == "" {
		days = "mon-fri"
	}
	for _, part := range strings.Split(strings.ToLower(days), ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			last = first
		}
		a, okA := weekday(first)
		b, okB := weekday(last)
		if !okA || !okB {
			return Hours{}, fmt.Errorf("%q are no working days: write for example mon-fri", days)
		}
		for d := a; ; d = (d + 1) % 7 {
			h.Days[d] = true
			if d == b {
				break
			}
		}
	}
	return h, nil
}

func clockOf(s string) (time.Duration, error) {
	if strings.TrimSpace(s) == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", strings.TrimSpace(s))
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err
}

func weekday(s string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if len(s) >= 2 && strings.HasPrefix(strings.ToLower(d.String()), strings.TrimSpace(s)) {
			return d, true
		}
	}
	return 0, false
}

// Add gives the moment at which so much working time has passed since t, in a
// zone. It is always within working hours, or at their end.
func (h Hours) Add(t time.Time, d time.Duration, zone *time.Location) time.Time {
	if h.Always() {
		return t.Add(d)
	}
	if zone == nil {
		zone = time.UTC
	}
	for day := 0; ; day++ {
		from, to, works := h.day(t.In(zone), day)
		if !works || !to.After(t) {
			continue
		}
		if t.After(from) {
			from = t
		}
		if left := to.Sub(from); left < d {
			d -= left
			continue
		}
		return from.Add(d)
	}
}

// day gives the working hours of the day that comes so many days after t.
func (h Hours) day(t time.Time, after int) (from, to time.Time, works bool) {
	at := func(d time.Duration) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day()+after, int(d/time.Hour), int(d%time.Hour/time.Minute), 0, 0, t.Location())
	}
	from, to = at(h.From), at(h.To)
	return from, to, h.Days[at(12*time.Hour).Weekday()] && to.After(from)
}
