package commands

import (
	"slices"
	"strconv"
	"strings"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
)

// actRecommend is the form that asks what is wrong.
const actRecommend = "recommend"

// recommendVerb finds what may explain or mend what the asker says is wrong.
// "helped 2", "none", "share" and "write" do what the buttons under the answer do.
func recommendVerb(a *Ask) (bot.Reply, error) {
	switch n := len(a.Args); {
	case n == 0:
		return a.whatIsWrong(), nil
	case n == 2 && strings.EqualFold(a.Args[0], "helped") && number(a.Args[1]) > 0:
		return a.vote("", number(a.Args[1]))
	case n == 1 && strings.EqualFold(a.Args[0], "none"):
		return a.vote("", 0)
	case n == 1 && strings.EqualFold(a.Args[0], "share"):
		return a.share("")
	case n == 1 && strings.EqualFold(a.Args[0], "write"):
		return a.write("")
	case n == 1 && recommend.RecordNumber(a.Args[0]) != "":
		return a.record(recommend.RecordNumber(a.Args[0]))
	}
	return a.recommend(a.Words())
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 9 {
		return 0
	}
	return n
}

// whatIsWrong asks for the words that are missing.
func (a *Ask) whatIsWrong() bot.Reply {
	m := bot.Say(bot.T("What is wrong, in your own words? For example: "), bot.C(a.Table.Command+" recommend outlook keeps asking for my password"))
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Say it in a form", Action: actRecommend}, {Label: "Service health", Action: actVerb, Value: "health"}}})
	return bot.Private(m)
}

// recommendForm asks what is wrong, and answers.
func recommendForm(a *Ask) (bot.Reply, error) {
	if a.Request.Kind != bot.Clicked {
		said := a.Request.One("what")
		if recommend.Parse(said).Empty() {
			return bot.Reply{Errors: map[string]string{"what": "Say in a few words what does not work, such as: outlook keeps asking for my password."}}, nil
		}
		return a.recommend(said)
	}
	return bot.Reply{Form: &bot.Form{Action: actRecommend, Value: string(a.Tenant.ID), Title: "Is it Microsoft?", Submit: "Look", Inputs: []bot.Input{
		{Name: "what", Label: "What is wrong", Kind: bot.Area, Max: recommend.MaxQuery, Hint: "In your own words. Error codes help.", Example: "outlook keeps asking for my password"}}}}, nil
}

// recommend answers with what may match, at once from what is known.
func (a *Ask) recommend(said string) (bot.Reply, error) { return a.recommendTo(said, false) }

func (a *Ask) recommendTo(said string, quoted bool) (bot.Reply, error) {
	q := recommend.Parse(said)
	if q.Empty() {
		return a.whatIsWrong(), nil
	}
	ans, err := a.Find(a.Tenant.ID, q, "")
	if err != nil {
		return bot.Reply{}, err
	}
	ans.Quotes = quoted
	return a.ask(ans)
}

// messageClick asks about a message that somebody wrote.
func messageClick(a *Ask) (bot.Reply, error) {
	said := strings.TrimSpace(a.Request.Value)
	if n := recommend.RecordNumber(said); n != "" {
		return a.record(n)
	}
	return a.recommendTo(said, true)
}

func (a *Ask) ask(ans recommend.Answer) (bot.Reply, error) {
	return a.Draft.Ask(a.Request, a.question(ans))
}

func (a *Ask) question(ans recommend.Answer) engine.Question {
	return engine.Question{ID: a.NewID("q"), Tenant: a.Tenant.ID, By: a.Request.From, Place: a.Request.Place, Made: a.Now, Answer: ans}
}

// solveClick says what can be done about an incident: what Microsoft says of
// it, and what else may be of use.
func solveClick(a *Ask) (bot.Reply, error) { return a.solve(a.Request.Value) }

func (a *Ask) solve(id string) (bot.Reply, error) {
	doc, ok, err := a.IssueText(a.Tenant.ID, id)
	if err != nil {
		return bot.Reply{}, err
	}
	if !ok {
		return sayf("I no longer keep %s. %s health lists what is open.", clipped(id, 20), a.Table.Command), nil
	}
	ans, err := a.Find(a.Tenant.ID, recommend.Parse(strings.Join(doc.Service, " ")+": "+doc.Title), id)
	if err != nil {
		return bot.Reply{}, err
	}
	ans.Hits = append([]recommend.Hit{{Doc: doc, Meant: true}}, ans.Hits[:min(len(ans.Hits), 2)]...)
	return a.ask(ans)
}

// votable finds the question whose buttons were pressed: the asker's own.
func (a *Ask) votable(id string) (engine.Question, *bot.Reply, error) {
	q, ok, err := a.Question(a.Tenant.ID, a.Request.From, id)
	if err == nil && (!ok || q.By != a.Request.From) {
		no := say("I no longer keep that question. Ask again: " + a.Table.Command + " recommend, and what is wrong.")
		return q, &no, nil
	}
	return q, nil, err
}

func helpedClick(a *Ask) (bot.Reply, error) {
	id, n, _ := strings.Cut(a.Request.Value, "/")
	return a.vote(id, number(n))
}

func noneClick(a *Ask) (bot.Reply, error) { return a.vote(a.Request.Value, 0) }

// vote keeps which text helped, or, with 0, that none did: the next answers are
// ordered by it.
func (a *Ask) vote(id string, n int) (bot.Reply, error) {
	q, no, err := a.votable(id)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	hits := q.Answer.Numbered()
	switch {
	case q.Voted:
		return say("You said so already, thank you."), nil
	case n > len(hits):
		return sayf("That answer has no number %d.", n), nil
	}
	for i, h := range hits {
		if n == 0 || n == i+1 {
			if err := a.Vote(a.Tenant.ID, h.Doc.ID, n > 0); err != nil {
				return bot.Reply{}, err
			}
		}
	}
	q.Voted = true
	a.PutQuestion(q)
	if n > 0 {
		return say("Thank you. I show " + hits[n-1].Doc.ID + " earlier to the next who ask for the like."), nil
	}
	m := bot.Say(bot.T("Thank you, I show these later the next time. If it goes on, say what you see in other words, with the error code if there is one; or open a ticket with your service desk."))
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Say it in other words", Action: actRecommend}, {Label: "Service health", Action: actVerb, Value: "health"}}})
	return bot.Private(m), nil
}

func shareClick(a *Ask) (bot.Reply, error) { return a.share(a.Request.Value) }

// share shows an answer to everybody in the channel, without what only its
// asker may see.
func (a *Ask) share(id string) (bot.Reply, error) {
	q, no, err := a.votable(id)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if a.Request.Place.Direct() {
		return say("There is nobody here to share it with. Ask in a channel, and share it there."), nil
	}
	m := bot.Say(bot.T(first(a.Person.Name, a.Request.Name, "Somebody")+" asked: “"), bot.T(q.Answer.Asked()), bot.T("”"))
	m.Add(q.Answer.Message(a.Table.Command, true).Parts...)
	m.Add(bot.Note{Text: bot.Join(bot.C(a.Table.Command+" recommend"), bot.T(" and what is wrong asks me for yourself."))})
	return bot.Reply{Message: &m, InPlace: true}, nil
}

// serviceSaid is the service that words name by whatever name, as the tenant's
// lists write it; "" where they name none of them.
func (a *Ask) serviceSaid(q recommend.Query) (string, error) {
	names, _, err := a.serviceNames()
	if err != nil {
		return "", err
	}
	for _, want := range q.Services {
		for _, n := range names {
			if incident.ServiceKey(n) == incident.ServiceKey(want) {
				return n, nil
			}
		}
	}
	return "", nil
}

// serviceMeant is the service that a name means: one of the tenant's by any
// name that Microsoft gave it, or by the one that people use, such as OWA.
func (a *Ask) serviceMeant(name string) (string, bool, error) {
	names, _, err := a.serviceNames()
	if err != nil {
		return "", false, err
	}
	for _, n := range names {
		if incident.ServiceKey(n) == incident.ServiceKey(name) {
			return n, true, nil
		}
	}
	q := recommend.Parse(name)
	if q.Products() != 1 {
		return "", false, nil
	}
	meant, err := a.serviceSaid(q)
	return meant, meant != "", err
}

// serviceNames are the tenant's services as Microsoft names them now, and those
// that only old issues name. all says that the list was read: what is not in it
// then does not exist here.
func (a *Ask) serviceNames() (names []string, all bool, err error) {
	services, err := a.Services(a.Tenant.ID)
	if err != nil {
		return nil, false, err
	}
	for _, s := range services {
		names = append(names, s.Name)
	}
	known, err := a.Incidents(a.Tenant.ID, true)
	if err != nil {
		return nil, false, err
	}
	for _, k := range known {
		if s := k.Issue.Service; s != "" && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	return names, len(services) > 0, nil
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
