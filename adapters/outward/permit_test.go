package outward_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"keyturn/adapters/outward"
	"keyturn/bot"
)

var errTaken = errors.New("somebody else has the job")

// shut is work that has lost its job before it sends.
func shut(ctx context.Context) context.Context {
	return bot.WithPermit(ctx, func(context.Context) (context.Context, context.CancelFunc, error) { return nil, nil, errTaken })
}

// ends is work that loses its job once lost is closed.
func ends(ctx context.Context, lost <-chan struct{}) context.Context {
	return bot.WithPermit(ctx, func(ctx context.Context) (context.Context, context.CancelFunc, error) {
		within, cancel := context.WithCancelCause(ctx)
		go func() {
			select {
			case <-lost:
				cancel(errTaken)
			case <-within.Done():
			}
		}()
		return within, func() { cancel(nil) }, nil
	})
}

func TestAMailWithoutAPermitIsNotHandedOver(t *testing.T) {
	s := startMail(t, &mailServer{extensions: usual})
	m := mailTo(t, s, nil)
	if f := fails(t, m.Send(shut(t.Context()), note()), bot.KindUnreachable); !errors.Is(f, errTaken) {
		t.Errorf("the cause is %v", f.Err)
	}
	if said := s.transcript(); !strings.Contains(said, "RCPT TO") || strings.Contains(said, "DATA") || len(s.received()) != 0 {
		t.Errorf("the server heard:\n%s", said)
	}
	if err := m.Send(ends(t.Context(), nil), note()); err != nil || len(s.received()) != 1 {
		t.Errorf("with a permit it arrived %d times: %v", len(s.received()), err)
	}
}

func TestAMailWhosePermitEndsIsBrokenOff(t *testing.T) {
	for point, kind := range map[string]bot.Kind{"DATA": bot.KindUnreachable, ".": bot.KindAmbiguous} {
		s := startMail(t, &mailServer{extensions: usual, hang: point})
		if f := fails(t, mailTo(t, s, nil).Send(ends(t.Context(), s.hung), note()), kind); !errors.Is(f, errTaken) {
			t.Errorf("%s: the cause is %v", point, f.Err)
		}
	}
}

func TestALineWithoutAPermitIsNotWritten(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan string, 2)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b, _ := io.ReadAll(conn)
			conn.Close()
			got <- string(b)
		}
	}()
	s, err := outward.NewSyslog(outward.SyslogConfig{Address: "tcp://" + l.Addr().String(), Host: "bot"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(shut(t.Context()), "audit-head", "contoso 42:0badf00d:ab", noon); !errors.Is(err, errTaken) {
		t.Errorf("the error is %v", err)
	}
	if b := <-got; b != "" {
		t.Errorf("the collector got %q", b)
	}
	if err := s.Write(ends(t.Context(), nil), "audit-head", "contoso 42:0badf00d:ab", noon); err != nil {
		t.Error(err)
	}
	if b := <-got; !strings.Contains(b, "contoso 42") {
		t.Errorf("with a permit the collector got %q", b)
	}
}

func TestANoteToAWebhookWithoutAPermitIsNotPosted(t *testing.T) {
	s := startSite(t, ok)
	w := hook(t, s)
	if f := fails(t, w.Send(shut(t.Context()), note()), bot.KindUnreachable); !errors.Is(f, errTaken) || len(s.got) != 0 {
		t.Errorf("it was posted %d times, the cause is %v", len(s.got), f.Err)
	}
	if err := w.Send(ends(t.Context(), nil), note()); err != nil || len(s.got) != 1 {
		t.Errorf("with a permit it was posted %d times: %v", len(s.got), err)
	}
}
