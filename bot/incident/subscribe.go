package incident

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"keyturn/bot"
)

// NewSubscription is what a channel gets that says nothing more: incidents at
// once, advisories and message center posts in a daily digest at 09:00 of a
// zone.
func NewSubscription(zone string) Subscription {
	return Subscription{Messages: true, DigestAt: DefaultDigest, Zone: zone}
}

// Words are what [ParseSubscription] needs beside the words themselves.
type Words struct {
	// Base is what the words change: [NewSubscription], or what the channel
	// has. Words about services replace its services.
	Base Subscription
	// Services are those seen at the tenant. A name that is near to one of
	// them but none of them is refused; where none is seen every name counts.
	Services []string
	// All says that Services is the whole list of what the tenant has: another
	// name is refused, since a channel that waits for it would never be told.
	All bool
	// Meant turns the name that people use of a service, such as OWA, into one of
	// Services. nil knows Microsoft's own names only.
	Meant func(name string) (service string, ok bool)
	// Mention turns a mentioned person or group into a mention. nil knows the
	// form of [bot.Account.String] only.
	Mention func(word string) (bot.Text, error)
}

// ParseSubscription reads the words after "subscribe": clauses between
// semicolons, the first of which may be services.
//
//	Exchange Online, Teams; incidents only; digest 08:00; quiet 22:00-06:00; mention @oncall
//
// Clauses: all · incidents [only] · advisories [only] · incidents and advisories · live · digest [only] [09:00] ·
// resolved only · messages [plan for change, high, of Planner] · no messages · features a, b · status a, b ·
// quiet 22:00-06:00 [incidents too] · no quiet · zone Europe/Berlin · mention @who · no mention ·
// maintenance 2026-12-01 22:00 to 2026-12-02 04:00 [of services] [because why] · no maintenance.
//
// Nothing is half done: with an error, which says each thing that is wrong and
// how to write it, the subscription is as it was.
func ParseSubscription(words string, w Words) (Subscription, error) {
	p := wordParser{sub: w.Base, words: w}
	clauses := strings.FieldsFunc(words, func(r rune) bool { return r == ';' || r == '\n' })
	zoneFirst := slices.Clone(clauses) // a window is written in the zone, wherever that stands
	slices.SortStableFunc(zoneFirst, func(a, b string) int { return order(!isZone(a), !isZone(b)) })
	for _, c := range zoneFirst {
		if c = oneLine(c); c != "" {
			p.clause(c)
		}
	}
	if len(p.wrong) > 0 {
		return w.Base, errors.Join(p.wrong...)
	}
	return p.sub, nil
}

// ReadServices reads names of services that a tenant has, separated by commas.
func ReadServices(words string, w Words) ([]string, error) {
	p := wordParser{words: w}
	p.serviceList(words)
	for _, s := range p.sub.Services {
		if !hasService(w.Services, s) {
			p.refuse("I do not know a service %q here", s)
		}
	}
	return p.sub.Services, errors.Join(p.wrong...)
}

func isZone(clause string) bool { return strings.HasPrefix(fold(clause), "zone ") }

type wordParser struct {
	sub      Subscription
	words    Words
	services bool // a clause about services was read
	posts    bool // so was one that asks for message center posts, which "incidents only" does not take away
	wrong    []error
}

func (p *wordParser) refuse(format string, args ...any) {
	p.wrong = append(p.wrong, fmt.Errorf(format, args...))
}

// clauseWords are what a clause can begin with, the longer before the shorter.
var clauseWords = []struct {
	begins string
	read   func(p *wordParser, rest string)
}{
	{"no messages", func(p *wordParser, rest string) { p.alone("no messages", rest, func() { p.sub.Messages = false }) }},
	{"no message center", func(p *wordParser, rest string) {
		p.alone("no message center", rest, func() { p.sub.Messages = false })
	}},
	{"no quiet", func(p *wordParser, rest string) { p.sub.Quiet = Quiet{} }},
	{"no mention", func(p *wordParser, rest string) { p.alone("no mention", rest, func() { p.sub.OnCall = nil }) }},
	{"no maintenance", func(p *wordParser, rest string) { p.alone("no maintenance", rest, func() { p.sub.Maintenance = nil }) }},
	{"message center", (*wordParser).messages},
	{"messages", (*wordParser).messages},
	{"features", func(p *wordParser, rest string) { p.sub.Features = p.several("features", "Mail flow", rest) }},
	{"feature", func(p *wordParser, rest string) { p.sub.Features = p.several("features", "Mail flow", rest) }},
	{"statuses", (*wordParser).statuses},
	{"status", (*wordParser).statuses},
	{"quiet", (*wordParser).quiet},
	{"zone", (*wordParser).zone},
	{"mention", (*wordParser).mention},
	{"maintenance", (*wordParser).maintenance},
	{"digest", (*wordParser).digest},
	{"live", func(p *wordParser, rest string) { p.alone("live", rest, func() { p.sub.Style = Live }) }},
	{"resolved only", func(p *wordParser, rest string) {
		p.alone("resolved only", rest, func() { p.sub.Style = ResolvedOnly })
	}},
	{"only resolved", func(p *wordParser, rest string) {
		p.alone("resolved only", rest, func() { p.sub.Style = ResolvedOnly })
	}},
}

func (p *wordParser) clause(c string) {
	if classes, only := classWords(fold(c)); classes != nil {
		p.sub.Classes = classes
		if len(classes) == 2 {
			p.sub.Classes = nil
		}
		if only {
			p.sub.Messages = p.sub.Messages && p.posts
		}
		return
	}
	for _, w := range clauseWords {
		if rest, ok := cutWord(c, w.begins); ok {
			w.read(p, rest)
			return
		}
	}
	p.serviceList(c)
}

// cutWord takes words off the beginning, in any case.
func cutWord(c, begins string) (rest string, ok bool) {
	if len(c) < len(begins) || !strings.EqualFold(c[:len(begins)], begins) {
		return "", false
	}
	rest = c[len(begins):]
	if rest != "" && rest[0] != ' ' && rest[0] != ':' {
		return "", false
	}
	return strings.TrimSpace(strings.TrimPrefix(rest, ":")), true
}

func classWords(c string) (classes []string, only bool) {
	switch strings.TrimSuffix(strings.TrimPrefix(c, "only "), " only") {
	case "incidents", "incident":
		return []string{"incident"}, true
	case "advisories", "advisory":
		return []string{"advisory"}, true
	case "incidents and advisories", "incidents, advisories", "advisories and incidents", "incident and advisory":
		return []string{"incident", "advisory"}, strings.Contains(c, "only")
	}
	return nil, false
}

func (p *wordParser) alone(clause, rest string, do func()) {
	if rest != "" {
		p.refuse("I do not understand %q after %q: write just %q, and what follows after a semicolon", rest, clause, clause)
		return
	}
	do()
}

func (p *wordParser) several(clause, example, rest string) []string {
	var out []string
	for _, s := range strings.Split(rest, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		p.refuse("Say which %s, for example: %s %s", clause, clause, example)
	}
	return out
}

// maxServices bounds what one subscription names, and how long a name is.
const (
	maxServices = 100
	maxName     = 100
)

func (p *wordParser) serviceList(c string) {
	if p.services {
		p.refuse("I do not understand %q: services come first, separated by commas; after them clauses like incidents only, digest 09:00, quiet 22:00-06:00, mention @who, each after a semicolon", CutAtSentence(c, 60))
		return
	}
	p.services = true
	if f := fold(c); f == "all" || f == "everything" || f == "all services" {
		p.sub.Services = nil
		return
	}
	p.sub.Services = p.servicesOf(p.several("services", "Exchange Online, Teams", c))
}

// servicesOf checks names of services and writes them as they were seen.
func (p *wordParser) servicesOf(names []string) []string {
	var out []string
	if len(names) > maxServices {
		p.refuse("That are %d services: name at most %d, or say all", len(names), maxServices)
		return nil
	}
	for _, name := range names {
		if length(name) > maxName {
			p.refuse("%q is too long for the name of a service", CutAtSentence(name, 40))
			continue
		}
		seen := slices.IndexFunc(p.words.Services, func(s string) bool { return ServiceKey(s) == ServiceKey(name) })
		if seen >= 0 {
			name = oneLine(p.words.Services[seen])
		} else if meant, ok := p.meant(name); ok {
			name = oneLine(meant)
		} else if near := Suggest(name, p.words.Services); len(near) > 0 {
			p.refuse("I do not know a service %q here. Did you mean %s?", name, strings.Join(near[:min(3, len(near))], " or "))
			continue
		} else if clause := nearestClause(name); clause != "" {
			p.refuse("I do not know a service %q. Did you mean the clause %q?", name, clause)
			continue
		} else if p.words.All {
			p.refuse("I do not know a service %q here. /keyturn health all lists those that exist", name)
			continue
		}
		if !hasService(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (p *wordParser) meant(name string) (string, bool) {
	if p.words.Meant == nil {
		return "", false
	}
	return p.words.Meant(name)
}

// nearestClause is the clause that a misspelt one may mean.
func nearestClause(name string) string {
	typed, _, _ := strings.Cut(fold(name), " ")
	for _, w := range []string{"incidents", "advisories", "messages", "digest", "quiet", "mention", "maintenance", "resolved", "status", "features"} {
		if typed != w && len(typed) > 3 && distance(typed, w) <= 2 {
			return w
		}
	}
	return ""
}

func (p *wordParser) zone(rest string) {
	zone, err := ParseZone(rest)
	if err != nil {
		p.wrong = append(p.wrong, err)
		return
	}
	p.sub.Zone = zone
}

func (p *wordParser) digest(rest string) {
	if at, only := cutWord(rest, "only"); only {
		p.sub.Style, rest = DigestOnly, at
	}
	if rest == "" {
		return
	}
	clock, zone, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(rest, "at ")), " ")
	at, err := ParseTimeOfDay(clock)
	if err != nil {
		p.refuse("I do not understand when the digest is to come: %w", err)
		return
	}
	p.sub.DigestAt = at
	if zone != "" {
		p.zone(zone)
	}
}

func (p *wordParser) quiet(rest string) {
	const form = "write it like quiet 22:00-06:00, or quiet 22:00-06:00 incidents too"
	if fold(rest) == "off" || fold(rest) == "none" {
		p.sub.Quiet = Quiet{}
		return
	}
	if hours, ok := cutWord(rest, "hours"); ok {
		rest = hours
	}
	lower := fold(rest)
	q := Quiet{}
	for _, too := range []string{"incidents too", "also incidents", "and incidents", "including incidents"} {
		if cut, ok := strings.CutSuffix(lower, too); ok {
			q.Incidents, rest = true, strings.TrimSpace(rest[:len(cut)])
		}
	}
	rest = strings.NewReplacer("–", "-", " to ", "-", " - ", "-").Replace(rest)
	span, zone, _ := strings.Cut(rest, " ")
	from, to, ok := strings.Cut(span, "-")
	if !ok {
		p.refuse("I do not understand the quiet hours %q: %s", rest, form)
		return
	}
	var err, err2 error
	q.From, err = ParseTimeOfDay(from)
	q.To, err2 = ParseTimeOfDay(to)
	if e := errors.Join(err, err2); e != nil {
		p.refuse("I do not understand the quiet hours: %w", e)
		return
	}
	if q.From == q.To {
		p.refuse("Quiet hours from %s to %s would be the whole day: use digest only for a channel that is told once a day", q.From, q.To)
		return
	}
	p.sub.Quiet = q
	if zone != "" {
		p.zone(zone)
	}
}
