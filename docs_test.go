package keyturn_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/bottest"
	"keyturn/bot/setup"
)

var updateDocs = flag.Bool("update-docs", false, "write the pages under docs that are made from the code anew")

// document holds a page of the documentation to what the code says.
func document(t *testing.T, name, want string) {
	t.Helper()
	bottest.Golden(t, filepath.Join("docs", name), want, *updateDocs, "go test . -run Docs -update-docs")
}

// cell makes a text fit for a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}

func sentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}

func TestDocsGuides(t *testing.T) {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# The guides, step by step\n\nThis page is written by a test from the code (`go test . -run Docs -update-docs`), so it cannot be out of date.\n")
	p("`/keyturn setup` starts a guide. Each step belongs to a role, and whoever holds it is asked when the steps that it needs are done; steps that need nothing of")
	p("each other are handed out at the same time. **Run** means that Keyturn makes the calls once the holder has approved exactly those, and reads the result back.")
	p("**By hand** means that the holder does it on the page that the card links to; Keyturn checks it where anything can be read, and says so where not. The names and")
	p("addresses here are those of a sample, Contoso; the card has your own, each value in a field to copy.")
	for _, g := range setup.Guides() {
		p("\n## `%s`: %s\n\n%s\n", g.ID, g.Title, g.What)
		minutes := 0
		titles := map[setup.StepID]string{}
		for _, s := range g.Steps {
			minutes += s.Minutes
			titles[s.ID] = s.Title
		}
		p("%d steps, about %s of people's time in all. Start it with `/keyturn setup %s`.", len(g.Steps), spanOf(minutes), g.ID)
		for i, s := range g.Steps {
			p("\n### %d. %s\n", i+1, s.Title)
			p("%s\n", sentence(s.What))
			row := func(name, words string) {
				if words != "" {
					p("- **%s** %s", name, sentence(words))
				}
			}
			row("Who:", s.Role.Title())
			row("How:", how(s))
			if s.Minutes > 0 {
				row("Takes:", "about "+spanOf(s.Minutes))
			}
			row("Only:", s.Only)
			if len(s.Needs) > 0 && len(s.Needs) < len(g.Steps)-1 {
				var names []string
				for _, n := range s.Needs {
					names = append(names, titles[n])
				}
				row("After:", strings.Join(names, "; "))
			} else if len(s.Needs) > 1 {
				row("After:", "everything else")
			}
			row("The trap:", s.Trap)
			if s.Guided != nil {
				byHand(p, sampleOf(g), s.Guided)
				row("Leave alone:", s.Guided.Leave)
			}
			row("If it waits:", s.IfWaits)
			row("Undo:", s.Undo)
			if s.FourEyes {
				row("Four eyes:", "whoever asked for the run does not approve it, unless four_eyes is false")
			}
			if s.NoSkip {
				row("Cannot be skipped:", "it proves something, or protects somebody")
			}
		}
	}
	document(t, "guides.md", b.String())
}

// sampleOf is a run of a guide with sample names in the place of an
// organisation's own.
func sampleOf(g *setup.Guide) setup.Context {
	tenant := &bot.Tenant{ID: "contoso", Name: "Contoso", Directory: "00000000-0000-0000-0000-000000000000", Domain: "contoso.onmicrosoft.com", Instance: "contoso.service-now.com"}
	run := setup.New(g, setup.Start{ID: "run-sample", Tenant: tenant, Instance: tenant.Instance, Requester: "rita", At: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)})
	for name, id := range map[string]string{setup.FactEntraClientID: "11111111-1111-1111-1111-111111111111", setup.FactReaderClientID: "22222222-2222-2222-2222-222222222222"} {
		run.Facts[name] = setup.Fact{Value: id}
	}
	return setup.Context{Run: &run, Tenant: tenant}
}

// byHand writes what a person does in the portals: the page, what to do there,
// and the values that the card has for them.
func byHand(p func(string, ...any), c setup.Context, g *setup.Guided) {
	if g.Link != nil {
		if label, url := g.Link(c); url != "" {
			p("- **The page:** %s (`%s`)", label, url)
		}
	}
	if g.Do != nil {
		if do := g.Do(c); len(do) > 0 {
			p("- **On the card:**")
			for i, t := range do {
				p("  %d. %s", i+1, sentence(t.Plain()))
			}
		}
	}
	if g.Copy != nil {
		if values := g.Copy(c); len(values) > 0 {
			p("- **Values to copy:**")
			for _, v := range values {
				if v.Value == "" {
					p("  - %s: what an earlier step brought", v.Label)
					continue
				}
				p("  - %s: `%s`", v.Label, v.Value)
			}
		}
	}
}

func how(s setup.Spec) string {
	var out []string
	if a := s.API; a != nil {
		switch {
		case a.Plan != nil:
			out = append(out, "run on approval")
		case a.Poll:
			out = append(out, "looked for by Keyturn until it is there")
		case a.Auto:
			out = append(out, "read by Keyturn")
		}
		if a.Back != nil {
			out = append(out, "can be undone by Keyturn")
		}
	}
	if s.Guided != nil {
		word := "by hand"
		if s.API == nil || s.API.Prove == nil {
			word += ", confirmed by a person's word"
		} else {
			word += ", then checked"
		}
		out = append(out, word)
	}
	return strings.Join(out, "; ")
}

func spanOf(minutes int) string {
	if d := time.Duration(minutes) * time.Minute; d >= 2*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Round(time.Hour)/time.Hour))
	}
	if minutes == 1 {
		return "a minute"
	}
	return fmt.Sprintf("%d minutes", minutes)
}
