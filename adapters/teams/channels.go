package teams

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"keyturn/bot"
)

// Teams sends IDs of channels along with what happens in them, and their names
// hardly ever. Where a message names one that has no name yet, or went to one,
// the channels of its team are asked for once: that takes no permission but being
// in the team, so that it is too late when the bot was removed. A name that cannot
// be had is no reason not to say the rest.

// anyChannel is what a channel is called whose name nobody knows.
const anyChannel = "a channel of Teams"

// nameless gives the teams with channels that a message names and whose names are
// not known. A team that would not say is not asked again within a minute.
func (a *Adapter) nameless(m bot.Message) (out []bot.Place) {
	m.Places(func(s bot.Span) bot.Span {
		if s.In.Platform != bot.Teams {
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
		if c.Name != "" { // also of those in which nobody has spoken to the bot yet
			at, _ := recall[spot](a, "conversation", tenant, c.ID)
			at.Kind, at.Team, at.Name = kindChannel, team, c.Name
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
	return m.Places(func(s bot.Span) bot.Span {
		if s.In.Platform != bot.Teams {
			return s
		}
		s.Text, s.Code = anyChannel, false
		if name := a.Called(*s.In); name != "" {
			s.Text, s.Bold = name, true
		} else if at, _ := recall[spot](a, "conversation", s.In.Team, s.In.Channel); at.Kind == kindGroup {
			s.Text = "a group chat"
		}
		return s
	})
}

// Called is what a channel is called in Teams, with its team; "" where nobody has
// said so yet.
func (a *Adapter) Called(at bot.Place) string {
	known, _ := recall[spot](a, "conversation", at.Team, at.Channel)
	if known.Name == "" {
		return ""
	}
	name := bot.Shorten(known.Name, maxName)
	if team, _ := recall[roster](a, "team", at.Team, known.Team); team.Name != "" {
		name += " (" + bot.Shorten(team.Name, maxName) + ")"
	}
	return name
}
