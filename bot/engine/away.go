package engine

import (
	"slices"

	"keyturn/bot"
)

// awayNow records that an account is deactivated, so that steps stop waiting
// for its person and the owners hear when a role has nobody left.
func (d *Draft) awayNow(a bot.Account, why string) error {
	for _, t := range d.env.Speaking(a.Platform, a.Team) {
		p, ok := t.Who(a)
		if !ok {
			continue
		}
		away, _, err := absences.Get(d.View, t.ID, string(p.ID))
		if err != nil {
			return err
		}
		if slices.Contains(away.Accounts, a) {
			continue
		}
		if away.Person == "" {
			away = bot.Away{Person: p.ID, Since: d.Now}
		}
		away.Accounts, away.Why = append(away.Accounts, a), why
		absences.Put(&d.Out, t.ID, string(p.ID), away)
		if err := d.Reseat(t, nil); err != nil {
			return err
		}
	}
	return nil
}

// Back forgets that a person was away: they have just acted.
func (d *Draft) Back(t *bot.Tenant, p bot.PersonID) { absences.Drop(&d.Out, t.ID, string(p)) }
