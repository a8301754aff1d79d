package teams

import (
	"flag"
	"path/filepath"
	"testing"

	"keyturn/bot/bottest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden holds testdata/name to what was drawn.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	bottest.Golden(t, filepath.Join("testdata", name), string(got), *update, "go test ./adapters/teams -update")
}
