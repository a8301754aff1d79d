package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"keyturn/sim"
)

// Player acts as the organisation's people, one after another, and prints
// what happens.
type Player struct {
	World *World
	Out   io.Writer
	After func(context.Context) error // called after every line of the transcript
	// Act has each act that needs the bot's answer at once done inside of it, so
	// that whoever ends the bot can do that before or after.
	Act func(act func())

	Counts Counts

	clients  []client
	browsers map[string]*browser
	seen     map[string]int // by [Card.key] -> revision that was printed
	calls    map[string]int // journal position by simulator
	done     map[string]bool
	acted    func() // the last act
}

// NewPlayer begins to watch the world.
func NewPlayer(w *World, out io.Writer) *Player {
	p := &Player{World: w, Out: out, clients: clients(w), browsers: map[string]*browser{}, seen: map[string]int{}, calls: map[string]int{}, done: map[string]bool{}}
	_, p.calls["microsoft"] = w.Microsoft.Journal.Since(0)
	_, p.calls["servicenow"] = w.ServiceNow.Journal.Since(0)
	for _, c := range p.shown() {
		if c.Reader == "" {
			p.seen[c.key()] = c.Edited + 1
		}
	}
	return p
}

// line prints one line of the transcript.
func (p *Player) line(ctx context.Context, who, format string, args ...any) error {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n"+strings.Repeat(" ", 22))
	fmt.Fprintf(p.Out, "%-20s  %s\n", who, text)
	if p.After != nil {
		return p.After(ctx)
	}
	return nil
}

// act does what a person does.
func (p *Player) act(f func()) {
	p.acted = f
	if p.Act == nil {
		f()
		return
	}
	p.Act(f)
}

// client is the chat of a person.
func (p *Player) client(who Person) client {
	if p.World.Platform.sits(who) {
		return p.on(OnTeams)
	}
	return p.on(OnSlack)
}

// on is the client of a platform.
func (p *Player) on(at Platform) client {
	if at == OnTeams || len(p.clients) == 1 {
		return p.clients[len(p.clients)-1]
	}
	return p.clients[0]
}

// types types a command in a channel, or with "" to the bot alone.
func (p *Player) types(ctx context.Context, who Person, place, words string) error {
	p.Counts.Typed++
	c := p.client(who)
	line := c.line(words)
	if place == "" && p.World.Platform.sits(who) {
		line = words
	}
	if err := p.line(ctx, who.Name, "types: %s", line); err != nil {
		return err
	}
	var out outcome
	var err error
	p.act(func() { out, err = c.command(who, place, words) })
	if err != nil {
		return fmt.Errorf("%s typed %s: %w", who.Name, line, err)
	}
	if out.shown != "" {
		return fmt.Errorf("%s typed %s and %s showed: %s", who.Name, line, c.name(), out.shown)
	}
	return p.catchUp(ctx)
}

// click presses a button of a card.
func (p *Player) click(ctx context.Context, who Person, c Card, b Button) error {
	p.Counts.Clicks++
	if err := p.line(ctx, who.Name, "clicks: [%s]%s", b.Label, aim(b.Value)); err != nil {
		return err
	}
	at := p.on(c.Platform)
	var out outcome
	var err error
	p.act(func() { out, err = at.press(who, c, b) })
	if err != nil {
		return fmt.Errorf("%s clicked [%s]: %w", who.Name, b.Label, err)
	}
	if out.shown != "" {
		return fmt.Errorf("%s clicked [%s] and %s showed: %s", who.Name, b.Label, at.name(), out.shown)
	}
	return nil
}

// back goes back to the card that an answer took the place of. A message that the
// bot posted twice, because it died in between, is not drawn again: the other one
// is worked with.
func (g *game) back(ctx context.Context, who Person, c Card, b Button) (bool, error) {
	if g.done["stays/"+c.key()] {
		return false, nil
	}
	if err := g.click(ctx, who, c, b); err != nil {
		return true, err
	}
	g.done["stays/"+c.key()] = slices.ContainsFunc(g.client(who).shown(), func(now Card) bool {
		return now.key() == c.key() && now.Text == c.Text && slices.ContainsFunc(now.Buttons, func(b Button) bool { return b.Action == "back" })
	})
	return true, nil
}

// errRedrawn says that a card was redrawn while its person read it, and that
// the button is there no more.
var errRedrawn = errors.New("the card was redrawn, and the button is gone")

// aim says which step a button is for, from its value.
func aim(value string) string {
	if parts := strings.Split(value, "/"); len(parts) >= 2 && strings.HasPrefix(parts[0], "run-") && parts[1] != "" {
		return " of " + parts[1]
	}
	return ""
}

// submit fills the form in front of a person. It returns what was wrong.
func (p *Player) submit(ctx context.Context, who Person, values map[string]any) (map[string]string, error) {
	f, err := p.form(ctx, who)
	if err != nil {
		return nil, err
	}
	filled := map[string]any{}
	var said []string
	for name, value := range values {
		if _, ok := value.(keep); ok {
			continue
		}
		filled[name] = value
		if value == nil {
			said = append(said, name+" emptied")
			continue
		}
		said = append(said, fmt.Sprintf("%s = %v", name, value))
		if _, typed := value.(string); typed {
			p.Counts.Typed++
		}
	}
	p.Counts.Clicks++
	if err := p.line(ctx, who.Name, "submits the form %q: %s", f.title, strings.Join(sorted(said), ", ")); err != nil {
		return nil, err
	}
	c := p.client(who)
	var out outcome
	p.act(func() { out, err = c.submit(who, f, filled) })
	if err != nil {
		return nil, fmt.Errorf("%s submitted a form: %w", who.Name, err)
	}
	if out.shown != "" {
		return nil, fmt.Errorf("%s submitted a form and %s showed: %s", who.Name, c.name(), out.shown)
	}
	for name, why := range out.errors {
		if err := p.line(ctx, "Keyturn", "keeps the form open: %s: %s", name, why); err != nil {
			return nil, err
		}
	}
	return out.errors, p.catchUp(ctx)
}

// shown is all that the bot has said, on every platform.
func (p *Player) shown() []Card {
	var out []Card
	for _, c := range p.clients {
		out = append(out, c.shown()...)
	}
	return out
}

// sees reports whether the bot has said something to a person alone.
func (p *Player) sees(who Person, words string) bool {
	return slices.ContainsFunc(p.shown(), func(c Card) bool { return c.For(who) && strings.Contains(c.Text, words) })
}

// changed are closed at the next change of what a platform shows; take them
// before looking.
func (p *Player) changed() [2]<-chan struct{} {
	var out [2]<-chan struct{}
	for i, c := range p.clients {
		out[i] = c.changed()
	}
	return out
}

// until waits for what people see to look as expected.
func (p *Player) until(ctx context.Context, what string, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		changed := p.changed()
		if ok() {
			return nil
		}
		select {
		case <-changed[0]:
		case <-changed[1]:
		case <-ctx.Done():
			return fmt.Errorf("waited for %s, and it did not come; people see:\n%s", what, p.last())
		}
	}
}

// last is the newest of what people see.
func (p *Player) last() string {
	var b strings.Builder
	for _, c := range p.clients {
		all := c.shown()
		for _, k := range all[max(0, len(all)-9):] {
			at := k.Channel
			if k.Reader != "" {
				at = "only " + k.Reader
			}
			fmt.Fprintf(&b, "  %s, %s: %s\n", c.name(), at, short(strings.ReplaceAll(k.Text, "\n", " / "), 700))
		}
		for _, t := range c.complaints() {
			fmt.Fprintf(&b, "  %s: %s\n", c.name(), t)
		}
	}
	return b.String()
}

// catchUp prints what the bot has said and which calls ran since the last
// time.
func (p *Player) catchUp(ctx context.Context) error {
	if err := p.callsMade(ctx, "microsoft", &p.World.Microsoft.Journal, "Graph"); err != nil {
		return err
	}
	if err := p.callsMade(ctx, "servicenow", &p.World.ServiceNow.Journal, "ServiceNow"); err != nil {
		return err
	}
	for _, c := range p.shown() {
		revision := p.seen[c.key()]
		if revision > c.Edited {
			continue
		}
		p.seen[c.key()] = c.Edited + 1
		if err := p.line(ctx, "Keyturn", "%s", p.said(c, revision == 0)); err != nil {
			return err
		}
	}
	return nil
}

// said is how a message stands in the transcript: new ones with their first
// lines, edits with what changed most.
func (p *Player) said(c Card, first bool) string {
	if c.Reader != "" {
		lines := 4
		if strings.Contains(c.Text, "Microsoft Learn") {
			lines = 40 // an answer is what was asked for
		}
		return "only to " + c.Reader + ": " + gist(c.Text, lines)
	}
	where := "in a direct message to " + c.Peer
	if c.Where != "" {
		where = "in #" + c.Where
	}
	if len(p.clients) > 1 {
		where = "on " + p.on(c.Platform).name() + ", " + where
	}
	if c.Thread != "" {
		where += ", in the thread"
	}
	if c.Aloud {
		where += ", told aloud"
	}
	if first {
		return where + ": " + gist(c.Text, 40)
	}
	return where + ", edited: " + changedLine(c.Text)
}

// callsMade prints the writes that a simulator served.
func (p *Player) callsMade(ctx context.Context, key string, j *sim.Journal, name string) error {
	calls, next := j.Since(p.calls[key])
	p.calls[key] = next
	for _, c := range calls {
		if c.Out || strings.HasPrefix(c.Path, "/_sim") || strings.HasPrefix(c.Path, "/entra") || strings.HasPrefix(c.Path, "/admin") {
			continue
		}
		if !api(c.Path) {
			continue
		}
		p.Counts.Calls++
		if !c.Write || strings.HasPrefix(c.Path, "/oauth_token") {
			again := fmt.Sprintf("read/%s/%s/%d", c.Method, c.Path, c.Status)
			if c.Status < 400 || p.done[again] {
				continue
			}
			p.done[again] = true
		}
		if err := p.line(ctx, name, "%s %s -> %d %s", c.Method, short(c.Path, 160), c.Status, short(c.Note, 160)); err != nil {
			return err
		}
		if c.Write && c.Status < 300 {
			p.count(c)
		}
	}
	return nil
}

// api reports whether a path is one that programs call, not people.
func api(path string) bool {
	return strings.HasPrefix(path, "/graph/") || strings.Contains(path, "/oauth2/") || strings.HasPrefix(path, "/api/now/") || strings.HasPrefix(path, "/oauth_token")
}

func (p *Player) count(c sim.Call) {
	switch {
	case c.Method == "DELETE" || strings.Contains(c.Path, "removePassword"):
		p.Counts.Removed++
	case c.Status == 201 || strings.Contains(c.Path, "addPassword"):
		p.Counts.Made++
	}
}
