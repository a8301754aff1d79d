package incident

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

var seenServices = []string{"Exchange Online", "Microsoft Teams", "SharePoint Online", "Planner", "Microsoft OneDrive"}

func oncall(word string) (bot.Text, error) {
	if word == "@oncall" {
		return bot.Text{{Text: "@oncall", Group: "S1"}}, nil
	}
	return plainMention(word)
}

func TestWordsBecomeASubscription(t *testing.T) {
	berlin(t)
	base := NewSubscription("Europe/Berlin")
	with := func(change func(s *Subscription)) Subscription {
		s := base
		change(&s)
		return s
	}
	for words, want := range map[string]Subscription{
		"":    base,
		"all": base,
		"Exchange Online, teams; incidents only; digest 08:30; quiet 22:00-06:00; mention @oncall": with(func(s *Subscription) {
			s.Services, s.Classes, s.Messages, s.DigestAt = []string{"Exchange Online", "Microsoft Teams"}, []string{"incident"}, false, "08:30"
			s.Quiet, s.OnCall = Quiet{From: "22:00", To: "06:00"}, bot.Text{{Text: "@oncall", Group: "S1"}}
		}),
		"OneDrive for Business; live; no messages":       with(func(s *Subscription) { s.Services, s.Style, s.Messages = []string{"Microsoft OneDrive"}, Live, false }),
		"digest only 7am America/New_York":               with(func(s *Subscription) { s.Style, s.DigestAt, s.Zone = DigestOnly, "07:00", "America/New_York" }),
		"Resolved Only":                                  with(func(s *Subscription) { s.Style = ResolvedOnly }),
		"advisories":                                     with(func(s *Subscription) { s.Classes, s.Messages = []string{"advisory"}, false }),
		"incidents and advisories":                       base,
		"quiet hours 10pm to 6 incidents too":            with(func(s *Subscription) { s.Quiet = Quiet{From: "22:00", To: "06:00", Incidents: true} }),
		"status service interruption, extended recovery": with(func(s *Subscription) { s.Statuses = []string{"serviceinterruption", "extendedrecovery"} }),
		"features Mail flow, Calendar":                   with(func(s *Subscription) { s.Features = []string{"Mail flow", "Calendar"} }),
		"messages plan for change, high severity of Planner": with(func(s *Subscription) {
			s.Categories, s.Severities, s.PostServices = []string{"planforchange"}, []string{"high"}, []string{"Planner"}
		}),
		"messages; incidents only": with(func(s *Subscription) { s.Classes = []string{"incident"} }),
		"mention slack:T1:U1": with(func(s *Subscription) {
			s.OnCall = bot.Mention(bot.Account{Platform: bot.Slack, Team: "T1", ID: "U1"}, "U1")
		}),
		"maintenance 2026-12-01 22:00 to 2026-12-02 04:00 of Teams because of the move": with(func(s *Subscription) {
			s.Maintenance = []Window{{From: time.Date(2026, 12, 1, 21, 0, 0, 0, time.UTC), To: time.Date(2026, 12, 2, 3, 0, 0, 0, time.UTC), Services: []string{"Microsoft Teams"}, Why: "the move"}}
		}),
		"maintenance 2026-12-01 10:00 to 12:00; zone UTC": with(func(s *Subscription) {
			s.Zone, s.Maintenance = "UTC", []Window{{From: time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC), To: time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)}}
		}),
	} {
		got, err := ParseSubscription(words, Words{Base: base, Services: seenServices, Mention: oncall})
		if err != nil {
			t.Errorf("%q: %v", words, err)
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", words, d)
		}
	}
}

func TestWhatIsNotUnderstoodIsSaidWithItsFixAndNothingChanges(t *testing.T) {
	base := NewSubscription("")
	for words, want := range map[string]string{
		"Exchnage Online":      "Did you mean Exchange Online?",
		"Exchange; Teams":      "services come first, separated by commas",
		"quite 22:00-06:00":    `Did you mean the clause "quiet"?`,
		"quiet 22:00":          "write it like quiet 22:00-06:00",
		"quiet 25:00-06:00":    `"25:00" is no time of day`,
		"quiet 9-9":            "whole day",
		"digest noonish":       "09:00 or 22:30",
		"zone Berlin":          "Europe/Berlin",
		"zone Local":           "I do not know the time zone",
		"mention bob":          `who "bob" is`,
		"mention":              "mention @who",
		"status broken":        "service degradation, service interruption",
		"features":             "features Mail flow",
		"messages urgent":      "plan for change",
		"live and kicking":     `just "live"`,
		"maintenance tomorrow": "write it like maintenance 2026-12-01 22:00",
		"maintenance 2026-12-01 22:00 to 2026-12-01 04:00": "ends before it begins",
		"maintenance 2026-12-01 22:00 to 2027-12-01 04:00": "14 days",
		strings.Repeat("x", 200):                           "too long",
		strings.Repeat("a,", 101) + "b":                    "at most 100",
		"quiet 22-6; zone Nowhere/Nothing":                 "I do not know the time zone",
	} {
		got, err := ParseSubscription(words, Words{Base: base, Services: seenServices})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error %v does not hold %q", words, err, want)
		}
		if d := cmp.Diff(base, got); err != nil && d != "" {
			t.Errorf("%q changed something:\n%s", words, d)
		}
	}
	_, err := ParseSubscription("Exchnage; quiet x", Words{Base: base, Services: seenServices})
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two mistakes are said one at a time: %v", err)
	}
}

func TestTheFormSaysWhatTheWordsSay(t *testing.T) {
	berlin(t)
	base := NewSubscription("Europe/Berlin")
	base.Place = bot.Place{Platform: bot.Slack, Team: "T1", Channel: "C1"}
	base.Muted = []bot.PersonID{"erin"}
	for _, words := range []string{"", "Exchange Online, Teams; incidents only; quiet 22:00-06:00 incidents too; mention @oncall", "digest only 7am; messages high of Planner; status service interruption",
		"live; features Mail flow, Calendar; no messages; zone UTC", "resolved only"} {
		want, err := ParseSubscription(words, Words{Base: base, Services: seenServices, Mention: oncall})
		if err != nil {
			t.Fatal(err)
		}
		f := SubscriptionForm(want, seenServices)
		input := map[string][]string{}
		for _, in := range f.Inputs {
			if in.Name == "" || in.Label == "" || len(in.Options) > maxOptions {
				t.Errorf("the input %q has the label %q and %d options", in.Name, in.Label, len(in.Options))
			}
			for _, v := range in.Values {
				offered := len(in.Options) == 0
				for _, o := range in.Options {
					offered = offered || o.Value == v
				}
				if !offered {
					t.Errorf("%q is filled in with %q, which is not offered", in.Name, v)
				}
			}
			input[in.Name] = in.Values
		}
		got, wrong := FromForm(want, input)
		if len(wrong) > 0 {
			t.Errorf("%q: %v", words, wrong)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", words, d)
		}
	}
	got, wrong := FromForm(base, map[string][]string{"quiet_from": {"22:00"}, "digest": {"soon"}, "zone": {"x"}})
	for _, name := range []string{"channel", "quiet_to", "digest", "zone"} {
		if wrong[name] == "" {
			t.Errorf("nothing is said about %s: %v", name, wrong)
		}
	}
	if d := cmp.Diff(base, got); d != "" {
		t.Errorf("a wrong form changed something:\n%s", d)
	}
}

func TestSuggestionsAreServicesThatWereSeen(t *testing.T) {
	seen := []string{"Planner", "Exchange Online", "Microsoft Exchange", "Microsoft Teams", "planner", "OneDrive for Business", ""}
	for typed, want := range map[string][]string{
		"":             {"Exchange Online", "Microsoft Teams", "OneDrive for Business", "Planner"},
		"exchnage":     {"Exchange Online"},
		"plan":         {"Planner"},
		"One Drive":    {"OneDrive for Business"},
		"Quantum leap": nil,
	} {
		if d := cmp.Diff(want, Suggest(typed, seen)); d != "" {
			t.Errorf("%q (-want +got):\n%s", typed, d)
		}
	}
}

func FuzzSubscriptionWords(f *testing.F) {
	for _, s := range []string{"Exchange Online, Teams; incidents only; digest 09:00; quiet 22:00-06:00; mention @oncall", "messages high of a; no quiet",
		"maintenance 2026-12-01 22:00 to 2026-12-02 04:00 of x because y", "zone Europe/Berlin\nquiet 1-2", ";;;", "quiet \u2013 incidents too", "digest only", "İ quiet incidents too"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sub, err := ParseSubscription(s, Words{Base: NewSubscription(""), Services: seenServices})
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a word")
			}
			return
		}
		if Describe(sub).Empty() || NextDigest(sub, monday).Before(monday) {
			t.Errorf("%q makes %+v", s, sub)
		}
		sub.Quiet.until(monday, sub.location())
		SubscriptionForm(sub, seenServices)
	})
}
