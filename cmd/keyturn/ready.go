package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// readyTime is how long the state may take to be read before it counts as out of
// reach.
const readyTime = 3 * time.Second

// readyz says whether requests may be sent here: not while the bot stops, and
// not while its state cannot be read.
func (p *process) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	err := p.engine.Ready(ctx)
	if err != nil {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}
