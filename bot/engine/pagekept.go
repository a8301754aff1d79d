package engine

import (
	"context"
	"strings"

	"keyturn/bot"
)

// Where a platform has no page of the bot's own, the answer to "home" is one: a
// message in the person's chat that is kept up to date like a page, until they
// ask for another or have not asked for a day.

// kept is the ledger key of the message that is somebody's page.
var kept = Kind[string]{Name: "page"} // by account

// KeepPage answers with the page as a message that follows what it shows.
func (d *Draft) KeepPage(t *bot.Tenant, a bot.Account) {
	key := pagePrefix + string(t.ID) + "/" + a.String() + "/" + d.NewID("p")
	kept.PutUntil(&d.Out, t.ID, a.String(), key, d.Now.Add(readerKept))
	readers.PutUntil(&d.Out, t.ID, a.String(), reader{Account: a}, d.Now.Add(readerKept))
	d.deliver(pageDelivery(t.ID, a, key), bot.ClassClick, d.Now)
}

const pagePrefix = "page/"

func pageDelivery(t bot.TenantID, a bot.Account, key string) Deliver {
	return Deliver{Key: key, Place: bot.DM(a), Tenant: t, Draw: Draw{What: drawPage}}
}

// pageOf is the delivery of a page by its ledger key.
func pageOf(key string) (Deliver, bool) {
	parts := strings.Split(strings.TrimPrefix(key, pagePrefix), "/")
	if len(parts) != 3 {
		return Deliver{}, false
	}
	a, err := bot.ParseAccount(parts[1])
	return pageDelivery(bot.TenantID(parts[0]), a, key), err == nil
}

// drawKept draws the page of a message.
func (e *Engine) drawKept(v View, p Deliver) (bot.Message, error) {
	t, ok := e.Env.Tenant(p.Tenant)
	if !ok {
		return bot.Message{}, nil
	}
	d := NewDraft(v, e.Env, "", e.Now())
	t, err := d.Effective(t)
	if err != nil {
		return bot.Message{}, err
	}
	return d.Page(t, bot.Account{Platform: p.Place.Platform, Team: p.Place.Team, ID: p.Place.User})
}

// followKept finishes the job of a page, and has the messages drawn again that
// are somebody's page.
func (e *Engine) followKept(ctx context.Context, j bot.Job, a bot.Account) error {
	return e.commit(ctx, "home/"+a.String(), func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		for _, t := range e.Env.Speaking(a.Platform, a.Team) {
			key, ok, err := kept.Get(d.View, t.ID, a.String())
			if err != nil {
				return err
			}
			if ok {
				d.deliver(pageDelivery(t.ID, a, key), bot.ClassDigest, d.Now)
			}
		}
		return nil
	})
}
