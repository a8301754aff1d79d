package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"
)

// own are the names of the metrics that a process can serve.
func ownMetrics(t *testing.T) map[string]bool {
	t.Helper()
	m := newMetrics(nil, time.Hour, time.Now)
	m.connected(func() int { return 2 })
	descs := make(chan *prometheus.Desc, 100)
	m.registry.Describe(descs)
	close(descs)
	named := regexp.MustCompile(`fqName: "(keyturn_[a-z_]+)"`)
	out := map[string]bool{}
	for d := range descs {
		if n := named.FindStringSubmatch(d.String()); n != nil {
			out[n[1]] = true
		}
	}
	if len(out) < 10 {
		t.Fatalf("only %v is described", out)
	}
	return out
}

// The page has each metric, and no other.
func TestThePageOfMetricsHasThemAll(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, n := range regexp.MustCompile("(?m)^\\| `(keyturn_[a-z_]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		listed[n[1]] = true
	}
	if own := ownMetrics(t); !maps.Equal(listed, own) {
		t.Errorf("the page lists %v, a process serves %v", slices.Sorted(maps.Keys(listed)), slices.Sorted(maps.Keys(own)))
	}
}

// The alerts ask for metrics that there are, and each says what to do.
func TestTheAlertsAskForWhatIsServed(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "deploy", "keyturn.rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	own, seen := ownMetrics(t), 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			seen++
			for _, name := range regexp.MustCompile(`keyturn_[a-z_]+`).FindAllString(r.Expr, -1) {
				if !own[name] {
					t.Errorf("%s asks for %s, which nothing serves", r.Alert, name)
				}
			}
			if s := r.Labels["severity"]; r.Annotations["summary"] == "" || r.Annotations["do"] == "" || s != "page" && s != "ticket" {
				t.Errorf("%s does not say what is wrong, what to do, and whom it wakes: %v", r.Alert, r)
			}
		}
	}
	if seen < 8 {
		t.Errorf("%d alerts", seen)
	}
}

// gathered is the value of a metric with these words in its labels.
func (h *house) gathered(name string, labels ...string) (value float64, ok bool) {
	h.Helper()
	all, err := h.bot.metrics.registry.Gather()
	if err != nil {
		h.Fatal(err)
	}
	for _, f := range all {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && !slices.ContainsFunc(labels, func(l string) bool { return !strings.Contains(m.String(), l) }) {
				return m.GetGauge().GetValue(), true
			}
		}
	}
	return 0, false
}

// The connections of Socket Mode show where the bot opens them, and nothing of
// them is served where Slack comes by itself.
func TestTheConnectionsOfSocketModeAreServed(t *testing.T) {
	h := open(t, withSocketMode)
	deadline, again := time.After(patience), time.NewTicker(5*time.Millisecond)
	defer again.Stop()
	for v, ok := 0.0, false; !ok || v != 2; v, ok = h.gathered("keyturn_socket_connections") {
		select {
		case <-deadline:
			t.Fatalf("%v connections are served (%v)", v, ok)
		case <-again.C:
		}
	}
	if _, ok := openHere(t).gathered("keyturn_socket_connections"); ok {
		t.Error("connections are served without Socket Mode")
	}
}

// When a credential that a run made ends is there to be read long before it does.
func TestTheEndsOfCredentialsAreServed(t *testing.T) {
	h := open(t, withSignIn)
	h.finishes("direct")
	if v, ok := h.gathered("keyturn_credential_days", "contoso", "graph/application/"); !ok || v < 30 || v > 800 {
		t.Errorf("the key of the health reader ends in %v days (%v)", v, ok)
	}
}
