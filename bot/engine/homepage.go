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
	if err := chat.Home(ctx, p.Account, m); err != nil && bot.KindOf(err) != bot.KindAmbiguous {
		return err
	}
	return e.finish(ctx, j, nil)
}

func (e *Engine) homepage(v View, a bot.Account) (bot.Message, error) {
	m := bot.Message{Key: "home/" + a.String()}
	for _, t := range e.Env.Speaking(a.Platform, a.Team) {
		m.Add(bot.Heading{Text: t.Name})
		if err := e.homeOf(v, &m, t, a); err != nil {
			return m, err
		}
	}
	if m.Empty() {
		m.Add(bot.Paragraph{Text: bot.T("This workspace is not connected to a Microsoft 365 tenant yet. An owner can add it to Keyturn's configuration.")})
	}
	return m, nil
}

func (e *Engine) homeOf(v View, m *bot.Message, t *bot.Tenant, a bot.Account) error {
	person, known := t.Who(a)
	runs, err := v.Runs(t.ID)
	if err != nil {
		return err
	}
	open := 0
	for i := range runs {
		r := &runs[i]
		if r.State != setup.RunOpen || !known {
			continue
		}
		sc, err := scene(v, e.Env, r, bot.DM(a), e.Now(), nil)
		if err != nil {
			return err
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
	active, err := v.Incidents(t.ID, false)
	if err != nil {
		return err
	}
	w, err := v.Watch(t.ID)
	if err != nil {
		return err
	}
	m.Add(homeHealth(active, w)...)
	m.Add(bot.Buttons{Items: []bot.Button{
		{Label: "Service health", Action: "verb", Value: "health"},
		{Label: "Set something up", Action: "verb", Value: "setup"},
		{Label: "Status", Action: "verb", Value: "status"},
		{Label: "Help", Action: "verb", Value: "help"}}})
	m.Add(bot.Note{Text: bot.Join(bot.T("Drawn "), bot.When(e.Now(), bot.DateTime))})
	return nil
}
