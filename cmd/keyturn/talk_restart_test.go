package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot/engine"
	"keyturn/sim"
	"keyturn/sim/slack"
)

// afterEach has f called after every request that the bot acknowledged.
func (h *house) afterEach(f func()) {
	_, n := h.world.Slack.Journal.Since(0)
	h.crew.After(func(context.Context) error {
		calls, total := h.world.Slack.Journal.Since(n)
		n = total
		if slices.ContainsFunc(calls, func(c sim.Call) bool { return c.Out && strings.HasPrefix(c.Path, "/slack/") && c.Status == 200 }) {
			f()
			_, n = h.world.Slack.Journal.Since(n)
		}
		return nil
	})
}

// varies is what differs from one run to the next.
var varies = regexp.MustCompile(`run-[a-z2-7]{8}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|20[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{8,}Z?`)

// asIt leaves out IDs that are made anew in each run.
func asIt(i inventories) map[string][]string {
	out := map[string][]string{}
	add := func(kind, format string, args ...any) {
		out[kind] = append(out[kind], varies.ReplaceAllString(fmt.Sprintf(format, args...), "*"))
	}
	for _, a := range i.Microsoft.Apps {
		add("apps", "%s %s %s %v %v %d %d", a.Name, a.UniqueName, a.Audience, a.RedirectURIs, a.Requested, len(a.Secrets), len(a.Certificates))
	}
	for _, p := range i.Microsoft.Principals {
		add("principals", "%s %v", p.Name, p.Enabled)
	}
	for _, a := range i.Microsoft.Assignments {
		add("assignments", "%s", a.Permission)
	}
	add("admin center", "%s %v", i.Microsoft.AdminCenter.Tool, i.Microsoft.AdminCenter.Repositories)
	for kind, lines := range i.ServiceNow {
		for _, l := range lines {
			add(kind, "%s", l)
		}
	}
	for _, l := range out {
		slices.Sort(l)
	}
	return out
}

// undisturbed holds what each guide leaves when nothing happens to the bot.
var undisturbed sync.Map

// ends gives what a guide leaves when nothing happens to the bot.
func ends(t *testing.T, guide string) map[string][]string {
	t.Helper()
	leaves, _ := undisturbed.LoadOrStore(guide, sync.OnceValue(func() map[string][]string {
		h := openHere(t, worldOf(guide)...)
		h.finishes(guide)
		return asIt(h.exists())
	}))
	return leaves.(func() map[string][]string)()
}

func TestARestartAfterEveryRequestChangesNothing(t *testing.T) {
	for _, guide := range []string{"direct", "connector", "cleanup"} {
		t.Run(guide, func(t *testing.T) {
			if testing.Short() && guide != "direct" {
				t.Skip("plays for a minute")
			}
			h := open(t, worldOf(guide)...)
			want := ends(t, guide)
			restarts := 0
			h.afterEach(func() { h.restart(); restarts++ })
			h.finishes(guide)
			if diff := cmp.Diff(want, asIt(h.exists())); diff != "" {
				t.Errorf("with %d restarts the guide leaves something else (-without +with):\n%s", restarts, diff)
			}
			h.expectSound()
			if restarts < 5 {
				t.Errorf("the bot was restarted only %d times", restarts)
			}
		})
	}
}

func TestALostDiskWriteIsCaughtUp(t *testing.T) {
	if testing.Short() {
		t.Skip("plays for half a minute")
	}
	h := open(t)
	n := 0
	h.afterEach(func() { h.cut(); n++ })
	h.finishes("direct")
	h.expectSound()
	if n < 5 {
		t.Errorf("the bot was cut off only %d times", n)
	}
}

func TestARepeatedRequestHasNoSecondEffect(t *testing.T) {
	for _, guide := range []string{"direct", "connector", "cleanup"} {
		t.Run(guide, func(t *testing.T) {
			if testing.Short() && guide != "direct" {
				t.Skip("plays for a minute")
			}
			h := open(t, worldOf(guide)...)
			want := ends(t, guide)
			repeats := 0
			h.afterEach(func() {
				if _, err := h.world.Slack.Resend(); err != nil {
					t.Error(err)
				}
				repeats++
			})
			h.finishes(guide)
			if diff := cmp.Diff(want, asIt(h.exists())); diff != "" {
				t.Errorf("with %d repeated requests the guide leaves something else (-without +with):\n%s", repeats, diff)
			}
			h.expectSound()
			seen := map[string]int{}
			for _, e := range h.audit() {
				if e.Act == "approve" || e.Act == "start" || e.Act == "confirm" {
					seen[e.Act+" "+e.Run+" "+e.Step+" "+e.Plan]++
				}
			}
			for what, n := range seen {
				if n > 1 {
					t.Errorf("%s is in the trail %d times", what, n)
				}
			}
			for _, e := range h.world.Slack.Snapshot().Ephemerals {
				if strings.Contains(e.Text, "did not open in time") {
					t.Errorf("somebody was told of a form that they had: %s", e.Text)
				}
			}
		})
	}
}

// worldOf is the world in which a guide has something to do.
func worldOf(guide string) []option {
	if guide == "cleanup" {
		return []option{withLeftovers}
	}
	return nil
}

// expectSound says that nothing was said twice, nobody saw a failure, and no
// work was given up.
func (h *house) expectSound() {
	h.Helper()
	h.idle()
	s := h.world.Slack.Snapshot()
	if len(s.Troubles) > 0 {
		h.Errorf("people saw failures: %+v", s.Troubles)
	}
	keys := map[string]int{}
	for _, m := range s.Messages {
		if key := keyOf(m); m.Bot && !m.Deleted && key != "" {
			keys[key]++
		}
	}
	for key, n := range keys {
		if n > 1 {
			h.Errorf("%s was posted %d times", key, n)
		}
	}
	if len(h.checklists()) != 1 {
		h.Errorf("there are %d checklists", len(h.checklists()))
	}
	h.expectNothingDead()
}

// keyOf is the key that the bot gave a message.
func keyOf(m slack.Message) string {
	var meta struct {
		Payload struct {
			Key string `json:"key"`
		} `json:"event_payload"`
	}
	_ = json.Unmarshal(m.Metadata, &meta) // a message without metadata has no key
	return meta.Payload.Key
}

// expectNothingDead says that the bot has given no work up.
func (h *house) expectNothingDead() {
	h.Helper()
	h.read(func(v engine.View) error {
		jobs, err := v.Jobs("")
		for _, j := range jobs {
			if j.Dead {
				h.Errorf("a job was given up: %s %s: %s", j.Kind, j.Lane, j.Last)
			}
		}
		return err
	})
}
