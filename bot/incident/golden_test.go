package incident

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run the tests with -update and look at the new files", err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s is not what it was (-want +got):\n%s", path, d)
	}
}

// drawn is a message as the golden files show it: the styles in a light
// notation, so that a lost link or a lost bold word is a difference.
func drawn(m bot.Message) string {
	var b strings.Builder
	if m.Aloud {
		b.WriteString("(told aloud)\n")
	}
	for _, p := range m.Parts {
		switch p := p.(type) {
		case bot.Paragraph:
			b.WriteString(styled(p.Text) + "\n")
		case bot.Note:
			b.WriteString("(small) " + styled(p.Text) + "\n")
		case bot.Divider:
			b.WriteString("--------\n")
		case bot.Buttons:
			for _, x := range p.Items {
				fmt.Fprintf(&b, "[%s] %s=%s  ", x.Label, x.Action, x.Value)
			}
			b.WriteString("\n")
		case bot.Image:
			b.WriteString("(picture) " + p.Alt + "\n")
		default:
			fmt.Fprintf(&b, "%T %+v\n", p, p)
		}
	}
	return b.String()
}

func styled(t bot.Text) string {
	var b strings.Builder
	for _, s := range t {
		x := s.Text
		if s.Time != nil {
			x = "{" + x + "}"
		}
		if s.Code {
			x = "`" + x + "`"
		}
		if s.Bold {
			x = "**" + x + "**"
		}
		if s.Italic {
			x = "_" + x + "_"
		}
		if s.Who != nil {
			x = "@" + s.Who.ID
		}
		if s.Link != "" {
			x = "[" + x + "](" + s.Link + ")"
		}
		b.WriteString(x)
	}
	return b.String()
}

func parse(t testing.TB, raw json.RawMessage) Issue {
	t.Helper()
	is, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// clock gives the times of readings: one each two minutes.
func clock() func() time.Time {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		at = at.Add(PollEvery)
		return at
	}
}

func TestEveryStoryIsToldAsItWasLastSeen(t *testing.T) {
	for _, story := range SampleStories() {
		var told strings.Builder
		var known *Known
		next := clock()
		id := ""
		for n, raw := range story {
			is := parse(t, raw)
			id = is.ID
			at := next()
			changes := Compare(known, is, at)
			k := Merge(known, is, at)
			known = &k
			fmt.Fprintf(&told, "=== state %d\n", n+1)
			for _, c := range changes {
				fmt.Fprintf(&told, "--- change: %s\n%s", c.Reason, drawn(Reply(k, c)))
			}
			fmt.Fprintf(&told, "--- root\n%s", drawn(Root(k, Subscription{}, Options{})))
		}
		fmt.Fprintf(&told, "=== history\n%s", drawn(History(*known)))
		golden(t, id, told.String())
	}
}
