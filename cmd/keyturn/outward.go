package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"keyturn/adapters/outward"
	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// fallbackConfig is what is told when a tenant's chat cannot be reached for ten
// minutes: any of them, or several.
type fallbackConfig struct {
	Channel string         `yaml:"channel"` // on the other platform
	Webhook *webhookConfig `yaml:"webhook"`
	Mail    *mailConfig    `yaml:"mail"`
}

type webhookConfig struct {
	URL        secret `yaml:"url"` // a secret: who knows it can post there
	Bearer     secret `yaml:"bearer"`
	SigningKey secret `yaml:"signing_key"`
}

type mailConfig struct {
	Server   string   `yaml:"server"` // host:port
	User     string   `yaml:"user"`
	Password secret   `yaml:"password"`
	From     string   `yaml:"from"`
	To       []string `yaml:"to"`
}

// heartbeatConfig is a monitor that raises the alarm when Keyturn's beats stay
// away.
type heartbeatConfig struct {
	URL    secret   `yaml:"url"` // a secret: monitors put their key into the path
	Method string   `yaml:"method"`
	Fail   secret   `yaml:"fail"` // an address for trouble; unset, a beat that stays away tells it
	Every  duration `yaml:"every"`
}

// outwards checks a tenant's fallback ways and its monitor.
func (t *tenantConfig) outwards(c *config, out *bot.Tenant, where string, f *faults) {
	if fb := t.Fallback; fb != nil {
		if fb.Channel == "" && fb.Webhook == nil && fb.Mail == nil {
			f.add("%s.fallback: name a way: channel, webhook or mail", where)
		}
		if fb.Channel != "" {
			out.Fallback = t.channel(c, fb.Channel, where+".fallback.channel", f)
		}
		if w := fb.Webhook; w != nil {
			w.URL.need(f, where+".fallback.webhook.url", "the address that takes the note")
			optional(f, where+".fallback.webhook.bearer", w.Bearer)
			optional(f, where+".fallback.webhook.signing_key", w.SigningKey)
			if _, err := w.way(nil); err != nil && !w.URL.value.IsZero() {
				f.add("%s.fallback.webhook: %v; name another", where, err)
			}
			out.Ways = append(out.Ways, "webhook")
		}
		if m := fb.Mail; m != nil {
			optional(f, where+".fallback.mail.password", m.Password)
			if _, err := m.way(); err != nil {
				f.add("%s.fallback.mail: %v; write server, from and to", where, err)
			}
			out.Ways = append(out.Ways, "mail")
		}
	}
	if h := t.Heartbeat; h != nil {
		h.URL.need(f, where+".heartbeat.url", "the address that the monitor gives out")
		optional(f, where+".heartbeat.fail", h.Fail)
		if _, err := h.monitor(nil, nil); err != nil && !h.URL.value.IsZero() {
			f.add("%s.heartbeat: %v; write what the monitor asks for", where, err)
		}
	}
}

// optional finds a secret that is named and cannot be read.
func optional(f *faults, where string, s secret) {
	if s.set() {
		s.need(f, where, "")
	}
}

func (w *webhookConfig) way(client *http.Client) (outward.Way, error) {
	return outward.NewWebhook(outward.WebhookConfig{URL: w.URL.value, Bearer: w.Bearer.value, SigningKey: w.SigningKey.value, HTTP: client})
}

func (m *mailConfig) way() (outward.Way, error) {
	return outward.NewMail(outward.MailConfig{Server: m.Server, User: m.User, Password: m.Password.value, From: m.From, To: m.To})
}

func (h *heartbeatConfig) monitor(client *http.Client, now func() time.Time) (engine.Monitor, error) {
	return outward.NewHeartbeat(outward.HeartbeatConfig{URL: h.URL.value, Method: h.Method, Fail: h.Fail.value, Every: h.Every.or(outward.DefaultEvery), HTTP: client, Now: now})
}

// outward makes each tenant's fallback ways, in the order of [bot.Tenant.Ways],
// and its monitor.
func (c *config) outward(client *http.Client, now func() time.Time) (ways map[bot.TenantID][]engine.Way, monitors map[bot.TenantID]engine.Monitor, err error) {
	ways, monitors = map[bot.TenantID][]engine.Way{}, map[bot.TenantID]engine.Monitor{}
	for i := range c.Tenants {
		t, id := &c.Tenants[i], bot.TenantID(c.Tenants[i].ID)
		add := func(w outward.Way, e error) {
			err = errors.Join(err, e)
			ways[id] = append(ways[id], way{w})
		}
		if fb := t.Fallback; fb != nil && fb.Webhook != nil {
			add(fb.Webhook.way(client))
		}
		if fb := t.Fallback; fb != nil && fb.Mail != nil {
			add(fb.Mail.way())
		}
		if t.Heartbeat != nil {
			m, e := t.Heartbeat.monitor(client, now)
			err = errors.Join(err, e)
			monitors[id] = m
		}
	}
	return ways, monitors, err
}

// way is a fallback way, for the engine.
type way struct{ outward.Way }

// Send implements [engine.Way].
func (w way) Send(ctx context.Context, n engine.Note) error {
	kind := outward.Alarm
	if n.Over {
		kind = outward.Over
	}
	return w.Way.Send(ctx, outward.Note{Key: n.Key, Tenant: n.Tenant, Kind: kind, Subject: n.Subject, Text: n.Text, At: n.At})
}

// publicStatus asks Microsoft's public status page; nil where that is switched
// off.
func (c *config) publicStatus(client *http.Client) func(context.Context) (int, []byte, error) {
	address := c.Outside.Status
	switch address {
	case "none":
		return nil
	case "":
		address = incident.PublicAddress
	}
	return func(ctx context.Context) (int, []byte, error) {
		body, _, status, err := outward.PublicStatus(ctx, client, address)
		return status, body, err
	}
}
