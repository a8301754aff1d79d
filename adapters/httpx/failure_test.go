package httpx_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

func TestWhatAnOperatorReadsWhenNothingAnswers(t *testing.T) {
	for words, err := range map[string]error{
		"does not exist":       &net.DNSError{Name: "snow.example.test", IsNotFound: true},
		"DNS server":           &net.DNSError{Name: "snow.example.test", IsTimeout: true},
		"proxy":                &net.OpError{Op: "proxyconnect", Err: errors.New("refused")},
		"in time":              context.DeadlineExceeded,
		"called off":           context.Canceled,
		"could not be reached": errors.New("something else"),
		"more data":            httpx.ErrTooLarge,
	} {
		f := httpx.Lost(bot.ServiceNow, false, "rq-1", fmt.Errorf("sending: %w", &httpx.Error{Outcome: httpx.NotSent, Err: err}))
		if !strings.Contains(f.Says, words) || !strings.Contains(f.Says, "ServiceNow") || f.Fix == "" || f.RequestID != "rq-1" || !errors.Is(f, err) {
			t.Errorf("%v: %q %q", err, f.Says, f.Fix)
		}
	}
}
