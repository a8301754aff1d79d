package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// serveMetrics listens at an address of its own, which the platforms need not
// reach. It ends with ctx.
func (p *process) serveMetrics(ctx context.Context) error {
	if p.conf.Metrics == "" {
		return nil
	}
	l, err := net.Listen("tcp", p.conf.Metrics)
	if err != nil {
		return fmt.Errorf("listening for metrics on %s: %w (is the port taken?)", p.conf.Metrics, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("GET /readyz", p.readyz)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second}
	go func() { _ = srv.Serve(l) }()
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	p.log.Info("metrics are served", "listen", l.Addr().String())
	return nil
}

// alive answers that the process runs.
func alive(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }
