package commands

import (
	"regexp"
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
)

// People say what they want in their own words. The rules here are few and can
// be told to anybody:
//
//   - a greeting alone is answered with the menu;
//   - some questions are commands in other words, which [asked] lists; what
//     would change something, which [meant] lists, is only offered;
//   - a sentence about the setup asks how far it is, or is offered one;
//   - the ID of an incident asks for its history;
//   - a question that asks no more than whether a service is up is one for health;
//   - a first word that is nearly a command was probably meant as it;
//   - what names a product, a symptom or an error code is one for recommend.
//
// None of them changes anything: who wants something changed types the command.

// wish is what a request asks for.
type wish struct {
	run   func(*Ask) (bot.Reply, error)
	level Level
	args  []string
}

// command reports whether words are a command, and not a sentence that happens
// to begin like one: "my outlook is slow" is not about the asker's steps.
func (t *Table) command(words []string) bool {
	if _, ok := t.Verb(words[0]); !ok {
		return false
	}
	head := strings.ToLower(words[0])
	if len(words) == 1 {
		return true
	}
	second := strings.ToLower(words[1])
	switch head {
	case "my":
		return strings.HasPrefix(second, "step")
	case "home": // the page, where it stands alone
		return false
	case "status", "help": // "status teams", "help outlook hangs", "status EX123456"
		if recommend.Names(second) || issueID.MatchString(second) {
			return false
		}
	}
	return !heads[head][second]
}

// freely understands a sentence; it does not where a mistyped command is
// likelier, or where nothing in it means anything here.
func (t *Table) freely(words []string) (wish, bool) {
	said := strings.Join(words, " ")
	plain := plainWords(said)
	if len(plain) == 0 {
		return wish{run: menuVerb, level: Member}, true
	}
	if like, ok := asked[strings.Join(plain, " ")]; ok {
		return t.wishes(strings.Fields(like)), true
	}
	if rest := lead(plain); len(rest) > 0 && len(rest) < len(plain) {
		if v, ok := t.Verb(rest[0]); ok && looks[v.Name] {
			return t.wishes(rest), true
		}
	}
	if len(t.offers(plain)) > 0 {
		return wish{}, false
	}
	for _, w := range plain {
		if runID.MatchString(w) || inSetup(plain) { // what is left of those asks how far it is
			return t.wishes([]string{"status"}), true
		}
	}
	if len(plain) == 1 && ticketID.MatchString(plain[0]) {
		return t.wishes([]string{"recommend", strings.ToUpper(plain[0])}), true
	}
	for _, w := range plain {
		if issueID.MatchString(w) {
			return t.wishes([]string{"incident", strings.ToUpper(w)}), true
		}
	}
	if len(plain) == 1 && bareCode.MatchString(plain[0]) {
		return t.wishes([]string{"recommend", "error", plain[0]}), true
	}
	q := recommend.Parse(said)
	if _, near := t.Nearest(words[0]); near && !t.known(words[0]) && len(q.Codes) == 0 {
		return wish{}, false
	}
	asks := !slices.ContainsFunc(plain, func(w string) bool { return !upOrDown[w] && !recommend.Names(w) })
	switch {
	case asks && len(q.Services) > 0:
		return wish{serviceUp, Member, words}, true
	case asks && slices.ContainsFunc(plain, func(w string) bool { return past[w] }):
		return t.wishes([]string{"incidents", "all"}), true
	case asks && len(plain) > 1:
		return t.wishes([]string{"health"}), true
	case !q.Symptom(), len(plain) < 2 && len(q.Services)+len(q.Codes) == 0:
		return wish{}, false
	}
	return wish{func(a *Ask) (bot.Reply, error) { return a.recommend(said) }, Member, words}, true
}

// offers are the commands that a sentence may mean and that change something,
// with the incident that it names.
func (t *Table) offers(plain []string) []string {
	var said []string
	id := ""
	for _, w := range plain {
		if issueID.MatchString(w) {
			id = " " + strings.ToUpper(w)
		} else {
			said = append(said, w)
		}
	}
	list := meant[strings.Join(said, " ")]
	if list == "" && inSetup(plain) && !slices.ContainsFunc(plain, func(w string) bool { return howFar[w] }) {
		list = "setup"
	}
	if list == "" {
		return nil
	}
	out := strings.Split(list, ", ")
	if id != "" && (out[0] == "on-it" || out[0] == "mute") {
		out[0] += id
	}
	return out
}

// inSetup reports whether a sentence is about setting something up, and of no
// product that fails.
func inSetup(plain []string) bool {
	said := strings.Join(plain, " ")
	if q := recommend.Parse(said); len(q.Services)+len(q.Codes) > 0 {
		return false
	}
	now := strings.Contains(said, "servicenow") || strings.Contains(said, "service now")
	return slices.ContainsFunc(plain, func(w string) bool { return aboutSetup[w] || w == "connect" && now }) || strings.Contains(" "+said+" ", " set up ")
}

// runID is how a run is named, and ticketID an incident of ServiceNow.
var (
	runID    = regexp.MustCompile(`^run-[a-z0-9]+$`)
	ticketID = regexp.MustCompile(`^inc\d{5,}$`)
)

// bareCode is the number of an error that stands alone.
var bareCode = regexp.MustCompile(`^\d{5,6}$`)

// wishes is what a command asks for; none is the menu.
func (t *Table) wishes(words []string) wish {
	if len(words) == 0 {
		return wish{run: menuVerb, level: Member}
	}
	v, _ := t.Verb(words[0])
	return wish{v.Run, v.Level, words[1:]}
}

func (t *Table) known(word string) bool {
	_, ok := t.Verb(word)
	return ok
}

// marks are what people write around words.
const marks = "?!.,;:\"()…“”„»«"

// plainWords are the words of a sentence without its marks.
func plainWords(said string) []string {
	return strings.FieldsFunc(strings.ToLower(strings.ReplaceAll(said, "’", "'")), func(r rune) bool {
		return strings.ContainsRune(" \t\n"+marks, r)
	})
}

// lead drops what people say before what they want to look at: "show me the
// open incidents".
func lead(plain []string) []string {
	for len(plain) > 0 && leads[plain[0]] {
		plain = plain[1:]
	}
	if len(plain) > 1 && plain[0] == "open" && strings.HasPrefix(plain[1], "in") {
		plain = plain[1:]
	}
	return plain
}

// courteous drops greetings and the bot's own name before what somebody wants,
// and thanks after it. People write the name where nobody else could be meant,
// as messages do that say what to type.
func (t *Table) courteous(words []string) []string {
	word := func(i int) string { return strings.ToLower(strings.Trim(words[i], marks)) }
	for len(words) > 0 {
		switch w := word(0); {
		case len(words) > 1 && greets[w][word(1)]:
			words = words[2:]
		case strings.TrimLeft(w, "/@") == strings.TrimLeft(t.Command, "/"), greetings[w]:
			words = words[1:]
		default:
			for n := len(words); n > 1 && (thanks[word(n-1)] || word(n-1) == ""); n = len(words) {
				words = words[:n-1]
			}
			return words
		}
	}
	return nil
}

// spoken is a command as it was meant: without the marks that end a sentence,
// or begin one.
func (t *Table) spoken(words []string) []string {
	out := slices.Clone(words)
	if head := strings.Trim(out[0], marks+"/"); head != "" && t.known(head) {
		out[0] = head
	}
	if len(out) > 1 && strings.EqualFold(out[0], "set") && strings.EqualFold(out[1], "up") {
		out = append([]string{"setup"}, out[2:]...)
	}
	if n := len(out) - 1; n > 0 {
		if last := strings.TrimRight(out[n], "?!"); last != "" {
			out[n] = last
		}
	}
	return out
}

// serviceUp answers whether a service is up: what is open there, and where
// nothing is, how a fault of one's own is told apart.
func serviceUp(a *Ask) (bot.Reply, error) {
	said := a.Words()
	q := recommend.Parse(said)
	if q.Products() > 1 {
		a.Args = nil
		return healthVerb(a)
	}
	over := slices.ContainsFunc(plainWords(said), func(w string) bool { return past[w] })
	name, open, err := a.serviceOpen(q)
	if err != nil {
		return bot.Reply{}, err
	}
	if name == "" {
		return a.recommend(said)
	}
	reply, err := a.list(incident.Filter{Service: name, All: over})
	if err != nil || reply.Message == nil {
		return reply, err
	}
	row := bot.Buttons{Items: []bot.Button{{Label: "It does not work for me", Action: actRecommend, Says: "It does not work for me: say what does not work"}, {Label: "Service health", Action: actVerb, Value: "health"}}}
	if n := len(reply.Message.Parts) - 1; n >= 0 { // one row of buttons, below everything
		if own, ok := reply.Message.Parts[n].(bot.Buttons); ok {
			row.Items = append(row.Items, own.Items...)
			reply.Message.Parts = reply.Message.Parts[:n]
		}
	}
	if trial := q.Trial(); !open && trial != "" {
		reply.Message.Add(bot.Paragraph{Text: bot.Join(bot.B("To tell a local fault apart:"), bot.T(" "+trial))})
	}
	reply.Message.Add(row)
	return reply, nil
}

// serviceOpen is the service that a question names: of those that its word may
// mean the first in which something is open, so that none hides another.
func (a *Ask) serviceOpen(q recommend.Query) (name string, open bool, err error) {
	known, err := a.Incidents(a.Tenant.ID, false)
	if err != nil {
		return "", false, err
	}
	for _, want := range q.Services {
		n, ok, err := a.serviceMeant(want)
		if err != nil {
			return "", false, err
		}
		if !ok {
			continue
		}
		f := incident.Filter{Service: n}
		if slices.ContainsFunc(known, func(k incident.Known) bool { return f.Takes(&k.Issue) }) {
			return n, true, nil
		}
		if name == "" {
			name = n
		}
	}
	return name, false, nil
}
