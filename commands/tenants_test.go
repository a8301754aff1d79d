package commands_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// stranger is an owner of another tenant, who holds every role there.
func (w *world) stranger(team string) {
	w.env.Tenants = append(w.env.Tenants, &bot.Tenant{ID: "fabrikam", Name: "Fabrikam", Teams: []bot.Workspace{{Platform: bot.Slack, ID: team}}, Owners: []bot.PersonID{"eve"},
		People:  []bot.Person{{ID: "eve", Name: "Eve", Accounts: []bot.Account{{Platform: bot.Slack, Team: team, ID: "Ueve"}}}},
		Holders: map[bot.Role][]bot.PersonID{bot.Requester: {"eve"}, bot.EntraAdmin: {"eve"}, bot.ServiceNowAdmin: {"eve"}, bot.PrivilegedRoleAdmin: {"eve"}, bot.M365Admin: {"eve"}}})
}

// givenUp puts a message of the tenant among those that were given up.
func (w *world) givenUp(at bot.Place, says string) (id bot.JobID) {
	w.t.Helper()
	w.commit(func(d *engine.Draft) error {
		d.Say(at, bot.Say(bot.T(says)), bot.ClassIncident)
		return nil
	})
	for {
		jobs, err := w.store.Claim(w.t.Context(), w.now.Add(time.Hour), 1)
		must(w.t, err)
		if len(jobs) == 0 {
			w.t.Fatal("there is no message to send")
		}
		if j := jobs[0]; strings.Contains(string(j.Payload), says) {
			j.Dead, j.Last = true, "The channel is archived."
			w.commit(func(d *engine.Draft) error { d.Out.Again = append(d.Out.Again, j); return nil })
			return j.ID
		}
	}
}

// of are the tenants whose things a decision changes. What somebody asked is their
// own: members of a workspace may ask about every tenant that it speaks for.
func of(out engine.Changes) (list []bot.TenantID) {
	for _, r := range out.Runs {
		list = append(list, r.Tenant)
	}
	for _, k := range out.Incidents {
		list = append(list, k.Tenant)
	}
	for _, s := range slices.Concat(out.Subscriptions, out.Unsubscribed) {
		list = append(list, s.Tenant)
	}
	for _, e := range out.Audit {
		list = append(list, e.Tenant)
	}
	for _, r := range out.Records {
		if !strings.HasSuffix(r.Kind, "question") {
			list = append(list, r.Tenant)
		}
	}
	return list
}

// Whoever is everything at one tenant is nobody at another, from wherever they
// ask and whatever IDs they know: their own workspace, and one that speaks for
// both.
func TestAnotherTenantReachesNothing(t *testing.T) {
	digest := setup.Digest([]bot.Call{{System: bot.Graph, Method: "POST", Path: "/x"}})
	for _, team := range []string{"T2", "T1"} {
		w := newWorld(t)
		w.stranger(team)
		job := w.givenUp(channel, "words-of-contoso")
		w.begin()
		must(t, w.store.Commit(t.Context(), func(engine.View) (c engine.Changes, err error) {
			c.Bindings = []engine.Binding{{Place: channel, Tenant: "contoso"}, {Place: bot.Place{Platform: bot.Slack, Team: team, Channel: "C9"}, Tenant: "fabrikam"}}
			return c, nil
		}))
		own := bot.Account{Platform: bot.Slack, Team: team, ID: "Ueve"}
		list := asks(w, digest)
		for _, value := range []string{"resend", "discard"} {
			list = append(list, ask{"<" + value + " of a message>", func(who string) bot.Request { return clicked(who, value, strconv.FormatUint(uint64(job), 10)) }})
		}
		list = append(list, ask{"undelivered again all", func(who string) bot.Request { return typed(who, "undelivered again all") }})
		for _, at := range []bot.Place{{Platform: bot.Slack, Team: team, Channel: "C9"}, bot.DM(own), {Platform: bot.Slack, Team: team, Channel: "C1"}} {
			for _, a := range list {
				r := a.make("eve")
				r.From, r.Place = own, at
				if r.Message.Known() {
					r.Message.Place = at
				}
				reply, out := w.try(r)
				if slices.Contains(of(out), "contoso") || len(out.Again)+len(out.Done) > 0 {
					t.Errorf("%s from %s changes something of Contoso: %s %+v", a.name, at, words(reply), of(out))
				}
				if said := words(reply); strings.Contains(said, "words-of-contoso") || team == "T2" && (strings.Contains(said, "Step ") || strings.Contains(said, "Rita") || strings.Contains(said, "Contoso")) {
					t.Errorf("%s from %s tells of Contoso: %s", a.name, at, said)
				}
			}
		}
	}
}
