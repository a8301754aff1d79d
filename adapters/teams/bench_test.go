package teams

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/bot"
)

// prompt is a desk that answers at once.
type prompt struct{ reply bot.Reply }

func (p prompt) Handle(context.Context, bot.Request) (bot.Reply, error) { return p.reply, nil }
func (p prompt) FormLost(context.Context, bot.Request, error)           {}

// BenchmarkTeamsMessage measures a message and a click from token to answer,
// beside the least that any bot has to do: verify the token and decode.
func BenchmarkTeamsMessage(b *testing.B) {
	m := scenes()["checklist"]
	w := newWorld(b, func(c *Config) {
		c.Desk = prompt{bot.Reply{Message: &m, Redraw: true}}
		c.Log = discard()
	})
	header := w.good()
	message, _ := json.Marshal(w.personal(fields{"text": "status"}))
	click, _ := json.Marshal(w.inChannel(fields{"type": "invoke", "name": "adaptiveCard/action",
		"value": fields{"action": fields{"data": fields{dataKey: pressed{Action: "a"}}}}}))
	handler := w.Handler()
	key := &newSigner("k1").key.PublicKey
	bare := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, err := jwt.Parse(r.Header.Get("Authorization")[len("Bearer "):], func(*jwt.Token) (any, error) { return key, nil },
			jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(w.Adapter.now))
		var v map[string]any
		if err != nil || json.NewDecoder(r.Body).Decode(&v) != nil {
			rw.WriteHeader(http.StatusForbidden)
		}
	})
	for _, c := range []struct {
		name string
		h    http.Handler
		body []byte
	}{{"message/keyturn", handler, message}, {"message/bare", bare, message}, {"click/keyturn", handler, click}, {"click/bare", bare, click}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, Path, bytes.NewReader(c.body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", header)
				rec := httptest.NewRecorder()
				c.h.ServeHTTP(rec, r)
				if rec.Code != http.StatusOK {
					b.Fatal(rec.Code)
				}
			}
		})
	}
}

// BenchmarkRejectedToken measures what a forged token costs.
func BenchmarkRejectedToken(b *testing.B) {
	w := newWorld(b)
	if _, err := w.valid.prove(b.Context(), w.good()); err != nil {
		b.Fatal(err)
	}
	all := hostile(w)
	for _, name := range []string{"a megabyte of dots", "another app", "signed by another key"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.valid.prove(b.Context(), all[name].header); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

func BenchmarkRender(b *testing.B) {
	for name, m := range scenes() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := draw(m, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
