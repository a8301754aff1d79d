package bot_test

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

var (
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	erin  = bot.Account{Platform: bot.Slack, Team: "T1", ID: "U1"}
	parts = []bot.Part{
		bot.Heading{Text: "2 steps wait for you"},
		bot.Paragraph{Text: bot.Join(bot.B("Bold"), bot.I("italic"), bot.C("code"), bot.Text{{Text: "gone", Strike: true}}, bot.Link("here", "https://example.com"),
			bot.Mention(erin, "Erin"), bot.Text{{Text: "@entra", Group: "S1"}}, bot.When(noon, bot.DateOnly))},
		bot.Pairs{Items: []bot.Pair{{Label: "Tenant", Value: bot.T("Contoso")}, {Label: "Instance", Value: bot.C("contoso.service-now.com")}}},
		bot.Numbered{Items: []bot.Text{bot.T("Open it"), bot.T("Close it")}},
		bot.Copy{Label: "Application ID", Value: "a1"},
		bot.Code{Title: "1. Makes it", Text: "POST /applications"},
		bot.Code{Text: "bare"},
		bot.Note{Text: bot.T("Run r1")},
		bot.Divider{},
		bot.Image{URL: "https://example.com/p.png", Alt: "A falling line"},
		bot.Buttons{Items: []bot.Button{{Label: "Undo", Action: "step-undo", Value: "r1/s/d", Style: bot.Danger, Says: "Undo the step",
			Confirm: &bot.Confirm{Title: "Undo?", Text: "It goes.", Yes: "Undo", No: "Leave it"}}, {Label: "Open", URL: "https://example.com"}}},
	}
)

func TestEveryPartSurvivesTheStore(t *testing.T) {
	for _, p := range parts {
		sent := bot.Message{Key: "k", Parts: []bot.Part{p}, Aloud: true}
		b, err := json.Marshal(sent)
		if err != nil {
			t.Fatalf("%T: %v", p, err)
		}
		var got bot.Message
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%T: %v", p, err)
		}
		if d := cmp.Diff(sent, got); d != "" {
			t.Errorf("%T changed in the store (-sent +got):\n%s", p, d)
		}
	}
}

func TestTheWholeMessageSurvivesTheStoreTwice(t *testing.T) {
	sent := bot.Message{Key: "run/r1/checklist", Parts: parts}
	first, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	var got bot.Message
	if err := json.Unmarshal(first, &got); err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != string(second) {
		t.Errorf("the bytes changed, so the ledger would think that the words did:\n%s\n%s", first, second)
	}
}

// TestNoKindOfPartIsForgotten holds the list above against the source: a new
// part has to be in it, so that its way through the store is tested.
func TestNoKindOfPartIsForgotten(t *testing.T) {
	source, err := os.ReadFile("message.go")
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, p := range parts {
		tested[reflect.TypeOf(p).Name()] = true
	}
	kinds := regexp.MustCompile(`func \((\w+)\) kind\(\)`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) == 0 {
		t.Fatal("message.go declares no part at all")
	}
	for _, k := range kinds {
		if !tested[k[1]] {
			t.Errorf("%s is not in the list of parts that are tested", k[1])
		}
	}
}

func TestAPartOfANewerKeyturnIsAnErrorThatSaysSo(t *testing.T) {
	for _, stored := range []string{
		`{"parts":[{"kind":"hologram","part":{}}]}`,
		`{"parts":[{"kind":"heading","part":[1]}]}`,
		`{"parts":[{"kind":"copy"}]}`,
		`{"parts":{}}`,
	} {
		m := bot.Message{Key: "as it was"}
		if err := json.Unmarshal([]byte(stored), &m); err == nil {
			t.Errorf("%s was read as %+v", stored, m)
		}
	}
	var m bot.Message
	err := json.Unmarshal([]byte(`{"parts":[{"kind":"hologram","part":{}}]}`), &m)
	if err == nil || !strings.Contains(err.Error(), "hologram") || !strings.Contains(err.Error(), "newer Keyturn") {
		t.Errorf("the error is %v", err)
	}
}

func TestWordsSayEverything(t *testing.T) {
	want := `2 steps wait for you
Bolditaliccodegonehere` + "Erin" + `@entra23 Nov 2026
Tenant: Contoso
Instance: contoso.service-now.com
1. Open it
2. Close it
Application ID: a1
1. Makes it:
POST /applications
bare
Run r1
A falling line
[Undo] [Open]`
	if d := cmp.Diff(want, bot.Message{Parts: parts}.Words()); d != "" {
		t.Errorf("what a screen reader reads (-want +got):\n%s", d)
	}
	if (bot.Message{}).Words() != "" || !(bot.Message{}).Empty() {
		t.Error("an empty message says something")
	}
	m := bot.Say(bot.T("a"), bot.T("b"))
	m.Add(bot.Note{Text: bot.T("c")})
	if m.Words() != "ab\nc" || m.Empty() {
		t.Errorf("Say and Add give %q", m.Words())
	}
}
