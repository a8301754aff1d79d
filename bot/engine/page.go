package engine

import (
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// reader is somebody who has opened the bot's own page not long ago. It is drawn
// anew for them when service health changes; whoever comes later has it drawn
// then.
type reader struct {
	Account bot.Account `json:"account"`
}

var readers = Kind[reader]{Name: "home-reader"} // by account

// readerKept is how long a page that was opened is kept up to date. A client
// that shows it again asks for it.
const readerKept = 24 * time.Hour

// Opened notes that somebody looks at the bot's own page, and draws it.
func (d *Draft) Opened(a bot.Account) {
	for _, t := range d.env.Speaking(a.Platform, a.Team) {
		readers.PutUntil(&d.Out, t.ID, a.String(), reader{Account: a}, d.Now.Add(readerKept))
	}
	d.Home(a)
}

// refreshPages draws the page anew for everybody who looks at it.
func (d *Draft) refreshPages(t *bot.Tenant) error {
	all, err := readers.All(d.View, t.ID)
	for _, r := range all {
		d.job("home/"+r.Account.String(), kindHome, bot.ClassDigest, d.Now, homeJob(r), "home/"+r.Account.String())
	}
	return err
}

// Page is what the bot's own page says to one person about one tenant: their
// open steps, the runs that they are in, service health, the channels that they
// set up, who they are to the bot. Where a platform has no such page it is the
// answer in their direct messages.
func (d *Draft) Page(t *bot.Tenant, a bot.Account) (m bot.Message, err error) {
	person, known := t.Who(a)
	if !known {
		if v, _, err := visitors.Get(d.View, t.ID, a.String()); err != nil || v.Guest {
			m.Add(bot.Paragraph{Text: bot.T("I only answer members of this organisation.")})
			return m, err
		}
	}
	in := 0
	if known {
		if in, err = d.pageRuns(&m, t, person, a); err != nil {
			return m, err
		}
	}
	subs, err := d.Subscriptions(t.ID)
	if err != nil {
		return m, err
	}
	active, err := d.Incidents(t.ID, false)
	if err != nil {
		return m, err
	}
	// as this decision has it, so that a page shows what its own button did
	subs = newest(subs, d.Out.Subscriptions, func(s incident.Subscription) string { return s.ID })
	active = newest(active, d.Out.Incidents, func(k incident.Known) string { return k.Issue.ID })
	w, err := d.Watch(t.ID)
	if err != nil {
		return m, err
	}
	mine := slices.DeleteFunc(slices.Clone(subs), func(s incident.Subscription) bool { return !known || s.By != person.ID })
	m.Add(homeHealth(active, mine, w)...)
	m.Add(pageChannels(mine, a)...)
	fresh := w.Good.IsZero() && w.Failing.IsZero() && in == 0
	if fresh {
		m.Add(bot.Paragraph{Text: pageBegins(t, person)})
	}
	if err := d.pageSettings(&m, t, person, a, active, subs); err != nil {
		return m, err
	}
	m.Add(bot.Buttons{Items: pageButtons(t, person, fresh)})
	m.Add(bot.Note{Text: bot.Join(bot.T("Drawn "), bot.When(d.Now, bot.DateTime))})
	return m, nil
}

// pageRuns adds what waits for a person, and then the other runs that they are
// in, with whom each waits for. It counts the runs.
func (d *Draft) pageRuns(m *bot.Message, t *bot.Tenant, p bot.Person, a bot.Account) (in int, err error) {
	runs, err := d.Runs(t.ID)
	if err != nil {
		return 0, err
	}
	open := 0
	var others bot.Message
	for i := range runs {
		r := &runs[i]
		if r.State != setup.RunOpen {
			continue
		}
		sc, err := d.Scene(r, bot.DM(a))
		if err != nil {
			return in, err
		}
		n := len(r.Visits[p.ID]) - 1
		mine := n >= 0 && slices.ContainsFunc(r.Visits[p.ID][n].Steps, func(id setup.StepID) bool {
			s := r.Step(id)
			return s != nil && !s.State.Settled()
		})
		switch {
		case mine:
			open, in = open+1, in+1
			m.Add(sc.Card(p.ID, n).Parts...)
		case r.Requester == p.ID || n >= 0 || r.AsksAny(p.ID):
			in++
			others.Add(sc.Status().Parts...)
		}
	}
	if open == 0 {
		m.Add(bot.Paragraph{Text: bot.T("Nothing waits for you.")})
	}
	if !others.Empty() {
		m.Add(bot.Divider{}, bot.Paragraph{Text: bot.B("Runs that you are in")})
		m.Add(others.Parts...)
		m.Add(bot.Divider{})
	}
	return in, nil
}

// pageChannels are the channels that a person set up, of the platform of the page.
func pageChannels(mine []incident.Subscription, a bot.Account) []bot.Part {
	lines := []bot.Text{bot.B("Channels that you set up")}
	for _, s := range mine {
		if s.Place.Platform != a.Platform || s.Place.Team != a.Team || s.Place.Channel == "" {
			continue
		}
		line := bot.Join(bot.T("• "), bot.In(s.Place), bot.T(": "+incident.InWords(s)))
		if s.Stopped != "" {
			line = bot.Join(line, bot.T(". ⛔ Stopped: "+s.Stopped))
		}
		lines = append(lines, line)
	}
	if len(lines) == 1 {
		return nil
	}
	return []bot.Part{bot.Paragraph{Text: bot.Lines(lines...)}}
}

// pageBegins is what the page says before anything is set up.
func pageBegins(t *bot.Tenant, p bot.Person) bot.Text {
	what := "Nothing is set up for " + t.Name + " yet. A setup asks each admin for their part, shows the calls before they are made, and takes as long as its slowest person."
	if holdsAny(t, p) {
		return bot.T(what + " [Set something up] begins: it asks what you want, and changes nothing by itself.")
	}
	return bot.T(what + " Whoever holds a role here can begin one.")
}

func holdsAny(t *bot.Tenant, p bot.Person) bool {
	return p.ID != "" && slices.ContainsFunc(bot.Roles, func(r bot.Role) bool { return t.Holds(p.ID, r) })
}

func pageButtons(t *bot.Tenant, p bot.Person, fresh bool) []bot.Button {
	out := []bot.Button{{Label: "Service health", Action: "verb", Value: "health"}, {Label: "Is it Microsoft?", Action: "recommend"}}
	if holdsAny(t, p) {
		begin := bot.Button{Label: "Set something up", Action: "verb", Value: "setup"}
		if fresh {
			begin.Style = bot.Primary
		}
		out = append(out, begin)
	}
	if p.ID != "" {
		out = append(out, bot.Button{Label: "Tell a channel", Action: "subscribe"}, bot.Button{Label: "Status", Action: "verb", Value: "status"},
			bot.Button{Label: "What exists", Action: "verb", Value: "inventory"}, bot.Button{Label: "Roles", Action: "verb", Value: "roles"})
	}
	return append(out, bot.Button{Label: "Help", Action: "verb", Value: "help"}, bot.Button{Label: "Refresh", Action: ActionPage})
}
