package keyturn_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// files are the files of the tree by name, as git has or would take them; all
// of them where there is no git.
func files(t *testing.T) map[string][]byte {
	t.Helper()
	var names []string
	if out, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output(); err == nil && len(out) > 0 {
		names = strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	} else {
		err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == ".git":
				return fs.SkipDir
			case d.Type().IsRegular():
				names = append(names, name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	out := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // deleted, and git does not know it yet
		}
		out[filepath.ToSlash(name)] = b
	}
	if len(out["go.mod"]) == 0 {
		t.Fatal("the tree was not found: run the tests from the module's root")
	}
	return out
}

func code(name string) bool {
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "testdata/")
}

func lines(b []byte) int { return bytes.Count(b, []byte("\n")) }

func TestEveryPackageSaysWhatItIsInDocGo(t *testing.T) {
	ours, _ := list(t)
	for _, p := range ours {
		name := filepath.Join(p.Dir, "doc.go")
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Errorf("%s has no doc.go that says what it is: the concept and what always holds (%v)", p.ImportPath, err)
			continue
		}
		if n := lines([]byte(file.Doc.Text())); n < 3 {
			t.Errorf("%s/doc.go has a package comment of %d line(s): say the concept and what always holds, in three lines or more", p.ImportPath, n)
		}
	}
}

func TestNoFileIsTwo(t *testing.T) {
	for name, b := range files(t) {
		if n := lines(b); code(name) && n > 400 {
			t.Errorf("%s has %d lines: above 400 a file is usually two, split it by what each part knows", name, n)
		}
	}
}

func TestNoPackageIsADrawer(t *testing.T) {
	drawer := regexp.MustCompile(`^(utils?|commons?|helpers?|misc)$`)
	ours, _ := list(t)
	for _, p := range ours {
		for _, part := range strings.Split(p.name(), "/") {
			if drawer.MatchString(part) {
				t.Errorf("%s: %q says nothing about what is in it; name the package after what it knows", p.ImportPath, part)
			}
		}
	}
}

func TestNothingIsLeftForLater(t *testing.T) {
	later := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
	for name, b := range files(t) {
		if !code(name) {
			continue
		}
		for i, line := range strings.Split(string(b), "\n") {
			if later.MatchString(line) {
				t.Errorf("%s:%d: %s (do it, or write down why it is as it is)", name, i+1, strings.TrimSpace(line))
			}
		}
	}
}

// What decides must decide the same again: a decision may run more than once,
// and a test cannot wait for Tuesday.
func TestDecisionsReadNoClockAndRollNoDice(t *testing.T) {
	impure := regexp.MustCompile(`\btime\.(Now|Since|Until|After|Sleep|Tick)\(|"(crypto/rand|math/rand|math/rand/v2|os|net|net/http)"$`)
	for name, b := range files(t) {
		pure := strings.HasPrefix(name, "bot/") || strings.HasPrefix(name, "commands/")
		// The engine has the clock as a port, and bottest is test support: it
		// waits for what people see.
		if !code(name) || !pure || strings.HasPrefix(name, "bot/engine/") || strings.HasPrefix(name, "bot/bottest/") {
			continue
		}
		for i, line := range strings.Split(string(b), "\n") {
			if impure.MatchString(line) {
				t.Errorf("%s:%d: %s (time, IDs and randomness are inputs of a decision)", name, i+1, strings.TrimSpace(line))
			}
		}
	}
}

func TestNoTestSleeps(t *testing.T) {
	for name, b := range files(t) {
		inBubble := bytes.Contains(b, []byte(`"testing/synctest"`)) // where sleeping costs nothing
		if strings.HasSuffix(name, "_test.go") && !inBubble && bytes.Contains(b, []byte("time."+"Sleep(")) {
			t.Errorf("%s sleeps: make time a parameter, or use testing/synctest", name)
		}
	}
}

// The tree belongs to everybody: it names neither the machine that it was
// written on nor the mirrors that this machine downloads from.
func TestTheTreeNamesNoMachine(t *testing.T) {
	private := []*regexp.Regexp{
		regexp.MustCompile(`/home/[a-z][a-z0-9_-]+/`), regexp.MustCompile(`/Users/[A-Za-z]`), regexp.MustCompile(`(?i)[a-z]:\\+users\\`),
	}
	for _, dir := range machinePaths(t) {
		private = append(private, regexp.MustCompile(regexp.QuoteMeta(filepath.ToSlash(dir))+`\b`))
	}
	for _, host := range mirrors(t) {
		private = append(private, regexp.MustCompile(`\b`+regexp.QuoteMeta(host)+`\b`))
	}
	for name, b := range files(t) {
		if name == "tree_test.go" || bytes.IndexByte(b, 0) >= 0 {
			continue
		}
		for _, p := range private {
			if hit := p.Find(b); hit != nil {
				t.Errorf("%s names %q, which exists on one machine only", name, hit)
			}
		}
	}
}

// machinePaths are folders of this machine. One of a single name, such as
// /src, is too common to tell anything.
func machinePaths(t *testing.T) []string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, dir := range []string{root, goEnv(t, "GOMODCACHE"), goEnv(t, "GOCACHE")} {
		if strings.Count(filepath.ToSlash(dir), "/") >= 2 {
			out = append(out, dir)
		}
	}
	return out
}

// mirrors are the hosts that this machine takes packages from.
func mirrors(t *testing.T) []string {
	t.Helper()
	local := map[string]bool{"localhost": true, "127.0.0.1": true}
	var out []string
	for _, list := range []string{goEnv(t, "GOPROXY"), goEnv(t, "GOSUMDB"), os.Getenv("NPM_CONFIG_REGISTRY"), os.Getenv("npm_config_registry"), os.Getenv("HTTPS_PROXY"), os.Getenv("https_proxy")} {
		for _, item := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == '|' || r == ' ' }) {
			u, err := url.Parse(item)
			if err == nil && u.Hostname() != "" && !local[u.Hostname()] {
				out = append(out, u.Hostname())
			}
		}
	}
	return out
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatalf("go env %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

// minimums are the oldest versions that a module may go back to, where there is
// a reason. One that is not in go.mod is not asked for.
var minimums = []struct{ module, version, why string }{
	{"github.com/golang-jwt/jwt/v5", "v5.2.2", "older ones split a token at every dot, so a header of dots eats memory (CVE-2025-30204)"},
	{"github.com/golang-jwt/jwt/v4", "v4.5.2", "older ones split a token at every dot, so a header of dots eats memory (CVE-2025-30204)"},
	{"github.com/lestrrat-go/jwx", "v1.2.31", "the last of its line; before v1.2.29 a compressed token is unpacked whatever its size (CVE-2024-28122)"},
	{"github.com/go-jose/go-jose/v4", "v4.0.5", "older ones split a token at every dot, so a header of dots eats memory (CVE-2025-27144)"},
	{"golang.org/x/net", "v0.38.0", "older ones read some unquoted attributes of HTML into the wrong place (CVE-2025-22872)"},
	{"golang.org/x/oauth2", "v0.27.0", "older ones spend memory on malformed tokens (CVE-2025-22868)"},
	{"google.golang.org/protobuf", "v1.33.0", "older ones never finish some invalid JSON, and the sealing keys are read through it (CVE-2024-24786)"},
	{"github.com/getkin/kin-openapi", "v0.131.0", "older ones unpack an uploaded archive of any size (CVE-2025-30153)"},
	{"github.com/gorilla/websocket", "v1.4.1", "older ones overflow a length that the other side gives (CVE-2020-27813)"},
}

func TestNoModuleFallsBelowWhatIsKnownToBeSafe(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatalf("go mod edit: %v", err)
	}
	var mod struct {
		Require []struct{ Path, Version string }
		Replace []struct{ Old struct{ Path string } }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Replace {
		t.Errorf("go.mod replaces %s: a replacement does not reach who installs Keyturn with go install", r.Old.Path)
	}
	checked := 0
	for _, r := range mod.Require {
		for _, m := range minimums {
			if m.module != r.Path {
				continue
			}
			checked++
			if older(t, r.Version, m.version) {
				t.Errorf("%s is at %s, at least %s is needed: %s", r.Path, r.Version, m.version, m.why)
			}
		}
	}
	if checked == 0 {
		t.Error("no module was compared; is go.mod read as it is written?")
	}
}

// Every library that the code uses, tests included, stands in CONTRIBUTING.md
// with its reason.
func TestEveryDependencyHasAReason(t *testing.T) {
	contributing := files(t)["CONTRIBUTING.md"]
	var reasons []string
	for _, m := range regexp.MustCompile("`([a-z0-9.]+\\.[a-z]+/[^`]+)`").FindAllSubmatch(contributing, -1) {
		reasons = append(reasons, string(m[1]))
	}
	ours, standard := list(t)
	missing := map[string]string{}
	for _, p := range ours {
		for _, path := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			first, _, _ := strings.Cut(path, "/")
			reasoned := slices.ContainsFunc(reasons, func(r string) bool { return covers(r+"/...", path) })
			if strings.Contains(first, ".") && !standard[path] && !reasoned {
				missing[path] = p.ImportPath
			}
		}
	}
	for path, in := range missing {
		t.Errorf("%s imports %s, and CONTRIBUTING.md does not say what it is for", in, path)
	}
}

func TestVersionsAreComparedByNumber(t *testing.T) {
	for _, c := range []struct {
		have, want string
		older      bool
	}{
		{"v5.2.1", "v5.2.2", true}, {"v5.2.2", "v5.2.2", false}, {"v5.10.0", "v5.2.2", false}, {"v0.9.9", "v0.38.0", true},
		{"v0.2.6-0.20231130085215-84d2040b3577", "v0.2.6", true}, {"v1.2.3+incompatible", "v1.2.3", false},
	} {
		if got := older(t, c.have, c.want); got != c.older {
			t.Errorf("%s older than %s: %v", c.have, c.want, got)
		}
	}
}

// older reports whether one version comes before another. A version with
// something behind a dash comes before the one without.
func older(t *testing.T, a, b string) bool {
	t.Helper()
	split := func(v string) (n [3]int, pre bool) {
		v, _, _ = strings.Cut(strings.TrimPrefix(v, "v"), "+")
		v, _, pre = strings.Cut(v, "-")
		parts := strings.Split(v, ".")
		if len(parts) != 3 {
			t.Fatalf("%q is no version", v)
		}
		for i, p := range parts {
			var err error
			if n[i], err = strconv.Atoi(p); err != nil {
				t.Fatal(fmt.Errorf("%q is no version: %w", v, err))
			}
		}
		return n, pre
	}
	x, xpre := split(a)
	y, ypre := split(b)
	for i := range x {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return xpre && !ypre
}

// The image is built with the Go that go.mod names: an older one would refuse,
// and images do not fetch another.
func TestTheImageIsBuiltWithTheSameGo(t *testing.T) {
	tree := files(t)
	want := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(tree["go.mod"])
	got := regexp.MustCompile(`(?m)^FROM golang:(\S+)`).FindSubmatch(tree["Dockerfile"])
	if want == nil || got == nil || string(want[1]) != string(got[1]) {
		t.Errorf("go.mod names Go %q, the Dockerfile %q", want, got)
	}
}

// Links between the documents lead somewhere.
func TestLinksInTheDocumentsLeadSomewhere(t *testing.T) {
	tree := files(t)
	link := regexp.MustCompile(`\]\(([^)#\s]+)[^)]*\)`)
	found := 0
	for name, b := range tree {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for _, m := range link.FindAllSubmatch(b, -1) {
			to := string(m[1])
			if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			found++
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), filepath.FromSlash(to))); err != nil {
				t.Errorf("%s links to %s, which is not there", name, to)
			}
		}
	}
	if found == 0 {
		t.Error("no link was looked at")
	}
}
