package engine

import (
	"context"
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// windowJob pings those who wait for the window of a change.
type windowJob struct {
	Run string `json:"run"`
}

func windowLane(run string) string { return "window/" + run }

// opens gives when the first plan of a run that only waits for its change's
// window can be approved.
func opens(r *setup.Run, g *setup.Guide, t *bot.Tenant, now time.Time) (at time.Time, ok bool) {
	for i := range g.Steps {
		s := r.Step(g.Steps[i].ID)
		if s == nil || r.State != setup.RunOpen || s.State != setup.Planned {
			continue
		}
		if _, until := r.Held(t.Changes, s.Plan, now); until.After(now) && (!ok || until.Before(at)) {
			at, ok = until, true
		}
	}
	return at, ok
}

// windowNext has a job wait until the window of a run's change begins.
func (d *Draft) windowNext(before, after *setup.Run, g *setup.Guide, t *bot.Tenant) {
	at, ok := opens(after, g, t, d.Now)
	if !ok {
		return
	}
	if before != nil {
		if was, had := opens(before, g, t, d.Now); had && was.Equal(at) {
			return
		}
	}
	d.job(windowLane(after.ID), kindWindow, bot.ClassHandoff, at, windowJob{Run: after.ID}, windowLane(after.ID))
}

// window tells those whose plans waited for it that the window is open. What
// was settled meanwhile, or is held by something else now, is not asked for.
func (e *Engine) window(ctx context.Context, j bot.Job) error {
	p, err := payload[windowJob](j)
	if err != nil {
		return err
	}
	return e.ofRun(ctx, j, "window", p.Run, func(d *Draft, r setup.Run, g *setup.Guide, c setup.Context) error {
		titles := map[bot.PersonID][]bot.Text{}
		var opened []setup.ChangeNeed
		var people []bot.PersonID
		for i := range g.Steps {
			spec, s := &g.Steps[i], r.Step(g.Steps[i].ID)
			if s == nil || s.State != setup.Planned || len(r.Needs(c.Tenant.Changes, s.Plan.Calls)) == 0 {
				continue
			}
			if says, _ := r.Held(c.Tenant.Changes, s.Plan, d.Now); says != nil {
				continue
			}
			opened = append(opened, r.Needs(c.Tenant.Changes, s.Plan.Calls)...)
			for _, who := range r.Waiting(spec, s) {
				if len(titles[who]) == 0 {
					people = append(people, who)
				}
				titles[who] = append(titles[who], bot.Join(bot.T("• "), bot.B(spec.Title)))
			}
		}
		for _, who := range people {
			m := bot.Say(windows(&r, opened), bot.T(". These can be approved now ("+c.Tenant.Name+"):"))
			m.Add(bot.Paragraph{Text: bot.Lines(titles[who]...)})
			m.Add(bot.Buttons{Items: []bot.Button{{Label: "Show my steps", Action: setup.ActMine, Value: r.ID}}})
			d.Tell(c.Tenant, who, m)
			d.Redraw(&r, who) // the card says now that it can be approved
		}
		d.windowNext(nil, &r, g, c.Tenant)
		return nil
	})
}

// windows says which windows are open.
func windows(r *setup.Run, needs []setup.ChangeNeed) bot.Text {
	var said []string
	var out bot.Text
	for _, n := range needs {
		if !n.Rule.Read || slices.Contains(said, n.Number) {
			continue
		}
		said = append(said, n.Number)
		if out != nil {
			out = bot.Join(out, bot.T(". "))
		}
		out = bot.Join(out, bot.T("The window of change "), bot.C(n.Number), bot.T(" is open"), until(r.SeenChange(n.Number)))
	}
	return out
}

func until(c *bot.Change) bot.Text {
	if c == nil || c.End.IsZero() {
		return nil
	}
	return bot.Join(bot.T(" until "), bot.When(c.End, bot.DateTime))
}
