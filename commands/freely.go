package commands

import (
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
)

// In a direct message people say what they want in their own words. The rules
// here are few and can be told to anybody:
//
//   - a greeting is answered with the menu;
//   - a question that asks no more than whether a service is up is one for health;
//   - anything else of two words or more that names a product, a symptom or an
//     error code is one for recommend;
//   - a first word that is nearly a command was probably meant as it.

var (
	greetings = wordSet("hi hello hey hallo moin morning thanks thank thx ok okay bye menu start")
	// upOrDown are the words of a question for health beside the service's name.
	upOrDown = wordSet(`is are was were be do does there any anybody everybody everyone else having have has what's what how hows how's whats the a an of for with in on to it all everything
		down up ok okay fine working work works broken available unavailable reachable online offline outage outages status health healthy issue issues problem problems
		trouble incident incidents currently right now today still again here us me my our we i think about any known happening going wrong`)
	// heads are commands that also begin a sentence, and what follows them then.
	heads = map[string]map[string]bool{
		"my": nil, "home": nil, "help": wordSet("me with my the us i"), "status": wordSet("of for with on"), "health": wordSet("of for with on"),
		"mine": wordSet("is does has doesn't isn't won't can't"), "issues": wordSet("with in on"), "incidents": wordSet("with in on"), "solve": nil,
	}
)

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// command reports whether words are a command, and not a sentence that happens
// to begin like one: "my outlook is slow" is not about the asker's steps.
func (t *Table) command(words []string) bool {
	if _, ok := t.Verb(words[0]); !ok {
		return false
	}
	head := strings.ToLower(words[0])
	follow, ambiguous := heads[head]
	if !ambiguous || len(words) == 1 || head == "solve" {
		return true
	}
	second := strings.ToLower(words[1])
	switch head {
	case "my":
		return strings.HasPrefix(second, "step")
	case "home": // the page, where it stands alone
		return false
	}
	return !follow[second]
}

// freely understands a sentence; nil where it cannot, or a mistyped command is
// likelier.
func (t *Table) freely(words []string) func(*Ask) (bot.Reply, error) {
	said := strings.Join(words, " ")
	q := recommend.Parse(said)
	plain := plainWords(said)
	if len(plain) == 0 || len(plain) <= 4 && greetings[plain[0]] && len(q.Services) == 0 {
		return menuVerb
	}
	if _, near := t.Nearest(words[0]); near && !t.known(words[0]) && len(q.Codes) == 0 {
		return nil
	}
	asks := !slices.ContainsFunc(plain, func(w string) bool { return !upOrDown[w] && !recommend.Names(w) })
	switch {
	case asks && len(q.Services) > 0:
		return serviceUp
	case asks && len(plain) > 1:
		return func(a *Ask) (bot.Reply, error) { a.Args = nil; return healthVerb(a) }
	case q.Empty(), len(plain) < 2 && len(q.Services)+len(q.Codes) == 0:
		return nil
	}
	return func(a *Ask) (bot.Reply, error) { return a.recommend(said) }
}

func (t *Table) known(word string) bool {
	_, ok := t.Verb(word)
	return ok
}

// plainWords are the words of a sentence without its marks.
func plainWords(said string) []string {
	return strings.FieldsFunc(strings.ToLower(strings.ReplaceAll(said, "’", "'")), func(r rune) bool {
		return strings.ContainsRune(" \t\n?!.,;:\"()…", r)
	})
}

// serviceUp answers whether a service is up: what is open there.
func serviceUp(a *Ask) (bot.Reply, error) {
	said := a.Words()
	name, err := a.serviceSaid(recommend.Parse(said))
	if err != nil {
		return bot.Reply{}, err
	}
	if name == "" {
		return a.recommend(said)
	}
	reply, err := a.list(incident.Filter{Service: name})
	if err != nil || reply.Message == nil {
		return reply, err
	}
	reply.Message.Add(bot.Buttons{Items: []bot.Button{{Label: "It does not work for me", Action: actRecommend, Says: "It does not work for me: say what does not work"}, {Label: "Service health", Action: actVerb, Value: "health"}}})
	return reply, nil
}
