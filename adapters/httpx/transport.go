package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"keyturn/bot"
)

// ErrTooLarge is inside the error of an answer whose body exceeds the limit.
var ErrTooLarge = errors.New("the answer is larger than Keyturn reads")

// ErrTotal is inside the error of an exchange that took too long as a whole.
var ErrTotal = errors.New("the answer took too long")

// transport adds the policy to every request, also to those of vendor
// libraries. The total time-out is its own because http.Client.Timeout
// replaces the error and with it the outcome.
type transport struct {
	next    http.RoundTripper
	agent   string
	total   time.Duration
	maxBody int64
	log     *slog.Logger
	hosts   []Host
}

// RoundTrip sends one request. Its error is an [*Error].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := listed(t.hosts, req.URL); err != nil {
		if req.Body != nil {
			req.Body.Close() // a RoundTripper has to
		}
		t.record(req, nil, err, 0)
		return nil, &Error{Outcome: NotSent, Method: req.Method, URL: Redact(req.URL), Err: err}
	}
	var connected atomic.Bool
	held, done, err := req.Context(), func() {}, error(nil)
	if changes(req.Method) {
		if held, done, err = bot.Permitted(held); err != nil {
			if req.Body != nil {
				req.Body.Close()
			}
			return nil, &Error{Outcome: NotSent, Method: req.Method, URL: Redact(req.URL), Err: err}
		}
	}
	ctx, ended := context.WithTimeoutCause(held, t.total, ErrTotal)
	cancel := func() { ended(); done() }
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	out := req.Clone(ctx)
	out.Header.Set("User-Agent", t.agent)
	began := time.Now()
	resp, err := t.next.RoundTrip(out)
	t.record(req, resp, err, time.Since(began))
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		cancel()
		outcome := NotSent
		if connected.Load() {
			outcome = Ambiguous
		}
		return nil, &Error{Outcome: outcome, Method: req.Method, URL: Redact(req.URL), Err: err}
	}
	resp.Body = &body{ReadCloser: resp.Body, left: t.maxBody, ctx: ctx, cancel: cancel}
	return resp, nil
}

// changes reports whether a request may change what it is sent to.
func changes(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *transport) record(req *http.Request, resp *http.Response, err error, took time.Duration) {
	if t.log == nil {
		return
	}
	args := []any{"method", req.Method, "url", Redact(req.URL), "took", took.Round(time.Millisecond)}
	if err != nil {
		t.log.Debug("outside call failed", append(args, "error", err)...)
		return
	}
	t.log.Debug("outside call", append(args, "status", resp.StatusCode, "request", RequestID(resp.Header))...)
}

// body ends the exchange's time-out when it is read or closed, and refuses to
// grow beyond the limit.
type body struct {
	io.ReadCloser
	left   int64
	ctx    context.Context
	cancel context.CancelFunc
	once   sync.Once
}

func (b *body) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, ErrTooLarge
	}
	if err != nil && err != io.EOF {
		if cause := context.Cause(b.ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(b.cancel)
	return err
}
