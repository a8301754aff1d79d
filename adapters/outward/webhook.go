package outward

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keyturn/bot"
)

// WebhookConfig is what [NewWebhook] needs.
type WebhookConfig struct {
	URL bot.Secret // https, or http to this machine; a secret because it lets everybody post who knows it

	// Bearer is sent as "Authorization: Bearer ..."; the zero Secret sends
	// none.
	Bearer bot.Secret
	// SigningKey signs each note as the Standard Webhooks specification says,
	// so that its ready-made libraries verify it: "whsec_" and the key in
	// base64, or the key itself; at least 16 bytes. The zero Secret signs
	// nothing.
	SigningKey bot.Secret

	HTTP *http.Client     // from httpx.New; nil is one of the default policy
	Now  func() time.Time // nil is time.Now
}

// Webhook posts notes as JSON to an address of the tenant's choice:
//
//	{"id": "kt_...", "tenant": "contoso", "kind": "alarm", "subject": "...", "text": "...", "at": "2026-11-24T10:42:00Z"}
//
// Every status from 200 to 299 is a success, unless the answer is a web page.
// It is safe for concurrent use.
type Webhook struct {
	to     address
	bearer bot.Secret
	key    bot.Secret // its bytes, decoded
	peer   peer
}

// NewWebhook checks a configuration. Its error is a sentence for the operator
// and holds no secret.
func NewWebhook(cfg WebhookConfig) (*Webhook, error) {
	to, err := newAddress("the fallback webhook", cfg.URL)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(cfg.Bearer.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the bearer secret of the fallback webhook holds a blank or a character that no header can carry: check how it was copied")
	}
	key, err := signingKey(cfg.SigningKey)
	if err != nil {
		return nil, err
	}
	client, err := clientOf(cfg.HTTP)
	if err != nil {
		return nil, err
	}
	w := &Webhook{to: to, bearer: cfg.Bearer, key: key}
	w.peer = peer{system: Webhooks, name: "the webhook at " + to.host, http: client, now: cfg.Now, write: true,
		secrets: []bot.Secret{cfg.Bearer, cfg.SigningKey, key}}
	if w.peer.now == nil {
		w.peer.now = time.Now
	}
	return w, nil
}

// minKey is the least length of a signing key in bytes.
const minKey = 16

func signingKey(s bot.Secret) (bot.Secret, error) {
	if s.IsZero() {
		return s, nil
	}
	v := s.Reveal()
	if coded, ok := strings.CutPrefix(v, "whsec_"); ok {
		raw, err := base64.StdEncoding.DecodeString(coded)
		if err != nil {
			return bot.Secret{}, errors.New("the signing key of the fallback webhook begins with whsec_, but what follows is not base64: check how it was copied")
		}
		v = string(raw)
	}
	if len(v) < minKey {
		return bot.Secret{}, errors.New("the signing key of the fallback webhook is too short to protect anything: it needs at least 16 bytes, better 32")
	}
	return bot.NewSecret(v), nil
}

// Send posts a note once.
func (w *Webhook) Send(ctx context.Context, n Note) error {
	n, f := n.ready(Webhooks)
	if f != nil {
		return f
	}
	body, err := json.Marshal(struct {
		ID      string       `json:"id"`
		Tenant  bot.TenantID `json:"tenant"`
		Kind    Kind         `json:"kind"`
		Subject string       `json:"subject"`
		Text    string       `json:"text"`
		At      string       `json:"at"`
	}{n.ID(), n.Tenant, n.Kind, n.Subject, n.Text, n.At.UTC().Format(time.RFC3339)})
	if err != nil {
		return &bot.Failure{Kind: bot.KindBadRequest, System: Webhooks, Says: "The note cannot be written as JSON.", Err: err}
	}
	return failed(w.peer.send(ctx, http.MethodPost, w.to, w.header(n.ID(), body), string(body)))
}

func (w *Webhook) header(id string, body []byte) http.Header {
	stamp := strconv.FormatInt(w.peer.now().Unix(), 10)
	h := http.Header{"Content-Type": {"application/json"}}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	if !w.bearer.IsZero() {
		h.Set("Authorization", "Bearer "+w.bearer.Reveal())
	}
	if !w.key.IsZero() {
		mac := hmac.New(sha256.New, []byte(w.key.Reveal()))
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return h
}
