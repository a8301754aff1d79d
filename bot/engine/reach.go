package engine

import (
	"errors"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// unreached notes on a run that a person's card cannot be delivered, so that
// the checklist says who has to be helped and how. Somebody who has the card
// on another platform is reached.
func (d *Draft) unreached(w Draw, cause error) error {
	r, err := d.Run(w.Run)
	if err != nil {
		return err
	}
	elsewhere, err := d.SentUnder(setup.CardKey(r.ID, w.Person, w.Visit) + "/")
	if err != nil {
		return err
	}
	if r.State != setup.RunOpen || len(elsewhere) > 0 || r.Unreached[w.Person] == cause.Error() {
		return nil
	}
	after := r.Clone()
	if after.Unreached == nil {
		after.Unreached = map[bot.PersonID]string{}
	}
	after.Unreached[w.Person] = cause.Error()
	return d.PutRun(&r, &after)
}

// reached ends what unreached noted, once a card has been delivered.
func (d *Draft) reached(j bot.Job) error {
	p, err := payload[Deliver](j)
	if err != nil || p.Draw.What != drawCard {
		return nil // what cannot be read was not a card
	}
	r, err := d.Run(p.Draw.Run)
	if errors.Is(err, bot.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, noted := r.Unreached[p.Draw.Person]; !noted {
		return nil
	}
	after := r.Clone()
	delete(after.Unreached, p.Draw.Person)
	return d.PutRun(&r, &after)
}

// Met has the cards delivered that an account could not get before the bot was
// where it can be reached.
func (d *Draft) Met(a bot.Account) error {
	for _, t := range d.env.Speaking(a.Platform, a.Team) {
		person, ok := t.Who(a)
		if !ok {
			continue
		}
		runs, err := d.Runs(t.ID)
		if err != nil {
			return err
		}
		for _, r := range runs {
			if _, noted := r.Unreached[person.ID]; noted && r.State == setup.RunOpen {
				d.Redraw(&r, person.ID)
			}
		}
	}
	return nil
}
