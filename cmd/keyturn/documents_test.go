package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"keyturn/commands"
)

// documents are all pages that people read, by their path from the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	root := filepath.Join("..", "..")
	out := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "deploy/*", "Dockerfile"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			out[filepath.ToSlash(name)] = string(b)
		}
	}
	if len(out) < 15 {
		t.Fatalf("only %d documents were found", len(out))
	}
	return out
}

var (
	linked    = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"`)
	heading   = regexp.MustCompile(`(?m)^#+ (.*)$`)
	codeBlock = regexp.MustCompile("(?ms)^```.*?^```")
	elsewhere = regexp.MustCompile(`^(https?|mailto):`)
)

// anchorsOf are the places of a page that a link can lead to: its headings, as
// GitHub names them, the second of two with the same words with a number.
func anchorsOf(page string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(codeBlock.ReplaceAllString(page, ""), -1) {
		name := strings.ReplaceAll(regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")
		for n, first := 1, name; out[name]; n++ {
			name = first + "-" + string(rune('0'+n))
		}
		out[name] = true
	}
	return out
}

// Every link of every page leads to a page, a picture and a heading that is there.
func TestEveryLinkOfTheDocumentsLeadsSomewhere(t *testing.T) {
	all, anchors := documents(t), 0
	for name, text := range all {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for _, m := range linked.FindAllStringSubmatch(text, -1) {
			to := m[1] + m[2]
			if elsewhere.MatchString(to) {
				continue
			}
			path, anchor, asks := strings.Cut(to, "#")
			target := name
			if path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), path))
			}
			if _, err := os.Stat(filepath.Join("..", "..", target)); err != nil {
				t.Errorf("%s leads to %s, which is not there", name, to)
				continue
			}
			if asks {
				anchors++
				if !anchorsOf(all[target])[anchor] {
					t.Errorf("%s leads to %s, which has no such heading", name, to)
				}
			}
		}
	}
	if anchors < 4 {
		t.Errorf("only %d links to headings were looked at", anchors)
	}
}

// shownCommand is a command line of the program, in a block, in a sentence or in a
// comment. A word that begins with a capital stands for something.
var shownCommand = regexp.MustCompile("(?m)(?:`|^[#$ ]*|sudo |exec keyturn /|-- )(?:go run \\./cmd/keyturn|keyturn-admin|keyturn) ([a-z][^`#|>&;\n]*)")

// Every command of the program that any page shows is one that it has, with flags
// that it knows.
func TestEveryCommandThatADocumentShowsExists(t *testing.T) {
	parser, err := kong.New(&cli{}, kong.Name("keyturn"), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for name, text := range documents(t) {
		for _, m := range shownCommand.FindAllStringSubmatch(text, -1) {
			node, words := parser.Model.Node, strings.Fields(m[1])
			depth := 0
			for _, w := range words {
				i := slices.IndexFunc(node.Children, func(c *kong.Node) bool { return c.Name == w })
				if i < 0 {
					break
				}
				node = node.Children[i]
				depth++
			}
			if depth == 0 || !node.Leaf() && node.DefaultCmd == nil && depth < len(words) {
				t.Errorf("%s shows %q, which is no command", name, m[1])
				continue
			}
			seen[node.FullPath()] = true
			for _, w := range words[depth:] {
				flag, long := strings.CutPrefix(w, "--")
				flag, _, _ = strings.Cut(strings.Trim(flag, "],.)"), "=")
				known := slices.ContainsFunc(slices.Concat(node.AllFlags(false)...), func(f *kong.Flag) bool { return f.Name == flag })
				if long && flag != "" && !known {
					t.Errorf("%s shows %q, and the program has no --%s there", name, m[1], flag)
				}
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d commands were looked at: %v", len(seen), seen)
	}
}

// Every command in chat that a page shows is one that the bot knows.
func TestEveryChatCommandThatADocumentShowsExists(t *testing.T) {
	known := map[string]bool{}
	for _, v := range commands.New("/keyturn").Verbs {
		known[v.Name] = true
		for _, a := range v.Also {
			known[a] = true
		}
	}
	shown := regexp.MustCompile("`(?:/keyturn|@Keyturn) ([a-z-]+)[^`]*`")
	seen := map[string]bool{}
	for name, text := range documents(t) {
		for _, m := range shown.FindAllStringSubmatch(text, -1) {
			if seen[m[1]] = true; !known[m[1]] {
				t.Errorf("%s shows %s, and there is no such word", name, m[0])
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d were looked at", len(seen))
	}
}

// Every target of make that a page names is one of the Makefile.
func TestEveryTargetOfMakeThatADocumentNamesExists(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllSubmatch(makefile, -1) {
		has[string(m[1])] = true
	}
	seen := 0
	for name, text := range documents(t) {
		for _, m := range regexp.MustCompile("(?m)(?:`|^)make ([a-z-]+)").FindAllStringSubmatch(text, -1) {
			if seen++; !has[m[1]] {
				t.Errorf("%s names make %s, which the Makefile does not have", name, m[1])
			}
		}
	}
	if seen < 8 {
		t.Errorf("only %d were looked at", seen)
	}
}

// What lies beside the compose file is not for an image or the repository: the
// configuration, and the folder of secrets that only its own user may read.
func TestWhatLiesBesideTheComposeFileStaysThere(t *testing.T) {
	for file, want := range map[string][]string{".dockerignore": {"**/keyturn.yaml", "**/secrets"}, ".gitignore": {"/deploy/keyturn.yaml", "/deploy/secrets/"}} {
		b, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !slices.Contains(strings.Split(string(b), "\n"), w) {
				t.Errorf("%s does not leave out %s", file, w)
			}
		}
	}
}
