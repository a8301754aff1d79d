package teams

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"keyturn/bot"
)

// Teams sends IDs of channels along with what happens in them, and their names
// hardly ever. Where a message names one that has no name yet, the channels of
// its team are asked for once, before the message is sent: that takes no
// permission but being in the team. A name that cannot be had is no reason not
// to say the rest.

// anyChannel is what a channel is called whose name nobody knows.
const anyChannel = "a channel of Teams"

// nameless gives the teams with channels that a message names and whose names are
// not known. A team that would not say is not asked again within a minute.
func (a *Adapter) nameless(m bot.Message) (out []bot.Place) {
	each(m, func(s bot.Span) bot.Span {
		if s.In == nil || s.In.Platform != bot.Teams {
			return s
		}
		at, ok := recall[spot](a, "conversation", s.In.Team, s.In.Channel)
		if ok && at.Kind == kindChannel && at.Team != "" && at.Name == "" {
			team := bot.Place{Platform: bot.Teams, Team: s.In.Team, Channel: at.Team}
			if !slices.Contains(out, team) && a.unnamed.claims(team.String(), a.now()) {
				out = append(out, team)
			}
		}
		return s
	})
	return out
}

// learnNames has Teams say what the channels are called that a message names.
func (a *Adapter) learnNames(ctx context.Context, m bot.Message) {
	for _, team := range a.nameless(m) {
		a.nameChannels(ctx, team.Team, team.Channel)
	}
}

// ready is a message with all that only Teams, or a shelf for pictures, can give.
func (a *Adapter) ready(ctx context.Context, m bot.Message) bot.Message {
	a.learnNames(ctx, m)
	return a.pictured(ctx, m)
}

// nameChannels keeps the names of a team and of its channels that are known.
// Source: Microsoft, "Get Teams specific context for your bot".
func (a *Adapter) nameChannels(ctx context.Context, tenant, team string) {
	var of struct {
		Name string `json:"name"`
	}
	var all struct {
		Channels []idName `json:"conversations"`
	}
	if !a.ask(ctx, &of, tenant, team) || !a.ask(ctx, &all, tenant, team, "conversations") {
		return
	}
	a.learning.Lock()
	defer a.learning.Unlock()
	if one, ok := recall[roster](a, "team", tenant, team); ok {
		one.Name = of.Name
		remember(a, "team", tenant, team, one)
	}
	for _, c := range all.Channels {
		if c.ID == team && c.Name == "" { // as Microsoft sends it
			c.Name = "General"
		}
		if at, ok := recall[spot](a, "conversation", tenant, c.ID); ok && c.Name != "" {
			at.Name = c.Name
			remember(a, "conversation", tenant, c.ID, at)
		}
	}
}

// ask reads something of a team.
func (a *Adapter) ask(ctx context.Context, into any, tenant, team string, of ...string) bool {
	target, err := address(a.service(tenant, team), append([]string{"teams", team}, of...)...)
	if err == nil {
		var answer []byte
		if answer, err = a.exchange(ctx, http.MethodGet, target, nil, false); err == nil {
			err = json.Unmarshal(answer, into)
		}
	}
	if err != nil {
		a.log.Warn("Teams does not say what a channel is called; messages say \""+anyChannel+"\" meanwhile", "err", err)
	}
	return err == nil
}

// placed is a message with the names of channels in the place of their IDs.
func (a *Adapter) placed(m bot.Message) bot.Message {
	return each(m, func(s bot.Span) bot.Span {
		if s.In == nil || s.In.Platform != bot.Teams {
			return s
		}
		s.Text, s.Code = anyChannel, false
		at, _ := recall[spot](a, "conversation", s.In.Team, s.In.Channel)
		if at.Kind == kindGroup {
			s.Text = "a group chat"
		}
		if at.Name == "" {
			return s
		}
		s.Text, s.Bold = bot.Shorten(at.Name, maxName), true
		if team, _ := recall[roster](a, "team", s.In.Team, at.Team); team.Name != "" {
			s.Text += " (" + bot.Shorten(team.Name, maxName) + ")"
		}
		return s
	})
}

// each maps the spans of a message. One that names no channel is not copied.
func each(m bot.Message, change func(bot.Span) bot.Span) bot.Message {
	text := func(t bot.Text) bot.Text {
		if !slices.ContainsFunc(t, func(s bot.Span) bool { return s.In != nil }) {
			return t
		}
		out := slices.Clone(t)
		for i := range out {
			out[i] = change(out[i])
		}
		return out
	}
	m.Parts = slices.Clone(m.Parts)
	for i, p := range m.Parts {
		switch p := p.(type) {
		case bot.Paragraph:
			m.Parts[i] = bot.Paragraph{Text: text(p.Text)}
		case bot.Note:
			m.Parts[i] = bot.Note{Text: text(p.Text)}
		case bot.Numbered:
			items := slices.Clone(p.Items)
			for j := range items {
				items[j] = text(items[j])
			}
			m.Parts[i] = bot.Numbered{Items: items}
		case bot.Pairs:
			items := slices.Clone(p.Items)
			for j := range items {
				items[j].Value = text(items[j].Value)
			}
			m.Parts[i] = bot.Pairs{Items: items}
		}
	}
	return m
}
