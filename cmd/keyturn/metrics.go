package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

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
//	keyturn_subscriptions{tenant,state}       channels that are told: live, or stopped (the platform refused for good)
//	keyturn_credential_days{tenant,credential} days until a credential ends
//	keyturn_audit_entries{tenant}             entries of the audit trail
//	keyturn_audit_head_age_seconds{tenant}    since the head of the trail last left
//	keyturn_jobs{kind,state}                  outgoing work: waiting, or dead (given up)
//	keyturn_job_oldest_seconds{kind}          how long the oldest that is due has waited
//	keyturn_lanes_due                         lanes with something that is due
//	keyturn_sends_total{platform,outcome}     messages: sent, throttled (429), or the kind of failure
//	keyturn_requests_total{platform,what,outcome}
//	keyturn_socket_connections                open connections of Socket Mode; absent without it
//	keyturn_replicas                          replicas that share the database; absent with a file
//	keyturn_replica_heard_age_seconds         since the database last heard of this replica; absent with a file
//	keyturn_build_info{version}
//
// No label holds a person, a channel or anything that somebody typed.
type metrics struct {
	registry *prometheus.Registry
	sends    *prometheus.CounterVec
	requests *prometheus.CounterVec

	store   engine.Store
	tenants []*bot.Tenant
	now     func() time.Time
	begun   time.Time
	every   time.Duration // between two heads of an audit trail

	mu    sync.Mutex
	heads map[bot.TenantID]time.Time // when the head of a trail left last
	heard heard                      // for the doctor
	lines func() int                 // connections of Socket Mode; nil without it

	age, failing, open, subscriptions, ends, entries, head, jobs, oldest, lanes, replicas, since *prometheus.Desc
}

func newMetrics(tenants []*bot.Tenant, every time.Duration, now func() time.Time) *metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("keyturn_"+name, help, labels, nil)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "keyturn_" + name, Help: help}, labels)
	}
	m := &metrics{registry: prometheus.NewRegistry(), tenants: tenants, now: now, begun: now(), every: every, heads: map[bot.TenantID]time.Time{}, heard: heard{Taken: map[bot.Platform]int{}, Refused: map[bot.Platform]int{}},
		sends:    counter("sends_total", "Messages by outcome: sent, throttled, or the kind of failure.", "platform", "outcome"),
		requests: counter("requests_total", "Requests from a chat platform by outcome.", "platform", "what", "outcome"),
		age:      desc("reading_age_seconds", "Time since service health was last read.", "tenant"),
		failing:  desc("reading_failing", "1 while service health cannot be read.", "tenant"),
		open:     desc("incidents_open", "Issues that Microsoft has not resolved, as of the last reading.", "tenant"),
		jobs:     desc("jobs", "Outgoing work that waits or was given up.", "kind", "state"),
		oldest:   desc("job_oldest_seconds", "How long the oldest job that is due has waited.", "kind"),
		lanes:    desc("lanes_due", "Lanes with work that is due."),

		subscriptions: desc("subscriptions", "Channels that are told of incidents, or were until the platform refused for good.", "tenant", "state"),
		ends:          desc("credential_days", "Days until a credential ends; below zero once it has.", "tenant", "credential"),
		entries:       desc("audit_entries", "Entries of the audit trail.", "tenant"),
		head:          desc("audit_head_age_seconds", "Time since the head of the audit trail last left the store.", "tenant"),
		replicas:      desc("replicas", "Replicas that share the database, this one too."),
		since:         desc("replica_heard_age_seconds", "Time since the database last heard of this replica. Others take its jobs over when that is longer than the lease."),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "keyturn_build_info", Help: "1, with the version that runs.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(build)
	m.registry.MustRegister(m, m.sends, m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Describe implements [prometheus.Collector].
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.age, m.failing, m.open, m.subscriptions, m.ends, m.entries, m.head, m.jobs, m.oldest, m.lanes, m.replicas, m.since} {
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
			if err := m.tenant(to, v, t); err != nil {
				return err
			}
		}
		jobs, err := v.Jobs("")
		if err != nil {
			return err
		}
		m.work(to, jobs)
		return nil
	})
	if shared, ok := m.store.(interface {
		Replicas() int
		Heard() time.Time
	}); ok {
		to <- prometheus.MustNewConstMetric(m.replicas, prometheus.GaugeValue, float64(shared.Replicas()))
		to <- prometheus.MustNewConstMetric(m.since, prometheus.GaugeValue, m.now().Sub(shared.Heard()).Seconds())
	}
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
	lanes := map[string]bool{}
	for _, j := range jobs {
		state := "waiting"
		if j.Dead {
			state = "dead"
		}
		count[key{j.Kind, state}]++
		if late := m.now().Sub(j.Due); !j.Dead && late > 0 {
			oldest[j.Kind] = max(oldest[j.Kind], late)
			lanes[j.Lane] = true
		}
	}
	to <- prometheus.MustNewConstMetric(m.lanes, prometheus.GaugeValue, float64(len(lanes)))
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
	return func(what, outcome string) {
		m.requests.WithLabelValues(string(p), what, outcome).Inc()
		m.hear(p, what, outcome)
	}
}

// connected has the connections of Socket Mode counted.
func (m *metrics) connected(lines func() int) {
	m.mu.Lock()
	m.lines = lines
	m.mu.Unlock()
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "keyturn_socket_connections", Help: "Connections of Socket Mode that are open; two while all is well."},
		func() float64 { return float64(lines()) }))
}
