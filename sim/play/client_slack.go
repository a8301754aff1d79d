package play

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"keyturn/sim/slack"
)

// slackClient is Slack as people use it.
type slackClient struct{ server *slack.Server }

func (c *slackClient) name() string             { return "Slack" }
func (c *slackClient) line(words string) string { return "/keyturn " + words }
func (c *slackClient) changed() <-chan struct{} { return c.server.Changed() }

func (c *slackClient) shown() []Card {
	s := c.server.Snapshot()
	var out []Card
	for _, m := range s.Messages {
		if !m.Bot || m.Deleted {
			continue
		}
		k := messageCard(m)
		for _, ch := range s.Channels {
			switch {
			case ch.ID != m.Channel:
			case ch.Kind == slack.Direct:
				k.Peer = nameBy(ch.Peer)
			default:
				k.Where = ch.Name
			}
		}
		out = append(out, k)
	}
	for _, e := range s.Ephemerals {
		out = append(out, ephemeralCard(e))
	}
	return out
}

func ephemeralCard(e slack.Ephemeral) Card {
	k := PrivateCard(e)
	k.Reader = nameBy(e.To)
	return k
}

// channelID is a channel by name, or the person's direct message.
func (c *slackClient) channelID(who Person, place string) (string, error) {
	if place == "" {
		return c.server.DirectID(who.Slack)
	}
	s := c.server.Snapshot()
	i := slices.IndexFunc(s.Channels, func(ch slack.Channel) bool { return ch.Name == place })
	if i < 0 {
		return "", fmt.Errorf("Slack has no channel %q", place)
	}
	return s.Channels[i].ID, nil
}

func (c *slackClient) command(who Person, place, words string) (outcome, error) {
	id, err := c.channelID(who, place)
	if err != nil {
		return outcome{}, err
	}
	out, err := c.server.Slash(who.Slack, id, c.line(words))
	return outcome{shown: out.Shown}, err
}

func (c *slackClient) press(who Person, card Card, b Button) (outcome, error) {
	for tries := 0; ; tries++ {
		there, message := false, false
		for _, m := range c.server.Snapshot().Messages {
			if m.Channel != card.Channel || m.TS != card.TS {
				continue
			}
			message = true
			for _, now := range buttonsOf(m.Blocks) {
				if now.Label == b.Label && now.Value == b.Value {
					b, there = now, true
				}
			}
		}
		if message && !there {
			return outcome{}, errRedrawn
		}
		out, err := c.server.Click(slack.Click{User: who.Slack, Channel: card.Channel, TS: card.TS, View: card.View, Action: b.Action, Block: b.Block})
		if err == nil || tries == 3 {
			return outcome{shown: out.Shown}, err
		}
	}
}

func (c *slackClient) form(who Person) (openForm, bool) {
	for _, v := range slices.Backward(c.server.Snapshot().Views) {
		if v.User == who.Slack {
			return openForm{title: title(v), where: v.ID}, true
		}
	}
	return openForm{}, false
}

func title(v slack.View) string {
	var body struct {
		Title struct {
			Text string `json:"text"`
		} `json:"title"`
	}
	_ = json.Unmarshal(v.Body, &body) // a view without a title has none to print
	return body.Title.Text
}

func (c *slackClient) submit(who Person, f openForm, values map[string]any) (outcome, error) {
	filled := map[string]any{}
	for name, v := range values {
		if at, ok := v.(inChannel); ok {
			id, err := c.channelID(who, string(at))
			if err != nil {
				return outcome{}, err
			}
			v = id
		}
		filled["in:"+name] = v
	}
	out, err := c.server.Submit(who.Slack, f.where.(string), filled)
	wrong := map[string]string{}
	for name, why := range out.Errors {
		wrong[strings.TrimPrefix(name, "in:")] = why
	}
	return outcome{shown: out.Shown, errors: wrong}, err
}

func (c *slackClient) complaints() []string {
	var out []string
	for _, t := range c.server.Snapshot().Troubles {
		out = append(out, fmt.Sprintf("trouble of %s: %s (%s)", t.User, t.What, t.Why))
	}
	return out
}
