package incident

import (
	"strings"
	"time"

	"keyturn/bot"
)

// Describe says in sentences what a channel is told, so that whoever reads it
// knows what they will not see.
func Describe(sub Subscription) bot.Text { return describe("This channel is told", sub) }

// Greet is [Describe] for the moment at which a channel begins to be told.
func Greet(sub Subscription) bot.Text {
	sub.By, sub.Made, sub.Stopped = "", time.Time{}, ""
	return describe("From now on this channel is told", sub)
}

// InWords is what a channel is told, in a few words.
func InWords(sub Subscription) string { return whatIsTold(sub) }

func describe(head string, sub Subscription) bot.Text {
	t := bot.Join(bot.B(head), bot.T(": "+whatIsTold(sub)+"."))
	say := func(s string) { t = append(t, bot.Span{Text: " " + s}) }
	if f := sub.Features; len(f) > 0 {
		say("Only about " + listed(f) + ".")
	}
	if len(sub.Statuses) > 0 {
		var in []string
		for _, s := range sub.Statuses {
			in = append(in, StatusWords(s))
		}
		say("An issue is told first when its status is " + either(in) + ".")
	}
	if sub.Quiet.Set() {
		says := "Quiet from " + string(sub.Quiet.From) + " to " + string(sub.Quiet.To) + zoneWords(sub)
		if sub.Quiet.Incidents {
			says += ": incidents wait too, because this channel chose it."
		} else {
			says += ", but incidents are told at once."
		}
		say(says)
	}
	for _, w := range sub.Maintenance {
		t = append(t, windowText(w)...)
	}
	if len(sub.OnCall) > 0 {
		t = bot.Join(t, bot.T(" When something gets worse, comes back or is over, "), unmentioned(sub.OnCall), bot.T(" is mentioned."))
	}
	if sub.By != "" || !sub.Made.IsZero() {
		t = bot.Join(t, bot.T(" Since "), bot.When(sub.Made, bot.DateOnly), bot.T("."))
	}
	if sub.Stopped != "" {
		t = bot.Join(t, bot.T(" ⛔ Stopped: "+sub.Stopped))
	}
	return t
}

// unmentioned is who is on call, named without a mention: a description pings
// nobody.
func unmentioned(t bot.Text) bot.Text {
	var out bot.Text
	for _, s := range t {
		if s.Text == "" && s.Group != "" {
			s.Text = "the on-call group"
		}
		s.Who, s.Group = nil, ""
		out = append(out, s)
	}
	return out
}

func whatIsTold(sub Subscription) string {
	incidents, advisories := true, true
	if len(sub.Classes) > 0 {
		incidents, advisories = false, false
		for _, c := range sub.Classes {
			incidents, advisories = incidents || fold(c) == "incident", advisories || fold(c) == "advisory"
		}
	}
	var issues []string
	if incidents {
		issues = append(issues, "incidents")
	}
	if advisories {
		issues = append(issues, "advisories")
	}
	of, posts := " of "+choice(sub), postWords(sub)
	at := "the daily digest at " + string(sub.digestAt()) + zoneWords(sub)
	join := func(list []string, more string) string {
		if more != "" {
			list = append(list, more)
		}
		return listed(list)
	}
	switch sub.Style {
	case ResolvedOnly:
		return strings.Join(issues, " and ") + of + " when Microsoft has resolved them, nothing else"
	case Live:
		return join(issues, posts) + of + " at once"
	case DigestOnly:
		return join(issues, posts) + of + " in " + at + ", nothing at once"
	}
	if !incidents {
		return join(issues, posts) + of + " in " + at
	}
	later := issues[1:]
	if len(later) == 0 && posts == "" {
		return "incidents" + of + " at once"
	}
	return "incidents" + of + " at once, " + join(later, posts) + " in " + at
}

// postWords are the message center posts that are wanted, or "".
func postWords(sub Subscription) string {
	if !sub.Messages {
		return ""
	}
	s := "message center posts"
	var of []string
	for _, c := range sub.Categories {
		of = append(of, categoryWords(c))
	}
	if len(sub.Severities) > 0 {
		of = append(of, either(sub.Severities)+" severity")
	}
	if len(sub.PostServices) > 0 {
		of = append(of, listed(sub.PostServices))
	}
	if len(of) > 0 {
		s += " (" + strings.Join(of, "; ") + ")"
	}
	return s
}

func zoneWords(sub Subscription) string {
	zone := sub.Zone
	if zone == "" {
		zone = "UTC"
	}
	return " (" + zone + ")"
}

func windowText(w Window) bot.Text {
	t := bot.Join(bot.T(" Maintenance from "), bot.When(w.From, bot.DateTime), bot.T(" to "), bot.When(w.To, styleAfter(w.From, w.To)))
	if len(w.Services) > 0 {
		t = append(t, bot.Span{Text: " of " + listed(w.Services)})
	}
	if w.Why != "" {
		t = append(t, bot.Span{Text: " (" + w.Why + ")"})
	}
	return append(t, bot.Span{Text: ": what happens meanwhile is told afterwards, incidents too."})
}

func listed(list []string) string { return enumerate(list, "and") }
func either(list []string) string { return enumerate(list, "or") }

func enumerate(list []string, last string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " " + last + " " + list[len(list)-1]
}

// windowKept is how long a maintenance window that is over still stands in what
// a channel is told: who looks the morning after sees why the night was quiet.
const windowKept = 24 * time.Hour

// Current is a subscription without the maintenance windows that have been over
// for a day.
func Current(sub Subscription, at time.Time) Subscription {
	var still []Window
	for _, w := range sub.Maintenance {
		if at.Sub(w.To) < windowKept {
			still = append(still, w)
		}
	}
	sub.Maintenance = still
	return sub
}
