package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyturn/state"
)

// The configuration that the README shows is one that check accepts, also with
// each of the indented parts that it says can stand in it.
func TestTheReadmesConfigurationIsComplete(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(readme, -1)
	if len(blocks) == 0 {
		t.Fatal("the README shows no configuration")
	}
	key, err := state.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEYTURN_KEY", key)
	t.Setenv("SLACK_SIGNING_SECRET", "secret")
	t.Setenv("SLACK_BOT_TOKEN", "xoxb-1")
	whole := blocks[0][1]
	for _, b := range blocks {
		shown := b[1]
		if strings.HasPrefix(string(shown), " ") {
			shown = append(slices.Clone(whole), shown...)
		}
		accepts(t, "README.md", string(shown))
	}
}
