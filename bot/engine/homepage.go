package engine

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/setup"
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
	err = e.Store.Read(ctx, func(v View) error {
		m, err = e.homepage(v, p.Account)
		return err
	})
	if err != nil {
		return err
	}
	out := Send{Job: j.ID, At: bot.DM(p.Account), Home: true, Class: bot.ClassChecklist}
	if waits, err := e.paced(ctx, j, out); waits {
		return err
	}
	if err := chat.Home(ctx, p.Account, m); err != nil && bot.KindOf(err) != bot.KindAmbiguous {
		return err
	}
	return e.finish(ctx, j, nil)
}

func (e *Engine) homepage(v View, a bot.Account) (bot.Message, error) {
	m := bot.Message{Key: "home/" + a.String()}
	d := NewDraft(v, e.Env, "", e.Now())
	for _, t := range e.Env.Speaking(a.Platform, a.Team) {
		m.Add(bot.Heading{Text: t.Name})
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

// Page is what the bot's own page says to one person about one tenant: their
// open steps, the runs that they asked for, service health. Where a platform
// has no such page it is the answer in their direct messages.
func (d *Draft) Page(t *bot.Tenant, a bot.Account) (m bot.Message, err error) {
	person, known := t.Who(a)
	if !known {
		if v, _, err := visitors.Get(d.View, t.ID, a.String()); err != nil || v.Guest {
			m.Add(bot.Paragraph{Text: bot.T("I only answer members of this organisation.")})
			return m, err
		}
	}
	runs, err := d.Runs(t.ID)
	if err != nil {
		return m, err
	}
	open := 0
	for i := range runs {
		r := &runs[i]
		if r.State != setup.RunOpen || !known {
			continue
		}
		sc, err := d.Scene(r, bot.DM(a))
		if err != nil {
			return m, err
		}
		n := len(r.Visits[person.ID]) - 1
		mine := n >= 0 && slices.ContainsFunc(r.Visits[person.ID][n].Steps, func(id setup.StepID) bool {
			s := r.Step(id)
			return s != nil && !s.State.Settled()
		})
		switch {
		case mine:
			open++
			m.Add(sc.Card(person.ID, n).Parts...)
		case r.Requester == person.ID:
			m.Add(sc.Status().Parts...)
		}
	}
	if open == 0 {
		m.Add(bot.Paragraph{Text: bot.T("Nothing waits for you.")})
	}
	active, err := d.Incidents(t.ID, false)
	if err != nil {
		return m, err
	}
	w, err := d.Watch(t.ID)
	if err != nil {
		return m, err
	}
	m.Add(homeHealth(active, w)...)
	m.Add(bot.Buttons{Items: []bot.Button{
		{Label: "Service health", Action: "verb", Value: "health"},
		{Label: "Set something up", Action: "verb", Value: "setup"},
		{Label: "Status", Action: "verb", Value: "status"},
		{Label: "Help", Action: "verb", Value: "help"}}})
	m.Add(bot.Note{Text: bot.Join(bot.T("Drawn "), bot.When(d.Now, bot.DateTime))})
	return m, nil
}
