package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// metrics are what an operator's monitoring reads. What is counted is counted
// as it happens; how things stand is read from the store when it is asked for.
//
//	keyturn_reading_age_seconds{tenant}       since service health was last read; absent before the first time
//	keyturn_reading_failing{tenant}           1 while readings fail
//	keyturn_incidents_open{tenant}            as of the last reading
//	keyturn_jobs{kind,state}                  outgoing work: waiting, or dead (given up)
//	keyturn_job_oldest_seconds{kind}          how long the oldest that is due has waited
//	keyturn_sends_total{platform,outcome}     messages: sent, throttled (429), or the kind of failure
//	keyturn_requests_total{platform,what,outcome}
//
// No label holds a person, a channel or anything that somebody typed.
type metrics struct {
	registry *prometheus.Registry
	sends    *prometheus.CounterVec
	requests *prometheus.CounterVec

	store   engine.Store
	tenants []*bot.Tenant
	now     func() time.Time

	age, failing, open, jobs, oldest *prometheus.Desc
}

func newMetrics(tenants []*bot.Tenant, now func() time.Time) *metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("keyturn_"+name, help, labels, nil)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "keyturn_" + name, Help: help}, labels)
	}
	m := &metrics{registry: prometheus.NewRegistry(), tenants: tenants, now: now,
		sends:    counter("sends_total", "Messages by outcome: sent, throttled, or the kind of failure.", "platform", "outcome"),
		requests: counter("requests_total", "Requests from a chat platform by outcome.", "platform", "what", "outcome"),
		age:      desc("reading_age_seconds", "Time since service health was last read.", "tenant"),
		failing:  desc("reading_failing", "1 while service health cannot be read.", "tenant"),
		open:     desc("incidents_open", "Issues that Microsoft has not resolved, as of the last reading.", "tenant"),
		jobs:     desc("jobs", "Outgoing work that waits or was given up.", "kind", "state"),
		oldest:   desc("job_oldest_seconds", "How long the oldest job that is due has waited.", "kind"),
	}
	m.registry.MustRegister(m, m.sends, m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Describe implements [prometheus.Collector].
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.age, m.failing, m.open, m.jobs, m.oldest} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := m.store.Read(ctx, func(v engine.View) error {
		for _, t := range m.tenants {
			w, err := v.Watch(t.ID)
			if err != nil {
				return err
			}
			known, err := v.Incidents(t.ID, false)
			if err != nil {
				return err
			}
			m.reading(to, t.ID, w, len(known))
		}
		jobs, err := v.Jobs("")
		if err != nil {
			return err
		}
		m.work(to, jobs)
		return nil
	})
	if err != nil {
		to <- prometheus.NewInvalidMetric(m.jobs, fmt.Errorf("the store cannot be read: %w", err))
	}
}

func (m *metrics) reading(to chan<- prometheus.Metric, t bot.TenantID, w incident.Watch, open int) {
	gauge := func(d *prometheus.Desc, v float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, string(t))
	}
	if !w.Good.IsZero() {
		gauge(m.age, m.now().Sub(w.Good).Seconds())
	}
	failing := 0.0
	if !w.Failing.IsZero() {
		failing = 1
	}
	gauge(m.failing, failing)
	gauge(m.open, float64(open))
}

func (m *metrics) work(to chan<- prometheus.Metric, jobs []bot.Job) {
	type key struct{ kind, state string }
	count := map[key]int{}
	oldest := map[string]time.Duration{}
	for _, j := range jobs {
		state := "waiting"
		if j.Dead {
			state = "dead"
		}
		count[key{j.Kind, state}]++
		if late := m.now().Sub(j.Due); !j.Dead && late > 0 {
			oldest[j.Kind] = max(oldest[j.Kind], late)
		}
	}
	for k, n := range count {
		to <- prometheus.MustNewConstMetric(m.jobs, prometheus.GaugeValue, float64(n), k.kind, k.state)
	}
	for kind, late := range oldest {
		to <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, late.Seconds(), kind)
	}
}

// sent counts one try of a message.
func (m *metrics) sent(p bot.Platform, err error) {
	outcome := "sent"
	if err != nil {
		if outcome = string(bot.KindOf(err)); outcome == "" {
			outcome = "failed"
		}
	}
	m.sends.WithLabelValues(string(p), outcome).Inc()
}

// requested counts what a chat adapter was asked.
func (m *metrics) requested(p bot.Platform) func(what, outcome string) {
	return func(what, outcome string) { m.requests.WithLabelValues(string(p), what, outcome).Inc() }
}

// serveMetrics listens at an address of its own, which the platforms need not
// reach. It ends with ctx.
func (p *process) serveMetrics(ctx context.Context) error {
	if p.conf.Metrics == "" {
		return nil
	}
	l, err := net.Listen("tcp", p.conf.Metrics)
	if err != nil {
		return fmt.Errorf("listening for metrics on %s: %w (is the port taken?)", p.conf.Metrics, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("GET /readyz", p.readyz)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second}
	go func() { _ = srv.Serve(l) }()
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	p.log.Info("metrics are served", "listen", l.Addr().String())
	return nil
}

// alive answers that the process runs.
func alive(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }
