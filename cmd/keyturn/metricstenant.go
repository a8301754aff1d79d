package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// tenant tells how a tenant's channels, credentials and audit trail stand.
func (m *metrics) tenant(to chan<- prometheus.Metric, v engine.View, t *bot.Tenant) error {
	gauge := func(d *prometheus.Desc, n float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, append([]string{string(t.ID)}, labels...)...)
	}
	subs, err := v.Subscriptions(t.ID)
	if err != nil {
		return err
	}
	live := 0
	for _, s := range subs {
		if s.Stopped == "" {
			live++
		}
	}
	gauge(m.subscriptions, float64(live), "live")
	gauge(m.subscriptions, float64(len(subs)-live), "stopped")
	ends, err := engine.Ends(v, t)
	if err != nil {
		return err
	}
	for key, at := range ends {
		gauge(m.ends, at.Sub(m.now()).Hours()/24, key)
	}
	last, err := v.Audit(t.ID, 1)
	if err != nil || len(last) == 0 {
		return err
	}
	gauge(m.entries, float64(last[0].Seq))
	age, err := m.headAge(v, t.ID)
	gauge(m.head, age.Seconds())
	return err
}

// headAge is how long ago the head of a trail left, or at least that long where
// this process has not sent it yet.
func (m *metrics) headAge(v engine.View, t bot.TenantID) (time.Duration, error) {
	m.mu.Lock()
	at, sent := m.heads[t]
	m.mu.Unlock()
	left, ok, err := engine.HeadLeft(v, t, m.every) // another replica may have sent it
	switch {
	case err != nil:
		return 0, err
	case ok && left.After(at):
		at = left
	case !sent:
		at = m.begun
	}
	return max(0, m.now().Sub(at)), nil
}

// watched is a witness that says when the head of a trail left.
type watched struct {
	engine.Witness
	m *metrics
}

// Head implements [engine.Witness].
func (w watched) Head(ctx context.Context, h engine.Head) error {
	err := w.Witness.Head(ctx, h)
	if err == nil {
		w.m.mu.Lock()
		w.m.heads[h.Tenant] = w.m.now()
		w.m.mu.Unlock()
	}
	return err
}
