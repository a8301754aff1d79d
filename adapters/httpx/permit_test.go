package httpx

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"keyturn/bot"
)

func TestAPermitStandsBeforeWhatChangesSomething(t *testing.T) {
	sent := 0
	slow := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent++
		if r.URL.Path == "/slow" {
			select {
			case <-slow:
			case <-r.Context().Done():
			}
		}
	}))
	defer srv.Close()
	defer close(slow)
	client, err := New(Config{Proxy: "none"})
	if err != nil {
		t.Fatal(err)
	}
	lost := errors.New("somebody else has it")
	asked := 0
	shut := bot.WithPermit(t.Context(), func(context.Context) (context.Context, context.CancelFunc, error) { asked++; return nil, nil, lost })
	ends := bot.WithPermit(t.Context(), func(ctx context.Context) (context.Context, context.CancelFunc, error) {
		within, cancel := context.WithCancelCause(ctx)
		cancel(lost)
		return within, func() {}, nil
	})
	do := func(ctx context.Context, method, path string) error {
		req, err := http.NewRequestWithContext(ctx, method, srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	if err := do(shut, "GET", "/"); err != nil || asked != 0 || sent != 1 {
		t.Errorf("a reading: %v, the permit was asked %d times", err, asked)
	}
	if err := do(shut, "POST", "/"); !errors.Is(err, lost) || OutcomeOf(err) != NotSent || sent != 1 || asked != 1 {
		t.Errorf("a write that is held back: %v, %d were sent", err, sent)
	}
	if err := do(ends, "POST", "/slow"); !errors.Is(err, lost) {
		t.Errorf("a write that is ended: %v", err)
	}
	if err := do(t.Context(), "POST", "/"); err != nil {
		t.Errorf("nobody asks: %v", err)
	}
}
