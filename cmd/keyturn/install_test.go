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
	"go.yaml.in/yaml/v3"

	"keyturn/state"
)

var installPages = []string{"README.md", "docs/install-slack.md", "docs/install-teams.md"}

// parses fails where the program does not know a command line.
func parses(t *testing.T, where, line string) {
	t.Helper()
	parser, err := kong.New(&cli{}, kong.Name("keyturn"), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(strings.Fields(line)); err != nil {
		t.Errorf("%s: the program does not know %q: %v", where, line, err)
	}
}

// Every command of the program that a page shows is one that it has, with those
// flags.
func TestInstallPagesShowCommandsThatExist(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, name := range []string{"keyturn.yaml", "entra.pem"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := regexp.MustCompile(`(?m)^(?:go run \./cmd/keyturn|sudo keyturn-admin|keyturn) ([a-z][^#|>&\n]*)`)
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```")
	for _, page := range installPages {
		b, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for _, block := range blocks.FindAllStringSubmatch(string(b), -1) {
			for _, m := range command.FindAllStringSubmatch(block[1], -1) {
				shown++
				parses(t, page, strings.NewReplacer("/etc/keyturn/keyturn.yaml", "keyturn.yaml", "FILE", "keyturn.yaml", "/backup/keyturn.db", "keyturn.yaml").Replace(m[1]))
			}
		}
		if shown < 4 {
			t.Errorf("%s shows %d commands: they are written in another way now", page, shown)
		}
	}
}

// Every configuration that a page shows is one that check accepts, alone or with
// the indented parts that can stand in it, and warns of nothing.
func TestInstallPagesShowConfigurationsThatAreComplete(t *testing.T) {
	key, err := state.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	made := madePair(t)
	for name, value := range map[string]string{"keyturn-key": key, "slack-signing-secret": "s", "slack-bot-token": "xoxb-1", "slack-app-token": "xapp-1", "bot-key": made.private, "entra-key": made.private, "servicenow-sign-in": "s"} {
		if err := os.WriteFile(filepath.Join(dir, "secret_"+name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for _, page := range installPages[1:] {
		b, err := os.ReadFile(filepath.Join("..", "..", page))
		if err != nil {
			t.Fatal(err)
		}
		all := blocks.FindAllStringSubmatch(string(b), -1)
		if len(all) == 0 {
			t.Fatalf("%s shows no configuration", page)
		}
		whole := all[0][1]
		for _, m := range all {
			shown := m[1]
			if strings.HasPrefix(shown, " ") {
				shown = whole + shown
			}
			shown = made.pasted(shown)
			accepts(t, page, shown)
			if strings.Contains(shown, "signing_secret") {
				accepts(t, page+", Socket Mode", strings.Replace(shown, "signing_secret: credential:secret_slack-signing-secret", "app_token: credential:secret_slack-app-token", 1))
			}
		}
	}
}

// pasted is a configuration with the certificate in the place of the dots that
// stand for it.
func (p pair) pasted(text string) string {
	return regexp.MustCompile(`(?m)^( *)-----BEGIN CERTIFICATE-----\n *\.\.\.$`).ReplaceAllStringFunc(text, func(dots string) string {
		indent, _, _ := strings.Cut(dots, "-")
		return indent + strings.ReplaceAll(strings.TrimSpace(p.certificate), "\n", "\n"+indent)
	})
}

func accepts(t *testing.T, where, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keyturn.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, complaint strings.Builder
	code := run(t.Context(), []string{"check", "--config", file}, &out, &complaint)
	// Until the last part nobody signs in, and check says so.
	if rest := regexp.MustCompile(`(?m)^warning: contoso: sign_in\..*$`).ReplaceAllString(out.String(), ""); code != 0 || strings.Contains(rest, "warning") {
		t.Errorf("%s: check says of what it shows:\n%s%s", where, out.String(), complaint.String())
	}
}

// What a page has copied out of the repository is in it, and keyturn-admin gives a
// command the credentials that the unit gives the service.
func TestInstallPagesCopyWhatIsThere(t *testing.T) {
	root := filepath.Join("..", "..")
	copied := regexp.MustCompile(`\bdeploy/[a-z.-]+`)
	seen := 0
	for _, page := range installPages {
		b, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range copied.FindAllString(string(b), -1) {
			seen++
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s copies %s: %v", page, name, err)
			}
		}
	}
	if seen < 4 {
		t.Errorf("the pages copy %d files: they are written in another way now", seen)
	}
	admin, err := os.ReadFile(filepath.Join(root, "deploy", "keyturn-admin"))
	if err != nil {
		t.Fatal(err)
	}
	unit, err := os.ReadFile(filepath.Join(root, "deploy", "keyturn.service"))
	if err != nil {
		t.Fatal(err)
	}
	credentials := regexp.MustCompile(`(?m)^LoadCredential=.*$`).FindString(string(unit))
	start := strings.Fields(strings.TrimPrefix(regexp.MustCompile(`(?m)^ExecStart=.*$`).FindString(string(unit)), "ExecStart="))[0]
	if credentials == "" || !strings.Contains(string(admin), "-p "+credentials+" "+start+` "$@"`) {
		t.Errorf("keyturn-admin does not run %s with %s", start, credentials)
	}
	if info, err := os.Stat(filepath.Join(root, "deploy", "keyturn-admin")); err != nil || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("keyturn-admin cannot be run: %v", err)
	}
}

// The unit starts the program as it is called, and gives it nothing that it does
// not need.
func TestTheUnitIsHardened(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "deploy", "keyturn.service"))
	if err != nil {
		t.Fatal(err)
	}
	has := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			has[name] = append(has[name], value)
		}
	}
	for name, want := range map[string]string{"DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "CapabilityBoundingSet": "",
		"StateDirectory": "keyturn", "StateDirectoryMode": "0700", "UMask": "0077", "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "MemoryDenyWriteExecute": "yes", "LoadCredential": "secret:/etc/keyturn/secrets"} {
		if !slices.Contains(has[name], want) {
			t.Errorf("the unit has %s=%q, not %q", name, has[name], want)
		}
	}
	if len(has["Environment"])+len(has["EnvironmentFile"]) > 0 {
		t.Error("secrets come by LoadCredential, not by the environment, which every child and /proc show")
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("keyturn.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, start := range has["ExecStart"] {
		parses(t, "the unit", strings.Replace(strings.TrimPrefix(start, "/usr/local/bin/keyturn "), "/etc/keyturn/keyturn.yaml", "keyturn.yaml", 1))
	}
}

// The compose file starts the program as it is called, with nothing to write to
// but its state.
func TestTheComposeFileIsHardened(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "deploy", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Services map[string]struct {
			Command  []string
			Ports    []string
			ReadOnly bool     `yaml:"read_only"`
			Drop     []string `yaml:"cap_drop"`
			Options  []string `yaml:"security_opt"`
			User     string
			Volumes  []string
			Build    struct{ Context string }
		}
		Volumes map[string]any
	}
	if err := yaml.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	s, ok := c.Services["keyturn"]
	if !ok || !s.ReadOnly || !slices.Contains(s.Drop, "ALL") || !slices.Contains(s.Options, "no-new-privileges:true") || s.User != "65532:65532" || !strings.HasPrefix(s.Ports[0], "127.0.0.1:") || s.Build.Context != ".." {
		t.Errorf("the service is %+v", s)
	}
	for _, v := range s.Volumes {
		if !strings.HasSuffix(v, ":ro") && !strings.HasPrefix(v, "state:") {
			t.Errorf("%s can be written to", v)
		}
	}
	image, err := os.ReadFile(filepath.Join("..", "..", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	// What the compose file mounts and runs as is what the image was made for.
	for _, want := range []string{"USER " + s.User, "VOLUME /data", `ENTRYPOINT ["/keyturn"]`, "/etc/ssl/certs/ca-certificates.crt"} {
		if !strings.Contains(string(image), want+"\n") && !strings.Contains(string(image), want+" ") {
			t.Errorf("the Dockerfile has no %q", want)
		}
	}
	if !slices.Contains(s.Volumes, "state:/data") || c.Volumes["state"] != nil || len(c.Volumes) != 1 {
		t.Errorf("the state is not in the image's volume: %v, %v", s.Volumes, c.Volumes)
	}
	inside := regexp.MustCompile(`(?m)^#   docker compose .* exec keyturn /keyturn (.*)$`).FindSubmatch(b)
	if inside == nil {
		t.Fatal("the compose file does not say how it is examined")
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("keyturn.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	parses(t, "the compose file", strings.Replace(string(inside[1]), "/etc/keyturn/keyturn.yaml", "keyturn.yaml", 1))
	parses(t, "the compose file", strings.Replace(strings.Join(s.Command, " "), "/etc/keyturn/keyturn.yaml", "keyturn.yaml", 1))
}
