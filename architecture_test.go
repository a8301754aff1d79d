package keyturn_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rule says what one kind of package may import besides the standard library,
// and why not more.
type rule struct {
	of    string   // import path below the module, as a regular expression
	may   []string // import paths, ours written ./bot; a /... takes in what is below
	never []string // what must not even be reached through others
	why   string
}

// vendor libraries of the adapters and drivers of the stores: each has its own
// and nobody else's.
var (
	vendors = map[string][]string{
		"adapters/slack": {"github.com/slack-go/slack/...", "github.com/gorilla/websocket"}, // slack-go's Socket Mode takes a dialer of the second
		"adapters/teams": {"github.com/infracloudio/msbotbuilder-go/..."},
		"adapters/learn": {"github.com/modelcontextprotocol/go-sdk/mcp"},
	}
	drivers = map[string]string{"state/bolt": "go.etcd.io/bbolt/...", "state/postgres": "github.com/jackc/pgx/v5/..."}
)

var rules = []rule{
	{
		of:    `bot`,
		never: []string{"net/http", "os/exec"},
		why:   "bot is the language that all others speak: what it imports, everything depends on",
	},
	{
		of:    `bot/bottest`,
		may:   []string{"./bot", "./bot/incident", "golang.org/x/net/html/...", "github.com/google/go-cmp/..."},
		never: []string{"net/http", "os/exec", "./adapters/...", "./sim/..."},
		why:   "the conformance suite holds every chat adapter to the same behaviour, with the messages that channels really get, so it must know neither an adapter nor a platform",
	},
	{
		of:    `bot/(setup|incident|recommend)`,
		may:   []string{"./bot", "golang.org/x/net/html/..."},
		never: []string{"net/http", "os/exec"},
		why:   "these decide and do nothing: what reaches the outside world cannot be decided twice and tested by table",
	},
	{
		of:    `bot/engine`,
		may:   []string{"./bot", "./bot/setup", "./bot/incident", "./bot/recommend", "golang.org/x/time/rate"},
		never: []string{"net/http", "os/exec"},
		why:   "the engine knows stores and platforms only through its ports, so that one loop serves them all",
	},
	{
		of:    `commands`,
		may:   []string{"./bot", "./bot/..."},
		never: []string{"net/http", "os/exec", "./adapters/...", "./state/...", "./sim/..."},
		why:   "a verb decides on a snapshot; an adapter or a store in it would let it act before its commit",
	},
	{
		of:    `adapters/chart`,
		may:   []string{"./bot/incident", "gonum.org/v1/plot/..."},
		never: []string{"net/http", "os/exec", "./adapters/httpx", "./state/...", "./commands", "./sim/...", "./cmd/..."},
		why:   "a picture is drawn from the neutral data of bot/incident and nothing else, so that the same data give the same picture",
	},
	{
		of:    `adapters/outward`,
		may:   []string{"./bot", "./adapters/httpx"},
		never: []string{"./state/...", "./commands", "./sim/...", "./cmd/..."},
		why:   "the way that is left when everything else is down leans on nothing that can be down with it",
	},
	{
		of:    `adapters/[a-z]+`,
		may:   []string{"./bot", "./adapters/httpx", "golang.org/x/oauth2/...", "github.com/coreos/go-oidc/v3/...", "golang.org/x/time/rate", "github.com/golang-jwt/jwt/v5"},
		never: []string{"./state/...", "./commands", "./sim/...", "./cmd/..."},
		why:   "an adapter translates between bot and one outside system; a second adapter or the store in it ties two systems together",
	},
	{
		of:    `state`,
		may:   []string{"./bot", "./bot/...", "github.com/tink-crypto/tink-go/v2/..."},
		never: []string{"./adapters/...", "./commands", "./sim/..."},
		why:   "the store keeps what the domain says and knows nothing of who said it",
	},
	{
		of:    `state/statetest`,
		may:   []string{"./bot", "./bot/...", "./state", "github.com/google/go-cmp/..."},
		never: []string{"./adapters/...", "./commands", "./sim/...", "./state/bolt", "./state/postgres"},
		why:   "the conformance suite holds every store to the same contract, so it must not know one of them",
	},
	{
		of:    `state/[a-z]+`,
		may:   []string{"./bot", "./bot/...", "./state", "github.com/tink-crypto/tink-go/v2/..."},
		never: []string{"./adapters/...", "./commands", "./sim/..."},
		why:   "a store is the contract and one driver",
	},
	{
		// golang-jwt stands here as a wire library: tokens are what Microsoft's
		// sign-in speaks, as DNS messages are what a resolver speaks.
		of:    `sim(/[a-z]+)?`,
		may:   []string{"./sim", "./sim/...", "golang.org/x/net/...", "github.com/golang-jwt/jwt/v5", "github.com/modelcontextprotocol/go-sdk/mcp", "github.com/gorilla/websocket"},
		never: []string{"./bot/...", "./adapters/...", "./state/...", "./commands", "./cmd/..."},
		why:   "a simulator that shares code with the client it tests proves nothing",
	},
	{
		of:    `web/chat`,
		may:   []string{"./sim", "./sim/..."},
		never: []string{"./bot/...", "./adapters/...", "./state/...", "./commands", "./cmd/..."},
		why:   "the chat page draws only the JSON that the simulator received, so that it shows what a platform would show",
	},
	{
		of:    `web/about`,
		never: []string{"./..."},
		why:   "what anybody may read knows nothing that not anybody may know",
	},
	{
		of:    `web/signin`,
		may:   []string{"./bot"},
		never: []string{"./adapters/...", "./state/...", "./sim/..."},
		why:   "Keyturn's own pages ask the bot and keep nothing",
	},
	{
		of:  `cmd/keyturn`,
		may: []string{"./...", "github.com/alecthomas/kong", "go.yaml.in/yaml/v3", "github.com/prometheus/client_golang/...", "golang.org/x/time/rate"},
		why: "main wires what others made, and stands at the door; what needs a library of its own is a package",
	},
	{
		of:    `test/beside`,
		never: []string{"./..."},
		why:   "any package's tests find here what they compare with, those of a simulator too",
	},
	{
		of:    `test/[a-z]+`,
		may:   []string{},
		never: []string{"./..."},
		why:   "what runs the finished program is a test from end to end; code in its package would be code that nothing ships",
	},
	{
		of:    ``,
		never: []string{"./bot/...", "./adapters/...", "./state/...", "./commands", "./sim/..."},
		why:   "the root holds no code",
	},
}

const module = "keyturn"

// goPackage is what go list says of a package.
type goPackage struct {
	ImportPath, Dir                    string
	Standard                           bool
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

func (p goPackage) name() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

func list(t *testing.T) (ours []goPackage, standard map[string]bool) {
	t.Helper()
	var complaint bytes.Buffer
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Dir,Standard,Imports,TestImports,XTestImports,Deps", "./...")
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, complaint.String())
	}
	standard = map[string]bool{"C": true}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Standard {
			standard[p.ImportPath] = true
		}
		if p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/") {
			ours = append(ours, p)
		}
	}
	if len(ours) < 10 {
		t.Fatalf("go list found %d packages of this module; is the working directory its root?", len(ours))
	}
	return ours, standard
}

// covers reports whether a pattern such as ./bot/... or golang.org/x/net/...
// takes in an import path: with /... the package itself and everything below.
func covers(pattern, path string) bool {
	pattern = strings.Replace(pattern, "./", module+"/", 1)
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == below || strings.HasPrefix(path, below+"/")
	}
	return path == pattern
}

func ruleFor(name string) (rule, bool) {
	for _, r := range rules {
		if regexp.MustCompile(`^(?:` + r.of + `)$`).MatchString(name) {
			if own := vendors[name]; own != nil {
				r.may = append(slices.Clone(r.may), own...)
			}
			if own := drivers[name]; own != "" {
				r.may = append(slices.Clone(r.may), own)
			}
			return r, true
		}
	}
	return rule{}, false
}

// breaches are the imports of a package that its rule does not allow.
func breaches(p goPackage, r rule, imports []string, standard map[string]bool) []string {
	var out []string
	for _, path := range imports {
		allowed := standard[path] || path == p.ImportPath || slices.ContainsFunc(r.may, func(m string) bool { return covers(m, path) })
		forbidden := slices.ContainsFunc(r.never, func(m string) bool { return covers(m, path) }) && path != p.ImportPath
		if !allowed || forbidden {
			out = append(out, path)
		}
	}
	return out
}

func TestEveryPackageImportsOnlyWhatItsPlaceAllows(t *testing.T) {
	ours, standard := list(t)
	for _, p := range ours {
		r, ok := ruleFor(p.name())
		if !ok {
			t.Errorf("%s has no place in the house: say in the rules of architecture_test.go what it may import and why, and draw it in ARCHITECTURE.md", p.ImportPath)
			continue
		}
		for _, path := range breaches(p, r, p.Imports, standard) {
			t.Errorf("%s must not import %s: %s", p.ImportPath, path, r.why)
		}
		for _, path := range p.Deps {
			if slices.ContainsFunc(r.never, func(m string) bool { return covers(m, path) }) && !slices.Contains(p.Imports, path) {
				t.Errorf("%s reaches %s through what it imports: %s", p.ImportPath, path, r.why)
			}
		}
	}
}

// Test files may import what they like, except those of the simulators: a
// simulator that is tested with the client it is there to test agrees with its
// mistakes.
func TestSimulatorsAreNotTestedWithTheClientsTheyTest(t *testing.T) {
	ours, _ := list(t)
	tested := 0
	for _, p := range ours {
		if p.name() != "sim" && !strings.HasPrefix(p.name(), "sim/") {
			continue
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			tested++
			for _, never := range []string{"./bot/...", "./adapters/...", "./state/...", "./commands", "./cmd/..."} {
				if covers(never, path) {
					t.Errorf("the tests of %s must not import %s: a simulator that is tested with the client it tests agrees with its mistakes", p.ImportPath, path)
				}
			}
		}
	}
	if tested == 0 {
		t.Error("no test of a simulator was looked at")
	}
}

// The rules themselves: a rule that nothing can break guards nothing.
func TestTheRulesRefuseWhatTheyAreThereFor(t *testing.T) {
	standard := map[string]bool{"net/http": true, "time": true}
	for name, bad := range map[string]string{
		"bot":              "golang.org/x/net/html",
		"bot/bottest":      "keyturn/adapters/slack",
		"bot/setup":        "keyturn/bot/incident",
		"bot/incident":     "net/http",
		"bot/engine":       "keyturn/adapters/slack",
		"commands":         "keyturn/state/bolt",
		"adapters/slack":   "keyturn/adapters/graph",
		"adapters/graph":   "github.com/slack-go/slack",
		"adapters/httpx":   "keyturn/state",
		"adapters/outward": "golang.org/x/oauth2",
		"adapters/chart":   "keyturn/adapters/httpx",
		"adapters/learn":   "github.com/slack-go/slack",
		"state":            "go.etcd.io/bbolt",
		"state/statetest":  "keyturn/state/bolt",
		"state/bolt":       "github.com/jackc/pgx/v5",
		"state/postgres":   "go.etcd.io/bbolt",
		"sim":              "keyturn/bot",
		"sim/slack":        "github.com/slack-go/slack",
		"web/chat":         "keyturn/bot",
		"web/signin":       "keyturn/bot/engine",
		"web/about":        "keyturn/bot",
		"test/playground":  "keyturn/sim/play",
		"cmd/keyturn":      "go.etcd.io/bbolt",
	} {
		r, ok := ruleFor(name)
		if !ok {
			t.Errorf("%s has no rule", name)
			continue
		}
		p := goPackage{ImportPath: module + "/" + name}
		if got := breaches(p, r, []string{"time", bad}, standard); !slices.Equal(got, []string{bad}) {
			t.Errorf("%s importing time and %s: refused %q", name, bad, got)
		}
	}
	for _, name := range []string{"bot/newthing", "helpers", "state/bolt/deep", "adapters/slack/deep"} {
		if r, ok := ruleFor(name); ok {
			t.Errorf("%s is nobody's place, and the rule of %q took it", name, r.of)
		}
	}
}
