package incident

import (
	"os"
	"path/filepath"
	"testing"
)

// dataFile reads a file of real data, or skips the test where there is none.
func dataFile(t testing.TB, name string) []byte {
	t.Helper()
	dir := os.Getenv("KEYTURN_DATA")
	if dir == "" {
		root, err := os.Getwd()
		for err == nil {
			if _, e := os.Stat(filepath.Join(root, "go.mod")); e == nil || filepath.Dir(root) == root {
				break
			}
			root = filepath.Dir(root)
		}
		dir = filepath.Join(root, "..", "shared", "data")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if os.IsNotExist(err) {
		t.Skipf("no real data: set KEYTURN_DATA to the folder that holds %s", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}
