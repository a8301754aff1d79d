package chat

import "keyturn/sim/teams"

// redLine is what went wrong at a person's last click on a card: the bot's own
// red line, or the client's objections to inputs.
type redLine struct {
	user, at string // whose, and the conversation and activity
	revision int    // of the message then; an edit makes it pointless
	Text     string
	Errors   map[string]string // by input ID
}

// of is the line if the message is still the one that was clicked.
func (r redLine) of(m teams.Message) redLine {
	if r.revision != m.Revisions {
		return redLine{}
	}
	return r
}

func (p *page) redLines(user string) map[string]redLine {
	p.mu.Lock()
	defer p.mu.Unlock()
	mine := map[string]redLine{}
	for _, r := range p.red {
		if r.user == user {
			mine[r.at] = r
		}
	}
	return mine
}

// remember keeps what came of a click until the next one on the same card.
func (p *page) remember(c teams.Click, out teams.Outcome) {
	at := base(c.Conversation) + "/" + c.Activity
	key := c.User + " " + at
	line := redLine{user: c.User, at: at, Text: out.Shown, Errors: out.Errors}
	for _, m := range p.cfg.Teams.Snapshot().Messages {
		if m.ID == c.Activity && m.Conversation == base(c.Conversation) {
			line.revision = m.Revisions
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.red, key)
	if line.Text != "" || len(line.Errors) > 0 {
		p.red[key] = line
	}
}
