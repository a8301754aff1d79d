package main

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var updatePack = flag.Bool("update-pack", false, "write the golden pages of the request pack anew")

// wholeConfig uses everything that a page can be about.
const wholeConfig = `listen: 0.0.0.0:8443
public_url: https://keyturn.contoso.com
data: /var/lib/keyturn/keyturn.db
key: file:KEYFILE
outside: {proxy: "http://proxy.contoso.com:3128", no_proxy: [".contoso.com"], ca_bundle: CAFILE}
web: {trusted_proxies: [10.0.0.7]}
audit: {keep: 8760h, heads: {syslog: "tls://logs.contoso.com:6514"}}
slack:
  signing_secret: file:KEYFILE
  workspaces: {T0123ABCD: file:KEYFILE}
teams: {app_id: 99999999-8888-7777-6666-555555555555, directory: 11111111-2222-3333-4444-555555555555, secret: file:KEYFILE}
tenants:
  - id: contoso
    name: Contoso
    directory: 11111111-2222-3333-4444-555555555555
    domain: contoso.example
    slack: [T0123ABCD]
    teams: [11111111-2222-3333-4444-555555555555]
    servicenow: {host: contoso.service-now.com, knowledge: {as_asker: true, bases: [0123456789abcdef0123456789abcdef], incident_categories: [software]}}
    sign_in: {entra_client_id: 22222222-3333-4444-5555-666666666666, entra_redirect: "https://keyturn.contoso.com/signin/entra", entra_federated_token_file: KEYFILE, servicenow_client_id: keyturn-sign-in, servicenow_secret: file:KEYFILE}
    change: {required: true, pattern: 'CHG[0-9]{7}', example: CHG0031337}
    owners: [Olu, Ada]
    people:
      - {name: Olu, id: 00000000-0000-0000-0000-000000000001, accounts: ["slack:T0123ABCD:U1"]}
      - {name: Ada, id: 00000000-0000-0000-0000-000000000002, accounts: ["slack:T0123ABCD:U2"]}
    roles: {entra-admin: [Ada], servicenow-admin: [Olu]}
`

// pair is a key pair as openssl makes one.
type pair struct{ private, certificate string }

func madePair(t *testing.T) pair {
	t.Helper()
	made, err := keyMaker{}.Make("sample", "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return pair{made.Secret.Reveal(), made.Facts["sample.cert"]}
}

func packOf(t *testing.T, text string) (map[string]string, *config) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	ca := filepath.Join(filepath.Dir(key), "ca.pem")
	k, _, _ := strings.Cut(freshKey(t), "\n")
	for name, content := range map[string]string{key: k, ca: madePair(t).certificate} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := parseConfig([]byte(strings.NewReplacer("KEYFILE", key, "CAFILE", ca).Replace(text)))
	if err != nil {
		t.Fatal(err)
	}
	tenants, f := c.check()
	if len(f) > 0 {
		t.Fatal(strings.Join(f, "\n"))
	}
	pages, err := requestPack(c, tenants)
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range pages {
		if strings.Contains(page, k) {
			t.Errorf("%s holds a secret", name)
		}
		pages[name] = strings.NewReplacer(key, "/etc/keyturn/key", ca, "/etc/keyturn/ca.pem").Replace(page)
	}
	return pages, c
}

func TestEachPageOfTheRequestPackAsksForExactlyWhatTheConfigurationNeeds(t *testing.T) {
	pages, _ := packOf(t, wholeConfig)
	if len(pages) != len(requestPages) {
		t.Errorf("%d pages", len(pages))
	}
	for name, page := range pages {
		golden := filepath.Join("testdata", "requestpack", name+".md")
		if *updatePack {
			if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), page); d != "" {
			t.Errorf("%s changed (go test -update-pack accepts it; -want +got):\n%s", name, d)
		}
		if n := strings.Count(page, "\n"); n > 60 {
			t.Errorf("%s has %d lines, which is more than a page", name, n)
		}
		if strings.Contains(page, "<no value>") || strings.Contains(page, "{{") {
			t.Errorf("%s has a hole:\n%s", name, page)
		}
	}
}

func TestAPageSaysThatNothingIsAskedOfWhoIsNotNeeded(t *testing.T) {
	text := wholeConfig
	for _, cut := range []string{"teams: {app_id", "    teams: [", "    servicenow:", "    sign_in:"} {
		i := strings.Index(text, cut)
		text = text[:i] + text[i+strings.Index(text[i:], "\n")+1:]
	}
	pages, _ := packOf(t, text)
	for _, name := range []string{"teams", "azure", "servicenow"} {
		if !strings.Contains(pages[name], "Nothing is asked of you.") {
			t.Errorf("%s:\n%s", name, pages[name])
		}
	}
	if !strings.Contains(pages["entra"], "makes no call in the directory") {
		t.Errorf("the page for Entra:\n%s", pages["entra"])
	}
}

// The pages are for asking with: they need no secret, no certificate and no
// registration, which are what is asked for. Anything else has to be right.
func TestTheRequestPackNeedsNothingOfWhatItAsksFor(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "install-teams.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(page), "```yaml\n")
	shown, _, _ = strings.Cut(shown, "```")
	shown = regexp.MustCompile(`(?m)^  app_id: .*$`).ReplaceAllString(shown, "  app_id: \"\"")
	pack := func(text string) (int, string) {
		file := filepath.Join(t.TempDir(), "keyturn.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, complaint strings.Builder
		code := run(t.Context(), []string{"request-pack", "--config", file}, &out, &complaint)
		return code, out.String() + complaint.String()
	}
	code, said := pack(shown)
	for _, want := range []string{"This configuration has no Slack. Nothing is asked of you.", "the certificate `bot.pem`", "| app ID | that of the registration `Keyturn bot`, which the Entra admins make first |", "keyturn manifest entra"} {
		if code != 0 || !strings.Contains(said, want) {
			t.Errorf("it ends with %d and does not say %q:\n%s", code, want, said)
		}
	}
	if code, said := pack(strings.Replace(shown, "Europe/Berlin", "Berlin", 1)); code != 1 || !strings.Contains(said, "is no time zone") {
		t.Errorf("a slip ends with %d:\n%s", code, said)
	}
	if code, said := pack(strings.Replace(shown, "credential:secret_bot-key", "hunter2", 1)); code != 1 || !strings.Contains(said, "secrets do not stand in the configuration") || strings.Contains(said, "hunter2") {
		t.Errorf("a secret in the configuration ends with %d:\n%s", code, said)
	}
}

// A proxy that asks for a name and a password is named without them, and its
// address stands by reference like any secret.
func TestThePasswordOfAProxyIsOnNoPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "proxy")
	if err := os.WriteFile(file, []byte("http://keyturn:hunter2@proxy.contoso.com:3128\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pages, conf := packOf(t, strings.Replace(wholeConfig, `proxy: "http://proxy.contoso.com:3128"`, "proxy: file:"+file, 1))
	if page := pages["network"]; !strings.Contains(page, "All of it goes through the proxy `http://proxy.contoso.com:3128`, except") || strings.Contains(page, "hunter2") {
		t.Errorf("the network page:\n%s", page)
	}
	if got := conf.policy(nil).Proxy; got != "http://keyturn:hunter2@proxy.contoso.com:3128" {
		t.Errorf("the proxy is %q", got)
	}
	for written, says := range map[string]string{
		`"http://keyturn:hunter2@proxy.contoso.com:3128"`: "outside.proxy: a password does not stand in the configuration",
		`"htttp://proxy.contoso.com:3128"`:                "outside.proxy: the proxy address has the scheme",
		`proxy.contoso.com:3128`:                          "outside.proxy: it is neither an address nor a reference",
	} {
		c, err := parseConfig([]byte("outside: {proxy: " + written + "}"))
		if err != nil {
			t.Fatal(err)
		}
		if _, f := c.check(); len(faultsOf(f, says)) != 1 || strings.Contains(strings.Join(f, ""), "hunter2") {
			t.Errorf("%s: check says %q", written, f)
		}
	}
}

// What the bot really calls in a whole guide stands in the list that the
// network team gets.
func TestTheBotCallsNoHostThatTheNetworkPageDoesNotName(t *testing.T) {
	h := open(t)
	h.finishes("connector")
	h.idle()
	conf, _ := h.config()
	listed := map[string]bool{}
	for _, d := range conf.egress() {
		listed[net.JoinHostPort(d.Host, d.Port)] = true
	}
	called := map[string]bool{}
	for line := range strings.Lines(h.log.String()) {
		if _, rest, ok := strings.Cut(line, `msg="outside call"`); ok {
			_, address, _ := strings.Cut(rest, "url=")
			address, _, _ = strings.Cut(address, " ")
			_, host, _ := strings.Cut(strings.Trim(address, `"`), "://")
			host, _, _ = strings.Cut(host, "/")
			called[host] = true
		}
	}
	if len(called) < 3 {
		t.Fatalf("only %v was called, so this shows nothing", called)
	}
	for host := range called {
		if !listed[host] {
			t.Errorf("%s was called, and the page names %v", host, listed)
		}
	}
}
