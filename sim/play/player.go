package play

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"keyturn/sim"
	"keyturn/sim/slack"
)

// Player acts as the organisation's people, one after another, and prints
// what happens.
type Player struct {
	World *World
	Out   io.Writer
	After func(context.Context) error // called after every line of the transcript

	Counts Counts

	browsers map[string]*browser
	seen     map[string]int // channel/ts or ephemeral -> revision that was printed
	calls    map[string]int // journal position by simulator
	done     map[string]bool
}

// Counts is what people had to do, and what became of it.
type Counts struct {
	Clicks, Typed, Secrets, Calls, Made, Removed int
}

// patience is how long a player waits for what it expects.
const patience = 20 * time.Second

// NewPlayer begins to watch the world.
func NewPlayer(w *World, out io.Writer) *Player {
	p := &Player{World: w, Out: out, browsers: map[string]*browser{}, seen: map[string]int{}, calls: map[string]int{}, done: map[string]bool{}}
	_, p.calls["microsoft"] = w.Microsoft.Journal.Since(0)
	_, p.calls["servicenow"] = w.ServiceNow.Journal.Since(0)
	for _, m := range w.Slack.Snapshot().Messages {
		p.seen[m.Channel+"/"+m.TS] = m.Revisions + 1
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

// slash types a command.
func (p *Player) slash(ctx context.Context, who Person, channel, text string) error {
	p.Counts.Typed++
	if err := p.line(ctx, who.Name, "types: %s", text); err != nil {
		return err
	}
	out, err := p.World.Slack.Slash(who.Slack, channel, text)
	if err != nil {
		return fmt.Errorf("%s typed %s: %w", who.Name, text, err)
	}
	if out.Shown != "" {
		return fmt.Errorf("%s typed %s and Slack showed: %s", who.Name, text, out.Shown)
	}
	return p.catchUp(ctx)
}

// click presses a button of a card.
func (p *Player) click(ctx context.Context, who Person, c Card, b Button) error {
	p.Counts.Clicks++
	if err := p.line(ctx, who.Name, "clicks: [%s]%s", b.Label, aim(b.Value)); err != nil {
		return err
	}
	out, err := p.press(who, c, b)
	if err != nil {
		return fmt.Errorf("%s clicked [%s]: %w", who.Name, b.Label, err)
	}
	if out.Shown != "" {
		return fmt.Errorf("%s clicked [%s] and Slack showed: %s", who.Name, b.Label, out.Shown)
	}
	return nil
}

// errRedrawn says that a card was redrawn while its person read it, and that
// the button is there no more.
var errRedrawn = errors.New("the card was redrawn, and the button is gone")

// press clicks the button where it is now: a card that was redrawn while its
// person read it has the same button in another place, or not any more.
func (p *Player) press(who Person, c Card, b Button) (slack.Outcome, error) {
	for tries := 0; ; tries++ {
		there, message := false, false
		for _, m := range p.World.Slack.Snapshot().Messages {
			if m.Channel != c.Channel || m.TS != c.TS {
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
			return slack.Outcome{}, errRedrawn
		}
		out, err := p.World.Slack.Click(slack.Click{User: who.Slack, Channel: c.Channel, TS: c.TS, View: c.View, Action: b.Action, Block: b.Block})
		if err == nil || tries == 3 {
			return out, err
		}
	}
}

// aim says which step a button is for, from its value.
func aim(value string) string {
	if parts := strings.Split(value, "/"); len(parts) >= 2 && strings.HasPrefix(parts[0], "run-") && parts[1] != "" {
		return " of " + parts[1]
	}
	return ""
}

// form waits for the form in front of a person.
func (p *Player) form(ctx context.Context, who Person) (slack.View, error) {
	var found slack.View
	err := p.until(ctx, "a form in front of "+who.Name, func(s *slack.State) bool {
		for _, v := range s.Views {
			if v.User == who.Slack {
				found = v
			}
		}
		return found.ID != ""
	})
	return found, err
}

// submit fills the form in front of a person. It returns what was wrong.
func (p *Player) submit(ctx context.Context, who Person, values map[string]any) (map[string]string, error) {
	v, err := p.form(ctx, who)
	if err != nil {
		return nil, err
	}
	filled := map[string]any{}
	var said []string
	for name, value := range values {
		if _, ok := value.(keep); ok {
			continue
		}
		filled["in:"+name] = value
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
	if err := p.line(ctx, who.Name, "submits the form %q: %s", title(v), strings.Join(sorted(said), ", ")); err != nil {
		return nil, err
	}
	out, err := p.World.Slack.Submit(who.Slack, v.ID, filled)
	if err != nil {
		return nil, fmt.Errorf("%s submitted a form: %w", who.Name, err)
	}
	if out.Shown != "" {
		return nil, fmt.Errorf("%s submitted a form and Slack showed: %s", who.Name, out.Shown)
	}
	for name, why := range out.Errors {
		if err := p.line(ctx, "Keyturn", "keeps the form open: %s: %s", strings.TrimPrefix(name, "in:"), why); err != nil {
			return nil, err
		}
	}
	return out.Errors, p.catchUp(ctx)
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

// until waits for the workspace to look as expected.
func (p *Player) until(ctx context.Context, what string, ok func(*slack.State) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		changed := p.World.Slack.Changed()
		s := p.World.Slack.Snapshot()
		if ok(&s) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waited for %s, and it did not come; Slack shows:\n%s", what, lastOf(&s))
		}
	}
}

func lastOf(s *slack.State) string {
	var b strings.Builder
	for _, m := range s.Messages[max(0, len(s.Messages)-6):] {
		fmt.Fprintf(&b, "  %s: %s\n", m.Channel, short(strings.ReplaceAll(m.Text, "\n", " / "), 700))
	}
	for _, e := range s.Ephemerals[max(0, len(s.Ephemerals)-3):] {
		fmt.Fprintf(&b, "  only %s: %s\n", e.To, short(strings.ReplaceAll(e.Text, "\n", " / "), 400))
	}
	for _, t := range s.Troubles {
		fmt.Fprintf(&b, "  trouble of %s: %s (%s)\n", t.User, t.What, t.Why)
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
	s := p.World.Slack.Snapshot()
	for _, m := range s.Messages {
		if !m.Bot || m.Deleted || p.seen[m.Channel+"/"+m.TS] > m.Revisions {
			continue
		}
		first := p.seen[m.Channel+"/"+m.TS] == 0
		p.seen[m.Channel+"/"+m.TS] = m.Revisions + 1
		if err := p.line(ctx, "Keyturn", "%s", p.said(&s, m, first)); err != nil {
			return err
		}
	}
	for _, e := range s.Ephemerals {
		key := "only/" + e.Channel + "/" + e.TS
		if p.seen[key] > e.Revisions {
			continue
		}
		p.seen[key] = e.Revisions + 1
		if err := p.line(ctx, "Keyturn", "only to %s: %s", nameOf(e.To), gist(e.Text, 4)); err != nil {
			return err
		}
	}
	return nil
}

// said is how a message stands in the transcript: new ones with their first
// lines, edits with what changed most.
func (p *Player) said(s *slack.State, m slack.Message, first bool) string {
	where := "in a direct message to " + p.peer(s, m.Channel)
	if m.Channel == Ops || m.Channel == Incidents {
		where = "in #" + channelName(s, m.Channel)
	}
	if m.ThreadTS != "" && m.ThreadTS != m.TS {
		where += ", in the thread"
	}
	if m.Broadcast {
		where += ", told aloud"
	}
	if first {
		return where + ": " + gist(m.Text, 40)
	}
	return where + ", edited: " + changedLine(m.Text)
}

func channelName(s *slack.State, id string) string {
	for _, c := range s.Channels {
		if c.ID == id {
			return c.Name
		}
	}
	return id
}

func (p *Player) peer(s *slack.State, channel string) string {
	for _, c := range s.Channels {
		if c.ID == channel {
			return nameOf(c.Peer)
		}
	}
	return channel
}

func nameOf(user string) string {
	for _, x := range Everybody() {
		if x.Slack == user {
			return x.Name
		}
	}
	return user
}

// gist is the first lines of a text.
func gist(text string, lines int) string {
	all := strings.Split(text, "\n")
	if len(all) > lines {
		all = append(all[:lines:lines], fmt.Sprintf("(and %d more lines)", len(all)-lines))
	}
	for i := range all {
		all[i] = unescape(short(all[i], 400))
	}
	return strings.Join(all, "\n")
}

var progress = regexp.MustCompile(`^\d+ of \d+ done`)

// changedLine is the line of an edited message that says how far it is.
func changedLine(text string) string {
	for _, l := range strings.Split(text, "\n") {
		if progress.MatchString(l) {
			return unescape(short(l, 300))
		}
	}
	for _, l := range strings.Split(text, "\n") {
		if strings.Contains(l, " done · ") || strings.Contains(l, "finished") || strings.Contains(l, "✅") || strings.Contains(l, "⛔") || strings.Contains(l, "⏳") {
			return unescape(short(l, 300))
		}
	}
	return unescape(short(strings.SplitN(text, "\n", 2)[0], 300))
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

func (p *Player) browser(who Person) *browser {
	b, ok := p.browsers[who.Name]
	if !ok {
		b = newBrowser()
		p.browsers[who.Name] = b
	}
	return b
}
