package main

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keyturn/adapters/httpx"
)

// What a configuration names is what the bot reaches, and it reaches nothing
// else, whatever an answer or a message suggests.
func TestTheBotsClientReachesTheHostsOfTheConfigurationAlone(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	serve := func(name string) string {
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked[name]++ }))
		t.Cleanup(s.Close)
		return s.URL
	}
	graph, other := serve("graph"), serve("other")
	conf, err := parseConfig([]byte("outside: {proxy: none, graph: '" + graph + "/v1.0'}\ntenants:\n- {id: contoso, servicenow: {host: contoso.service-now.com}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := httpx.New(conf.policy(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := c.Get(graph + "/v1.0/me"); err != nil || asked["graph"] != 1 {
		t.Errorf("the host that the configuration names: %v, %v", resp, err)
	}
	if _, err := c.Get(other); !errors.Is(err, httpx.ErrElsewhere) || asked["other"] != 0 {
		t.Errorf("another host was asked %d times: %v", asked["other"], err)
	}
	if _, err := c.Get("https://fabrikam.service-now.com/api/now/table/incident"); !errors.Is(err, httpx.ErrElsewhere) {
		t.Errorf("an instance of somebody else: %v", err)
	}
}

// The list of a configuration without special addresses is Microsoft's,
// Slack's and the instance's own.
func TestTheHostsOfAConfiguration(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ conf, want string }{
		{"slack: {signing_secret: 'env:X'}\nteams: {app_id: x}\ntenants:\n- {id: contoso, servicenow: {host: contoso.service-now.com}}\n",
			"graph.microsoft.com:443 login.microsoftonline.com:443 slack.com:443 hooks.slack.com:443 files.slack.com:443 login.microsoftonline.com:443 login.botframework.com:443 smba.trafficmanager.net:443 smba.trafficmanager.net:443 smba.infra.gcc.teams.microsoft.com:443 *.botframework.com:443 contoso.service-now.com:443 learn.microsoft.com:443 status.cloud.microsoft:443"},
		{"learn: 'off'\nslack: {signing_secret: 'env:X'}\noutside: {status: none, slack: 'https://slack-gov.com/api/'}\n",
			"graph.microsoft.com:443 login.microsoftonline.com:443 slack-gov.com:443 hooks.slack-gov.com:443 files.slack-gov.com:443"},
	} {
		conf, err := parseConfig([]byte(tt.conf))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range conf.hosts() {
			got = append(got, h.String())
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("the hosts are\n%s, expected\n%s", s, tt.want)
		}
	}
}
