package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"keyturn/adapters/outward"
	"keyturn/bot/engine"
	"keyturn/state"
)

// auditConfig says how long the audit trails are kept, and where their heads
// are noted outside the store.
type auditConfig struct {
	Keep  duration `yaml:"keep"` // zero keeps them for good
	Heads struct {
		Every   duration    `yaml:"every"`
		Log     *bool       `yaml:"log"` // unless it says false
		Syslog  string      `yaml:"syslog"`
		Webhook headWebhook `yaml:"webhook"`
	} `yaml:"heads"`
}

type headWebhook struct {
	URL        secret `yaml:"url"`
	Bearer     secret `yaml:"bearer"`
	SigningKey secret `yaml:"signing_key"`
}

func (w headWebhook) make(client *http.Client, now func() time.Time) (*outward.Webhook, error) {
	return outward.NewWebhook(outward.WebhookConfig{URL: w.URL.value, Bearer: w.Bearer.value, SigningKey: w.SigningKey.value, HTTP: client, Now: now})
}

func (a *auditConfig) check(f *faults) {
	if k := time.Duration(a.Keep); k > 0 && k < 30*24*time.Hour {
		f.add("audit.keep: %s is less than a month (720h); leave it out to keep the trails for good", k)
	}
	h := &a.Heads
	if h.Syslog != "" {
		if _, err := outward.NewSyslog(outward.SyslogConfig{Address: h.Syslog}); err != nil {
			f.add("audit.heads.syslog: %v", err)
		}
	}
	for _, s := range []struct {
		name string
		secret
	}{{"url", h.Webhook.URL}, {"bearer", h.Webhook.Bearer}, {"signing_key", h.Webhook.SigningKey}} {
		if s.set() {
			s.need(f, "audit.heads.webhook."+s.name, "")
		}
	}
	switch w := h.Webhook; {
	case w.URL.set() && w.URL.err == nil:
		if _, err := w.make(nil, time.Now); err != nil {
			f.add("audit.heads.webhook: %v", err)
		}
	case !w.URL.set() && (w.Bearer.set() || w.SigningKey.set()):
		f.add("audit.heads.webhook.url: missing; write env:NAME or file:/path")
	}
	if h.Log != nil && !*h.Log && h.Syslog == "" && !h.Webhook.URL.set() {
		f.add("audit.heads: the heads go nowhere, so nobody could prove that a trail was not cut off: name syslog or webhook, or leave log on")
	}
}

// witness notes heads in every place that is configured.
func (a *auditConfig) witness(client *http.Client, ca string, log *slog.Logger, now func() time.Time) (engine.Witness, error) {
	var all witnesses
	if a.Heads.Log == nil || *a.Heads.Log {
		all = append(all, func(_ context.Context, h engine.Head) error {
			log.Info("the head of an audit trail", "head", headOf(h).String())
			return nil
		})
	}
	if a.Heads.Syslog != "" {
		s, err := outward.NewSyslog(outward.SyslogConfig{Address: a.Heads.Syslog, CAFile: ca})
		if err != nil {
			return nil, err
		}
		all = append(all, func(ctx context.Context, h engine.Head) error {
			return s.Write(ctx, string(outward.AuditHead), headOf(h).String(), h.At)
		})
	}
	if w := a.Heads.Webhook; w.URL.set() {
		hook, err := w.make(client, now)
		if err != nil {
			return nil, err
		}
		all = append(all, func(ctx context.Context, h engine.Head) error {
			return hook.Send(ctx, outward.Note{Key: "audit/" + headOf(h).String() + h.At.UTC().Format("/20060102T15"), Tenant: h.Tenant, Kind: outward.AuditHead,
				Subject: "The head of the audit trail of " + string(h.Tenant), Text: headOf(h).String(), At: h.At})
		})
	}
	return all, nil
}

func headOf(h engine.Head) state.Head {
	return state.Head{Tenant: h.Tenant, Count: h.Count, MAC: h.MAC}
}

type witnesses []func(context.Context, engine.Head) error

// Head implements [engine.Witness]: one place that cannot be reached keeps none
// of the others from their head.
func (w witnesses) Head(ctx context.Context, h engine.Head) error {
	var errs []error
	for _, note := range w {
		errs = append(errs, note(ctx, h))
	}
	return errors.Join(errs...)
}
