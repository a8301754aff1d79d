package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/sim/learn"
	"keyturn/sim/play"
)

// news is what people see from now on: an answer is not mistaken for an older
// one, and an edit counts.
func (h *house) news() func(play.Card) bool {
	type seen struct {
		on               play.Platform
		channel, ts, who string
		edited           int
	}
	of := func(c play.Card) seen { return seen{c.Platform, c.Channel, c.TS, c.Reader, c.Edited} }
	var before []seen
	_ = h.crew.Until(h.Context(), "what is shown", func(all []play.Card) bool {
		for _, c := range all {
			before = append(before, of(c))
		}
		return true
	})
	return func(c play.Card) bool { return !slices.Contains(before, of(c)) }
}

// typesOn has a person say something, and waits for the answer that only they see.
func (h *house) typesOn(p play.Platform, who play.Person, channel, said string, words ...string) play.Card {
	h.Helper()
	fresh := h.news()
	if err := h.crew.Type(h.Context(), who, channel, said); err != nil {
		h.Fatal(err)
	}
	return h.answered(p, who, fresh, words...)
}

func (h *house) answered(p play.Platform, who play.Person, fresh func(play.Card) bool, words ...string) play.Card {
	h.Helper()
	return h.shows("an answer to "+who.Name, func(c play.Card) bool { return on(p, who)(c) && fresh(c) }, words...)
}

// onEach runs a conversation on each platform.
func onEach(t *testing.T, talk func(*testing.T, play.Platform)) {
	t.Helper()
	for _, p := range []play.Platform{play.OnSlack, play.OnTeams} {
		t.Run(string(p), func(t *testing.T) { talk(t, p) })
	}
}

func TestASymptomIsAnsweredFromWhatMicrosoftPublishedAndThenByArticles(t *testing.T) {
	onEach(t, func(t *testing.T, p play.Platform) {
		h := openOn(t, p, withReader, withoutServiceNow)
		h.expectReading()
		h.world.Learn.Set(learn.Modes{NoSearch: true})

		// Nothing is published: how to tell a local fault, and articles.
		fresh := h.news()
		h.typesOn(p, play.Rita, "it-ops", "recommend onedrive shows sync pending for Anna Schmidt", "Microsoft has published nothing yet that fits (read", "it often posts late",
			"To tell a local fault apart", "Look at the same folder in the browser", "Asking Microsoft Learn for “OneDrive sync pending”", "[Share in channel]")
		h.answered(p, play.Rita, fresh, "From Microsoft Learn", "1. OneDrive shows sync pending, because it speaks of", "2. Reset OneDrive sync, because", "3. ", "[1 helped]", "nothing else of your words left")
		if asked := h.world.Learn.Asked(); !slices.Equal(asked, []string{"OneDrive sync pending"}) {
			t.Errorf("what left is %q", asked)
		}

		// Something is published: it comes first, with its workaround. What Learn
		// said is known by now, and nobody asks it again.
		id := h.publishes(slices.IndexFunc(incident.Samples(), func(raw json.RawMessage) bool { return strings.Contains(string(raw), "OD1206391") }))
		h.becomes("the incident to be known", func() (known bool) {
			h.read(func(v engine.View) error { _, err := v.Incident("contoso", id); known = err == nil; return nil })
			return known
		})
		found := h.typesOn(p, play.Rita, "it-ops", "recommend onedrive sync pending", "1. May match "+id, "because it is about Microsoft OneDrive", "Workaround:", "From Microsoft Learn")
		if len(h.world.Learn.Asked()) != 1 || strings.Contains(found.Text, "published nothing") {
			t.Errorf("asked again: %q\n%s", h.world.Learn.Asked(), found.Text)
		}
	})
}

func TestWhenMicrosoftLearnIsSilentTheAnswerSaysSo(t *testing.T) {
	h := openOn(t, play.OnSlack, withReader, withoutServiceNow)
	h.expectReading()
	h.world.Learn.Set(learn.Modes{NoMCP: true, NoSearch: true})
	fresh := h.news()
	h.typesOn(play.OnSlack, play.Rita, "", "recommend outlook search is slow", "published nothing yet")
	h.answered(play.OnSlack, play.Rita, fresh, "Microsoft Learn was asked for “Outlook search slow” and did not answer in time.")
}

// The menu of anybody's message asks whether it is Microsoft; the answer is for
// whoever asked, and what leaves is no more than for typed words.
func TestAMessageOfSomebodysIsAskedAboutPrivately(t *testing.T) {
	onEach(t, func(t *testing.T, p play.Platform) {
		h := openOn(t, p, withReader, withoutServiceNow)
		h.expectReading()
		id := h.publishes(slices.IndexFunc(incident.Samples(), func(raw json.RawMessage) bool { return strings.Contains(string(raw), "OD1206391") }))
		h.becomes("the incident to be known", func() (known bool) {
			h.read(func(v engine.View) error { _, err := v.Incident("contoso", id); known = err == nil; return nil })
			return known
		})
		fresh := h.news()
		shown := h.asksAbout(p, play.Rita, h.writesTo(p, play.Max, "@Sam Duarte all files of Anna Schmidt are in sync pending in OneDrive & nothing helps"))
		if p == play.OnSlack {
			shown = func() string {
				return h.answered(p, play.Rita, fresh, "About the message “").Text
			}
		}
		said := shown()
		for _, want := range []string{"About the message “", "are in sync pending in OneDrive", "1. May match ", id, "Workaround:"} {
			if !strings.Contains(said, want) {
				t.Errorf("no %q in:\n%s", want, said)
			}
		}
		if strings.Contains(said, "slack:") || strings.Contains(said, "<div") {
			t.Errorf("it quotes what nobody wrote:\n%s", said)
		}
		h.answered(p, play.Rita, fresh, "From Microsoft Learn")
		for _, q := range h.world.Learn.Asked() {
			if strings.Contains(q, "Anna") || strings.Contains(q, "Sam") {
				t.Errorf("what left is %q", q)
			}
		}
		h.crewSees(func(c play.Card) {
			if c.Where != "" && c.Reader == "" && (strings.Contains(c.Text, "About the message") || strings.Contains(c.Text, "From Microsoft Learn")) {
				t.Errorf("everybody sees: %s", c.Text)
			}
		})
		fresh = h.news()
		shown = h.asksAbout(p, play.Rita, h.writesTo(p, play.Max, "???"))
		if p == play.OnSlack {
			h.answered(p, play.Rita, fresh, "What is wrong, in your own words?")
		} else if said := shown(); !strings.Contains(said, "What is wrong, in your own words?") {
			t.Error(said)
		}
	})
}

// writesTo has a person write to their colleagues in #it-ops. It gives the
// message's ID.
func (h *house) writesTo(p play.Platform, who play.Person, text string) string {
	h.Helper()
	if p == play.OnSlack {
		if _, err := h.world.Slack.PostAs(who.Slack, play.Ops, "", text); err != nil {
			h.Fatal(err)
		}
		all := h.world.Slack.Snapshot().Messages
		return all[len(all)-1].TS
	}
	out, err := h.world.Teams.Say(who.Entra, play.TeamsOps, text)
	if err != nil {
		h.Fatal(err)
	}
	return out.Activity
}

// asksAbout chooses "Is this Microsoft?" in the menu of a message of #it-ops. On
// Teams it gives what the dialog shows.
func (h *house) asksAbout(p play.Platform, who play.Person, message string) func() string {
	h.Helper()
	if p == play.OnSlack {
		out, err := h.world.Slack.MessageShortcut(who.Slack, play.Ops, message, "is-this-microsoft")
		if err != nil || out.Shown != "" {
			h.Fatal(out.Shown, err)
		}
		return nil
	}
	out, err := h.world.Teams.MessageMenu(who.Entra, play.TeamsOps, message, "is-this-microsoft")
	if err != nil || out.Shown != "" || out.Dialog == "" {
		h.Fatalf("%+v %v", out, err)
	}
	return func() string {
		for _, d := range h.world.Teams.Snapshot().Dialogs {
			if d.ID == out.Dialog {
				return every(d.Card)
			}
		}
		return "no dialog"
	}
}

func (h *house) crewSees(each func(play.Card)) {
	_ = h.crew.Until(h.Context(), "what is shown", func(all []play.Card) bool {
		for _, c := range all {
			each(c)
		}
		return true
	})
}
