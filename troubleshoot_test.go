package keyturn_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// saying is one thing that the program says when something does not work.
type saying struct{ code, says, fix, kind string }

// kindFixes is what happens, or what to do, where a failure says no more.
var kindFixes = map[string]string{
	"KindRefused":     "Somebody has to change what it names; then try again.",
	"KindForbidden":   "Have the right or role granted that it names, then try again.",
	"KindSignIn":      "Sign in again, or mend the credential in the configuration; `keyturn doctor` says which.",
	"KindInactive":    "Activate the role in PIM, then click [Activated].",
	"KindPolicy":      "Ask whoever owns the policy for an exception, or do it as the policy wants.",
	"KindNotFound":    "Look whether it was deleted or renamed.",
	"KindConflict":    "Read it again, then decide.",
	"KindThrottled":   "Nothing: Keyturn waits as long as it was asked to, and tries again.",
	"KindUnreachable": "Nothing at first: it is tried again. If it stays, `keyturn doctor` says where the way ends.",
	"KindAmbiguous":   "Nothing: Keyturn looks what is there before it repeats anything.",
	"KindMalformed":   "Look whether a proxy changes the answers; otherwise report it with the request ID.",
	"KindGone":        "Choose another place, or invite Keyturn again.",
	"KindUninstalled": "Install the app again and put the new token into the configuration.",
	"KindBadRequest":  "Report it to whoever maintains Keyturn, with the code and the request ID.",
	"KindForeign":     "It was not called. Name the host in the configuration, if it is right.",
}

// sayers are the functions that make failures: the places of what they say and
// of its fix among their arguments, from the end where negative, and the kind.
var sayers = map[string]struct {
	says, fix int
	kind      string
}{
	"mine":    {-2, -1, "KindBadRequest"},
	"asleep":  {0, 9, "KindUnreachable"},
	"unclear": {0, 9, "KindUnreachable"},
	"bad":     {0, 9, "KindBadRequest"},
	"refused": {0, 9, "KindSignIn"},
}

// noMore is what to do where neither a fix nor a kind says it.
const noMore = "The small line below it has the code and the request ID; `keyturn doctor` says whether the way there and the rights are as they should be."

// sources are the packages that talk about what does not work.
var sources = []struct{ title, dir string }{
	{"Connections, whatever the system", "adapters/httpx"},
	{"Slack", "adapters/slack"},
	{"Microsoft Teams", "adapters/teams"},
	{"Entra and Microsoft Graph", "adapters/graph"},
	{"ServiceNow", "adapters/servicenow"},
	{"Microsoft Learn", "adapters/learn"},
	{"When chat is silent: webhook, mail, monitor, syslog", "adapters/outward"},
	{"Steps of a guide", "bot/setup"},
	{"Runs, approvals and sign-ins", "bot/engine"},
	{"Commands in chat", "commands"},
}

func TestDocsTroubleshoot(t *testing.T) {
	head, err := os.ReadFile(filepath.Join("docs", "parts", "troubleshoot.md"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("%s", strings.TrimSpace(string(head)))
	p("\n## Everything that Keyturn says when something does not work\n")
	p("These tables are written by a test from the code (`go test . -run Docs -update-docs`), so none is missing. \"…\" stands for a name or a value, or for")
	p("the system's own words. A code is the system's own, as the card shows it small below.")
	total := 0
	for _, s := range sources {
		all := sayings(t, s.dir)
		total += len(all)
		if len(all) == 0 {
			continue
		}
		p("\n### %s\n\n| it says | what to do |\n| --- | --- |", s.title)
		for _, x := range all {
			says := x.says
			if x.code != "" {
				says += " (`" + x.code + "`)"
			}
			p("| %s | %s |", cell(says), cell(cmp.Or(x.fix, kindFixes[x.kind], noMore)))
		}
	}
	if total < 250 {
		t.Errorf("only %d sayings were found: they are made in another way now", total)
	}
	p("\n### `keyturn check`: the configuration\n\nEach begins with the key that it is about.\n")
	for _, f := range complaints(t) {
		p("- %s", f)
	}
	document(t, "troubleshoot.md", b.String())
}

// What Microsoft's own app in ServiceNow says stands in the page, word for word.
func TestDocsTroubleshootHasMicrosoftsTexts(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("docs", "troubleshoot.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"Read operation against 'oauth_entity' from scope 'x_mioms_m365_assis' has been refused due to the table's cross-scope access policy",
		"Please contact your ServiceNow admin and ask them to complete the setup steps for the app.",
		"Please contact your ServiceNow admin and ask them to complete the final set up step for the app.",
		"is not a valid Microsoft 365 admin account. You need Microsoft 365 admin privileges to open a service request. In the app, link the admin account.",
		"Please contact app support.", "Unable to save ticket details. Please contact App support.", "x_mioms_m365_assit", "connector.rave.microsoft.com",
	} {
		if !strings.Contains(string(page), text) {
			t.Errorf("docs/troubleshoot.md does not have %q", text)
		}
	}
	for kind, fix := range kindFixes {
		if fix == "" {
			t.Errorf("nobody says what to do about %s", kind)
		}
	}
}

// sourceOf parses the Go files of a package, without its tests.
func sourceOf(t *testing.T, dir string) []*ast.File {
	t.Helper()
	set := token.NewFileSet()
	var out []*ast.File
	paths, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range paths {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, filepath.Join(dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// sayings lists what a package says of failures, each once, by their words.
func sayings(t *testing.T, dir string) []saying {
	t.Helper()
	parsed := sourceOf(t, dir)
	w := words{}
	for _, f := range parsed {
		w.learn(f)
	}
	var out []saying
	add := func(s saying) {
		s.says, s.fix = strings.TrimSpace(s.says), strings.TrimSpace(s.fix)
		if strings.Trim(s.says, "… .:\"") == "" || len(s.says) < 12 {
			return
		}
		for i, o := range out {
			if o.says == s.says && o.code == s.code {
				out[i].fix, out[i].kind = cmp.Or(o.fix, s.fix), cmp.Or(o.kind, s.kind)
				return
			}
		}
		out = append(out, s)
	}
	for _, f := range parsed {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if lit, ok := n.Value.(*ast.CompositeLit); ok {
					if s, ok := w.literal(lit); ok {
						s.code = w.code(n.Key)
						add(s)
						return false
					}
				}
			case *ast.CompositeLit:
				if s, ok := w.literal(n); ok {
					add(s)
				}
			case *ast.BlockStmt:
				w.block(n.List, add)
			case *ast.CaseClause:
				w.block(n.Body, add)
			case *ast.CallExpr:
				add(w.called(n))
			case *ast.FuncDecl:
				w.pairs(n, add)
			}
			return true
		})
	}
	slices.SortFunc(out, func(a, b saying) int { return cmp.Or(cmp.Compare(a.says, b.says), cmp.Compare(a.code, b.code)) })
	return out
}

// words are the constant texts of a package.
type words map[string]string

func (w words) learn(f *ast.File) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST && g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			for i, name := range v.Names {
				if i < len(v.Values) {
					if text, ok := w.text(v.Values[i]); ok && text != "…" {
						w[name.Name] = text
					}
				}
			}
		}
	}
}

var verb = regexp.MustCompile(`%[+#]?[a-z]`)

// text is what an expression says, with "…" for what is not known before.
func (w words) text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		a, okA := w.text(e.X)
		b, okB := w.text(e.Y)
		return strings.ReplaceAll(a+b, "……", "…"), e.Op == token.ADD && (okA || okB)
	case *ast.ParenExpr:
		return w.text(e.X)
	case *ast.Ident:
		if s, ok := w[e.Name]; ok {
			return s, true
		}
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Sprintf" {
			text, ok := w.text(e.Args[0])
			return verb.ReplaceAllString(text, "…"), ok
		}
		if f, ok := e.Fun.(*ast.Ident); ok && f.Name == "quote" {
			return " …", true
		}
	}
	return "…", false
}

// literal reads a failure that is written down, by field or by place.
func (w words) literal(lit *ast.CompositeLit) (s saying, ok bool) {
	for i, e := range lit.Elts {
		kv, named := e.(*ast.KeyValueExpr)
		if !named {
			if len(lit.Elts) == 3 && i == 0 && strings.HasPrefix(selected(e), "Kind") {
				s.kind = selected(e)
				s.says, ok = w.text(lit.Elts[1])
				s.fix, _ = w.text(lit.Elts[2])
				return s, ok
			}
			return s, false
		}
		key, _ := kv.Key.(*ast.Ident)
		switch {
		case key == nil, key.Name == "Label", key.Name == "Action": // a button says what it does
			return s, false
		case key.Name == "Says":
			s.says, ok = w.text(kv.Value)
		case key.Name == "Fix":
			s.fix, _ = w.text(kv.Value)
		case key.Name == "Kind":
			s.kind = selected(kv.Value)
		}
	}
	return s, ok
}

func selected(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		return s.Sel.Name
	}
	return ""
}

// code is the system's code that a table has as its key.
func (w words) code(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	switch {
	case !ok:
		return ""
	case lit.Kind == token.INT:
		return "AADSTS" + lit.Value
	}
	s, _ := strconv.Unquote(lit.Value)
	return s
}

// assigned reads f.Says, f.Fix = …
func (w words) assigned(n *ast.AssignStmt) (s saying) {
	if len(n.Lhs) != len(n.Rhs) {
		return s
	}
	for i, l := range n.Lhs {
		text, ok := w.text(n.Rhs[i])
		switch {
		case n.Tok != token.ASSIGN:
		case selected(l) == "Says" && ok:
			s.says = text
		case selected(l) == "Fix" && ok:
			s.fix = text
		case selected(l) == "Kind":
			s.kind = selected(n.Rhs[i])
		}
	}
	return s
}

// block reads what a block assigns to a failure, in one statement or in several
// that follow each other.
func (w words) block(list []ast.Stmt, add func(saying)) {
	var s saying
	for _, stmt := range list {
		a, ok := stmt.(*ast.AssignStmt)
		if !ok {
			continue
		}
		next := w.assigned(a)
		if next.says != "" && s.says != "" {
			add(s)
			s = saying{}
		}
		s = saying{says: cmp.Or(next.says, s.says), fix: cmp.Or(next.fix, s.fix), kind: cmp.Or(next.kind, s.kind)}
	}
	if s.says != "" {
		add(s)
	}
}

// called reads the functions that make failures.
func (w words) called(n *ast.CallExpr) (s saying) {
	f, ok := n.Fun.(*ast.Ident)
	if !ok {
		return s
	}
	at, known := sayers[f.Name]
	if !known {
		return s
	}
	arg := func(i int) string {
		if i < 0 {
			i += len(n.Args)
		}
		if i < 0 || i >= len(n.Args) {
			return ""
		}
		text, ok := w.text(n.Args[i])
		if !ok {
			return ""
		}
		return text
	}
	return saying{says: arg(at.says), fix: strings.Trim(arg(at.fix), "…"), kind: at.kind}
}

// complaints are those of check, with their fixes in them.
func complaints(t *testing.T) []string {
	t.Helper()
	w := words{}
	var out []string
	for _, f := range sourceOf(t, "cmd/keyturn") {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || selected(call.Fun) != "add" || len(call.Args) == 0 {
				return true
			}
			if x, ok := call.Fun.(*ast.SelectorExpr).X.(*ast.Ident); !ok || x.Name != "f" {
				return true
			}
			if text, ok := w.text(call.Args[0]); ok {
				if text = cell(verb.ReplaceAllString(text, "…")); !slices.Contains(out, text) && strings.Trim(text, "…: ") != "" {
					out = append(out, text)
				}
			}
			return true
		})
	}
	slices.Sort(out)
	return out
}
