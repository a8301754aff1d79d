package moments

import (
	"bytes"
	"encoding/json"
	"flag"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyturn/adapters/slack"
	"keyturn/adapters/teams"
	"keyturn/bot"
	"keyturn/bot/bottest"
	"keyturn/commands"
)

var update = flag.Bool("update", false, "write the golden files anew")

// drawn is a message as words and as both platforms get it.
func drawn(t *testing.T, m bot.Message) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("===== words\n" + m.Words() + "\n")
	for _, p := range []struct {
		name string
		draw func(bot.Message) ([]byte, error)
	}{{"Slack", slack.PreviewPayload}, {"Teams", teams.PreviewPayload}} {
		raw, err := p.draw(m)
		if err != nil {
			t.Fatalf("%s cannot be told: %v", p.name, err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, raw, "", " "); err != nil {
			t.Fatal(err)
		}
		b.WriteString("===== " + p.name + "\n" + pretty.String() + "\n")
		whole(t, p.name, m, raw)
	}
	return b.String()
}

// golden compares a message with its file, which -update writes.
func golden(t *testing.T, name string, m bot.Message) {
	t.Helper()
	bottest.Golden(t, filepath.Join("testdata", name+".golden"), drawn(t, m), *update, "go test -update")
}

// buttonsOf are all buttons of a message.
func buttonsOf(m bot.Message) (all []bot.Button) {
	for _, p := range m.Parts {
		if row, ok := p.(bot.Buttons); ok {
			all = append(all, row.Items...)
		}
	}
	return all
}

// whole reports what a platform was not given: a button, or a heading.
func whole(t *testing.T, platform string, m bot.Message, raw []byte) {
	t.Helper()
	var all any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			texts[v] = true
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(all)
	for _, b := range buttonsOf(m) {
		if !texts[b.Label] {
			t.Errorf("%s is not given the button [%s]", platform, b.Label)
		}
	}
}

// marks are the only pictures that the bot draws with letters.
var (
	marks  = map[rune]bool{'⚪': true, '🔵': true, '⏳': true, '✅': true, '☑': true, '⏭': true, '⛔': true, '🔴': true, '🟡': true, '🟢': true, '⚫': true}
	emoji  = regexp.MustCompile(`[\x{2300}-\x{27BF}\x{2B00}-\x{2BFF}\x{1F000}-\x{1FAFF}]`)
	alone  = regexp.MustCompile(`(?m)[⚪🔵⏳✅☑⏭⛔🔴🟡🟢⚫]\x{FE0F}?[ ]*$`)
	chatty = regexp.MustCompile(`(?i)\bplease\b|\boops\b|\bsorry\b|!(\s|$)`)
)

// reads holds a message to the tone and the manners of all others.
func reads(t *testing.T, m bot.Message) {
	t.Helper()
	drawn(t, m)
	words := m.Words()
	if bad := chatty.FindString(words); bad != "" {
		t.Errorf("it says %q:\n%s", bad, words)
	}
	for _, r := range emoji.FindAllString(words, -1) {
		if !marks[[]rune(r)[0]] {
			t.Errorf("%s is no mark of the bot's:\n%s", r, words)
		}
	}
	if bad := alone.FindString(words); bad != "" {
		t.Errorf("the mark %q has no word:\n%s", bad, words)
	}
	clicks := commands.New("/keyturn").Clicks
	row := 0 // primary buttons
	for _, b := range buttonsOf(m) {
		if b.URL == "" && !slices.ContainsFunc(clicks, func(c commands.Click) bool { return c.Action == b.Action }) {
			t.Errorf("[%s] asks for %q, which no command does", b.Label, b.Action)
		}
		// Whoever speaks to their device says what they see.
		if b.Says != "" && !strings.Contains(strings.ToLower(b.Says), strings.ToLower(strings.TrimRight(b.Label, "?"))) {
			t.Errorf("[%s] is read out as %q, which does not have its words", b.Label, b.Says)
		}
		if b.Style == bot.Primary {
			row++
		}
	}
	if row > 1 {
		t.Errorf("%d primary buttons on one card:\n%s", row, words)
	}
}

// Each moment has a file and each file a moment.
func TestNoGoldenFileIsLeftOver(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".golden")
		if !slices.ContainsFunc(moments, func(m moment) bool { return m.name == name }) {
			t.Errorf("%s belongs to no moment", f)
		}
	}
}
