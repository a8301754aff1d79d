package play

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"keyturn/sim"
)

// Script plays one guide from its start to its record, with a few things
// going wrong on the way, and then incidents.
type Script struct {
	World   *World
	Guide   string
	Out     io.Writer
	Stories [][]json.RawMessage // issues, each as the states it went through, published once the channel listens
	After   func(context.Context) error
	Act     func(act func()) // see [Player]
	// Killed says that the bot dies meanwhile: where it cannot ask what it has sent,
	// on Teams or where it may not read Slack's channels, an incident may then have
	// more than one message.
	Killed bool
}

// Play plays to the end. Its error says what did not happen.
func (s Script) Play(ctx context.Context) error {
	p := NewPlayer(s.World, s.Out)
	p.After, p.Act = s.After, s.Act
	g := &game{Player: p, guide: s.Guide, killed: s.Killed}
	if err := g.start(ctx); err != nil {
		return err
	}
	if err := g.untilDone(ctx); err != nil {
		return err
	}
	if s.Guide != "cleanup" {
		if err := g.subscribe(ctx); err != nil {
			return err
		}
		if err := g.incidents(ctx, s.Stories); err != nil {
			return err
		}
		if err := g.asks(ctx); err != nil {
			return err
		}
	}
	if err := p.catchUp(ctx); err != nil {
		return err
	}
	c := p.Counts
	if s.World.SignIn {
		if err := p.standing(); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.Out, "\nsummary: %d human clicks, %d values typed by hand, %d secrets shown to a person, %d API calls made, %d objects created, %d removed\n",
		c.Clicks, c.Typed, c.Secrets, c.Calls, c.Made, c.Removed)
	return nil
}

// game is one play of a guide.
type game struct {
	*Player
	guide    string
	stale    *Card           // Emil's private copy of a card that Erin decides
	stranger bool            // Max has tried
	lied     bool            // a wrong value was entered once
	leave    map[string]bool // steps that nobody touches
	killed   bool            // the bot dies meanwhile
}

// start types the command, with a slip first, and fills the start form.
func (g *game) start(ctx context.Context) error {
	if err := g.types(ctx, Rita, opsName, "setpu "+g.guide); err != nil {
		return err
	}
	if err := g.types(ctx, Rita, opsName, "setup "+g.guide); err != nil {
		return err
	}
	if err := g.fillStart(ctx); err != nil {
		return err
	}
	g.refuseOnce()
	return g.catchUp(ctx)
}

// fillStart fills in the start form of the guide.
func (g *game) fillStart(ctx context.Context) error {
	values := map[string]any{}
	if g.guide != "cleanup" {
		values["channel"] = inChannel(incidentsName)
	}
	if g.guide == "connector" {
		values["insights_users"] = Max.Now
	}
	if wrong, err := g.submit(ctx, Rita, values); err != nil || len(wrong) > 0 {
		return fmt.Errorf("the start form was not taken: %v %w", wrong, orNil(err))
	}
	return nil
}

// refuseOnce makes Graph refuse the first write to a registration, as it does
// when a role is missing.
func (g *game) refuseOnce() {
	f := sim.Fault{Method: "PATCH", Path: "/graph/v1.0/applications*", Times: 1, Status: 403,
		Body: `{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation.","innerError":{"date":"2026-11-23T10:00:00","request-id":"5f0c1e7a-8a51-4d55-9a53-5a1f6f0f4f3a","client-request-id":"5f0c1e7a-8a51-4d55-9a53-5a1f6f0f4f3a"}}}`}
	if g.guide == "cleanup" {
		f.Method, f.Path = "DELETE", "/graph/v1.0/applications/**"
	}
	g.World.Microsoft.Faults.Add(f)
}

func orNil(err error) error {
	if err == nil {
		return fmt.Errorf("the form says why")
	}
	return err
}

// untilDone lets everybody do what their cards ask until the run is finished.
func (g *game) untilDone(ctx context.Context) error {
	idle := time.Now()
	for {
		changed := g.changed()
		if err := g.catchUp(ctx); err != nil {
			return err
		}
		if g.finished() {
			return nil
		}
		acted, err := g.round(ctx)
		if err != nil {
			return err
		}
		if acted {
			idle = time.Now()
			continue
		}
		if time.Since(idle) > patience {
			return fmt.Errorf("nobody knows what to do next; people see:\n%s", g.last())
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

// finished reports whether the checklist says so.
func (g *game) finished() bool {
	return slices.ContainsFunc(g.shown(), func(c Card) bool {
		return c.Where == opsName && c.Thread == "" && strings.Contains(c.Text, "✅ finished")
	})
}

// round lets the first person with something to do do it.
func (g *game) round(ctx context.Context) (bool, error) {
	if !g.stranger {
		if c, ok := g.checklist(); ok {
			g.stranger = true
			return true, g.tryAsStranger(ctx, c)
		}
	}
	for _, who := range Everybody() {
		if who.Name == Emil.Name {
			continue // he only looks on; Erin is quicker
		}
		for _, c := range g.cardsOf(who) {
			acted, err := g.act(ctx, who, c)
			if errors.Is(err, errRedrawn) { // they look at the card again
				return true, nil
			}
			if err != nil || acted {
				return acted, err
			}
		}
	}
	return false, nil
}

// checklist finds the run's checklist.
func (g *game) checklist() (Card, bool) {
	for _, c := range slices.Backward(g.shown()) {
		if _, ok := c.Has("My steps", ""); ok && c.Where == opsName && c.Thread == "" && c.Reader == "" {
			return c, true
		}
	}
	return Card{}, false
}

// tryAsStranger clicks a button as somebody whom the bot does not know.
func (g *game) tryAsStranger(ctx context.Context, c Card) error {
	b, ok := c.Has("Cancel", "")
	if !ok {
		return fmt.Errorf("the checklist has no [Cancel]")
	}
	if err := g.click(ctx, Max, c, b); err != nil {
		return err
	}
	return g.until(ctx, "the answer to Max, who may not", func() bool { return g.sees(Max, "done nothing") })
}

// cardsOf lists a person's cards in their direct messages with the bot,
// oldest first.
func (g *game) cardsOf(who Person) []Card {
	return slices.DeleteFunc(g.client(who).shown(), func(c Card) bool { return c.Peer != who.Name || len(c.Buttons) == 0 })
}

// act does the first thing that a card asks of a person.
func (g *game) act(ctx context.Context, who Person, c Card) (bool, error) {
	for _, b := range c.Buttons {
		if b.Action == "back" { // an answer stands in the place of the card
			return g.back(ctx, who, c, b)
		}
		step, ok := stepOf(b)
		if !ok || g.leave[step] {
			continue
		}
		key := fmt.Sprintf("%s/%s/%s/%s/%d", who.Name, b.Label, b.Value, c.TS, c.Edited)
		if g.done[key] {
			continue
		}
		switch b.Label {
		case "Sign in":
			return true, g.signIn(ctx, who, c, b)
		case "Activated":
			if !g.World.SignIn || g.done["activated/"+who.Name] {
				continue // with one credential for all there is no role to activate: what failed is tried again
			}
			g.done["activated/"+who.Name] = true
			return true, g.activate(ctx, who, c, b)
		case "Approve and run":
			if activated, ok := c.Has("Activated", b.Value); ok && g.World.SignIn && !g.done["activated/"+who.Name] {
				g.done["activated/"+who.Name] = true
				return true, g.activate(ctx, who, c, activated)
			}
			g.done[key] = true
			return true, g.approve(ctx, who, c, b, step)
		case "Try again":
			g.done[key] = true
			if err := g.mend(ctx, who, c); err != nil {
				return true, err
			}
			return true, g.click(ctx, who, c, b)
		}
		if strings.HasPrefix(b.Action, "step-answer") || (strings.HasPrefix(b.Action, "step-check") && b.Label == "I did it, check") {
			if g.done["answered/"+who.Name+"/"+b.Value] {
				continue
			}
			g.done[key] = true
			acted, err := g.byHand(ctx, who, c, b, step)
			if acted || err != nil {
				g.done["answered/"+who.Name+"/"+b.Value] = acted
				return acted, err
			}
		}
	}
	return false, nil
}

func stepOf(b Button) (string, bool) {
	parts := strings.Split(b.Value, "/")
	if len(parts) < 2 || parts[1] == "" {
		return "", false
	}
	return parts[1], true
}

// approve approves a plan: the first time somebody else looks at it too, and
// clicks a moment too late.
func (g *game) approve(ctx context.Context, who Person, c Card, b Button, step string) error {
	if g.stale == nil && who.Name == Erin.Name {
		return g.approveTwice(ctx, c, b)
	}
	return g.click(ctx, who, c, b)
}

func (g *game) approveTwice(ctx context.Context, c Card, b Button) error {
	copy, err := g.copyOf(ctx, Emil, "Approve and run")
	if err != nil {
		return err
	}
	step, _ := stepOf(b)
	late, ok := copy.Has("Approve and run", "/"+step+"/")
	if !ok { // Emil's copy is of a moment at which there was another step to approve
		return g.click(ctx, Erin, c, b)
	}
	g.stale = &copy
	if err := g.click(ctx, Erin, c, b); err != nil {
		return err
	}
	if err := g.click(ctx, Emil, copy, late); err != nil {
		return err
	}
	return g.until(ctx, "the answer to Emil, who was too late", func() bool { return g.sees(Emil, "have not run anything") })
}

// copyOf has a person ask for their steps, and gives the private copy of the
// card, which nobody redraws. On Teams they ask the bot alone: what a click
// shows them there lasts only until the next edit.
func (g *game) copyOf(ctx context.Context, who Person, button string) (Card, error) {
	before := map[string]bool{}
	for _, c := range g.shown() {
		before[c.key()] = true
	}
	if g.World.Platform.sits(who) {
		if err := g.types(ctx, who, "", "mine"); err != nil {
			return Card{}, err
		}
	} else {
		var list Card
		if err := g.until(ctx, "a checklist", func() (ok bool) { list, ok = g.checklist(); return ok }); err != nil {
			return Card{}, err // whoever was posting it may stand still
		}
		mine, _ := list.Has("My steps", "")
		if err := g.click(ctx, who, list, mine); err != nil {
			return Card{}, err
		}
	}
	var copy Card
	err := g.until(ctx, who.Name+"'s private copy of the card", func() bool {
		for _, c := range g.client(who).shown() {
			if _, ok := c.Has(button, ""); ok && c.For(who) && !before[c.key()] {
				copy = c
			}
		}
		return copy.Text != ""
	})
	return copy, err
}

// byHand does a guided step in the portals and brings back what it asks.
func (g *game) byHand(ctx context.Context, who Person, c Card, b Button, step string) (bool, error) {
	do, ok := acts[step]
	if !ok {
		do = justSaySo
	}
	answer, err := do(ctx, g, who, c)
	if err != nil {
		return false, fmt.Errorf("%s, doing %s by hand: %w", who.Name, step, err)
	}
	if answer == nil { // found by the bot's own check
		return true, nil
	}
	if err := g.click(ctx, who, c, b); err != nil {
		return false, err
	}
	if len(answer) == 0 {
		return true, nil
	}
	if wrong, ok := wrongAnswers[step]; ok && !g.lied {
		g.lied = true
		bad := maps.Clone(answer)
		maps.Copy(bad, wrong)
		problems, err := g.submit(ctx, who, bad)
		if err != nil {
			return false, err
		}
		if len(problems) == 0 {
			return false, fmt.Errorf("a wrong value was taken in step %s: %v", step, wrong)
		}
		for name := range wrong { // the form kept it: it is corrected, or emptied
			if _, ok := answer[name]; !ok {
				answer[name] = nil
			}
		}
	}
	problems, err := g.submit(ctx, who, answer)
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("the values of step %s were not taken: %v", step, problems)
	}
	return true, err
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
