package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"keyturn/bot"
	"keyturn/state/bolt"
)

// liveState answers the commands that need the state of a running bot. The
// socket's file rights are its only guard. There is one only where the state is a
// file.
func liveState(p *process) http.Handler {
	store, mux := p.store, http.NewServeMux()
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("GET /standing", serveStanding(p))
	mux.HandleFunc("GET /heard", p.metrics.serveHeard)
	mux.HandleFunc("GET /backup", func(w http.ResponseWriter, r *http.Request) {
		if err := store.(file).Backup(r.Context(), w); err != nil {
			panic(http.ErrAbortHandler) // a cut transfer tells the reader that the copy is not whole
		}
	})
	mux.HandleFunc("GET /audit/{tenant}", func(w http.ResponseWriter, r *http.Request) {
		if err := writeAudit(r.Context(), store, bot.TenantID(r.PathValue("tenant")), w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /check", func(w http.ResponseWriter, r *http.Request) {
		if err := checkState(r.Context(), store, w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /compact", func(w http.ResponseWriter, r *http.Request) {
		if err := compactState(r.Context(), store.(file), w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /names/{tenant}", func(w http.ResponseWriter, r *http.Request) {
		if err := writeNames(r.Context(), store, bot.TenantID(r.PathValue("tenant")), w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /erase", serveErase(p))
	mux.HandleFunc("GET /incidents/{tenant}", serveIncidents(store))
	mux.HandleFunc("GET /run/{id}", func(w http.ResponseWriter, r *http.Request) {
		if err := writeRun(r.Context(), store, r.PathValue("id"), w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return mux
}

// ask reads a path from a running bot's socket. It reports false where none
// runs.
func ask(ctx context.Context, data, path string, to io.Writer) (bool, error) {
	if data == "" {
		return false, nil // the state is in a database, which needs nobody's word
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", socketPath(data))
	}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://keyturn"+path, nil)
	if err != nil {
		return false, err
	}
	resp, err := client.Do(req)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("asking the running bot: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return true, fmt.Errorf("the running bot answered: %s", b)
	}
	if _, err = io.Copy(to, resp.Body); err != nil {
		return true, fmt.Errorf("the running bot's answer broke off: %w", err)
	}
	return true, nil
}

type backupCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"existingfile"`
	To     string `arg:"" help:"File to write; it must not exist."`
}

// Run copies the state, whole or not at all.
func (b backupCmd) Run(c *console) error {
	conf, _, err := load(b.Config)
	if err != nil {
		return err
	}
	if err := conf.inFile("copy the database with pg_dump --schema, as your other databases are copied"); err != nil {
		return err
	}
	if _, err := os.Stat(b.To); err == nil {
		return fmt.Errorf("%s exists already; a backup never overwrites", b.To)
	}
	tmp, err := os.CreateTemp(filepath.Dir(b.To), ".keyturn-backup-*")
	if err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	running, err := ask(c.ctx, conf.Data, "/backup", tmp)
	if err == nil && !running {
		var store *bolt.Store
		if store, err = openFile(conf); err == nil {
			err = store.Backup(c.ctx, tmp)
			store.Close()
		}
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), b.To); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	fmt.Fprintln(c.out, "Copied the state to", b.To)
	return nil
}
