package play

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"keyturn/sim/slack"
)

// Crew is the organisation's people at their work, with nothing going wrong:
// everybody does what their cards ask, in the portals and in chat.
type Crew struct{ game *game }

// NewCrew begins to watch the world.
func NewCrew(w *World, out io.Writer) *Crew {
	return &Crew{&game{Player: NewPlayer(w, out), stale: &Card{}, stranger: true, lied: true, leave: map[string]bool{}}}
}

// After has f called after every line of the transcript.
func (c *Crew) After(f func(context.Context) error) { c.game.After = f }

// Act has f called around every act that needs the bot's answer at once.
func (c *Crew) Act(f func(act func())) { c.game.Act = f }

// Leave makes everybody leave steps alone; Touch ends that.
func (c *Crew) Leave(steps ...string) {
	for _, s := range steps {
		c.game.leave[s] = true
	}
}

// Touch ends what [Crew.Leave] began.
func (c *Crew) Touch(steps ...string) {
	for _, s := range steps {
		delete(c.game.leave, s)
	}
}

// WorkUntil lets everybody do what their cards ask until the workspace looks
// as expected. Its error says what people see when nobody knows what to do.
func (c *Crew) WorkUntil(ctx context.Context, what string, done func(*slack.State) bool) error {
	return c.work(ctx, what, func() bool {
		s := c.game.World.Slack.Snapshot()
		return done(&s)
	})
}

// WorkUntilShown is [Crew.WorkUntil] for what the bot says on any platform.
func (c *Crew) WorkUntilShown(ctx context.Context, what string, done func([]Card) bool) error {
	return c.work(ctx, what, func() bool { return done(c.game.shown()) })
}

func (c *Crew) work(ctx context.Context, what string, done func() bool) error {
	idle := time.Now()
	for {
		changed := c.game.changed()
		if done() {
			return c.game.catchUp(ctx)
		}
		if err := c.game.catchUp(ctx); err != nil {
			return err
		}
		acted, err := c.game.round(ctx)
		if err != nil {
			return err
		}
		if acted {
			idle = time.Now()
			continue
		}
		if time.Since(idle) > patience {
			return fmt.Errorf("waited for %s, and nobody knows what to do; people see:\n%s", what, c.game.last())
		}
		select {
		case <-changed[0]:
		case <-changed[1]:
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// SignsIn has a person press a button that leads to a sign-in, and sign in with
// an account, theirs or another; with "" they choose not to. It gives what the
// page says in the end: Keyturn's, or the system's where that lets nobody
// through.
func (c *Crew) SignsIn(ctx context.Context, who Person, card Card, button Button, account string) (string, error) {
	link, number, err := c.game.askSignIn(ctx, who, card, button)
	if err != nil {
		return "", err
	}
	return c.game.walkSignIn(ctx, who, link, number, account)
}

// Reveals has a person press the button that shows a secret on the page in
// front of them. It gives the secret, or "", and what the page says.
func (c *Crew) Reveals(who Person) (secret, said string, err error) {
	br := c.game.browser(who)
	if err := br.press("reveal", "Show it once", nil); err != nil {
		return "", "", err
	}
	return br.page.ids["secret"], br.page.text, nil
}

// Address is where a person's browser is, and Opens has another person open it.
func (c *Crew) Address(who Person) string { return c.game.browser(who).page.url.String() }

// Opens has a person open an address. It gives what the page says.
func (c *Crew) Opens(who Person, address string) (said string, err error) {
	br := c.game.browser(who)
	if err := br.open(address); err != nil {
		return "", err
	}
	return br.page.text, nil
}

// Begin has Rita type a guide's command in the channel where setups are
// started, and fill in its form.
func (c *Crew) Begin(ctx context.Context, guide string) error {
	c.game.guide = guide
	if err := c.game.types(ctx, Rita, opsName, "setup "+guide); err != nil {
		return err
	}
	return c.game.fillStart(ctx)
}

// Type has a person type a command in a channel, by its name, or with "" to the
// bot alone.
func (c *Crew) Type(ctx context.Context, who Person, channel, words string) error {
	return c.game.types(ctx, who, channel, words)
}

// Until waits until the bot has said what is expected.
func (c *Crew) Until(ctx context.Context, what string, ok func([]Card) bool) error {
	return c.game.until(ctx, what, func() bool { return ok(c.game.shown()) })
}

// SignIn follows the link of a card to Keyturn's page and through the system's
// own. It gives what Keyturn's page says in the end.
func (c *Crew) SignIn(ctx context.Context, who Person, card Card) (string, error) {
	m := askedNumber.FindStringSubmatch(card.Text)
	for _, l := range card.Links {
		if m != nil && strings.Contains(l, "/signin/go/") {
			return c.game.walkSignIn(ctx, who, l, m[1], who.UPN)
		}
	}
	return "", fmt.Errorf("the card leads to no sign-in:\n%s", card.Text)
}

// ByHand does a guided step in the portals as its person, and returns what
// there is to bring back into the form: nil where the bot finds out by itself.
func (c *Crew) ByHand(ctx context.Context, who Person, step string, card Card) (map[string]any, error) {
	do, ok := acts[step]
	if !ok {
		return nil, fmt.Errorf("nobody has learned to do the step %q by hand", step)
	}
	return do(ctx, c.game, who, card)
}

// MessageCard is a message as its readers see it.
func MessageCard(m slack.Message) Card { return messageCard(m) }

// PrivateCard is an ephemeral as its reader sees it.
func PrivateCard(e slack.Ephemeral) Card {
	return Card{Platform: OnSlack, Channel: e.Channel, TS: e.TS, To: e.To, Text: e.Text, Thread: e.ThreadTS, Buttons: buttonsOf(e.Blocks), Links: linksOf(e.Blocks), Edited: e.Revisions}
}

// ViewCard is a form or the bot's own page as its person sees it.
func ViewCard(v slack.View) Card {
	var body struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	_ = json.Unmarshal(v.Body, &body) // a view without blocks shows nothing
	return Card{Platform: OnSlack, View: v.ID, Text: wordsOf(body.Blocks), Buttons: buttonsOf(body.Blocks), Links: linksOf(body.Blocks)}
}

// wordsOf is every text of some blocks, a line each.
func wordsOf(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	var b strings.Builder
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if t, ok := v["text"].(string); ok {
				b.WriteString(unescape(t) + "\n")
			}
			for _, k := range slices.Sorted(maps.Keys(v)) {
				walk(v[k])
			}
		}
	}
	walk(v)
	return b.String()
}
