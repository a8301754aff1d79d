package bottest

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Golden holds a file to what the code makes. With write it writes the file
// instead; how is the command line that does so, for whoever reads of a difference.
func Golden(t testing.TB, path, got string, write bool, how string) {
	t.Helper()
	if write {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (%s writes it)", err, how)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s changed (%s accepts it, once it was looked at; -want +got):\n%s", path, how, d)
	}
}
