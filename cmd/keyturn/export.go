package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

type exportCmd struct {
	Incidents exportIncidentsCmd `cmd:"" help:"Print a tenant's incidents with every post as JSON, in the names of Microsoft Graph. Who works on one is left out."`
}

type exportIncidentsCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"existingfile"`
	Open   bool   `help:"Only those that are not resolved."`
	Tenant string `arg:"" help:"Tenant."`
}

// Run prints the incidents of a running or stopped bot.
func (x exportIncidentsCmd) Run(c *console) error {
	conf, tenants, err := load(x.Config)
	if err != nil {
		return err
	}
	t := bot.TenantID(x.Tenant)
	if !slices.ContainsFunc(tenants, func(have *bot.Tenant) bool { return have.ID == t }) {
		return fmt.Errorf("the configuration has no tenant %q", x.Tenant)
	}
	path := "/incidents/" + x.Tenant
	if x.Open {
		path += "?open=true"
	}
	running, err := ask(c.ctx, conf.Data, path, c.out)
	if err != nil || running {
		return err
	}
	store, err := openState(conf)
	if err != nil {
		return err
	}
	defer store.Close()
	return writeIncidents(c.ctx, store, t, !x.Open, c.out)
}

// serveIncidents answers the export from the running bot.
func serveIncidents(store engine.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := writeIncidents(r.Context(), store, bot.TenantID(r.PathValue("tenant")), r.URL.Query().Get("open") == "", w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}

func writeIncidents(ctx context.Context, store engine.Store, t bot.TenantID, all bool, w io.Writer) error {
	var known []incident.Known
	err := store.Read(ctx, func(v engine.View) (err error) {
		known, err = v.Incidents(t, all)
		return err
	})
	if err != nil {
		return err
	}
	b, err := incident.ExportJSON(known)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}
