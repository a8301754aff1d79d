package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

type eraseCmd struct {
	Config string   `help:"Configuration file (YAML)." required:"" type:"existingfile"`
	Person string   `required:"" help:"Entra object ID of the person, who is no longer in the configuration."`
	Name   []string `help:"A name or an account to look for in records from before names stood apart; may be given more than once." sep:"none"`
}

// Run erases a person's names, while the bot runs or not.
func (e eraseCmd) Run(c *console) error {
	conf, tenants, err := load(e.Config)
	if err != nil {
		return err
	}
	running, err := ask(c.ctx, conf.Data, "/erase?"+url.Values{"person": {e.Person}, "name": e.Name}.Encode(), c.out)
	if err != nil || running {
		return err
	}
	env, err := conf.env(tenants)
	if err != nil {
		return err
	}
	store, err := openState(conf)
	if err != nil {
		return err
	}
	return errors.Join(erasePerson(c.ctx, store, env, bot.PersonID(e.Person), e.Name, time.Now(), c.out), store.Close())
}

// serveErase answers the command from the running bot.
func serveErase(p *process) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if err := erasePerson(r.Context(), p.store, p.engine.Env, bot.PersonID(q.Get("person")), q["name"], p.engine.Now(), w); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
		}
	}
}

// erasePerson erases in every tenant, then writes anew where the data lies, and
// says what it could not erase.
func erasePerson(ctx context.Context, s store, env *engine.Env, p bot.PersonID, also []string, now time.Time, w io.Writer) error {
	if p == "" {
		return errors.New("whose names? Give the Entra object ID: --person 4a0d6d36-2b1a-4f10-9c0e-0d9b6a1f7c55")
	}
	for _, t := range env.Tenants { // all or none: nobody is half erased
		if known, ok := t.Person(p); ok {
			return engine.StillNamed(known, t)
		}
	}
	var done []engine.Erased
	for _, t := range env.Tenants {
		d, err := engine.Erase(ctx, s, env, t.ID, p, also, now)
		if errors.Is(err, engine.ErrUnknownPerson) {
			continue
		}
		if err != nil {
			return err
		}
		done = append(done, d)
	}
	// Also where nothing was found: a first try may have ended right before this.
	if err := s.Rewrite(ctx); err != nil {
		return fmt.Errorf("the names were erased, but stand in unused room yet: erase once more, which does no harm: %w", err)
	}
	if len(done) == 0 {
		return fmt.Errorf("%w: %s. Was the object ID meant? Names in records from before names stood apart are found with --name", engine.ErrUnknownPerson, p)
	}
	for _, d := range done {
		fmt.Fprintf(w, "Erased person %s in %s: %d names, and %d records that had them from before. It stands in the audit trail, which stays whole.\n", p, d.Tenant, d.Names, d.Records)
		if d.Old > 0 {
			fmt.Fprintf(w, "Not erased: %d entries of the trail, between number %d and %d, were written before names stood apart. An entry cannot change; they go when their time is over (audit.keep).\n", d.Old, d.First, d.Last)
		}
		if d.Waiting > 0 {
			fmt.Fprintf(w, "Not erased: %d messages or tasks that are on their way, sealed. They are gone once they are done.\n", d.Waiting)
		}
	}
	_, err := fmt.Fprintln(w, `Not erased, because it is not Keyturn's to change: messages in Slack and Teams; the logs of Slack, Microsoft and ServiceNow, and work notes there;
reports and trails that were exported; backups and copies of the state, and what a database server archives; Keyturn's own log and whatever collects it.`)
	return err
}
