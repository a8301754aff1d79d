package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"
)

// front stands before the demo's replicas as a load balancer does: it takes
// those in turn that say they are ready, and the next where one cannot be
// reached.
type front struct {
	bots   []*behind
	turn   atomic.Uint64
	proxy  *httputil.ReverseProxy
	server *http.Server
	stop   context.CancelFunc
}

// behind is a replica as the front sees it.
type behind struct {
	url   *url.URL
	ready atomic.Bool
}

const (
	lookEvery = 100 * time.Millisecond // at /readyz
	lookTime  = 500 * time.Millisecond // that it may take
	frontTime = 10 * time.Second       // that an answer may take
	mostBody  = 4 << 20
)

// openFront listens at an address until close.
func openFront(addr string, bots []string, logs io.Writer) (*front, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening before the replicas: %w", err)
	}
	f := &front{}
	for _, b := range bots {
		u, err := url.Parse(b)
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("the address of a replica: %w", err)
		}
		f.bots = append(f.bots, &behind{url: u})
	}
	// A connection that is used once shows at its beginning that nobody answers.
	f.proxy = &httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, Transport: inTurn{f, &http.Transport{DisableKeepAlives: true, ResponseHeaderTimeout: frontTime}},
		ErrorLog: log.New(io.Discard, "", 0), ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			fmt.Fprintf(logs, "the front has no answer for %s: %v\n", r.URL.Path, err)
			http.Error(w, "No replica of Keyturn answered.", http.StatusBadGateway)
		}}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	for _, b := range f.bots {
		go b.watch(ctx)
	}
	f.server = &http.Server{Handler: f.proxy, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = f.server.Serve(l) }()
	return f, nil
}

func (f *front) close() {
	f.stop()
	_ = f.server.Close()
}

// watch asks a replica whether it is ready, until ctx is done.
func (b *behind) watch(ctx context.Context) {
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	client := &http.Client{Timeout: lookTime, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url.JoinPath("/readyz").String(), nil)
		if err != nil {
			return
		}
		resp, err := client.Do(req)
		b.ready.Store(err == nil && resp.StatusCode == http.StatusOK)
		if err == nil {
			resp.Body.Close()
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// order is who is asked: those that are ready, then the others, each time from
// the next on.
func (f *front) order() (list []*behind) {
	first := int(f.turn.Add(1) % uint64(len(f.bots)))
	for _, ready := range []bool{true, false} {
		for i := range f.bots {
			if b := f.bots[(first+i)%len(f.bots)]; b.ready.Load() == ready {
				list = append(list, b)
			}
		}
	}
	return list
}

// inTurn sends a request to a replica, and to the next one where that does not
// even take the connection: what may have arrived is not sent again.
type inTurn struct {
	front *front
	next  http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t inTurn) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	var err error
	if r.Body != nil {
		if body, err = io.ReadAll(io.LimitReader(r.Body, mostBody)); err != nil {
			return nil, err
		}
	}
	for _, b := range t.front.order() {
		try := r.Clone(r.Context())
		try.URL.Scheme, try.URL.Host = b.url.Scheme, b.url.Host
		try.Body = io.NopCloser(bytes.NewReader(body))
		resp, tried := t.next.RoundTrip(try)
		if tried == nil {
			return resp, nil
		}
		err = tried
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "dial" {
			break
		}
	}
	return nil, err
}
