package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// What was said about a tenant's roles since its configuration was written.
var (
	grants      = Kind[bot.Grant]{Name: "grant"}        // by role and person
	memberships = Kind[bot.Membership]{Name: "group"}   // by role
	absences    = Kind[bot.Away]{Name: "away"}          // by person
	gapsTold    = Kind[map[string]string]{Name: "gaps"} // what the owners were told is missing
)

// Groups is a platform that can say who is in a user group.
type Groups interface {
	Members(ctx context.Context, team, group string) ([]string, error)
}

// effective lays what was said in chat over a tenant's configuration: the one
// place that says who holds a role.
func effective(v View, t *bot.Tenant, now time.Time) (*bot.Tenant, error) {
	var s bot.Standing
	var errs [3]error
	s.Grants, errs[0] = grants.All(v, t.ID)
	s.Groups, errs[1] = memberships.All(v, t.ID)
	s.Away, errs[2] = absences.All(v, t.ID)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("who holds which role for %s cannot be read: %w", t.Name, err)
	}
	return t.With(s, now), nil
}

// Effective gives a tenant as it stands now, with what this decision has
// already changed: who asks for the holders of a role asks this.
func (d *Draft) Effective(t *bot.Tenant) (*bot.Tenant, error) {
	return effective(changed{d.View, &d.Out}, t, d.Now)
}

// changed is a view with the records that a decision has written already.
type changed struct {
	View
	out *Changes
}

// Records implements [View].
func (c changed) Records(kind string, tenant bot.TenantID) ([]Record, error) {
	have, err := c.View.Records(kind, tenant)
	if err != nil {
		return nil, err
	}
	by := map[string]Record{}
	for _, r := range have {
		by[r.Key] = r
	}
	for _, r := range c.out.Records {
		switch {
		case r.Kind != kind || r.Tenant != tenant:
		case r.Value == nil:
			delete(by, r.Key)
		default:
			by[r.Key] = r
		}
	}
	out := make([]Record, 0, len(by))
	for _, k := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[k])
	}
	return out, nil
}

// Grant records an owner's word about a person and a role. configured is what
// the configuration says: a word that only repeats it is not kept, so that the
// configuration stays the place to look.
func (d *Draft) Grant(t *bot.Tenant, g bot.Grant) {
	g.At = d.Now
	d.RefreshHome(t, g.Person)
	key := string(g.Role) + "/" + string(g.Person)
	if conf, ok := d.env.Tenant(t.ID); ok && conf.Held(g.Person, g.Role) == g.Held && t.Managed[g.Role].Group == "" {
		grants.Drop(&d.Out, t.ID, key)
		return
	}
	grants.Put(&d.Out, t.ID, key, g)
}

// Manage declares a role's user group admin-managed, or ends that.
func (d *Draft) Manage(t *bot.Tenant, m bot.Membership, on bool) {
	if !on {
		memberships.Drop(&d.Out, t.ID, string(m.Role))
		return
	}
	m.Since = d.Now
	memberships.Put(&d.Out, t.ID, string(m.Role), m)
	d.job(groupLane(t.ID), kindGroups, bot.ClassHandoff, d.Now, groupsJob{Tenant: t.ID}, groupLane(t.ID))
}

// Reseat makes the open runs of a tenant ask those who hold its roles now, and
// tells the owners what is missing that was not before. fresh were given a
// role just now: they are asked in the runs that are open.
func (d *Draft) Reseat(conf *bot.Tenant, fresh map[bot.Role][]bot.PersonID) error {
	t, err := d.Effective(conf)
	if err != nil {
		return err
	}
	runs, err := d.Runs(t.ID)
	if err != nil {
		return err
	}
	for i := range runs {
		r := &runs[i]
		g, ok := d.env.Guide(r.Guide)
		if !ok || r.State != setup.RunOpen {
			continue
		}
		after := r.Clone()
		moved := d.orphaned(&after, g, t)
		touched := after.Reseat(g, t, fresh, d.Now)
		if len(touched) == 0 && !moved {
			continue
		}
		if err := d.PutRun(r, &after); err != nil {
			return err
		}
		if moved {
			touched = append(touched, after.Requester)
		}
		for _, p := range touched {
			if n := len(after.Visits[p]) - 1; n >= 0 && (asks(g, &after, after.Visits[p][n].Steps) || len(r.Visits[p]) > 0) {
				d.Redraw(&after, p)
			}
		}
	}
	return d.tellGaps(t)
}

// orphaned gives a run whose requester cannot act any more to an owner who can:
// somebody has to answer for it.
func (d *Draft) orphaned(r *setup.Run, g *setup.Guide, t *bot.Tenant) bool {
	if t.Active(r.Requester) {
		return false
	}
	i := slices.IndexFunc(t.Owners, t.Active)
	if i < 0 {
		return false
	}
	was, name := r.Requester, "Whoever asked for it"
	if p, ok := t.Person(was); ok {
		name = p.Name
	}
	r.Inherit(g, t.Owners[i], d.Now)
	d.Record(bot.AuditEntry{Tenant: t.ID, Act: "requester", Run: r.ID, Person: r.Requester, Note: "asked for by " + string(was) + ", who cannot act any more"})
	m := bot.Say(bot.T(name + " cannot act any more, so the run " + r.ID + " (" + string(r.Guide) + ", " + t.Name + ") is yours: its questions come to you, and you can cancel it."))
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Status", Action: setup.ActStatus, Value: r.ID}, {Label: "My steps", Action: setup.ActMine, Value: r.ID}, {Label: "Cancel", Action: setup.ActCancel, Value: r.ID}}})
	d.Tell(t, r.Requester, m)
	return true
}

// tellGaps tells the owners what is missing, each thing once.
func (d *Draft) tellGaps(t *bot.Tenant) error {
	told, _, err := gapsTold.Get(d.View, t.ID, "told")
	if err != nil {
		return err
	}
	gaps := t.Gaps()
	var lines []bot.Text
	for _, k := range slices.Sorted(maps.Keys(gaps)) {
		if _, known := told[k]; !known {
			lines = append(lines, bot.T("⛔ "+gaps[k]))
		}
	}
	if len(lines) > 0 {
		m := bot.Say(bot.Lines(append([]bot.Text{bot.B("Roles for " + t.Name)}, lines...)...))
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Roles", Action: "verb", Value: "roles", Says: "Roles: who holds which role"}}})
		for _, o := range t.Owners {
			d.Tell(t, o, m)
		}
	}
	if len(lines) > 0 || len(told) != len(gaps) {
		gapsTold.Put(&d.Out, t.ID, "told", gaps)
	}
	return nil
}

func groupLane(t bot.TenantID) string { return "groups/" + string(t) }

type groupsJob struct {
	Tenant bot.TenantID `json:"tenant"`
}

// groupsEvery is the time between two readings of admin-managed groups.
const groupsEvery = 10 * time.Minute

// readGroups reads who is in a tenant's admin-managed groups. One that cannot
// be read keeps its last members, and their age.
func (e *Engine) readGroups(ctx context.Context, j bot.Job) error {
	p, err := payload[groupsJob](j)
	if err != nil {
		return err
	}
	t, ok := e.Env.Tenant(p.Tenant)
	if !ok {
		return e.finish(ctx, j, nil)
	}
	var groups []bot.Membership
	if err := e.Store.Read(ctx, func(v View) (err error) {
		groups, err = memberships.All(v, t.ID)
		return err
	}); err != nil {
		return err
	}
	if len(groups) == 0 {
		return e.finish(ctx, j, nil)
	}
	for i := range groups {
		groups[i] = e.readGroup(ctx, groups[i])
	}
	return e.commit(ctx, "groups/"+e.ID(), func(d *Draft) error {
		for _, g := range groups {
			now, ok, err := memberships.Get(d.View, t.ID, string(g.Role))
			if err != nil {
				return err
			}
			if ok && now.Group == g.Group {
				now.Members, now.Read, now.Why = g.Members, g.Read, g.Why
				memberships.Put(&d.Out, t.ID, string(g.Role), now)
			}
		}
		again := j
		again.Due, again.Tries, again.Last = d.Now.Add(groupsEvery), 0, ""
		d.Out.Again = []bot.Job{again}
		return d.Reseat(t, nil)
	})
}

func (e *Engine) readGroup(ctx context.Context, g bot.Membership) bot.Membership {
	from, ok := e.Chats[bot.Slack].(Groups)
	if !ok {
		g.Why = "Slack is not connected."
		return g
	}
	members, err := from.Members(ctx, g.Team, g.Group)
	if err != nil {
		e.Log.Warn("an admin-managed user group cannot be read", "role", g.Role, "group", g.Group, "err", err)
		g.Why = err.Error()
		return g
	}
	g.Members, g.Read, g.Why = members, e.Now(), ""
	return g
}

// resumeRoles begins where the configuration may have changed: open runs ask
// those who hold their roles now, and admin-managed groups are read.
func (d *Draft) resumeRoles(t *bot.Tenant) error {
	groups, err := memberships.All(d.View, t.ID)
	if err != nil {
		return err
	}
	jobs, err := d.Jobs(groupLane(t.ID))
	if err != nil {
		return err
	}
	if len(groups) > 0 && len(alive(jobs)) == 0 {
		d.job(groupLane(t.ID), kindGroups, bot.ClassHandoff, d.Now, groupsJob{Tenant: t.ID}, groupLane(t.ID))
	}
	return d.Reseat(t, nil)
}
