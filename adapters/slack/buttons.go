package slack

import (
	"fmt"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// buttons draws a row of buttons, in several blocks where one cannot hold it.
func (r *renderer) buttons(row bot.Buttons) {
	items := row.Items
	for len(items) > 0 {
		n := min(maxRow, len(items))
		elements := make([]slack.BlockElement, 0, n)
		size := 0
		for _, b := range items[:n] {
			e, err := r.button(b)
			if err != nil {
				r.fail(err)
				return
			}
			elements = append(elements, e)
			size += buttonCost(e)
		}
		r.put(&slack.ActionBlock{Type: slack.MBTAction, BlockID: r.id(), Elements: &slack.BlockElements{ElementSet: elements}}, size)
		items = items[n:]
	}
}

func (r *renderer) button(b bot.Button) (*slack.ButtonBlockElement, error) {
	e := &slack.ButtonBlockElement{
		Type:               slack.METButton,
		Text:               plain(first(bot.Shorten(b.Label, maxLabel), bot.Shorten(b.Action, maxLabel), "Open")),
		AccessibilityLabel: bot.Shorten(b.Says, maxLabel),
	}
	verb := b.Action
	if b.URL != "" {
		u, ok := webLink(b.URL, maxURL)
		if !ok {
			return nil, bad(fmt.Sprintf("The button %s opens an address that is no http, https or mailto link of at most %d characters.", bot.Quote(b.Label), maxURL), nil)
		}
		e.URL, verb = u, openPage
	} else {
		e.Value = b.Value
	}
	if verb == "" {
		return nil, bad(fmt.Sprintf("The button %s has neither an action nor an address.", bot.Quote(b.Label)), nil)
	}
	if bot.Units(e.Value) > maxValue || bot.Tidy(e.Value) != e.Value {
		return nil, bad(fmt.Sprintf("The value of the button %s is longer than Slack's %d characters, or holds control characters.", bot.Quote(b.Label), maxValue), nil)
	}
	e.ActionID = actionID(verb, r.clicks)
	r.clicks++
	if bot.Units(e.ActionID) > maxActionID || bot.Tidy(e.ActionID) != e.ActionID {
		return nil, bad(fmt.Sprintf("The action of the button %s is longer than Slack's %d characters, or holds control characters.", bot.Quote(b.Label), maxActionID), nil)
	}
	switch b.Style {
	case bot.Primary:
		e.Style = slack.StylePrimary
	case bot.Danger:
		e.Style = slack.StyleDanger
	}
	e.Confirm = confirm(b)
	return e, nil
}

func confirm(b bot.Button) *slack.ConfirmationBlockObject {
	if b.Confirm == nil {
		return nil
	}
	c := b.Confirm
	title := first(bot.Shorten(c.Title, maxConfirmHead), bot.Shorten(b.Label, maxConfirmHead), "Go on?")
	out := &slack.ConfirmationBlockObject{
		Title:   plain(title),
		Text:    plain(first(bot.Shorten(c.Text, maxConfirm), title)),
		Confirm: plain(first(bot.Shorten(c.Yes, maxConfirmYes), bot.Shorten(b.Label, maxConfirmYes), "Go on")),
		Deny:    plain(first(bot.Shorten(c.No, maxConfirmYes), "Cancel")),
	}
	if b.Style == bot.Danger {
		out.Style = slack.StyleDanger
	}
	return out
}

// buttonCost is the text of a button: what is read, and what Slack may count
// with it.
func buttonCost(b *slack.ButtonBlockElement) int {
	n := bot.Units(b.Text.Text) + bot.Units(b.AccessibilityLabel) + bot.Units(b.Value) + bot.Units(b.URL)
	if c := b.Confirm; c != nil {
		n += bot.Units(c.Title.Text) + bot.Units(c.Text.Text) + bot.Units(c.Confirm.Text) + bot.Units(c.Deny.Text)
	}
	return n
}
