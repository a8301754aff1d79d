package engine

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// Letter is a message that was given up.
type Letter struct {
	Job   bot.JobID
	Place bot.Place
	Words string // what it says, as far as that is known before it is drawn
	Why   string
	Made  time.Time
}

// Undelivered lists the messages that were given up in the places that may
// speak for a tenant, oldest first.
func (d *Draft) Undelivered(t *bot.Tenant) ([]Letter, error) {
	jobs, err := d.Jobs("")
	if err != nil {
		return nil, err
	}
	var out []Letter
	for _, j := range jobs {
		p, err := payload[Deliver](j)
		if !j.Dead || j.Kind != kindDeliver || err != nil || !t.Speaks(p.Place.Platform, p.Place.Team) || p.Tenant != "" && p.Tenant != t.ID {
			continue
		}
		if its, err := d.itsOwn(t, p); err != nil || !its {
			if err != nil {
				return nil, err
			}
			continue
		}
		l := Letter{Job: j.ID, Place: p.Place, Why: j.Last, Made: j.Made}
		switch {
		case p.Draw.Message != nil:
			l.Words = p.Draw.Message.Words()
		case p.Draw.Incident != "":
			l.Words = p.Draw.Incident
		case p.Draw.Post != "":
			l.Words = p.Draw.Post
		default:
			l.Words = "a " + p.Draw.What
		}
		l.Words, _, _ = strings.Cut(l.Words, "\n")
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b Letter) int { return int(a.Job) - int(b.Job) })
	return out, nil
}

// itsOwn reports whether a message is a tenant's, where several speak from one
// workspace and the message does not say: by whose its channel is, or the person
// whom it was for.
func (d *Draft) itsOwn(t *bot.Tenant, p Deliver) (bool, error) {
	if p.Tenant != "" || len(d.env.Speaking(p.Place.Platform, p.Place.Team)) < 2 {
		return true, nil
	}
	if p.Place.Direct() {
		_, known := t.Who(bot.Account{Platform: p.Place.Platform, Team: p.Place.Team, ID: p.Place.User})
		return known, nil
	}
	owner, bound, err := d.Bound(p.Place.Root())
	return !bound || owner == t.ID, err
}

// Resend has a message that was given up be tried again, from the beginning.
// It is false where there is no such message any more.
func (d *Draft) Resend(t *bot.Tenant, id bot.JobID) (bool, error) {
	j, ok, err := d.letter(t, id)
	if err != nil || !ok {
		return false, err
	}
	p, err := payload[Deliver](j)
	if err != nil {
		return false, err
	}
	p.Doubts = 0
	if j.Payload, err = json.Marshal(p); err != nil {
		return false, err
	}
	d.Out.Again = append(d.Out.Again, revived(j, d))
	return true, nil
}

// Discard removes a message that was given up.
func (d *Draft) Discard(t *bot.Tenant, id bot.JobID) (bool, error) {
	_, ok, err := d.letter(t, id)
	if err != nil || !ok {
		return false, err
	}
	d.Out.Done = append(d.Out.Done, id)
	return true, nil
}

func (d *Draft) letter(t *bot.Tenant, id bot.JobID) (bot.Job, bool, error) {
	letters, err := d.Undelivered(t)
	if err != nil || !slices.ContainsFunc(letters, func(l Letter) bool { return l.Job == id }) {
		return bot.Job{}, false, err
	}
	jobs, err := d.Jobs("")
	for _, j := range jobs {
		if j.ID == id {
			return j, true, err
		}
	}
	return bot.Job{}, false, err
}
