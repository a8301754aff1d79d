package commands

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// helpVerb lists by task, from the table, what the asker may do. The rest is
// named in one sentence, with who may.
func helpVerb(a *Ask) (bot.Reply, error) {
	if len(a.Args) == 1 {
		if v, ok := a.Table.Verb(a.Args[0]); ok {
			return a.helpWith(v)
		}
	}
	open, err := a.anOpenIncident()
	if err != nil {
		return bot.Reply{}, err
	}
	var m bot.Message
	group := ""
	var lines []bot.Text
	flush := func() {
		if len(lines) > 0 {
			m.Add(bot.Paragraph{Text: bot.Lines(append([]bot.Text{bot.B(group)}, lines...)...)})
		}
		lines = nil
	}
	for _, v := range a.Table.Verbs {
		if a.may(v.Level) != nil {
			continue
		}
		if v.Group != group {
			flush()
			group = v.Group
		}
		lines = append(lines, a.helpLine(&v, open))
	}
	flush()
	m.Add(bot.Paragraph{Text: bot.Join(a.whoami(), bot.T(a.others()))})
	more := []bot.Button{{Label: "Service health", Action: actVerb, Value: "health"}, {Label: "Is it Microsoft?", Action: actRecommend}, {Label: "Open incidents", Action: actVerb, Value: "incidents"}}
	if a.may(Holder) == nil {
		more = append([]bot.Button{{Label: "Set something up", Action: actVerb, Value: "setup", Style: bot.Primary}}, more...)
	}
	if a.may(Known) == nil {
		more = append(more, bot.Button{Label: "What exists", Action: actVerb, Value: "inventory"}, bot.Button{Label: "Roles", Action: actVerb, Value: "roles"})
		if !a.Request.Place.Direct() {
			more = append(more, bot.Button{Label: "What this channel is told", Action: actVerb, Value: "subscriptions"},
				bot.Button{Label: "As a picture", Action: actVerb, Value: "picture", Says: "Post the services by day as a picture here"})
		}
	}
	m.Add(bot.Buttons{Items: more})
	if a.Request.Place.Direct() {
		m.Add(bot.Note{Text: bot.T("You can also just say what is wrong, such as: is outlook down?")})
	}
	if a.Request.Place.Platform == bot.Slack {
		m.Add(bot.Note{Text: bot.T("Commands do not work in threads: there, mention me with the same words.")})
	}
	return bot.Private(m), nil
}

// helpWith is one line of help.
func (a *Ask) helpWith(v *Verb) (bot.Reply, error) {
	if no := a.may(v.Level); no != nil {
		return *no, nil
	}
	open, err := a.anOpenIncident()
	if err != nil {
		return bot.Reply{}, err
	}
	m := bot.Say(a.helpLine(v, open))
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Help", Action: actVerb, Value: "help"}}})
	return bot.Private(m), nil
}

func (a *Ask) helpLine(v *Verb, open string) bot.Text {
	line := bot.Join(bot.C(a.Table.Command+" "+v.today(a.Now, open)), bot.T(" · "+v.What+" · ["+v.Button+"]"))
	if v.Channel && a.Request.Place.Direct() {
		line = bot.Join(line, bot.T(" (in the channel that it is about)"))
	}
	return line
}

// The parts of examples that are other ones each day.
const (
	exampleID    = "EX123456"
	exampleFrom  = "2026-12-01"
	exampleUntil = "2026-12-02"
)

// today is a verb's example as it works when it is pasted now: with days to
// come, and an incident that is open where there is one.
func (v *Verb) today(now time.Time, open string) string {
	if open == "" {
		open = exampleID
	}
	return strings.NewReplacer(exampleID, open, exampleFrom, now.AddDate(0, 0, 1).Format(time.DateOnly), exampleUntil, now.AddDate(0, 0, 2).Format(time.DateOnly)).Replace(v.Example)
}

// anOpenIncident is the ID of one; "" where none is open.
func (a *Ask) anOpenIncident() (string, error) {
	known, err := a.Incidents(a.Tenant.ID, false)
	if err != nil || len(known) == 0 {
		return "", err
	}
	return known[0].Issue.ID, nil
}

// whoami says what the asker may do here.
func (a *Ask) whoami() bot.Text {
	if a.Person.ID == "" {
		return bot.T("I do not know your account for " + a.Tenant.Name + ", so you can ask, and change nothing. An owner can add you in the configuration.")
	}
	var roles []string
	for _, r := range bot.Roles {
		if a.Tenant.Holds(a.Person.ID, r) {
			roles = append(roles, r.Title())
		}
	}
	if len(roles) == 0 {
		return bot.T("You are " + a.Person.Name + " and hold no role for " + a.Tenant.Name + ".")
	}
	return bot.T("You are " + a.Person.Name + ". For " + a.Tenant.Name + " you are: " + strings.Join(roles, ", ") + ".")
}

// others names the verbs that the asker may not use, with who may; "" where
// there are none.
func (a *Ask) others() string {
	var parts []string
	for _, l := range []struct {
		level Level
		whose string
	}{{Known, "people whom the configuration names"}, {Holder, "people who hold a role"}, {Owner, "owners"}} {
		var names []string
		for _, v := range a.Table.Verbs {
			if v.Level == l.level && a.may(l.level) != nil {
				names = append(names, v.Name)
			}
		}
		if len(names) > 0 {
			parts = append(parts, l.whose+" have "+strings.Join(names, ", "))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " The rest is for others: " + strings.Join(parts, "; ") + "."
}

// menuVerb is the answer to the bare command: the buttons of what people ask
// for most, as far as the asker may.
func menuVerb(a *Ask) (bot.Reply, error) {
	m := bot.Say(bot.B("What can I do for you?"))
	var buttons []bot.Button
	var names []string
	verbs := slices.Clone(a.Table.Verbs)
	slices.SortStableFunc(verbs, func(x, y Verb) int { return cmp.Compare(y.urgency(), x.urgency()) })
	for _, v := range verbs {
		if !v.Menu || a.may(v.Level) != nil {
			continue
		}
		b := bot.Button{Label: v.Button, Action: actVerb, Value: v.Name}
		switch v.Name {
		case "recommend":
			b.Action, b.Value = actRecommend, ""
		case "subscribe":
			b.Action, b.Value = actSubs, ""
		case "health":
			b.Style = bot.Primary
		}
		buttons = append(buttons, b)
		names = append(names, v.Name)
	}
	m.Add(bot.Buttons{Items: buttons})
	m.Add(bot.Note{Text: bot.T("The same by command: " + a.Table.Command + " " + strings.Join(names, ", "))})
	return bot.Private(m), nil
}

// urgency puts what somebody in trouble looks for first in the menu, and the
// way to everything else last.
func (v Verb) urgency() int {
	switch {
	case v.Level == Member && v.Name != "help":
		return 2
	case v.Name == "help":
		return 0
	}
	return 1
}
