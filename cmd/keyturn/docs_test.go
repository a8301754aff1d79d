package main

import (
	"flag"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"keyturn/bot"
	"keyturn/bot/bottest"
	"keyturn/commands"
)

var updateDocs = flag.Bool("update-docs", false, "write the pages under docs that are made from the code anew")

// document holds a page of the documentation to what the code says.
func document(t *testing.T, name, want string) {
	t.Helper()
	bottest.Golden(t, filepath.Join("..", "..", "docs", name), want, *updateDocs, "go test ./cmd/keyturn -run Docs -update-docs")
}

const generated = "This page is written by a test from the code (`go test ./cmd/keyturn -run Docs -update-docs`), so it cannot be out of date.\n"

// cell makes a text fit for a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}

var levelWords = map[commands.Level]string{commands.Member: "everybody in the workspace or tenant", commands.Known: "people of the configuration", commands.Holder: "holders of any role", commands.Owner: "owners"}

func TestDocsCommands(t *testing.T) {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# Commands\n\n%s\n## In chat\n", generated)
	p("In Slack type `/keyturn` before the words; in a thread, where Slack has no commands, `@Keyturn`. In Teams write `@Keyturn` before them in a channel, and the")
	p("words alone in a chat with the bot. Every command has a button that does the same. `/keyturn` alone opens a menu, and a mistyped word is answered with the nearest.")
	p("Questions in one's own words are understood too, such as `is OWA down?` or `what about EX123456`; nothing is ever changed by one.\n")
	p("Who may do what with a card stands in [permissions.md](permissions.md).")
	group := ""
	for _, v := range commands.New("/keyturn").Verbs {
		if v.Group != group {
			group = v.Group
			p("\n### %s\n\n| command | what it does | for example | the button | for |\n| --- | --- | --- | --- | --- |", group)
		}
		name := "`" + v.Name + "`"
		for _, a := range v.Also {
			name += ", `" + a + "`"
		}
		who, ok := levelWords[v.Level]
		if !ok {
			t.Errorf("%s: nobody says who may", v.Name)
		}
		p("| %s | %s | `/keyturn %s` | [%s] | %s |", name, cell(v.What), cell(v.Example), v.Button, who)
	}
	p("\n## On the server\n")
	p("A command ends with 0 when it did what it says, with 1 when it could not, and with 2 when it was called wrongly. `--help` after any of them says what it takes.")
	parser, err := kong.New(&cli{}, kong.Name("keyturn"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range parser.Model.Leaves(true) {
		p("\n### keyturn %s\n\n%s\n", strings.TrimPrefix(n.FullPath(), "keyturn "), n.Help)
		rows := 0
		row := func(name, help string) {
			if rows == 0 {
				p("| | |\n| --- | --- |")
			}
			rows++
			p("| `%s` | %s |", name, cell(help))
		}
		for _, a := range n.Positional {
			row(a.Summary(), a.Help)
		}
		for _, group := range n.AllFlags(true) {
			for _, f := range group {
				if f.Name == "help" || f.Hidden {
					continue
				}
				name := "--" + f.Name
				if f.Short != 0 {
					name = "-" + string(f.Short) + ", " + name
				}
				if !f.IsBool() {
					name += " " + strings.ToUpper(strings.Trim(f.FormatPlaceHolder(), `"'=`))
				}
				help := f.Help
				if f.HasDefault {
					help += " Without it: `" + f.Default + "`."
				}
				if f.Required && len(f.Xor) == 0 {
					help += " Has to be given."
				}
				row(name, help)
			}
		}
	}
	document(t, "commands.md", b.String())
}

// confKey is one key of the configuration.
type confKey struct{ path, kind string }

// confKeys lists the keys of the configuration by its types.
func confKeys(t reflect.Type, prefix string) (out []confKey) {
	for f := range yamlFields(t) {
		path := prefix + f.name
		switch k := f.Type; {
		case k == reflect.TypeFor[secret]():
			out = append(out, confKey{path, "reference to a secret"})
		case k == reflect.TypeFor[endpoint]():
			out = append(out, confKey{path, "reference to a secret, or an address"})
		case k == reflect.TypeFor[duration]():
			out = append(out, confKey{path, "time span"})
		case k.Kind() == reflect.Pointer && k.Elem().Kind() == reflect.Struct:
			out = append(append(out, confKey{path, "section"}), confKeys(k.Elem(), path+".")...)
		case k.Kind() == reflect.Struct:
			out = append(append(out, confKey{path, "section"}), confKeys(k, path+".")...)
		case k.Kind() == reflect.Slice && k.Elem().Kind() == reflect.Struct:
			out = append(append(out, confKey{path, "list"}), confKeys(k.Elem(), path+"[].")...)
		default:
			out = append(out, confKey{path, plainKind(k)})
		}
	}
	return out
}

type yamlField struct {
	reflect.StructField
	name string
}

func yamlFields(t reflect.Type) func(func(yamlField) bool) {
	return func(yield func(yamlField) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if name != "" && name != "-" && !yield(yamlField{f, name}) {
				return
			}
		}
	}
}

func plainKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return plainKind(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "list of " + plainKind(t.Elem()) + "s"
	case reflect.Map:
		if t.Elem() == reflect.TypeFor[secret]() {
			return "map to references to secrets"
		}
		return "map to " + strings.TrimPrefix(plainKind(t.Elem()), "map to ")
	case reflect.Int, reflect.Int64:
		return "number"
	}
	return "text"
}

func TestDocsConfiguration(t *testing.T) {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# Configuration\n\n%s", generated)
	p("One YAML file. A key that Keyturn does not know is an error, so a typo switches nothing off. `keyturn check --config FILE` names every error at once, with its fix;")
	p("`keyturn doctor --config FILE` then asks the systems themselves. A change takes effect at the next start.\n")
	p("- **A reference to a secret** is `env:NAME` (an environment variable), `file:/path` or `credential:NAME` (systemd's LoadCredential=). Secrets themselves never stand in the file.")
	p("- **A time span** is written `90s`, `5m`, `8h` or `400d`.")
	p("- `[]` stands for each entry of a list, `NAME` for a name of your own.\n")
	p("The whole in an example stands in the [README](../README.md#run-it), and from nothing to a running bot in [install-slack.md](install-slack.md) and [install-teams.md](install-teams.md).")
	said := map[string]bool{}
	section := func(title, words string) {
		p("\n## %s\n\n%s| key | what it is | |\n| --- | --- | --- |", title, words)
	}
	var below []confKey
	section("The process", "")
	for _, k := range confKeys(reflect.TypeFor[config](), "") {
		words, ok := wordsOn(k.path)
		if !ok {
			t.Errorf("nobody says what the key %s is for", k.path)
		}
		said[k.path] = true
		if strings.Contains(k.path, ".") || k.kind == "section" || k.kind == "list" {
			below = append(below, k)
			continue
		}
		p("| `%s` | %s | %s |", k.path, k.kind, cell(words))
	}
	for _, k := range below {
		words, _ := wordsOn(k.path)
		if !strings.Contains(k.path, ".") {
			section(k.path, words+"\n\n")
			continue
		}
		p("| `%s` | %s | %s |", k.path, k.kind, cell(words))
	}
	for path := range configWords {
		if !said[path] {
			t.Errorf("the configuration has no key %s", path)
		}
	}
	document(t, "configuration.md", b.String())
}

// Every role of the configuration is one that the words name.
func TestDocsConfigurationNamesEveryRole(t *testing.T) {
	for _, r := range bot.Roles {
		if !strings.Contains(configWords["tenants[].roles"], string(r)) && !slices.Contains([]bot.Role{bot.Owner}, r) {
			t.Errorf("the words on tenants[].roles do not name %s", r)
		}
	}
}
