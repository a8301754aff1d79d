package sim

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
)

// controlBody is more than what any person does in one act.
const controlBody = 1 << 20

// Act is what somebody does in a simulated client, for another process: JSON in,
// and what came of it.
type Act func(body []byte) (any, error)

// Twin is the act that a method does.
func Twin[T, R any](do func(T) (R, error)) Act {
	return func(body []byte) (any, error) {
		var in T
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		return do(in)
	}
}

// Done is what an act gives that has nothing to tell.
var Done any = map[string]any{"ok": true}

// Control serves /_sim of a simulated chat platform: what people do there, for
// another process.
//
//	GET    /_sim/state            what state gives
//	GET    /_sim/journal?since=n  {"calls": [...], "next": n}
//	POST   /_sim/faults           adds a Fault     DELETE clears them
//	POST   /_sim/<act>            JSON in, JSON out
//
// A refusal by the simulated client is 422 with {"error": "..."}.
func Control(state func() any, journal *Journal, faults *Faults, acts map[string]Act) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/state", func(w http.ResponseWriter, _ *http.Request) { WriteJSON(w, http.StatusOK, state()) })
	mux.HandleFunc("GET /_sim/journal", func(w http.ResponseWriter, r *http.Request) {
		since, _ := strconv.Atoi(r.URL.Query().Get("since")) // what is no number means everything
		calls, next := journal.Since(since)
		WriteJSON(w, http.StatusOK, map[string]any{"calls": calls, "next": next})
	})
	mux.HandleFunc("DELETE /_sim/faults", func(w http.ResponseWriter, _ *http.Request) {
		faults.Clear()
		WriteJSON(w, http.StatusOK, Done)
	})
	serve := func(name string, act Act) {
		mux.HandleFunc("POST /_sim/"+name, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(io.LimitReader(r.Body, controlBody))
			var result any
			if err == nil {
				result, err = act(body)
			}
			if err != nil {
				WriteJSON(w, http.StatusUnprocessableEntity, map[string]any{"error": err.Error()})
				return
			}
			WriteJSON(w, http.StatusOK, result)
		})
	}
	serve("faults", Twin(func(f Fault) (any, error) { faults.Add(f); return Done, nil }))
	for name, act := range acts {
		serve(name, act)
	}
	return onlyJSON(mux)
}

// onlyJSON keeps other web pages from acting through a visitor's browser: they
// can send a form without asking, but neither JSON nor a matching Origin.
func onlyJSON(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if r.Method == http.MethodPost && kind != "application/json" {
			http.Error(w, "send the content type application/json", http.StatusUnsupportedMediaType)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// WriteJSON answers with JSON, markup as it is.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // a reader that went away cannot be told
}
