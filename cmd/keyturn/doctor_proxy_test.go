package main

import (
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"keyturn/adapters/httpx"
	"keyturn/sim/play"
)

// tunnel is a proxy as an organisation has one: nothing leaves but through it, and
// whatever name is asked for, this is what answers there.
func tunnel(t *testing.T, to string) (address string, asked *atomic.Int64, closed *atomic.Bool) {
	t.Helper()
	asked, closed = &atomic.Int64{}, &atomic.Bool{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || closed.Load() {
			http.Error(w, "not allowed", http.StatusForbidden)
			return
		}
		asked.Add(1)
		join(w, to)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL, asked, closed
}

// A ServiceNow with a certificate of the organisation's own authority, behind the
// organisation's own proxy.
func TestAProxyAndAPrivateAuthority(t *testing.T) {
	h := open(t, withSignIn)
	now, err := url.Parse(h.world.ServiceNowURL)
	if err != nil {
		t.Fatal(err)
	}
	instance := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(now))
	t.Cleanup(instance.Close)
	authority := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: instance.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy, asked, closed := tunnel(t, instance.Listener.Addr().String())
	through := func(more string) func(string) string {
		return func(conf string) string {
			conf = strings.Replace(conf, "  proxy: none\n", "  proxy: \""+proxy+"\"\n"+more, 1)
			conf = strings.Replace(conf, "    host: "+play.Instance, "    host: now.example.com", 1)
			return strings.Replace(conf, "    url: \""+h.world.ServiceNowURL+"\"\n", "", 1)
		}
	}
	d := h.doctor(0, through("  ca_bundle: \""+authority+"\"\n"))
	if told := d.told(fine); !strings.Contains(told, "ServiceNow of contoso: the sign-in client") || !strings.Contains(told, "now.example.com:443: Reached") || asked.Load() == 0 {
		t.Errorf("through the proxy, with the authority, the doctor says:\n%s\nbroken:\n%s", told, d.told(broken))
	}
	d = h.doctor(0, through(""))
	if told := d.told(broken); !strings.Contains(told, "not signed by an authority that this server trusts") || !strings.Contains(told, "CA bundle") {
		t.Errorf("without the authority the doctor says:\n%s", told)
	}
	closed.Store(true)
	d = h.doctor(0, through("  ca_bundle: \""+authority+"\"\n"))
	if told := d.told(broken); !strings.Contains(told, "ServiceNow of contoso") || !strings.Contains(told, "proxy") {
		t.Errorf("with a proxy that refuses the doctor says:\n%s", told)
	}
	before := asked.Load()
	closed.Store(false)
	h.doctor(0, through("  ca_bundle: \""+authority+"\"\n  no_proxy: [.example.com]\n"))
	if asked.Load() != before {
		t.Error("a host under no_proxy was reached through the proxy")
	}
}

// Slack names another host for each connection of Socket Mode: any of its own may
// be reached, and nobody else's.
func TestSocketModeReachesWhicheverHostSlackNames(t *testing.T) {
	c, err := parseConfig([]byte("slack: {app_token: \"file:" + os.Args[0] + "\"}"))
	if err != nil {
		t.Fatal(err)
	}
	network, err := httpx.NewNetwork(c.policy(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	for address, may := range map[string]bool{"https://wss.slack.com/link/": true, "https://wss-primary.slack.com/link/": true, "https://slack.com.example.com/": false, "https://notslack.com/": false} {
		req, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := network.Proxy(req); (err == nil) != may {
			t.Errorf("%s: %v", address, err)
		}
	}
}
