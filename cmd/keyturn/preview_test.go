package main

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"keyturn/bot/incident"
	"keyturn/test/beside"
)

// saved is the path of a recorded answer; without it the test is skipped.
func saved(t *testing.T, name string) string {
	t.Helper()
	beside.Data(t, name)
	return beside.DataFile(name)
}

// preview runs the command for Slack and gives its lines.
func preview(t *testing.T, args ...string) []string {
	t.Helper()
	return previewFor(t, "slack", args...)
}

func previewFor(t *testing.T, platform string, args ...string) []string {
	t.Helper()
	var out, complaint strings.Builder
	if code := run(t.Context(), append([]string{"preview", "--platform", platform}, args...), &out, &complaint); code != 0 {
		t.Fatalf("preview ended with %d: %s", code, complaint.String())
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestOurOwnSamplesAreDrawnWithinSlacksLimits(t *testing.T) {
	var files []string
	stories := incident.SampleStories()
	for i, story := range stories {
		b, err := json.Marshal(map[string]any{"value": story})
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, filepath.Join(t.TempDir(), fmt.Sprintf("story%d.json", i)))
		if err := os.WriteFile(files[i], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := preview(t, files...)
	if len(roots) < len(stories) {
		t.Errorf("%d stories gave %d messages", len(stories), len(roots))
	}
	threads := preview(t, append(files, "--thread")...)
	if len(threads) <= 2*len(roots) {
		t.Errorf("with their threads %d messages, %d without: each issue has a history, and some have replies", len(threads), len(roots))
	}
	for i, line := range threads {
		for _, w := range refused(line) {
			t.Errorf("line %d: %s\n%s", i+1, w, line)
		}
	}
}

func TestMicrosoftsRealTextIsDrawnWithinSlacksLimits(t *testing.T) {
	for name, atLeast := range map[string]int{"graph/issues.json": 11, "graph/messages.json": 300} {
		t.Run(name, func(t *testing.T) {
			lines := preview(t, "--thread", saved(t, name))
			if len(lines) < atLeast {
				t.Errorf("%d messages, the file holds more", len(lines))
			}
			for i, line := range lines {
				for _, w := range refused(line) {
					t.Errorf("line %d: %s", i+1, w)
				}
			}
		})
	}
}

// Teams takes cards of about 28 KB, and shows what is in a text as it stands.
func TestMicrosoftsRealTextIsDrawnWithinTheSizeOfATeamsCard(t *testing.T) {
	for _, name := range []string{"graph/issues.json", "graph/messages.json"} {
		t.Run(name, func(t *testing.T) {
			for i, line := range previewFor(t, "teams", "--thread", saved(t, name)) {
				var body struct {
					Summary     string `json:"summary"`
					Attachments []struct {
						Content json.RawMessage `json:"content"`
					} `json:"attachments"`
				}
				if err := json.Unmarshal([]byte(line), &body); err != nil || len(body.Attachments) != 1 || body.Summary == "" {
					t.Fatalf("line %d is no activity with one card and a summary: %v\n%s", i+1, err, line)
				}
				if n := len(body.Attachments[0].Content); n > 28_000 {
					t.Errorf("line %d: a card of %d bytes", i+1, n)
				}
				for words := range strings.Lines(every(body.Attachments[0].Content)) {
					found := markup.FindString(codeSpan.ReplaceAllString(words, ""))
					if found != "" && found != strings.TrimSpace(words) { // one alone is code that Microsoft quotes
						t.Errorf("line %d: a reader would see %q in: %s", i+1, found, words)
					}
				}
			}
		})
	}
}

// The limits of Slack's "Block Kit: blocks" reference and "Truncating really
// long messages".
const (
	mostBlocks = 50
	mostText   = 40000
)

var mostCharacters = map[string]int{"section": 3000, "header": 150, "context": 3000, "button": 75}

// refused is what Slack or a reader would not take of a payload.
func refused(line string) []string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	var body struct {
		Text   string           `json:"text"`
		Blocks []map[string]any `json:"blocks"`
	}
	if err := json.Unmarshal([]byte(line), &body); err != nil {
		return []string{"no payload: " + err.Error()}
	}
	if body.Text == "" || units(body.Text) > mostText {
		say("a text of %d characters", units(body.Text))
	}
	if n := len(body.Blocks); n == 0 || n > mostBlocks {
		say("%d blocks", n)
	}
	notification := body.Text
	texts(body.Blocks, "", func(in, kind, text string) {
		for _, code := range codeSpan.FindAllString(text, -1) { // the notification has it without its marks
			notification = strings.ReplaceAll(notification, strings.Trim(code, "`"), "")
		}
		if most := mostCharacters[in]; most > 0 && units(text) > most || text == "" {
			say("a %s has a text of %d characters", in, units(text))
		}
		if found := raw(kind, text); found != "" {
			say("a reader would see %q in: %s", found, text)
		}
	})
	if found := raw("mrkdwn", notification); found != "" {
		say("a notification would show %q", found)
	}
	return wrong
}

// texts gives every text of blocks with the kind of what holds it.
func texts(v any, in string, each func(in, kind, text string)) {
	switch v := v.(type) {
	case []map[string]any:
		for _, x := range v {
			texts(x, in, each)
		}
	case []any:
		for _, x := range v {
			texts(x, in, each)
		}
	case map[string]any:
		kind, _ := v["type"].(string)
		if text, ok := v["text"].(string); ok {
			each(in, kind, text)
		}
		if kind != "" && kind != "mrkdwn" && kind != "plain_text" {
			in = kind
		}
		for _, x := range v {
			texts(x, in, each)
		}
	}
}

var (
	control  = regexp.MustCompile(`<(!date\^[^>]*|(https?|mailto):[^>]*)>`)
	markup   = regexp.MustCompile(`(?i)</?(p|br|b|i|u|a|em|strong|div|span|ul|ol|li|h[1-6]|table|tbody|tr|td|th|img|font|style|script)(\s[^<>]*)?/?>`)
	codeSpan = regexp.MustCompile("`[^`\\n]*`")
	entity   = regexp.MustCompile(`&(#[0-9]+|#x[0-9a-fA-F]+|nbsp|amp|lt|gt|quot|apos|rsquo|lsquo|ldquo|rdquo|ndash|mdash|hellip|bull|copy|reg|trade|eacute|middot);`)
)

// raw finds markup or an entity that a reader would see in a text: Slack reads
// three escapes in mrkdwn and none in plain and rich text.
func raw(kind, text string) string {
	if kind == "mrkdwn" {
		text = control.ReplaceAllString(text, "")
		if i := strings.IndexByte(text, '<'); i >= 0 {
			return text[i:min(len(text), i+20)]
		}
		text = html.UnescapeString(strings.NewReplacer("&amp;", "\x00").Replace(text))
		text = strings.ReplaceAll(text, "\x00", "&")
	}
	text = codeSpan.ReplaceAllString(text, "") // code that Microsoft quotes as such
	if found := markup.FindString(text); found != "" {
		return found
	}
	return entity.FindString(text)
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

// What the tests above rely on: the check refuses what it is there for.
func TestTheCheckOfPayloadsFindsWhatIsWrong(t *testing.T) {
	section := func(text string) string {
		b, _ := json.Marshal(map[string]any{"text": "x", "blocks": []any{map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": text}}}})
		return string(b)
	}
	for _, good := range []string{"Plain", "Q&amp;A for *all*", "see <https://x.example/?a=1&amp;b=2|here>", "the table &lt;table-name&gt;", "since <!date^1^{time}|10:00 UTC>"} {
		if w := refused(section(good)); len(w) > 0 {
			t.Errorf("%q was refused: %q", good, w)
		}
	}
	for _, bad := range []string{"", strings.Repeat("a", 3001), "<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;", "don&amp;rsquo;t", "a&amp;nbsp;b", "<!channel> wake up"} {
		if len(refused(section(bad))) == 0 {
			t.Errorf("%.30q was not refused", bad)
		}
	}
	if len(refused(`{"text":"x","blocks":[]}`)) == 0 || len(refused("{")) == 0 {
		t.Error("a payload without blocks was not refused")
	}
}
