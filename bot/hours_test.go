package bot_test

import (
	"testing"
	"time"

	"keyturn/bot"
)

func TestWorkingHoursPassOnWorkingDays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	week, err := bot.ParseHours("09:00-17:00", "mon-fri")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		x, err := time.ParseInLocation("Mon 2006-01-02 15:04", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, c := range []struct {
		from, want string
		d          time.Duration
	}{
		{"Mon 2026-11-23 10:42", "Mon 2026-11-23 14:42", 4 * time.Hour},
		{"Mon 2026-11-23 15:00", "Tue 2026-11-24 11:00", 4 * time.Hour},
		{"Mon 2026-11-23 15:00", "Mon 2026-11-23 17:00", 2 * time.Hour},
		{"Fri 2026-11-27 16:30", "Mon 2026-11-30 16:30", 8 * time.Hour},
		{"Sat 2026-11-28 12:00", "Mon 2026-11-30 10:00", time.Hour},
		{"Mon 2026-11-23 06:00", "Mon 2026-11-23 10:00", time.Hour},
		{"Mon 2026-11-23 22:00", "Tue 2026-11-24 10:00", time.Hour},
		{"Fri 2026-10-23 16:00", "Mon 2026-10-26 10:00", 2 * time.Hour}, // the clocks change on Sunday
		{"Mon 2026-11-23 09:00", "Fri 2026-12-04 17:00", 80 * time.Hour},
		{"Sat 2026-11-28 12:00", "Mon 2026-11-30 09:00", 0},
	} {
		if got := week.Add(at(c.from), c.d, berlin); !got.Equal(at(c.want)) {
			t.Errorf("%s and %v of work: %s, want %s", c.from, c.d, got.In(berlin).Format("Mon 2006-01-02 15:04"), c.want)
		}
	}
	if got := (bot.Hours{}).Add(at("Fri 2026-11-27 16:30"), time.Hour, nil); !got.Equal(at("Fri 2026-11-27 17:30")) {
		t.Errorf("without working hours an hour is %s", got)
	}
	south, err := bot.ParseHours("08:00-24:00", "sun-thu")
	if err != nil || !south.Days[time.Sunday] || south.Days[time.Friday] || !south.Days[time.Thursday] {
		t.Errorf("%+v, %v", south, err)
	}
	for _, bad := range [][2]string{{"", ""}, {"9-17", ""}, {"17:00-09:00", ""}, {"09:00", ""}, {"09:00-17:00", "moon-fri"}, {"09:00-17:00", "-"}, {"09:00-25:00", ""}} {
		if h, err := bot.ParseHours(bad[0], bad[1]); err == nil {
			t.Errorf("%q: %+v", bad, h)
		}
	}
}

func TestHoursAreSaidAsTheyAreWritten(t *testing.T) {
	for _, c := range []struct{ hours, days, want string }{
		{"09:00-17:00", "", "09:00-17:00, Mon-Fri"},
		{"08:30-24:00", "sun-thu", "08:30-24:00, Mon-Thu, Sun"},
		{"09:00-12:15", "mon,wed,sat", "09:00-12:15, Mon, Wed, Sat"},
		{"00:00-24:00", "mon-sun", "always"},
		{"00:00-23:59", "mon-sun", "00:00-23:59, Mon-Sun"},
	} {
		h, err := bot.ParseHours(c.hours, c.days)
		if err != nil || h.String() != c.want {
			t.Errorf("%s on %q is said %q, not %q (%v)", c.hours, c.days, h, c.want, err)
		}
	}
	if s := (bot.Hours{}).String(); s != "always" {
		t.Errorf("no hours are said %q", s)
	}
}
