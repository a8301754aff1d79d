package main

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func packOf(t *testing.T, text string) (map[string]string, *config) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	ca := filepath.Join(filepath.Dir(key), "ca.pem")
	k, _, _ := strings.Cut(freshKey(t), "\n")
	for name, content := range map[string]string{key: k, ca: "x"} {
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
