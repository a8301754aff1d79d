package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyturn/adapters/teams"
	"keyturn/commands"
)

const teamsOnly = `
data: keyturn.db
teams:
  app_id: 22222222-0000-4000-8000-0000000000aa
  directory: 7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10
  federated_token_file: TOKEN
tenants:
- id: contoso
  directory: 7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10
  teams: [7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10]
`

// about keeps the errors that speak of Teams.
func faultsOf(wrong faults, what string) (out []string) {
	for _, w := range wrong {
		if strings.HasPrefix(w, what) {
			out = append(out, w)
		}
	}
	return out
}

func TestATeamsBotSignsInWithAFederatedTokenThatIsReadAnew(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	parse := func() *config {
		c, err := parseConfig([]byte(strings.Replace(teamsOnly, "TOKEN", token, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	_, wrong := parse().check()
	if got := faultsOf(wrong, "teams"); len(got) != 1 || !strings.Contains(got[0], "teams.federated_token_file") {
		t.Fatalf("without the file check says %q", got)
	}
	for _, value := range []string{"first", "renewed"} {
		if err := os.WriteFile(token, []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := parse()
		if _, wrong := c.check(); len(faultsOf(wrong, "teams")) > 0 {
			t.Fatalf("with the file check says %q", faultsOf(wrong, "teams"))
		}
		bot := c.teamsBot(&desk{}, commands.New("/keyturn"), teams.NewMemory(), nil, slog.New(slog.DiscardHandler), time.Now)
		got, err := bot.Credential.Assertion(context.Background(), "audience")
		if err != nil || got.Reveal() != value {
			t.Fatalf("the assertion is not what the file says now: %v", err)
		}
	}
}

func TestATeamsBotHasOneCredential(t *testing.T) {
	t.Setenv("TEAMS_SECRET", "hush")
	for name, change := range map[string]func(*teamsConfig){
		"none": func(c *teamsConfig) { c.FederatedToken = "" },
		"two":  func(c *teamsConfig) { c.Secret = secret{ref: "env:TEAMS_SECRET"} },
	} {
		c, err := parseConfig([]byte(strings.Replace(teamsOnly, "TOKEN", os.Args[0], 1)))
		if err != nil {
			t.Fatal(err)
		}
		change(c.Teams)
		if _, wrong := c.check(); len(faultsOf(wrong, "teams: give")) != 1 {
			t.Errorf("%s: check says %q", name, faultsOf(wrong, "teams"))
		}
	}
}
