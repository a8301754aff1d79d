package teams

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"keyturn/test/beside"
)

// The library asks for versions of its own dependencies that have known holes,
// and no release of it has what this package needs. So go.mod names the one
// commit, and newer versions of what it asks for.
func TestTheLibraryIsPinnedWithWhatMakesItSafe(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(beside.Module(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"github.com/infracloudio/msbotbuilder-go": `v0\.2\.6-0\.20231130085215-84d2040b3577`,
		"github.com/golang-jwt/jwt/v4":            `v4\.(5\.([2-9]|[1-9][0-9])|([6-9]|[1-9][0-9])\.[0-9]+)`,
		"github.com/lestrrat-go/jwx":              `v1\.2\.(3[1-9]|[4-9][0-9])`,
	} {
		line := regexp.MustCompile(`(?m)^\s+` + regexp.QuoteMeta(name) + ` ` + want + `(\s|$)`)
		if !line.Match(mod) {
			t.Errorf("go.mod does not require %s at %s: go get lowers it, and then its holes are back", name, want)
		}
	}
}
