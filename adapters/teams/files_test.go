package teams

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// outside finds a file that is not part of the project: env names the folder,
// "../shared/<folder>" beside the module is the default.
func outside(t testing.TB, env, folder, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(outsideFolder(env, folder), name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is not here; set %s to the folder that holds it", name, env)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func outsideFolder(env, folder string) string {
	if dir := os.Getenv(env); dir != "" {
		return dir
	}
	return filepath.Join(moduleRoot(), "..", "shared", folder)
}

func moduleRoot() string {
	root, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(root)
		if up == root {
			break
		}
		root = up
	}
	return root
}

func contract(t testing.TB, name string) []byte {
	return outside(t, "KEYTURN_CONTRACTS", "contracts", name)
}

// golden compares with testdata/name, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got, rewrite with -update):\n%s", name, d)
	}
}
