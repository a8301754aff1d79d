package engine

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"

	"keyturn/bot"
)

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:5]))
}

// drawHome draws the bot's own page for one person: what needs them, the runs
// they are in, and what they can do.
func (e *Engine) drawHome(ctx context.Context, j bot.Job) error {
	p, err := payload[homeJob](j)
	if err != nil {
		return err
	}
	chat, ok := e.Chats[p.Account.Platform]
	if !ok {
		return e.finish(ctx, j, nil)
	}
	var m bot.Message
	out := Send{Job: j.ID, At: bot.DM(p.Account), Home: true, Class: bot.ClassChecklist}
	err = e.Store.Read(ctx, func(v View) error {
		m, err = e.homepage(v, p.Account)
		return errors.Join(err, e.heard(v, out))
	})
	if err != nil {
		return err
	}
	if waits, err := e.paced(ctx, j, out); waits {
		return err
	}
	if err := chat.Home(ctx, p.Account, e.called(p.Account.Platform, m)); err != nil && bot.KindOf(err) != bot.KindAmbiguous {
		return e.slower(out, err)
	}
	return e.followKept(ctx, j, p.Account)
}

func (e *Engine) homepage(v View, a bot.Account) (bot.Message, error) {
	m := bot.Message{Key: "home/" + a.String()}
	d := NewDraft(v, e.Env, "", e.Now())
	for _, t := range e.Env.Speaking(a.Platform, a.Team) {
		m.Add(bot.Heading{Text: t.Name})
		t, err := d.Effective(t)
		if err != nil {
			return m, err
		}
		page, err := d.Page(t, a)
		if err != nil {
			return m, err
		}
		m.Add(page.Parts...)
	}
	if m.Empty() {
		m.Add(bot.Paragraph{Text: bot.T("This workspace is not connected to a Microsoft 365 tenant yet. An owner can add it to Keyturn's configuration.")})
	}
	return m, nil
}
