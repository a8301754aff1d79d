package teams

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"keyturn/bot"
	"keyturn/test/beside"
)

var cardSchema = struct {
	once   sync.Once
	schema *jsonschema.Schema
}{}

// schema is Microsoft's description of a card.
func schemaOf(t testing.TB) *jsonschema.Schema {
	t.Helper()
	b := beside.Contract(t, "adaptive-card-1.5.schema.json")
	cardSchema.once.Do(func() {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		c.UseRegexpEngine(compileECMA)
		if err := c.AddResource("card.json", doc); err != nil {
			t.Fatal(err)
		}
		if cardSchema.schema, err = c.Compile("card.json"); err != nil {
			t.Fatal(err)
		}
	})
	return cardSchema.schema
}

// withoutTeams takes out what only Teams knows.
func withoutTeams(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "msteams")
		for k, x := range v {
			if k != "data" {
				withoutTeams(x)
			}
		}
	case []any:
		for _, x := range v {
			withoutTeams(x)
		}
	}
	return v
}

// strings are all strings of a card that Teams shows, with the path to each.
func shownStrings(v any, at string, add func(at, s string)) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if k == "data" || k == "msteams" || k == "url" || k == "$schema" {
				continue
			}
			if s, ok := x.(string); ok {
				add(fmt.Sprint(v["type"])+"."+k, s)
			}
			shownStrings(x, at+"."+k, add)
		}
	case []any:
		for _, x := range v {
			shownStrings(x, at, add)
		}
	}
}

var (
	ourDate  = regexp.MustCompile(`\{\{(?:DATE|TIME)\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(?:,SHORT)?\)\}\}`)
	anyDate  = regexp.MustCompile(`(?i)\{\{\s*(DATE|TIME)`)
	anyTag   = regexp.MustCompile(`(?i)<\s*/?\s*at\b[^>]*>?`)
	ourTag   = regexp.MustCompile(`<at>[^<>]*</at>`)
	ourLink  = regexp.MustCompile(`\[(?:[^\]\\]|\\.)*\]\((https?://|mailto:)[^()\s]*\)`)
	freeLink = regexp.MustCompile(`[^\\]\]\(|^\]\(|://`)
)

// faults are what is wrong with a drawn card, whatever the message was. links,
// people and times are how many of them the message had.
func faults(t testing.TB, d drawing, links, people, times int) (wrong []string) {
	t.Helper()
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	raw := encode(d.card)
	if len(raw) > maxCard {
		complain("the card has %d bytes", len(raw))
	}
	if d.summary == "" || bot.Units(d.summary) > maxSummary {
		complain("the summary is %q", d.summary)
	}
	var card map[string]any
	if err := json.Unmarshal(raw, &card); err != nil {
		t.Fatal(err)
	}
	if card["speak"] == "" || card["fallbackText"] == "" {
		complain("nothing is spoken")
	}
	shown := 0
	entities, _ := card["msteams"].(map[string]any)["entities"].([]any)
	tags := map[string]bool{}
	for _, e := range entities {
		tag := e.(map[string]any)["text"].(string)
		tags[tag] = false
	}
	dates, linked := 0, 0
	shownStrings(card, "", func(at, s string) {
		dates += len(ourDate.FindAllString(s, -1))
		if rest := ourDate.ReplaceAllString(s, ""); anyDate.MatchString(rest) {
			complain("%s: a foreign date in %q", at, s)
		}
		for _, tag := range ourTag.FindAllString(s, -1) {
			if _, ok := tags[tag]; ok && at != "mention.text" {
				tags[tag] = true
			} else if at != "mention.text" {
				complain("%s: %q names nobody", at, tag)
			}
		}
		if at != "TextBlock.text" && at != "undefined.value" && at != "<nil>.value" && at != "mention.text" && anyTag.MatchString(s) {
			complain("%s: a tag in %q", at, s)
		}
		if at == "TextBlock.text" || at == "<nil>.value" {
			linked += len(ourLink.FindAllString(s, -1))
			rest := ourTag.ReplaceAllString(ourDate.ReplaceAllString(ourLink.ReplaceAllString(s, ""), ""), "")
			if freeLink.MatchString(rest) {
				complain("%s: a foreign link in %q", at, s)
			}
			if anyTag.MatchString(rest) {
				complain("%s: a foreign tag in %q", at, s)
			}
		}
	})
	for tag, found := range tags {
		if !found {
			complain("the entity %q is nowhere in the text", tag)
		}
	}
	if len(entities) > people {
		complain("%d people are notified, the message names %d", len(entities), people)
	}
	if dates > 2*times {
		complain("%d dates, the message has %d times", dates, times)
	}
	if linked > links {
		complain("%d links, the message has %d", linked, links)
	}
	eachAction(card, func(a map[string]any) {
		if a["mode"] != "secondary" {
			shown++
		}
		if a["type"] == "Action.Execute" && a["fallback"] == nil {
			complain("%v has no fallback", a["title"])
		}
	})
	if shown > maxShown {
		complain("%d buttons are in sight", shown)
	}
	if err := schemaOf(t).Validate(withoutTeams(card)); err != nil {
		complain("Microsoft's schema: %v", err)
	}
	return wrong
}

// eachAction calls f with the actions of every row of buttons, but not with
// those that unfold.
func eachAction(v any, f func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		if v["type"] == "ActionSet" {
			for _, a := range v["actions"].([]any) {
				f(a.(map[string]any))
			}
			return
		}
		for _, x := range v {
			eachAction(x, f)
		}
	case []any:
		for _, x := range v {
			eachAction(x, f)
		}
	}
}

// holds counts what a message has of links, people and times.
func holds(m bot.Message) (links, people, times int) {
	count := func(t bot.Text) {
		for _, s := range t {
			switch {
			case s.Link != "":
				links++
			case s.Who != nil:
				people++
			case s.Time != nil:
				times++
			}
		}
	}
	for _, p := range m.Parts {
		switch p := p.(type) {
		case bot.Paragraph:
			count(p.Text)
		case bot.Note:
			count(p.Text)
		case bot.Pairs:
			for _, it := range p.Items {
				count(it.Value)
			}
		case bot.Numbered:
			for _, it := range p.Items {
				count(it)
			}
		}
	}
	return links, people, times
}
