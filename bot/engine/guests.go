package engine

import (
	"context"
	"time"

	"keyturn/bot"
)

// Doorman is a platform that can be asked whether somebody is a guest, where
// its requests do not say so.
type Doorman interface {
	Guest(ctx context.Context, who bot.Account) (bool, error)
}

// visitor is what a platform said about somebody whom the configuration does
// not know.
type visitor struct {
	Guest bool      `json:"guest,omitempty"`
	Asked time.Time `json:"asked"`
}

var visitors = Kind[visitor]{Name: "visitor"} // by account

// How long an answer counts before the platform is asked again, and how long
// it is kept.
const (
	visitorFresh = 24 * time.Hour
	visitorKept  = 30 * 24 * time.Hour
)

type visitorJob struct {
	Tenant  bot.TenantID `json:"tenant"`
	Account bot.Account  `json:"account"`
}

// Guest reports whether somebody of whom a request did not say so is known to
// be a guest. Nothing waits for the platform: it is asked by a job, and its
// answer counts from the next request on.
func (d *Draft) Guest(t *bot.Tenant, a bot.Account) (bool, error) {
	v, known, err := visitors.Get(d.View, t.ID, a.String())
	if err != nil {
		return false, err
	}
	if !known || d.Now.Sub(v.Asked) > visitorFresh {
		lane := "visitor/" + a.String()
		d.job(lane, kindVisitor, bot.ClassDigest, d.Now, visitorJob{Tenant: t.ID, Account: a}, lane+"/"+string(t.ID))
	}
	return v.Guest, nil
}

// ask asks a platform about somebody. What it will not say counts as no guest
// until tomorrow.
func (e *Engine) ask(ctx context.Context, j bot.Job) error {
	p, err := payload[visitorJob](j)
	if err != nil {
		return err
	}
	chat, ok := e.Chats[p.Account.Platform].(Doorman)
	if !ok {
		return e.finish(ctx, j, nil)
	}
	guest, err := chat.Guest(ctx, p.Account)
	switch bot.KindOf(err) {
	case "":
	case bot.KindForbidden, bot.KindNotFound, bot.KindBadRequest, bot.KindRefused:
		e.Log.Warn("the platform does not say whether somebody is a guest", "account", p.Account.String(), "err", err)
	default:
		return err
	}
	return e.commit(ctx, "visitor/"+p.Account.String(), func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		was, _, err := visitors.Get(d.View, p.Tenant, p.Account.String())
		if err != nil {
			return err
		}
		visitors.PutUntil(&d.Out, p.Tenant, p.Account.String(), visitor{Guest: guest, Asked: d.Now}, d.Now.Add(visitorKept))
		if was.Guest != guest {
			d.Home(p.Account)
		}
		return nil
	})
}
