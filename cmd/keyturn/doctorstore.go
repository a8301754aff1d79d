package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"keyturn/adapters/teams"
	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/state/postgres"
)

// store looks at the state and, with what it holds, at the rights that runs
// have made: through the running bot, or in the file itself.
func (d *doctor) store(ctx context.Context) []finding {
	const of = "Store"
	if d.conf.State.set() {
		return d.database(ctx, of)
	}
	var out, kept bytes.Buffer
	running, err := ask(ctx, d.conf.Data, "/check", &out)
	if err == nil && running {
		_, err = ask(ctx, d.conf.Data, "/standing", &kept)
	}
	if running {
		found := []finding{judged(of, d.conf.Data, strings.TrimSpace(out.String())+" Keyturn runs", err)}
		var standing []finding
		if err == nil && json.Unmarshal(kept.Bytes(), &standing) == nil {
			found = append(found, standing...)
		}
		return found
	}
	if _, err := os.Stat(d.conf.Data); errors.Is(err, os.ErrNotExist) {
		return []finding{writable(of, d.conf.Data)}
	}
	store, err := openState(d.conf)
	if err != nil {
		return []finding{failed(of, d.conf.Data, err, "If the key is another one than the state was sealed with, put that one back; otherwise bring a backup back with keyturn restore.")}
	}
	defer store.Close()
	if err := checkState(ctx, store, &out); err != nil {
		return []finding{failed(of, d.conf.Data, err, "Bring a backup back with keyturn restore.")}
	}
	return append([]finding{{Of: of, What: d.conf.Data, State: fine, Says: strings.TrimSpace(out.String())}}, d.standing(ctx, store)...)
}

// database looks at a state that replicas share. Whether any of them runs makes
// no difference.
func (d *doctor) database(ctx context.Context, of string) []finding {
	const what = "the database"
	store, err := openState(d.conf)
	switch {
	case errors.Is(err, postgres.ErrNone):
		return []finding{{Of: of, What: what, State: fine, Says: "It answers. There is no state in it yet; the first start makes it"}}
	case err != nil:
		return []finding{failed(of, what, err, "Look at the address, the server, and whether the sealing key is the one that the state was sealed with.")}
	}
	defer store.Close()
	var out bytes.Buffer
	if err := checkState(ctx, store, &out); err != nil {
		return []finding{failed(of, what, err, "Bring a copy of the schema back with pg_restore.")}
	}
	return append([]finding{{Of: of, What: what, State: fine, Says: strings.TrimSpace(out.String())}}, d.standing(ctx, store)...)
}

// writable looks whether a state could be kept where there is none.
func writable(of, path string) finding {
	probe, err := os.CreateTemp(filepath.Dir(path), ".keyturn-doctor-*")
	if err != nil {
		return failed(of, path, fmt.Errorf("the state cannot be kept there: %w", err), "Make the folder, and give it to the user that Keyturn runs as, with the rights 0700.")
	}
	probe.Close()
	os.Remove(probe.Name())
	return finding{Of: of, What: path, State: fine, Says: "There is none yet; the first start makes it"}
}

// standing looks at what runs have made: readings, and the credentials for them
// that the configuration does not name.
func (d *doctor) standing(ctx context.Context, store engine.Store) []finding {
	var out []finding
	for i, t := range d.tenants {
		var (
			reader bot.Reader
			as     bot.CallIdentity
			watch  incident.Watch
		)
		err := store.Read(ctx, func(v engine.View) (err error) {
			if reader, as, err = engine.Standing(v, t); err != nil {
				return err
			}
			watch, err = v.Watch(t.ID)
			return err
		})
		out = append(out, d.subscribed(ctx, store, t)...)
		out = append(out, met(store, t)...)
		name := "Standing rights of " + string(t.ID)
		if err != nil {
			out = append(out, failed(name, "what runs have made", err, ""))
			continue
		}
		if !reader.Configured() {
			out = append(out, finding{Of: name, What: "service health", State: warned, Says: "Nothing may read it, so no incidents are posted",
				Fix: "Run the guide with /keyturn setup direct, or name a reader for the tenant in the configuration."})
		} else if !t.Reader.Configured() {
			out = append(out, d.reading(ctx, name, t, reader)...)
		}
		if reader.Configured() {
			out = append(out, d.read(name, watch))
		}
		if d.conf.Tenants[i].ServiceNow != nil && as.ClientID != "" {
			out = append(out, judged(name, "the dedicated user at ServiceNow", "It gets a token and may read incidents", d.servicenow.ProveReading(ctx, t.ID, as)))
		}
	}
	return out
}

// met says whom the bot cannot write to first on Teams, as far as it knows.
func met(store engine.Store, t *bot.Tenant) []finding {
	f := finding{Of: "Microsoft Teams", What: "people of " + string(t.ID), State: fine}
	var strangers []string
	seen := 0
	for _, p := range t.People {
		for _, a := range p.Accounts {
			if a.Platform != bot.Teams {
				continue
			}
			if seen++; !teams.Met(memory{store, slog.New(slog.DiscardHandler)}, a) {
				strangers = append(strangers, p.Name)
			}
		}
	}
	switch {
	case seen == 0:
		return nil
	case len(strangers) == 0:
		f.Says = fmt.Sprintf("It can write to all %d", seen)
	default:
		f.State = unproved
		f.Says = "It has not met " + strings.Join(strangers, ", ") + ". Teams lets a bot write first only to people who added it, or who are in a team that has it"
		f.Fix = "Have each of them add Keyturn in Teams, under Apps > Built for your org; a Teams admin can install it for many with a setup policy."
	}
	return []finding{f}
}

// read says when service health was last read.
func (d *doctor) read(name string, w incident.Watch) finding {
	f := finding{Of: name, What: "the last reading", State: fine}
	switch {
	case !w.Failing.IsZero():
		f.State, f.Says = broken, fmt.Sprintf("Readings fail since %s: %s", w.Failing.UTC().Format("2 January 15:04 UTC"), w.Failure)
		f.Fix = "Mend what is said of the health reader; the next reading then comes by itself."
	case w.Good.IsZero():
		f.State, f.Says = unproved, "Nothing was read yet"
	case d.now().Sub(w.Good) > 15*time.Minute:
		f.State, f.Says, f.Fix = warned, "The last one was at "+w.Good.UTC().Format("2 January 15:04 UTC"), "Start keyturn serve, or look why it does not read."
	default:
		f.Says = "Read at " + w.Good.UTC().Format("15:04 UTC")
	}
	return f
}

// serveStanding answers the doctor from the running bot.
func serveStanding(p *process) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		doc, err := newDoctor(p.conf, p.tenants, logger(&console{err: io.Discard}, ""), time.Now)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(doc.standing(r.Context(), p.store))
	}
}
