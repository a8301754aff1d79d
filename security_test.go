package keyturn_test

import (
	"regexp"
	"strings"
	"testing"
)

// SECURITY.md names the tests that hold each requirement: a name that no test
// has promises what nobody keeps.
func TestEveryTestThatTheSecurityDocumentNamesExists(t *testing.T) {
	tree := files(t)
	exists := map[string]bool{}
	for name, b := range tree {
		if strings.HasSuffix(name, "_test.go") {
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(b, -1) {
				exists[string(m[1])] = true
			}
		}
	}
	document := string(tree["SECURITY.md"])
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(document, -1)
	if len(named) < 50 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, m := range named {
		if !exists[m[1]] {
			t.Errorf("SECURITY.md names %s, and there is no such test", m[1])
		}
	}
	_, table, _ := strings.Cut(document, "| ASVS | requirement | held by |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range strings.Split(table, "\n") {
		if strings.HasPrefix(row, "| ") && !strings.HasPrefix(row, "| ---") && !strings.Contains(row, "`Test") && !strings.Contains(row, "`Fuzz") {
			t.Errorf("no test holds the requirement %s", row)
		}
	}
}
