package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"keyturn/bot"
)

// config is the configuration file. Secrets stand in it only by reference.
type config struct {
	Listen    string `yaml:"listen"`
	Metrics   string `yaml:"metrics"` // an address of its own for /metrics; "" serves none
	PublicURL string `yaml:"public_url"`
	// Data is the file that the state is in; State is the database that it is in
	// instead, where several replicas share it.
	Data  string   `yaml:"data"`
	State endpoint `yaml:"state"`
	// Lease is how long a replica may say nothing before others take over what it
	// was doing; all replicas have the same.
	Lease duration `yaml:"lease"`
	Key   secret   `yaml:"key"`
	Log   string   `yaml:"log"`

	// Keep is how long finished runs and resolved incidents stay.
	Keep struct {
		Runs      duration `yaml:"runs"`
		Incidents duration `yaml:"incidents"`
	} `yaml:"keep"`

	Outside outside        `yaml:"outside"`
	Slack   *slackConfig   `yaml:"slack"`
	Teams   *teamsConfig   `yaml:"teams"`
	Tenants []tenantConfig `yaml:"tenants"`
	Audit   auditConfig    `yaml:"audit"`
	Web     doorConfig     `yaml:"web"`

	// Learn is where Microsoft Learn is asked for articles: "" is Microsoft's own,
	// "off" asks nobody.
	Learn string `yaml:"learn"`

	PollEvery  duration `yaml:"poll_every"`
	CheckEvery duration `yaml:"check_every"`
	// SummaryAfter is how long nothing may have been read before what happened
	// meanwhile is told in one message.
	SummaryAfter duration `yaml:"summary_after"`
	Checklist    struct {
		Every      duration `yaml:"every"`
		AfterClick duration `yaml:"after_click"`
	} `yaml:"checklist"`

	pauses pauses // not of the file
}

// pauses are the pauses between two tries; what is not set takes the time that
// it should.
type pauses struct {
	wait    func(context.Context, time.Duration) error // within one call
	backoff func(tries int) time.Duration              // of a job
	form    time.Duration                              // that opening a form may take
}

// outside says where outside systems are and how they are reached.
type outside struct {
	Proxy    endpoint `yaml:"proxy"`
	NoProxy  []string `yaml:"no_proxy"`
	CABundle string   `yaml:"ca_bundle"`
	Resolver string   `yaml:"resolver"`
	Graph    string   `yaml:"graph"`
	Login    string   `yaml:"login"`
	Slack    string   `yaml:"slack"`
	// Teams is the Bot Connector's address, TeamsLogin its sign-in service,
	// TeamsOpenID the metadata of the keys that sign its requests.
	Status      string            `yaml:"status"` // Microsoft's public status page; "none" asks nobody
	Teams       string            `yaml:"teams"`
	TeamsLogin  string            `yaml:"teams_login"`
	TeamsOpenID string            `yaml:"teams_openid"`
	Portals     map[string]string `yaml:"portals"`
}

type slackConfig struct {
	SigningSecret secret `yaml:"signing_secret"`
	// AppToken is the app-level token of Socket Mode: Keyturn opens connections
	// to Slack and needs no address that Slack reaches, and no signing secret.
	AppToken   secret            `yaml:"app_token"`
	Workspaces map[string]secret `yaml:"workspaces"`
	// Unpaced sends as fast as it can: only where Slack is a simulator.
	Unpaced bool `yaml:"unpaced"`
}

// teamsConfig is the Teams bot: its registration and how it signs in.
type teamsConfig struct {
	AppID       string `yaml:"app_id"`
	Directory   string `yaml:"directory"` // the Entra tenant of the registration
	Secret      secret `yaml:"secret"`
	PrivateKey  secret `yaml:"private_key"`
	Certificate string `yaml:"certificate"`
	// FederatedToken is a file with the assertion of a workload or managed
	// identity, which whoever runs Keyturn renews; it is read for each token.
	FederatedToken string   `yaml:"federated_token_file"`
	ServiceHosts   []string `yaml:"service_hosts"`
	// Targeted sends private answers in channels as messages that only the asker
	// sees, and offers commands with a slash.
	Targeted bool `yaml:"targeted"`
	Unpaced  bool `yaml:"unpaced"`
}

type tenantConfig struct {
	ID         string                       `yaml:"id"`
	Name       string                       `yaml:"name"`
	Directory  string                       `yaml:"directory"`
	Domain     string                       `yaml:"domain"`
	ServiceNow *serviceNowConfig            `yaml:"servicenow"`
	Zone       string                       `yaml:"zone"`
	Teams      []string                     `yaml:"teams"` // Entra tenant IDs whose Teams may speak for it
	Slack      []string                     `yaml:"slack"`
	Owners     []string                     `yaml:"owners"`
	People     []personConfig               `yaml:"people"`
	Roles      map[string][]string          `yaml:"roles"`
	Backups    map[string][]string          `yaml:"backups"` // asked once the holders let a step wait
	Groups     map[string]map[string]string `yaml:"groups"`
	FourEyes   *bool                        `yaml:"four_eyes"`
	Approval   duration                     `yaml:"approval_lives"` // working time
	Hours      string                       `yaml:"working_hours"`  // 09:00-17:00
	Days       string                       `yaml:"working_days"`   // mon-fri
	Remind     duration                     `yaml:"remind_after"`   // working time
	Change     changeConfig                 `yaml:"change"`
	SignIn     signInConfig                 `yaml:"sign_in"`
	Reader     *credential                  `yaml:"reader"`
	Simulator  *credential                  `yaml:"simulator"`
	AdminPlace string                       `yaml:"admin_channel"`

	Fallback  *fallbackConfig  `yaml:"fallback"`
	Heartbeat *heartbeatConfig `yaml:"heartbeat"`
}

type serviceNowConfig struct {
	Host      string          `yaml:"host"`
	URL       string          `yaml:"url"`
	Simulator *credential     `yaml:"simulator"`
	Knowledge knowledgeConfig `yaml:"knowledge"`
}

// knowledgeConfig says what of the instance's own knowledge answers are
// completed with; without it nothing is asked there.
type knowledgeConfig struct {
	AsAsker    bool     `yaml:"as_asker"`            // what the asker may see, as the asker, once they signed in
	Bases      []string `yaml:"bases"`               // knowledge bases (sys_id) whose published articles anybody who may ask is shown
	Categories []string `yaml:"incident_categories"` // incidents that the dedicated user reads, and notes, for people who hold itil
}

type personConfig struct {
	ID       string            `yaml:"id"`
	Name     string            `yaml:"name"`
	Accounts []string          `yaml:"accounts"`
	Admin    map[string]string `yaml:"admin"`
	Zone     string            `yaml:"zone"`
}

type credential struct {
	ClientID    string `yaml:"client_id"`
	Secret      secret `yaml:"secret"`
	PrivateKey  secret `yaml:"private_key"`
	Certificate string `yaml:"certificate"`
}

// secret is a reference to a secret: env:NAME, file:/path or credential:NAME.
type secret struct {
	ref   string
	value bot.Secret
	err   error
}

// UnmarshalYAML reads the reference and what it names.
func (s *secret) UnmarshalYAML(n *yaml.Node) error {
	if err := n.Decode(&s.ref); err != nil {
		return err
	}
	s.value, s.err = resolve(s.ref)
	return nil
}

// notThere is the error of a reference as it should be, to a secret that cannot
// be read here or not yet.
type notThere struct{ error }

func (e notThere) Unwrap() error { return e.error }

func (s secret) set() bool { return s.ref != "" }

func resolve(ref string) (bot.Secret, error) {
	kind, name, ok := strings.Cut(ref, ":")
	switch {
	case ok && kind == "env":
		v := os.Getenv(name)
		if v == "" {
			return bot.Secret{}, notThere{fmt.Errorf("the environment variable %s is empty or not set", name)}
		}
		return bot.NewSecret(v), nil
	case ok && kind == "file":
		b, err := os.ReadFile(name)
		if err != nil {
			return bot.Secret{}, notThere{fmt.Errorf("the secret cannot be read: %w", err)}
		}
		v := strings.TrimSpace(string(b))
		if v == "" {
			return bot.Secret{}, notThere{fmt.Errorf("the file %s is empty", name)}
		}
		return bot.NewSecret(v), nil
	}
	if ok && kind == "credential" { // systemd: LoadCredential= and SetCredentialEncrypted=
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" || name != filepath.Base(name) {
			return bot.Secret{}, notThere{fmt.Errorf("there is no credential %q: it works only in a systemd unit with LoadCredential=", name)}
		}
		return resolve("file:" + filepath.Join(dir, name))
	}
	return bot.Secret{}, errors.New("secrets do not stand in the configuration: write env:NAME, file:/path or credential:NAME")
}

// readConfig reads a configuration file. Unknown keys are errors: a typo must
// not switch something off silently.
func readConfig(path string) (*config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the configuration cannot be read: %w", err)
	}
	return parseConfig(b)
}

func parseConfig(b []byte) (*config, error) {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	var c config
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the configuration cannot be understood: %w", err)
	}
	return &c, nil
}
