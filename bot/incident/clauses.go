package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

func (p *wordParser) mention(rest string) {
	find := p.words.Mention
	if find == nil {
		find = plainMention
	}
	var call bot.Text
	for _, word := range strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == ',' }) {
		if fold(word) == "and" {
			continue
		}
		t, err := find(word)
		if err != nil {
			p.wrong = append(p.wrong, err)
			return
		}
		if len(call) > 0 {
			call = append(call, bot.Span{Text: " "})
		}
		call = append(call, t...)
	}
	if len(call) == 0 {
		p.refuse("Say who is mentioned when something gets worse, comes back or is over: mention @who")
		return
	}
	p.sub.OnCall = call
}

func plainMention(word string) (bot.Text, error) {
	a, err := bot.ParseAccount(word)
	if err != nil {
		return nil, fmt.Errorf("I cannot tell who %q is: choose the person or user group from the list that the chat offers after @", word)
	}
	return bot.Mention(a, a.ID), nil
}

func (p *wordParser) statuses(rest string) {
	var out []string
	for _, s := range p.several("status", "service interruption", rest) {
		name := statusNamed(s)
		if name == "" {
			p.refuse("I do not know the status %q: the common ones are investigating, service degradation, service interruption, extended recovery", s)
			continue
		}
		out = append(out, name)
	}
	p.sub.Statuses = out
}

// statusNamed is the status that a person means, as the table has it.
func statusNamed(s string) string {
	for _, try := range []string{enum(s), "service" + enum(s)} {
		if _, ok := statuses[try]; ok {
			return try
		}
	}
	for value, w := range statuses {
		if fold(w.says) == fold(s) {
			return value
		}
	}
	return ""
}

func (p *wordParser) messages(rest string) {
	p.sub.Messages, p.posts = true, true
	if fold(rest) == "off" {
		p.sub.Messages = false
		return
	}
	list, services, of := strings.Cut(" "+rest, " of ")
	if of {
		p.sub.PostServices = p.servicesOf(p.several("services", "Planner", services))
	}
	for _, s := range strings.Split(list, ",") {
		word := strings.TrimSuffix(fold(s), " severity")
		switch {
		case word == "" || word == "all":
		case categoryNamed(word) != "":
			p.sub.Categories = append(slices.Clone(p.sub.Categories), categoryNamed(word))
		case word == "normal" || word == "high" || word == "critical":
			p.sub.Severities = append(slices.Clone(p.sub.Severities), word)
		default:
			p.refuse("I do not know message center posts of %q: categories are prevent or fix an issue, plan for change, stay informed; severities normal, high, critical; services come after of", word)
		}
	}
}

func categoryNamed(word string) string {
	for value, says := range categories {
		if enum(word) == value || fold(says) == word || strings.HasPrefix(says, word+" ") && length(word) > 3 {
			return value
		}
	}
	return ""
}

// windowLayout is how the ends of a maintenance window are written.
const windowLayout = "2006-01-02 15:04"

func (p *wordParser) maintenance(rest string) {
	const form = "write it like maintenance 2026-12-01 22:00 to 2026-12-02 04:00 of Exchange Online because of the move"
	var w Window
	if at, why, ok := strings.Cut(rest, " because "); ok {
		rest, w.Why = at, CutAtSentence(strings.TrimPrefix(why, "of "), maxName)
	}
	at, services, of := strings.Cut(rest, " of ")
	if of {
		w.Services = p.servicesOf(p.several("services", "Exchange Online", services))
	}
	from, to, ok := strings.Cut(at, " to ")
	if !ok {
		p.refuse("I do not understand the maintenance window %q: %s", rest, form)
		return
	}
	if day, _, _ := strings.Cut(strings.TrimSpace(from), " "); !strings.Contains(strings.TrimSpace(to), " ") {
		to = day + " " + strings.TrimSpace(to)
	}
	var err, err2 error
	w.From, err = time.ParseInLocation(windowLayout, strings.TrimSpace(from), p.sub.location())
	w.To, err2 = time.ParseInLocation(windowLayout, strings.TrimSpace(to), p.sub.location())
	switch {
	case err != nil || err2 != nil:
		p.refuse("I do not understand the maintenance window %q: %s", rest, form)
	case !w.To.After(w.From):
		p.refuse("The maintenance window ends before it begins: %s", form)
	case w.To.Sub(w.From) > 14*24*time.Hour:
		p.refuse("A maintenance window of more than 14 days hides too much: choose a shorter one, or unsubscribe")
	default:
		w.From, w.To = w.From.UTC(), w.To.UTC()
		p.sub.Maintenance = append(slices.Clone(p.sub.Maintenance), w)
	}
}
