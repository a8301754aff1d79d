package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
	"keyturn/state"
)

// validConfig is the sessions' configuration, with its variables set.
func validConfig(t *testing.T) *config {
	t.Helper()
	key, err := state.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEYTURN_KEY", key)
	t.Setenv("SLACK_SIGNING_SECRET", "canary-signing-secret")
	t.Setenv("SLACK_BOT_TOKEN", "xoxb-canary-token")
	c, err := readConfig("testdata/valid.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACompleteConfigurationMakesItsTenants(t *testing.T) {
	c := validConfig(t)
	tenants, wrong := c.check()
	if len(wrong) > 0 || len(tenants) != 1 {
		t.Fatalf("%d tenants, wrong: %q", len(tenants), wrong)
	}
	got := tenants[0]
	if got.ID != "contoso" || got.Name != "Contoso" || got.Instance != "contoso.service-now.com" || got.Zone.String() != "Europe/Berlin" {
		t.Errorf("got %+v", got)
	}
	if !got.FourEyes || got.ApprovalLives != time.Hour {
		t.Errorf("four eyes %v, an approval lives %v: the safe defaults are on and one hour", got.FourEyes, got.ApprovalLives)
	}
	holders := map[bot.Role]string{bot.EntraAdmin: "Ada", bot.PrivilegedRoleAdmin: "Priya", bot.ServiceNowAdmin: "Sana", bot.M365Admin: "Mikkel"}
	for role, name := range holders {
		var names []string
		for _, id := range got.Holders[role] {
			p, _ := got.Person(id)
			names = append(names, p.Name)
		}
		if diff := cmp.Diff([]string{name}, names); diff != "" {
			t.Errorf("%s is held by other people than the configuration says:\n%s", role, diff)
		}
	}
	if w := warnings(got); len(w) > 0 {
		t.Errorf("warned for nothing: %q", w)
	}
	for _, s := range []bot.Secret{c.Slack.SigningSecret.value, c.Slack.Workspaces["T0123ABCD"].value} {
		if !strings.Contains(s.Reveal(), "canary") {
			t.Errorf("a secret was not read: %q", s.Reveal())
		}
	}
}

// One error spoilt at a time: each is found, alone, and ends with what to do.
func TestEveryErrorIsFoundAloneAndSaysWhatToDo(t *testing.T) {
	fix := regexp.MustCompile(`write |list |name |say |give |add |better |missing|already|used twice|nobody|no token|is empty|cannot be read|no role|no address|no such file|error parsing`)
	for name, spoil := range map[string]func(c *config, t *tenantConfig){
		"data":                           func(c *config, t *tenantConfig) { c.Data = "" },
		"lease":                          func(c *config, t *tenantConfig) { c.Lease = duration(time.Second) },
		"state":                          func(c *config, t *tenantConfig) { c.State.ref = "env:THERE" },
		"key":                            func(c *config, t *tenantConfig) { c.Key = secret{} },
		"public_url":                     func(c *config, t *tenantConfig) { c.PublicURL = "ftp://keyturn.example.com" },
		"outside.login":                  func(c *config, t *tenantConfig) { c.Outside.Login = "//login" },
		"outside.ca_bundle":              func(c *config, t *tenantConfig) { c.Outside.CABundle = "testdata/none.pem" },
		"slack.workspaces":               func(c *config, t *tenantConfig) { c.Slack.Workspaces = nil; t.Slack = []string{} },
		"slack.signing_secret":           func(c *config, t *tenantConfig) { c.Slack.SigningSecret = secret{} },
		"tenants":                        func(c *config, t *tenantConfig) { c.Tenants = nil },
		"tenants[0].id":                  func(c *config, t *tenantConfig) { t.ID = "" },
		"tenants.contoso":                func(c *config, t *tenantConfig) { c.Tenants = append(c.Tenants, *t) },
		".directory":                     func(c *config, t *tenantConfig) { t.Directory = "contoso.onmicrosoft.com" },
		".zone":                          func(c *config, t *tenantConfig) { t.Zone = "CEST?" },
		".servicenow.host":               func(c *config, t *tenantConfig) { t.ServiceNow.Host = "https://contoso.service-now.com" },
		".servicenow.url":                func(c *config, t *tenantConfig) { t.ServiceNow.URL = "contoso" },
		".slack":                         func(c *config, t *tenantConfig) { t.Slack = append(t.Slack, "T9") },
		".owners":                        func(c *config, t *tenantConfig) { t.Owners = nil },
		".people.Ada.id":                 func(c *config, t *tenantConfig) { t.People[1].ID = "ada"; t.Roles["entra-admin"] = nil },
		".people.Ada.accounts":           func(c *config, t *tenantConfig) { t.People[1].Accounts = []string{"@ada"} },
		".people.Ada.admin":              func(c *config, t *tenantConfig) { t.People[1].Admin = map[string]string{"azure": "ada"} },
		".roles":                         func(c *config, t *tenantConfig) { t.Roles["owner"] = []string{"Ada"} },
		".roles.servicenow-admin":        func(c *config, t *tenantConfig) { t.Roles["servicenow-admin"] = []string{"Zoe"} },
		".groups":                        func(c *config, t *tenantConfig) { t.Groups = map[string]map[string]string{"crowd": {"slack": "S1"}} },
		".admin_channel":                 func(c *config, t *tenantConfig) { t.AdminPlace = "#it-ops" },
		".fallback":                      func(c *config, t *tenantConfig) { t.Fallback = &fallbackConfig{} },
		".fallback.channel":              func(c *config, t *tenantConfig) { t.Fallback = &fallbackConfig{Channel: "#ops"} },
		".fallback.webhook.url":          func(c *config, t *tenantConfig) { t.Fallback = &fallbackConfig{Webhook: &webhookConfig{}} },
		".fallback.webhook":              func(c *config, t *tenantConfig) { t.Fallback = &fallbackConfig{Webhook: &webhookConfig{URL: c.Key}} },
		".fallback.mail":                 func(c *config, t *tenantConfig) { t.Fallback = &fallbackConfig{Mail: &mailConfig{Server: "mail"}} },
		".heartbeat.url":                 func(c *config, t *tenantConfig) { t.Heartbeat = &heartbeatConfig{} },
		".heartbeat":                     func(c *config, t *tenantConfig) { t.Heartbeat = &heartbeatConfig{URL: c.Key} },
		"outside.status":                 func(c *config, t *tenantConfig) { c.Outside.Status = "status" },
		".servicenow.knowledge.as_asker": func(c *config, t *tenantConfig) { t.ServiceNow.Knowledge.AsAsker = true },
		".servicenow.knowledge.bases":    func(c *config, t *tenantConfig) { t.ServiceNow.Knowledge.Bases = []string{"IT"} },
		".servicenow.knowledge.incident_categories": func(c *config, t *tenantConfig) { t.ServiceNow.Knowledge.Categories = []string{"a^b"} },
		"learn":               func(c *config, t *tenantConfig) { c.Learn = "false" },
		".change.pattern":     func(c *config, t *tenantConfig) { t.Change.Pattern = "[" },
		".reader.client_id":   func(c *config, t *tenantConfig) { t.Reader = &credential{Secret: c.Key} },
		".reader":             func(c *config, t *tenantConfig) { t.Reader = &credential{ClientID: "a"} },
		".reader.certificate": func(c *config, t *tenantConfig) { t.Reader = &credential{ClientID: "a", PrivateKey: c.Key} },
	} {
		t.Run(name, func(t *testing.T) {
			c := validConfig(t)
			spoil(c, &c.Tenants[0])
			where := name
			if strings.HasPrefix(name, ".") {
				where = "tenants.contoso" + name
			}
			_, wrong := c.check()
			said := slices.DeleteFunc(slices.Clone(wrong), func(s string) bool { return !strings.HasPrefix(s, where+":") })
			if len(said) != 1 {
				t.Fatalf("wanted one error of %s, got %q", where, wrong)
			}
			if !fix.MatchString(said[0]) {
				t.Errorf("it does not say what to do: %s", said[0])
			}
		})
	}
}

func TestASecretStandsInTheConfigurationByReferenceOnly(t *testing.T) {
	t.Setenv("THERE", "hush")
	t.Setenv("EMPTY", "")
	file := t.TempDir() + "/secret"
	if err := os.WriteFile(file, []byte("  hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for ref, complaint := range map[string]string{
		"env:THERE": "", "file:" + file: "",
		"env:EMPTY": "EMPTY is empty", "env:": "is empty or not set", "file:/": "cannot be read",
		"hush": "do not stand in the configuration", "vault:hush": "do not stand in the configuration", "ENV:THERE": "do not stand in the configuration",
	} {
		v, err := resolve(ref)
		switch {
		case complaint == "" && (err != nil || v.Reveal() != "hush"):
			t.Errorf("%s: got %q, %v", ref, v.Reveal(), err)
		case complaint != "" && (err == nil || !strings.Contains(err.Error(), complaint)):
			t.Errorf("%s: wanted %q, got %v", ref, complaint, err)
		case complaint != "" && strings.Contains(err.Error(), "hush"):
			t.Errorf("%s: the error repeats what may be a secret: %v", ref, err)
		}
	}
}

func TestAKeyThatNobodyKnowsIsAnErrorWithItsLine(t *testing.T) {
	for text, where := range map[string]string{
		"tenant: []\n":                          "line 1",
		"tenants:\n  - id: a\n    ownres: []\n": "line 3",
		"slack:\n  signing_secrets: env:X\n":    "line 2",
		"data: [a]\n":                           "line 1",
	} {
		if _, err := parseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), where) {
			t.Errorf("%q: wanted an error of %s, got %v", text, where, err)
		}
	}
}

// What people write into a configuration is input like any other.
func FuzzParseConfig(f *testing.F) {
	valid, err := os.ReadFile("testdata/valid.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(valid)
	f.Add([]byte("tenants: [{people: [{admin: {entra: a}}], groups: {owner: {slack: S1}}}]"))
	f.Add([]byte("slack:\ntenants: [{}, {servicenow: {}}]\nkey: file:/dev/null"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if strings.Contains(string(b), "file:") {
			return // which file that is would be up to the fuzzer
		}
		c, err := parseConfig(b)
		if err != nil {
			return
		}
		c.Outside.CABundle = ""
		tenants, wrong := c.check()
		if len(wrong) == 0 && len(tenants) == 0 {
			t.Error("a configuration without a tenant is complete")
		}
	})
}

// One human who stands there twice would be two people where four eyes are asked
// for.
func TestAPersonWhoStandsThereTwiceIsFound(t *testing.T) {
	const ada = "00000000-0000-0000-0000-000000000002"
	admin := func(kind, v string) func(*tenantConfig) {
		return func(t *tenantConfig) {
			for _, i := range []int{0, 1} {
				t.People[i].Admin = map[string]string{kind: v, strings.TrimSuffix(kind, "_id"): t.People[i].Name + "@contoso.example"}
				if !strings.HasSuffix(kind, "_id") {
					t.People[i].Admin = map[string]string{kind: v}
				}
			}
		}
	}
	for name, tt := range map[string]struct {
		spoil func(t *tenantConfig)
		want  string
	}{
		"an admin account that is another's own": {func(t *tenantConfig) {
			t.People[0].Admin = map[string]string{"entra": "ada@contoso.example", "entra_id": strings.ToUpper(ada)}
		}, "people.Olu.admin.entra_id: this is Ada, who stands here too"},
		"a Teams account that is another's own": {func(t *tenantConfig) {
			t.People[0].Accounts = append(t.People[0].Accounts, "teams:"+t.Directory+":"+ada)
		}, "people.Olu.accounts: this is Ada, who stands here too"},
		"one admin account of two":          {admin("entra", "Shared.Admin@contoso.example"), "people.Ada.admin: Shared.Admin@contoso.example is Olu's already"},
		"one ServiceNow account of two":     {admin("servicenow", "shared"), "people.Ada.admin: shared is Olu's already"},
		"one ServiceNow ID of two":          {admin("servicenow_id", "62826bf03710200044e0bfc8bcbe5df1"), "is Olu's already"},
		"one ID of an admin account of two": {admin("entra_id", "99999999-0000-0000-0000-000000000002"), "is Olu's already"},
		"an admin account that is one's own": {func(t *tenantConfig) {
			t.People[1].Admin = map[string]string{"entra": "ada@contoso.example", "entra_id": ada}
			t.People[1].Accounts = append(t.People[1].Accounts, "teams:"+t.Directory+":"+ada)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := validConfig(t)
			tt.spoil(&c.Tenants[0])
			if _, wrong := c.check(); (tt.want == "" && len(wrong) > 0) || (tt.want != "" && !strings.Contains(strings.Join(wrong, "\n"), tt.want)) {
				t.Errorf("wanted %q, got %q", tt.want, wrong)
			}
		})
	}
}
