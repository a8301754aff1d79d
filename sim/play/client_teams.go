package play

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"keyturn/sim/teams"
)

// teamsClient is Teams as people use it.
type teamsClient struct {
	server *teams.Server

	mu      sync.Mutex
	answers []Card // what clicks answered to one person alone, which the next edit takes away again
}

// inMessage is a form that stands in a message: the message and the button
// that sends it.
type inMessage struct {
	conversation, activity string
	send                   cardButton
	inputs                 []cardInput
}

// inDialog is a form in a dialog.
type inDialog struct {
	id     string
	inputs []cardInput
}

func (c *teamsClient) name() string             { return "Teams" }
func (c *teamsClient) line(words string) string { return "@Keyturn " + words }
func (c *teamsClient) changed() <-chan struct{} { return c.server.Changed() }

func (c *teamsClient) shown() []Card {
	s := c.server.Snapshot()
	var out []Card
	for _, m := range s.Messages {
		if m.Bot && !m.Deleted {
			out = append(out, teamsCard(&s, m))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(out, c.answers...)
}

// teamsCard is a message as its readers see it: in a direct message as its one
// reader's last click left it.
func teamsCard(s *teams.State, m teams.Message) Card {
	k := Card{Platform: OnTeams, Channel: m.Conversation, TS: m.ID, Thread: m.Root, Edited: m.Revisions}
	cards := m.Cards()
	for _, chat := range s.Chats {
		if chat.ID == m.Conversation && chat.Personal {
			k.Peer = nameBy(chat.Members[0])
			cards = m.CardsFor(chat.Members[0])
		}
	}
	for _, t := range s.Teams {
		for _, ch := range t.Channels {
			if ch.ID == m.Conversation {
				k.Where = ch.Name
				if ch.Name == "" {
					k.Where = "General"
				}
			}
		}
	}
	if m.To != "" {
		k.Reader = nameBy(m.To)
	}
	d := readCards(cards)
	k.Text, k.Buttons, k.Links = d.text(), d.asButtons(), d.links
	return k
}

// conversation is a channel by name, or the person's chat with the bot.
func (c *teamsClient) conversation(place string) (string, error) {
	if place == "" {
		return "", nil
	}
	for _, t := range c.server.Snapshot().Teams {
		for _, ch := range t.Channels {
			if ch.Name == place {
				return ch.ID, nil
			}
		}
	}
	return "", fmt.Errorf("Teams has no channel %q", place)
}

func (c *teamsClient) command(who Person, place, words string) (outcome, error) {
	at, err := c.conversation(place)
	if err != nil {
		return outcome{}, err
	}
	var out teams.Outcome
	if at == "" {
		out, err = c.server.DM(who.Entra, words)
	} else {
		out, err = c.server.Say(who.Entra, at, c.line(words))
	}
	if out.Reason != "" || out.Unsent != "" {
		out.Shown = out.Reason + out.Unsent
	}
	return outcome{shown: out.Shown}, err
}

// message is a message by its card.
func (c *teamsClient) message(card Card) (teams.Message, bool) {
	s := c.server.Snapshot()
	i := slices.IndexFunc(s.Messages, func(m teams.Message) bool {
		return m.ID == card.TS && m.Conversation == card.Channel && !m.Deleted
	})
	if i < 0 {
		return teams.Message{}, false
	}
	return s.Messages[i], true
}

func (c *teamsClient) press(who Person, card Card, b Button) (outcome, error) {
	for tries := 0; ; tries++ {
		m, ok := c.message(card)
		if !ok {
			return outcome{}, errRedrawn
		}
		all := readCards(m.CardsFor(who.Entra)).buttons
		i := slices.IndexFunc(all, func(x cardButton) bool { return x.Label == b.Label && x.Value == b.Value && x.Action == b.Action })
		if i < 0 {
			return outcome{}, errRedrawn
		}
		out, err := c.server.Click(teams.Click{User: who.Entra, Conversation: m.Thread(), Activity: m.ID, Action: all[i].Block, Nth: all[i].nth})
		if err == nil {
			c.keep(who, card, out)
			return outcome{shown: out.Shown}, nil
		}
		if tries == 3 {
			return outcome{}, err
		}
	}
}

// keep remembers what a click answered: the person saw it, though the next edit
// of the card takes it away.
func (c *teamsClient) keep(who Person, card Card, out teams.Outcome) {
	k := Card{Platform: OnTeams, Channel: card.Channel, Reader: who.Name, Text: out.Toast}
	if out.Replaced {
		var a struct {
			Value json.RawMessage `json:"value"`
		}
		_ = json.Unmarshal([]byte(out.Body), &a) // the simulator has read it already
		d := readCards([]json.RawMessage{a.Value})
		if slices.ContainsFunc(d.buttons, func(b cardButton) bool { return b.sends }) {
			return // a form, not an answer
		}
		k.TS, k.Text, k.Buttons, k.Links = card.TS, d.text(), d.asButtons(), d.links
	}
	if k.Text == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k.View = fmt.Sprintf("answer %d", len(c.answers)+1)
	c.answers = append(c.answers, k)
}

// form is the dialog in front of a person, or the form that stands in one of
// the messages that they see.
func (c *teamsClient) form(who Person) (openForm, bool) {
	s := c.server.Snapshot()
	for _, d := range s.Dialogs {
		if d.User == who.Entra {
			return openForm{d.Title, inDialog{d.ID, readCard(d.Card).inputs}}, true
		}
	}
	for _, m := range slices.Backward(s.Messages) {
		if !m.Bot || m.Deleted {
			continue
		}
		raws := m.CardsFor(who.Entra)
		if m.Views[who.Entra] == nil && teamsCard(&s, m).Peer != who.Name {
			continue
		}
		d := readCards(raws)
		for _, b := range d.buttons {
			if b.sends && len(d.inputs) > 0 {
				return openForm{d.lines[0], inMessage{m.Thread(), m.ID, b, d.inputs}}, true
			}
		}
	}
	return openForm{}, false
}

// fill gives the values by the card's input IDs.
func (c *teamsClient) fill(inputs []cardInput, values map[string]any) (map[string]any, error) {
	out := map[string]any{}
	for name, v := range values {
		i := slices.IndexFunc(inputs, func(in cardInput) bool { return in.name() == name })
		at, channel := v.(inChannel)
		if channel { // by its link: the card has no list of channels
			id, err := c.conversation(string(at))
			if err != nil {
				return nil, err
			}
			v = "https://teams.microsoft.com/l/channel/" + strings.ReplaceAll(id, "@", "%40") + "/" + string(at) + "?tenantId=" + Directory
			i = slices.IndexFunc(inputs, func(in cardInput) bool { return in.id == "cl:"+name })
		}
		if i < 0 {
			return nil, fmt.Errorf("the form has no input %q", name)
		}
		entry, err := inputs[i].entry(v)
		if err != nil {
			return nil, err
		}
		out[inputs[i].id] = entry
	}
	return out, nil
}

func (c *teamsClient) submit(who Person, f openForm, values map[string]any) (outcome, error) {
	var out teams.Outcome
	switch at := f.where.(type) {
	case inDialog:
		filled, err := c.fill(at.inputs, values)
		if err != nil {
			return outcome{}, err
		}
		if out, err = c.server.Submit(who.Entra, at.id, filled); err != nil {
			return outcome{}, err
		}
		c.told(who, out)
	case inMessage:
		filled, err := c.fill(at.inputs, values)
		if err != nil {
			return outcome{}, err
		}
		out, err = c.server.Click(teams.Click{User: who.Entra, Conversation: at.conversation, Activity: at.activity, Action: at.send.Block, Nth: at.send.nth, Inputs: filled})
		if err != nil {
			return outcome{}, err
		}
		conversation, _, _ := strings.Cut(at.conversation, ";messageid=")
		c.keep(who, Card{Channel: conversation, TS: at.activity}, out)
	}
	wrong := map[string]string{}
	for id, why := range out.Errors { // the client's own check
		wrong[cardInput{id: id}.name()] = why
	}
	if next, open := c.form(who); open && out.Shown == "" {
		for _, in := range inputsOf(next) {
			if in.wrong != "" {
				wrong[in.name()] = in.wrong
			}
		}
	}
	return outcome{shown: out.Shown, errors: wrong}, nil
}

func inputsOf(f openForm) []cardInput {
	switch at := f.where.(type) {
	case inDialog:
		return at.inputs
	case inMessage:
		return at.inputs
	}
	return nil
}

// told remembers the words of a dialog that only tells something.
func (c *teamsClient) told(who Person, out teams.Outcome) {
	if out.Dialog == "" {
		c.keep(who, Card{}, out)
	}
}

func (c *teamsClient) complaints() []string {
	var out []string
	for _, t := range c.server.Snapshot().Troubles {
		out = append(out, fmt.Sprintf("trouble of %s: %s (%s)", nameBy(t.User), t.What, t.Why))
	}
	return out
}
