package playground

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What is installed, pinned: another version is another client.
var packages = map[string]string{
	"@microsoft/m365agentsplayground": "0.2.28",
	"playwright-core":                 "1.65.1",
}

// tools are the programs that the test needs and the project does not hold.
type tools struct {
	node, chromium string
	dir            string // where the packages are installed
}

// without skips the test for want of something, or fails it where nothing may
// be green that was not looked at.
func without(t *testing.T, format string, args ...any) {
	t.Helper()
	why := fmt.Sprintf(format, args...)
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI is true, so this test must not be skipped: %s", why)
	}
	t.Skipf("Microsoft's client is not tried: %s", why)
}

func findTools(t *testing.T) tools {
	t.Helper()
	if testing.Short() {
		t.Skip("Microsoft's client is not tried: it takes half a minute, and -short was given")
	}
	if os.Getenv("KEYTURN_PLAYGROUND") == "off" {
		t.Skip("Microsoft's client is not tried: KEYTURN_PLAYGROUND is off")
	}
	if underRace {
		t.Skip("Microsoft's client is not tried again under the race detector: the bot is a process of its own, which was not built with it")
	}
	var found tools
	var err error
	npm, err := exec.LookPath("npm")
	if err != nil {
		without(t, "npm is not in the PATH; install Node.js with npm")
	}
	if found.node, err = exec.LookPath("node"); err != nil {
		without(t, "node is not in the PATH; install Node.js")
	}
	if found.chromium = chromium(); found.chromium == "" {
		without(t, "there is no Chromium in the PATH; install it (on Debian: apt-get install chromium), or name it in KEYTURN_CHROMIUM")
	}
	if found.dir, err = installed(npm); err != nil {
		without(t, "%v", err)
	}
	return found
}

func chromium() string {
	if named := os.Getenv("KEYTURN_CHROMIUM"); named != "" {
		return named
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// installed is the folder with the packages. They are installed where they are
// not there yet, beside it, and moved in whole: two tests may do so at once.
func installed(npm string) (string, error) {
	dir := os.Getenv("KEYTURN_PLAYGROUND")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("there is no cache folder to install it into (%w); name one in KEYTURN_PLAYGROUND", err)
		}
		dir = filepath.Join(cache, "keyturn", "playground")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	name := dir + "-" + packages["@microsoft/m365agentsplayground"] + "-" + packages["playwright-core"]
	if complete(name) {
		return name, nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return "", fmt.Errorf("the folder for it cannot be made: %w", err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(name), "installing-")
	if err != nil {
		return "", fmt.Errorf("the folder for it cannot be made: %w", err)
	}
	defer os.RemoveAll(fresh)
	args := []string{"install", "--prefix", fresh, "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock", "--fetch-retries=5"}
	for p, version := range packages {
		args = append(args, p+"@"+version)
	}
	if out, err := exec.Command(npm, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm could not install it (%w):\n%s", err, out)
	}
	if err := os.RemoveAll(name); err != nil { // what is there is not complete
		return "", fmt.Errorf("an incomplete installation cannot be removed: %w", err)
	}
	if err := os.Rename(fresh, name); err != nil && !complete(name) {
		return "", fmt.Errorf("the installation cannot be moved to its place: %w", err)
	}
	if !complete(name) {
		return "", fmt.Errorf("npm installed other versions into %s than were asked for", name)
	}
	return name, nil
}

// complete reports whether a folder holds the packages in their versions.
func complete(dir string) bool {
	for p, version := range packages {
		b, err := os.ReadFile(filepath.Join(dir, "node_modules", filepath.FromSlash(p), "package.json"))
		var found struct{ Version string }
		if err != nil || json.Unmarshal(b, &found) != nil || found.Version != version {
			return false
		}
	}
	return true
}
