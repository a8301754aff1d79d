package incident

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skipf("no time zones on this machine: %v", err)
	}
	return zone
}

func TestTimesOfDayAreReadAsPeopleWriteThem(t *testing.T) {
	for in, want := range map[string]TimeOfDay{"9": "09:00", "09:30": "09:30", "9:05": "09:05", "0930": "09:30", "9am": "09:00", "12am": "00:00",
		"12 pm": "12:00", "9:30 PM": "21:30", " 22.15 ": "22:15", "0": "00:00", "23:59": "23:59"} {
		if got, err := ParseTimeOfDay(in); err != nil || got != want {
			t.Errorf("%q is read as %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "24:00", "9:5", "9:60", "noon", "13pm", "0am", "-1", "9:00:00", "١٢:٠٠", "99999"} {
		if got, err := ParseTimeOfDay(in); err == nil {
			t.Errorf("%q is read as %q", in, got)
		}
	}
}

func TestADigestComesOncePerLocalDayHoweverTheClocksChange(t *testing.T) {
	berlin(t)
	for _, at := range []TimeOfDay{"09:00", "02:30", "00:00", "03:00"} {
		sub := Subscription{Zone: "Europe/Berlin", DigestAt: at}
		zone := sub.location()
		from := time.Date(2026, 3, 1, 0, 0, 0, 0, zone)
		days := map[string]int{}
		for next := NextDigest(sub, from); next.Before(from.AddDate(1, 0, 0)); next = NextDigest(sub, next) {
			days[next.In(zone).Format(time.DateOnly)]++
			if got := next.In(zone).Format("15:04"); got != string(at) && got != "03:00" {
				t.Errorf("the digest of %s comes at %s", at, got)
			}
		}
		for d, n := range days {
			if n != 1 {
				t.Errorf("%d digests at %s on %s", n, at, d)
			}
		}
		if len(days) < 364 {
			t.Errorf("%d digests at %s in a year", len(days), at)
		}
	}
	spring := Subscription{Zone: "Europe/Berlin", DigestAt: "02:30"}
	if got := NextDigest(spring, time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)); !got.Equal(time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)) {
		t.Errorf("02:30 does not exist on 29 March: the digest comes at %v, not when the clock jumps", got)
	}
	if got := NextDigest(spring, time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC)); !got.Equal(time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)) {
		t.Errorf("02:30 comes twice on 25 October: the digest comes at %v, not the first time", got)
	}
}

func TestQuietHoursEndWhenTheyShould(t *testing.T) {
	zone := berlin(t)
	for _, c := range []struct {
		q    Quiet
		at   time.Time
		want string
	}{
		{Quiet{From: "22:00", To: "06:00"}, time.Date(2026, 11, 23, 23, 0, 0, 0, zone), "24 06:00"},
		{Quiet{From: "22:00", To: "06:00"}, time.Date(2026, 11, 24, 5, 59, 0, 0, zone), "24 06:00"},
		{Quiet{From: "22:00", To: "06:00"}, time.Date(2026, 11, 24, 6, 0, 0, 0, zone), ""},
		{Quiet{From: "22:00", To: "06:00"}, time.Date(2026, 11, 24, 21, 59, 0, 0, zone), ""},
		{Quiet{From: "12:00", To: "13:00"}, time.Date(2026, 11, 24, 12, 30, 0, 0, zone), "24 13:00"},
		{Quiet{From: "22:00", To: "02:30"}, time.Date(2026, 3, 29, 0, 30, 0, 0, zone), "29 03:00"},
		{Quiet{}, time.Date(2026, 11, 24, 0, 0, 0, 0, zone), ""},
	} {
		until, ok := c.q.until(c.at, zone)
		got := ""
		if ok {
			got = until.In(zone).Format("2 15:04")
		}
		if got != c.want {
			t.Errorf("quiet %s-%s at %v ends %q, want %q", c.q.From, c.q.To, c.at, got, c.want)
		}
	}
}

// Whatever a channel chose otherwise, an incident it wants at once is told at
// once at any hour, unless it chose that quiet hours hold incidents or said
// that it works on the service itself.
func TestQuietHoursNeverHoldAnIncidentUnlessChosen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := rapid.SampledFrom([]TimeOfDay{"", "00:00", "02:30", "06:00", "12:00", "22:00", "23:59"})
		sub := Subscription{
			Style: rapid.SampledFrom([]Style{ByClass, Live}).Draw(t, "style"),
			Zone:  rapid.SampledFrom([]string{"", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "nowhere"}).Draw(t, "zone"),
			Quiet: Quiet{From: clock.Draw(t, "from"), To: clock.Draw(t, "to"), Incidents: rapid.Bool().Draw(t, "incidents")},
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 366*24*60).Draw(t, "minute")) * time.Minute)
		is := mail(wrote(0, "x"))
		is.Classification = rapid.SampledFrom([]string{"incident", "Incident", "advisory", "", "new thing"}).Draw(t, "class")
		r := Route(sub, Told{Known: Known{Issue: is}, Changes: []Change{{Reason: rapid.SampledFrom([]Reason{New, Worse, Resolved, Reopened, NewPost}).Draw(t, "reason"), At: at}}},
			rapid.Bool().Draw(t, "rooted"), at)
		if is.Class() == "incident" && !sub.Quiet.Incidents && r.Way != Now {
			t.Fatalf("an incident is %s: %s", r.Way, r.Why)
		}
		if r.Why == "" || r.Way == Held && (!r.Until.After(at) || r.Until.Sub(at) > 25*time.Hour) {
			t.Fatalf("%+v at %v", r, at)
		}
		if r.Way == Held {
			if again := Route(sub, Told{Known: Known{Issue: is}, Changes: []Change{{Reason: New}}}, true, r.Until); again.Way == Held {
				t.Fatalf("held until %v and then held again", r.Until)
			}
		}
	})
}
