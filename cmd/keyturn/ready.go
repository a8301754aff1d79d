package main

import (
	"fmt"
	"net/http"
)

// readyz says whether requests may be sent here: not while the bot stops, and
// not while its state cannot be read.
func (p *process) readyz(w http.ResponseWriter, r *http.Request) {
	err := p.engine.Ready(r.Context())
	if err != nil {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}
