package engine

import (
	"keyturn/bot"
	"keyturn/bot/setup"
)

// MoveRuns moves the open runs of a channel that takes no messages any more to
// their requesters.
func (d *Draft) MoveRuns(from bot.Place, why string) error {
	for _, t := range d.env.Speaking(from.Platform, from.Team) {
		runs, err := d.Runs(t.ID)
		if err != nil {
			return err
		}
		for _, r := range runs {
			if r.State == setup.RunOpen && r.Place.Root() == from.Root() {
				if err := d.moveRun(r.ID, why); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// moveRun moves a run whose channel is gone to the requester's direct
// messages.
func (d *Draft) moveRun(id, why string) error {
	r, err := d.Run(id)
	if err != nil {
		return err
	}
	t, ok := d.env.Tenant(r.Tenant)
	if !ok || r.Place.Direct() {
		return nil
	}
	person, ok := t.Person(r.Requester)
	if !ok {
		return nil
	}
	a, ok := person.On(r.Place.Platform, r.Place.Team)
	if !ok {
		return nil
	}
	after := r.Clone()
	after.Place = bot.DM(a)
	d.Out.Unsent = append(d.Out.Unsent, setup.ChecklistKey(r.ID))
	d.Say(after.Place, bot.Say(bot.T("I can no longer post in the channel of this run. "+why+" The checklist goes on here.")), bot.ClassHandoff)
	return d.PutRun(&r, &after)
}
