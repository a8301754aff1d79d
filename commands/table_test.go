package commands

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyturn/bot"
)

func TestEveryButtonsActHasACommandThatDoesTheSame(t *testing.T) {
	table := New("/keyturn")
	seen := map[string]bool{}
	for _, c := range table.Clicks {
		if _, ok := table.Verb(c.Verb); !ok {
			t.Errorf("%s names the command %q, which does not exist", c.Action, c.Verb)
		}
		if seen[c.Action] {
			t.Errorf("%s stands in the table twice", c.Action)
		}
		seen[c.Action] = true
		if c.Run == nil || c.Level == nobody {
			t.Errorf("%s can be asked by nobody", c.Action)
		}
	}
}

// TestEveryButtonOfARunLeadsSomewhere reads the verbs that bot/setup gives its
// buttons.
func TestEveryButtonOfARunLeadsSomewhere(t *testing.T) {
	source, err := os.ReadFile("../bot/setup/checklist.go")
	if err != nil {
		t.Fatal(err)
	}
	acts := regexp.MustCompile(`Act\w+\s+= "([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(acts) < 15 {
		t.Fatalf("only %d verbs were found: were they moved?", len(acts))
	}
	for _, a := range acts {
		if !slices.ContainsFunc(New("/keyturn").Clicks, func(c Click) bool { return c.Action == a[1] }) {
			t.Errorf("a button asks for %q, which the table does not have", a[1])
		}
	}
}

func TestEveryExampleIsTheCommandThatItShows(t *testing.T) {
	table := New("/keyturn")
	names := map[string]string{}
	for _, v := range table.Verbs {
		if v.Group == "" || v.What == "" || v.Level == nobody {
			t.Errorf("%s is not ready for help: %+v", v.Name, v)
		}
		run, level, _, unknown := table.intent(bot.Request{Kind: bot.Typed, Text: v.Example})
		got, ok := table.Verb(strings.Fields(v.Example)[0])
		if run == nil || unknown != nil || level != v.Level || !ok || got.Name != v.Name {
			t.Errorf("the example %q of %s is not understood as it", v.Example, v.Name)
		}
		for _, n := range append([]string{v.Name}, v.Also...) {
			if old, ok := names[strings.ToLower(n)]; ok {
				t.Errorf("%q is %s and %s", n, old, v.Name)
			}
			names[strings.ToLower(n)] = v.Name
		}
	}
}

// TestEveryCommandNamesAButtonThatExists looks for the label where buttons are
// made.
func TestEveryCommandNamesAButtonThatExists(t *testing.T) {
	var source strings.Builder
	for _, dir := range []string{".", "../bot/setup", "../bot/incident", "../bot/engine"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") || name == "buttons.go" {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(b)
		}
	}
	for _, v := range New("/keyturn").Verbs {
		if v.Button == "" || !v.Menu && !strings.Contains(source.String(), `Label: "`+v.Button+`"`) {
			t.Errorf("%s names the button %q, which is nowhere", v.Name, v.Button)
		}
	}
}

func TestWhatWasProbablyMeant(t *testing.T) {
	table := New("/keyturn")
	for typed, want := range map[string]string{
		"subscrbe": "subscribe", "Subscibe": "subscribe", "sbuscribe": "subscribe", "helth": "health", "hlep": "help", "statsu": "status",
		"stepts": "mine", "unsubscrib": "unsubscribe", "incidnet": "incident", "HEALTHH": "health",
	} {
		if v, ok := table.Nearest(typed); !ok || v.Name != want {
			t.Errorf("%q probably means %v, want %s", typed, v, want)
		}
	}
	for _, typed := range []string{"", "weather", "xyzzy", strings.Repeat("subscribe", 20), "\x00\xff"} {
		if v, ok := table.Nearest(typed); ok && typed != "" {
			t.Errorf("%q was taken for %s", typed, v.Name)
		}
	}
}

func TestDistanceCountsWhatFingersDo(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"abc", "ab", 1}, {"ab", "abc", 1}, {"abc", "axc", 1}, {"abc", "acb", 1}, {"abc", "", 3}, {"é", "e", 1}, {"kitten", "sitting", 3}} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != c.want {
			t.Errorf("%q and %q: %d", c.a, c.b, got)
		}
	}
}

// TestALineWithoutALevelIsForNobody holds the default of the choke point.
func TestALineWithoutALevelIsForNobody(t *testing.T) {
	owner := bot.Person{ID: "olga", Name: "Olga"}
	a := &Ask{Tenant: &bot.Tenant{Name: "Contoso", Owners: []bot.PersonID{"olga"}, People: []bot.Person{owner}}, Person: owner}
	if a.may(nobody) == nil || a.may(Level(99)) == nil {
		t.Error("who is not named in the table may")
	}
}
