package engine

import (
	"strconv"
	"strings"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// Anew has a message be drawn again where it stands, also where its words have
// not changed: a platform that showed one person something else in its place
// then shows it to them. It reports whether the message is one that is drawn;
// what was said once is not.
func (d *Draft) Anew(ref bot.MessageRef) (bool, error) {
	sent, err := d.SentAs(ref.ID)
	if err != nil {
		return false, err
	}
	for _, under := range []string{runUnder, incidentUnder, pagePrefix} {
		for _, s := range sent {
			if s.Gone || !strings.HasPrefix(s.Key, under) || elsewhere(s.Ref.Place, ref.Place) {
				continue
			}
			p, ok, err := d.deliveryOf(s)
			if err != nil || !ok {
				return false, err
			}
			s.Digest = "" // so that it is not taken for what it was
			d.Out.Sent = append(d.Out.Sent, s)
			d.deliver(p, bot.ClassClick, d.Now)
			return true, nil
		}
	}
	return false, nil
}

// deliveryOf is the delivery that an entry of the ledger is of, by its key.
func (d *Draft) deliveryOf(s bot.Sent) (p Deliver, ok bool, err error) {
	p = Deliver{Key: s.Key, Place: s.Ref.Place}
	of, rest, _ := strings.Cut(s.Key, "/")
	id, rest, _ := strings.Cut(rest, "/")
	switch {
	case of+"/" == pagePrefix:
		p, ok = pageOf(s.Key)
		return p, ok, nil
	case of == "run" && s.Key == setup.ChecklistKey(id):
		p.Draw = Draw{What: drawChecklist, Run: id}
		return p, true, nil
	case of == "run" && strings.HasPrefix(rest, "told/"):
		p.Draw = Draw{What: drawTold, Run: id}
		return p, true, nil
	case of == "run" && strings.HasPrefix(rest, "card/"):
		part := strings.SplitN(rest, "/", 4) // card, person, visit, account
		if len(part) < 4 {
			return p, false, nil
		}
		visit, err := strconv.Atoi(part[2])
		p.Draw = Draw{What: drawCard, Run: id, Person: bot.PersonID(part[1]), Visit: visit}
		return p, err == nil, nil
	case of == "incident":
		issue, root := incident.RootOf(rest)
		for _, t := range d.env.Tenants {
			if !root {
				break
			}
			if _, known, err := d.Subscribed(t.ID, id); err != nil || !known {
				if err != nil {
					return p, false, err
				}
				continue
			}
			p.Tenant, p.Sub, p.Draw = t.ID, id, Draw{What: drawRoot, Incident: issue, Sub: id}
			if _, post, err := posts.Get(d.View, t.ID, issue); err != nil || post {
				p.Draw = Draw{What: drawPost, Post: issue, Sub: id}
				return p, post, err
			}
			return p, true, nil
		}
	}
	return p, false, nil
}
