package incident

import (
	"slices"
	"strings"

	"keyturn/bot"
)

// The inputs of [SubscriptionForm].
const (
	inChannel    = "channel"
	inServices   = "services"
	inClasses    = "classes"
	inStyle      = "style"
	inPosts      = "posts"
	inCategories = "categories"
	inSeverities = "severities"
	inDigest     = "digest"
	inZone       = "zone"
	inQuietFrom  = "quiet_from"
	inQuietTo    = "quiet_to"
	inQuietAll   = "quiet_incidents"
	inStatuses   = "statuses"
	inFeatures   = "features"
)

// maxOptions is how many options a select menu of Slack's Block Kit holds, and
// optionSize how many characters one of them.
const (
	maxOptions = 100
	optionSize = 75
)

// SubscriptionForm asks for what [ParseSubscription] reads, filled in with a
// subscription. services are those seen at the tenant. The caller sets Action.
func SubscriptionForm(sub Subscription, services []string) bot.Form {
	f := bot.Form{Title: "Tell a channel", Submit: "Save", Intro: []bot.Part{bot.Note{Text: bot.T("Everything has a default: incidents come at once, the rest in a daily digest.")}}}
	add := func(in bot.Input) { f.Inputs = append(f.Inputs, in) }
	add(bot.Input{Name: inChannel, Label: "Channel", Kind: bot.Channel, Hint: "Invite me to it first", Values: one(sub.Place.Channel)})
	if of := serviceOptions(sub.Services, services); len(of) > 0 {
		add(bot.Input{Name: inServices, Label: "Services", Kind: bot.Choices, Optional: true, Hint: "None chosen means all", Options: of, Values: chosen(of, sub.Services)})
	}
	add(bot.Input{Name: inClasses, Label: "What", Kind: bot.Choices, Optional: true, Hint: "None chosen means both", Values: sub.Classes,
		Options: []bot.Option{{Value: "incident", Label: "Incidents"}, {Value: "advisory", Label: "Advisories"}}})
	add(bot.Input{Name: inStyle, Label: "How", Kind: bot.Choice, Values: []string{styleValue(sub.Style)}, Options: []bot.Option{
		{Value: "default", Label: "Incidents at once, the rest in a daily digest"}, {Value: string(Live), Label: "Everything at once"},
		{Value: string(DigestOnly), Label: "Everything in a daily digest"}, {Value: string(ResolvedOnly), Label: "Only what is resolved"}}})
	add(bot.Input{Name: inPosts, Label: "Message center posts too", Kind: bot.Tick, Optional: true, Hint: "What Microsoft is going to change", Values: tick(sub.Messages)})
	add(bot.Input{Name: inCategories, Label: "Which posts", Kind: bot.Choices, Optional: true, Hint: "None chosen means all", Values: sub.Categories, Options: []bot.Option{
		{Value: "preventorfixissue", Label: "Prevent or fix an issue"}, {Value: "planforchange", Label: "Plan for change"}, {Value: "stayinformed", Label: "Stay informed"}}})
	add(bot.Input{Name: inSeverities, Label: "Posts of which severity", Kind: bot.Choices, Optional: true, Hint: "None chosen means all", Values: sub.Severities, Options: []bot.Option{
		{Value: "normal", Label: "Normal"}, {Value: "high", Label: "High"}, {Value: "critical", Label: "Critical"}}})
	add(bot.Input{Name: inDigest, Label: "Digest at", Kind: bot.TimeOfDay, Optional: true, Values: []string{string(sub.digestAt())}})
	add(bot.Input{Name: inQuietFrom, Label: "Quiet from", Kind: bot.TimeOfDay, Optional: true, Hint: "Leave both empty for no quiet hours", Values: one(string(sub.Quiet.From))})
	add(bot.Input{Name: inQuietTo, Label: "Quiet to", Kind: bot.TimeOfDay, Optional: true, Values: one(string(sub.Quiet.To))})
	add(bot.Input{Name: inQuietAll, Label: "Quiet hours hold incidents too", Kind: bot.Tick, Optional: true, Hint: "Otherwise incidents are told at any time", Values: tick(sub.Quiet.Incidents)})
	add(bot.Input{Name: inZone, Label: "Time zone", Kind: bot.Line, Optional: true, Hint: "For the digest and quiet hours", Example: "Europe/Berlin", Values: one(sub.Zone), Max: 60})
	add(bot.Input{Name: inStatuses, Label: "First told in the status", Kind: bot.Choices, Optional: true, Hint: "None chosen means any", Values: sub.Statuses, Options: statusOptions(sub.Statuses)})
	add(bot.Input{Name: inFeatures, Label: "Features", Kind: bot.Line, Optional: true, Hint: "Separated by commas; empty means all", Example: "E-Mail timely delivery", Values: one(strings.Join(sub.Features, ", ")), Max: 300})
	return f
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func tick(yes bool) []string {
	if yes {
		return []string{"yes"}
	}
	return nil
}

func styleValue(s Style) string {
	if s == ByClass {
		return "default"
	}
	return string(s)
}

// serviceOptions are the services to choose from: those chosen already first
// of all, for a form must not lose what it does not show.
func serviceOptions(chosen, seen []string) []bot.Option {
	var out []bot.Option
	add := func(names []string) {
		for _, s := range names {
			s = oneLine(s)
			known := slices.ContainsFunc(out, func(o bot.Option) bool { return ServiceKey(o.Value) == ServiceKey(s) })
			if s != "" && length(s) <= optionSize && len(out) < maxOptions && !known {
				out = append(out, bot.Option{Value: s, Label: s})
			}
		}
	}
	add(chosen)
	add(Suggest("", seen))
	slices.SortFunc(out, func(a, b bot.Option) int { return strings.Compare(fold(a.Label), fold(b.Label)) })
	return out
}

// chosen are the values of the options that stand for the services.
func chosen(of []bot.Option, services []string) []string {
	var out []string
	for _, o := range of {
		if hasService(services, o.Value) {
			out = append(out, o.Value)
		}
	}
	return out
}

// statusOptions are the statuses in which an issue can begin, and those that
// were typed.
func statusOptions(chosen []string) []bot.Option {
	var out []bot.Option
	for _, s := range join([]string{"investigating", "servicedegradation", "serviceinterruption", "extendedrecovery", "restoringservice"}, chosen) {
		out = append(out, bot.Option{Value: s, Label: capital(StatusWords(s))})
	}
	return out
}

// FromForm reads what [SubscriptionForm] asked for into base, which keeps what
// the form does not ask: who is on call, who muted it and maintenance
// windows. wrong says by input what is wrong; the subscription is base then.
func FromForm(base Subscription, input map[string][]string) (_ Subscription, wrong map[string]string) {
	wrong = map[string]string{}
	get := func(name string) string {
		if v := input[name]; len(v) > 0 {
			return strings.TrimSpace(v[0])
		}
		return ""
	}
	sub := base
	if sub.Place.Channel = get(inChannel); sub.Place.Channel == "" {
		wrong[inChannel] = "Choose the channel that should be told."
	}
	sub.Place.Thread, sub.Place.User = "", ""
	sub.Services, sub.Classes = several(input[inServices]), several(input[inClasses])
	if len(sub.Classes) == 2 {
		sub.Classes = nil
	}
	switch s := Style(get(inStyle)); s {
	case Live, DigestOnly, ResolvedOnly:
		sub.Style = s
	default:
		sub.Style = ByClass
	}
	sub.Messages = get(inPosts) == "yes"
	sub.Categories, sub.Severities, sub.Statuses = several(input[inCategories]), several(input[inSeverities]), several(input[inStatuses])
	sub.Features = several(strings.Split(get(inFeatures), ","))
	sub.DigestAt = clockOf(get(inDigest), inDigest, wrong)
	if sub.Zone = base.Zone; get(inZone) != "" {
		zone, err := ParseZone(get(inZone))
		if err != nil {
			wrong[inZone] = err.Error() + "."
		}
		sub.Zone = zone
	}
	sub.Quiet = quietOf(get(inQuietFrom), get(inQuietTo), get(inQuietAll) == "yes", wrong)
	if len(wrong) > 0 {
		return base, wrong
	}
	return sub, nil
}

func several(in []string) []string {
	var out []string
	for _, s := range in {
		if s = oneLine(s); s != "" && !slices.Contains(out, s) && len(out) < maxOptions {
			out = append(out, s)
		}
	}
	return out
}

func clockOf(typed, name string, wrong map[string]string) TimeOfDay {
	if typed == "" {
		return ""
	}
	t, err := ParseTimeOfDay(typed)
	if err != nil {
		wrong[name] = capital(err.Error()) + "."
	}
	return t
}

func quietOf(from, to string, incidents bool, wrong map[string]string) Quiet {
	q := Quiet{From: clockOf(from, inQuietFrom, wrong), To: clockOf(to, inQuietTo, wrong), Incidents: incidents}
	switch {
	case from == "" && to == "":
		return Quiet{}
	case from == "":
		wrong[inQuietFrom] = "Say when the quiet hours begin, or empty both."
	case to == "":
		wrong[inQuietTo] = "Say when the quiet hours end, or empty both."
	case q.From == q.To && wrong[inQuietFrom]+wrong[inQuietTo] == "":
		wrong[inQuietTo] = "That would be the whole day: choose “Everything in a daily digest” for that."
	}
	return q
}
