package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// The actions of the buttons of the bot's own page. Each draws the page anew
// where it stands.
const (
	ActionPage   = "page"        // the page as it is now
	ActionUnmute = "page-unmute" // mention me again: an incident's or a subscription's ID
	ActionRemind = "page-remind" // remind me as usual of what I put off
)

// mutedShown is how many muted incidents the page names.
const mutedShown = 5

// pageSettings say who the reader is to the bot, what they chose, with the way
// back, and what is chosen for them, with where that is changed.
func (d *Draft) pageSettings(m *bot.Message, t *bot.Tenant, p bot.Person, a bot.Account, active []incident.Known, subs []incident.Subscription) error {
	if p.ID == "" {
		m.Add(bot.Note{Text: bot.T("I do not know your account for " + t.Name + ", so you can ask, and change nothing. An owner can add you.")})
		return nil
	}
	m.Add(bot.Paragraph{Text: bot.Lines(bot.B("Your settings"), bot.T(standing(t, p)))})
	muted := pageMuted(m, p, a, active, subs)
	later, err := d.PutOff(t, p)
	if err != nil {
		return err
	}
	if len(later) > 0 {
		lines := []bot.Text{bot.T("I leave you alone about:")}
		for _, l := range later {
			lines = append(lines, bot.Join(bot.T("• "+l.Title+", until "), bot.When(l.Until, bot.DateTime)))
		}
		m.Add(bot.Paragraph{Text: bot.Lines(lines...)}, bot.Buttons{Items: []bot.Button{{Label: "Remind me as usual", Action: ActionRemind}}})
	}
	var says, commands []string
	if muted {
		commands = append(commands, "/keyturn unmute EX123456, and /keyturn unmute in the channel")
	} else {
		says = append(says, "No incident and no channel is muted for you; /keyturn mute does that.")
	}
	if len(later) > 0 {
		commands = append(commands, "/keyturn remind")
	}
	says = append(says, pageReminders(t))
	zone, whose := t.ZoneName(), "the zone of "+t.Name
	if p.Zone != "" {
		zone, whose = p.Zone, "your own zone"
	}
	if zone == "" {
		zone = "UTC"
	}
	says = append(says, "My reminders keep to "+zone+", "+whose+"; times are shown in that of your device. I write English. Hours and zones stand in the configuration, where an owner changes them.")
	m.Add(bot.Note{Text: bot.T(strings.Join(says, " "))})
	if len(commands) > 0 {
		m.Add(bot.Note{Text: bot.T("The same by command: " + strings.Join(commands, "; ") + ".")})
	}
	return nil
}

// standing is which roles a person holds, in a sentence.
func standing(t *bot.Tenant, p bot.Person) string {
	var roles []string
	for _, r := range bot.Roles {
		if t.Holds(p.ID, r) {
			roles = append(roles, r.Title())
		}
	}
	if len(roles) == 0 {
		return "You hold no role for " + t.Name + "."
	}
	return "For " + t.Name + " you are: " + strings.Join(roles, ", ") + "."
}

// pageMuted adds what the person is not mentioned about, with the way back. It
// reports whether there is anything.
func pageMuted(m *bot.Message, p bot.Person, a bot.Account, active []incident.Known, subs []incident.Subscription) bool {
	n := 0
	for _, k := range active {
		if !slices.Contains(k.Muted, p.ID) {
			continue
		}
		if n++; n <= mutedShown {
			m.Add(bot.Paragraph{Text: bot.T("I do not mention you about " + k.Issue.ID + " · " + k.Issue.Service + ": " + k.Issue.Title)}, unmute(k.Issue.ID, k.Issue.ID))
		}
	}
	if n > mutedShown {
		m.Add(bot.Note{Text: bot.T(fmt.Sprintf("and about %d more", n-mutedShown))})
	}
	channels := false
	for _, s := range subs {
		if !slices.Contains(s.Muted, p.ID) {
			continue
		}
		name := bot.In(s.Place)
		if s.Place.Platform == a.Platform && s.Place.Team != a.Team { // its ID leads nowhere here
			name = bot.T(name.Plain())
		}
		channels = true
		m.Add(bot.Paragraph{Text: bot.Join(bot.T("I do not mention you in "), name, bot.T(", which is told: "+incident.InWords(s)))},
			unmute("the channel", s.ID))
	}
	return n > 0 || channels
}

func unmute(what, id string) bot.Buttons {
	return bot.Buttons{Items: []bot.Button{{Label: "Unmute", Action: ActionUnmute, Value: id, Says: "Unmute " + what}}}
}

// pageReminders says when a person is reminded of what waits for them.
func pageReminders(t *bot.Tenant) string {
	switch {
	case t.RemindAfter <= 0:
		return "I send no reminders of steps by myself."
	case t.Hours.Always():
		return fmt.Sprintf("I remind you of a step once, after %g hours.", t.RemindAfter.Hours())
	}
	return fmt.Sprintf("I remind you of a step once, after %g working hours (%s).", t.RemindAfter.Hours(), t.Hours)
}

// Later is a step that somebody wants to be asked about at a time, and not
// before.
type Later struct {
	Run   string
	Step  setup.StepID
	Title string
	Until time.Time
}

// PutOff lists the steps that a person has put off and that still wait.
func (d *Draft) PutOff(t *bot.Tenant, p bot.Person) ([]Later, error) {
	runs, err := d.Runs(t.ID)
	if err != nil {
		return nil, err
	}
	var out []Later
	for _, r := range newest(runs, d.Out.Runs, func(r setup.Run) string { return r.ID }) {
		g, ok := d.env.Guide(r.Guide)
		if r.State != setup.RunOpen || !ok {
			continue
		}
		for i := range r.Steps {
			s := &r.Steps[i]
			spec, ok := g.Step(s.ID)
			if !ok || !s.Quiet.After(d.Now) || !setup.WaitsForPerson(spec, s) {
				continue
			}
			mine, err := d.reminders(r.ID, s.ID, p, s.Quiet)
			if err != nil {
				return nil, err
			}
			if len(mine) > 0 {
				out = append(out, Later{Run: r.ID, Step: s.ID, Title: spec.Title, Until: s.Quiet})
			}
		}
	}
	return out, nil
}

// reminders are the jobs that ask a person again at a time: whoever has one put
// the step off.
func (d *Draft) reminders(run string, step setup.StepID, p bot.Person, at time.Time) (out []bot.JobID, err error) {
	for _, a := range p.Accounts {
		jobs, err := d.Jobs(laterLane(laterKey(run, step, p.ID, at, a)))
		if err != nil {
			return nil, err
		}
		for _, j := range jobs {
			out = append(out, j.ID)
		}
	}
	return out, nil
}

// RemindAsUsual has a person be reminded of a step as of any other again.
func (d *Draft) RemindAsUsual(p bot.Person, l Later) error {
	jobs, err := d.reminders(l.Run, l.Step, p, l.Until)
	if err != nil {
		return err
	}
	d.Out.Done = append(d.Out.Done, jobs...)
	before, err := d.Run(l.Run)
	if err != nil {
		return err
	}
	after := before.Clone()
	after.Step(l.Step).Quiet = time.Time{}
	if t, ok := d.env.Tenant(after.Tenant); ok {
		d.RefreshHome(t, p.ID)
	}
	return d.PutRun(&before, &after)
}

// newest is what a store has with what a decision has changed of it.
func newest[T any](have, changed []T, id func(T) string) []T {
	out := slices.Clone(have)
	for i := range out {
		for _, c := range changed {
			if id(c) == id(out[i]) {
				out[i] = c
			}
		}
	}
	return out
}
