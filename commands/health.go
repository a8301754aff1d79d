package commands

import (
	"slices"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
)

// healthVerb says which services are not fine, worst first; with "all" also
// which are, and with a service what is open there.
func healthVerb(a *Ask) (bot.Reply, error) {
	for len(a.Args) > 0 && abouts[strings.ToLower(a.Args[0])] {
		a.Args = a.Args[1:]
	}
	what := a.Words()
	if what != "" && !strings.EqualFold(what, "all") {
		if recommend.Parse(what).Products() > 1 {
			return serviceUp(a)
		}
		return a.list(incident.Filter{Service: clipped(what, 80)})
	}
	known, err := a.Incidents(a.Tenant.ID, false)
	if err != nil {
		return bot.Reply{}, err
	}
	w, err := a.Watch(a.Tenant.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	services, err := a.Services(a.Tenant.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	if what != "" {
		return bot.Private(incident.HealthAll(services, known, w, a.Now)), nil
	}
	m := incident.Health(services, known, w, a.Now)
	if len(services) > 0 && !w.Good.IsZero() {
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "All services", Action: actVerb, Value: "health all"}, {Label: "Post the last 30 days", Action: actVerb, Value: "picture"}}})
	}
	return bot.Private(m), nil
}

// incidentsVerb lists issues: of one service or all, open ones or also those
// that are resolved. An export is a file for whoever runs the bot: a chat is no
// place for it.
func incidentsVerb(a *Ask) (bot.Reply, error) {
	if len(a.Args) == 1 && strings.EqualFold(a.Args[0], "export") {
		m := bot.Say(bot.T("Everything that I keep of them, as JSON, is printed where I run by "), bot.C("keyturn export incidents --config FILE "+string(a.Tenant.ID)),
			bot.T(". Whoever runs me can do that while I run."))
		return bot.Private(m), nil
	}
	f := incident.Filter{}
	args := a.Args
	chosen := func(word string) bool {
		switch strings.ToLower(word) {
		case "all":
			f.All = true
		case "active", "open":
			f.All = false
		default:
			return false
		}
		return true
	}
	switch n := len(args); {
	case n == 0:
	case chosen(args[n-1]):
		args = args[:n-1]
	case chosen(args[0]):
		args = args[1:]
	}
	for len(args) > 0 && abouts[strings.ToLower(args[0])] {
		args = args[1:]
	}
	f.Service = clipped(strings.Trim(strings.Join(args, " "), "\"“”'"), 80)
	return a.list(f)
}

// abouts stand between a command and the service that it is about.
var abouts = wordSet("of for in with on about the")

// list answers a question for issues. A service that the tenant does not have
// is never said to be fine.
func (a *Ask) list(f incident.Filter) (bot.Reply, error) {
	if f.Service != "" {
		meant, ok, err := a.serviceMeant(f.Service)
		if err != nil {
			return bot.Reply{}, err
		}
		if !ok {
			return a.noService(f.Service)
		}
		f.Service = meant
	}
	known, err := a.Incidents(a.Tenant.ID, true)
	if err != nil {
		return bot.Reply{}, err
	}
	if f.Watch, err = a.Watch(a.Tenant.ID); err != nil {
		return bot.Reply{}, err
	}
	services, err := a.Services(a.Tenant.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	for _, s := range services {
		f.Services = append(f.Services, s.Name)
	}
	f.At = a.Now
	m := incident.List(known, f)
	if slices.ContainsFunc(known, func(k incident.Known) bool { return f.Takes(&k.Issue) }) {
		m.Add(bot.Note{Text: bot.Join(bot.C(a.Table.Command+" incident ID"), bot.T(" shows the history of one."))})
	}
	if !f.All {
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Resolved ones too", Action: actVerb, Value: strings.TrimSpace("incidents " + f.Service + " all")}}})
	}
	return bot.Private(m), nil
}

// noService answers a name that is none of a service here.
func (a *Ask) noService(name string) (bot.Reply, error) {
	names, all, err := a.serviceNames()
	if err != nil {
		return bot.Reply{}, err
	}
	says := "I know no service “" + name + "” here, so I cannot say how it is."
	if !all {
		says += " The services of " + a.Tenant.Name + " have not been read."
	}
	m := bot.Message{}
	var row []bot.Button
	if near := incident.Suggest(name, names); len(near) > 0 {
		near = near[:min(3, len(near))]
		says += " Did you mean " + strings.Join(near, " or ") + "?"
		for _, n := range near {
			row = append(row, bot.Button{Label: clipped(n, 40), Action: actVerb, Value: "incidents " + n})
		}
	}
	m.Add(bot.Paragraph{Text: bot.T(says)}, bot.Buttons{Items: append(row, bot.Button{Label: "All services", Action: actVerb, Value: "health all"})})
	return bot.Private(m), nil
}

// incidentVerb shows one incident with its whole history.
func incidentVerb(a *Ask) (bot.Reply, error) {
	if len(a.Args) == 0 {
		return say("Which one? For example: " + a.Table.Command + " incident EX123456. " + a.Table.Command + " incidents lists the open ones."), nil
	}
	id := idOf(a.Args)
	if !issueID.MatchString(id) { // "incident teams"
		if _, ok, err := a.serviceMeant(a.Words()); err != nil || ok {
			return orList(a, err)
		}
	}
	return a.history(id, time.Time{})
}

func orList(a *Ask, err error) (bot.Reply, error) {
	if err != nil {
		return bot.Reply{}, err
	}
	return incidentsVerb(a)
}

// idOf is the incident that words name: the first that looks like an ID, or the
// first of all.
func idOf(words []string) string {
	for _, w := range words {
		if w = strings.Trim(w, marks); issueID.MatchString(w) {
			return w
		}
	}
	return words[0]
}

func historyClick(a *Ask) (bot.Reply, error) { return a.history(a.Request.Value, time.Time{}) }

// pageClick leafs through a history: the page takes the place of the one whose
// button was clicked.
func pageClick(a *Ask) (bot.Reply, error) {
	reply, err := a.history(incident.ReadPage(a.Request.Value))
	reply.Redraw = true
	return reply, err
}

// history is the page of an incident's history that ends before a time.
func (a *Ask) history(id string, before time.Time) (bot.Reply, error) {
	k, no, err := a.issue(id)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	m := incident.HistoryBefore(k, before)
	row := []bot.Button{{Label: "Post the timeline", Action: actVerb, Value: "picture " + k.Issue.ID, Says: "Post the timeline of " + k.Issue.ID}}
	if a.Person.ID != "" {
		row = append(row, incident.MuteButton(k, a.Person.ID))
	}
	m.Add(bot.Buttons{Items: row})
	return bot.Private(m), nil
}

// clipped is a typed word, cut where nothing that is meant is so long.
func clipped(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
